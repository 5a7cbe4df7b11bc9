"""What the page of a submission shows to one person, built without a client."""

import datetime
import json
from html import unescape

import pytest
from django.test import override_settings
from django.utils.html import strip_tags

from organizations.models import Action, AuditEntry, Event, Evidence, Intent, State, Submission, User, clock
from organizations.pages.submission import page as submission_page
from organizations.pages.submission.page import SubmissionPage
from organizations.practice import PracticeDirectory
from organizations.redox.environment import GATEWAY_OID
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.delivery import abandoned, query
from organizations.services.outbox import answers, submissions
from organizations.services.records import counterparts
from tests import factories
from tests.factories import BASE, UserFactory, as_actor
from tests.pages.sending import fresh, resolve_submission, send_foreign, send_update
from tests.services.sending import claim_next, deliver, edit

pytestmark = pytest.mark.django_db


def page_of(submission: Submission, user: User) -> SubmissionPage:
    return submission_page.build(fresh(submission), user)


def as_text(sentence: str) -> str:
    return unescape(strip_tags(sentence))


# Queued and cancelled ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("four_eyes", [True, False])
def test_a_production_submission_names_the_setting_that_needs_no_approval(
    editor: User, settings, four_eyes: bool
) -> None:
    settings.PRODUCTION_FOUR_EYES = four_eyes
    submission = factories.submission(factories.organization(user=editor, environment="production"), user=editor)
    settings.PRODUCTION_FOUR_EYES = not four_eyes
    because = "approvers send themselves in this release"
    approval = page_of(submission, editor).approval
    assert approval == f"No approval was required: {because}; PRODUCTION_FOUR_EYES was {str(four_eyes).lower()}."


def test_a_queued_submission_says_if_there_is_no_connection(editor: User, queued: Submission) -> None:
    reason = page_of(queued, editor).state.reason
    assert reason is not None
    assert reason.key == "not_connected"


@pytest.mark.usefixtures("unreachable_redox")
def test_a_child_waits_for_its_parent(editor: User, queued: Submission) -> None:
    waiting = factories.submission(factories.organization(f"{BASE}.7", user=editor, part_of_oid=BASE), user=editor)
    reason = page_of(waiting, editor).state.reason
    assert reason is not None
    assert reason.sentence == (
        f'Waits for its parent <a href="/staging/organizations/{BASE}/">Lakeside 1</a> to be accepted.'
    )


@pytest.mark.usefixtures("unreachable_redox")
@pytest.mark.parametrize("intent", [None, Intent.DEACTIVATE])
def test_a_message_waits_for_the_first_to_a_record_registered_outside_the_portal(
    editor: User, intent: Intent | None
) -> None:
    first_record, record = (factories.stated_organization(f"{BASE}.{number}", user=editor) for number in (1, 2))
    first = factories.submission(first_record, user=editor, intent=Intent.DEACTIVATE)
    second = factories.submission(record, user=editor, intent=intent)
    reason = page_of(second, editor).state.reason
    assert reason is not None
    assert as_text(reason.sentence) == (
        f"Waits for submission {first.pk} of Lakeside 1 to be accepted, the first message to a record that was"
        " registered outside the portal."
    )


def test_a_message_that_cannot_be_read_has_its_page(editor: User, queued: Submission) -> None:
    message = bytes(queued.message).replace(b'"Active": true', b'"Active": "true"')
    factories.change_submissions(message=message, state=State.NEEDS_PERSON, state_reason="It could not be read.")
    assert page_of(queued, editor).changes == []


def test_a_submission_cancelled_with_another_names_it(editor: User, queued: Submission) -> None:
    follower = factories.submission(factories.organization(f"{BASE}.7", user=editor, part_of_oid=BASE), user=editor)
    submissions.cancel_submission(queued.pk, actor=as_actor(editor))
    page = page_of(follower, editor)
    assert str(queued.pk) in page.submission.state_reason
    assert " Editor One " in as_text(page.state.sentence)


def test_a_submission_cancelled_by_the_portal_names_no_person(practice: PracticeDirectory, editor: User) -> None:
    first = factories.submission(factories.organization(user=editor), user=editor)
    follower = factories.submission(factories.organization(f"{BASE}.7", user=editor, part_of_oid=BASE), user=editor)
    practice.behaviour = "says-no-parse"
    assert deliver()
    page = page_of(follower, editor)
    assert as_text(page.state.sentence).startswith("Cancelled by the portal on ")
    assert str(first.pk) in page.submission.state_reason


# Permissions ------------------------------------------------------------------------------------------------


def test_the_author_can_cancel_and_others_read_who_can(editor: User, viewer: User) -> None:
    submission = factories.submission(factories.organization(user=editor, environment="production"), user=editor)
    assert page_of(submission, editor).cancel_block_reason == ""
    assert page_of(submission, viewer).cancel_block_reason.startswith(
        "You cannot cancel a submission in PRODUCTION. Approvers "
    )


