"""Settles attempts: moves the submissions, and updates their records and the circuit breaker, in one transaction.

Each exchange has two commits: first the raw response, then its outcome. After a crash between them the stored response
is classified later. Compare-and-set on the lease token decides which worker settles an attempt.
"""

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects

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
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.services import failpoints, locks
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges, outcomes
from organizations.services.connection import breaker
from organizations.services.outbox import plans, submissions
from organizations.services.records import directory_state
from organizations.services.review import first_messages
from organizations.services.timing import seconds, shortened

MOST_COUNTED_ATTEMPTS = 8
"""After this many attempts that did not reach Redox or got no clear answer, a person decides."""
LONGEST_TRYING = datetime.timedelta(hours=24)
"""If an attempt this long after the first one does not reach Redox, a person decides."""

_LOST_ATTEMPT = Outcome(kind=Kind.UNKNOWN, detail="The worker ended before an answer was stored.")


@dataclass(frozen=True, slots=True)
class Response:
    """The exchange of one attempt. `repeat` is 1 for the exchange after the token was renewed, else 0."""

    submission: Submission
    exchange: Exchange
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class AttemptAnswer:
    """The outcome of an attempt. `at` is when the answer was stored.

    `counts_for_breaker` is false if our own worker was lost, which says nothing about Redox, or if the outcome was
    counted already. If an attempt was lost, the caller sets `submission.lost_attempt` first.
    """

    submission: Submission
    outcome: Outcome
    exchange: Exchange
    at: datetime.datetime
    counts_for_breaker: bool = True

    def submission_fields(self) -> dict[str, Any]:
        """The columns of the submission that hold the answer."""
        return {
            "http_status": self.outcome.status,
            "known_answer": self.outcome.known,
            "detail": self.outcome.detail,
            "answer_warning": self.outcome.warning,
            "redox_message_id": self.outcome.message_id[:100],
            "redox_log_id": self.outcome.log_id[:100],
            "duration_ms": self.exchange.duration_ms,
            "may_have_been_sent": self.submission.may_have_been_sent or self._may_have_been_sent,
        }

    @property
    def _may_have_been_sent(self) -> bool:
        return self.exchange.sent or self.outcome.kind != Kind.NOT_SENT


def store_responses(responses: Sequence[Response], *, actor: Actor) -> list[datetime.datetime | None]:
    """Commit raw responses before they are judged.

    Returns for each the time of storing, or None if its lease was lost: then the response is logged as late and must
    not be judged.
    """
    with audit.atomic(actor) as history:
        moment = clock.now()
        tokens = Submission.objects.leased([response.submission.pk for response in responses])
        in_time = [tokens.get(response.submission.pk) == response.submission.token for response in responses]
        for response, is_in_time in zip(responses, in_time, strict=True):
            history.log_submission(
                Action.ATTEMPT_RESPONSE if is_in_time else Action.ATTEMPT_LATE,
                response.submission,
                attempt=response.submission.attempt,
                token=response.submission.token,
                **exchanges.exchange_body(response.exchange, repeat=response.repeat),
            )
    return [moment if is_in_time else None for is_in_time in in_time]


def outcome_of(submission: Submission, exchange: Exchange) -> Outcome:
    """The outcome of the exchange of the submission's last attempt."""
    after_unknown = AuditEntry.objects.had_unknown_before(submission.pk, submission.attempt)
    return classify(exchange, event=submission.event, oid=submission.oid, after_unknown=after_unknown)


