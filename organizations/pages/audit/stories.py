"""The history as stories: one line for each submission, which opens to its entries, and one for each other entry."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, clock
from organizations.queries import story_folding
from organizations.queries.story_folding import Line, Row
from organizations.text import sentences, vocabulary
from organizations.text.markup import Part, marked, unlinked
from organizations.text.sentence_templates import STORIES, WORDS, story_ending

ROWS = 50
MOST_READ = 1001
"""Entries that a page looks at to find its lines."""
_FIRST_READ = 250
_FIRST_SHOWN, _LAST_SHOWN = 10, 20
"""Of a longer story only its first and its last entries are shown."""

_STATE_AFTER = {
    Action.SUBMISSION_MADE: "queued",
    Action.SUBMISSION_CANCELLED: "cancelled",
    Action.SUBMISSION_VOIDED: "cancelled",
    Action.ATTEMPT_INTENT: "sending",
    Action.ATTEMPT_OUTCOME: "queued",
    Action.SUBMISSION_SETTLED: "",
}
"""The entries that tell the state of a submission; which one, where the entry itself does not name it."""


class InnerEntry(NamedTuple):
    """One entry inside a line."""

    clock: str
    sentence: SafeString
    sequence: int


class Headline(NamedTuple):
    word: str
    icon: str
    tone: str
    sentence: SafeString


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line. `number` says how many entries it holds; it opens to those in `inside`, if there are any."""

    entry: AuditEntry
    clock: str
    headline: Headline
    number: int
    inside: Sequence[InnerEntry]
    submission: int | None = None

    @property
    def left_out(self) -> int:
        return self.number - len(self.inside)


class Day(NamedTuple):
    """The lines of one day in the zone that is shown."""

    label: str
    lines: list[StoryLine]


class Stories(NamedTuple):
    """A page of lines. `older`: the next page begins before this sequence; `total`: of all lines, if known."""

    days: list[Day]
    shown: int
    total: int | None
    older: int | None


def read(entries: QuerySet[AuditEntry], before: int | None, zone: datetime.tzinfo) -> Stories:
    """The newest lines of these entries, or those before a sequence."""
    narrowed = entries if before is None else entries.filter(sequence__lt=before)
    sequences = narrowed.order_by("-sequence").values_list("sequence", flat=True)[:MOST_READ]
    return page(entries, list(sequences), before, zone)


def page(entries: QuerySet[AuditEntry], sequences: list[int], before: int | None, zone: datetime.tzinfo) -> Stories:
    """The same, where the newest `sequences` of the entries before that one, at most MOST_READ, were read already."""
    is_all = len(sequences) < MOST_READ
    is_whole = is_all and before is None
    lines = story_folding.fold(entries, sequences if is_whole else sequences[:_FIRST_READ], before)
    if len(lines) <= ROWS and not is_whole and len(sequences) > _FIRST_READ:
        lines = story_folding.fold(entries, sequences, before)
    shown = lines[:ROWS]
    older = shown[-1].head if len(lines) > ROWS else None if is_all else sequences[-1]
    return Stories(list(_days(shown, zone)), len(shown), len(lines) if is_whole else None, older)


def day_label(day: datetime.date, zone: datetime.tzinfo) -> str:
    """ "Today, Nov 27"; "Wednesday, Nov 25" """
    now = clock.now().astimezone(zone)
    name = {0: "Today", 1: "Yesterday"}.get((now.date() - day).days, f"{day:%A}")
    return f"{name}, {vocabulary.moment(datetime.datetime.combine(day, datetime.time(), zone), now, 'day')}"


def _days(lines: Sequence[Line], zone: datetime.tzinfo) -> Iterator[Day]:
    made = _lines(lines, zone)
    for day, group in groupby(made, key=lambda line: line.entry.at.astimezone(zone).date()):
        yield Day(day_label(day, zone), list(group))


def _lines(lines: Sequence[Line], zone: datetime.tzinfo) -> Iterator[StoryLine]:
    """What the lines of a page tell; all that they need is read together."""
    heads = story_folding.rows_of(AuditEntry.objects.filter(sequence__in=[line.head for line in lines]))
    refused = story_folding.refused_before([row for row in heads if row.action == Action.PERSON_SIGNED_IN])
    stories = _stories([line.submission for line in lines if line.submission])
    chosen = {line.head: _chosen(stories[line.submission], line.head) for line in lines if line.submission}
    needed = {row.sequence for row in heads} | {number for story in chosen.values() for number in story}
    found = AuditEntry.objects.filter(sequence__in=needed).defer("raw", "search_text")
    entries = {entry.sequence: entry for entry in found}
    for line in lines:
        head = entries[line.head]
        if line.submission is None:
            yield _single(head, refused.get(line.head, []), zone)
        else:
            inside = [entries[number] for number in chosen[line.head]]
            yield _story(head, inside, len(stories[line.submission]), line.submission, zone)


