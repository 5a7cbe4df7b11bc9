"""The decision about a submission, and what the page promises about an unknown one."""

import datetime
from typing import Any

import pytest
from django.utils.html import strip_tags

from organizations.models import EnvironmentGate, Organization, State, Submission, User, Verdict, clock
from organizations.pages import queue_reasons
from organizations.pages.submission import attempts, decision_choices
from organizations.pages.submission.state import changes_note, query_result
from organizations.practice import PracticeDirectory
from organizations.records import AddressRecord
from organizations.services import timing
from organizations.services.delivery import query
from organizations.services.review import reviews
from organizations.text import queue_reason
from tests import factories
from tests.factories import UserFactory, as_actor
from tests.pages.sending import (
    THEIRS,
    block,
    entries_of,
    fresh,
    resolve_submission,
    send_foreign,
    send_update,
    take_decision,
)


def decision_about(submission: Submission) -> decision_choices.DecisionOptions:
    choices = decision_choices.decision_options(
        submission, query_result(attempts.last_query(entries_of(submission)), submission)
    )
    assert choices is not None
    return choices


# Needs a decision -------------------------------------------------------------------------------------------


def test_only_a_message_that_may_have_arrived_is_called_unknown(practice: PracticeDirectory, editor: User) -> None:
    assert changes_note(send_update(practice, editor, "applies-then-504")) == "not known whether it arrived"


def test_a_message_that_redox_refused_is_not_said_to_have_arrived(practice: PracticeDirectory, editor: User) -> None:
    assert changes_note(send_foreign(practice, editor)) == ""