def test_a_viewer_reads_who_can_query_and_resume(editor: User, viewer: User, queued: Submission) -> None:
    factories.accept(queued.organization, submission=queued)
    page = page_of(queued, viewer)
    assert page.ask_block_reason.startswith("You cannot ask the directory in STAGING.")
    assert page.edit_block_reason.startswith("You cannot edit records in STAGING.")
    assert page.steps_need_edit
    allowed = page_of(queued, editor)
    assert (allowed.ask_block_reason, allowed.edit_block_reason) == ("", "")


def test_the_comparison_of_counterparts_needs_no_right_to_edit(editor: User) -> None:
    staging = edit(factories.accepted_organization(user=editor), editor, name="Lakeside Nord")
    update = factories.submission(staging, user=editor)
    factories.accept(staging, submission=update)
    assert page_of(update, editor).steps_need_edit  # "Repeat in PRODUCTION" makes a record
    production = factories.organization(f"{BASE}.9", user=editor, environment="production")
    counterparts.link(staging, production, actor=as_actor(editor))
    page = page_of(update, editor)
    assert page.next_steps[-1][:2] == ("Compare with PRODUCTION", f"/staging/organizations/{BASE}/counterpart/")
    assert not page.steps_need_edit


# Finished ---------------------------------------------------------------------------------------------------


