"""The words for what a queued submission waits for, and for what follows the next Query."""

import datetime
from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Environment, EnvironmentGate, Event, Organization, Plan, Submission
from organizations.models.submission import NOT_CLAIMED
from organizations.text import vocabulary
from organizations.text.markup import link, moment, plain, written

# What follows the next Query about a submission whose result is unknown, by what was sent and answered.
SENT_AGAIN = "the same message is sent once more, and Redox's new answer decides."
AFTER_RESTORE = (
    "If the directory shows what was sent: accepted. Otherwise a person decides. The portal does not send it again."
)
AFTER_NEW = (
    "If the directory shows the record as it was sent: accepted. If it shows other values: a person decides. If it "
    "does not show the OID, asked twice: the same message is sent once more."
)
AFTER_NEW_NOT_VISIBLE = (
    "The values accepted before have the same meaning, so no Query can show whether this message took effect: if the "
    "directory shows the OID, a person decides. If it does not, asked twice: the same message is sent once more."
)
AFTER_UNDOCUMENTED_SUCCESS = (
    "Redox answered with a success in words that it does not document. If the directory shows no other values than "
    f"were sent, the answer and the Query together count: accepted. Otherwise {SENT_AGAIN}"
)
AFTER_VISIBLE_CHANGE = f"If the directory shows a visible change and nothing differs: accepted. Otherwise {SENT_AGAIN}"
AFTER_INVISIBLE_CHANGE = "A Query cannot show this change, so the same message is sent again and its answer decides."

PAUSED = "{environment} waits until {time}: {cause}."
NOT_CONNECTED = "{environment} is not connected."


class WaitReason(NamedTuple):
    """What a queued submission waits for. `key` names the kind of reason, `until` the time in the sentence."""

    key: str
    sentence: SafeString
    until: str = ""


def plan_paused(plan: Plan) -> WaitReason:
    url = reverse("plan", args=[plan.environment, plan.pk])
    return _reason("plan_paused", plan=link(url, plan.pk), cause=_cause(plan.state_reason))


def children_first(number: int) -> WaitReason:
    """A deactivation waits until this many children are deactivated."""
    return _reason("children", children=vocabulary.count(number, "child", "children"))


def parent_first(parent: Organization) -> WaitReason:
    url = reverse("record", args=[parent.environment, parent.oid])
    return _reason("parent", name=link(url, parent.name))


def first_message(first: Submission) -> WaitReason:
    """It waits for the first message to a record that was registered outside the portal."""
    organization = first.organization
    url = reverse("submission", args=[organization.environment, first.pk])
    return _reason("first", submission=link(url, f"submission {first.pk}"), name=plain(organization.name))


def not_connected(environment: str) -> WaitReason:
    return WaitReason("not_connected", format_html(NOT_CONNECTED, environment=Environment(environment).label))


def gate_reason(gate: EnvironmentGate, now: datetime.datetime) -> WaitReason | None:
    """Why sending is stopped or paused; None if the circuit breaker is closed or half-open."""
    environment = Environment(gate.environment).label
    if gate.is_stopped:
        return _reason("stopped", environment=environment, cause=plain(gate.stopped_reason))
    if gate.hold_until is None or not gate.is_paused(now):
        return None
    time, cause = moment(gate.hold_until, "clock"), plain(gate.hold_reason)
    sentence = format_html(PAUSED, environment=environment, time=time, cause=cause)
    return WaitReason("paused", sentence, written(gate.hold_until, "clock"))


def no_worker(since: datetime.datetime) -> WaitReason:
    return _reason("no_worker", time=moment(since))


def next_attempt(submission: Submission, now: datetime.datetime) -> WaitReason | None:
    """The time before which the next attempt does not start; None if it has passed."""
    if submission.not_before is None or submission.not_before <= now:
        return None
    time, cause = moment(submission.not_before, "clock"), _cause(submission.state_reason)
    is_set_aside = submission.state_reason.startswith(NOT_CLAIMED)
    reason = _reason("set_aside" if is_set_aside else "attempt", time=time, attempt=submission.attempt, cause=cause)
    return reason._replace(until=written(submission.not_before, "clock"))


def next_worker() -> WaitReason:
    """It waits for nothing: a worker takes it next."""
    return WaitReason("worker", SafeString(vocabulary.QUEUED_REASON["worker"]))


def after_next_query(submission: Submission, *, has_undocumented_success: bool, can_be_proved: bool) -> str:
    """What follows the next Query about a submission whose result is unknown.

    `has_undocumented_success`: Redox answered with a success that it does not document. `can_be_proved`: a Query can
    show what the message changed.
    """
    if submission.is_restored:
        return AFTER_RESTORE
    if submission.event == Event.NEW:
        return AFTER_NEW if has_undocumented_success or can_be_proved else AFTER_NEW_NOT_VISIBLE
    if has_undocumented_success:
        return AFTER_UNDOCUMENTED_SUCCESS
    return AFTER_VISIBLE_CHANGE if can_be_proved else AFTER_INVISIBLE_CHANGE


def _cause(text: str) -> str:
    return plain(text).rstrip(".")


def _reason(key: str, **values: object) -> WaitReason:
    return WaitReason(key, format_html(vocabulary.QUEUED_REASON[key], **values))
