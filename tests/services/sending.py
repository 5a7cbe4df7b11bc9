"""Helpers for tests of delivery. Some send to the practice directory over HTTP, the others send nothing."""

import datetime
import json
from dataclasses import replace
from typing import Any

from django.test import override_settings

from organizations.models import AuditEntry, Organization, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.records import OrganizationRecord
from organizations.redox.client import Exchange, Fault
from organizations.redox.messages import record_from_message
from organizations.redox.outcome import Kind, Outcome
from organizations.services.actors import Actor, system
from organizations.services.audit import audit
from organizations.services.connection import breaker, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer, EarlierQuery
from organizations.services.delivery import claims, courier, query, resolve, settle
from organizations.services.delivery.claims import Claim
from organizations.services.delivery.sender import Sender
from organizations.services.records import directory_state, organizations
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor

WORKER = system("Worker test")


def deliver(environment: str = "staging") -> bool:
    return courier.deliver_due(environment, most=1, actor=WORKER)


def resolve_next(environment: str = "staging", *, actor: Actor = WORKER) -> bool:
    """Query the unknown submission that is due next, as a worker does. Returns whether there was one."""
    return courier.answer_next(environment, resolve.next_unknown, actor=actor)


def read_back_next(environment: str = "staging", *, actor: Actor = WORKER) -> bool:
    """Read back the record that is due next, as a worker does. Returns whether there was one."""
    return courier.answer_next(environment, resolve.next_read_back, actor=actor)


def probe_if_half_open(environment: str = "staging", *, actor: Actor = WORKER) -> bool:
    """Send a probe as a worker does if the breaker is half-open. Returns whether messages may be sent now."""
    courier.answer_next(environment, breaker.next_probe, actor=actor)
    return breaker.can_send_now(environment)


def claim_next(environment: str = "staging", *, actor: Actor = WORKER) -> Claim | None:
    """Claim the next message as a worker does. Nothing is sent. None if nothing can be claimed."""
    claimed = claims.claim_many(environment, redox_settings.environment(environment), 1, actor=actor)
    return claimed[0] if claimed else None


def claim(environment: str = "staging") -> Submission | None:
    """As `claim_next`, by the worker of the tests."""
    claimed = claim_next(environment)
    return claimed.submission if claimed else None


def send_once(claim: Claim, token: str) -> Exchange:
    """The exchange in which the message of this claim is sent."""
    return Sender(courier.InThisThread(), lambda _: None)._exchange(claim, token)


def send_claim(claim: Claim, token: str, actor: Actor) -> None:
    """Send the message of a claim, store the answers, and settle it."""
    delivering = courier.Courier(actor, courier.InThisThread(), (claim.redox.name,))
    lane = delivering._lanes[claim.redox.name]
    lane.sender.under_way[claim.submission.pk] = claim
    lane.check_waiting_if_due()
    lane.sender.send(claim, token)
    while delivering.is_busy:
        delivering.settle_arrived()


def get_token(environment: str, actor: Actor) -> str:
    """Request an access token as a worker does. Returns "" if there is none; then its outcome was applied."""
    delivering = courier.Courier(actor, courier.InThisThread(), (environment,))
    redox_environment = redox_settings.environment(environment)
    token = delivering._lanes[environment]._ready_token(redox_environment)
    delivering.settle_arrived()
    return token or delivering._lanes[environment]._ready_token(redox_environment)


def store_response(
    submission: Submission, exchange: Exchange, *, repeat: int, actor: Actor
) -> datetime.datetime | None:
    """Store one response. Returns when, or None if it came too late."""
    (stored_at,) = settle.store_responses([settle.Response(submission, exchange, repeat)], actor=actor)
    return stored_at


def settle_attempt(
    submission: Submission,
    outcome: Outcome,
    exchange: Exchange,
    *,
    actor: Actor,
    answered_at: datetime.datetime | None = None,
) -> None:
    """Settle one attempt."""
    answer = settle.AttemptAnswer(submission, outcome, exchange, answered_at or clock.now())
    settle.settle_attempts([answer], actor=actor)


def keep_back(submission: Submission | None) -> None:
    """Settle a claimed submission as a worker does that did not send its message."""
    assert submission is not None
    exchange = exchange_result(sent=False, fault=Fault.BLOCKED)
    settle_attempt(submission, settle.outcome_of(submission, exchange), exchange, actor=WORKER)


def settle_sending(submission: Submission, kind: Kind = Kind.ACCEPTED, **values: Any) -> None:
    """Settle a submission in the state "sending", as if the answer of Redox meant this outcome."""
    outcome = replace(Outcome(kind=kind, detail=f"Said {kind}.", status=200), **values)
    exchange = Exchange(request_sha256=submission.message_sha256, sent=True, status=outcome.status)
    settle_attempt(submission, outcome, exchange, actor=WORKER)


def answer_next(kind: Kind = Kind.ACCEPTED, **values: Any) -> Submission | None:
    """Claim and settle the next message as if Redox gave this answer. Returns None if nothing can be sent."""
    submission = claim()
    if submission is not None:
        settle_sending(submission, kind, **values)
    return submission


def claim_refusal(environment: str = "staging") -> str:
    """The reason why the next message is cancelled instead of claimed. It was never attempted."""
    submission = Submission.objects.due(environment, clock.now())[0]
    assert claim(environment) is None
    submission.refresh_from_db()
    assert submission.state == State.CANCELLED
    return submission.state_reason


