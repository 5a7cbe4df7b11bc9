"""What settling stores, column by column, and what its entries hold."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from organizations.models import Action, AuditEntry, Evidence, Organization, Presence, State, Submission, User, clock
from organizations.redox.outcome import ABSENT, Kind, Outcome
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.delivery import settle
from tests import factories
from tests.factories import as_actor
from tests.services.sending import claim_new, exchange_result, settle_attempt

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MOMENT = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)
SAID = Outcome(
    kind=Kind.ACCEPTED,
    known="already_exists",
    detail="Said so.",
    message_id="m" * 101,
    log_id="l" * 101,
    warning="Look here.",
    status=200,
)


@pytest.fixture
def sending(editor: User, worker: Actor) -> Submission:
    return claim_new(editor, worker).submission


def entry(action: Action) -> dict[str, Any]:
    return AuditEntry.objects.filter(action=action).latest("sequence").facts


def assert_holds(row: Any, **values: Any) -> None:
    of = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
    assert {name: of(name) for name in values} == values


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (Kind.ACCEPTED, State.ACCEPTED),
        (Kind.REJECTED, State.REJECTED),
        (Kind.NOT_SENT, State.QUEUED),
        (Kind.NOT_EXECUTED, State.QUEUED),
        (Kind.UNKNOWN, State.UNKNOWN),
        (Kind.NEEDS_PERSON, State.NEEDS_PERSON),
    ],
)
def test_an_answer_of_each_kind_is_stored(sending: Submission, worker: Actor, kind: Kind, state: State) -> None:
    outcome = replace(SAID, kind=kind)
    settle_attempt(sending, outcome, replace(exchange_result(200), duration_ms=7), actor=worker, answered_at=MOMENT)
    submission = Submission.objects.get()
    answer = {"http_status": 200, "detail": "Said so.", "duration_ms": 7}
    ids = {"redox_message_id": "m" * 100, "redox_log_id": "l" * 100}
    assert_holds(submission, state=state, known_answer="already_exists", answer_warning="Look here.", **answer, **ids)
    is_evidence = kind == Kind.ACCEPTED
    evidence = {"evidence": Evidence.ANSWER, "evidence_at": MOMENT} if is_evidence else {"evidence": Evidence.NONE}
    assert_holds(submission, **evidence)
    assert_holds(Organization.objects.get(), last_state=state, last_wanted_hash=submission.wanted_hash)
    assert (submission.ended_at is not None) is (submission.wanted_hash != "") is state.is_final
    if not state.is_final:
        assert submission.state_reason == "Said so."
    outcome_facts = {
        "attempt": 1,
        "token": 1,
        "outcome": kind.value,
        "known": "already_exists",
        "warning": "Look here.",
    }
    facts = entry(Action.ATTEMPT_OUTCOME)
    assert_holds(facts, **answer, **outcome_facts, redox_message_id="m" * 101, redox_log_id="l" * 101)
    assert facts["details"]["state"] == state.value


def test_an_acceptance_is_stored_with_the_record(sending: Submission, worker: Actor) -> None:
    settle_attempt(sending, SAID, exchange_result(200), actor=worker, answered_at=MOMENT)
    organization = Organization.objects.get()
    assert_holds(
        organization, presence=Presence.PRESENT, confirmed_submission=sending, confirmed_version=organization.version
    )
    assert_holds(organization, confirmed_evidence=Evidence.ANSWER, known_at=MOMENT, changes=0)
    assert Submission.objects.get().wanted_hash == organization.wanted_hash
    assert_holds(entry(Action.ORGANIZATION_CONFIRMED), submission=sending.pk)


@override_settings(REDOX_SETTLE=180.0)
@pytest.mark.parametrize("lost", [False, True])
def test_an_acceptance_by_evidence_is_stored_with_it(
    sending: Submission, editor: User, worker: Actor, lost: bool
) -> None:
    settle.settle_lost_attempt(sending, actor=worker)
    Submission.objects.update(lost_attempt=lost)
    sending, time_before = Submission.objects.get(), clock.now()
    values: dict[str, Any] = {"evidence": Evidence.PERSON, "asked_at": MOMENT, "reason": "Seen"}
    with audit.atomic(as_actor(editor)) as history:
        settle.accept_by_evidence(history, sending, Organization.objects.get(), **values, verdict="arrived")
    submission = Submission.objects.get()
    assert_holds(submission, state=State.ACCEPTED, state_reason="Seen", evidence=Evidence.PERSON, evidence_at=MOMENT)
    assert_holds(submission, decided_by="Editor One", unknown_since=None, lease_until=None)
    assert submission.ended_at is not None
    assert (submission.read_back_at is not None) is lost
    if submission.read_back_at is not None:
        assert submission.read_back_at >= time_before + datetime.timedelta(seconds=180)
    assert_holds(Organization.objects.get(), confirmed_evidence=Evidence.PERSON, known_at=MOMENT)
    details = {"state": "accepted", "evidence": "person", "verdict": "arrived"}
    assert_holds(entry(Action.SUBMISSION_SETTLED), token=1, reason="Seen", outcome="accepted", details=details)


def test_evidence_without_a_decision_names_no_person(sending: Submission, worker: Actor) -> None:
    settle.settle_lost_attempt(sending, actor=worker)
    values: dict[str, Any] = {"evidence": Evidence.QUERY, "asked_at": MOMENT, "reason": "Shown"}
    with audit.atomic(worker) as history:
        settle.accept_by_evidence(history, sending, Organization.objects.get(), **values)
    assert Submission.objects.get().decided_by == ""
    assert entry(Action.SUBMISSION_SETTLED)["details"] == {"state": "accepted", "evidence": "query"}


def test_a_rejection_by_a_person_is_stored_with_the_name(sending: Submission, editor: User, worker: Actor) -> None:
    settle.settle_lost_attempt(sending, actor=worker)
    factories.change_submissions(state=State.NEEDS_PERSON)
    sending, organization = Submission.objects.get(), Organization.objects.get()
    with audit.atomic(as_actor(editor)) as history:
        settle.reject_by_decision(history, sending, organization, "Given up", verdict="give_up")
    assert_holds(Submission.objects.get(), state=State.REJECTED, state_reason="Given up", decided_by="Editor One")
    details = {"state": "rejected", "verdict": "give_up"}
    assert_holds(entry(Action.SUBMISSION_SETTLED), reason="Given up", outcome="rejected", details=details)


def test_a_submission_that_needs_a_decision_stores_the_reason(editor: User, worker: Actor) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    with audit.atomic(worker) as history:
        settle.require_decision(history, submission, "Not readable")
    assert_holds(Submission.objects.get(), state=State.NEEDS_PERSON, state_reason="Not readable")
    facts = entry(Action.SUBMISSION_SETTLED)
    assert_holds(facts, reason="Not readable", details={"state": "needs_person"}, outcome=None)


def test_a_rejection_that_proves_absence_is_stored(sending: Submission, worker: Actor) -> None:
    settle_attempt(sending, replace(SAID, kind=Kind.REJECTED, presence=ABSENT), exchange_result(403), actor=worker)
    organization = Organization.objects.get()
    assert_holds(organization, presence=Presence.ABSENT, last_submission=sending)
    assert_holds(entry(Action.ATTEMPT_OUTCOME), record=organization.record().to_json())
