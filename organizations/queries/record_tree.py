"""Parts of the tree of records: a page of its top level, a branch, and what lies above or below a record."""

from collections.abc import Collection, Sequence

from django.core.paginator import Page
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from organizations.models import Organization, tree
from organizations.models.organization import OrganizationQuerySet
from organizations.queries.record_rows import ROWS_A_PAGE, organizations_of, page_of

CHILDREN_AT_ONCE = 50


def path_to(environment: str, oid: str) -> list[Organization]:
    """The records from the top of the tree down to the one with this OID; empty if there is none."""
    record = Organization.objects.in_environment(environment).filter(oid=oid).only("environment", "oid").first()
    return [*tree.path_of(record), record] if record else []


def depth_of(organization: Organization) -> int:
    """1 at the top of the tree."""
    return len(tree.path_of(organization)) + 1


def top_level_page(environment: str, number: str, path: Sequence[Organization] = ()) -> Page[int]:
    """A page of the ids of top-level records; with a path, the page on which the path begins."""
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
        place=Window(RowNumber(), partition_by=[F("part_of_oid")], order_by=[F("oid_key").asc()])
    )
    first = numbered.filter(Q(place__lte=CHILDREN_AT_ONCE) | Q(oid__in=[organization.oid for organization in path]))
    return organizations_of(first.order_by("oid_key").values_list("pk", flat=True))


def missing_ancestors(environment: str, organizations: Collection[Organization]) -> list[Organization]:
    """All ancestors of these records that are not among them."""
    lines = tree.ancestors_of(environment, [organization.oid for organization in organizations])
    own = {organization.pk for organization in organizations}
    return organizations_of({ancestor.pk for line in lines.values() for ancestor in line} - own)


def paths_above(environment: str, oids: Collection[str]) -> dict[str, list[str]]:
    """The names of the ancestors of each record that has any, the top first."""
    lines = tree.ancestors_of(environment, oids)
    return {oid: [ancestor.name for ancestor in line] for oid, line in lines.items()}
