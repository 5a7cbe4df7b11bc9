"""The rows of plans: a plan with its submissions, the list of plans, and the records of a draft."""

from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models import Count, QuerySet

from organizations.models import Environment, Organization, Plan, Submission, tree


def plan_ids(environment: Environment) -> QuerySet[Plan, int]:
    """The ids of all plans, the newest first."""
    return Plan.objects.filter(environment=environment).order_by("-pk").values_list("pk", flat=True)


def plans_by_id(ids: Sequence[int]) -> list[Plan]:
    """These plans with who made them, the newest first."""
    return list(Plan.objects.filter(pk__in=ids).select_related("made_by").order_by("-pk"))


def state_counts(ids: Sequence[int]) -> dict[int, Counter[str]]:
    """How many submissions of each plan have each state; one query."""
    counts: dict[int, Counter[str]] = {number: Counter() for number in ids}
    of_these = Submission.objects.filter(plan__in=ids).order_by()
    for plan, state, number in of_these.values_list("plan", "state").annotate(Count("pk")):
        counts[plan][state] = number
    return counts


def submissions_of(plan: Plan) -> list[Submission]:
    """The submissions of a plan with their records, in the order of sending."""
    return list(plan.submissions.select_related("organization").defer("message", "before").order_by("pk"))


def records_by_id(ids: Collection[int]) -> list[Organization]:
    """The records of these ids that still exist, by OID."""
    return list(Organization.objects.filter(pk__in=ids).order_by("oid_key"))


def active_counterparts(environment: Environment, ids: Collection[int]) -> int:
    """How many counterparts of these records are active in the other environment."""
    active = Organization.objects.filter(confirmed_active=True)
    if environment == Environment.PRODUCTION:
        return active.filter(production_record__in=ids).count()
    return active.filter(staging_record__in=ids).count()


def with_work_below(environment: Environment, oids: Collection[str], work: str) -> set[str]:
    """The OIDs among these below which a record has this open work."""
    return {oid for oid, numbers in tree.work_below(environment, oids).items() if numbers.get(work)}