def test_an_update_shows_old_and_new_values_and_their_author(editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    second = factories.submission(edit(organization, editor, name="Lakeside North"), user=editor)
    page = page_of(second, editor)
    [change] = page.changes
    assert change[:4] == ("name", "Name", "Lakeside 1", "Lakeside North")
    assert change.by.startswith("Editor One, ")
    assert (page.changes_title, page.after_heading) == ("What it would change", "In this message")
    assert (page.previous, page.next) == (organization.confirmed_submission, None)
    first = page_of(organization.submissions.earliest("pk"), editor)
    assert (first.name_in_message, first.next) == ("Lakeside 1 (now Lakeside North)", second)
    assert (first.changes_title, first.after_heading) == ("What it registered", "Sent and accepted")
    submissions.cancel_submission(second.pk, actor=as_actor(editor))
    assert page_of(second, editor).changes_title == "What it would have changed"


def test_an_answer_that_names_another_oid_is_marked(editor: User, queued: Submission, worker: Actor) -> None:
    answer_text = f"Organization with id:{BASE}.77 has been updated successfully."
    answer = {"Meta": {"EventType": "Update", "Extensions": {"ResponseDetail": {"string": answer_text}}}}
    values = {"state": State.ACCEPTED, "evidence": Evidence.ANSWER, "ended_at": clock.now()}
    Submission.objects.update(
        event=Event.UPDATE, attempt=1, detail=answer_text, answer_warning="other OID in the answer", **values
    )
    exchange = {"request_sha256": queued.message_sha256, "sent": True, "status": 200, "duration_ms": 5}
    with audit.atomic(worker) as history:
        history.log_submission(
            Action.ATTEMPT_RESPONSE, fresh(queued), raw=json.dumps(answer).encode(), attempt=1, exchange=exchange
        )
    explanation = page_of(queued, editor).state.explanation
    assert explanation is not None
    assert f"{BASE}.77" in explanation.cause


def test_bytes_that_are_not_text_are_escaped(editor: User, queued: Submission, worker: Actor) -> None:
    with audit.atomic(worker) as history:
        history.log_submission(
            Action.ATTEMPT_RESPONSE, queued, raw=b"\xff\x00<b>", attempt=1, http_status=502, exchange={"sent": True}
        )
    response = page_of(queued, editor).response_raw
    assert response is not None
    assert (response.text, response.length, response.http_status) == ("\\xff\\u0000<b>", "5 bytes", 502)


def test_the_text_for_support_has_no_name_or_reason_of_ours(practice: PracticeDirectory, editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    practice.behaviour = "says-no-xml"
    assert deliver()
    page = page_of(submission, editor)
    routing_id = json.loads(bytes(submission.message))["Meta"]["Destinations"][0]["ID"]
    for line in (
        "Environment: STAGING",
        f"Routing ID: {routing_id} (",
        f"OID: {BASE}",
        "Event: Organization.New",
        f"Log ID: {page.submission.redox_log_id}",
        "Text: Parsing XML request error!",
        "HTTP 500, rejected",
    ):
        assert line in page.support
    assert not [ours for ours in ("Editor", "Test", GATEWAY_OID) if ours in page.support]


# Unknown ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "how"),
    [
        ("never-answers", "did not come in time."),
        ("applies-then-breaks", "The connection broke"),
        ("applies-then-504", "The answer, HTTP 504, neither accepts"),
    ],
)
def test_an_unknown_submission_says_how_its_answer_was_lost(
    practice: PracticeDirectory, editor: User, behaviour: str, how: str
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    practice.behaviour = behaviour
    with override_settings(REDOX_DEADLINE=1.0 if behaviour == "never-answers" else 20.0):
        assert deliver()
        state = page_of(submission, editor).state
    assert state.explanation is not None
    assert (state.key, state.poll_seconds) == ("unknown", 10)
    assert how in state.explanation.cause


def test_an_unknown_submission_says_that_its_worker_ended(
    practice: PracticeDirectory, queued: Submission, editor: User, worker
) -> None:
    assert claim_next("staging", actor=worker)
    Submission.objects.update(lease_until=clock.now() - datetime.timedelta(seconds=1))
    abandoned.settle_abandoned("staging", actor=worker)
    explanation = page_of(queued, editor).state.explanation
    assert explanation is not None
    assert explanation.cause.startswith("The worker ")


def test_the_directory_record_is_beside_the_sent_one(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "applies-then-504")
    directory_record = practice.organizations("staging")[BASE]
    practice.register("staging", directory_record | {"Address": directory_record["Address"] | {"City": "Middleton"}})
    query.query_for_submission(submission, actor=as_actor(editor))
    directory_answer = page_of(submission, editor).asked
    assert directory_answer is not None
    assert (directory_answer.found, directory_answer.different) == (True, 1)
    assert [(row.label, row.sent, row.seen) for row in directory_answer.differing] == [("City", "Madison", "Middleton")]
    practice.forget("staging", BASE)
    query.query_for_submission(submission, actor=as_actor(editor))
    absent = page_of(submission, editor).asked
    assert absent is not None
    assert (absent.found, absent.cause) == (False, "")


def test_the_answer_that_proved_it_is_shown_once(practice: PracticeDirectory, editor: User) -> None:
    page = page_of(resolve_submission(send_update(practice, editor, "applies-then-504")), editor)
    assert (page.asked, page.table is not None, page.submission.evidence) == (None, True, Evidence.QUERY)


# Needs a decision -------------------------------------------------------------------------------------------


def test_the_page_sends_queries_until_there_is_an_answer_to_decide_by(
    practice: PracticeDirectory, editor: User, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory(role="approver", first_name="Approver", last_name="One")
    submission = send_foreign(practice, editor)
    decision_panel = page_of(submission, user).decision_panel
    assert decision_panel is not None
    assert (decision_panel.asks_automatically, decision_panel.block_reason) == (True, "")
    waiting = page_of(submission, viewer).decision_panel
    assert waiting is not None
    assert (waiting.asks_automatically, waiting.who_decides) == (False, "Approver One can decide.")
    assert waiting.block_reason.endswith("Approvers can: Approver One.")

    query.query_for_submission(submission, actor=as_actor(user))
    decision_panel = page_of(submission, user).decision_panel
    assert decision_panel is not None
    assert not decision_panel.asks_automatically
    assert decision_panel.options is not None
    assert [choice.value for choice in decision_panel.options.choices] == ["ours", "foreign"]
    assert page_of(submission, user).asked is None  # the decision shows it

    later = clock.now() + datetime.timedelta(minutes=11)
    monkeypatch.setattr("organizations.services.delivery.decide.clock.now", lambda: later)
    decision_panel = page_of(submission, user).decision_panel
    assert decision_panel is not None
    assert decision_panel.asks_automatically


def test_a_submission_held_back_for_a_decision_says_why(editor: User, queued: Submission) -> None:
    factories.change_submissions(state=State.NEEDS_PERSON, state_reason="Its parent Lakeside is not active in STAGING.")
    page = page_of(queued, editor)
    assert page.state.explanation is None  # so that the stored reason is shown
    assert page.decision_panel is not None


def test_after_a_lost_answer_an_oid_that_exists_is_probably_our_own(practice: PracticeDirectory, editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    practice.behaviour = "applies-then-504"
    assert deliver()
    factories.change_submissions(state=State.QUEUED, not_before=None)
    practice.behaviour = "says-no-exists"
    assert deliver()
    explanation = page_of(submission, editor).state.explanation
    assert explanation is not None
    assert "lost" in f"{explanation.headline} {explanation.cause}"


def test_the_number_of_queries_does_not_grow_with_the_attempts(
    editor: User, queued: Submission, worker: Actor, django_assert_max_num_queries
) -> None:
    page_of(queued, editor)
    with django_assert_max_num_queries(30) as few:
        page_of(queued, editor)
    with audit.atomic(worker) as history:
        for attempt in range(1, 40):
            history.log_submission(Action.ATTEMPT_INTENT, queued, attempt=attempt)
            history.log_submission(
                Action.ATTEMPT_OUTCOME, queued, attempt=attempt, outcome="not_sent", detail="refused"
            )
    with django_assert_max_num_queries(len(few)):
        page = page_of(queued, editor)
    assert len(page.exchanges.rows) == 39
    assert AuditEntry.objects.of_submission(queued.pk).count() == len(page.entries)
    assert answers.support_block(page.submission, page.entries) == page.support
