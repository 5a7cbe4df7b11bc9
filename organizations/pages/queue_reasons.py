"""What queued submissions wait for now: on their own pages, on those of their records, and in lists."""

import datetime
from collections.abc import Sequence

from organizations.models import EnvironmentGate, Event, Intent, PlanState, State, Submission
from organizations.queries.queue_holds import fetch_holds, waits_now_for
from organizations.services.connection import redox_settings
from organizations.services.delivery import heartbeat
from organizations.services.outbox import answers
from organizations.text import queue_reason
from organizations.text.queue_reason import WaitReason


def queued_reason(submission: Submission, gate: EnvironmentGate, now: datetime.datetime) -> WaitReason:
    """The first reason why a queued submission waits."""
    fetch_holds([submission])
    return (
        _reason_of_others(submission)
        or environment_reason(gate, now)
        or queue_reason.next_attempt(submission, now)
        or queue_reason.next_worker()
    )


def own_reasons(submissions: Sequence[Submission], now: datetime.datetime) -> dict[int, WaitReason]:
    """Why each queued one of these waits, by its id, in the same few queries for any number.

    What holds a whole environment is left out: a banner above every page says it.
    """
    queued = [submission for submission in submissions if submission.state == State.QUEUED]
    fetch_holds(queued)
    reasons = {
        submission.pk: _reason_of_others(submission) or queue_reason.next_attempt(submission, now)
        for submission in queued
    }
    return {number: reason for number, reason in reasons.items() if reason is not None}


def environment_reason(gate: EnvironmentGate, now: datetime.datetime) -> WaitReason | None:
    """Why nothing of an environment is sent now; None if nothing holds it."""
    if not redox_settings.connection(gate.environment).is_connected:
        return queue_reason.not_connected(gate.environment)
    if reason := queue_reason.gate_reason(gate, now):
        return reason
    absent_since = heartbeat.workers_state().no_worker_since
    return None if absent_since is None else queue_reason.no_worker(absent_since)


def after_next_query(submission: Submission) -> str:
    """What follows the next Query about a submission whose result is unknown."""
    has_undocumented_success = answers.has_undocumented_success(submission)
    matters = not has_undocumented_success and not submission.is_restored
    return queue_reason.after_next_query(
        submission,
        has_undocumented_success=has_undocumented_success,
        can_be_proved=matters and answers.can_be_proved_by_query(submission),
    )


def _reason_of_others(submission: Submission) -> WaitReason | None:
    """Its paused plan, or the submissions that must be accepted first. `fetch_holds` has read them."""
    plan, others = submission.plan, waits_now_for(submission)
    if plan is not None and plan.state == PlanState.PAUSED:
        return queue_reason.plan_paused(plan)
    parent = next((other for other in others if other.event == Event.NEW), None)
    if parent is not None:
        return queue_reason.parent_first(parent.organization)
    children = [other for other in others if _is_deactivated_child(other, submission)]
    if children:
        return queue_reason.children_first(len(children))
    return queue_reason.first_message(others[0]) if others else None


def _is_deactivated_child(other: Submission, submission: Submission) -> bool:
    """Whether `other` deactivates a record below the one that this submission deactivates."""
    child = other.organization
    parent_oids = (child.part_of_oid, child.confirmed_part_of_oid, child.shown_part_of_oid)
    return other.intent == submission.intent == Intent.DEACTIVATE and submission.oid in parent_oids
