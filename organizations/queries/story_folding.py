"""Which entries of the history are one line: those of a submission with the edits it carried, and a sign-in with the
wrong passwords before it. Every other entry is a line of its own.

A line is placed where the newest of its entries is that fits the filters. A page reads a bounded number of entries:
nothing here groups the whole history.
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

# A stop of sending concerns more than the submission that was being sent: it stays a line of its own.
NOT_IN_A_STORY = (Action.ENVIRONMENT_STOPPED,)
_DISCARDED = Action.ORGANIZATION_DISCARDED
_AT_ONCE = 5000  # parameters that both engines take
WRITTEN_WITHIN = datetime.timedelta(minutes=3)
"""How long after a sign-in a refused one before it may be written: repetitions are counted first."""
_SIGN_INS = (Action.PERSON_SIGNED_IN, Action.PERSON_REFUSED)


class FoldedLine(NamedTuple):
    """One line by its newest entry; `submission` is None for an entry that belongs to none."""

    head: int
    submission: int | None = None


class EntryRow(NamedTuple):
    """What folding needs to know of an entry."""

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
    """The lines of these entries, newest first.

    `sequences` are the newest of `entries` that lie before `before`, without a gap. What belongs to a line of a newer
    page is left out.
    """
    rows = rows_of(AuditEntry.objects.filter(sequence__in=sequences))
    carriers = carriers_of(rows)
    stories = {row.story for row in rows if row.story} | {each for found in carriers.values() for each in found}
    shown = _shown_before(entries, stories, before)
    refused = _before_sign_ins(entries, rows, before)
    lines: list[FoldedLine] = []
    for row in rows:
        if row.story is not None:
            if row.story not in shown:
                lines.append(FoldedLine(row.sequence, row.story))
                shown.add(row.story)
        elif row.sequence not in refused and shown.isdisjoint(carriers.get(row.sequence, ())):
            lines.append(FoldedLine(row.sequence))
    return lines


def rows_of(entries: QuerySet[AuditEntry]) -> list[EntryRow]:
    """These entries, newest first."""
    return [EntryRow(*values) for values in entries.order_by("-sequence").values_list(*EntryRow._fields)]


def in_stories(submissions: Collection[int]) -> QuerySet[AuditEntry]:
    """The entries of these submissions, without the edits they carried."""
    return AuditEntry.objects.filter(submission_id__in=submissions).exclude(action__in=NOT_IN_A_STORY)


def carried(organizations: Collection[int]) -> Mapping[int, list[EntryRow]]:
    """The edits that each submission of these records carried, newest first."""
    found: dict[int, list[EntryRow]] = defaultdict(list)
    edits = _of_records(organizations, EDITS)
    carriers = carriers_of(edits)
    for edit in edits:
        for number in carriers.get(edit.sequence, ()):
            found[number].append(edit)
    return found


def carriers_of(rows: Iterable[EntryRow]) -> Mapping[int, list[int]]:
    """The submissions that carried each edit, by its sequence: made of a version that includes it, after the last one
    that was accepted. An edit that was discarded before was not carried.
    """
    edits = {row: row.organization_id for row in rows if row.action in EDITS and row.organization_id is not None}
    sent: dict[int, list[_SentVersion]] = defaultdict(list)
    for each in _sent(set(edits.values())):
        sent[each.organization_id].append(each)
    found = {edit: list(_carrying(edit.version_after or 0, sent[number])) for edit, number in edits.items()}
    discards = _of_records({edits[edit] for edit, carriers in found.items() if carriers}, (_DISCARDED,))
    return {
        edit.sequence: [each.pk for each in carriers if not any(_discards(other, edit, each) for other in discards)]
        for edit, carriers in found.items()
        if carriers
    }


def _of_records(organizations: Collection[int], actions: Collection[Action]) -> list[EntryRow]:
    """The entries of these records with these actions, newest first."""
    if not organizations:
        return []
    # By the actions that they do not have: else SQLite reads all entries of an action, not those of a record.
    found = AuditEntry.objects.filter(organization_id__in=organizations)
    found = found.exclude(action__in=[action for action in Action if action not in actions])
    return sorted((EntryRow(*values) for values in found.values_list(*EntryRow._fields)), reverse=True)


def _discards(discard: EntryRow, edit: EntryRow, sent: _SentVersion) -> bool:
    if discard.organization_id != edit.organization_id:
        return False
    return (edit.version_after or 0) < (discard.version_after or 0) <= sent.record_version


def _sent(organizations: Collection[int]) -> Iterator[_SentVersion]:
    """The submissions of these records that carried edits, the oldest first."""
    if organizations:
        found = Submission.objects.filter(organization_id__in=organizations)
        found = found.exclude(intent__in=(Intent.DEACTIVATE, Intent.REACTIVATE)).order_by("pk")
        yield from (_SentVersion(*values) for values in found.values_list(*_SentVersion._fields))


def _carrying(version: int, sent: list[_SentVersion]) -> Iterator[_SentVersion]:
    accepted = 0
    for each in sent:
        since = 0 if each.event == Event.NEW else accepted
        if since < version <= each.record_version:
            yield each
        if each.state == State.ACCEPTED:
            accepted = each.record_version


def _shown_before(entries: QuerySet[AuditEntry], stories: Collection[int], before: int | None) -> set[int]:
    """Which of these stories are lines of a newer page."""
    shown: set[int] = set()
    if before is not None and stories:
        # In two steps, so that the index of submissions is used whatever `entries` are narrowed by.
        newer = in_stories(stories).filter(sequence__gte=before).values_list("sequence", flat=True)
        for sequences in batched(newer.iterator(), _AT_ONCE):
            found = entries.filter(sequence__in=sequences).order_by().values_list("submission_id", flat=True)
            shown.update(number for number in found if number is not None)
    return shown


def _before_sign_ins(entries: QuerySet[AuditEntry], rows: list[EntryRow], before: int | None) -> set[int]:
    """The refused sign-ins that belong to the line of the sign-in after them."""
    refused = [row for row in rows if row.action == Action.PERSON_REFUSED]
    if not refused:
        return set()
    near = Q(sequence__in=[row.sequence for row in rows if row.action == Action.PERSON_SIGNED_IN])
    if before is not None:
        near |= Q(sequence__gte=before, at__lte=refused[0].at + throttle.PERIOD)
    attempts = AuditEntry.objects.filter(sequence__in=[row.sequence for row in refused])
    signed_in = entries.filter(near, action=Action.PERSON_SIGNED_IN)
    found = _refused_before([*_with_body(attempts), *_with_body(signed_in)])
    return {each.sequence for entries_before in found.values() for each in entries_before}


def refused_before(sign_ins: Collection[EntryRow]) -> Mapping[int, list[AuditEntry]]:
    """For each sign-in the refused ones of the same name from the same address that it followed, oldest first."""
    if not sign_ins:
        return {}
    near = Q()
    for row in sign_ins:
        near |= Q(at__gte=row.at - throttle.PERIOD, at__lte=row.at + WRITTEN_WITHIN)
    return _refused_before(_with_body(AuditEntry.objects.filter(near, action__in=_SIGN_INS)))


def _with_body(entries: QuerySet[AuditEntry]) -> Iterable[AuditEntry]:
    return entries.order_by("sequence").defer("raw", "search_text")


def _refused_before(entries: Iterable[AuditEntry]) -> Mapping[int, list[AuditEntry]]:
    signed_in: dict[tuple[str, str], list[AuditEntry]] = defaultdict(list)
    refused = []
    for entry in entries:
        facts = entry.facts
        if entry.action == Action.PERSON_SIGNED_IN:
            signed_in[_visitor(facts)].append(entry)
        elif facts.get("reason") == authentication.WRONG:
            refused.append((happened(entry, facts), _visitor(facts), entry))
    found: dict[int, list[AuditEntry]] = defaultdict(list)
    for at, visitor, entry in sorted(refused, key=lambda each: each[0]):
        after = next((each for each in signed_in[visitor] if at <= each.at <= at + throttle.PERIOD), None)
        if after is not None:
            found[after.sequence].append(entry)
    return found


def happened(entry: AuditEntry, facts: Mapping[str, Any]) -> datetime.datetime:
    """When the first of what an entry counts happened: it is written down later."""
    since = facts.get("details", {}).get("since")
    return datetime.datetime.fromisoformat(since) if since else entry.at


def _visitor(facts: Mapping[str, Any]) -> tuple[str, str]:
    """The name that was typed, as it is counted, and from where."""
    name = unicodedata.normalize("NFKC", facts.get("object", {}).get("name", "")).casefold()
    return name, throttle.visitor_network(facts["actor"]["address"])