def settle_attempts(answers: Sequence[AttemptAnswer], *, actor: Actor) -> None:
    """Change the states of submissions that are being sent by their outcomes; update records, plans and the breaker.

    Raises:
        OutOfDate: another worker took the lease of one of them; nothing was changed.
    """
    with audit.atomic(actor) as history:
        environment = answers[0].submission.environment
        gate = breaker.gate_for_outcomes(environment, [answer.outcome for answer in answers])
        failing = [answer.submission.plan_id for answer in answers if answer.outcome.kind != Kind.ACCEPTED]
        locked_plans = plans.lock_plans(plan_id for plan_id in failing if plan_id is not None)
        records = _lock_to_settle(answers)
        for answer in answers:
            _settle_attempt(history, answer, records[answer.submission.organization_id])
            plans.pause_if_failing(history, answer.submission, locked_plans.get(answer.submission.plan_id or 0))
            if answer.counts_for_breaker:
                breaker.apply_outcome(history, gate, answer.outcome, submission=answer.submission)
        failpoints.reach("in-settling")
    failpoints.reach("after-settling")


def _settle_attempt(history: audit.History, answer: AttemptAnswer, organization: Organization) -> None:
    submission = answer.submission
    submission.organization = organization
    presence_before = organization.presence
    _SETTLE[answer.outcome.kind](history, submission, organization, answer)
    record = {} if organization.presence == presence_before else {"record": organization.record().to_json()}
    _log_outcome(history, submission, answer.outcome, answer.exchange, presence=organization.presence, **record)


def _lock_to_settle(answers: Sequence[AttemptAnswer]) -> dict[int, Organization]:
    """Lock the submissions' records; for a rejected one, also every submission that its rejection would cancel."""
    if any(answer.outcome.kind == Kind.REJECTED for answer in answers):
        locked = locks.lock_with_followers(lambda: [answer.submission.pk for answer in answers])
        records = {each.organization_id: each.organization for each in locked.by_id.values()}
    else:
        ids = [answer.submission.organization_id for answer in answers]
        rows = Organization.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
        records = {row.pk: row for row in rows}
    # Several history entries contain the whole record.
    prefetch_related_objects(list(records.values()), "identifiers", "contacts")
    return records


def settle_lost_attempt(submission: Submission, *, actor: Actor) -> None:
    """Settle as unknown an attempt whose worker ended before it stored a response."""
    submission.lost_attempt = True
    exchange = _exchange_without_answer(submission)
    answer = AttemptAnswer(submission, _LOST_ATTEMPT, exchange, clock.now(), counts_for_breaker=False)
    settle_attempts([answer], actor=actor)


def _exchange_without_answer(submission: Submission) -> Exchange:
    return Exchange(request_sha256=submission.message_sha256, sent=True)


def require_decision(history: audit.History, submission: Submission, cause: str) -> None:
    """Leave the submission to a person. Its message is not sent again until somebody decides."""
    submissions.move_submission(submission, State.NEEDS_PERSON, state_reason=cause)
    log_state(history, submission, cause)


def accept_by_evidence(
    history: audit.History,
    submission: Submission,
    organization: Organization,
    *,
    evidence: Evidence,
    asked_at: datetime.datetime,
    reason: str,
    verdict: str = "",
) -> None:
    """Accept a submission by a Query's answer or a person's decision, without a success answer from Redox.

    The directory was queried at `asked_at`. `verdict` is the person's choice, or "" if no person decided.
    """
    by = history.actor.name if history.actor.person else ""
    changes = {"state_reason": reason, "evidence": evidence, "evidence_at": asked_at, "decided_by": by}
    _accept(history, submission, organization, changes, evidence=evidence, known_at=asked_at)
    log_state(history, submission, reason, verdict=verdict)


def reject_by_decision(
    history: audit.History, submission: Submission, organization: Organization, reason: str, *, verdict: str
) -> None:
    """Reject a submission because a person decided that it did not take effect as it was sent."""
    _reject(history, submission, organization, {"state_reason": reason, "decided_by": history.actor.name})
    log_state(history, submission, reason, verdict=verdict)


def requeue_submission(
    history: audit.History, submission: Submission, *, reason: str, verdict: str = "", **changes: Any
) -> None:
    """Put a submission back into the queue. The same bytes are sent again."""
    values = {"counted_attempts": submission.counted_attempts + 1, "state_reason": reason} | changes
    submissions.move_submission(submission, State.QUEUED, not_before=clock.now(), lease_until=None, **values)
    log_state(history, submission, reason, verdict=verdict)