def state_of(submission: Submission) -> tuple[str, str]:
    submission.refresh_from_db()
    return submission.state, submission.state_reason


def claim_new(user: User, worker: Actor, oid: str = BASE, environment: str = "staging") -> Claim:
    """Submit a New and claim it for a worker. Nothing answers at the address of Redox."""
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        factories.submission(factories.organization(oid, user=user, environment=environment), user=user)
        new_claim = claim_next(environment, actor=worker)
    assert new_claim is not None
    return new_claim


def exchange_result(
    status: int | None = None, body: bytes = b"", *, sent: bool = True, fault: Fault | None = None
) -> Exchange:
    """An exchange with this status and body. Nothing is sent."""
    fault_text = fault.value if fault else ""
    return Exchange(request_sha256="", sent=sent, fault=fault, fault_text=fault_text, status=status, body=body)


def reload(organization: Organization) -> Organization:
    return Organization.objects.get(pk=organization.pk)


def create_and_send(user: User, oid: str = BASE, **values: Any) -> Organization:
    """Create a record and send it to the practice directory."""
    organization = factories.organization(oid, user=user, **values)
    factories.submission(organization, user=user)
    assert deliver()
    return reload(organization)


def register_in_practice(practice: PracticeDirectory, organization: Organization, **changes: Any) -> Organization:
    """Register the accepted record in the practice directory, with these keys changed."""
    accepted = organization.confirmed_submission
    assert accepted is not None
    practice.register(organization.environment, json.loads(bytes(accepted.message))["Organizations"][0] | changes)
    return organization


def accepted_before(submission: Submission) -> OrganizationRecord:
    """What was accepted before this submission."""
    record = reload(submission.organization).confirmed_record()
    assert record is not None
    return record


def store_reading(
    organization: Organization, record: OrganizationRecord | None, *, minutes_ago: float = 0
) -> Organization:
    """Store that a Query showed `record` this many minutes ago."""
    asked_at = clock.now() - datetime.timedelta(minutes=minutes_ago)
    row = Organization.objects.get(pk=organization.pk)
    directory_state.store_reading(row, as_query_shows(record), asked_at)
    return reload(organization)


def as_query_shows(record: OrganizationRecord | None) -> OrganizationRecord | None:
    """The record as a Query shows it: without the destination ID."""
    return replace(record, destination_id="", destination_known=False) if record else None


def show_in_directory(organization: Organization, **values: Any) -> Organization:
    """Store that a Query showed the accepted values, with these changed."""
    accepted = reload(organization).confirmed_record()
    assert accepted is not None
    return store_reading(organization, replace(accepted, **values))


def accepted_with_difference(user: User, **values: Any) -> Organization:
    """An accepted record that the directory shows with these values."""
    return show_in_directory(factories.accept(factories.organization(user=user)), **values)


def store_submission_answer(
    submission: Submission, record: OrganizationRecord | None, *, actor: Actor, cause: str = ""
) -> int:
    """Store an answer of the directory about a submission, as if it came now. Returns the entry's sequence."""
    with audit.atomic(actor) as history:
        organization = organizations.lock_record(submission.organization_id)
        query.store_submission_answer(
            history, submission, organization, DirectoryAnswer(clock.now(), cause, as_query_shows(record))
        )
    submission.refresh_from_db()
    return AuditEntry.objects.latest("sequence").sequence


def store_record_answer(
    organization: Organization,
    record: OrganizationRecord | None,
    *,
    cause: str = "",
    earlier: tuple[EarlierQuery, ...] = (),
) -> Organization:
    """Store an answer of the directory about a record. `organization` is the record when the Query was sent."""
    with audit.atomic(WORKER) as history:
        query.store_record_answer(
            history, organization, DirectoryAnswer(clock.now(), cause, as_query_shows(record), earlier=earlier)
        )
    return reload(organization)


def send_and_lose_answer(organization: Organization, user: User, **values: Any) -> Submission:
    """Send a submission whose answer is lost or unclear."""
    submission = factories.submission(organization, user=user)
    assert answer_next(Kind.UNKNOWN, **values) == submission
    submission.refresh_from_db()
    return submission


def resolve_with_answer(submission: Submission, record: OrganizationRecord | None, *, cause: str = "") -> Submission:
    """Run the due Query of an unknown submission, with this answer of the directory."""
    Submission.objects.filter(pk=submission.pk).update(not_before=clock.now())
    claimed = resolve._claim_next(submission.environment, WORKER)
    assert claimed == submission
    resolve._apply_answer(claimed, DirectoryAnswer(clock.now(), cause, as_query_shows(record)), WORKER)
    submission.refresh_from_db()
    return submission


def sent_record(submission: Submission) -> OrganizationRecord:
    return record_from_message(bytes(submission.message))


def edit(organization: Organization, user: User, **values: object) -> Organization:
    organization = reload(organization)
    record = replace(organization.record(), **values)  # type: ignore[arg-type]
    return organizations.edit(organization.pk, organization.version, record, stands_for="", actor=as_actor(user))


def actions_of(submission: Submission) -> list[str]:
    return list(AuditEntry.objects.of_submission(submission.pk).values_list("action", flat=True))


def sent_messages(practice: PracticeDirectory) -> list[bytes]:
    return [request.body for request in practice.requests if request.path == "/endpoint"]
