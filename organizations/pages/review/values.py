"""The values of each field side by side: accepted, shown by the directory, and sent by this message."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from organizations import knowledge
from organizations.models import AuditEntry, Organization
from organizations.pages import parent_names
from organizations.pages.addresses import record_url
from organizations.pages.comparison.field_lines import is_code
from organizations.pages.comparison.field_rows import SAME_AS_ACCEPTED, SAME_AS_TAKEN
from organizations.records import Difference, OrganizationRecord, difference, label_in_sentence
from organizations.services.review.reviews import Review, ReviewChange
from organizations.text.markup import written

EQUIVALENT = "equivalent"
UNREADABLE = "a Query does not show it"


class DirectoryValue(NamedTuple):
    """One value of the directory with a note; if `only_note`, the note replaces the value."""

    text: str
    note: str = ""

    @property
    def only_note(self) -> bool:
        return self.note in (SAME_AS_ACCEPTED, SAME_AS_TAKEN, UNREADABLE)


class ValueRow(NamedTuple):
    """One field with its values. `is_new`: the field was edited after the page was shown.

    `tick` is the key of the box that accepts overwriting the directory's value; "" if nothing is overwritten.
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
        return label_in_sentence(self.label)


class KeyRow(NamedTuple):
    """A key of the directory's record that the form does not have, and what this message sends for it."""

    key: str
    directory: str
    sent: str

    @property
    def is_sent_back(self) -> bool:
        """Whether the message keeps the directory's value. If a Query shows none, the accepted one is sent."""
        return bool(self.sent) and self.directory in ("", self.sent)


def change_rows(review: Review, since_version: int | None = None) -> tuple[ValueRow, ...]:
    """The fields that this message changes, each with its last edit here."""
    return tuple(_rows(review, review.changes, since_version))


def overwrite_rows(review: Review, since_version: int | None = None) -> tuple[ValueRow, ...]:
    """The directory's values that this message overwrites although nobody here chose to replace them."""
    return tuple(_rows(review, review.overwrites, since_version, overwrites=True))


class MessageMoves(NamedTuple):
    """What one of several messages changes: the edits made here, and values of the directory."""

    changed: tuple[ValueRow, ...] = ()
    overwritten: tuple[ValueRow, ...] = ()


def moves_of_messages(environment: str, reviews: Iterable[Review]) -> list[MessageMoves]:
    """What each message changes; all its values if there is nothing to compare with. At most one query."""
    compared = [(review.changes, review.overwrites if review.before is not None else ()) for review in reviews]
    differences = [change.difference for pair in compared for changes in pair for change in changes]
    named = iter(parent_names.with_parent_names(environment, differences))

    def rows(review: Review, changes: Iterable[ReviewChange]) -> tuple[ValueRow, ...]:
        with_entries = ((next(named), change.entry) for change in changes)
        return tuple(
            _row(review.organization, named_one, entry, None, named_one.before, DirectoryValue(named_one.before))
            for named_one, entry in with_entries
        )

    return [
        MessageMoves(rows(review, changes), rows(review, overwrites))
        for review, (changes, overwrites) in zip(reviews, compared, strict=True)
    ]


def equivalent_rows(review: Review) -> tuple[ValueRow, ...]:
    """The values that the directory spells differently and that mean the same."""
    changes = [ReviewChange(equivalent, None) for equivalent in review.equivalent]
    return tuple(_rows(review, changes, None, overwrites=True, note=EQUIVALENT))


def key_rows(review: Review) -> tuple[KeyRow, ...]:
    """The keys of the newest reading and of this message that the form does not have."""
    seen = review.organization.seen_record() if review.before is not None else None
    seen_keys, sent = dict(seen.carried) if seen else {}, dict(review.record.carried)
    return tuple(KeyRow(key, seen_keys.get(key, ""), sent.get(key, "")) for key in sorted(seen_keys | sent))


def _rows(
    review: Review,
    changes: Iterable[ReviewChange],
    since_version: int | None,
    *,
    overwrites: bool = False,
    note: str = "",
) -> Iterator[ValueRow]:
    """With `overwrites` the `before` of each change is the directory's value, else the accepted one."""
    changes = list(changes)
    environment = review.organization.environment
    accepted = _before_by_place(environment, review.known.baseline, review.record)
    # A Query shows neither the destination ID nor the keys of other systems: there is nothing to compare in them.
    reading = review.known.seen and knowledge.with_fields_no_query_shows(review.known.seen, review.record)
    seen = _before_by_place(environment, reading and replace(reading, carried=review.record.carried), review.record)
    named = parent_names.with_parent_names(environment, [change.difference for change in changes])
    for change_named, change in zip(named, changes, strict=True):
        place = knowledge.difference_key(change_named)
        if overwrites:
            was, directory = accepted.get(place, change_named.after), DirectoryValue(change_named.before, note)
        else:
            was = change_named.before
            directory = _directory_value(review.organization, change_named, seen.get(place, was), was)
        yield _row(review.organization, change_named, change.entry, since_version, was, directory)


def _directory_value(organization: Organization, changed: Difference, seen: str, accepted: str) -> DirectoryValue:
    """The directory's value of a field that is edited here.

    If its meaning differed from the accepted value, the field would be overwritten, not edited.
    """
    if changed.field == "destination_id":
        return DirectoryValue("", UNREADABLE)
    same = SAME_AS_ACCEPTED if organization.confirmed else SAME_AS_TAKEN
    return DirectoryValue(seen, same if seen == accepted else EQUIVALENT)


def _row(
    organization: Organization,
    changed: Difference,
    entry: AuditEntry | None,
    since_version: int | None,
    accepted: str,
    directory: DirectoryValue,
) -> ValueRow:
    version = entry.version_after if entry else None
    edit = record_url(organization, "edit")
    return ValueRow(
        field=changed.field,
        label=changed.label,
        accepted=accepted,
        directory=directory,
        sent=changed.after,
        by=f"{entry.actor_name}, {written(entry.at, 'day')}" if entry else "",
        edit_url=f"{edit}#{changed.anchor}" if changed.anchor else "",  # "": the form has no such field
        is_new=since_version is not None and version is not None and version > since_version,
    )


def _before_by_place(
    environment: str, before: OrganizationRecord | None, after: OrganizationRecord
) -> dict[tuple[str, str], str]:
    if before is None:
        return {}
    differences = parent_names.with_parent_names(environment, knowledge.in_form(difference(before, after)))
    return {knowledge.difference_key(each): each.before for each in differences}
