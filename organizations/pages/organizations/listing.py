"""The page of organizations: list and tree in one, with its filters, counts and empty states."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from django.core.paginator import Page
from django.urls import reverse

from organizations.models import Environment, Organization
from organizations.models.organization import OrganizationQuerySet
from organizations.pages.organizations import tree_rows
from organizations.pages.organizations.rows import RecordRow, add_can_add_below, add_counterparts
from organizations.queries import chosen_records
from organizations.queries import filters as narrowing
from organizations.queries.chosen_records import UNSENT
from organizations.queries.filters import Chip, Filters
from organizations.queries.matches import match
from organizations.queries.record_rows import ROWS_A_PAGE, organizations_of, page_of
from organizations.services.review.plan_draft import MOST_RECORDS
from organizations.text.vocabulary import count


class Column(NamedTuple):
    """A heading by which the list can be sorted; `url` sorts by it, or the other way round."""

    label: str
    url: str
    aria_sort: str


class Nothing(NamedTuple):
    """No record fits all filters: the one to drop, and what is left without it."""

    text: str
    url: str
    step: str


class Empty(NamedTuple):
    """No record at all: what is so, and one or two steps; a step without an address is not offered."""

    heading: str
    text: str
    url: str
    step: str
    other_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Everything that the page prints.

    `elsewhere` are the ids of chosen records without a row on this page, `unsent` how many can be chosen at once.
    """

    environment: Environment
    filters: Filters
    page: Page[int]
    rows: list[RecordRow]
    total: int
    fitting: int
    chips: list[Chip]
    elsewhere: tuple[int, ...]
    unsent: int

    @property
    def is_tree(self) -> bool:
        return self.filters.view == "tree"

    @property
    def is_filtered(self) -> bool:
        return bool(self.filters.in_force)

    @property
    def address(self) -> str:
        return reverse("organizations", args=[self.environment])

    @property
    def summary(self) -> str:
        """How many fit, and how many parents frame them."""
        if not self.is_filtered:
            return count(self.total, "record")
        parents = sum(row.is_ancestor_only for row in self.rows)
        also = f", and {count(parents, 'parent')}" if parents else ""
        return f"{self.fitting:,} of {count(self.total, 'record')} {'fits' if self.fitting == 1 else 'fit'}{also}"

    @property
    def folded(self) -> int:
        """How many records the page does not show because a branch is folded."""
        return 0 if self.is_filtered else sum(row.below.records for row in self.rows if row.is_folded)

    @property
    def unshown(self) -> int:
        """How many records of open branches the page does not show yet."""
        return sum(row.unshown for row in self.rows)

    @property
    def unfold_url(self) -> str:
        """Where every branch is open; empty if that is so, or if it would be too long a page."""
        return self._open(tree_rows.EVERYTHING_OPEN) if self.folded and self.total <= tree_rows.MOST_UNFOLDED else ""

    @property
    def fold_url(self) -> str:
        """Where every branch below the top level is folded; empty if that is so."""
        is_unfolded = self.is_tree and not self.is_filtered and any(row.is_open and row.level > 1 for row in self.rows)
        return self._open(tree_rows.TOP_OPEN) if is_unfolded else ""

    @property
    def choices(self) -> list[narrowing.Choice]:
        """The selects that are always seen."""
        return [choice for choice in self.filters.choices() if choice.name in narrowing.SEEN]

    @property
    def more_choices(self) -> list[narrowing.Choice]:
        """The selects behind "More filters"."""
        return [choice for choice in self.filters.choices() if choice.name not in narrowing.SEEN]

    @property
    def is_more_set(self) -> bool:
        """Whether one of the filters behind "More filters" narrows the list."""
        more = {"below", *(choice.name for choice in self.more_choices)}
        return bool(more.intersection(self.filters.in_force))

    @property
    def chosen(self) -> int:
        return sum(row.is_chosen for row in self.rows) + len(self.elsewhere)

    @property
    def choose_label(self) -> str:
        """The link that chooses all with unsent changes, or as many as a plan holds."""
        how_many = f"all {self.unsent}" if self.unsent <= MOST_RECORDS else f"{MOST_RECORDS} of {self.unsent:,}"
        return f"Choose {how_many} with unsent changes"

    @property
    def choose_url(self) -> str:
        """Where the records with unsent changes are shown, each of them chosen."""
        return self.address + self.filters.address(open_work=UNSENT) + "&choose=unsent"

    @property
    def views(self) -> list[tuple[str, str, bool]]:
        """(word, address, whether it is this one) of tree and list."""
        return [
            (word, self.address + self.filters.address(view=key), key == self.filters.view)
            for key, word in narrowing.VIEWS.items()
        ]

    @property
    def all_url(self) -> str:
        return self.address + Filters(view=self.filters.view, sort=self.filters.sort).address()

    @property
    def hide_url(self) -> str:
        """Where deactivated records are taken away; empty where they are."""
        hidden = self.filters.hide_deactivated or self.filters.standing == "deactivated"
        return "" if hidden else self.address + self.filters.address(hide_deactivated=True)

    @property
    def export_url(self) -> str:
        return reverse("organizations-export", args=[self.environment]) + self.filters.address()

    @property
    def columns(self) -> dict[str, Column]:
        return {key: self._column(key, label) for key, label in _HEADINGS.items()}

    def _column(self, key: str, label: str) -> Column:
        ascending, descending = self.filters.sort == key, self.filters.sort == f"-{key}"
        url = self.address + self.filters.address(sort=f"-{key}" if ascending else key)
        return Column(label, url, "ascending" if ascending else "descending" if descending else "")

    def _open(self, wish: str) -> str:
        page = f"&page={self.page.number}" if self.page.number > 1 else ""
        return f"{self.address}?open={wish}{page}"

    def nothing(self) -> Nothing:
        """The sentence where nothing fits, with the filter whose removal helps most."""
        name, left = narrowing.worst(self.environment, self.filters)
        if not left:
            return Nothing("Nothing fits all filters.", self.all_url, "Remove all")
        text = narrowing.chip_text(self.environment, self.filters, name)
        without = self.address + self.filters.without(name).address()
        sentence = f"Nothing fits all filters. Without '{text}' there {'is' if left == 1 else 'are'} {left:,}."
        return Nothing(sentence, without, "Remove it")