def mark_unknown_after_restore(history: audit.History, submission: Submission, organization: Organization) -> None:
    """Mark an open submission unknown after the database was restored. Only a person can have it sent again."""
    moment, was_sending = clock.now(), submission.state == State.SENDING
    _mark_presence_unknown_after_new(submission, organization, moment)
    submissions.move_submission(
        submission,
        State.UNKNOWN,
        token=submission.token + 1,
        not_before=moment + seconds(settings.REDOX_SETTLE),
        lease_until=None,
        unknown_since=moment,
        asks=0,
        absent_at=None,
        is_restored=True,
        may_have_been_sent=True,
        state_reason="The database was restored from a backup; the message may have been sent after it was made.",
    )
    if was_sending:
        _log_outcome(
            history, submission, _LOST_ATTEMPT, _exchange_without_answer(submission), presence=organization.presence
        )
    log_state(history, submission, submission.state_reason)


def _mark_presence_unknown_after_new(
    submission: Submission, organization: Organization, moment: datetime.datetime
) -> None:
    if submission.event == Event.NEW:
        organization.presence, organization.presence_at = Presence.UNKNOWN, moment
        organization.save(update_fields=["presence", "presence_at"])


def log_state(history: audit.History, submission: Submission, reason: str, *, verdict: str = "") -> None:
    """Log a state that does not result from an answer to the message. `verdict` is a person's choice, or ""."""
    decision = {"verdict": verdict} if verdict else {}
    evidence = {"evidence": Evidence(submission.evidence).value} if submission.state == State.ACCEPTED else {}
    history.log_submission(
        Action.SUBMISSION_SETTLED,
        submission,
        token=submission.token,
        reason=reason,
        # The entry of an attempt has the same field, so the history can be filtered by accepted or rejected.
        outcome=submission.state if State(submission.state).is_final else "",
        details={"state": State(submission.state).value} | evidence | decision,
    )


def _settle_accepted(
    history: audit.History, submission: Submission, organization: Organization, answer: AttemptAnswer
) -> None:
    changes = answer.submission_fields() | {"evidence": Evidence.ANSWER, "evidence_at": answer.at}
    _accept(history, submission, organization, changes, evidence=Evidence.ANSWER, known_at=answer.at)


def _accept(
    history: audit.History,
    submission: Submission,
    organization: Organization,
    changes: dict[str, Any],
    *,
    evidence: Evidence,
    known_at: datetime.datetime,
) -> None:
    record = messages.record_from_message(bytes(submission.message))
    is_proof = first_messages.is_proof(submission, organization)
    if submission.intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
        organization.confirmed_version = submission.record_version
    directory_state.mark_accepted(organization, record, submission, evidence=evidence, known_at=known_at)
    # A lost attempt may still take effect late: the record is read again after the settle time.
    read_back_at = clock.now() + seconds(settings.REDOX_SETTLE) if submission.lost_attempt else None
    changes = {"read_back_at": read_back_at, "is_proof": is_proof} | changes
    _end_submission(submission, organization, State.ACCEPTED, changes)
    history.log_record(Action.ORGANIZATION_CONFIRMED, organization, submission=submission)


def _settle_rejected(
    history: audit.History, submission: Submission, organization: Organization, answer: AttemptAnswer
) -> None:
    if answer.outcome.presence:
        organization.presence = Presence(answer.outcome.presence)
        organization.presence_at = clock.now()
    _reject(history, submission, organization, answer.submission_fields())


