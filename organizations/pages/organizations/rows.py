"""A record as one row of a list or a tree."""

from dataclasses import dataclass, field
from typing import NamedTuple

from organizations.models import Organization
from organizations.pages.addresses import environment_url, record_url
from organizations.queries import record_rows
from organizations.queries.chosen_records import UNSENT, TickedRecords
from organizations.queries.matches import Match
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.queries.record_tree import Below
from organizations.text import evidence
from organizations.text.vocabulary import OPEN_WORK, STANDING, Word, counted

ICONS = {"location": "map-pin", "patient_index": "circle-stack"}


class RecordToDo(NamedTuple):
    """One thing to do about a record. `number` counts fields; it is 0 if this is not about fields."""

    word: Word
    number: int


class WorkBelow(NamedTuple):
    """One kind of work in a branch, with the number of its records that have it: "2 need a decision"."""

    word: Word
    text: str


@dataclass(slots=True, kw_only=True)
class RecordRow:
    """One record in a table. `level` is its depth from 1; 0 in a list.

    `is_ancestor_only`: the record does not match the filters; a record below it does.
    The last row of a branch says how many records follow (`more`), and from where they are loaded (`more_url`).
    `unshown` counts the records of an open branch that the page does not show yet, at any depth.
    `can_add_below`: neither the record nor its parent is deactivated.
    """

    organization: Organization
    children: int = 0
    level: int = 0
    is_open: bool = False
    is_ancestor_only: bool = False
    match: Match | None = None
    more: int = 0
    is_more_counted: bool = True
    more_url: str = ""
    is_part: bool = False
    unshown: int = 0
    toggle_url: str = ""
    below: Below = field(default_factory=Below)
    can_add_below: bool = True
    is_chosen: bool = False

    @property
    def work_below(self) -> list[WorkBelow]:
        """The work below this record. The row shows it while the branch is folded or not wholly shown."""
        numbers = self.below.work
        if not numbers:
            return []
        return [WorkBelow(word, _work_text(key, numbers[key])) for key, word in OPEN_WORK.items() if numbers.get(key)]

    @property
    def children_text(self) -> str:
        """How many children the record has: "57", or "1,000+"."""
        most = record_rows.MOST_CHILDREN
        return f"{self.children:,}" if self.children <= most else f"{most:,}+"

    @property
    def below_text(self) -> str:
        """How many records are below this one; "" if they were not counted."""
        return "" if self.below.records is None else str(self.below.records)

    @property
    def more_text(self) -> str:
        return f"{self.more:,} more here" if self.is_more_counted else "More here"

    @property
    def is_folded(self) -> bool:
        return bool(self.children) and not self.is_open

    @property
    def standing(self) -> Word:
        return standing_of(self.organization)

    @property
    def to_do(self) -> list[RecordToDo]:
        return to_do_of(self.organization)

    @property
    def accepted_by(self) -> str:
        """The evidence of the last acceptance, in short; "" if Redox's own answer accepted."""
        return evidence.beside_record_date(self.organization)

    @property
    def counterpart_standing(self) -> Word | None:
        """The directory status of the counterpart; None if there is none. `organizations_of` has read it."""
        standing: str | None = self.organization.counterpart_standing  # type: ignore[attr-defined]  # annotated
        return STANDING[standing] if standing else None

    @property
    def has_equal_counterpart(self) -> bool:
        """Whether the counterpart has the same directory status. A narrow screen then leaves it out."""
        return self.counterpart_standing == self.standing

    @property
    def is_deactivated(self) -> bool:
        return self.standing.key == "deactivated"

    @property
    def icon(self) -> str:
        return ICONS.get(self.organization.stands_for, "")

    @property
    def url(self) -> str:
        return record_url(self.organization)

    @property
    def branch_url(self) -> str:
        return record_url(self.organization, "branch")

    @property
    def siblings_url(self) -> str:
        """The list of all records below the same parent."""
        address = environment_url("organizations", self.organization.environment)
        return f"{address}?below={self.organization.part_of_oid}&view=list"

    @property
    def add_below_url(self) -> str:
        """The form for a new record below this one."""
        address = environment_url("organization-new", self.organization.environment)
        return f"{address}?below={self.organization.oid}"


def _work_text(key: str, number: int) -> str:
    if key == DIRECTORY_DIFFERS:
        return f"{number:,} {'differs' if number == 1 else 'differ'}"
    return f"{number:,} not sent" if key == UNSENT else counted(number, OPEN_WORK[key])


def standing_of(organization: Organization) -> Word:
    """The directory status of a record."""
    return STANDING[organization.standing]


def work_key(organization: Organization) -> str:
    """The key of the open work of a record; "" if there is none."""
    return str(organization.open_work)


def to_do_of(organization: Organization) -> list[RecordToDo]:
    """What is to do about a record, the most urgent first: its own open work, and what differs in the directory."""
    if not organization.differs and not work_key(organization):
        return []
    numbers = {work_key(organization): 0, UNSENT: organization.changes}
    keys = {work_key(organization)} | ({DIRECTORY_DIFFERS} if organization.differs else set())
    numbers[DIRECTORY_DIFFERS] = organization.differs
    return [RecordToDo(word, numbers[key]) for key, word in OPEN_WORK.items() if key in keys]


def can_add_below(organization: Organization, above: list[Organization]) -> bool:
    """Whether a record can be added below it: neither it nor any record `above` it is deactivated."""
    return not any(record.is_deactivated for record in (organization, *above))


def add_can_add_below(rows: list[RecordRow]) -> None:
    """Set `can_add_below` of each row; one query. All rows are of one environment."""
    deactivated = record_rows.deactivated_parents([row.organization for row in rows])
    for row in rows:
        row.can_add_below = not row.is_deactivated and row.organization.part_of_oid not in deactivated


def mark_chosen(rows: list[RecordRow], chosen: TickedRecords) -> None:
    """Set `is_chosen` of each row."""
    for row in rows:
        is_unsent = not row.is_ancestor_only and work_key(row.organization) == UNSENT
        row.is_chosen = row.organization.pk in chosen.ids or (chosen.all_unsent and is_unsent)
