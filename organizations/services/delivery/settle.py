"""What an answer does to a submission, its record and the gate: one transaction, won by compare-and-set."""

import datetime
import random
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db.models import QuerySet, prefetch_related_objects

from organizations.models import (
    Action,
    AuditEntry,
    Event,
    Evidence,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    clock,
)
from organizations.redox import messages
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind, Outcome
from organizations.services import failpoints, locks
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges, outcomes
from organizations.services.connection import breaker
from organizations.services.outbox import plans, submissions
from organizations.services.records import known, organizations
from organizations.services.timing import seconds, shortened

MOST_TRIES = 8
LONGEST_TRYING = datetime.timedelta(hours=24)

_LOST = Outcome(kind=Kind.UNKNOWN, detail="The worker ended before an answer was stored; the answer was lost.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an exchange means, when its answer was stored, and how long it took in milliseconds."""

    outcome: Outcome
    at: datetime.datetime
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


def keep_response(submission: Submission, exchange: Exchange, *, repeat: int, actor: Actor) -> datetime.datetime | None:
    """Commit what came, as it came, before anybody judges it; when. None: the lease was lost, so it decides nothing."""
    with audit.recorded(actor) as history:
        moment = clock.now()
        held = Submission.objects.select_for_update(of=("self",)).filter(
            pk=submission.pk, state=State.SENDING, token=submission.token
        )
        in_time = held.values_list("pk", flat=True).first() is not None
        action = Action.ATTEMPT_RESPONSE if in_time else Action.ATTEMPT_LATE
        history.submission(
            action,
            submission,
            attempt=submission.attempt,
            token=submission.token,
            **exchanges.body(exchange, repeat=repeat),
        )
    return moment if in_time else None


def settle(
    submission: Submission,
    outcome: Outcome,
    exchange: Exchange,
    *,
    actor: Actor,
    answered_at: datetime.datetime | None = None,
    is_answer: bool = True,
) -> None:
    """Give a sending submission the state that the outcome says, and do to its record and gate what follows.

    `answered_at` is when the answer was stored (None: now). With `is_answer` false the outcome says nothing about
    Redox: our own worker was lost.

    Raises:
        OutOfDate: the lease was lost to somebody else; nothing was changed.
    """
    with audit.recorded(actor) as history:
        gate = breaker.gate_to_follow(submission.environment, outcome)
        plan = plans.locked_to_follow(submission, outcome)
        organization = _lock_to_settle(submission, outcome)
        prefetch_related_objects([organization], "identifiers", "contacts")  # several entries tell of the whole record
        submission.organization = organization
        presence = organization.presence
        answer = Answer(outcome, answered_at or clock.now(), exchange.duration_ms)
        _SETTLE[outcome.kind](history, submission, organization, answer)
        changed = {} if organization.presence == presence else {"record": organization.record().to_json()}
        _note_outcome(history, submission, outcome, exchange, presence=organization.presence, **changed)
        plans.follow(history, submission, plan)
        failpoints.reach("in-settling")
        if is_answer:
            breaker.follow(history, gate, outcome, submission=submission)
    failpoints.reach("after-settling")


def _lock_to_settle(submission: Submission, outcome: Outcome) -> Organization:
    """The submission's record, locked; before a rejection also everything that it cancels."""
    if outcome.kind != Kind.REJECTED:
        return organizations.locked(submission.organization_id)
    return locks.lock_with_followers(lambda: [submission.pk]).by_id[submission.pk].organization


def lost(submission: Submission, *, actor: Actor) -> None:
    """The worker ended after the intent and no response is stored: nobody knows what became of the message."""
    submission.lost_attempt = True
    settle(submission, _LOST, _no_answer(submission), actor=actor, is_answer=False)


def _no_answer(submission: Submission) -> Exchange:
    return Exchange(request_sha256=submission.message_sha256, sent=True)


def needs_person(history: audit.History, submission: Submission, cause: str) -> None:
    """The portal cannot decide alone; nothing more is sent until a person has."""
    submissions.move(submission, State.NEEDS_PERSON, state_reason=cause)
    note_settled(history, submission, cause)


def accept_as_found(
    history: audit.History,
    submission: Submission,
    organization: Organization,
    *,
    evidence: Evidence,
    asked_at: datetime.datetime,
    reason: str,
    verdict: str = "",
) -> None:
    """Accept what Redox did not accept by an answer of its own. The directory was asked at `asked_at`.

    `verdict` is the choice of the person who decided it, where a person did.
    """
    by = history.actor.name if history.actor.person else ""
    changes = {"state_reason": reason, "evidence": evidence, "evidence_at": asked_at, "decided_by": by}
    _confirm(history, submission, organization, changes, evidence=evidence, known_at=asked_at)
    note_settled(history, submission, reason, verdict=verdict)


def reject_as_found(
    history: audit.History, submission: Submission, organization: Organization, reason: str, *, verdict: str
) -> None:
    """Reject what Redox did not reject by an answer: a person decided that it did not take effect as it was sent."""
    _refuse(history, submission, organization, {"state_reason": reason, "decided_by": history.actor.name})
    note_settled(history, submission, reason, verdict=verdict)


def send_again(
    history: audit.History, submission: Submission, *, reason: str, verdict: str = "", **changes: Any
) -> None:
    """Back to the queue with the very same bytes."""
    values = {"tries": submission.tries + 1, "state_reason": reason} | changes
    submissions.move(submission, State.QUEUED, not_before=clock.now(), lease_until=None, **values)
    note_settled(history, submission, reason, verdict=verdict)


def forget(history: audit.History, submission: Submission, organization: Organization) -> None:
    """What became of this is not in the database, which was put back: unknown, only asked about from now on."""
    moment, was_sending = clock.now(), submission.state == State.SENDING
    _doubt_presence(submission, organization, moment)
    submissions.move(
        submission,
        State.UNKNOWN,
        token=submission.token + 1,
        not_before=moment + seconds(settings.REDOX_SETTLE),
        lease_until=None,
        unknown_since=moment,
        asks=0,
        absent_at=None,
        only_ask=True,
        state_reason="The database was put back from a backup; the message may have been sent after it was made.",
    )
    if was_sending:
        _note_outcome(history, submission, _LOST, _no_answer(submission), presence=organization.presence)
    note_settled(history, submission, submission.state_reason)


def _doubt_presence(submission: Submission, organization: Organization, moment: datetime.datetime) -> None:
    if submission.event == Event.NEW:
        organization.presence, organization.presence_at = Presence.UNKNOWN, moment
        organization.save(update_fields=["presence", "presence_at"])


def note_settled(history: audit.History, submission: Submission, reason: str, *, verdict: str = "") -> None:
    """Write down a state that no answer to the message itself gave, with a person's verdict if a person gave it."""
    decision = {"verdict": verdict} if verdict else {}
    history.submission(
        Action.SUBMISSION_SETTLED,
        submission,
        token=submission.token,
        reason=reason,
        # As an attempt has it, so that the history can be narrowed to what was accepted or rejected.
        outcome=submission.state if State(submission.state).is_final else "",
        details={"state": State(submission.state).value} | _evidence_of(submission) | decision,
    )


def _evidence_of(submission: Submission) -> dict[str, str]:
    return {"evidence": Evidence(submission.evidence).value} if submission.state == State.ACCEPTED else {}


def next_claimable(due: QuerySet[Submission]) -> Submission | None:
    """The first of these that nobody has locked now, itself or its record; both are locked together."""
    found = due.select_related("organization")
    if database.features.has_select_for_update_skip_locked:
        found = found.select_for_update(skip_locked=True, of=("self", "organization"))
    return found.first()


def _accepted(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    changes = answer.in_short() | {"evidence": Evidence.ANSWER, "evidence_at": answer.at}
    _confirm(history, submission, organization, changes, evidence=Evidence.ANSWER, known_at=answer.at)


def _confirm(
    history: audit.History,
    submission: Submission,
    organization: Organization,
    changes: dict[str, Any],
    *,
    evidence: Evidence,
    known_at: datetime.datetime,
) -> None:
    record = messages.record_from_message(bytes(submission.message))
    if submission.intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
        organization.confirmed_version = submission.record_version
    known.mark_accepted(organization, record, submission, evidence=evidence, known_at=known_at)
    # A lost attempt may still be under way: the record is read once more when nothing can be any longer.
    read_back_at = clock.now() + seconds(settings.REDOX_SETTLE) if submission.lost_attempt else None
    _end(submission, organization, State.ACCEPTED, {"read_back_at": read_back_at} | changes)
    history.organization(Action.ORGANIZATION_CONFIRMED, organization, submission=submission)


def _rejected(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    if answer.outcome.presence:
        organization.presence = Presence(answer.outcome.presence)
        organization.presence_at = clock.now()
    _refuse(history, submission, organization, answer.in_short())


def _refuse(
    history: audit.History, submission: Submission, organization: Organization, changes: dict[str, Any]
) -> None:
    # Already locked by whoever settles or decides; this reads them again.
    locked = locks.lock_with_followers(lambda: [submission.pk])
    submissions.return_active(history, submission)
    _end(submission, organization, State.REJECTED, changes)
    # What the directory showed beside this message is not on its way any more: it is a difference now.
    organization.last_submission = submission
    known.update_counts(organization)
    organization.save()
    reason = f"Submission {submission.pk}, which this one waited for, was rejected."
    submissions.cancel_followers(history, submission, locked, reason)


def _again(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    """Proved not sent or not executed: back to the queue.

    A refused sign-in or a busy Redox does not count as a try, nor what was held back when its environment closed.
    """
    counts = answer.outcome.kind == Kind.NOT_SENT and answer.outcome.fault is not Fault.CLOSED
    tries = submission.tries + (1 if counts else 0)
    moment = clock.now()
    if counts and (tries >= MOST_TRIES or moment - _first_attempt(submission, moment) > LONGEST_TRYING):
        cause = f"{tries} attempt{'' if tries == 1 else 's'} did not reach Redox: {answer.outcome.detail}"
        submissions.move(submission, State.NEEDS_PERSON, tries=tries, state_reason=cause, **answer.in_short())
        return
    wait = shortened(random.uniform(0, 2.0 * 2**tries)) if counts else 0.0  # noqa: S311
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
    moment = clock.now()
    _doubt_presence(submission, organization, moment)
    # "Already exists" after an own unknown: nothing is under way any more, so the directory can be asked at once.
    wait = 0.0 if answer.outcome.known == "already_exists" else settings.REDOX_SETTLE
    submissions.move(
        submission,
        State.UNKNOWN,
        not_before=moment + seconds(wait),
        lease_until=None,
        unknown_since=submission.unknown_since or moment,
        asks=0,
        absent_at=None,
        lost_attempt=submission.lost_attempt,
        state_reason=answer.outcome.detail,
        **answer.in_short(),
    )


def _person(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    submissions.move(submission, State.NEEDS_PERSON, state_reason=answer.outcome.detail, **answer.in_short())


def _end(submission: Submission, organization: Organization, state: State, changes: dict[str, Any]) -> None:
    submissions.move(
        submission,
        state,
        ended_at=clock.now(),
        lease_until=None,
        unknown_since=None,
        wanted_hash=organization.wanted_hash,
        **changes,
    )


_SETTLE = {
    Kind.ACCEPTED: _accepted,
    Kind.REJECTED: _rejected,
    Kind.NOT_SENT: _again,
    Kind.NOT_EXECUTED: _again,
    Kind.UNKNOWN: _unknown,
    Kind.NEEDS_PERSON: _person,
}


def _note_outcome(
    history: audit.History, submission: Submission, outcome: Outcome, exchange: Exchange, *, presence: str, **body: Any
) -> None:
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
        details={"state": submission.state, "presence": presence},
        judged=outcomes.facts(outcome),
        **body,
    )
