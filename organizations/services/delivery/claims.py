"""Claims due submissions for one worker: each gets a lease, an intent entry and a send slot before anything is sent."""

import copy
import datetime
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import django.db
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from organizations.models import (
    Action,
    Environment,
    EnvironmentGate,
    Event,
    Intent,
    Organization,
    PlanState,
    Presence,
    State,
    Submission,
    clock,
)
from organizations.models.submission import NOT_CLAIMED, open_deactivation
from organizations.records import OrganizationRecord
from organizations.redox import messages
from organizations.redox.client import is_meant_for
from organizations.redox.environment import RedoxEnvironment
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import rate_limit
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import settle
from organizations.services.outbox import plans, submissions
from organizations.services.review import blockers
from organizations.services.timing import seconds, shortened

SECONDS_AHEAD = 1.0
"""Send slots are reserved for this long ahead at most. So a stop by another process takes effect within a second."""
MOST_NEW_MESSAGES_OF_A_PLAN = 4
"""How many New messages of a plan are sent at once. The plan pauses as soon as the outcome of one is unknown."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0
"""Seconds until a submission is claimed again after its claim failed."""

log = logging.getLogger("orgportal.delivery")

_PARENT_FIELDS = (
    *("environment", "oid", "name", "presence", "confirmed_active", "shown_active", "seen_at"),
    *("last_submission__state", "last_submission__intent"),
)
"""The columns of a parent that a claim reads. Reading all of them takes longer than the claim itself."""


class MustBeCancelled(Exception):
    """The message was certainly not sent, and its parent, its children or a stop of its plan blocks it now."""

    def __init__(self, submission_id: int, reason: str) -> None:
        super().__init__(reason)
        self.submission_id = submission_id


type Parents = dict[tuple[str, str], Organization]


@dataclass(frozen=True, slots=True)
class Claim:
    """This worker's exclusive right to send one submission. `claimed_at` is by the monotonic clock.

    `repeat` is 1 if its message is sent again at once because Redox refused the access token, else 0.
    """

    submission: Submission
    redox: RedoxEnvironment
    slot: SendSlot
    claimed_at: float
    repeat: int = 0

    @property
    def lease_left(self) -> float:
        """Seconds until another worker may take the submission."""
        return float(settings.REDOX_LEASE) - (time.monotonic() - self.claimed_at)


def claim_many(
    environment: str, redox: RedoxEnvironment, most: int, *, actor: Actor, only: int | None = None
) -> list[Claim]:
    """Claim the oldest due submissions, `most` at most. Their intents are committed before a connection opens.

    `only`: the id of the one submission to claim.
    A submission that must be cancelled is cancelled instead. Returns [] also
    while the circuit breaker is open, or if the send slots of the next second are reserved.

    Raises:
        OutOfDate: another process moved one of the submissions; nothing was claimed.
    """
    blocked: list[int] = []
    with audit.atomic(actor) as history:
        claimed_at, moment = time.monotonic(), clock.now()
        # The breaker's row is not locked, so that workers can claim at the same time. A stop at this moment takes
        # effect after this claim.
        if not EnvironmentGate.objects.get(pk=environment).can_send(moment):
            return []
        most = min(most, rate_limit.free_slots(SECONDS_AHEAD, moment))
        submissions_to_claim = _lock_due(environment, moment, most, only) if most > 0 else []
        parents = parents_of(submissions_to_claim)
        claimed = []
        for submission in submissions_to_claim:
            try:
                reason = _block_reason_or_unreadable(submission, redox, parents)
            except MustBeCancelled:
                blocked.append(submission.pk)
                continue
            if reason:
                settle.require_decision(history, submission, reason)
            else:
                claimed.append(submission)
        slots = _claim(history, claimed, moment) if claimed else []
    for submission_id in blocked:
        try:
            _cancel_blocked(submission_id, actor)
        except Exception:  # the claimed submissions must still be sent; this one is judged again at the next claim
            log.exception("Submission %s could not be cancelled", submission_id)
    return [Claim(submission, redox, slot, claimed_at) for submission, slot in zip(claimed, slots, strict=True)]


def claim_alone(environment: str, redox: RedoxEnvironment, most: int, *, actor: Actor) -> list[Claim]:
    """Like `claim_many`, but each submission in its own transaction. One that fails is skipped for a while."""
    claimed: list[Claim] = []
    for submission_id in list(_due(environment, clock.now()).values_list("pk", flat=True)[:most]):
        try:
            claimed += claim_many(environment, redox, 1, actor=actor, only=submission_id)
        except Exception as error:
            log.exception("Submission %s could not be claimed", submission_id)
            try:
                _set_aside(submission_id, error)
            except Exception:
                if not claimed:
                    raise
                log.exception("Submission %s could not be set aside", submission_id)
                break  # the claimed submissions must still be sent
    return claimed


def _set_aside(submission_id: int, error: Exception) -> None:
    """Leave a submission in the queue, and claim it again only after as many seconds as it has been queued so far.

    So each wait is twice as long as the one before, from FIRST_WAIT to LONGEST_WAIT. Only two columns are read, because
    reading the whole row may be what failed.
    """
    with transaction.atomic(durable=True):
        queued, moment = Submission.objects.filter(pk=submission_id, state=State.QUEUED), clock.now()
        for state_at in queued.values_list("state_at", flat=True):
            wait = min(max((moment - state_at).total_seconds(), FIRST_WAIT), LONGEST_WAIT)
            queued.update(
                not_before=moment + seconds(shortened(wait)), state_reason=f"{NOT_CLAIMED} ({type(error).__name__})."
            )


def claim_again(refused: Sequence[Claim]) -> list[Claim]:
    """Claim messages again whose access token Redox refused. They are sent again at once, with a new access token.

    Each gets a new lease token before it is sent again. So after a crash the stored refusal does not count as the
    answer to the second sending. Leaves out those whose lease was lost.
    """
    with transaction.atomic(durable=True):
        leased = Submission.objects.leased([claim.submission.pk for claim in refused])
        kept = [claim for claim in refused if leased.get(claim.submission.pk) == claim.submission.token]
        ids = [claim.submission.pk for claim in kept]
        # Redox refused the first sending, so each was sent once.
        Submission.objects.filter(pk__in=ids).update(token=F("token") + 1, may_have_been_sent=True)
        slots = rate_limit.reserve_slots_within(clock.now(), len(kept))
    claims = []
    for claim, slot in zip(kept, slots, strict=True):
        submission = copy.copy(claim.submission)
        submission.token, submission.may_have_been_sent = submission.token + 1, True
        claims.append(replace(claim, submission=submission, slot=slot, repeat=1))
    return claims


def _due(environment: str, moment: datetime.datetime) -> QuerySet[Submission]:
    """The due submissions, oldest first, without New messages of plans that have enough of them under way."""
    due = Submission.objects.due(environment, moment)
    under_way = Submission.objects.new_messages_being_sent(environment)
    full = [plan for plan, count in under_way.items() if count >= MOST_NEW_MESSAGES_OF_A_PLAN]
    return due.exclude(event=Event.NEW, plan__in=full) if full else due


def _lock_due(environment: str, moment: datetime.datetime, most: int, only: int | None) -> list[Submission]:
    """Lock due submissions with their records. Of a plan, at most MOST_NEW_MESSAGES_OF_A_PLAN are under way."""
    due = _due(environment, moment)
    candidates = submissions.lock_claimable(due if only is None else due.filter(pk=only), most)
    plan_ids = {each.plan_id for each in candidates if each.event == Event.NEW and each.plan_id is not None}
    locked = plans.lock_plans_to_claim(plan_ids)
    # Another worker may have claimed New messages of these plans since.
    under_way = Submission.objects.new_messages_being_sent(environment) if locked else Counter()
    chosen = []
    for submission in candidates:
        if submission.event == Event.NEW and submission.plan_id is not None:
            if submission.plan_id not in locked or under_way[submission.plan_id] >= MOST_NEW_MESSAGES_OF_A_PLAN:
                continue
            under_way[submission.plan_id] += 1
        chosen.append(submission)
    return chosen


def _claim(history: audit.History, claimed: list[Submission], moment: datetime.datetime) -> list[SendSlot]:
    """Give each submission a lease, an intent entry and a send slot."""
    lease_until = moment + seconds(settings.REDOX_LEASE)
    submissions.move_to_sending(claimed, moment, lease_until=lease_until, lease_worker=history.actor.name[:100])
    for submission in claimed:
        history.log_submission(Action.ATTEMPT_INTENT, submission, attempt=submission.attempt, token=submission.token)
    # Last, because every request of every worker waits for this row.
    return rate_limit.reserve_slots_within(moment, len(claimed))


def _cancel_blocked(submission_id: int, actor: Actor) -> None:
    """Cancel a submission if its plan, its parent or its children still block it and no worker has claimed it.

    A claim never waits for a lock, so this is a separate transaction. If two submissions block each other, the first
    is cancelled; then nothing blocks the second.
    """
    with audit.atomic(actor) as history:
        locked = submissions.lock_structure_and_followers(submission_id)
        submission = locked.by_id[submission_id]
        if submission.can_be_cancelled:
            record = messages.record_from_message(bytes(submission.message))
            reason = stop_of_plan(submission) or tree_block_reason(submission, record, parents_of([submission]))
            if reason:
                submissions.cancel_locked(history, submission, locked, reason=reason)


def _block_reason_or_unreadable(submission: Submission, redox: RedoxEnvironment, parents: Parents) -> str:
    """Like `block_reason`, but a stored message that cannot be read is also a reason, so it blocks no other one."""
    try:
        return block_reason(submission, redox, parents)
    except (django.db.Error, MustBeCancelled):
        raise
    except Exception as error:
        log.exception("Submission %s could not be judged", submission.pk)
        return f"The stored message could not be read ({type(error).__name__}: {error})."


def block_reason(submission: Submission, redox: RedoxEnvironment, parents: Parents) -> str:
    """Why this message must not be sent now, or "" if it may be sent. `parents`: as `parents_of` gives them.

    Raises:
        MustBeCancelled: it was certainly not sent, and its parent, its children or a stop of its plan blocks it now.
    """
    message = bytes(submission.message)
    if submission.environment != redox.name or not is_meant_for(message, redox):
        return "The settings changed since the review: the message names another routing ID or source ID."
    if messages.sha256(message) != submission.message_sha256:
        return "The stored message is not the one that was reviewed."
    reason = tree_block_reason(submission, messages.record_from_message(message), parents)
    if submission.can_be_cancelled and (reason := stop_of_plan(submission) or reason):
        raise MustBeCancelled(submission.pk, reason)
    return reason


def parents_of(claimable: Sequence[Submission]) -> Parents:
    """The records that these messages name as parents, by environment and OID."""
    oids = {submission.part_of_oid for submission in claimable}
    parents = Organization.objects.filter(
        environment__in={submission.environment for submission in claimable}, oid__in=oids
    )
    rows = parents.select_related("last_submission").only(*_PARENT_FIELDS)
    return {(parent.environment, parent.oid): parent for parent in rows}


def stop_of_plan(submission: Submission) -> str:
    """A sentence if its plan was stopped while this message was kept back; else ""."""
    plan = submission.plan if submission.attempt else None  # without an attempt it is not due in a stopped plan
    return plans.stop_sentence(plan) if plan is not None and plan.state == PlanState.STOPPED else ""


def tree_block_reason(submission: Submission, record: OrganizationRecord, parents: Parents) -> str:
    """Why the parent or the children block this message now, although they did not at the review; "" if they do not."""
    organization = submission.organization
    if submission.intent == Intent.DEACTIVATE:
        return blockers.children_block_reason(organization)
    parent = parents.get((submission.environment, record.part_of_oid))
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
