"""A record as one row of a list or a tree."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.urls import reverse

from organizations.models import Environment, Organization, Presence
from organizations.models.tree import Below
from organizations.queries.matches import Match
from organizations.text import evidence
from organizations.text.vocabulary import OPEN_WORK, STANDING, Word, counted

# What a row prints, and no more: a record's texts of what was accepted and seen are long.
COLUMNS = (
    "environment",
    "oid",
    "oid_key",
    "name",
    "part_of_oid",
    "stands_for",
    "changes",
    "differs",
    "confirmed_at",
    "confirmed_evidence",
    "staging_record",
)
ROWS_A_PAGE = 50
DIRECTORY_DIFFERS = "directory_differs"
ICONS = {"location": "map-pin", "patient_index": "circle-stack"}


class ToDo(NamedTuple):
    """One thing to do about a record; `number` of fields, 0 where it is not about fields."""

    word: Word
    number: int


class Held(NamedTuple):
    """One kind of open work that a branch holds, with how many of its records have it: "2 need a decision"."""

    word: Word
    text: str


@dataclass(slots=True, kw_only=True)
class Row:
    """One record in a table. `level` is its depth from 1, 0 outside a tree.

    After the last row of a branch `more` says how many of its records follow, and `more_url` where the next come from.
    `unshown` counts the records of an open branch that are behind "more here", with all below them.
    `can_add_below`: neither the record nor its parent is deactivated.
    """

    organization: Organization
    counterpart: Organization | None = None
    children: int = 0
    level: int = 0
    is_open: bool = False
    is_frame: bool = False
    match: Match | None = None
    more: int = 0
    more_url: str = ""
    unshown: int = 0
    toggle_url: str = ""
    below: Below = field(default_factory=Below)
    can_add_below: bool = True
    is_chosen: bool = False

    @property
    def within(self) -> list[Held]:
        """The open work below it, which the row says while its branch is folded or not wholly shown."""
        return [Held(OPEN_WORK[key], _held(key, number)) for key, number in _in_order(self.below.work)]

    @property
    def is_folded(self) -> bool:
        return bool(self.children) and not self.is_open

    @property
    def standing(self) -> Word:
        return standing_of(self.organization)

    @property
    def to_do(self) -> list[ToDo]:
        return to_do_of(self.organization)

    @property
    def accepted_by(self) -> str:
        """What the last acceptance rests on, in short; empty where Redox's own answer accepted."""
        return evidence.short(self.organization)

    @property
    def counterpart_standing(self) -> Word | None:
        return standing_of(self.counterpart) if self.counterpart else None

    @property
    def has_equal_counterpart(self) -> bool:
        """Whether the record has the same directory status in the other environment: nothing that a phone must show."""
        return self.counterpart is not None and self.counterpart_standing == self.standing

    @property
    def is_gone(self) -> bool:
        return self.standing.key == "deactivated"

    @property
    def icon(self) -> str:
        return ICONS.get(self.organization.stands_for, "")

    @property
    def url(self) -> str:
        return reverse("record", args=[self.organization.environment, self.organization.oid])

    @property
    def branch_url(self) -> str:
        return reverse("branch", args=[self.organization.environment, self.organization.oid])

    @property
    def siblings_url(self) -> str:
        """The list of all below the same parent."""
        address = reverse("organizations", args=[self.organization.environment])
        return f"{address}?below={self.organization.part_of_oid}&view=list"

    @property
    def below_url(self) -> str:
        return add_below_url(self.organization)


def _in_order(work: dict[str, int]) -> list[tuple[str, int]]:
    return [(key, work[key]) for key in OPEN_WORK if work.get(key)]


def _held(key: str, number: int) -> str:
    if key == DIRECTORY_DIFFERS:
        return f"{number:,} {'differs' if number == 1 else 'differ'}"
    return f"{number:,} not sent" if key == "changes_not_sent" else counted(number, OPEN_WORK[key])


def standing_of(organization: Organization) -> Word:
    """The standing of a record that was read with its words."""
    return STANDING[organization.standing]


def work_key(organization: Organization) -> str:
    """The key of the open work of a record that was read with its words; "" for none."""
    return str(organization.open_work)


def to_do_of(organization: Organization) -> list[ToDo]:
    """What is to do about it, in the order in which people must act: its own open work, and what differs there."""
    numbers = {work_key(organization): 0, "changes_not_sent": organization.changes}
    keys = {work_key(organization)} | ({DIRECTORY_DIFFERS} if organization.differs else set())
    numbers[DIRECTORY_DIFFERS] = organization.differs
    return [ToDo(word, numbers[key]) for key, word in OPEN_WORK.items() if key in keys]


def add_below_url(organization: Organization) -> str:
    """Where a record below this one is added."""
    return reverse("organization-new", args=[organization.environment]) + f"?below={organization.oid}"


def page_of(
    found: QuerySet[Organization], number: str | int, size: int = ROWS_A_PAGE, *, is_search: bool = False
) -> Page[int]:
    """A page of the ids of ordered records: ids alone come from an index, however wide the rows are.

    A search reads every record, so it is made once and not once more to count what it found.
    """
    ids = found.values_list("pk", flat=True)
    return Paginator(list(ids) if is_search else ids, size).get_page(number)


def organizations_of(ids: Iterable[int], *, with_texts: bool = False) -> list[Organization]:
    """These records in this order, with what a row prints and, if wanted, the texts in which a search finds."""
    wanted = list(ids)
    found = Organization.objects.with_words().filter(pk__in=wanted).only(*COLUMNS)
    if with_texts:
        found = found.only(*COLUMNS, "aliases").prefetch_related("contacts", "identifiers")
    by_id = {organization.pk: organization for organization in found}
    return [by_id[identity] for identity in wanted if identity in by_id]


def add_counterparts(rows: list[Row]) -> None:
    """Give each row its record in the other environment; one query."""
    if not rows:
        return
    found = Organization.objects.with_words().only(*COLUMNS)
    if rows[0].organization.environment == Environment.PRODUCTION:
        wanted = [row.organization.staging_record_id for row in rows if row.organization.staging_record_id]
        by_id = {record.pk: record for record in found.filter(pk__in=wanted)}
        for row in rows:
            row.counterpart = by_id.get(row.organization.staging_record_id or 0)
        return
    of_staging = {
        record.staging_record_id: record
        for record in found.filter(staging_record__in=[row.organization.pk for row in rows])
    }
    for row in rows:
        row.counterpart = of_staging.get(row.organization.pk)


def add_rights_of_place(rows: list[Row]) -> None:
    """Find the rows below which no record can be added: the record or its parent is deactivated. One query."""
    if not rows:
        return
    parents = Organization.objects.in_environment(rows[0].organization.environment).filter(
        oid__in={row.organization.part_of_oid for row in rows}
    )
    # Judged here: by index of its conditions the database would look through all active records.
    gone = {
        oid
        for oid, presence, active in parents.values_list("oid", "presence", "confirmed_active")
        if presence == Presence.PRESENT and active is False
    }
    for row in rows:
        row.can_add_below = not row.is_gone and row.organization.part_of_oid not in gone


def children_counts(environment: str, oids: Iterable[str]) -> dict[str, int]:
    """How many records are part of each of these; one query."""
    counted = Organization.objects.in_environment(environment).filter(part_of_oid__in=list(oids))
    return dict(counted.order_by().values_list("part_of_oid").annotate(records=Count("*")))