def test_a_decision_shows_differences_consequences_and_the_suspicion(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = send_foreign(practice, editor)
    query.query_for_submission(submission, actor=as_actor(approver))
    choices = decision_about(submission)
    answer = query_result(attempts.last_query(entries_of(submission)), submission)
    assert answer is not None
    assert not answer.has_before  # so that no column repeats "none"
    assert [choice.value for choice in choices.choices] == ["ours", "foreign"]
    assert choices.suspicion == "Name, City and State all differ: probably another organization."
    differing = [row.label for row in choices.differing]
    assert differing[0] == "Name"
    assert {row.label for row in choices.equal} >= {"OID", "Active", "Country"}
    assert choices.heading == f"{len(differing)} of {len(differing) + len(choices.equal)} readable fields differ"
    ours = take_decision(submission, Verdict.OURS, approver).organization
    review = reviews.review(Organization.objects.get(pk=ours.pk))  # sends the Query that the sentence promised
    assert f"a tick for each of the {len(differing)} values" in choices.choices[0].follows
    assert len(review.overwrites) == len(differing)
    assert "Contact 1" in differing  # a contact that the directory lacks is one value, in every count


def test_a_record_with_the_same_name_and_place_is_probably_ours(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = send_update(practice, editor, "gateway-error", contacts=())
    factories.change_submission(submission, state=State.NEEDS_PERSON)
    query.query_for_submission(submission, actor=as_actor(approver))
    choices = decision_about(fresh(submission))
    assert choices.suspicion == "Name, City and State are equal: probably our organization."
    assert [choice.value for choice in choices.choices] == ["arrived", "send_again", "give_up", "ours", "foreign"]


def test_an_old_answer_offers_no_choice_and_names_the_next_step(
    practice: PracticeDirectory, editor: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = send_foreign(practice, editor)
    assert decision_about(submission).block_reason == "Ask the directory first: you decide by what it shows."
    query.query_for_submission(submission, actor=as_actor(approver))
    monkeypatch.setattr(timing, "RECENT", datetime.timedelta(0))
    choices = decision_about(submission)
    assert (choices.choices, choices.suspicion) == ((), "")
    assert choices.block_reason == "The answer is older than 10 minutes. Ask again before you decide."
    assert choices.differing


def test_the_page_names_who_can_decide(transactional_db: None) -> None:
    assert decision_choices.who_decides("Viewer One", may=False) == (
        "Nobody can decide yet: no account has the role of an approver."
    )
    for number in ("One", "Two"):
        UserFactory(role="approver", username=f"approver-{number}", first_name="Approver", last_name=number)
    assert decision_choices.who_decides("Approver Two", may=True) == "You and Approver One can decide."
    assert decision_choices.who_decides("Viewer One", may=False) == "Approver One and Approver Two can decide."


@pytest.mark.parametrize(
    ("behaviour", "status", "cause"),
    [("answers", 200, "its Active cannot be read"), ("gateway-error", 502, "a web page came instead")],
)
def test_an_unclear_answer_is_shown_and_decides_nothing(
    practice: PracticeDirectory, editor: User, approver: User, behaviour: str, status: int, cause: str
) -> None:
    submission = send_foreign(practice, editor)
    practice.register("staging", THEIRS | {"Active": "yes"})
    practice.behaviour = behaviour
    query.query_for_submission(submission, actor=as_actor(approver))
    answer = query_result(attempts.last_query(entries_of(submission)), submission)
    assert answer is not None
    assert cause in answer.cause
    assert (answer.http_status, answer.found, answer.rows) == (status, False, ())
    choices = decision_about(submission)
    assert (choices.heading, choices.choices) == ("What the directory shows is not known", ())
    assert choices.block_reason.startswith("Without an answer from the directory a decision is a guess.")
    assert fresh(submission).state == State.NEEDS_PERSON


# Unknown ----------------------------------------------------------------------------------------------------


def test_the_result_of_a_query_depends_on_what_it_can_show(practice: PracticeDirectory, editor: User) -> None:
    visible = send_update(practice, editor, "applies-then-504")
    assert queue_reasons.after_next_query(visible) == queue_reason.AFTER_VISIBLE_CHANGE
    Submission.objects.filter(pk=visible.pk).update(is_restored=True)
    assert queue_reasons.after_next_query(fresh(visible)) == queue_reason.AFTER_RESTORE


def test_an_unknown_submission_waits_until_a_worker_can_send_a_query(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "applies-then-504")
    assert not block(submission).wait_is_over
    Submission.objects.filter(pk=submission.pk).update(not_before=clock.now())
    assert block(fresh(submission)).wait_is_over


def test_a_query_that_is_under_way_does_not_count_as_tried(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "applies-then-504")
    leased = Submission.objects.filter(pk=submission.pk)
    leased.update(asks=2, lease_until=clock.now())
    during = block(fresh(submission))
    leased.update(lease_until=None)
    after = block(fresh(submission))
    assert (during.queries, after.queries) == (1, 2)
    assert during.version_token != after.version_token


@pytest.mark.parametrize(
    "values",
    [
        {"destination_id": "fcda220c-f449-534e-9ae4-3fd21f7b0fed", "name": "Lakeside North"},
        {
            "address": AddressRecord(
                street="1 Shore Rd", city="Madison", state="WI", zip_code="53704-1234", county="Dane", country="USA"
            )
        },
    ],
)
def test_the_page_says_that_a_change_no_query_shows_is_sent_again(
    practice: PracticeDirectory, editor: User, values: dict[str, Any]
) -> None:
    submission = send_update(practice, editor, "applies-then-504", **values)
    assert (
        queue_reasons.after_next_query(submission)
        == "A Query cannot show this change, so the same message is sent again and its answer decides."
    )
    assert resolve_submission(submission).state == State.QUEUED  # as promised


def test_for_an_undocumented_success_the_page_says_that_a_query_must_confirm_it(
    practice: PracticeDirectory, editor: User
) -> None:
    assert (
        queue_reasons.after_next_query(send_update(practice, editor, "strange-yes"))
        == queue_reason.AFTER_UNDOCUMENTED_SUCCESS
    )


def test_an_unknown_submission_says_what_delays_its_query(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "applies-then-504")
    EnvironmentGate.objects.filter(pk="staging").update(stopped_at=clock.now(), stopped_reason="Redox refuses us")
    reason = block(submission).reason
    assert reason is not None
    assert strip_tags(reason.sentence) == "STAGING is stopped: Redox refuses us."
