"""All that stands in the form of a record, as text: typed, taken from a record, or on its way round by a button."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from organizations.records import ADDRESS_LABELS, CONTACT_LABELS, ContactRecord, OrganizationRecord

MOST_ROWS = 20
CONTACTS = "contacts"
IDENTIFIERS = "identifiers"
NAMES = {CONTACTS: tuple(CONTACT_LABELS), IDENTIFIERS: ("value", "kind")}

OURS, GATEWAY, OTHER = "ours", "gateway", "other"

_FIELDS = (
    "name",
    "oid",
    "aliases",
    "stands_for",
    "place",
    "parent",
    "other_oid",
    "destination_id",
    "destination_none",
    *ADDRESS_LABELS,
)
_REMOVE = re.compile(r"remove-(contacts|identifiers)-([0-9]{1,2})")

type Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The texts of the form. `torn` names the lists whose lines did not arrive as they were sent."""

    fields: dict[str, str] = field(default_factory=dict)
    contacts: tuple[Row, ...] = ()
    identifiers: tuple[Row, ...] = ()
    torn: frozenset[str] = frozenset()

    @classmethod
    def from_post(cls, data: QueryDict) -> "Typed":
        """What was posted. Nothing but the form's own fields is looked at."""
        contacts, contacts_whole = _rows(data, CONTACTS)
        identifiers, identifiers_whole = _rows(data, IDENTIFIERS)
        whole = {CONTACTS: contacts_whole, IDENTIFIERS: identifiers_whole}
        return cls(
            fields={name: data.get(name) or "" for name in _FIELDS},
            contacts=contacts,
            identifiers=identifiers,
            torn=frozenset(prefix for prefix, is_whole in whole.items() if not is_whole),
        )

    @classmethod
    def from_record(cls, record: OrganizationRecord, *, stands_for: str, place: str) -> "Typed":
        """A record as its form shows it; `place` says which kind of parent it has."""
        address = {name: getattr(record.address, name) for name in ADDRESS_LABELS}
        return cls(
            fields={
                "name": record.name,
                "oid": record.oid,
                "aliases": "\n".join(record.aliases),
                "stands_for": stands_for,
                "place": place,
                "parent": record.part_of_oid if place == OURS else "",
                "other_oid": record.part_of_oid if place == OTHER else "",
                "destination_id": record.destination_id,
                **address,
            },
            contacts=tuple(map(_contact_row, record.contacts)),
            identifiers=tuple({"value": one.value, "kind": one.kind} for one in record.identifiers),
        )

    def having(self, **texts: str) -> "Typed":
        """The same with some texts replaced."""
        return replace(self, fields=self.fields | texts)

    def after(self, act: str) -> "Typed":
        """The same after a button that adds or removes a line; unchanged for any other button."""
        if act == f"add-{CONTACTS}":
            return replace(self, contacts=(*self.contacts, {"purpose": "Technical"})[:MOST_ROWS])
        if act == f"add-{IDENTIFIERS}":
            return replace(self, identifiers=(*self.identifiers, {})[:MOST_ROWS])
        found = _REMOVE.fullmatch(act)
        if not found:
            return self
        prefix, number = found[1], int(found[2])
        rows: tuple[Row, ...] = getattr(self, prefix)
        kept: Any = {prefix: tuple(row for place, row in enumerate(rows) if place != number)}
        return replace(self, **kept)

    def as_post(self) -> dict[str, str]:
        """The texts by the names of the form's inputs, with what a formset needs to count its lines."""
        return (
            self.fields | dict(_row_inputs(CONTACTS, self.contacts)) | dict(_row_inputs(IDENTIFIERS, self.identifiers))
        )


def _row_inputs(prefix: str, rows: tuple[Row, ...]) -> Iterable[tuple[str, str]]:
    yield f"{prefix}-TOTAL_FORMS", str(len(rows))
    # All lines count as initial ones: to a formset an additional line that is empty is none.
    yield f"{prefix}-INITIAL_FORMS", str(len(rows))
    for number, row in enumerate(rows):
        yield from ((f"{prefix}-{number}-{name}", text) for name, text in row.items())


def _rows(data: QueryDict, prefix: str) -> tuple[tuple[Row, ...], bool]:
    """The lines of a list, and whether they are as many as the form says it sent."""
    input_name = re.compile(rf"{prefix}-([0-9]{{1,3}})-({'|'.join(NAMES[prefix])})")
    numbers = sorted({int(found[1]) for name in data if (found := input_name.fullmatch(name))})
    totals = data.getlist(f"{prefix}-TOTAL_FORMS")
    whole = totals == [str(len(numbers))] and numbers == list(range(len(numbers)))
    # One more than there may be, so that the form can say so; the names are looked up, so that a line may have gaps.
    kept = numbers[: MOST_ROWS + 1]
    return tuple(
        {name: data.get(f"{prefix}-{number}-{name}") or "" for name in NAMES[prefix]} for number in kept
    ), whole


def _contact_row(contact: ContactRecord) -> Row:
    texts = {name: getattr(contact, name) for name in CONTACT_LABELS}
    return texts | {"email_addresses": "\n".join(contact.email_addresses)}
