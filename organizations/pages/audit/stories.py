"""The history as stories: one line for each submission, which opens to its entries, and one for each other entry."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, clock
from organizations.queries import story_folding, story_pages
from organizations.queries.story_pages import STATE_ACTIONS, Story, StoryPage
from organizations.text import sentences, vocabulary
from organizations.text.markup import Part, unlinked
from organizations.text.sentence_templates import STORIES, WORDS, story_end

_STATE_AFTER: Mapping[str, str] = {
    Action.SUBMISSION_MADE: "queued",
    Action.SUBMISSION_CANCELLED: "cancelled",
    Action.SUBMISSION_VOIDED: "cancelled",
    Action.ATTEMPT_INTENT: "sending",
    Action.ATTEMPT_OUTCOME: "queued",
    Action.SUBMISSION_SETTLED: "",
}
"""The state of a submission after an entry that does not name the state itself."""


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
    """One line. It holds `number` entries and opens to those in `inside`, if there are any."""

    entry: AuditEntry
    clock: str
    headline: Headline
    number: int
    inside: Sequence[InnerEntry]
    submission: int | None = None

    @property
    def left_out(self) -> int:
        return self.number - len(self.inside)


class StoryDay(NamedTuple):
    """The lines of one day in the shown time zone."""

    label: str
    lines: list[StoryLine]


class Stories(NamedTuple):
    """A page of lines. `total` counts the lines of all pages, if known; the next page begins before `older`."""

    days: list[StoryDay]
    shown: int
    total: int | None
    older: int | None


def read(entries: QuerySet[AuditEntry], before: int | None, zone: datetime.tzinfo) -> Stories:
    """The newest lines of these entries, or the lines before an entry."""
    return in_words(story_pages.newest_page(entries, before), zone)


def in_words(page: StoryPage, zone: datetime.tzinfo) -> Stories:
    return Stories(list(_days(page.stories, zone)), len(page.stories), page.total, page.older)


def day_label(day: datetime.date, zone: datetime.tzinfo) -> str:
    """The heading of a day: "Today, Nov 27" or "Wednesday, Nov 25"."""
    now = clock.now().astimezone(zone)
    name = {0: "Today", 1: "Yesterday"}.get((now.date() - day).days, f"{day:%A}")
    return f"{name}, {vocabulary.moment_text(datetime.datetime.combine(day, datetime.time(), zone), now, 'day')}"


def _days(stories: Iterable[Story], zone: datetime.tzinfo) -> Iterator[StoryDay]:
    for day, of_day in groupby(stories, key=lambda story: story.head.at.astimezone(zone).date()):
        lines = [_single(story, zone) if story.submission is None else _of_submission(story, zone) for story in of_day]
        yield StoryDay(day_label(day, zone), lines)


def _single(story: Story, zone: datetime.tzinfo) -> StoryLine:
    """The line of an entry without a submission. The line of a sign-in also has the refused sign-ins before it."""
    entry, refused = story.head, story.entries
    sentence = sentences.sentence_of(entry)
    markup = sentence.sentence
    inside: list[InnerEntry] = []
    if refused:
        markup = unlinked((*sentence.parts, _refused_before(refused, entry)))
        inside = [_inner_entry(each, entry, zone) for each in (*refused, entry)]
    headline = Headline(WORDS[entry.action], sentence.icon, sentence.tone, markup)
    return StoryLine(entry, _clock(entry, zone), headline, story.number, inside)


def _refused_before(refused: list[AuditEntry], sign_in: AuditEntry) -> Part:
    """How often this name was refused from the same address before the sign-in, and in how long."""
    attempts = [(entry, entry.facts) for entry in refused]
    times = sum(facts.get("details", {}).get("times", 1) for _, facts in attempts)
    first = min(story_folding.happened(entry, facts) for entry, facts in attempts)
    return Part(f" {vocabulary.count(times, 'refused sign-in')} before, in {vocabulary.age_text(sign_in.at - first)}.")


def _of_submission(story: Story, zone: datetime.tzinfo) -> StoryLine:
    head = story.head
    inside = [_inner_entry(entry, head, zone) for entry in story.entries]
    headline = _headline(head, story.entries)
    return StoryLine(head, _clock(head, zone), headline, story.number, inside, story.submission)


def _inner_entry(entry: AuditEntry, head: AuditEntry, zone: datetime.tzinfo) -> InnerEntry:
    """An entry inside the line of `head`, with its day if that is another day."""
    at = entry.at.astimezone(zone)
    clock_text = f"{at:%H:%M:%S}"
    if at.date() != head.at.astimezone(zone).date():
        clock_text = f"{vocabulary.moment_text(at, clock.now(), 'day')}, {clock_text}"
    return InnerEntry(clock_text, sentences.sentence_of(entry).unlinked, entry.sequence)


def _clock(entry: AuditEntry, zone: datetime.tzinfo) -> str:
    return f"{entry.at.astimezone(zone):%H:%M}"


def _headline(head: AuditEntry, entries: list[AuditEntry]) -> Headline:
    """Who submitted what, and the state at `head` with its evidence. A later state adds only its word."""
    submitted = next((entry for entry in entries if entry.action == Action.SUBMISSION_MADE), None)
    changes = [entry for entry in entries if entry.action in STATE_ACTIONS]
    until_head = [entry for entry in changes if entry.sequence <= head.sequence]
    state, last_state = (_state(each[-1]) if each else None for each in (until_head, changes))
    if submitted is None or state is None:
        sentence = sentences.sentence_of(head)
        return Headline(WORDS[head.action], sentence.icon, sentence.tone, sentence.unlinked)
    facts, facts_at_head = submitted.facts, until_head[-1].facts
    parts = [
        *sentences.fill(STORIES[facts["intent"]], facts),
        *sentences.fill(story_end(until_head[-1].action, facts_at_head), facts_at_head),
    ]
    if last_state is not None and last_state != state:
        parts.append(Part(f" Later: {last_state.word}."))
    return Headline(state.word, state.icon, state.tone, unlinked(parts))


def _state(entry: AuditEntry) -> vocabulary.Word | None:
    facts = entry.facts
    key = facts.get("details", {}).get("state") or facts.get("outcome", "")
    states = vocabulary.SUBMISSION_STATE
    return states.get(key) or states.get(_STATE_AFTER[entry.action])
