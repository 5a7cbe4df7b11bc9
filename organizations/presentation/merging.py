"""Two people edited one record from the same beginning: what each changed, and the record that follows from a choice.

Nothing is decided here that only people can decide: where both changed the same field to different values, there is no
choice beforehand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from organizations.models import StandsFor
from organizations.records import (
    ADDRESS_LABELS,
    ContactRecord,
    OrganizationRecord,
    kept_and_added,
    print_fields,
)


class Side(StrEnum):
    """Whose value is taken."""

    THEIRS = "theirs"
    MINE = "mine"


class Version(NamedTuple):
    """All that a form edits of a record."""

    record: OrganizationRecord
    stands_for: str


@dataclass(frozen=True, slots=True)
class Row:
    """One field in which two versions differ, as text; `chosen` is the only side that changed it, if only one did."""

    key: str
    label: str
    before: str
    theirs: str
    mine: str
    chosen: Side | None


class _Slot(NamedTuple):
    """One contact through three versions; None where it is not there."""

    key: str
    label: str
    before: ContactRecord | None
    theirs: ContactRecord | None
    mine: ContactRecord | None


def compare(before: Version, theirs: Version, mine: Version) -> tuple[Row, ...]:
    """Every field, and every contact, in which the two versions differ, in the order of the form."""
    first, second, third = map(_fields, (before, theirs, mine))
    said = tuple(map(_texts, (before, theirs, mine)))
    rows = [
        Row(key, label, said[0][key], said[1][key], said[2][key], _chosen(first[key], second[key], third[key]))
        for key, label in _LABELS.items()
        if second[key] != third[key]
    ]
    for slot in _slots(before.record.contacts, theirs.record.contacts, mine.record.contacts):
        if slot.theirs != slot.mine:
            texts = _summary(slot.before), _summary(slot.theirs), _summary(slot.mine)
            chosen = _chosen(slot.before, slot.theirs, slot.mine)
            rows.append(Row(slot.key, slot.label, texts[0], texts[1], texts[2], chosen))
    return tuple(rows)


def equal_fields(theirs: Version, mine: Version) -> list[str]:
    """The labels of the filled fields in which the two versions are equal."""
    first, second = _fields(theirs), _fields(mine)
    texts = _texts(theirs)
    labels = [label for key, label in _LABELS.items() if first[key] == second[key] and texts[key]]
    return [*labels, "Contacts"] if theirs.record.contacts == mine.record.contacts else labels


def merge(before: Version, theirs: Version, mine: Version, choices: Mapping[str, Side]) -> Version:
    """The version that takes each differing field from the side chosen for its key; equal fields are as they are."""
    sides = {Side.THEIRS: _fields(theirs), Side.MINE: _fields(mine)}
    taken = {key: sides[choices.get(key, Side.THEIRS)][key] for key in _LABELS}
    address = {name: taken.pop(f"address.{name}") for name in ADDRESS_LABELS}
    destination_id, destination_known = taken.pop("destination_id")
    stands_for = taken.pop("stands_for")
    contacts = (
        slot.mine if choices.get(slot.key) == Side.MINE else slot.theirs
        for slot in _slots(before.record.contacts, theirs.record.contacts, mine.record.contacts)
    )
    record = replace(
        theirs.record,
        **taken,
        destination_id=destination_id,
        destination_known=destination_known,
        address=replace(theirs.record.address, **address),
        contacts=tuple(contact for contact in contacts if contact is not None),
    )
    return Version(record, stands_for)


_LABELS = {
    "name": "Name",
    "oid": "OID",
    "aliases": "Aliases",
    "stands_for": "Stands for",
    "identifiers": "Own identifiers",
    "part_of_oid": "PartOf",
    "destination_id": "Destination ID",
    **{f"address.{name}": label for name, label in ADDRESS_LABELS.items()},
}


def _fields(version: Version) -> dict[str, Any]:
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


def _texts(version: Version) -> dict[str, str]:
    shown = {each.field: each.value for each in print_fields(version.record)}
    return shown | {"stands_for": StandsFor(version.stands_for).label}


def _chosen(before: object, theirs: object, mine: object) -> Side | None:
    if mine == before:
        return Side.THEIRS
    return Side.MINE if theirs == before else None


def _slots(
    before: tuple[ContactRecord, ...], theirs: tuple[ContactRecord, ...], mine: tuple[ContactRecord, ...]
) -> Iterator[_Slot]:
    """Each contact of the beginning with what became of it on both sides, then those that were added."""
    kept_by_them, added_by_them = kept_and_added(before, theirs)
    kept_by_me, added_by_me = kept_and_added(before, mine)
    for number, contact in enumerate(before):
        label = f"Contact {number + 1}"
        yield _Slot(f"contact-{number}", label, contact, kept_by_them.get(number), kept_by_me.get(number))
    for number, contact in enumerate(added_by_them):
        both = contact in added_by_me
        if both:
            added_by_me.remove(contact)
        yield _Slot(f"contact-theirs-{number}", "Contact added", None, contact, contact if both else None)
    for number, contact in enumerate(added_by_me):
        yield _Slot(f"contact-mine-{number}", "Contact added", None, None, contact)


def _summary(contact: ContactRecord | None) -> str:
    if contact is None:
        return ""
    shown = print_fields(OrganizationRecord(contacts=(contact,)))
    return "\n".join(each.value for each in shown if each.anchor == "contacts" and each.value)
