"""The tree of records as rows.

At first the top level is open, and the levels below it only if all their rows fit a short screen. The address can open
the path to one record, everything, or nothing. A folded branch shows what work it holds.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.core.paginator import Page

from organizations.models import Organization
from organizations.pages.addresses import environment_url, record_url
from organizations.pages.organizations.rows import RecordRow, add_can_add_below
from organizations.queries import record_filters, record_rows, record_tree
from organizations.queries.matches import match
from organizations.queries.record_filters import RecordFilters
from organizations.queries.record_rows import children_counts, organizations_of
from organizations.queries.record_tree import CHILDREN_AT_ONCE
from organizations.services import search_text

ROWS_AT_FIRST = 100
ROWS_OF_A_SCREEN = 20
MOST_UNFOLDED = 500
# What the address can open, besides the OID of a record.
NOTHING_OPEN = "none"
TOP_OPEN = "top"
EVERYTHING_OPEN = "all"


@dataclass(slots=True)
class _TreeRows:
    """The rows of a page, gathered level by level: by OID, and by the OID of their parent."""

    environment: str
    rows: dict[str, RecordRow] = field(default_factory=dict)
    children: dict[str, list[RecordRow]] = field(default_factory=dict)

    def add(self, organizations: Iterable[Organization], level: int) -> list[RecordRow]:
        """Add the records of one level; one query counts their children."""
        rows = [RecordRow(organization=organization, level=level) for organization in organizations]
        counts = children_counts(self.environment, (row.organization.oid for row in rows))
        for row in rows:
            row.children = counts.get(row.organization.oid, 0)
            self.rows[row.organization.oid] = row
            self.children.setdefault(row.organization.part_of_oid, []).append(row)
        return rows

    def in_order(self, top: list[RecordRow]) -> list[RecordRow]:
        """All rows from the top down, with everything that a row shows."""
        ordered: list[RecordRow] = []
        waiting = list(reversed(top))
        while waiting:
            row = waiting.pop()
            ordered.append(row)
            row.toggle_url = _toggle_url(row, self.rows)
            waiting += reversed(self._children_of(row))
        add_can_add_below(ordered)
        self._add_work_below(ordered)
        return ordered

    def mark_more(self, opened: list[RecordRow]) -> None:
        """Set, on the last child of each opened row, how many more children follow."""
        for row in opened:
            children = self._children_of(row)
            if children and row.children > len(children):
                children[-1].more = row.children - len(children)
                children[-1].is_more_counted = row.children <= record_rows.MOST_CHILDREN
                # With a record of the path after the first page, the next page would repeat it: no address then.
                children[-1].more_url = _more_url(row.organization, 2) if len(children) == CHILDREN_AT_ONCE else ""

    def arrange(self) -> list[RecordRow]:
        """Sort the rows below their parents and set their levels. Returns the rows without a parent on the page."""
        for rows in self.children.values():
            rows.sort(key=lambda row: row.organization.oid_key)
        top = [row for row in self.rows.values() if row.organization.part_of_oid not in self.rows]
        top.sort(key=lambda row: row.organization.oid_key)
        waiting = list(top)
        while waiting:
            row = waiting.pop()
            children = self._children_of(row)
            row.is_open = bool(children)
            for child in children:
                child.level = row.level + 1
            waiting += children
        return top

    def _add_work_below(self, rows: list[RecordRow]) -> None:
        """Set the work below each row, also if its branch is open: the browser can fold it without the server."""
        below = record_tree.below_each(self.environment, [row.organization.oid for row in rows if row.children])
        for row in rows:
            row.below = below.get(row.organization.oid, row.below)
        for row in rows:
            children = self._children_of(row)
            if children and children[-1].more:
                row.is_part = True
                row.unshown = (row.below.records or 0) - sum(1 + (child.below.records or 0) for child in children)

    def _children_of(self, row: RecordRow) -> list[RecordRow]:
        return self.children.get(row.organization.oid, [])


def whole(environment: str, page: str, opening: str) -> tuple[Page[int], list[RecordRow]]:
    """A page of top-level records and what is open below them. `opening` is an OID, "all", "top" or "none".

    The number of queries depends only on the depth.
    """
    path = record_tree.path_to(environment, search_text.oid_in(opening))
    ids = record_tree.top_level_page(environment, page, path)
    table = _TreeRows(environment)
    rows = top = table.add(organizations_of(ids), 1)
    level = 1
    while opened := _on_path(rows, path) if path else _fitting(rows, _most_rows(level, opening) - len(table.rows)):
        level += 1
        for row in opened:
            row.is_open = True
        parents = [row.organization.oid for row in opened]
        rows = table.add(record_tree.first_children(environment, parents, path), level)
        table.mark_more(opened)
    return ids, table.in_order(top)


def matching(environment: str, filters: RecordFilters, page: str, size: int) -> tuple[Page[int], list[RecordRow]]:
    """A page of the records that match, `size` of them, with all records above them."""
    words = filters.words
    ids = record_filters.page_of(environment, filters, page, size)
    organizations = organizations_of(ids, words)
    table = _TreeRows(environment)
    for row in table.add(record_tree.missing_ancestors(environment, organizations), 1):
        row.is_ancestor_only = True
    for row in table.add(organizations, 1):
        row.match = match(row.organization, words) if words else None
    return ids, table.in_order(table.arrange())


def branch(organization: Organization, page: str) -> list[RecordRow]:
    """A page of the children of one record, as rows of the tree."""
    ids = record_tree.children_page(organization, page)
    table = _TreeRows(organization.environment)
    rows = table.add(organizations_of(ids), record_tree.depth_of(organization) + 1)
    if rows and ids.has_next():
        rows[-1].more = ids.paginator.count - ids.end_index()
        rows[-1].more_url = _more_url(organization, ids.next_page_number())
    return table.in_order(rows)


def _on_path(rows: list[RecordRow], path: Sequence[Organization]) -> list[RecordRow]:
    oids = {organization.oid for organization in path}
    return [row for row in rows if row.children and row.organization.oid in oids]


def _fitting(rows: list[RecordRow], most: int) -> list[RecordRow]:
    """All rows of a level that have children, if at most `most` children would be shown; otherwise none."""
    with_children = [row for row in rows if row.children]
    return with_children if sum(min(row.children, CHILDREN_AT_ONCE) for row in with_children) <= most else []


def _most_rows(level: int, opening: str) -> int:
    """How many rows a page may have once the rows of this level are open."""
    if opening == EVERYTHING_OPEN:
        return MOST_UNFOLDED
    if opening == NOTHING_OPEN:
        return 0
    if level == 1:
        return ROWS_AT_FIRST
    return 0 if opening == TOP_OPEN else ROWS_OF_A_SCREEN


def _more_url(organization: Organization, page: int) -> str:
    return record_url(organization, "branch") + f"?page={page}"


def _toggle_url(row: RecordRow, rows: Collection[str]) -> str:
    """The tree with the branch of this row opened; if it is open, with only the path to its parent open."""
    if not row.children:
        return ""
    address = environment_url("organizations", row.organization.environment)
    parent = row.organization.part_of_oid
    closed = parent if parent in rows else NOTHING_OPEN
    return f"{address}?open={closed if row.is_open else row.organization.oid}"
