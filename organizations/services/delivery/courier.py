"""Sends one submission: claims it, sends its message once, stores the response, settles it.

Each exchange has two commits: first the raw response, then its outcome. After a crash between them the stored response
is classified later.
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
from organizations.models.submission import open_deactivation
from organizations.records import OrganizationRecord
from organizations.redox import messages
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault, is_meant_for
from organizations.redox.environment import RedoxEnvironment
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.services import failpoints
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker, gateway, lookup, rate_limit, redox_settings
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import restore_guard, settle
from organizations.services.errors import OutOfDate
from organizations.services.outbox import submissions
from organizations.services.review import blockers
from organizations.services.timing import lease_margin, seconds

log = logging.getLogger("orgportal.delivery")

_PARENT_FIELDS = (
    *("oid", "name", "presence", "confirmed_active", "shown_active", "seen_at"),
    *("last_submission__state", "last_submission__intent"),
)
"""The columns of a parent that a claim reads. Reading all of them takes longer than the claim itself."""


class BlockedByTree(Exception):
    """The submission was never sent and is now blocked by its parent or children. The text says why."""

    def __init__(self, submission_id: int, reason: str) -> None:
        super().__init__(reason)
        self.submission_id = submission_id


@dataclass(frozen=True, slots=True)
class Claim:
    """This worker's exclusive right to send one submission. `claimed_at` is by the monotonic clock."""

    submission: Submission
    redox: RedoxEnvironment
    slot: SendSlot
    claimed_at: float

    @property
    def lease_left(self) -> float:
        """Seconds until another worker may take the submission."""
        return float(settings.REDOX_LEASE) - (time.monotonic() - self.claimed_at)


def deliver_next(environment: str, *, actor: Actor) -> bool:
    """Send the oldest due submission if the circuit breaker is closed. Returns whether one was claimed.

    False also if a submission was cancelled or left to a person instead: the worker then waits before its next round.
    """
    redox = redox_settings.environment(environment)
    if redox.credential is None or not Submission.objects.due(environment, clock.now()).exists():
        return False
    # The database may be restored under a running worker, between two heartbeats.
    if restore_guard.stop_if_restored(actor=actor):
        return False
    token = get_token(redox, actor)
    if not token:
        return False
    try:
        claim = claim_next(environment, redox, actor=actor)
    except BlockedByTree as refusal:
        _cancel_blocked(refusal.submission_id, actor)
        return False
    if claim is None:
        return False
    restore_guard.store_newest_entry()
    failpoints.reach("after-intent")
    _send(claim, token, actor)
    return True


def _cancel_blocked(submission_id: int, actor: Actor) -> None:
    """Cancel a submission if its parent or children still block it and no worker has claimed it.

    A claim never waits for a lock, so this is a transaction of its own. If two submissions block each other, the first
    is cancelled; then nothing blocks the second.
    """
    with audit.recorded(actor) as history:
        locked = submissions.lock_structure_and_followers(submission_id)
        submission = locked.by_id[submission_id]
        if submission.can_be_cancelled:
            reason = tree_block_reason(submission, messages.record_from_message(bytes(submission.message)))
            if reason:
                submissions.cancel_locked(history, submission, locked, reason=reason)


def get_token(redox: RedoxEnvironment, actor: Actor) -> str:
    """An access token, or "" if there is none. A refusal stops or pauses the environment as its outcome says.

    A token request has no effect in the directory, so it comes before the claim.
    """
    try:
        answer = gateway.access_token(redox)
    except gateway.RedoxAskedToWait:
        return ""
    outcome = answer.outcome
    if outcome is not None:
        stops = f"{outcome.stops}: {lookup.token_refusal_reason(answer)}" if outcome.stops else ""
        with audit.recorded(actor) as history:
            breaker.apply_outcome(history, breaker.lock_gate(redox.name), replace(outcome, stops=stops))
    return answer.token


