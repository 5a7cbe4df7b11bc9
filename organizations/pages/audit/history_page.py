"""The history as pages show it: a page of it, and one entry with everything that is stored of it."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, AuditHead, Environment, Organization
from organizations.pages.audit import stories
from organizations.pages.audit.stories import Stories
from organizations.pages.submission.attempts import RawExchange, raw_exchange
from organizations.queries import audit_filters
from organizations.queries.audit_filters import Filters
from organizations.text import sentences, vocabulary
from organizations.text.markup import link
from organizations.text.sentences import Sentence

ROWS = 50
MOST_COUNTED = stories.MOST_READ - 1  # beyond this nobody needs the number, and counting reads everything


class Row(NamedTuple):
    clock: str
    sentence: Sentence


class Day(NamedTuple):
    """The entries of one day in the zone that is shown."""

    label: str
    rows: list[Row]


class Select(NamedTuple):
    """One select of the filter form; `options` are (value, words, whether it is set)."""

    name: str
    label: str
    nothing: str
    options: list[tuple[str, str, bool]]
    fault: str


NOTHING = {"who": "Anybody", "what": "Anything", "outcome": "Any", "environment": "Both"}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the history, the newest first. It goes on by sequence, so that what comes in shifts nothing."""

    filters: Filters
    faults: dict[str, str]
    days: list[Day]
    stories: Stories | None
    summary: str
    older_url: str
    newest_url: str
    nothing: tuple[str, str]

    @property
    def is_empty(self) -> bool:
        return not self.days and not (self.stories and (self.stories.days or self.stories.older))

    @property
    def all_url(self) -> str:
        return _nothing_narrowed(self.filters).address()

    @property
    def other_view(self) -> tuple[str, str]:
        """The link between stories and single entries: (words, address)."""
        other = replace(self.filters, single=not self.filters.single)
        return ("Show stories" if self.filters.single else "Show single entries"), other.address()

    @property
    def selects(self) -> list[Select]:
        return [_select(name, self.filters, self.faults.get(name, "")) for name in NOTHING]

    @property
    def chips(self) -> list[tuple[str, str]]:
        return [
            (audit_filters.said(self.filters, name), self.filters.without(name).address())
            for name in self.filters.in_force
        ]

    @property
    def times(self) -> list[tuple[str, str, bool]]:
        """The two zones: (words, address, whether it is shown); none where the portal's own is UTC."""
        if settings.TIME_ZONE == "UTC":
            return []
        own = settings.TIME_ZONE.rsplit("/", 1)[-1].replace("_", " ")
        local, utc = (replace(self.filters, utc=each).address() for each in (False, True))
        return [(own, local, not self.filters.utc), ("UTC", utc, self.filters.utc)]


def page(filters: Filters, faults: dict[str, str], before: int | None) -> Page:
    """The entries before a sequence, or the newest; as stories, or as single entries."""
    sequences = [] if faults else _sequences(filters, before)
    days: list[Day] = []
    found: Stories | None = None
    if filters.single or not sequences:
        days = list(_days(_entries(sequences[:ROWS]), filters.zone))
        older = sequences[ROWS - 1] if len(sequences) > ROWS else None
    else:
        # A submission is of one environment: to ask for it again would only lead SQLite to the wrong index.
        entries = audit_filters.narrowed(replace(filters, environment=""))
        found = stories.page(entries, sequences, before, filters.zone)
        older = found.older
    return Page(
        filters=filters,
        faults=faults,
        days=days,
        stories=found,
        summary="" if faults else _summary(filters, len(sequences) if before is None else None, found),
        older_url="" if older is None else filters.address(before=older),
        newest_url=filters.address() if before else "",
        nothing=("", "") if sequences or faults else _nothing(filters, before),
    )


def _sequences(filters: Filters, before: int | None) -> list[int]:
    """The newest entries before that one, or of all: as many as are counted, so that one search does both."""
    found = audit_filters.narrowed(filters)
    if before is not None:
        found = found.filter(sequence__lt=before)
    return list(found.order_by("-sequence").values_list("sequence", flat=True)[: stories.MOST_READ])


def _entries(sequences: list[int]) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(sequence__in=sequences).order_by("-sequence").defer("raw", "search_text"))


def _summary(filters: Filters, known: int | None, found: Stories | None) -> str:
    """ "32 entries in 12 lines"; with filters "32 entries fit, in 12 lines": a line opens to those that do not."""
    count = _count(filters, known)
    if found is None or found.total is None:
        return count
    fit = "" if not filters.in_force else " fits," if known == 1 else " fit,"
    return f"{count}{fit} in {vocabulary.count(found.total, 'line')}"


