"""The lines of the home page about submissions, plans and what the directory shows."""

import datetime
import html
from collections.abc import Iterator, Mapping, Sequence

from django.urls import reverse
from django.utils.html import format_html, strip_tags

from organizations.models import Environment, EnvironmentGate, Organization, State, Submission, Verdict
from organizations.pages import queue_reasons
from organizations.pages.addresses import plan_url, record_url, submission_url
from organizations.pages.home.lines import MOST_SINGLE_LINES, PLAN_PAUSED, HomeContext, LinePlace, UnpairedLine, line_of
from organizations.pages.record import to_do
from organizations.queries import home
from organizations.queries.capped import MOST_COUNTED
from organizations.queries.home import DifferingGroup, RecordCounts
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.records import label_in_sentence
from organizations.services.delivery import decide
from organizations.text.decisions import decided
from organizations.text.markup import plain, written
from organizations.text.queue_reason import WaitReason
from organizations.text.vocabulary import UNKNOWN_AFTER_RESTORE, count

ONE_BY_ONE = ("needs_person", "rejected", "unknown", "queued")
"""Kinds of work with a line for each record while the records are few."""
LONGEST_QUOTE = 120
DELAYED_AFTER = datetime.timedelta(minutes=15)
MANY = "many"


def of_submissions(counts: Mapping[str, RecordCounts], context: HomeContext) -> Iterator[UnpairedLine]:
    """The lines of records whose work is that of their last submission."""
    few: dict[str, list[Environment]] = {}
    for kind in (*ONE_BY_ONE, "awaiting"):
        numbers = {environment: counts[environment].work[kind] for environment in Environment}
        if kind in ONE_BY_ONE and max(numbers.values()) <= MOST_SINGLE_LINES:
            if any(numbers.values()):
                few[kind] = [environment for environment, number in numbers.items() if number]
            continue
        for environment in Environment:
            place = _many(kind, environment, counts[environment], context)
            if place is not None:
                yield line_of(kind, place, MANY, context)
    yield from _one_by_one(few, context)


def _many(kind: str, environment: Environment, counts: RecordCounts, context: HomeContext) -> LinePlace | None:
    """One place for all records of a kind; None if there are none, or if the lines of paused plans count them all."""
    number = counts.work[kind]
    text, in_paused_plans = _queued_text(environment, context) if kind == "queued" and number else ("", 0)
    if number <= in_paused_plans:
        return None
    counts_submissions = kind in ("awaiting", "queued")
    return LinePlace(
        environment=environment,
        number=number,
        what=count(number, "submission" if counts_submissions else "record", most=MOST_COUNTED),
        text="Nothing has been sent." if kind == "awaiting" else text,
        url=_submissions_url(kind, environment) if counts_submissions else list_of(kind, environment),
        since=counts.oldest[kind],
    )


def _queued_text(environment: Environment, context: HomeContext) -> tuple[str, int]:
    """Why queued submissions wait, and how many of them a paused plan holds. A banner says why all of them wait."""
    counts = home.queued_counts(environment, context.now - DELAYED_AFTER)
    texts = []
    if counts.unreached and queue_reasons.environment_reason(context.gates[environment], context.now) is None:
        texts.append(f"Redox could not be reached for {_number(counts.unreached)} of these.")
    if counts.in_paused_plans:
        texts.append(f"{_number(counts.in_paused_plans).capitalize()} of these wait for a paused plan.")
    return " ".join(texts), counts.in_paused_plans


def _number(number: int) -> str:
    return f"{number:,}" if number <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"


def _one_by_one(few: dict[str, list[Environment]], context: HomeContext) -> Iterator[UnpairedLine]:
    records = home.records_with_work(few)
    submissions = [record.last_submission for record in records if record.last_submission]
    verdicts, reasons = decide.last_verdicts(submissions), queue_reasons.own_reasons(submissions, context.now)
    for organization, submission in zip(records, submissions, strict=True):
        reason = reasons.get(submission.pk)
        if reason is not None and reason.key == PLAN_PAUSED:
            continue  # the plan has its own line
        gate = context.gates[organization.environment]
        if organization.open_work == "queued":
            text = _queue_text(reason, gate, context.now)
        else:
            text = _text(organization.open_work, submission, gate, verdicts.get(submission.pk), context.now)
        place = LinePlace(
            environment=organization.environment,
            what=f"{organization.name}, {submission.event}",
            text=text,
            url=submission_url(submission),
            since=submission.state_at,
        )
        yield line_of(organization.open_work, place, _pair(organization), context)


