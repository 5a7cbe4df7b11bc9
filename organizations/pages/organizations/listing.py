"""The list of organizations, as a list or as a tree, with its filters and counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.core.paginator import Page

from organizations.models import Environment
from organizations.pages.addresses import environment_url
from organizations.pages.filter_controls import FilterChip, FilterSelect, NothingFits
from organizations.pages.organizations import filter_words, tree_rows
from organizations.pages.organizations.rows import RecordRow, add_can_add_below, mark_chosen
from organizations.queries import chosen_records, record_filters, record_rows
from organizations.queries.capped import MOST_COUNTED, counted_rows, misses_rows
from organizations.queries.chosen_records import UNSENT, TickedRecords
from organizations.queries.matches import match
from organizations.queries.record_filters import LIST, TREE, RecordFilters
from organizations.services.review.plan_draft import MOST_RECORDS
from organizations.text.vocabulary import count

NOTHING_CHOSEN = TickedRecords()
_HEADINGS: Mapping[str, str] = {"name": "Name", "oid": "OID", "accepted": "Last accepted"}


LEFT_OUT = "To-dos below folded rows are not shown, because too many records have one. Filter by To do instead."


class Column(NamedTuple):
    """A heading that sorts the list. `url` sorts by it, or reverses the order if the list is sorted by it."""

    label: str
    url: str
    aria_sort: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The list on one page.

    `total` counts all records of the environment up to MOST_COUNTED, `fitting` those that match the filters up to
    `most_counted`. `chosen_elsewhere` are the ids of chosen records without a row here. `unsent` counts the records
    with changes that one link can choose, up to what a plan holds.
    """

    environment: Environment
    filters: RecordFilters
    page: Page[int]
    rows: list[RecordRow]
    total: int
    fitting: int
    chips: list[FilterChip]
    chosen_elsewhere: tuple[int, ...]
    unsent: int

    @property
    def is_tree(self) -> bool:
        return self.filters.view == TREE

    @property
    def is_filtered(self) -> bool:
        return bool(self.filters.in_force)

    @property
    def address(self) -> str:
        return environment_url("organizations", self.environment)

    @property
    def summary(self) -> str:
        """How many records are shown: "63 records", or with filters "2 of 63 records match, and 3 parents"."""
        total = count(self.total, "record", most=MOST_COUNTED)
        if not self.is_filtered:
            return total
        most = record_filters.most_counted(self.filters)
        if self.fitting > most:
            return f"{count(self.fitting, 'record', most=most)} match"
        parents = sum(row.is_ancestor_only for row in self.rows)
        also = f", and {count(parents, 'parent')}" if parents else ""
        return f"{self.fitting:,} of {total} {'matches' if self.fitting == 1 else 'match'}{also}"

    @property
    def note(self) -> str:
        """Which part of the search is left out, and what the page does not add up, as sentences."""
        of_search = filter_words.note(self.filters.q, misses_records=misses_rows(self.page))
        return " ".join(filter(None, (of_search, LEFT_OUT if self.leaves_out_work else "")))

    @property
    def folded(self) -> int:
        """How many records the page hides in folded branches."""
        return 0 if self.is_filtered else sum(row.below.records or 0 for row in self.rows if row.is_folded)

    @property
    def hidden(self) -> str:
        """What the page does not show yet: ", 12 in folded branches, 40 behind “more here”". As in portal.js."""
        if any(row.below.records is None for row in self.rows):
            is_folded = not self.is_filtered and any(row.is_folded for row in self.rows)
            return ", others in folded branches" if is_folded else ""
        folded = f", {self.folded} in folded branches" if self.folded else ""
        unshown = sum(row.unshown for row in self.rows)
        return f"{folded}, {unshown} behind “more here”" if unshown else folded

    @property
    def leaves_out_work(self) -> bool:
        """Whether folded rows leave out the work below them, because there is too much to add up."""
        return any(row.below.work is None for row in self.rows)

    @property
    def unfold_url(self) -> str:
        """The tree with every branch open; "" if they are open already, or if the page would be too long."""
        can_unfold = self.folded and self.total <= tree_rows.MOST_UNFOLDED
        return self._opening(tree_rows.EVERYTHING_OPEN) if can_unfold else ""

    @property
    def fold_url(self) -> str:
        """The tree with every branch below the top level folded; "" if they are folded already."""
        is_unfolded = self.is_tree and not self.is_filtered and any(row.is_open and row.level > 1 for row in self.rows)
        return self._opening(tree_rows.TOP_OPEN) if is_unfolded else ""

    @property
    def selects(self) -> list[FilterSelect]:
        """The selects that the page always shows."""
        return [each for each in filter_words.selects(self.filters) if each.name in filter_words.ALWAYS_SHOWN]

    @property
    def more_selects(self) -> list[FilterSelect]:
        """The selects behind "More filters"."""
        return [each for each in filter_words.selects(self.filters) if each.name not in filter_words.ALWAYS_SHOWN]

    @property
    def is_more_set(self) -> bool:
        """Whether one of the filters behind "More filters" is in force."""
        more = {"below", *(select.name for select in self.more_selects)}
        return bool(more.intersection(self.filters.in_force))

    @property
    def chosen(self) -> int:
        return sum(row.is_chosen for row in self.rows) + len(self.chosen_elsewhere)

    @property
    def choose_label(self) -> str:
        """The link that chooses all records with unsent changes, or as many as a plan holds."""
        how_many = f"all {self.unsent}" if self.unsent <= MOST_RECORDS else f"the first {MOST_RECORDS:,}"
        return f"Choose {how_many} with unsent changes"

    @property
    def choose_url(self) -> str:
        return f"{self._changed(open_work=UNSENT)}&choose=unsent"

    @property
    def views(self) -> list[tuple[str, str, bool]]:
        """Tree and list as (word, address, whether it is the current one)."""
        return [(word, self._changed(view=key), key == self.filters.view) for key, word in filter_words.VIEWS.items()]

    @property
    def all_url(self) -> str:
        return self.address + self.filters.cleared().address()

    @property
    def hide_url(self) -> str:
        """The list without deactivated records; "" if it hides them already or shows only them."""
        is_hidden = self.filters.hide_deactivated or self.filters.standing == "deactivated"
        return "" if is_hidden else self._changed(hide_deactivated=True)

    @property
    def export_url(self) -> str:
        return environment_url("organizations-export", self.environment) + self.filters.address()

    @property
    def columns(self) -> dict[str, Column]:
        return {key: self._column(key, label) for key, label in _HEADINGS.items()}

    def nothing_fits(self) -> NothingFits:
        return filter_words.nothing_fits(self.environment, self.filters, self.address)

    def _column(self, key: str, label: str) -> Column:
        is_ascending, is_descending = self.filters.sort == key, self.filters.sort == f"-{key}"
        url = self._changed(sort=f"-{key}" if is_ascending else key)
        return Column(label, url, "ascending" if is_ascending else "descending" if is_descending else "")

    def _changed(self, **changes: Any) -> str:
        return self.address + replace(self.filters, **changes).address()

    def _opening(self, opening: str) -> str:
        page = f"&page={self.page.number}" if self.page.number > 1 else ""
        return f"{self.address}?open={opening}{page}"


