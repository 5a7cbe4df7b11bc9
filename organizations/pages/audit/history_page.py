"""One page of the history: stories or single entries, the newest first."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from django.conf import settings

from organizations.models import AuditEntry
from organizations.pages.audit import filter_words, stories
from organizations.pages.audit.stories import Stories
from organizations.pages.filter_controls import FilterChip, FilterSelect, NothingFits
from organizations.queries import audit_filters, history, story_pages
from organizations.queries.audit_filters import AuditFilters
from organizations.text import sentences
from organizations.text.sentences import Sentence
from organizations.text.vocabulary import count

ENTRIES_A_PAGE = 50
MOST_COUNTED = story_pages.MOST_READ - 1
"""Beyond this a page says "more than": an exact number would read the whole history."""


class EntryLine(NamedTuple):
    clock: str
    sentence: Sentence


class EntryDay(NamedTuple):
    """The entries of one day in the shown time zone."""

    label: str
    rows: list[EntryLine]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of the history. The next page begins before an entry's number, so that new entries do not shift pages.

    `errors` are the sentences about filters that cannot be read. `nothing` says why the page shows no entry.
    """

    filters: AuditFilters
    errors: Mapping[str, str]
    chips: list[FilterChip]
    days: list[EntryDay]
    stories: Stories | None
    summary: str
    older_url: str
    newest_url: str
    nothing: NothingFits | None

    @property
    def all_url(self) -> str:
        return self.filters.cleared().address()

    @property
    def other_view(self) -> tuple[str, str]:
        """The link between stories and single entries: (words, address)."""
        other = replace(self.filters, single=not self.filters.single)
        return ("Show stories" if self.filters.single else "Show single entries"), other.address()

    @property
    def selects(self) -> list[FilterSelect]:
        return filter_words.selects(self.filters, self.errors)

    @property
    def times(self) -> list[tuple[str, str, bool]]:
        """The two time zones as (words, address, whether it is shown); empty if the portal's own zone is UTC."""
        if settings.TIME_ZONE == "UTC":
            return []
        own = settings.TIME_ZONE.rsplit("/", 1)[-1].replace("_", " ")
        local, utc = (replace(self.filters, utc=each).address() for each in (False, True))
        return [(own, local, not self.filters.utc), ("UTC", utc, self.filters.utc)]


def build(filters: AuditFilters, errors: Mapping[str, str], before: int | None) -> HistoryPage:
    """The entries before this one, or the newest; with errors, none."""
    # Without the environment, which each story has anyway: with it SQLite would choose the wrong index.
    entries = audit_filters.matching(AuditFilters() if errors else replace(filters, environment=""))
    # The entries are read up to the number that is counted: one query finds the page and the count.
    sequences = [] if errors else history.newest_sequences(entries, filters.environment, before, story_pages.MOST_READ)
    days: list[EntryDay] = []
    lines: Stories | None = None
    if filters.single or not sequences:
        days = list(_days(history.entries_of(sequences[:ENTRIES_A_PAGE]), filters.zone))
        older = sequences[ENTRIES_A_PAGE - 1] if len(sequences) > ENTRIES_A_PAGE else None
    else:
        lines = stories.in_words(story_pages.page_of(entries, sequences, before), filters.zone)
        older = lines.older
    return HistoryPage(
        filters=filters,
        errors=errors,
        chips=filter_words.chips(filters),
        days=days,
        stories=lines,
        summary="" if errors else _summary(filters, len(sequences) if before is None else None, lines),
        older_url="" if older is None else filters.address(before=older),
        newest_url=filters.address() if before else "",
        nothing=None if errors or days or (lines and (lines.days or lines.older)) else _nothing(filters, before, lines),
    )


def _summary(filters: AuditFilters, number: int | None, lines: Stories | None) -> str:
    """How many entries there are: "32 entries in 12 lines", or with filters "32 entries match, in 12 lines".

    A line also contains entries that do not match. `number` is how many entries match, if that is known already.
    """
    entries = _count(filters, number)
    if lines is None or lines.total is None:
        return entries
    match = "" if not filters.in_force else " matches," if number == 1 else " match,"
    return f"{entries}{match} in {count(lines.total, 'line')}"


def _count(filters: AuditFilters, number: int | None) -> str:
    if not filters.in_force:
        return count(history.last_sequence(), "entry", "entries")
    if number is None:
        number = history.count_up_to(filters, MOST_COUNTED + 1)
    return f"more than {MOST_COUNTED:,} entries" if number > MOST_COUNTED else count(number, "entry", "entries")


def _nothing(filters: AuditFilters, before: int | None, lines: Stories | None) -> NothingFits:
    if lines is not None:
        return NothingFits("Newer pages already show these entries.", filters.address(), "Newest entries")
    if before is not None or not filters.in_force:
        return NothingFits("There are no older entries.", filters.address(), "Newest entries")
    return filter_words.nothing_fits(filters, MOST_COUNTED)


def _days(entries: list[AuditEntry], zone: datetime.tzinfo) -> Iterator[EntryDay]:
    for day, of_day in groupby(entries, key=lambda entry: entry.at.astimezone(zone).date()):
        rows = [EntryLine(f"{entry.at.astimezone(zone):%H:%M:%S}", sentences.sentence_of(entry)) for entry in of_day]
        yield EntryDay(stories.day_label(day, zone), rows)
