"""One submission out of the outbox: claim, send once, keep what came, settle.

Two commits an exchange: first the response as it came, then what it means. A crash between them loses nothing: what is
stored is classified later, not asked for again.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import Error as DatabaseFault

from organizations.models import (
    Action,
    AuditEntry,
    Environment,
    EnvironmentGate,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    clock,
)
from organizations.records import OrganizationRecord
from organizations.redox import messages
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault, is_meant_for
from organizations.redox.environment import Environment as RedoxEnvironment
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.services import failpoints
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker, gateway, lookup, rate_limit
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import restore_guard, settle
from organizations.services.errors import OutOfDate
from organizations.services.outbox import submissions
from organizations.services.review import blockers
from organizations.services.timing import lease_margin, seconds

log = logging.getLogger("orgportal.delivery")

_LOOKED_AT = (
    *("oid", "name", "presence", "confirmed_active", "shown_active", "seen_at"),
    *("last_submission__state", "last_submission__intent"),
)
"""Of a parent before a claim: all of it, with all of its last message, would take longer than the claim itself."""


class NoLongerAllowed(Exception):
    """A submission that was never sent is now forbidden by a record above or below it. Its text says why."""

    def __init__(self, submission_id: int, cause: str) -> None:
        super().__init__(cause)
        self.submission_id = submission_id


@dataclass(frozen=True, slots=True)
class Claim:
    """One submission that this worker alone may send now."""

    submission: Submission
    redox: RedoxEnvironment
    turn: SendSlot
    began: float

    @property
    def lease_left(self) -> float:
        """Seconds by the monotonic clock."""
        return float(settings.REDOX_LEASE) - (time.monotonic() - self.began)


def deliver_next(environment: str, *, actor: Actor) -> bool:
    """Send the oldest due submission of an environment, if there is one and the gate is open. Whether it did."""
    redox = gateway.environment(environment)
    # A database may be put back under a running worker, between two of its heartbeats.
    if redox.credential is None or not _something_due(environment) or restore_guard.look(actor=actor):
        return False
    token = token_for(redox, actor)
    if not token:
        return False
    try:
        claim = claim_next(environment, redox, actor=actor)
    except NoLongerAllowed as overtaken:
        _cancel_overtaken(overtaken.submission_id, actor)
        return False
    if claim is None:
        return False
    restore_guard.remember()
    failpoints.reach("after-intent")
    _send(claim, token, actor)
    return True


def _cancel_overtaken(submission_id: int, actor: Actor) -> None:
    """Cancel a submission that a record above or below forbids, if it still does and no worker claimed it meanwhile.

    Not part of the claim, which waits for no lock. Two submissions may forbid each other: the first one is cancelled,
    and then nothing forbids the second.
    """
    with audit.recorded(actor) as history:
        locked = submissions.lock_to_end(submission_id)
        submission = locked.by_id[submission_id]
        if submission.can_be_cancelled:
            cause = _parent_block_reason(submission, messages.record_from_message(bytes(submission.message)))
            if cause:
                submissions.end_without_sending(history, submission, locked, reason=cause)


def token_for(redox: RedoxEnvironment, actor: Actor) -> str:
    """An access token; "" where none is to be had, and what follows for the environment is done.

    A token request has no effect in the directory, so it comes before anything is claimed.
    """
    try:
        answer = gateway.access_token(redox)
    except gateway.AskedToWait:
        return ""
    outcome = answer.outcome
    if outcome is not None:
        cause = lookup.token_cause(answer)
        stops = f"{outcome.stops}: {cause}" if outcome.stops else ""
        with audit.recorded(actor) as history:
            breaker.follow(history, breaker.locked_gate(redox.name), replace(outcome, stops=stops))
    return answer.token


def claim_next(environment: str, redox: RedoxEnvironment, *, actor: Actor) -> Claim | None:
    """Take the oldest due submission: attempt, token, lease and intent entry, committed before a socket opens."""
    with audit.recorded(actor) as history:
        moment = clock.now()
        # Not locked, or all workers of all machines would claim one after the other. What is stopped at this very
        # moment is stopped after this claim.
        if not breaker.is_open(EnvironmentGate.objects.get(pk=environment), moment):
            return None
        submission = settle.next_claimable(Submission.objects.due(environment, moment))
        if submission is None:
            return None
        cause = _safe_block_reason(submission, redox)
        if cause:
            settle.needs_person(history, submission, cause)
            return None
        began = time.monotonic()
        submissions.move(
            submission,
            State.SENDING,
            attempt=submission.attempt + 1,
            token=submission.token + 1,
            lease_until=moment + seconds(settings.REDOX_LEASE),
            lease_worker=actor.name[:100],
            sent_at=moment,
            not_before=None,
            state_reason="",
        )
        history.submission(Action.ATTEMPT_INTENT, submission, attempt=submission.attempt, token=submission.token)
        # As late as can be: every request of every worker waits for this one row.
        turn = rate_limit.reserve_slot_within(moment)
    return Claim(submission, redox, turn, began)


def reap(environment: str, *, actor: Actor) -> int:
    """Settle what a worker left behind: from the stored response where there is one, else as unknown. How many."""
    left = list(Submission.objects.lease_ended(clock.now()).filter(environment=environment))
    for submission in left:
        entry = AuditEntry.objects.attempt_entry(submission.pk, submission.attempt, Action.ATTEMPT_RESPONSE)
        with suppress(OutOfDate):
            if entry is None:
                settle.lost(submission, actor=actor)
            else:
                exchange = exchanges.stored(entry)
                outcome = _classified(submission, exchange)
                if outcome.renew_token and not exchanges.is_repeat(entry):
                    # A new token was not tried any more; that the old one was over says nothing of the credential.
                    outcome = replace(outcome, stops="")
                settle.settle(submission, outcome, exchange, actor=actor, answered_at=entry.at)
    return len(left)


def _send(claim: Claim, token: str, actor: Actor) -> None:
    exchange = _exchange(claim, token, claim.turn)
    failpoints.reach("after-exchange")
    kept_at = settle.keep_response(claim.submission, exchange, repeat=0, actor=actor)
    failpoints.reach("after-response")
    outcome = _classified(claim.submission, exchange)
    if kept_at and outcome.renew_token and gateway.discard_token(claim.redox, token):
        try:
            renewed = gateway.access_token(claim.redox)
        except gateway.DoorClosed as closed:
            renewed = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, detail=str(closed), fault=Fault.CLOSED))
        if renewed.token:
            exchange = _exchange(claim, renewed.token, rate_limit.reserve_slot())
            kept_at = settle.keep_response(claim.submission, exchange, repeat=1, actor=actor)
            outcome = _classified(claim.submission, exchange)
        elif renewed.outcome is not None:
            outcome = renewed.outcome
    if kept_at:
        # Whoever settles it first has settled it; what came is stored either way.
        with suppress(OutOfDate):
            settle.settle(claim.submission, outcome, exchange, actor=actor, answered_at=kept_at)


def _exchange(claim: Claim, token: str, turn: SendSlot) -> Exchange:
    message = bytes(claim.submission.message)
    turn.wait()
    if claim.lease_left < settings.REDOX_DEADLINE + lease_margin():
        fault_text = "too little was left of the time for which the worker had the message to itself"
        return _not_sent(message, Fault.HELD_UP, fault_text)
    try:
        return gateway.exchange(claim.redox, message, token, turn)
    except gateway.DoorClosed as closed:
        return _not_sent(message, Fault.CLOSED, str(closed))


def _not_sent(message: bytes, fault: Fault, fault_text: str) -> Exchange:
    return Exchange(request_sha256=messages.sha256(message), sent=False, fault=fault, fault_text=fault_text)


def _classified(submission: Submission, exchange: Exchange) -> Outcome:
    after_unknown = AuditEntry.objects.had_unknown_before(submission.pk, submission.attempt)
    return classify(exchange, event=submission.event, oid=submission.oid, after_unknown=after_unknown)


def _something_due(environment: str) -> bool:
    return Submission.objects.due(environment, clock.now()).exists()


def _safe_block_reason(submission: Submission, redox: RedoxEnvironment) -> str:
    """As `_why_not`; a submission that cannot even be judged holds up nothing but itself."""
    try:
        return _block_reason(submission, redox)
    except (DatabaseFault, NoLongerAllowed):
        raise
    except Exception as fault:
        log.exception("Submission %s could not be judged", submission.pk)
        return f"The stored message could not be read ({type(fault).__name__}: {fault})."


def _block_reason(submission: Submission, redox: RedoxEnvironment) -> str:
    """Why this message must not leave now; empty when it may.

    Raises:
        Overtaken: a record above or below forbids it, and nothing of it ever left.
    """
    message = bytes(submission.message)
    if submission.environment != redox.name or not is_meant_for(message, redox):
        return "The settings changed since the review: the message names another routing ID or source ID."
    if messages.sha256(message) != submission.message_sha256:
        return "The stored message is not the one that was reviewed."
    cause = _parent_block_reason(submission, messages.record_from_message(message))
    if cause and submission.attempt == 0:
        raise NoLongerAllowed(submission.pk, cause)
    return cause


def _parent_block_reason(submission: Submission, record: OrganizationRecord) -> str:
    """What the records above and below became since the review that forbids this message; empty when nothing does."""
    organization = submission.organization
    if submission.intent == Intent.DEACTIVATE:
        return blockers.children_block_reason(organization)
    found = type(organization).objects.filter(environment=submission.environment, oid=record.part_of_oid)
    parent = found.select_related("last_submission").only(*_LOOKED_AT).first()
    if parent is None:
        return ""
    # Moved by somebody else since, it is moved back by a message that names its accepted parent.
    if record.part_of_oid != organization.confirmed_part_of_oid or organization.shown_part_of_oid:
        circle = blockers.circle_block_reason(organization, parent)
        if circle:
            return circle
    return _parent_out_of_use(parent, submission) if record.active else ""


def _parent_out_of_use(parent: Organization, submission: Submission) -> str:
    if parent.presence != Presence.PRESENT or parent.confirmed_active is False:
        return f"Its parent {parent.name} is not active in {Environment(submission.environment).label}."
    ending = parent.open_deactivation
    if ending is not None:
        return f"Submission {ending.pk} of {parent.name} must end first."
    return blockers.parent_shown_deactivated(parent)
