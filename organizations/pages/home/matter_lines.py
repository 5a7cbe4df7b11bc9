"""The lines of the home page about submissions, plans and what the directory shows.

The number of queries does not grow with the number of records.
"""

import datetime
import html
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils.html import format_html, strip_tags

from organizations.models import Environment, EnvironmentGate, Organization, Plan, PlanState, State, Submission
from organizations.models.organization import OrganizationQuerySet
from organizations.models.submission import OPEN_STATES
from organizations.pages import queue_reasons
from organizations.pages.home.matters import MOST_LINES, Groups, Line, Now, Place, line
from organizations.pages.organizations.rows import DIRECTORY_DIFFERS
from organizations.pages.record import to_do
from organizations.records import spoken
from organizations.services.delivery import decide
from organizations.services.delivery.decide import Verdict
from organizations.text.decisions import decided
from organizations.text.markup import plain, written
from organizations.text.queue_reason import WaitReason
from organizations.text.vocabulary import count

ONE_BY_ONE = ("needs_person", "rejected", "unknown", "queued")
LONGEST_QUOTE = 120
DELAYED_AFTER = datetime.timedelta(minutes=15)
MANY = "many"


def of_submissions(groups: Groups, now: Now) -> Iterator[Line]:
    """Lines of records whose work is that of their last submission: one each while they are few."""
    few = Q(pk__in=[])
    for kind in (*ONE_BY_ONE, "awaiting"):
        found = {each: [group for group in groups if _is(group, each, kind)] for each in Environment}
        numbers = {each: sum(group["number"] for group in of_kind) for each, of_kind in found.items()}
        if kind in ONE_BY_ONE and max(numbers.values()) <= MOST_LINES:
            few |= Q(open_work=kind, environment__in=[each for each in Environment if numbers[each]])
            continue
        for environment in Environment:
            place = _many(kind, environment, numbers[environment], found[environment], now)
            if place is not None:
                yield line(kind, place, MANY, now)
    yield from _one_by_one(few, now)


def _is(group: Mapping[str, Any], environment: Environment, kind: str) -> bool:
    return bool(group["environment"] == environment and group["open_work"] == kind)


def _many(kind: str, environment: Environment, number: int, found: Groups, now: Now) -> Place | None:
    """All of a kind; None if there are none, or if the lines of paused plans say all about them."""
    text, in_plans = _held(environment, now) if kind == "queued" and number else ("", 0)
    if number <= in_plans:
        return None
    of_submissions = kind in ("awaiting", "queued")
    return Place(
        environment=environment,
        number=number,
        what=count(number, "submission" if of_submissions else "record"),
        text="Nothing has been sent." if kind == "awaiting" else text,
        url=_submissions_in(kind, environment) if of_submissions else list_of(kind, environment),
        since=min(group["oldest_state"] for group in found),
    )


def _held(environment: Environment, now: Now) -> tuple[str, int]:
    """What else holds the queued submissions of an environment, and how many of them a paused plan holds."""
    queued = Submission.objects.filter(environment=environment, state=State.QUEUED)
    tried = Q(tries__gt=0, http_status=None, created_at__lt=now.moment - DELAYED_AFTER)
    in_plan = Q(plan__state=PlanState.PAUSED)
    numbers = queued.aggregate(tried=Count("id", filter=tried), in_plans=Count("id", filter=in_plan))
    is_held = queue_reasons.environment_reason(now.gates[environment], now.moment) is not None
    texts = [
        f"Redox could not be reached for {numbers['tried']:,} of these." if numbers["tried"] and not is_held else "",
        f"{numbers['in_plans']:,} of these wait for a paused plan." if numbers["in_plans"] else "",
    ]
    return " ".join(text for text in texts if text), numbers["in_plans"]


def _one_by_one(few: Q, now: Now) -> Iterator[Line]:
    records = list(Organization.objects.with_words().filter(few).select_related("last_submission"))
    submissions = [each.last_submission for each in records if each.last_submission]
    verdicts, reasons = decide.verdicts(submissions), queue_reasons.own_reasons(submissions, now.moment)
    for organization, submission in zip(records, submissions, strict=True):
        own = reasons.get(submission.pk)
        if own is not None and own.key == "plan_paused":
            continue  # the line of the plan says it
        gate = now.gates[organization.environment]
        if organization.open_work == "queued":
            text = _held_one(own, gate, now.moment)
        else:
            text = _why(organization.open_work, submission, gate, verdicts.get(submission.pk), now.moment)
        place = Place(
            environment=organization.environment,
            what=f"{organization.name}, {submission.event}",
            text=text,
            url=reverse("submission", args=[submission.environment, submission.pk]),
            since=submission.state_at,
        )
        yield line(organization.open_work, place, _pair(organization), now)


