"""Parts of the tree of records: a page of its top level, a branch, and the records above or below one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.paginator import Page
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from organizations.models import Organization, tree
from organizations.models.organization import OrganizationQuerySet
from organizations.queries.capped import MOST_COUNTED, count_up_to
from organizations.queries.record_rows import ROWS_A_PAGE, organizations_of, page_of

CHILDREN_AT_ONCE = 50
MOST_WITH_WORK = 3_000
"""If more records than this have open work, the rows of the tree do not show the work below them: adding it up would
take longer than the rest of the page."""


@dataclass(frozen=True, slots=True)
class Below:
    """How many records are below one record, at any depth, and how many of them have each key of OPEN_WORK.

    None: the environment has too many records to count them for a page.
    """

    records: int | None = 0
    work: Mapping[str, int] | None = field(default_factory=dict)


def below_each(environment: str, oids: Collection[str]) -> dict[str, Below]:
    """The counts below each of these records, if there are at most MOST_COUNTED records, and MOST_WITH_WORK with work.

    The number of queries does not grow with the number of records.
    """
    here = Organization.objects.in_environment(environment)
    can_count = count_up_to(here) <= MOST_COUNTED
    can_count_work = count_up_to(here.filter(open_work__gt=""), MOST_WITH_WORK) <= MOST_WITH_WORK
    records = tree.records_below(environment, oids) if can_count else {}
    work = tree.work_below(environment, oids) if can_count_work else {}
    return {
        oid: Below(records.get(oid, 0) if can_count else None, work.get(oid, {}) if can_count_work else None)
        for oid in oids
    }


def path_to(environment: str, oid: str) -> list[Organization]:
    """The records from the top of the tree down to the one with this OID; empty if there is none."""
    if not oid:
        return []
    record = Organization.objects.in_environment(environment).only("environment", "oid").with_oid(oid)
    return [*tree.path_of(record), record] if record else []


def depth_of(organization: Organization) -> int:
    """The level of a record in the tree; 1 at the top."""
    return len(tree.path_of(organization)) + 1


def top_level_page(environment: str, number: str, path: Sequence[Organization] = ()) -> Page[int]:
    """A page of the ids of top-level records; with a path, the page that shows the path's first record."""
    top = tree.top_level(environment).order_by("oid_key")
    return page_of(top, _page_with(top, path[0]) if path else number)


def _page_with(top: OrganizationQuerySet, organization: Organization) -> int:
    return top.filter(oid_key__lt=organization.parsed_oid.key).count() // ROWS_A_PAGE + 1


def children_page(organization: Organization, number: str) -> Page[int]:
    """A page of the ids of the children of one record."""
    children = Organization.objects.in_environment(organization.environment).filter(part_of_oid=organization.oid)
    return page_of(children.order_by("oid_key"), number, CHILDREN_AT_ONCE)


def first_children(environment: str, parents: Collection[str], path: Sequence[Organization]) -> list[Organization]:
    """The first children of each parent, and all records of the path among their children; one query."""
    children = Organization.objects.in_environment(environment).filter(part_of_oid__in=parents)
    numbered = children.annotate(
        position=Window(RowNumber(), partition_by=[F("part_of_oid")], order_by=[F("oid_key").asc()])
    )
    first = numbered.filter(Q(position__lte=CHILDREN_AT_ONCE) | Q(oid__in=[organization.oid for organization in path]))
    return organizations_of(first.order_by("oid_key").values_list("pk", flat=True))


def missing_ancestors(environment: str, organizations: Collection[Organization]) -> list[Organization]:
    """All ancestors of these records that are not among them."""
    paths = tree.ancestors_of(environment, [organization.oid for organization in organizations])
    own = {organization.pk for organization in organizations}
    return organizations_of({ancestor.pk for path in paths.values() for ancestor in path} - own)


def paths_above(environment: str, oids: Collection[str]) -> dict[str, list[str]]:
    """The names of the ancestors of each record that has any, the top first."""
    paths = tree.ancestors_of(environment, oids)
    return {oid: [ancestor.name for ancestor in path] for oid, path in paths.items()}