def empty(environment: Environment, *, is_connected: bool, may_edit: bool) -> Empty:
    """What the page says while the environment has no record."""
    new = reverse("organization-new", args=[environment]) if may_edit else ""
    connection = "" if is_connected else reverse("connection", args=[environment])
    if environment == Environment.PRODUCTION:
        text = "Redox's how-to: test in STAGING, then repeat here."
        staging = reverse("organizations", args=[environment.other]) if may_edit else ""
        return Empty("PRODUCTION is empty.", text, staging, "Open a record in STAGING to prepare it here", connection)
    if is_connected:
        text = (
            "Have you registered organizations with Redox before, with curl or Postman?"
            " The portal cannot take them over yet."
        )
        return Empty("No records in STAGING yet.", text, new, "No: add your top-level record", "")
    heading = "No records in STAGING yet, and STAGING is not connected."
    return Empty(heading, "You can prepare records now and send them later.", new, "Add organization", connection)


_HEADINGS = {"name": "Name", "oid": "OID", "accepted": "Last accepted"}


NOTHING_CHOSEN = chosen_records.Ticks()


def read(
    environment: Environment,
    filters: Filters,
    page: str,
    wish: str,
    ticks: chosen_records.Ticks = NOTHING_CHOSEN,
    *,
    can_choose: bool = False,
) -> Listing:
    """The page of this address. `wish` says which branches are to be open, `ticks` which records are chosen.

    All records that are chosen at once are on one page.
    """
    total = Organization.objects.in_environment(environment).count()
    found = narrowing.narrowed(environment, filters)
    size = MOST_RECORDS if ticks.all_unsent else ROWS_A_PAGE
    shown_page, rows = _shown(environment, found, filters, page, wish, size)
    narrow = bool(filters.in_force)
    chosen_records.tick(rows, ticks)
    return Listing(
        environment=environment,
        filters=filters,
        page=shown_page,
        rows=rows,
        total=total,
        fitting=shown_page.paginator.count if narrow or filters.view == "list" else total,
        chips=narrowing.chips(environment, filters),
        elsewhere=chosen_records.elsewhere(environment, rows, ticks),
        unsent=_unsent(environment, filters) if can_choose else 0,
    )


def _unsent(environment: Environment, filters: Filters) -> int:
    """How many that fit have unsent changes. A search reads every record: it is not made once more to count them."""
    if filters.q:
        return 0
    return narrowing.narrowed(environment, replace(filters, open_work=UNSENT)).filter(changes__gt=0).count()


def _shown(
    environment: Environment, found: OrganizationQuerySet, filters: Filters, page: str, wish: str, size: int
) -> tuple[Page[int], list[RecordRow]]:
    if filters.view == "list":
        return _list(found, filters, page, size)
    if filters.in_force:
        return tree_rows.hits(environment, found, filters, page, size)
    return tree_rows.whole(environment, page, wish)


def _list(found: OrganizationQuerySet, filters: Filters, page: str, size: int) -> tuple[Page[int], list[RecordRow]]:
    words = filters.words
    shown_page = page_of(found.order_by(*filters.order()), page, size, is_search=bool(words))
    rows = [
        RecordRow(organization=organization) for organization in organizations_of(shown_page, with_texts=bool(words))
    ]
    for row in rows:
        row.match = match(row.organization, words) if words else None
    add_counterparts(rows)
    add_can_add_below(rows)
    return shown_page, rows
