"""The values of each field side by side: accepted, shown by the directory, and sent by this message."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from django.urls import reverse

from organizations import knowledge
from organizations.models import AuditEntry, Organization
from organizations.pages.comparison.field_lines import is_code
from organizations.pages.comparison.field_rows import SAME_AS_ACCEPTED, SAME_AS_TAKEN
from organizations.queries import parents
from organizations.records import Difference, OrganizationRecord, difference, spoken
from organizations.services.review.reviews import Change, Review
from organizations.text.markup import written

EQUIVALENT = "equivalent"
UNREADABLE = "a Query does not show it"


class DirectoryValue(NamedTuple):
    """One value. `note` is written beside it, or in its place where `only_note`."""

    text: str
    note: str = ""

    @property
    def only_note(self) -> bool:
        return self.note in (SAME_AS_ACCEPTED, SAME_AS_TAKEN, UNREADABLE)


class ValueRow(NamedTuple):
    """One field with its values; `is_new` where the edit came after the page that was sent.

    `tick` and `tick_error` belong to a value of the directory that the message overwrites.
    """

    field: str
    label: str
    accepted: str
    directory: DirectoryValue
    sent: str
    by: str
    edit_url: str
    is_new: bool
    tick: str = ""
    ticked: bool = False
    tick_error: str = ""

    @property
    def is_code(self) -> bool:
        return is_code(self.field)

    @property
    def spoken(self) -> str:
        """Its label inside a sentence."""
        return spoken(self.label)


class KeyRow(NamedTuple):
    """A key of the directory's record that the form does not have, and what this message does with it.

    `is_sent_back`: with the directory's own value, or with the accepted one where the directory shows none.
    """

    key: str
    directory: str
    sent: str

    @property
    def is_sent_back(self) -> bool:
        return bool(self.sent) and self.directory in ("", self.sent)


def change_rows(review: Review, since_version: int | None = None) -> tuple[ValueRow, ...]:
    """The fields that this message changes, each with the last edit here."""
    return tuple(_rows(review, review.changes, since_version))


def overwrite_rows(review: Review, since_version: int | None = None) -> tuple[ValueRow, ...]:
    """The values of the directory that this message overwrites and that nobody here chose to replace."""
    return tuple(_rows(review, review.overwrites, since_version, overwrites=True))


class MessageMoves(NamedTuple):
    """What one of several messages changes, from what to what: the edits here, and values of the directory."""

    changed: tuple[ValueRow, ...] = ()
    overwritten: tuple[ValueRow, ...] = ()


def moves_of_messages(environment: str, reviews: Iterable[Review]) -> list[MessageMoves]:
    """The moves of each review; where there is nothing to compare with, all values. At most one query."""
    compared = [(each.changes, each.overwrites if each.before is not None else ()) for each in reviews]
    found = [change.difference for pair in compared for changes in pair for change in changes]
    named = iter(parents.named(environment, found))

    def rows(review: Review, changes: Iterable[Change]) -> tuple[ValueRow, ...]:
        of_each = ((next(named), change.entry) for change in changes)
        return tuple(
            _row(review.organization, found, entry, None, found.before, DirectoryValue(found.before))
            for found, entry in of_each
        )

    return [
        MessageMoves(rows(review, changes), rows(review, overwrites))
        for review, (changes, overwrites) in zip(reviews, compared, strict=True)
    ]


def equivalent_rows(review: Review) -> tuple[ValueRow, ...]:
    """The values that the directory spells in another way, which means the same."""
    changes = [Change(each, None) for each in review.equivalent]
    return tuple(_rows(review, changes, None, overwrites=True, note=EQUIVALENT))


def key_rows(review: Review) -> tuple[KeyRow, ...]:
    """Keys that the form does not have, of the newest reading and of this message."""
    seen = review.organization.seen_record() if review.before is not None else None
    shown, sent = dict(seen.carried) if seen else {}, dict(review.record.carried)
    return tuple(KeyRow(key, shown.get(key, ""), sent.get(key, "")) for key in sorted(shown | sent))


def _rows(
    review: Review,
    changes: Iterable[Change],
    since_version: int | None,
    *,
    overwrites: bool = False,
    note: str = "",
) -> Iterator[ValueRow]:
    """`before` of a change that overwrites is the directory's value; of any other it is the accepted one."""
    changes = list(changes)
    environment = review.organization.environment
    accepted = _before_by_place(environment, review.known.accepted, review.record)
    # A Query shows neither the destination ID nor the keys of other systems: there is nothing to compare in them.
    reading = review.known.seen and knowledge.fill_unreadable(review.known.seen, review.record)
    seen = _before_by_place(environment, reading and replace(reading, carried=review.record.carried), review.record)
    named = parents.named(environment, [change.difference for change in changes])
    for found, change in zip(named, changes, strict=True):
        place = knowledge.difference_place(found)
        if overwrites:
            was, directory = accepted.get(place, found.after), DirectoryValue(found.before, note)
        else:
            was = found.before
            directory = _shown(review.organization, found, seen.get(place, was), was)
        yield _row(review.organization, found, change.entry, since_version, was, directory)


def _shown(organization: Organization, found: Difference, seen: str, accepted: str) -> DirectoryValue:
    """What the directory shows of a field that is changed here: it means the same as what was accepted."""
    if found.field == "destination_id":
        return DirectoryValue("", UNREADABLE)
    same = SAME_AS_ACCEPTED if organization.confirmed else SAME_AS_TAKEN
    return DirectoryValue(seen, same if seen == accepted else EQUIVALENT)


def _row(
    organization: Organization,
    found: Difference,
    entry: AuditEntry | None,
    since_version: int | None,
    accepted: str,
    directory: DirectoryValue,
) -> ValueRow:
    version = entry.version_after if entry else None
    edit = reverse("edit", args=[organization.environment, organization.oid])
    return ValueRow(
        field=found.field,
        label=found.label,
        accepted=accepted,
        directory=directory,
        sent=found.after,
        by=f"{entry.actor_name}, {written(entry.at, 'day')}" if entry else "",
        edit_url=f"{edit}#{found.anchor}" if found.anchor else "",  # else the form has no such field
        is_new=since_version is not None and version is not None and version > since_version,
    )


def _before_by_place(
    environment: str, before: OrganizationRecord | None, after: OrganizationRecord
) -> dict[tuple[str, str], str]:
    if before is None:
        return {}
    found = parents.named(environment, knowledge.in_form(difference(before, after)))
    return {knowledge.difference_place(each): each.before for each in found}