def _count(filters: Filters, known: int | None) -> str:
    """How many fit; `known` where the search for the page has counted them."""
    if not filters.in_force:
        # The chain has no gap: its last number is how many there are.
        return vocabulary.count(AuditHead.objects.get(pk=1).sequence, "entry", "entries")
    number = _bounded(filters) if known is None else known
    return (
        f"more than {MOST_COUNTED:,} entries" if number > MOST_COUNTED else vocabulary.count(number, "entry", "entries")
    )


def _bounded(filters: Filters) -> int:
    return audit_filters.narrowed(filters).order_by()[: MOST_COUNTED + 1].count()


def _nothing(filters: Filters, before: int | None) -> tuple[str, str]:
    """Why nothing is there, and the address that shows more: without the filter that leaves out most."""
    if before is not None or not filters.in_force:
        return "There are no older entries.", filters.address()
    left = {name: _bounded(filters.without(name)) for name in filters.in_force}
    name = max(left, key=lambda each: left[each])
    if not left[name]:
        return "No entry fits.", _nothing_narrowed(filters).address()
    number = f"{MOST_COUNTED:,} and more" if left[name] > MOST_COUNTED else f"{left[name]:,}"
    verb = "is" if left[name] == 1 else "are"
    sentence = f"No entry fits. Without '{audit_filters.said(filters, name)}' there {verb} {number}."
    return sentence, filters.without(name).address()


def _nothing_narrowed(filters: Filters) -> Filters:
    return Filters(utc=filters.utc, single=filters.single)


def _days(entries: list[AuditEntry], zone: datetime.tzinfo) -> Iterator[Day]:
    for day, group in groupby(entries, key=lambda entry: entry.at.astimezone(zone).date()):
        rows = [Row(f"{entry.at.astimezone(zone):%H:%M:%S}", sentences.tell(entry)) for entry in group]
        yield Day(stories.day_label(day, zone), rows)


def _select(name: str, filters: Filters, fault: str) -> Select:
    chosen = getattr(filters, name)
    options = [(value, text, value == chosen) for value, text in audit_filters.options(name)]
    return Select(name, audit_filters.LABELS[name], NOTHING[name], options, fault)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry with everything that is stored of it."""

    entry: AuditEntry
    sentence: Sentence
    facts: list[tuple[str, str | SafeString]]
    changes: list[dict[str, str]]
    body: str
    raw: RawExchange | None
    previous: int | None
    following: int | None

    @property
    def raw_heading(self) -> str:
        return "The message as reviewed" if self.entry.action == Action.SUBMISSION_MADE else "The response as received"


def entry(found: AuditEntry) -> Entry:
    """An entry, for its own page."""
    facts = found.facts
    beside = set(
        AuditEntry.objects.filter(sequence__in=(found.sequence - 1, found.sequence + 1)).values_list("pk", flat=True)
    )
    return Entry(
        entry=found,
        sentence=sentences.tell(found),
        facts=list(_facts(found, facts)),
        changes=facts.get("changes", []),
        body=bytes(found.body).decode(),
        raw=None if found.raw is None else raw_exchange(bytes(found.raw), size=facts.get("raw_bytes", 0)),
        previous=found.sequence - 1 if found.sequence - 1 in beside else None,
        following=found.sequence + 1 if found.sequence + 1 in beside else None,
    )


def _facts(found: AuditEntry, facts: dict[str, Any]) -> Iterator[tuple[str, str | SafeString]]:
    actor = facts["actor"]
    yield "Who", actor["name"]
    if actor.get("username"):
        yield "User name", actor["username"]
    if actor["signed_in_by"]:
        yield "Signed in with", actor["signed_in_by"]
    if actor["address"]:
        yield "From address", actor["address"]
    yield "Action", found.action
    if found.environment:
        yield "Environment", Environment(found.environment).label
    if found.oid:
        yield "Record", _record(found, facts)
    if found.version_after is not None:
        yield "Version of the record", str(found.version_after)
    if found.submission_id is not None:
        url = reverse("submission", args=[found.environment, found.submission_id])
        yield "Submission", link(url, found.submission_id)
    if found.attempt is not None:
        yield "Attempt", str(found.attempt)
    if found.http_status is not None:
        yield "HTTP status", str(found.http_status)
    if found.outcome:
        yield "Outcome", vocabulary.ATTEMPT[found.outcome].word
    if facts.get("reason"):
        yield "Reason", facts["reason"]
    yield "Request ID", found.request_id or "none"
    yield "Release of the portal", facts["release"]


def _record(found: AuditEntry, facts: dict[str, Any]) -> str | SafeString:
    about = facts.get("object", {})
    named = about.get("type") in ("organization", "submission")
    name = f"{about['name']}, {found.oid}" if named else found.oid
    if not Organization.objects.filter(environment=found.environment, oid=found.oid).exists():
        return name
    return link(reverse("record", args=[found.environment, found.oid]), name)
