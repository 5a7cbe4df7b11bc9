"""What a person decides about a submission, and what the page promises of one whose fate is unknown."""

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
from organizations.services.delivery import decide as decisions
from organizations.services.delivery import query
from organizations.services.review import reviews
from organizations.text import queue_reason
from tests.factories import UserFactory, acting
from tests.pages.sending import THEIRS, block, decided, entries_of, foreign, fresh, resolved, updated
from tests.services.connection.test_lookup import NOT_UNDERSTOOD


def decision(submission: Submission) -> decision_choices.Decision:
    found = decision_choices.decision(submission, query_result(attempts.last_query(entries_of(submission)), submission))
    assert found is not None
    return found


# Needs a decision -------------------------------------------------------------------------------------------


def test_only_of_a_message_that_may_have_arrived_is_it_called_unknown(
    practice: PracticeDirectory, editor: User
) -> None:
    assert changes_note(updated(practice, editor, "applies-then-504")) == "not known whether it arrived"


def test_a_message_that_redox_refused_is_not_said_to_have_perhaps_arrived(
    practice: PracticeDirectory, editor: User
) -> None:
    assert changes_note(foreign(practice, editor)) == ""


def test_a_decision_shows_what_differs_what_follows_and_what_is_suspected(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = foreign(practice, editor)
    query.query_submission(submission, actor=acting(approver))
    found = decision(submission)
    answer = query_result(attempts.last_query(entries_of(submission)), submission)
    assert answer is not None
    assert not answer.has_before  # so that no column repeats "none"
    assert [choice.value for choice in found.choices] == ["ours", "foreign"]
    assert found.suspicion == "Name, City and State all differ: probably another organization."
    differing = [row.label for row in found.differing]
    assert differing[0] == "Name"
    assert {row.label for row in found.equal} >= {"OID", "Active", "Country"}
    assert found.heading == f"{len(differing)} of {len(differing) + len(found.equal)} readable fields differ"
    ours = decided(submission, Verdict.OURS, approver).organization
    review = reviews.review(Organization.objects.get(pk=ours.pk))  # asks for what the sentence promised
    assert f"a tick for each of the {len(differing)} values" in found.choices[0].follows
    assert len(review.overwrites) == len(differing)
    assert "Contact 1" in differing  # a contact that the directory lacks is one value, in every count


def test_equal_names_and_places_are_suspected_to_be_ours(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = updated(practice, editor, "gateway-error", contacts=())
    Submission.objects.filter(pk=submission.pk).update(state=State.NEEDS_PERSON)
    query.query_submission(submission, actor=acting(approver))
    found = decision(fresh(submission))
    assert found.suspicion == "Name, City and State are equal: probably our organization."
    assert [choice.value for choice in found.choices] == ["arrived", "send_again", "give_up", "ours", "foreign"]


def test_an_old_answer_offers_no_choice_and_says_what_to_do(
    practice: PracticeDirectory, editor: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = foreign(practice, editor)
    assert decision(submission).why_not_now == "Ask the directory first: you decide by what it shows."
    query.query_submission(submission, actor=acting(approver))
    monkeypatch.setattr(decisions, "FRESH", datetime.timedelta(0))
    found = decision(submission)
    assert (found.choices, found.suspicion) == ((), "")
    assert found.why_not_now == "The answer is older than 10 minutes. Ask again before you decide."
    assert found.differing


def test_who_may_decide_is_named(transactional_db: None) -> None:
    assert decision_choices.who_decides("Viewer One", may=False) == (
        "Nobody can decide yet: no account has the role of an approver."
    )
    for number in ("One", "Two"):
        UserFactory(role="approver", username=f"approver-{number}", first_name="Approver", last_name=number)
    assert decision_choices.who_decides("Approver Two", may=True) == "You and Approver One can decide."
    assert decision_choices.who_decides("Viewer One", may=False) == "Approver One and Approver Two can decide."


@pytest.mark.parametrize(
    ("behaviour", "status", "cause"),
    [("answers", 200, "was not understood"), ("gateway-error", 502, "a web page came instead")],
)
def test_an_answer_that_was_not_understood_is_shown_and_decides_nothing(
    practice: PracticeDirectory, editor: User, approver: User, behaviour: str, status: int, cause: str
) -> None:
    submission = foreign(practice, editor)
    practice.register("staging", THEIRS | {"Active": "yes"})
    practice.behaviour = behaviour
    query.query_submission(submission, actor=acting(approver))
    answer = query_result(attempts.last_query(entries_of(submission)), submission)
    assert answer is not None
    assert cause in answer.cause
    assert (answer.http_status, answer.found, answer.rows) == (status, False, ())
    found = decision(submission)
    assert (found.heading, found.choices) == ("What the directory shows is not known", ())
    assert found.why_not_now.startswith("Without an answer from the directory a decision is a guess.")
    assert fresh(submission).state == State.NEEDS_PERSON


@pytest.mark.parametrize("behaviour", NOT_UNDERSTOOD)
def test_what_was_not_understood_is_named(
    practice: PracticeDirectory, editor: User, approver: User, behaviour: str
) -> None:
    """Also where ours is in the answer, without a name or twice: nothing of it is shown as the directory's."""
    submission = foreign(practice, editor)
    practice.behaviour = behaviour
    query.query_submission(submission, actor=acting(approver))
    answer = query_result(attempts.last_query(entries_of(submission)), submission)
    assert answer is not None
    assert (answer.cause, answer.found, answer.rows) == (NOT_UNDERSTOOD[behaviour].rstrip("."), False, ())
    assert decision(submission).choices == ()


# Unknown ----------------------------------------------------------------------------------------------------


def test_what_follows_a_query_depends_on_what_it_can_show(practice: PracticeDirectory, editor: User) -> None:
    visible = updated(practice, editor, "applies-then-504")
    assert queue_reasons.after_next_query(visible) == queue_reason.AFTER_VISIBLE_CHANGE
    Submission.objects.filter(pk=visible.pk).update(only_ask=True)
    assert queue_reasons.after_next_query(fresh(visible)) == queue_reason.AFTER_RESTORE


def test_the_wait_of_an_unknown_one_ends_when_a_worker_may_ask(practice: PracticeDirectory, editor: User) -> None:
    submission = updated(practice, editor, "applies-then-504")
    assert not block(submission).wait_is_over
    Submission.objects.filter(pk=submission.pk).update(not_before=clock.now())
    assert block(fresh(submission)).wait_is_over


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
def test_a_change_that_no_query_shows_is_said_to_be_sent_again(
    practice: PracticeDirectory, editor: User, values: dict[str, Any]
) -> None:
    submission = updated(practice, editor, "applies-then-504", **values)
    assert (
        queue_reasons.after_next_query(submission)
        == "A Query cannot show this change, so the same message is sent again and its answer decides."
    )
    assert resolved(submission).state == State.QUEUED  # as promised


def test_a_success_in_other_words_promises_that_both_count_together(practice: PracticeDirectory, editor: User) -> None:
    assert (
        queue_reasons.after_next_query(updated(practice, editor, "strange-yes"))
        == queue_reason.AFTER_UNDOCUMENTED_SUCCESS
    )


def test_an_unknown_one_says_what_holds_its_question(practice: PracticeDirectory, editor: User) -> None:
    submission = updated(practice, editor, "applies-then-504")
    EnvironmentGate.objects.filter(pk="staging").update(stopped_at=clock.now(), stopped_reason="Redox refuses us")
    reason = block(submission).reason
    assert reason is not None
    assert strip_tags(reason.sentence) == "STAGING is stopped: Redox refuses us."