def claim_next(environment: str, redox: RedoxEnvironment, *, actor: Actor) -> Claim | None:
    """Claim the oldest due submission. Attempt, lease and intent entry are committed before a connection opens.

    Raises:
        BlockedByTree: the submission was never sent, and its parent or children block it now.
    """
    with audit.recorded(actor) as history:
        moment = clock.now()
        # The gate is not locked, so that workers can claim at the same time. A stop at this moment takes effect after
        # this claim.
        if not EnvironmentGate.objects.get(pk=environment).can_send(moment):
            return None
        submission = submissions.next_claimable(Submission.objects.due(environment, moment))
        if submission is None:
            return None
        reason = _block_reason_or_unreadable(submission, redox)
        if reason:
            settle.require_decision(history, submission, reason)
            return None
        claimed_at = time.monotonic()
        submissions.move_submission(
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
        history.log_submission(Action.ATTEMPT_INTENT, submission, attempt=submission.attempt, token=submission.token)
        # Last, because every request of every worker waits for this row.
        slot = rate_limit.reserve_slot_within(moment)
    return Claim(submission, redox, slot, claimed_at)


def settle_abandoned(environment: str, *, actor: Actor) -> int:
    """Settle submissions whose lease has ended: by the stored response, or as unknown without one. Returns how many."""
    abandoned = list(Submission.objects.lease_ended(clock.now()).filter(environment=environment))
    for submission in abandoned:
        entry = AuditEntry.objects.attempt_entry(submission.pk, submission.attempt, Action.ATTEMPT_RESPONSE)
        with suppress(OutOfDate):
            if entry is None:
                settle.settle_lost_attempt(submission, actor=actor)
            else:
                exchange = exchanges.stored_exchange(entry)
                outcome = _classify(submission, exchange)
                if outcome.renew_token and not exchanges.is_repeat(entry):
                    # Only the old token was refused and no new one was tried: the credential may be valid.
                    outcome = replace(outcome, stops="")
                settle.settle_attempt(submission, outcome, exchange, actor=actor, answered_at=entry.at)
    return len(abandoned)


def _send(claim: Claim, token: str, actor: Actor) -> None:
    exchange = _send_once(claim, token, claim.slot)
    failpoints.reach("after-exchange")
    stored_at = settle.store_response(claim.submission, exchange, repeat=0, actor=actor)
    failpoints.reach("after-response")
    outcome = _classify(claim.submission, exchange)
    if stored_at and outcome.renew_token and gateway.discard_token(claim.redox, token):
        try:
            renewed = gateway.access_token(claim.redox)
        except gateway.SendingBlocked as blocked:
            renewed = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, detail=str(blocked), fault=Fault.BLOCKED))
        if renewed.token:
            exchange = _send_once(claim, renewed.token, rate_limit.reserve_slot())
            stored_at = settle.store_response(claim.submission, exchange, repeat=1, actor=actor)
            outcome = _classify(claim.submission, exchange)
        elif renewed.outcome is not None:
            outcome = renewed.outcome
    if stored_at:
        # Another worker may have settled it; the response is stored in either case.
        with suppress(OutOfDate):
            settle.settle_attempt(claim.submission, outcome, exchange, actor=actor, answered_at=stored_at)


def _send_once(claim: Claim, token: str, slot: SendSlot) -> Exchange:
    message = bytes(claim.submission.message)
    slot.wait()
    if claim.lease_left < settings.REDOX_DEADLINE + lease_margin():
        fault_text = "the worker waited too long, and another one may take the message soon"
        return _not_sent(message, Fault.HELD_UP, fault_text)
    try:
        return gateway.send_message(claim.redox, message, token, slot)
    except gateway.SendingBlocked as blocked:
        return _not_sent(message, Fault.BLOCKED, str(blocked))


def _not_sent(message: bytes, fault: Fault, fault_text: str) -> Exchange:
    return Exchange(request_sha256=messages.sha256(message), sent=False, fault=fault, fault_text=fault_text)


def _classify(submission: Submission, exchange: Exchange) -> Outcome:
    after_unknown = AuditEntry.objects.had_unknown_before(submission.pk, submission.attempt)
    return classify(exchange, event=submission.event, oid=submission.oid, after_unknown=after_unknown)


def _block_reason_or_unreadable(submission: Submission, redox: RedoxEnvironment) -> str:
    """As `block_reason`; also a reason if the stored message cannot be read, which blocks only its own submission."""
    try:
        return block_reason(submission, redox)
    except (DatabaseFault, BlockedByTree):
        raise
    except Exception as fault:
        log.exception("Submission %s could not be judged", submission.pk)
        return f"The stored message could not be read ({type(fault).__name__}: {fault})."


def block_reason(submission: Submission, redox: RedoxEnvironment) -> str:
    """Why this message must not be sent now, or "" if it may be sent.

    Raises:
        BlockedByTree: the submission was never sent, and its parent or children block it now.
    """
    message = bytes(submission.message)
    if submission.environment != redox.name or not is_meant_for(message, redox):
        return "The settings changed since the review: the message names another routing ID or source ID."
    if messages.sha256(message) != submission.message_sha256:
        return "The stored message is not the one that was reviewed."
    reason = tree_block_reason(submission, messages.record_from_message(message))
    if reason and submission.attempt == 0:
        raise BlockedByTree(submission.pk, reason)
    return reason


def tree_block_reason(submission: Submission, record: OrganizationRecord) -> str:
    """Why the parent or the children block this message since the review, or "" if they do not."""
    organization = submission.organization
    if submission.intent == Intent.DEACTIVATE:
        return blockers.children_block_reason(organization)
    parents = Organization.objects.filter(environment=submission.environment, oid=record.part_of_oid)
    parent = parents.select_related("last_submission").only(*_PARENT_FIELDS).first()
    if parent is None:
        return ""
    # If somebody else moved the record, a message that names the accepted parent moves it back.
    if record.part_of_oid != organization.confirmed_part_of_oid or organization.shown_part_of_oid:
        circle = blockers.circle_block_reason(organization, parent)
        if circle:
            return circle
    return _inactive_parent_reason(parent, submission) if record.active else ""


def _inactive_parent_reason(parent: Organization, submission: Submission) -> str:
    if parent.presence != Presence.PRESENT or parent.confirmed_active is False:
        return f"Its parent {parent.name} is not active in {Environment(submission.environment).label}."
    deactivation = open_deactivation(parent)
    if deactivation is not None:
        return f"Submission {deactivation.pk} of {parent.name} must end first."
    return blockers.parent_shown_deactivated(parent)
