"""Which entries of the history form one line.

A submission and the edits that it included are one line, and so are a sign-in and the wrong passwords before it. Every
other entry is a separate line. A line has the place of its newest entry that matches the filters. Nothing here reads
the whole history: a page reads a bounded number of entries.
"""

import datetime
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from organizations.models import Action, AuditEntry, Event, Intent, State, Submission
from organizations.models.audit import EDITS
from organizations.services import throttle
from organizations.services.accounts import authentication

# A stop of sending concerns more than one submission, so it is a separate line.
NOT_IN_A_STORY = (Action.ENVIRONMENT_STOPPED,)
_DISCARDED = Action.ORGANIZATION_DISCARDED
_AT_ONCE = 5000
"""How many numbers one query looks up. Both databases accept this many parameters."""
WRITTEN_WITHIN = datetime.timedelta(minutes=3)
"""How much later than a successful sign-in the entry of an earlier refused one can be written.

Repeated refusals are counted before they are written.
"""
_SIGN_INS = (Action.PERSON_SIGNED_IN, Action.PERSON_REFUSED)


class FoldedLine(NamedTuple):
    """One line, by its newest entry. `submission` is None for a line of a single entry or a sign-in."""

    head: int
    submission: int | None = None


class EntryRow(NamedTuple):
    """The columns of an entry that folding needs."""

    sequence: int
    action: str
    at: datetime.datetime
    submission_id: int | None
    organization_id: int | None
    version_after: int | None

    @property
    def story(self) -> int | None:
        return None if self.action in NOT_IN_A_STORY else self.submission_id


class _SentVersion(NamedTuple):
    pk: int
    organization_id: int
    record_version: int
    event: str
    state: str


def fold_entries(entries: QuerySet[AuditEntry], sequences: Sequence[int], before: int | None) -> list[FoldedLine]:
    """The lines of these entries, the newest first, without entries that belong to lines of newer pages.

    `sequences` are the newest of `entries` before the entry `before`, without a gap.
    """
    rows = rows_of(AuditEntry.objects.filter(sequence__in=sequences))
    including = including_submissions(rows)
    stories = {row.story for row in rows if row.story} | {
        number for of_edit in including.values() for number in of_edit
    }
    stories_with_line = _on_newer_pages(entries, stories, before)
    refused = _refused_before_sign_ins(entries, rows, before)
    lines: list[FoldedLine] = []
    for row in rows:
        if row.story is not None:
            if row.story not in stories_with_line:
                lines.append(FoldedLine(row.sequence, row.story))
                stories_with_line.add(row.story)
        elif row.sequence not in refused and stories_with_line.isdisjoint(including.get(row.sequence, ())):
            lines.append(FoldedLine(row.sequence))
    return lines


def rows_of(entries: QuerySet[AuditEntry]) -> list[EntryRow]:
    """These entries, newest first."""
    return [EntryRow(*values) for values in entries.order_by("-sequence").values_list(*EntryRow._fields)]


def in_stories(submissions: Collection[int]) -> QuerySet[AuditEntry]:
    """The entries of these submissions, without the edits they included."""
    return AuditEntry.objects.filter(submission_id__in=submissions).exclude(action__in=NOT_IN_A_STORY)


def included_edits_of(organizations: Collection[int]) -> Mapping[int, list[EntryRow]]:
    """The edits that each submission of these records included, newest first."""
    by_submission: dict[int, list[EntryRow]] = defaultdict(list)
    edits = _of_records(organizations, EDITS)
    including = including_submissions(edits)
    for edit in edits:
        for number in including.get(edit.sequence, ()):
            by_submission[number].append(edit)
    return by_submission


def including_submissions(rows: Iterable[EntryRow]) -> Mapping[int, list[int]]:
    """The submissions that included each edit, by the sequence of the edit.

    A submission includes the edits of its version that are newer than the last accepted submission and not discarded.
    """
    edits = {row: row.organization_id for row in rows if row.action in EDITS and row.organization_id is not None}
    sent: dict[int, list[_SentVersion]] = defaultdict(list)
    for version in _sent(set(edits.values())):
        sent[version.organization_id].append(version)
    submissions_of_edit = {
        edit: list(_including(edit.version_after or 0, sent[number])) for edit, number in edits.items()
    }
    with_submissions = {edits[edit] for edit, including in submissions_of_edit.items() if including}
    discards = _of_records(with_submissions, (_DISCARDED,))
    return {
        edit.sequence: [each.pk for each in including if not any(_discards(other, edit, each) for other in discards)]
        for edit, including in submissions_of_edit.items()
        if including
    }


def _of_records(organizations: Collection[int], actions: Collection[Action]) -> list[EntryRow]:
    """The entries of these records with these actions, newest first."""
    if not organizations:
        return []
    # Excludes the other actions: with a filter by action SQLite would read all entries of that action.
    entries = AuditEntry.objects.filter(organization_id__in=organizations)
    entries = entries.exclude(action__in=[action for action in Action if action not in actions])
    return sorted((EntryRow(*values) for values in entries.values_list(*EntryRow._fields)), reverse=True)