def _reject(
    history: audit.History, submission: Submission, organization: Organization, changes: dict[str, Any]
) -> None:
    # The caller has locked these already; this reads them again.
    locked = locks.lock_with_followers(lambda: [submission.pk])
    submissions.return_wanted_active(history, submission)
    _end_submission(submission, organization, State.REJECTED, changes)
    # Differences that this message would have removed count again.
    organization.last_submission = submission
    directory_state.update_derived_columns(organization)
    organization.save()
    reason = f"Submission {submission.pk}, which this one waited for, was rejected."
    submissions.cancel_followers(history, submission, locked, reason)


def _settle_not_executed(
    history: audit.History, submission: Submission, organization: Organization, answer: AttemptAnswer
) -> None:
    """Put a submission back into the queue, since the message was not sent or not executed.

    The attempt does not count if the sign-in was refused, Redox was busy, or our own worker did not send the message.
    """
    fault = answer.outcome.fault
    counts = answer.outcome.kind == Kind.NOT_SENT and not (fault is not None and fault.is_ours)
    counted = submission.counted_attempts + (1 if counts else 0)
    moment = clock.now()
    first_attempt = AuditEntry.objects.attempt_entry(submission.pk, 1, Action.ATTEMPT_INTENT) if counts else None
    is_too_old = first_attempt is not None and moment - first_attempt.at > LONGEST_TRYING
    if counts and (counted >= MOST_COUNTED_ATTEMPTS or is_too_old):
        cause = f"{counted} attempt{'' if counted == 1 else 's'} did not reach Redox: {answer.outcome.detail}"
        submissions.move_submission(
            submission, State.NEEDS_PERSON, counted_attempts=counted, state_reason=cause, **answer.submission_fields()
        )
        return
    must_wait = counts or fault is Fault.HELD_UP
    wait = shortened(random.uniform(0, 2.0 * 2**counted)) if must_wait else 0.0  # noqa: S311
    submissions.move_submission(
        submission,
        State.QUEUED,
        counted_attempts=counted,
        not_before=moment + seconds(wait),
        lease_until=None,
        state_reason=answer.outcome.detail,
        **answer.submission_fields(),
    )


def _settle_unknown(
    history: audit.History, submission: Submission, organization: Organization, answer: AttemptAnswer
) -> None:
    moment = clock.now()
    _mark_presence_unknown_after_new(submission, organization, moment)
    # "Already exists" after an unknown attempt: no attempt is under way any more, so the directory is queried at once.
    wait = 0.0 if answer.outcome.known == "already_exists" else settings.REDOX_SETTLE
    submissions.move_submission(
        submission,
        State.UNKNOWN,
        not_before=moment + seconds(wait),
        lease_until=None,
        unknown_since=submission.unknown_since or moment,
        asks=0,
        absent_at=None,
        lost_attempt=submission.lost_attempt,
        state_reason=answer.outcome.detail,
        **answer.submission_fields(),
    )


def _settle_needs_person(
    history: audit.History, submission: Submission, organization: Organization, answer: AttemptAnswer
) -> None:
    submissions.move_submission(
        submission, State.NEEDS_PERSON, state_reason=answer.outcome.detail, **answer.submission_fields()
    )


def _end_submission(submission: Submission, organization: Organization, state: State, changes: dict[str, Any]) -> None:
    submissions.move_submission(
        submission,
        state,
        ended_at=clock.now(),
        lease_until=None,
        unknown_since=None,
        wanted_hash=organization.wanted_hash,
        **changes,
    )


_SETTLE = {
    Kind.ACCEPTED: _settle_accepted,
    Kind.REJECTED: _settle_rejected,
    Kind.NOT_SENT: _settle_not_executed,
    Kind.NOT_EXECUTED: _settle_not_executed,
    Kind.UNKNOWN: _settle_unknown,
    Kind.NEEDS_PERSON: _settle_needs_person,
}


def _log_outcome(
    history: audit.History, submission: Submission, outcome: Outcome, exchange: Exchange, *, presence: str, **body: Any
) -> None:
    history.log_submission(
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
        judged=outcomes.outcome_facts(outcome),
        **body,
    )