def _single(entry: AuditEntry, refused: list[AuditEntry], zone: datetime.tzinfo) -> StoryLine:
    own = sentences.tell(entry)
    parts = (*own.parts, *_refused_first(refused, entry))
    sentence = marked(parts) if not refused else unlinked(parts)
    inside = [_inner_entry(each, entry, zone) for each in (*refused, entry)] if refused else []
    headline = Headline(WORDS[entry.action], own.icon, own.tone, sentence)
    return StoryLine(entry, _clock(entry, zone), headline, len(refused) + 1, inside)


def _refused_first(refused: list[AuditEntry], sign_in: AuditEntry) -> Iterator[Part]:
    """How often the same name was refused from the same address before, and in how long."""
    if refused:
        attempts = [(entry, entry.facts) for entry in refused]
        times = sum(facts.get("details", {}).get("times", 1) for _, facts in attempts)
        first = min(story_folding.happened(entry, facts) for entry, facts in attempts)
        yield Part(f" {vocabulary.count(times, 'refused sign-in')} before, in {vocabulary.age(sign_in.at - first)}.")


def _story(
    head: AuditEntry, entries: list[AuditEntry], number: int, submission: int, zone: datetime.tzinfo
) -> StoryLine:
    inside = [_inner_entry(entry, head, zone) for entry in entries]
    return StoryLine(head, _clock(head, zone), _headline(head, entries), number, inside, submission)


def _inner_entry(entry: AuditEntry, head: AuditEntry, zone: datetime.tzinfo) -> InnerEntry:
    """An entry inside the line of `head`, with its day if it is another one."""
    clock_then = f"{entry.at.astimezone(zone):%H:%M:%S}"
    if (local := entry.at.astimezone(zone)).date() != head.at.astimezone(zone).date():
        clock_then = f"{vocabulary.moment(local, clock.now(), 'day')}, {clock_then}"
    return InnerEntry(clock_then, sentences.tell(entry).unlinked, entry.sequence)


def _clock(entry: AuditEntry, zone: datetime.tzinfo) -> str:
    return f"{entry.at.astimezone(zone):%H:%M}"


def _headline(head: AuditEntry, entries: list[AuditEntry]) -> Headline:
    """Who sent what, and the state at `head`, with its evidence; of a later state its word."""
    made = next((entry for entry in entries if entry.action == Action.SUBMISSION_MADE), None)
    states = [entry for entry in entries if entry.action in _STATE_AFTER]
    until = [entry for entry in states if entry.sequence <= head.sequence]
    now, last = (_state(each[-1]) if each else None for each in (until, states))
    if made is None or now is None:
        own = sentences.tell(head)
        return Headline(WORDS[head.action], own.icon, own.tone, own.unlinked)
    facts = made.facts
    parts = [
        *sentences.filled(STORIES[facts["intent"]], facts),
        *sentences.filled(story_ending(until[-1].action, until[-1].facts), until[-1].facts),
    ]
    if last is not None and last != now:
        parts.append(Part(f" Later: {last.word}."))
    return Headline(now.word, now.icon, now.tone, unlinked(parts))


def _state(entry: AuditEntry) -> vocabulary.Word | None:
    facts = entry.facts
    named = facts.get("details", {}).get("state") or facts.get("outcome", "")
    states = vocabulary.SUBMISSION_STATE
    return states.get(named) or states.get(_STATE_AFTER[Action(entry.action)])


def _stories(submissions: Sequence[int]) -> Mapping[int, list[Row]]:
    """All entries of each story, oldest first."""
    own = story_folding.rows_of(story_folding.in_stories(submissions)) if submissions else []
    organizations = {row.organization_id for row in own if row.organization_id}
    carried = story_folding.carried(organizations) if organizations else {}
    found: dict[int, list[Row]] = {number: [] for number in submissions}
    for row in reversed(own):
        found[row.submission_id or 0].append(row)
    for number, rows in found.items():
        first = rows[0].sequence
        found[number] = [*(row for row in reversed(carried.get(number, [])) if row.sequence < first), *rows]
    return found


def _chosen(story: list[Row], head: int) -> list[int]:
    """Which entries of a story are shown: those that its line rests on, and of very many the first and the last."""
    states = [row.sequence for row in story if row.action in _STATE_AFTER]
    made = [row.sequence for row in story if row.action == Action.SUBMISSION_MADE]
    until = [number for number in states if number <= head]
    shown = {row.sequence for row in (*story[:_FIRST_SHOWN], *story[-_LAST_SHOWN:])}
    return sorted(shown | {head, *made, *states[-1:], *until[-1:]})