def _discards(discard: EntryRow, edit: EntryRow, sent: _SentVersion) -> bool:
    if discard.organization_id != edit.organization_id:
        return False
    return (edit.version_after or 0) < (discard.version_after or 0) <= sent.record_version


def _sent(organizations: Collection[int]) -> Iterator[_SentVersion]:
    """The submissions of these records that included edits, the oldest first."""
    if organizations:
        submissions = Submission.objects.filter(organization_id__in=organizations)
        submissions = submissions.exclude(intent__in=(Intent.DEACTIVATE, Intent.REACTIVATE)).order_by("pk")
        yield from (_SentVersion(*values) for values in submissions.values_list(*_SentVersion._fields))


def _including(version: int, sent: list[_SentVersion]) -> Iterator[_SentVersion]:
    """The submissions that included the edit of this version."""
    accepted = 0
    for submission in sent:
        since = 0 if submission.event == Event.NEW else accepted
        if since < version <= submission.record_version:
            yield submission
        if submission.state == State.ACCEPTED:
            accepted = submission.record_version


def _on_newer_pages(entries: QuerySet[AuditEntry], stories: Collection[int], before: int | None) -> set[int]:
    """The stories that have a line on a newer page."""
    stories_on_newer_pages: set[int] = set()
    if before is not None and stories:
        # In two steps: the first uses the index of submissions, whatever the filters of `entries` are.
        newer = in_stories(stories).filter(sequence__gte=before).values_list("sequence", flat=True)
        for sequences in batched(newer.iterator(), _AT_ONCE):
            numbers = entries.filter(sequence__in=sequences).order_by().values_list("submission_id", flat=True)
            stories_on_newer_pages.update(number for number in numbers if number is not None)
    return stories_on_newer_pages


def _refused_before_sign_ins(entries: QuerySet[AuditEntry], rows: list[EntryRow], before: int | None) -> set[int]:
    """The refused sign-ins that are part of the line of a later sign-in."""
    refusals = [row for row in rows if row.action == Action.PERSON_REFUSED]
    if not refusals:
        return set()
    sign_ins = Q(sequence__in=[row.sequence for row in rows if row.action == Action.PERSON_SIGNED_IN])
    if before is not None:
        sign_ins |= Q(sequence__gte=before, at__lte=refusals[0].at + throttle.PERIOD)
    attempts = AuditEntry.objects.filter(sequence__in=[row.sequence for row in refusals])
    signed_in = entries.filter(sign_ins, action=Action.PERSON_SIGNED_IN)
    by_sign_in = _refused_before([*_with_body(attempts), *_with_body(signed_in)])
    return {entry.sequence for of_sign_in in by_sign_in.values() for entry in of_sign_in}


def refused_before(sign_ins: Collection[EntryRow]) -> Mapping[int, list[AuditEntry]]:
    """For each sign-in, the refused ones before it with the same name and address, the oldest first."""
    if not sign_ins:
        return {}
    periods = Q()
    for row in sign_ins:
        periods |= Q(at__gte=row.at - throttle.PERIOD, at__lte=row.at + WRITTEN_WITHIN)
    return _refused_before(_with_body(AuditEntry.objects.filter(periods, action__in=_SIGN_INS)))


def _with_body(entries: QuerySet[AuditEntry]) -> Iterable[AuditEntry]:
    return entries.order_by("sequence").defer("raw", "search_text")


def _refused_before(entries: Iterable[AuditEntry]) -> Mapping[int, list[AuditEntry]]:
    signed_in: dict[tuple[str, str], list[AuditEntry]] = defaultdict(list)
    refusals = []
    for entry in entries:
        facts = entry.facts
        if entry.action == Action.PERSON_SIGNED_IN:
            signed_in[_visitor(facts)].append(entry)
        elif facts.get("reason") == authentication.WRONG:
            refusals.append((happened(entry, facts), _visitor(facts), entry))
    by_sign_in: dict[int, list[AuditEntry]] = defaultdict(list)
    for at, visitor, entry in sorted(refusals, key=lambda each: each[0]):
        sign_in = next((each for each in signed_in[visitor] if at <= each.at <= at + throttle.PERIOD), None)
        if sign_in is not None:
            by_sign_in[sign_in.sequence].append(entry)
    return by_sign_in


def happened(entry: AuditEntry, facts: Mapping[str, Any]) -> datetime.datetime:
    """The time of the first event that an entry counts; the entry itself is written later."""
    since = facts.get("details", {}).get("since")
    return datetime.datetime.fromisoformat(since) if since else entry.at


def _visitor(facts: Mapping[str, Any]) -> tuple[str, str]:
    """The typed name, folded as it is counted, and the address."""
    name = unicodedata.normalize("NFKC", facts.get("object", {}).get("name", "")).casefold()
    return name, throttle.visitor_network(facts["actor"]["address"])
