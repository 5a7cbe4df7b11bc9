"""The counts and lists of the home page. The number of queries does not grow with the number of records."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import Count, Min, OuterRef, Q, Subquery

from organizations.models import (
    Environment,
    EnvironmentGate,
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
from organizations.queries.capped import MOST_COUNTED, CountUpTo, count_up_to
from organizations.queries.chosen_records import UNSENT
from organizations.queries.record_filters import CHOICES, DIRECTORY_DIFFERS
from organizations.services.delivery import heartbeat

NEWEST_READ = 20
SUBMISSION_WORK = ("needs_person", "unknown", "rejected", "sending", "queued", "awaiting")
"""The kinds of open work that the state of the last submission decides."""


class RecordCounts(NamedTuple):
    """Records of one environment, by `standing` and by `open_work`. Each number is limited as in `count_up_to`.

    `oldest`: for each kind in SUBMISSION_WORK, when the record that has waited longest entered its state.
    `never_compared`: records that the directory has and that no Query has read.
    """

    standings: dict[str, int]
    work: dict[str, int]
    oldest: dict[str, datetime.datetime | None]
    never_compared: int


class UnsentGroup(NamedTuple):
    """The records of an environment with unsent changes that one person saved last (None: the portal).

    `number` is limited as in `count_up_to`; `oldest` is when the record that has waited longest was saved.
    """

    environment: str
    edited_by: int | None
    number: int
    oldest: datetime.datetime


class DifferingGroup(NamedTuple):
    """The records of one environment for which the directory shows other values than the accepted ones."""

    environment: str
    number: int
    oldest: datetime.datetime | None


class QueuedCounts(NamedTuple):
    """How many queued submissions of an environment never reached Redox, and how many belong to paused plans."""

    unreached: int
    in_paused_plans: int


class PausedPlan(NamedTuple):
    """A paused plan with the number of its open submissions."""

    plan: Plan
    waiting: int


def record_counts() -> dict[str, RecordCounts]:
    """The counts of records by environment; one query, which reads only indexes."""
    here = Organization.objects.filter(environment=OuterRef("environment"))
    counts: dict[str, Any] = {f"standing_{key}": CountUpTo(here.filter(standing=key)) for key in CHOICES["standing"]}
    for key in SUBMISSION_WORK:
        of_kind = here.filter(open_work=key)
        counts[f"work_{key}"] = CountUpTo(of_kind)
        counts[f"oldest_{key}"] = Subquery(of_kind.order_by("last_state_at").values("last_state_at")[:1])
    counts["never_compared"] = CountUpTo(here.filter(presence=Presence.PRESENT, seen_at=None))
    rows = EnvironmentGate.objects.values("environment").annotate(**counts)
    return {row["environment"]: _record_counts(row) for row in rows}


def _record_counts(row: Mapping[str, Any]) -> RecordCounts:
    return RecordCounts(
        standings={key: row[f"standing_{key}"] for key in CHOICES["standing"]},
        work={key: row[f"work_{key}"] for key in SUBMISSION_WORK},
        oldest={key: row[f"oldest_{key}"] for key in SUBMISSION_WORK},
        never_compared=row["never_compared"],
    )


def unsent_groups() -> list[UnsentGroup]:
    """The unsent changes by the person who saved them. The number of queries does not grow with the records."""
    groups = []
    for environment in Environment.values:
        unsent = Organization.objects.filter(environment=environment).to_do(UNSENT).order_by("edited_at")
        of_person = unsent.filter(edited_by=OuterRef("pk"))
        oldest = Subquery(of_person.values("edited_at")[:1])
        people = User.objects.annotate(number=CountUpTo(of_person), oldest=oldest).order_by("pk")
        groups += [UnsentGroup(environment, *row) for row in people.values_list("pk", "number", "oldest") if row[1]]
        of_portal = unsent.filter(edited_by=None)
        first = of_portal.values_list("edited_at", flat=True).first()
        if first is not None:
            groups.append(UnsentGroup(environment, None, count_up_to(of_portal), first))
    return groups


def differing_groups() -> list[DifferingGroup]:
    """The counts of differing records, read from their own index."""
    numbers = _differing().values("environment").annotate(number=Count("id"), oldest=Min("differs_since"))
    return [DifferingGroup(**group) for group in numbers]


def differing_records(environments: Collection[str]) -> list[Organization]:
    return list(_differing().filter(environment__in=environments))


def _differing() -> OrganizationQuerySet:
    return Organization.objects.filter(environment__in=Environment.values).to_do(DIRECTORY_DIFFERS).order_by()


def records_with_work(environments: Mapping[str, Collection[str]]) -> list[Organization]:
    """The records with open work, with their last submission. `environments` maps each kind of work to environments."""
    if not environments:
        return []
    work = Q(pk__in=[])
    for kind, of_kind in environments.items():
        work |= Q(open_work=kind, environment__in=of_kind)
    return list(Organization.objects.filter(work).select_related("last_submission"))


def queued_counts(environment: str, before: datetime.datetime) -> QueuedCounts:
    """The counts of queued submissions, of the first MOST_COUNTED + 1. `unreached`: of those made before this time."""
    queued = Submission.objects.filter(environment=environment, state=State.QUEUED).order_by("pk")[: MOST_COUNTED + 1]
    unreached = Q(counted_attempts__gt=0, http_status=None, created_at__lt=before)
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
    ids = {user_id for user_id in people if user_id is not None}
    return {user_id: person.display_name for user_id, person in User.objects.in_bulk(ids).items()}


def unsent_of(user: User, environments: Collection[str]) -> list[Organization]:
    """The records with unsent changes that this person saved last, the oldest change first."""
    records = Organization.objects.filter(environment__in=environments, edited_by=user).to_do(UNSENT)
    return list(records.order_by("edited_at").only("environment", "name", "changes"))


def submitted_by(user: User, since: datetime.datetime, limit: int) -> list[Submission]:
    """The newest submissions of one person."""
    submissions = Submission.objects.filter(submitter=user, created_at__gte=since).select_related("organization")
    columns = ("environment", "oid", "event", "state", "state_at", "evidence", "decided_by", "organization__name")
    return list(submissions.only(*columns).order_by("-id")[:limit])


def last_accepted(environment: str) -> Submission | None:
    """The submission that was accepted last, among the accepted ones with the highest ids, which an index finds."""
    accepted = Submission.objects.filter(environment=environment, state=State.ACCEPTED).select_related("organization")
    columns = accepted.only("environment", "oid", "state", "state_at", "ended_at", "evidence", "organization__name")
    return max(columns.order_by("-id")[:NEWEST_READ], key=ended_at, default=None)


def ended_at(submission: Submission) -> datetime.datetime:
    return submission.ended_at or submission.state_at


def running_workers(now: datetime.datetime) -> list[Worker]:
    return [worker for worker in Worker.objects.filter(stopped_at=None) if heartbeat.is_running(worker, now)]
