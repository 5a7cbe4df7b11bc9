"""The tree of records as rows: what is open, what frames a hit, what lies below.

Without a wish, the top level is open, and what lies below it only where all of that fits a short screen. A wish opens
the way to one record and no other, or everything, or nothing. A folded branch says what work it holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.paginator import Page
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from organizations.models import Organization, tree
from organizations.models.organization import OrganizationQuerySet
from organizations.pages.organizations.rows import RecordRow, add_can_add_below, add_counterparts
from organizations.queries.filters import Filters
from organizations.queries.matches import match
from organizations.queries.record_rows import ROWS_A_PAGE, children_counts, organizations_of, page_of
from organizations.services import search_text

CHILDREN_AT_ONCE = 50
ROWS_AT_FIRST = 100
ROWS_OF_A_SCREEN = 20
MOST_UNFOLDED = 500
NOTHING_OPEN = "none"
TOP_OPEN = "top"
EVERYTHING_OPEN = "all"


@dataclass(slots=True)
class _Shown:
    """The rows of a page as they are gathered, level by level."""

    environment: str
    rows: dict[str, RecordRow] = field(default_factory=dict)
    below: dict[str, list[RecordRow]] = field(default_factory=dict)

    def add(self, organizations: Iterable[Organization], level: int) -> list[RecordRow]:
        """Take the records of one level in, with how many children each has: two queries."""
        added = [RecordRow(organization=organization, level=level) for organization in organizations]
        counts = children_counts(self.environment, (row.organization.oid for row in added))
        for row in added:
            row.children = counts.get(row.organization.oid, 0)
            self.rows[row.organization.oid] = row
            self.below.setdefault(row.organization.part_of_oid, []).append(row)
        return added

    def in_order(self, top: list[RecordRow]) -> list[RecordRow]:
        """All rows from the top down, each with where its sign for opening and closing leads."""
        ordered: list[RecordRow] = []
        waiting = list(reversed(top))
        while waiting:
            row = waiting.pop()
            ordered.append(row)
            children = self.below.get(row.organization.oid, [])
            row.toggle_url = _toggle_url(row, self.rows)
            waiting += reversed(children)
        add_counterparts(ordered)
        add_can_add_below(ordered)
        self._add_work_below(ordered)
        return ordered

    def _add_work_below(self, rows: list[RecordRow]) -> None:
        """Also for open branches: somebody may fold them without loading the page."""
        found = tree.below_each(self.environment, [row.organization.oid for row in rows if row.children])
        for row in rows:
            row.below = found.get(row.organization.oid, row.below)
        for row in rows:
            children = self.below.get(row.organization.oid, [])
            if children and children[-1].more:
                row.unshown = row.below.records - sum(1 + child.below.records for child in children)


def whole(environment: str, page: str, wish: str) -> tuple[Page[int], list[RecordRow]]:
    """A page of top-level records and what is open below them. `wish` is an OID to open, "all", "top" or "none".

    A number of queries that depends on the depth alone.
    """
    way = _way(environment, wish)
    top = tree.top_level(environment).order_by("oid_key")
    shown_page = page_of(top, _page_with(top, way[0]) if way else page)
    shown = _Shown(environment)
    level_rows = first = shown.add(organizations_of(shown_page), 1)
    level = 1
    while opened := _on_way(level_rows, way) if way else _fitting(level_rows, _most(level, wish) - len(shown.rows)):
        level += 1
        for row in opened:
            row.is_open = True
        level_rows = shown.add(_children(environment, opened, way), level)
        _mark_more(opened, shown)
    return shown_page, shown.in_order(first)


def hits(
    environment: str, found: OrganizationQuerySet, filters: Filters, page: str, size: int
) -> tuple[Page[int], list[RecordRow]]:
    """A page of so many records that fit, framed by those above them."""
    words = filters.words
    shown_page = page_of(found.order_by("oid_key"), page, size, is_search=bool(words))
    of_page = organizations_of(shown_page, with_texts=bool(words))
    lines = tree.ancestors_of(environment, [organization.oid for organization in of_page])
    frames = {above.pk for line in lines.values() for above in line} - {organization.pk for organization in of_page}
    shown = _Shown(environment)
    for row in shown.add(organizations_of(frames), 1):
        row.is_ancestor_only = True
    for row in shown.add(of_page, 1):
        row.match = match(row.organization, words) if words else None
    return shown_page, shown.in_order(_arranged(shown))


def branch(organization: Organization, page: str) -> list[RecordRow]:
    """A page of the children of one record, as rows of the tree."""
    children = Organization.objects.in_environment(organization.environment).filter(part_of_oid=organization.oid)
    shown_page = page_of(children.order_by("oid_key"), page, CHILDREN_AT_ONCE)
    shown = _Shown(organization.environment)
    rows = shown.add(organizations_of(shown_page), len(tree.path_of(organization)) + 2)
    if rows and shown_page.has_next():
        rows[-1].more = shown_page.paginator.count - shown_page.end_index()
        rows[-1].more_url = _more_url(organization, shown_page.next_page_number())
    return shown.in_order(rows)


def _way(environment: str, wish: str) -> list[Organization]:
    """The record to open and all above it, the top first; nothing where there is no such record."""
    oid = search_text.oid_in(wish)
    wanted = Organization.objects.in_environment(environment).filter(oid=oid).only("environment", "oid").first()
    return [*tree.path_of(wanted), wanted] if wanted else []


def _page_with(top: OrganizationQuerySet, organization: Organization) -> int:
    return top.filter(oid_key__lt=organization.value.key).count() // ROWS_A_PAGE + 1


def _on_way(rows: list[RecordRow], way: list[Organization]) -> list[RecordRow]:
    on_way = {organization.oid for organization in way}
    return [row for row in rows if row.children and row.organization.oid in on_way]


def _fitting(rows: list[RecordRow], most: int) -> list[RecordRow]:
    """All those of a level that have children, if what lies below them are at most so many rows; else none."""
    with_children = [row for row in rows if row.children]
    return with_children if sum(min(row.children, CHILDREN_AT_ONCE) for row in with_children) <= most else []


def _most(level: int, wish: str) -> int:
    """How many rows may be there once the records of this level are open."""
    if wish == EVERYTHING_OPEN:
        return MOST_UNFOLDED
    if wish == NOTHING_OPEN:
        return 0
    if level == 1:
        return ROWS_AT_FIRST
    return 0 if wish == TOP_OPEN else ROWS_OF_A_SCREEN


def _children(environment: str, opened: list[RecordRow], way: list[Organization]) -> list[Organization]:
    """The first children of each of these, and those on the way wherever they stand."""
    children = Organization.objects.in_environment(environment).filter(
        part_of_oid__in=[row.organization.oid for row in opened]
    )
    numbered = children.annotate(
        place=Window(RowNumber(), partition_by=[F("part_of_oid")], order_by=[F("oid_key").asc()])
    )
    first = numbered.filter(Q(place__lte=CHILDREN_AT_ONCE) | Q(oid__in=[organization.oid for organization in way]))
    return organizations_of(first.order_by("oid_key").values_list("pk", flat=True))


def _mark_more(opened: list[RecordRow], shown: _Shown) -> None:
    for row in opened:
        below = shown.below.get(row.organization.oid, [])
        if below and row.children > len(below):
            below[-1].more = row.children - len(below)
            # Where the way leads past the first page, its rows are no page: the next one would repeat a row.
            below[-1].more_url = _more_url(row.organization, 2) if len(below) == CHILDREN_AT_ONCE else ""


def _more_url(organization: Organization, page: int) -> str:
    return reverse("branch", args=[organization.environment, organization.oid]) + f"?page={page}"


def _arranged(shown: _Shown) -> list[RecordRow]:
    """The rows whose parent is not shown; the others get their level and order below them."""
    for rows in shown.below.values():
        rows.sort(key=lambda row: row.organization.oid_key)
    top = [row for row in shown.rows.values() if row.organization.part_of_oid not in shown.rows]
    top.sort(key=lambda row: row.organization.oid_key)
    waiting = list(top)
    while waiting:
        row = waiting.pop()
        children = shown.below.get(row.organization.oid, [])
        row.is_open = bool(children)
        for child in children:
            child.level = row.level + 1
        waiting += children
    return top


def _toggle_url(row: RecordRow, rows: dict[str, RecordRow]) -> str:
    """The tree with this record's branch opened, or closed: then the way to its parent stays open."""
    if not row.children:
        return ""
    address = reverse("organizations", args=[row.organization.environment])
    parent = row.organization.part_of_oid
    closed = parent if parent in rows else NOTHING_OPEN
    return f"{address}?open={closed if row.is_open else row.organization.oid}"