def build(
    environment: Environment,
    filters: RecordFilters,
    page: str,
    opening: str,
    chosen: TickedRecords = NOTHING_CHOSEN,
    *,
    can_choose: bool = False,
) -> Listing:
    """The list at one address. `opening` says which branches of the tree are open.

    If all records with unsent changes are chosen at once, they are all on one page.
    """
    size = MOST_RECORDS if chosen.all_unsent else record_rows.ROWS_A_PAGE
    ids, rows = _rows(environment, filters, page, opening, size)
    mark_chosen(rows, chosen)
    row_ids = {row.organization.pk for row in rows}
    is_whole_list = filters.view == LIST and not filters.in_force
    total = counted_rows(ids) if is_whole_list else record_rows.count_in(environment)
    return Listing(
        environment=environment,
        filters=filters,
        page=ids,
        rows=rows,
        total=total,
        fitting=counted_rows(ids) if filters.in_force else total,
        chips=filter_words.chips(environment, filters),
        chosen_elsewhere=chosen_records.existing(environment, chosen.ids - row_ids),
        unsent=record_filters.count_unsent(environment, filters, MOST_RECORDS) if can_choose else 0,
    )


def _rows(
    environment: Environment, filters: RecordFilters, page: str, opening: str, size: int
) -> tuple[Page[int], list[RecordRow]]:
    if filters.view == LIST:
        return _list_rows(environment, filters, page, size)
    if filters.in_force:
        return tree_rows.matching(environment, filters, page, size)
    return tree_rows.whole(environment, page, opening)


def _list_rows(
    environment: Environment, filters: RecordFilters, page: str, size: int
) -> tuple[Page[int], list[RecordRow]]:
    words = filters.words
    ids = record_filters.page_of(environment, filters, page, size)
    organizations = record_rows.organizations_of(ids, words)
    rows = [RecordRow(organization=organization) for organization in organizations]
    for row in rows:
        row.match = match(row.organization, words) if words else None
    add_can_add_below(rows)
    return ids, rows
