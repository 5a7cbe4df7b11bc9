"""What a queued submission waits for, in words: on its own page, on its record's, and in lists."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import Environment, EnvironmentGate, Event, Intent, PlanState, State, Submission
from organizations.services.connection import gateway
from organizations.services.delivery import heartbeat
from organizations.services.outbox import answers
from organizations.text import vocabulary
from organizations.text.markup import link, moment, plain, written

AGAIN = "the very same message is sent once more and its answer decides."
ONLY_ASKED = (
    "If the directory shows what was sent: accepted. Otherwise a person decides. It is not sent again by the portal."
)
NEW = (
    "If the directory shows the record as it was sent: accepted. If it shows other values: a person decides. If it "
    "does not show the OID, asked twice: the very same message is sent once more."
)
NEW_NOT_VISIBLE = (
    "What was accepted before means the same, so a Query cannot show whether this message took effect: if the "
    "directory shows the OID, a person decides. If it does not, asked twice: the very same message is sent once more."
)
CONFIRMED = (
    "Redox answered with a success in words that it does not document. If the directory shows nothing else than was "
    f"sent, both together count: accepted. Otherwise {AGAIN}"
)
VISIBLE = f"If the directory shows a visible change and nothing differs: accepted. Otherwise {AGAIN}"
NOT_VISIBLE = "A Query cannot show this change, so the same message is sent again and its answer decides."

HELD = "{environment} waits until {time}: {cause}."
NOT_CONNECTED = "{environment} is not connected."


class Reason(NamedTuple):
    """What a queued submission waits for; `key` is that of the words, `until` the time that the sentence names."""

    key: str
    sentence: SafeString
    until: str = ""


def queued_reason(submission: Submission, gate: EnvironmentGate, now: datetime.datetime) -> Reason:
    """What a queued submission waits for: the first that holds it."""
    _fetch_what_holds([submission])
    return (
        _held_by_others(submission)
        or held_by_environment(gate, now)
        or _held_by_time(submission, now)
        or Reason("worker", SafeString(vocabulary.QUEUED_REASON["worker"]))
    )


def then(submission: Submission) -> str:
    """What follows the next Query about a submission of unknown fate."""
    if submission.only_ask:
        return ONLY_ASKED
    if submission.event == Event.NEW:
        return (
            NEW
            if answers.has_undocumented_success(submission) or answers.can_be_proved_by_query(submission)
            else NEW_NOT_VISIBLE
        )
    if answers.has_undocumented_success(submission):
        return CONFIRMED
    return VISIBLE if answers.can_be_proved_by_query(submission) else NOT_VISIBLE


def own_reasons(submissions: Sequence[Submission], now: datetime.datetime) -> dict[int, Reason]:
    """Of those in a list that are queued, what each waits for by itself, in the same few queries for any number.

    A banner above every page says what holds a whole environment.
    """
    queued = [submission for submission in submissions if submission.state == State.QUEUED]
    _fetch_what_holds(queued)
    found = {submission.pk: _held_by_others(submission) or _held_by_time(submission, now) for submission in queued}
    return {number: reason for number, reason in found.items() if reason is not None}


def held_by_environment(gate: EnvironmentGate, now: datetime.datetime) -> Reason | None:
    """Why nothing of an environment is taken now; None when a worker takes it."""
    return _held_by_gate(gate, now) or _held_by_nobody_there()


def _fetch_what_holds(submissions: Sequence[Submission]) -> None:
    not_accepted = Submission.objects.exclude(state=State.ACCEPTED).select_related("organization")
    told = not_accepted.only("intent", "organization__environment", "organization__oid", "organization__name")
    before = Prefetch("after", told.order_by("pk"), to_attr="waits_for")
    prefetch_related_objects(submissions, "plan", before)


def _held_by_others(submission: Submission) -> Reason | None:
    """Its plan, or what must be accepted before it: its parent, or where it is deactivated what lies below it."""
    plan = submission.plan
    if plan is not None and plan.state == PlanState.PAUSED:
        url = reverse("plan", args=[plan.environment, plan.pk])
        return _reason("plan_paused", plan=link(url, plan.pk), cause=plain(plan.state_reason).rstrip("."))
    waits_for: list[Submission] = submission.waits_for  # type: ignore[attr-defined]  # by _fetch_what_holds
    if not waits_for:
        return None
    if waits_for[0].intent == Intent.DEACTIVATE:
        return _reason("children", children=vocabulary.count(len(waits_for), "child", "children"))
    parent = waits_for[0].organization
    url = reverse("record", args=[parent.environment, parent.oid])
    return _reason("parent", name=link(url, parent.name))


def _held_by_gate(gate: EnvironmentGate, now: datetime.datetime) -> Reason | None:
    environment = Environment(gate.environment).label
    if not gateway.connection(gate.environment).is_connected:
        return Reason("not_connected", format_html(NOT_CONNECTED, environment=environment))
    if gate.is_stopped:
        return _reason("stopped", environment=environment, cause=plain(gate.stopped_reason))
    if gate.hold_until is not None and gate.is_paused(now):
        time, cause = moment(gate.hold_until, "clock"), plain(gate.hold_reason)
        sentence = format_html(HELD, environment=environment, time=time, cause=cause)
        return Reason("held", sentence, written(gate.hold_until, "clock"))
    return None


def _held_by_nobody_there() -> Reason | None:
    absent = heartbeat.no_worker_since()
    return _reason("no_worker", time=moment(absent)) if absent is not None else None


def _held_by_time(submission: Submission, now: datetime.datetime) -> Reason | None:
    if submission.not_before is None or submission.not_before <= now:
        return None
    time, cause = moment(submission.not_before, "clock"), plain(submission.state_reason).rstrip(".")
    found = _reason("attempt", time=time, attempt=submission.attempt, cause=cause)
    return found._replace(until=written(submission.not_before, "clock"))


def _reason(key: str, **values: object) -> Reason:
    return Reason(key, format_html(vocabulary.QUEUED_REASON[key], **values))