def _pair(organization: Organization) -> int:
    """The same for a record and its counterpart."""
    return organization.staging_record_id or organization.pk


def _held_one(own: WaitReason | None, gate: EnvironmentGate, moment: datetime.datetime) -> str:
    """What must be accepted before a queued submission, or its next attempt; "" if its environment is held.

    A banner above the page says what holds a whole environment. It is text: the whole row is a link, and counterparts
    with the same text say it once.
    """
    if own is None or (own.key == "attempt" and queue_reasons.environment_reason(gate, moment)):
        return ""
    return html.unescape(strip_tags(own.sentence))


def _why(
    kind: str, submission: Submission, gate: EnvironmentGate, verdict: Verdict | None, moment: datetime.datetime
) -> str:
    detail = plain(submission.detail)
    cut = f"{detail[:LONGEST_QUOTE]}…" if len(detail) > LONGEST_QUOTE else detail
    if kind == "rejected":
        if submission.decided_by:
            reason = plain(submission.state_reason).rstrip(".")
            return f"{decided(plain(submission.decided_by), verdict)}: {reason}."
        return f'Rejected by Redox: "{cut}"' if cut else "Rejected by Redox without a text."
    if kind == "unknown":
        left = submission.sent_at or submission.state_at
        time = written(left, "clock")
        promise = to_do.next_query_sentence(submission, gate, moment)
        return format_html("The message left at {}, but no clear answer came. {}", time, promise)
    # A text that the portal does not know may be of a gateway between it and Redox.
    return f'Redox wrote: "{cut}"' if submission.known_answer else plain(submission.state_reason)


def paused(now: Now) -> Iterator[Line]:
    """Plans that are held and not at their end: they continue only when somebody says so."""
    waits = Count("submissions", filter=Q(submissions__state__in=OPEN_STATES))
    for plan in Plan.objects.filter(state=PlanState.PAUSED).annotate(waits=waits).filter(waits__gt=0):
        place = Place(
            environment=plan.environment,
            what=f"Plan {plan.pk}, {count(plan.waits, 'record')}",
            text=f"{plain(plan.state_reason).rstrip('.')}.",
            url=reverse("plan", args=[plan.environment, plan.pk]),
            since=plan.state_at,
        )
        yield line("plan_paused", place, f"plan {plan.pk}", now)


def differing(numbers: Groups, now: Now) -> Iterator[Line]:
    """Records that the directory shows otherwise, whatever else is to do about them: one line each while they are few.

    `numbers` are those of `how_many_differ`.
    """
    if max((group["number"] for group in numbers), default=0) <= MOST_LINES:
        for organization in _differing().filter(environment__in=[group["environment"] for group in numbers]):
            yield line(DIRECTORY_DIFFERS, _one_differing(organization), _pair(organization), now)
        return
    for group in numbers:
        place = Place(
            environment=group["environment"],
            number=group["number"],
            what=count(group["number"], "record"),
            text="The directory shows other values than were accepted, or does not show the OID.",
            url=list_of(DIRECTORY_DIFFERS, group["environment"]),
            since=group["oldest"],
        )
        yield line(DIRECTORY_DIFFERS, place, MANY, now)


def how_many_differ() -> Groups:
    """The number of records in each environment that the directory shows otherwise, by an index of their own."""
    numbers = _differing().values("environment").annotate(number=Count("id"), oldest=Min("differs_since"))
    return [dict(group) for group in numbers]


def list_of(kind: str, environment: str, **narrowed: str) -> str:
    """The list of the records with this open work."""
    return reverse("organizations", args=[environment], query={"open_work": kind, **narrowed, "view": "list"})


def _differing() -> OrganizationQuerySet:
    return Organization.objects.filter(environment__in=Environment.values).to_do(DIRECTORY_DIFFERS).order_by()


def _one_differing(organization: Organization) -> Place:
    names = [spoken(each.label) for each in to_do.differences_of(organization)]
    return Place(
        environment=organization.environment,
        what=organization.name,
        text=f"{count(organization.differs, 'field')}: {to_do.listed(names)}."
        if names
        else to_do.missing_sentence(organization),
        url=reverse("record", args=[organization.environment, organization.oid]),
        since=organization.differs_since,
    )


def _submissions_in(kind: str, environment: str) -> str:
    state = State.AWAITING if kind == "awaiting" else State.QUEUED
    return reverse("submissions", args=[environment], query={"state": state.value})
