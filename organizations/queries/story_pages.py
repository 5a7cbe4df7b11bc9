"""A page of the history as stories: the lines that it shows, with the entries that each line needs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from organizations.models import Action, AuditEntry
from organizations.queries import story_folding
from organizations.queries.story_folding import EntryRow, FoldedLine

STORIES_A_PAGE = 50
MOST_READ = 1001
"""How many entries a page reads at most to find its lines."""
FIRST_READ = 250
"""How many entries a page reads first. They are usually enough."""
FIRST_SHOWN, LAST_SHOWN = 10, 20
"""Of a longer story a page shows only the first and the last entries."""
STATE_ACTIONS = (
    Action.SUBMISSION_MADE,
    Action.SUBMISSION_CANCELLED,
    Action.SUBMISSION_VOIDED,
    Action.ATTEMPT_INTENT,
    Action.ATTEMPT_OUTCOME,
    Action.SUBMISSION_SETTLED,
)
"""The entries that change the state of a submission."""


class Story(NamedTuple):
    """One line of a page. It has the place of its newest entry, `head`.

    For a submission: `entries` are those that the page shows, `number` counts all. For another entry: `entries` are the
    refused sign-ins before a sign-in.
    """

    head: AuditEntry
    entries: list[AuditEntry]
    number: int
    submission: int | None = None


class StoryPage(NamedTuple):
    """`total`: the number of lines on all pages; None if it is not known. The next page begins before entry `older`."""

    stories: list[Story]
    total: int | None
    older: int | None


def newest_page(entries: QuerySet[AuditEntry], before: int | None) -> StoryPage:
    """The newest lines of these entries, or the lines before an entry."""
    earlier = entries if before is None else entries.filter(sequence__lt=before)
    sequences = earlier.order_by("-sequence").values_list("sequence", flat=True)[:MOST_READ]
    return page_of(entries, list(sequences), before)


def page_of(entries: QuerySet[AuditEntry], sequences: list[int], before: int | None) -> StoryPage:
    """Like `newest_page`. `sequences` are the newest of the entries before `before`, at most MOST_READ of them."""
    is_all = len(sequences) < MOST_READ
    is_whole = is_all and before is None
    lines = story_folding.fold_entries(entries, sequences if is_whole else sequences[:FIRST_READ], before)
    if len(lines) <= STORIES_A_PAGE and not is_whole and len(sequences) > FIRST_READ:
        lines = story_folding.fold_entries(entries, sequences, before)
    page_lines = lines[:STORIES_A_PAGE]
    older = page_lines[-1].head if len(lines) > STORIES_A_PAGE else None if is_all else sequences[-1]
    return StoryPage(_stories(page_lines), len(lines) if is_whole else None, older)


def _stories(lines: Sequence[FoldedLine]) -> list[Story]:
    """The lines with their entries. All lines are read together."""
    heads = story_folding.rows_of(AuditEntry.objects.filter(sequence__in=[line.head for line in lines]))
    refused = story_folding.refused_before([row for row in heads if row.action == Action.PERSON_SIGNED_IN])
    rows = _rows_by_submission([line.submission for line in lines if line.submission])
    stories = {line.head: _visible_entries(rows[line.submission], line.head) for line in lines if line.submission}
    needed = {row.sequence for row in heads} | {number for numbers in stories.values() for number in numbers}
    with_body = AuditEntry.objects.filter(sequence__in=needed).defer("raw", "search_text")
    entries = {entry.sequence: entry for entry in with_body}
    return [
        Story(
            entries[line.head],
            [entries[number] for number in stories[line.head]],
            len(rows[line.submission]),
            line.submission,
        )
        if line.submission
        else Story(entries[line.head], refused.get(line.head, []), len(refused.get(line.head, [])) + 1)
        for line in lines
    ]


def _rows_by_submission(submissions: Sequence[int]) -> Mapping[int, list[EntryRow]]:
    """All entries of each submission and the edits that it included, the oldest first."""
    own = story_folding.rows_of(story_folding.in_stories(submissions)) if submissions else []
    organizations = {row.organization_id for row in own if row.organization_id}
    included = story_folding.included_edits_of(organizations) if organizations else {}
    rows: dict[int, list[EntryRow]] = {number: [] for number in submissions}
    for row in reversed(own):
        rows[row.submission_id or 0].append(row)
    return {
        number: [
            *(row for row in reversed(included.get(number, [])) if row.sequence < of_submission[0].sequence),
            *of_submission,
        ]
        for number, of_submission in rows.items()
    }


def _visible_entries(story: list[EntryRow], head: int) -> list[int]:
    """The entries of a story that a page shows: the first, the last, and those that its line names."""
    states = [row.sequence for row in story if row.action in STATE_ACTIONS]
    submitted = [row.sequence for row in story if row.action == Action.SUBMISSION_MADE]
    until_head = [number for number in states if number <= head]
    ends = {row.sequence for row in (*story[:FIRST_SHOWN], *story[-LAST_SHOWN:])}
    return sorted(ends | {head, *submitted, *states[-1:], *until_head[-1:]})