def _pair(organization: Organization) -> int:
    """The same number for a record and its counterpart."""
    return organization.staging_record_id or organization.pk


def _queue_text(reason: WaitReason | None, gate: EnvironmentGate, now: datetime.datetime) -> str:
    """What a queued submission itself waits for; "" if only its environment holds it, which a banner says.

    Plain text without links: the whole row is a link, and counterparts with equal texts share one.
    """
    if reason is None or (reason.key == "attempt" and queue_reasons.environment_reason(gate, now)):
        return ""
    return html.unescape(strip_tags(reason.sentence))


def _text(
    kind: str, submission: Submission, gate: EnvironmentGate, verdict: Verdict | None, now: datetime.datetime
) -> str:
    detail = plain(submission.detail)
    quote = f"{detail[:LONGEST_QUOTE]}…" if len(detail) > LONGEST_QUOTE else detail
    if kind == "rejected":
        if submission.decided_by:
            reason = plain(submission.state_reason).rstrip(".")
            return f"{decided(plain(submission.decided_by), verdict)}: {reason}."
        return f'Rejected by Redox: "{quote}"' if quote else "Rejected by Redox without a text."
    if kind == "unknown":
        promise = to_do.next_query_sentence(submission, gate, now)
        if submission.is_restored or submission.sent_at is None:
            return format_html("{} {}", UNKNOWN_AFTER_RESTORE, promise)
        time = written(submission.sent_at, "clock")
        return format_html("The attempt began at {}, and no clear answer came. {}", time, promise)
    # A text of an unknown form may come from a gateway between the portal and Redox.
    return f'Redox wrote: "{quote}"' if submission.known_answer else plain(submission.state_reason)


def paused_plans(context: HomeContext) -> Iterator[UnpairedLine]:
    """Plans that wait for a person to resume them."""
    for plan, waiting in home.paused_plans():
        place = LinePlace(
            environment=plan.environment,
            what=f"Plan {plan.pk}, {count(waiting, 'record')}",
            text=f"{plain(plan.state_reason).rstrip('.')}.",
            url=plan_url(plan),
            since=plan.state_at,
        )
        yield line_of(PLAN_PAUSED, place, f"plan {plan.pk}", context)


def differing(groups: Sequence[DifferingGroup], context: HomeContext) -> Iterator[UnpairedLine]:
    """Records for which the directory shows other values, whatever else is to do about them."""
    if not groups:
        return
    if max(group.number for group in groups) <= MOST_SINGLE_LINES:
        for organization in home.differing_records([group.environment for group in groups]):
            yield line_of(DIRECTORY_DIFFERS, _one_differing(organization), _pair(organization), context)
        return
    for group in groups:
        place = LinePlace(
            environment=group.environment,
            number=group.number,
            what=count(group.number, "record"),
            text="The directory shows other values than were accepted, or does not show the OID.",
            url=list_of(DIRECTORY_DIFFERS, group.environment),
            since=group.oldest,
        )
        yield line_of(DIRECTORY_DIFFERS, place, MANY, context)


def _one_differing(organization: Organization) -> LinePlace:
    labels = [label_in_sentence(difference.label) for difference in to_do.differences_of(organization)]
    fields = f"{count(organization.differs, 'field')}: {to_do.name_fields(labels)}."
    return LinePlace(
        environment=organization.environment,
        what=organization.name,
        text=fields if labels else to_do.missing_sentence(organization),
        url=record_url(organization),
        since=organization.differs_since,
    )


def list_of(kind: str, environment: str, **filters: str) -> str:
    """The list of the records with this open work, with more filters."""
    return reverse("organizations", args=[environment], query={"open_work": kind, **filters, "view": "list"})


def _submissions_url(kind: str, environment: str) -> str:
    state = State.AWAITING if kind == "awaiting" else State.QUEUED
    return reverse("submissions", args=[environment], query={"state": state.value})
