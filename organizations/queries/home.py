"""What the home page counts and lists. The number of queries does not grow with the number of records."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db.models import Count, Min, Q, Sum

from organizations.models import (
    Environment,
    Organization,
    Plan,
    PlanState,
    Presence,
    State,
    Submission,
    User,
    Worker,
)
from organizations.models.organization import OrganizationQuerySet
from organizations.models.submission import OPEN_STATES
from organizations.queries.chosen_records import UNSENT
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.services.delivery import heartbeat

GROUPED_BY: tuple[str, ...] = ("environment", "standing", "open_work", "edited_by")
NEWEST_LOOKED_AT = 20


class RecordGroup(NamedTuple):
    """The records with the same environment, status, work and last editor; `fields` counts their unsent changes."""

    environment: str
    standing: str
    open_work: str
    edited_by: int | None
    number: int
    fields: int
    oldest_edit: datetime.datetime
    oldest_state: datetime.datetime | None
    never_compared: int


class DifferingGroup(NamedTuple):
    """The records of one environment for which the directory shows something else than was accepted."""

    environment: str
    number: int
    oldest: datetime.datetime | None


class QueuedCounts(NamedTuple):
    """Of the queued submissions of an environment: those whose attempts did not reach Redox, those of paused plans."""

    unreached: int
    in_paused_plans: int


class PausedPlan(NamedTuple):
    """A paused plan with the number of its open submissions."""

    plan: Plan
    waiting: int


def record_groups() -> list[RecordGroup]:
    """All records, grouped; one query."""
    groups = Organization.objects.with_standing().order_by().values(*GROUPED_BY)
    groups_with_counts = groups.annotate(
        number=Count("id"),
        fields=Sum("changes"),
        oldest_edit=Min("edited_at"),
        oldest_state=Min("last_submission__state_at"),
        never_compared=Count("id", filter=Q(presence=Presence.PRESENT, seen_at=None)),
    )
    return [RecordGroup(**group) for group in groups_with_counts]


def differing_groups() -> list[DifferingGroup]:
    """The numbers of differing records, read from an index of their own."""
    numbers = _differing().values("environment").annotate(number=Count("id"), oldest=Min("differs_since"))
    return [DifferingGroup(**group) for group in numbers]


def differing_records(environments: Collection[str]) -> list[Organization]:
    return list(_differing().filter(environment__in=environments))


def _differing() -> OrganizationQuerySet:
    return Organization.objects.filter(environment__in=Environment.values).to_do(DIRECTORY_DIFFERS).order_by()


def records_with_work(environments: Mapping[str, Collection[str]]) -> list[Organization]:
    """The records with one of these kinds of open work in one of its environments, with their last submission."""
    work = Q(pk__in=[])
    for kind, of_kind in environments.items():
        work |= Q(open_work=kind, environment__in=of_kind)
    return list(Organization.objects.with_standing().filter(work).select_related("last_submission"))


def queued_counts(environment: str, before: datetime.datetime) -> QueuedCounts:
    """`unreached` counts only submissions that were made before this time."""
    queued = Submission.objects.filter(environment=environment, state=State.QUEUED)
    unreached = Q(tries__gt=0, http_status=None, created_at__lt=before)
    numbers = queued.aggregate(
        unreached=Count("id", filter=unreached),
        in_paused_plans=Count("id", filter=Q(plan__state=PlanState.PAUSED)),
    )
    return QueuedCounts(**numbers)


def paused_plans() -> list[PausedPlan]:
    """The paused plans that have open submissions."""
    waiting = Count("submissions", filter=Q(submissions__state__in=OPEN_STATES))
    plans = Plan.objects.filter(state=PlanState.PAUSED).annotate(waiting=waiting).filter(waiting__gt=0)
    return [PausedPlan(plan, plan.waiting) for plan in plans]


def names_of(people: Iterable[int | None]) -> dict[int | None, str]:
    """The names of people by their ids."""
    ids = {number for number in people if number is not None}
    return {number: person.display_name for number, person in User.objects.in_bulk(ids).items()}


def unsent_of(user: User, environments: Collection[str]) -> list[Organization]:
    """The records with unsent changes that this person saved last, the oldest change first."""
    records = Organization.objects.filter(environment__in=environments, edited_by=user).to_do(UNSENT)
    return list(records.order_by("edited_at").only("environment", "name", "changes"))


def submitted_by(user: User, since: datetime.datetime, most: int) -> list[Submission]:
    """The newest submissions of one person."""
    submissions = Submission.objects.filter(submitter=user, created_at__gte=since).select_related("organization")
    return list(submissions.order_by("-id")[:most])


def last_accepted(environment: str) -> Submission | None:
    """The submission that was accepted last. Only the accepted ones with the highest numbers are read, by an index."""
    accepted = Submission.objects.filter(environment=environment, state=State.ACCEPTED).select_related("organization")
    return max(accepted.order_by("-id")[:NEWEST_LOOKED_AT], key=ended_at, default=None)


def ended_at(submission: Submission) -> datetime.datetime:
    return submission.ended_at or submission.state_at


def running_workers(now: datetime.datetime) -> list[Worker]:
    return [worker for worker in Worker.objects.filter(stopped_at=None) if heartbeat.is_seen(worker, now)]
