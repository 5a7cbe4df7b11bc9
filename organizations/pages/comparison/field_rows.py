"""Each field of a record side by side: as saved here, as last accepted, and as the directory shows it."""

import dataclasses
import datetime
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from organizations import knowledge
from organizations.pages.comparison.contacts import ContactSides, contact_sides
from organizations.pages.comparison.field_lines import Lines, is_code, plain_lines
from organizations.records import (
    CONTACT_LABELS,
    ENDPOINTS,
    ENDPOINTS_LEFT_OUT,
    SECTIONS,
    SENT_BACK,
    OrganizationRecord,
    contact_lines,
    fields_as_text,
)

NOT_SHOWN = "Redox cannot show this field"
SAME_AS_ACCEPTED, SAME_AS_TAKEN = "same as accepted", "same as taken"


class ParentCell(NamedTuple):
    """The parent as text, with the address of its page; "" for an OID that is not a record of ours."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class RecordSides:
    """The record as saved here, as accepted or taken from the directory, and as a later reading shows it.

    `only_taken`: Redox has never accepted it. `is_destination_said`: a person said which destination ID the directory
    has. It is not an edit, and that person is the only evidence for it.
    """

    saved: OrganizationRecord
    baseline: OrganizationRecord | None = None
    seen: OrganizationRecord | None = None
    only_taken: bool = False
    is_destination_said: bool = False

    @property
    def newest(self) -> OrganizationRecord | None:
        """The newest known value of each field; a value that means the same keeps the spelling known here."""
        if self.baseline and self.seen:
            return knowledge.newest(self.baseline, self.seen)
        return self.baseline or (knowledge.spell_like(self.seen, self.saved) if self.seen else None)


class FieldCell(NamedTuple):
    """One value in `span` columns. `kind`: "ahead" (ours, not sent), "adrift" (the directory's), "same", or ""."""

    lines: Lines = ()
    kind: str = ""
    note: str = ""
    column: str = ""
    span: int = 1
    parent: ParentCell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field. `accepted` and `seen` are None if that side is missing or Redox cannot show the field.

    `is_ahead`: the saved value is not sent. `is_adrift`: the directory shows another value than was accepted.
    `seen_since` is when the directory was first seen to show its value, if that is known. `is_said`: a person said that
    the directory has the saved value, and Redox cannot show it.
    """

    field: str
    label: str
    saved: Lines
    accepted: Lines | None = None
    seen: Lines | None = None
    is_ahead: bool = False
    is_adrift: bool = False
    is_said: bool = False
    columns: int = 1
    seen_since: datetime.datetime | None = None
    same_note: str = SAME_AS_ACCEPTED
    parents: Mapping[str, ParentCell] = dataclasses.field(default_factory=dict)

    @property
    def differs(self) -> bool:
        return self.is_ahead or self.is_adrift

    @property
    def is_code(self) -> bool:
        return is_code(self.field)

    @property
    def is_unreadable(self) -> bool:
        return self.field == "destination_id"

    @property
    def is_in_heading(self) -> bool:
        """Whether a heading shows it already: the OID in that of the page, the purpose in that of its contact."""
        return self.name in ("oid", "purpose") and len(self.cells) == 1

    @property
    def name(self) -> str:
        """The field without the number of its contact."""
        return self.field.rpartition(".")[2]

    @property
    def cells(self) -> tuple[FieldCell, ...]:
        """The cells of the row; one cell over all columns if all values are equal."""
        if self.differs:
            return tuple(self._differing())
        if self.is_said and self.columns > 1:
            others = FieldCell(kind="same", note=NOT_SHOWN, column="Directory", span=self.columns - 1)
            return (FieldCell(self.saved, column="Saved here"), others)
        third = self._directory() if self._has_own_third() else None
        span = self.columns - (1 if third else 0)
        first = FieldCell(self.saved, column="Saved here", span=span, parent=self._parent(self.saved))
        return (first, third) if third else (first,)

    def _has_own_third(self) -> bool:
        known = self.saved if self.accepted is None else self.accepted
        return self.columns > 1 and self._is_read and (self.is_unreadable or self.seen != known)

    @property
    def _is_read(self) -> bool:
        return self.columns == 3 or (self.columns == 2 and self.accepted is None)

    def _differing(self) -> Iterator[FieldCell]:
        yield FieldCell(self.saved, "ahead" if self.is_ahead else "", "", "Saved here", parent=self._parent(self.saved))
        if self.accepted is not None:
            is_same = self.accepted == self.saved
            note = "same as saved" if is_same else ""
            lines = () if is_same else self.accepted
            yield FieldCell(lines, "same" if is_same else "", note, "Accepted", parent=self._parent(lines))
        if self._is_read:
            yield self._directory()

    def _directory(self) -> FieldCell:
        if self.is_unreadable:
            return FieldCell(kind="same", note=NOT_SHOWN, column="Directory")
        seen = self.seen or ()
        if self.is_adrift:
            note = "same as saved" if seen == self.saved else ""
            return FieldCell(seen, "adrift", note, "Directory", parent=self._parent(seen))
        if self.accepted is not None and seen == self.accepted:
            return FieldCell(kind="same", note=self.same_note, column="Directory")
        note = "" if self.is_ahead and self.accepted is None else "equivalent"
        return FieldCell(seen, "", note, "Directory", parent=self._parent(seen))

    def _parent(self, lines: Lines) -> ParentCell | None:
        return self.parents.get(lines[0]) if lines and self.field == "part_of_oid" else None


class FieldGroup(NamedTuple):
    """The fields under one heading that do not differ; `above` names those that do.

    `anchor` is their section of the form.
    """

    heading: str
    anchor: str
    rows: tuple[FieldRow, ...]
    above: str = ""


class Fields(NamedTuple):
    """All fields of a record: first those that differ, then the others under their headings."""

    differing: tuple[FieldRow, ...]
    groups: tuple[FieldGroup, ...]
    columns: int


def field_rows(sides: RecordSides, parents: Mapping[str, ParentCell] | None = None) -> Fields:
    """Every field. Contacts are paired, without their empty fields; a contact that a side lacks is one field."""
    columns = 1 + (sides.baseline is not None) + (sides.seen is not None)
    rows = [*_plain_groups(sides, columns, parents or {}), *_contact_groups(sides, columns)]
    groups = [_noted(group, sides) for group in sorted(rows, key=lambda group: SECTIONS.index(group.anchor))]
    differing = tuple(_named(group, row) for group in groups for row in group.rows if row.differs)
    return Fields(differing, tuple(_without_differing(group) for group in groups if group.heading), columns)


def _noted(group: FieldGroup, sides: RecordSides) -> FieldGroup:
    note = SAME_AS_TAKEN if sides.only_taken else SAME_AS_ACCEPTED
    return group._replace(rows=tuple(replace(row, same_note=note) for row in group.rows))


def _named(group: FieldGroup, row: FieldRow) -> FieldRow:
    """A field of a contact with the contact's number, because outside its group no heading names the contact."""
    if group.anchor != "contacts" or not group.heading:
        return row
    return replace(row, label=f"{group.heading.partition(',')[0]}, {row.label}")


def _without_differing(group: FieldGroup) -> FieldGroup:
    above = ", ".join(row.label for row in group.rows if row.differs)
    rows = tuple(row for row in group.rows if not row.differs and not row.is_in_heading)
    return group._replace(rows=rows, above=above)


def _plain_groups(sides: RecordSides, columns: int, parents: Mapping[str, ParentCell]) -> Iterator[FieldGroup]:
    saved, accepted, newest, seen = (
        plain_lines(each) for each in (sides.saved, sides.baseline, sides.newest, sides.seen)
    )
    gathered: dict[tuple[str, str], list[FieldRow]] = {}
    for field in fields_as_text(replace(sides.saved, contacts=(), carried=())):
        key = field.field
        row = _plain_row(key, field.label, columns, saved[key], accepted.get(key), newest.get(key), seen.get(key))
        if key == "destination_id" and sides.is_destination_said:
            row = replace(row, is_ahead=False, is_said=True)
        gathered.setdefault((field.group, field.anchor), []).append(replace(row, parents=parents))
    for (heading, anchor), rows in gathered.items():
        yield FieldGroup(heading, anchor, tuple(rows))


def _plain_row(
    key: str,
    label: str,
    columns: int,
    saved: Lines,
    accepted: Lines | None,
    newest: Lines | None,
    seen: Lines | None,
) -> FieldRow:
    is_unreadable = key == "destination_id"
    known = accepted if is_unreadable else newest
    is_edit = accepted is None or saved != accepted
    return FieldRow(
        field=key,
        label=label,
        saved=saved,
        accepted=accepted,
        seen=None if is_unreadable else seen,
        is_ahead=known is not None and is_edit and saved != known,
        is_adrift=accepted is not None and seen is not None and not is_unreadable and newest != accepted,
        columns=columns,
    )


def _contact_groups(sides: RecordSides, columns: int) -> Iterator[FieldGroup]:
    for each in contact_sides(saved=sides.saved, accepted=sides.baseline, newest=sides.newest, seen=sides.seen):
        if each.is_whole:
            yield FieldGroup("", "contacts", (_whole_contact(each, columns),))
        else:
            rows = tuple(_contact_rows(each, columns))
            purpose = each.purpose
            yield FieldGroup(f"{each.label}, {purpose}" if purpose else each.label, "contacts", rows)
    yield from _order(sides, columns)


def _contact_rows(each: ContactSides, columns: int) -> Iterator[FieldRow]:
    for name, label in CONTACT_LABELS.items():
        values = [
            None if contact is None else contact_lines(contact)[name]
            for contact in (each.saved, each.accepted, each.newest, each.seen)
        ]
        if any(values):
            saved = values[0] or ()
            is_name = name == "name"
            yield _plain_row(
                f"contacts.{each.number}.{name}", "Name" if is_name else label, columns, saved, *values[1:]
            )


def _whole_contact(each: ContactSides, columns: int) -> FieldRow:
    """A contact that a side lacks, as one field. It is counted as one too."""
    sides = (each.saved, each.accepted, each.newest, each.seen)
    saved, accepted, newest, seen = (
        None if contact is None else tuple(itertools.chain(*contact_lines(contact).values())) for contact in sides
    )
    has_accepted = columns == 3 or (columns == 2 and each.has_accepted)
    is_read = columns - has_accepted == 2
    return FieldRow(
        field=f"contacts.{each.number}",
        label=each.label,
        saved=saved or (),
        accepted=(accepted or ()) if has_accepted else None,
        seen=(seen or ()) if is_read else None,
        is_ahead=saved != newest and (not has_accepted or saved != accepted),
        is_adrift=has_accepted and is_read and newest != accepted,
        columns=columns,
    )


def _order(sides: RecordSides, columns: int) -> Iterator[FieldGroup]:
    if not any(each.field == "contacts.order" for each in knowledge.unsent(sides.baseline, sides.seen, sides.saved)):
        return
    saved, accepted, seen = (
        None if record is None else tuple(contact.name or contact.purpose for contact in record.contacts)
        for record in (sides.saved, sides.baseline, sides.seen)
    )
    row = FieldRow(
        field="contacts.order",
        label="Order of contacts",
        saved=saved or (),
        accepted=accepted,
        seen=seen,
        is_ahead=True,
        columns=columns,
    )
    yield FieldGroup("", "contacts", (row,))


def keys_without_field(record: OrganizationRecord, seen: OrganizationRecord | None) -> tuple[tuple[str, str], ...]:
    """Keys that the form does not have, each with what an Update does with it."""
    kept = dict(record.carried)
    words = {name: "sent back" for name in SENT_BACK if name in kept}
    if ENDPOINTS in kept:
        words[ENDPOINTS] = "from an old message and sent back: a Query does not show it"
    if ENDPOINTS_LEFT_OUT in kept:
        words[ENDPOINTS_LEFT_OUT] = "secrets in an old message: not stored, so not sent back"
    names = dict(seen.carried if seen else ()) | kept
    return tuple((name, words.get(name, "not sent back")) for name in sorted(names))
