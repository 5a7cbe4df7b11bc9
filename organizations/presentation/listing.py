"""The page of organizations: list and tree in one, with its filters, counts and empty states."""

from dataclasses import dataclass
from typing import NamedTuple

from django.core.paginator import Page
from django.urls import reverse

from organizations.models import Environment, Organization
from organizations.models.organization import OrganizationQuerySet
from organizations.words import count

from . import filters as narrowing
from . import tree
from .filters import Chip, Choice, Filters
from .matches import match
from .rows import Row, add_counterparts, organizations_of, page_of


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
    """Everything that the page prints."""

    environment: Environment
    filters: Filters
    page: Page[int]
    rows: list[Row]
    total: int
    fitting: int
    chips: list[Chip]

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
        """How many fit, and how many parents are shown only because one below them fits."""
        if not self.is_filtered:
            return count(self.total, "record")
        parents = sum(row.is_frame for row in self.rows)
        also = f", and {count(parents, 'parent')}" if parents else ""
        return f"{self.fitting:,} of {count(self.total, 'record')} fit{also}"

    @property
    def choices(self) -> list[Choice]:
        return self.filters.choices()

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

    @property
    def hidden_count(self) -> int:
        """How many fit and lie below closed branches."""
        return self.fitting - len(self.rows)

    def _column(self, key: str, label: str) -> Column:
        ascending, descending = self.filters.sort == key, self.filters.sort == f"-{key}"
        url = self.address + self.filters.address(sort=f"-{key}" if ascending else key)
        return Column(label, url, "ascending" if ascending else "descending" if descending else "")

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


def read(environment: Environment, filters: Filters, page: str, wish: str) -> Listing:
    """The page of this address. `wish` is the record whose branch is to be open."""
    total = Organization.objects.in_environment(environment).count()
    found = narrowing.narrowed(environment, filters)
    shown_page, rows = _shown(environment, found, filters, page, wish)
    narrow = bool(filters.in_force)
    return Listing(
        environment=environment,
        filters=filters,
        page=shown_page,
        rows=rows,
        total=total,
        fitting=shown_page.paginator.count if narrow or filters.view == "list" else total,
        chips=narrowing.chips(environment, filters),
    )


def _shown(
    environment: Environment, found: OrganizationQuerySet, filters: Filters, page: str, wish: str
) -> tuple[Page[int], list[Row]]:
    if filters.view == "list":
        return _list(found, filters, page)
    if filters.in_force:
        return tree.hits(environment, found, filters, page)
    return tree.whole(environment, page, wish)


def _list(found: OrganizationQuerySet, filters: Filters, page: str) -> tuple[Page[int], list[Row]]:
    words = filters.words
    shown_page = page_of(found.order_by(*filters.order()), page, is_search=bool(words))
    rows = [Row(organization=organization) for organization in organizations_of(shown_page, with_texts=bool(words))]
    for row in rows:
        row.match = match(row.organization, words) if words else None
    add_counterparts(rows)
    return shown_page, rows
