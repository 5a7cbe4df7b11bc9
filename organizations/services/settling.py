"""What an answer does to a submission, its record and the gate: one transaction, won by compare-and-set."""

import datetime
import random
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from organizations.models import Action, AuditEntry, Event, Intent, Organization, Presence, State, Submission, clock
from organizations.redox import messages
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind, Outcome

from . import audit, environments, organizations, submissions
from .actors import Actor

MOST_TRIES = 8
LONGEST_TRYING = datetime.timedelta(hours=24)
LONGEST_BACKOFF = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an exchange means, and how long it took in milliseconds."""

    outcome: Outcome
    duration_ms: int

    def in_short(self) -> dict[str, Any]:
        """As the submission keeps it."""
        return {
            "http_status": self.outcome.status,
            "known_answer": self.outcome.known,
            "detail": self.outcome.detail,
            "answer_warning": self.outcome.warning,
            "redox_message_id": self.outcome.message_id[:100],
            "redox_log_id": self.outcome.log_id[:100],
            "duration_ms": self.duration_ms,
        }


def seconds(number: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=number)


def keep_response(submission: Submission, exchange: Exchange, *, repeat: int, actor: Actor) -> bool:
    """Commit what came, as it came, before anybody judges it. False: the lease was lost, so it decides nothing."""
    with audit.recorded(actor) as history:
        held = Submission.objects.select_for_update(of=("self",)).filter(
            pk=submission.pk, state=State.SENDING, token=submission.token
        )
        in_time = held.first() is not None
        action = Action.ATTEMPT_RESPONSE if in_time else Action.ATTEMPT_LATE
        _note_exchange(history, action, submission, exchange, repeat=repeat)
    return in_time


def stored_exchange(entry: AuditEntry) -> Exchange:
    """The exchange that a response entry holds."""
    facts = entry.facts["exchange"]
    return Exchange(
        request_sha256=facts["request_sha256"],
        sent=facts["sent"],
        fault=Fault(facts["fault"]) if facts.get("fault") else None,
        fault_text=facts.get("fault_text", ""),
        status=facts.get("status"),
        headers=facts.get("headers", {}),
        body=bytes(entry.raw or b""),
        body_cut=facts.get("body_cut", False),
        redacted=facts.get("redacted", False),
        duration_ms=facts["duration_ms"],
    )


def settle(submission: Submission, outcome: Outcome, exchange: Exchange, *, actor: Actor) -> None:
    """Give a sending submission the state that the outcome says, and do to its record and gate what follows.

    Raises:
        OutOfDate: the lease was lost to somebody else; nothing was changed.
    """
    with audit.recorded(actor) as history:
        gate = environments.locked_gate(submission.environment)
        organization = organizations.locked(submission.organization_id)
        submission.organization = organization
        _SETTLE[outcome.kind](history, submission, organization, Answer(outcome, exchange.duration_ms))
        _note_outcome(history, submission, outcome, exchange)
        if outcome.stops:
            environments.stop(history, gate, outcome.stops, submission=submission)
        elif outcome.hold_seconds is not None:
            environments.hold(history, gate, outcome.hold_seconds, "too many requests")
        elif exchange.status is not None and gate.failures:
            gate.failures = 0
            gate.save(update_fields=["failures"])


def lost(submission: Submission, *, actor: Actor) -> None:
    """The worker ended after the intent and no response is stored: nobody knows what became of the message."""
    outcome = Outcome(kind=Kind.UNKNOWN, detail="The worker ended before an answer was stored; the answer was lost.")
    exchange = Exchange(request_sha256=submission.message_sha256, sent=True)
    settle(submission, outcome, exchange, actor=actor)


def needs_person(history: audit.History, submission: Submission, cause: str) -> None:
    """The portal cannot decide alone; nothing more is sent until a person has."""
    submissions.move(submission, State.NEEDS_PERSON, state_reason=cause)
    history.submission(Action.SUBMISSION_SETTLED, submission, reason=cause, details={"state": State.NEEDS_PERSON.value})


def _accepted(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    record = messages.record_from_message(bytes(submission.message))
    if submission.intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
        organization.confirmed_version = submission.record_version
    organizations.confirm(organization, record, submission)
    _end(submission, organization, State.ACCEPTED, answer)
    history.organization(Action.ORGANIZATION_CONFIRMED, organization, submission=submission)


def _rejected(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    if answer.outcome.presence:
        organization.presence = Presence(answer.outcome.presence)
        organization.presence_at = clock.now()
    organization.save()
    submissions.return_active(history, submission)
    organization.refresh_from_db()
    _end(submission, organization, State.REJECTED, answer)
    reason = f"Submission {submission.pk}, which this one waited for, was rejected."
    submissions.cancel_followers(history, submission, reason)


def _again(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    """Proved not sent or not executed: back to the queue. A refused sign-in or a busy Redox does not count as a try."""
    counts = answer.outcome.kind == Kind.NOT_SENT
    tries = submission.tries + (1 if counts else 0)
    moment = clock.now()
    if counts and (tries >= MOST_TRIES or moment - _first_attempt(submission, moment) > LONGEST_TRYING):
        cause = f"{tries} attempts did not reach Redox: {answer.outcome.detail}"
        submissions.move(submission, State.NEEDS_PERSON, tries=tries, state_reason=cause, **answer.in_short())
        return
    wait = random.uniform(0, min(LONGEST_BACKOFF, 2.0 * 2**tries)) if counts else 0.0  # noqa: S311
    submissions.move(
        submission,
        State.QUEUED,
        tries=tries,
        not_before=moment + seconds(wait),
        lease_until=None,
        state_reason=answer.outcome.detail,
        **answer.in_short(),
    )


def _first_attempt(submission: Submission, otherwise: datetime.datetime) -> datetime.datetime:
    entry = AuditEntry.objects.attempt_entry(submission.pk, 1, Action.ATTEMPT_INTENT)
    return entry.at if entry else otherwise


def _unknown(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    if submission.event == Event.NEW:
        organization.presence = Presence.UNKNOWN
        organization.presence_at = clock.now()
        organization.save(update_fields=["presence", "presence_at"])
    # "Already exists" after an own unknown: nothing is under way any more, so the directory can be asked at once.
    wait = 0.0 if answer.outcome.known == "already_exists" else settings.REDOX_SETTLE
    submissions.move(
        submission,
        State.UNKNOWN,
        not_before=clock.now() + seconds(wait),
        lease_until=None,
        state_reason=answer.outcome.detail,
        **answer.in_short(),
    )


def _person(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    submissions.move(submission, State.NEEDS_PERSON, state_reason=answer.outcome.detail, **answer.in_short())


def _end(submission: Submission, organization: Organization, state: State, answer: Answer) -> None:
    submissions.move(
        submission,
        state,
        ended_at=clock.now(),
        lease_until=None,
        wanted_hash=organization.wanted_hash,
        **answer.in_short(),
    )


_SETTLE = {
    Kind.ACCEPTED: _accepted,
    Kind.REJECTED: _rejected,
    Kind.NOT_SENT: _again,
    Kind.NOT_EXECUTED: _again,
    Kind.UNKNOWN: _unknown,
    Kind.NEEDS_PERSON: _person,
}


def _note_exchange(
    history: audit.History, action: Action, submission: Submission, exchange: Exchange, *, repeat: int
) -> None:
    history.submission(
        action,
        submission,
        raw=exchange.body,
        attempt=submission.attempt,
        token=submission.token,
        http_status=exchange.status,
        duration_ms=exchange.duration_ms,
        exchange={
            "request_sha256": exchange.request_sha256,
            "sent": exchange.sent,
            "fault": exchange.fault.value if exchange.fault else None,
            "fault_text": exchange.fault_text,
            "status": exchange.status,
            "headers": exchange.headers,
            "body_cut": exchange.body_cut,
            "redacted": exchange.redacted,
            "duration_ms": exchange.duration_ms,
            "repeat": repeat,
        },
    )


def _note_outcome(history: audit.History, submission: Submission, outcome: Outcome, exchange: Exchange) -> None:
    history.submission(
        Action.ATTEMPT_OUTCOME,
        submission,
        attempt=submission.attempt,
        token=submission.token,
        http_status=exchange.status,
        duration_ms=exchange.duration_ms,
        outcome=outcome.kind.value,
        detail=outcome.detail,
        known=outcome.known,
        warning=outcome.warning,
        redox_message_id=outcome.message_id,
        redox_log_id=outcome.log_id,
        details={"state": submission.state},
    )
