"""Two people edited one version of a record: what each changed, and the record that results from the choices.

If both changed the same field to different values, no side is preselected: only a person can decide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from organizations.models import RecordKind
from organizations.pages.comparison.contacts import contact_sides
from organizations.pages.comparison.field_lines import is_code
from organizations.records import (
    ADDRESS_LABELS,
    CONTACT_LABELS,
    ContactRecord,
    OrganizationRecord,
    contact_lines,
    contact_text,
    fields_as_text,
    label_in_sentence,
)

_ORDER = "contacts-order"


class ConflictSide(StrEnum):
    """Whose value is used."""

    THEIRS = "theirs"
    MINE = "mine"


class FormVersion(NamedTuple):
    """What the form of a record edits."""

    record: OrganizationRecord
    stands_for: str


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """One field in which two versions differ, as text. `chosen` is the side that changed it, if only one did."""

    key: str
    label: str
    before: str
    theirs: str
    mine: str
    chosen: ConflictSide | None

    @property
    def is_code(self) -> bool:
        return is_code(self.key)

    @property
    def spoken(self) -> str:
        """Its label inside a sentence."""
        return label_in_sentence(self.label)


@dataclass(frozen=True, slots=True)
class _ConflictContact:
    """One contact in three versions; None if a version lacks it. `places` are its positions on each side."""

    key: str
    label: str
    before: ContactRecord | None
    theirs: ContactRecord | None
    mine: ContactRecord | None
    places: Mapping[ConflictSide, int | None]

    def on(self, side: ConflictSide) -> ContactRecord | None:
        return self.theirs if side is ConflictSide.THEIRS else self.mine


def conflict_rows(before: FormVersion, theirs: FormVersion, mine: FormVersion) -> tuple[ConflictRow, ...]:
    """Every field and every contact in which the two versions differ, in the order of the form."""
    first, second, third = map(_fields, (before, theirs, mine))
    texts = tuple(map(_texts, (before, theirs, mine)))
    rows = [
        ConflictRow(
            key, label, texts[0][key], texts[1][key], texts[2][key], _chosen(first[key], second[key], third[key])
        )
        for key, label in _LABELS.items()
        if second[key] != third[key]
    ]
    contacts = _contacts(before, theirs, mine)
    rows += (row for contact in contacts for row in _contact_rows(contact))
    return (*rows, *_order_row(contacts))


def equal_labels(theirs: FormVersion, mine: FormVersion) -> list[str]:
    """The labels of the fields that are filled and equal in both versions."""
    first, second = _fields(theirs), _fields(mine)
    texts = _texts(theirs)
    labels = [label for key, label in _LABELS.items() if first[key] == second[key] and texts[key]]
    return [*labels, "Contacts"] if theirs.record.contacts == mine.record.contacts else labels


def merge_versions(
    before: FormVersion, theirs: FormVersion, mine: FormVersion, choices: Mapping[str, ConflictSide]
) -> FormVersion:
    """The version with each differing field from the side that was chosen for its key."""
    sides = {ConflictSide.THEIRS: _fields(theirs), ConflictSide.MINE: _fields(mine)}
    values = {key: sides[choices.get(key, ConflictSide.THEIRS)][key] for key in _LABELS}
    address = {name: values.pop(f"address.{name}") for name in ADDRESS_LABELS}
    destination_id, destination_known = values.pop("destination_id")
    stands_for = values.pop("stands_for")
    record = replace(
        theirs.record,
        **values,
        destination_id=destination_id,
        destination_known=destination_known,
        address=replace(theirs.record.address, **address),
        contacts=_merged_contacts(_contacts(before, theirs, mine), choices),
    )
    return FormVersion(record, stands_for)


def _labels() -> Iterator[tuple[str, str]]:
    """The key and label of each field that the form edits, without contacts."""
    for field in fields_as_text(OrganizationRecord()):
        if field.field != "active":
            yield field.field, field.label
        if field.field == "aliases":
            yield "stands_for", "Kind of record"


_LABELS = dict(_labels())


def _fields(version: FormVersion) -> dict[str, Any]:
    record = version.record
    return {
        "name": record.name,
        "oid": record.oid,
        "aliases": record.aliases,
        "stands_for": version.stands_for,
        "identifiers": record.identifiers,
        "part_of_oid": record.part_of_oid,
        "destination_id": (record.destination_id, record.destination_known),
        **{f"address.{name}": getattr(record.address, name) for name in ADDRESS_LABELS},
    }


def _texts(version: FormVersion) -> dict[str, str]:
    texts = {each.field: each.value for each in fields_as_text(version.record)}
    return texts | {"stands_for": RecordKind(version.stands_for).label}


def _chosen(before: object, theirs: object, mine: object) -> ConflictSide | None:
    if mine == before:
        return ConflictSide.THEIRS
    return ConflictSide.MINE if theirs == before else None


def _contacts(before: FormVersion, theirs: FormVersion, mine: FormVersion) -> list[_ConflictContact]:
    """Each contact once: those before in their order, then those that were added."""
    rows = []
    # The record before the two edits is passed as the accepted side, and their edit as the directory's side.
    for each in contact_sides(saved=mine.record, accepted=before.record, newest=theirs.record, seen=None):
        place_mine, place, place_theirs = each.places
        places = {ConflictSide.THEIRS: place_theirs, ConflictSide.MINE: place_mine}
        key, label = f"contact-{place}", f"Contact {(place or 0) + 1}"
        if place is None:
            side = ConflictSide.MINE if place_theirs is None else ConflictSide.THEIRS
            key, label = f"contact-{side}-{places[side]}", "Contact added"
        rows.append(
            (place is None, place or 0, _ConflictContact(key, label, each.accepted, each.newest, each.saved, places))
        )
    return [contact for *_, contact in sorted(rows, key=lambda line: line[:2])]


def _contact_rows(contact: _ConflictContact) -> Iterator[ConflictRow]:
    """Each differing field of a contact that both sides have; else the whole contact as one row."""
    versions = (contact.before, contact.theirs, contact.mine)
    if contact.theirs == contact.mine:  # also if both removed it
        return
    if contact.theirs is None or contact.mine is None:
        before, theirs, mine = (contact_text(each) if each else "" for each in versions)
        yield ConflictRow(contact.key, contact.label, before, theirs, mine, _chosen(*versions))
        return
    printed = [contact_lines(each) if each else {} for each in versions]
    for name, label in CONTACT_LABELS.items():
        values = [getattr(each, name, "") for each in versions]
        if values[1] != values[2]:
            before, theirs, mine = ("\n".join(lines.get(name, ())) for lines in printed)
            key = f"{contact.key}.{name}"
            yield ConflictRow(key, f"{contact.label}, {label}", before, theirs, mine, _chosen(*values))


def _order_row(contacts: list[_ConflictContact]) -> Iterator[ConflictRow]:
    """The order of the contacts that both sides have, if it differs."""
    both = [each for each in contacts if each.theirs and each.mine]
    orders = [both, _in_order(both, ConflictSide.THEIRS), _in_order(both, ConflictSide.MINE)]
    if orders[1] != orders[2]:
        before, theirs, mine = (
            "\n".join(each.mine.name or each.mine.purpose for each in order if each.mine) for order in orders
        )
        yield ConflictRow(_ORDER, "Order of contacts", before, theirs, mine, _chosen(*orders))


def _in_order(contacts: list[_ConflictContact], side: ConflictSide) -> list[_ConflictContact]:
    """The contacts of this side, in its order."""
    here = [each for each in contacts if each.on(side)]
    return sorted(here, key=lambda each: each.places[side] or 0)


def _merged_contacts(
    contacts: list[_ConflictContact], choices: Mapping[str, ConflictSide]
) -> tuple[ContactRecord, ...]:
    first = choices.get(_ORDER, ConflictSide.THEIRS)
    arranged = _in_order(contacts, first)
    second = _in_order(contacts, ConflictSide.MINE if first is ConflictSide.THEIRS else ConflictSide.THEIRS)
    for place, contact in enumerate(second):
        if contact not in arranged:
            arranged.insert(arranged.index(second[place - 1]) + 1 if place else 0, contact)
    merged = (_merged_contact(contact, choices) for contact in arranged)
    return tuple(each for each in merged if each is not None)


def _merged_contact(contact: _ConflictContact, choices: Mapping[str, ConflictSide]) -> ContactRecord | None:
    if contact.theirs is None or contact.mine is None:
        return contact.on(choices.get(contact.key, ConflictSide.THEIRS))
    sides = {name: choices.get(f"{contact.key}.{name}", ConflictSide.THEIRS) for name in CONTACT_LABELS}
    return ContactRecord(**{name: getattr(contact.on(side), name) for name, side in sides.items()})
