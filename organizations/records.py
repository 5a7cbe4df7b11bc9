"""One organization record in a neutral shape, and what differs between two.

Form, importer, Redox message, audit entry and directory answer all convert to and from this shape, so that comparing
and printing exist once. Texts are "" and lists are () where there is nothing.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord:
    """Where the organization is; one line of street, as the Postal Service writes it."""

    street: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    county: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    """Somebody to reach; phones in E.164 form, such as +16085550100."""

    purpose: str = ""
    name: str = ""
    email_addresses: tuple[str, ...] = ()
    work_phone: str = ""
    mobile_phone: str = ""
    home_phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRecord:
    """An identifier of our own and its kind, such as LSC-014 and FACID. The OID is none of these."""

    kind: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord:
    """One organization in one directory.

    The destination ID is a UUID, none ("") or, where `destination_known` is false, not known: a Query does not show it.
    `carried` are the keys of a record read from the directory that have no field here, each with its value as JSON with
    sorted keys and no blanks, its numbers as they came.
    """

    oid: str = ""
    name: str = ""
    active: bool = True
    destination_id: str = ""
    destination_known: bool = True
    part_of_oid: str = ""
    aliases: tuple[str, ...] = ()
    identifiers: tuple[IdentifierRecord, ...] = ()
    contacts: tuple[ContactRecord, ...] = ()
    address: AddressRecord = AddressRecord()
    carried: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.destination_id and not self.destination_known:
            raise ValueError("a destination ID that is not known has no value")

    def to_json(self) -> dict[str, Any]:
        """The record as plain dictionaries and lists."""
        return json.loads(canonical(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "OrganizationRecord":
        """The record that `to_json` gave away. Raises TypeError or KeyError when it is of another shape."""
        parts = {
            "aliases": tuple(data["aliases"]),
            "identifiers": tuple(IdentifierRecord(**identifier) for identifier in data["identifiers"]),
            "contacts": tuple(_contact(contact) for contact in data["contacts"]),
            "address": AddressRecord(**data["address"]),
            "carried": tuple((key, text) for key, text in data["carried"]),
        }
        return cls(**{**data, **parts})


class Shown(NamedTuple):
    """One field as a page prints it: stable key, label, lines, section of the form, heading on the page.

    A list has one line for each value. An empty field has no line.
    """

    field: str
    label: str
    lines: tuple[str, ...]
    anchor: str
    group: str

    @property
    def value(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


class Difference(NamedTuple):
    """One field that differs: stable key, label, both texts, section of the form where it is changed."""

    field: str
    label: str
    before: str
    after: str
    anchor: str


class _Row(NamedTuple):
    field: str
    label: str
    value: Any
    anchor: str
    group: str


CONTACT_LABELS = {
    "purpose": "Purpose",
    "name": "Contact name",
    "email_addresses": "E-mail addresses",
    "work_phone": "Work phone",
    "mobile_phone": "Mobile phone",
    "home_phone": "Home phone",
}
ADDRESS_LABELS = {
    "street": "Street",
    "city": "City",
    "county": "County",
    "state": "State",
    "zip_code": "ZIP",
    "country": "Country",
}


SECTIONS = ("identity", "place", "routing", "contacts", "address", "")
"""The sections of the form, in its order; "" holds the keys that the form does not have."""


def canonical(record: OrganizationRecord) -> str:
    """The record as the one JSON text it has (RFC 8785): keys sorted, no blanks, no escapes but the needed."""
    return canonical_json(asdict(record))


def canonical_json(value: object) -> str:
    """Any plain value without fractions as canonical JSON (RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def from_canonical(text: str) -> OrganizationRecord:
    """The record of which this is the canonical text."""
    return OrganizationRecord.from_json(json.loads(text))


def fingerprint(record: OrganizationRecord) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()


def readable_fingerprint(record: OrganizationRecord) -> str:
    """The fingerprint of what a Query shows of the record; equal where two records mean the same."""
    return fingerprint(readable(record))


def print_fields(record: OrganizationRecord) -> tuple[Shown, ...]:
    """Every field as text, also the empty ones, in the order of the form."""
    return tuple(Shown(row.field, row.label, _lines(row.value), row.anchor, row.group) for row in _rows(record))


def difference(before: OrganizationRecord | None, after: OrganizationRecord) -> tuple[Difference, ...]:
    """What differs, by section of the form; empty exactly when the records are equal.

    Without a record before, everything that is filled in.
    """
    if before is None:
        return tuple(
            Difference(row.field, _full_label(row), "", _text(row.value), row.anchor)
            for row in _rows(after)
            if _text(row.value)
        )
    differences = [*_plain_differences(before, after), *_contact_differences(before.contacts, after.contacts)]
    return tuple(sorted(differences, key=lambda found: SECTIONS.index(found.anchor)))


def pair_contacts(
    before: tuple[ContactRecord, ...], after: tuple[ContactRecord, ...]
) -> tuple[tuple[int | None, int | None], ...]:
    """Which contact became which: positions before and after, None for an added or removed one.

    Contacts are paired if all their fields are equal, else by e-mail address, then by name, then by place.
    """
    became: dict[int, int] = {}
    free = dict.fromkeys(range(len(before)))
    for fits in (_equal, _same_email, _same_name, _same_place):
        for new, contact in enumerate(after):
            if new in became:
                continue
            found = next((old for old in free if fits(before[old], contact, old == new)), None)
            if found is not None:
                became[new] = found
                del free[found]
    kept_or_added = tuple((became.get(new), new) for new in range(len(after)))
    removed = tuple((old, None) for old in free)
    return kept_or_added + removed


def kept_and_added(
    before: tuple[ContactRecord, ...], after: tuple[ContactRecord, ...]
) -> tuple[dict[int, ContactRecord], list[ContactRecord]]:
    """What became of each contact that was kept, by its place before, and the contacts that were added."""
    pairs = pair_contacts(before, after)
    kept = {old: after[new] for old, new in pairs if old is not None and new is not None}
    return kept, [after[new] for old, new in pairs if old is None and new is not None]


def readable(record: OrganizationRecord) -> OrganizationRecord:
    """The record reduced to what a Query shows, with what means the same made the same.

    A Query shows neither destination ID nor endpoints. USA and US, phones with and without punctuation, ZIP and ZIP+4,
    case of the state, runs of blanks and the order of lists make no difference.
    """
    return OrganizationRecord(
        oid=record.oid,
        name=_folded(record.name),
        active=record.active,
        destination_known=False,
        part_of_oid=record.part_of_oid,
        aliases=tuple(sorted(map(_folded, record.aliases))),
        identifiers=_sorted(
            IdentifierRecord(kind=_folded(one.kind), value=_folded(one.value)) for one in record.identifiers
        ),
        contacts=_sorted(map(_folded_contact, record.contacts)),
        address=_folded_address(record.address),
    )


def _contact(data: dict[str, Any]) -> ContactRecord:
    return ContactRecord(**{**data, "email_addresses": tuple(data["email_addresses"])})


def _rows(record: OrganizationRecord) -> Iterator[_Row]:
    destination = record.destination_id if record.destination_known else "not known"
    yield _Row("name", "Name", record.name, "identity", "Identity")
    yield _Row("oid", "OID", record.oid, "identity", "Identity")
    yield _Row("aliases", "Aliases", record.aliases, "identity", "Identity")
    yield _Row("active", "Active", record.active, "identity", "Identity")
    yield _Row("identifiers", "Own identifiers", record.identifiers, "identity", "Identity")
    yield _Row("part_of_oid", "PartOf", record.part_of_oid, "place", "Place in the tree")
    yield _Row("destination_id", "Destination ID", destination, "routing", "Routing")
    for position, contact in enumerate(record.contacts):
        yield from _contact_rows(position, contact)
    for name, label in ADDRESS_LABELS.items():
        yield _Row(f"address.{name}", label, getattr(record.address, name), "address", "Address")
    for key, text in record.carried:
        yield _Row(f"carried.{key}", key, text, "", "Not in the form")


def _contact_rows(position: int, contact: ContactRecord) -> Iterator[_Row]:
    group = ", ".join(filter(None, (f"Contact {position + 1}", contact.purpose)))
    for name, label in CONTACT_LABELS.items():
        yield _Row(f"contacts.{position}.{name}", label, getattr(contact, name), "contacts", group)


def _text(value: object) -> str:
    return "\n".join(_lines(value))


def _lines(value: object) -> tuple[str, ...]:
    """The value for people. A list has one line for each value, so that "Alpha; Beta" does not look like two."""
    if isinstance(value, tuple):
        return tuple(_one_text(one).replace("\n", "\\u000A") for one in value)
    text = _one_text(value)
    return (text,) if text else ()


def _one_text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case IdentifierRecord():
            return f"{value.value} ({value.kind})" if value.kind else value.value
        case _:
            return str(value)


def _full_label(row: _Row) -> str:
    return f"Contact {int(row.field.split('.')[1]) + 1}, {row.label}" if row.anchor == "contacts" else row.label


def spoken(label: str) -> str:
    """The label of a field inside a sentence or list: "Contact 1, Work phone" is "Work phone of contact 1"."""
    contact, comma, name = label.partition(", ")
    return f"{name} of {contact.lower()}" if comma and contact.startswith("Contact ") else label


def listed(labels: Iterable[str]) -> str:
    """Labels of fields, one after the other."""
    return ", ".join(map(spoken, labels))


def _plain_differences(before: OrganizationRecord, after: OrganizationRecord) -> Iterator[Difference]:
    old = {row.field: row for row in _rows(replace(before, contacts=()))}
    new = {row.field: row for row in _rows(replace(after, contacts=()))}
    for key, row in (old | new).items():
        before_value = old[key].value if key in old else ""
        after_value = new[key].value if key in new else ""
        if before_value != after_value:
            yield Difference(key, row.label, _text(before_value), _text(after_value), row.anchor)


def _contact_differences(before: tuple[ContactRecord, ...], after: tuple[ContactRecord, ...]) -> Iterator[Difference]:
    kept: list[int] = []
    for old, new in pair_contacts(before, after):
        if old is not None and new is not None:
            kept.append(old)
            yield from _one_contact_differences(new, before[old], after[new])
        elif new is not None:
            yield Difference(f"contacts.{new}", f"Contact {new + 1}", "", contact_text(after[new]), "contacts")
        elif old is not None:
            yield Difference(f"contacts.removed.{old}", f"Contact {old + 1}", contact_text(before[old]), "", "contacts")
    if kept != sorted(kept):
        order_before, order_after = ("\n".join(map(_contact_line, contacts)) for contacts in (before, after))
        yield Difference("contacts.order", "Order of contacts", order_before, order_after, "contacts")


def _one_contact_differences(position: int, before: ContactRecord, after: ContactRecord) -> Iterator[Difference]:
    for old, new in zip(_contact_rows(position, before), _contact_rows(position, after), strict=True):
        if old.value != new.value:
            yield Difference(new.field, _full_label(new), _text(old.value), _text(new.value), new.anchor)


def contact_lines(contact: ContactRecord) -> dict[str, tuple[str, ...]]:
    """Each field of a contact by its name, as `print_fields` prints it."""
    return {name: _lines(getattr(contact, name)) for name in CONTACT_LABELS}


def contact_text(contact: ContactRecord) -> str:
    """The whole contact, one value a line."""
    return "\n".join(filter(None, map("\n".join, contact_lines(contact).values())))


def _contact_line(contact: ContactRecord) -> str:
    return contact_text(contact).replace("\n", ", ")


def _equal(before: ContactRecord, after: ContactRecord, same_place: bool) -> bool:
    return before == after


def _same_email(before: ContactRecord, after: ContactRecord, same_place: bool) -> bool:
    return not set(map(str.casefold, before.email_addresses)).isdisjoint(map(str.casefold, after.email_addresses))


def _same_name(before: ContactRecord, after: ContactRecord, same_place: bool) -> bool:
    return bool(before.name) and before.name.casefold() == after.name.casefold()


def _same_place(before: ContactRecord, after: ContactRecord, same_place: bool) -> bool:
    return same_place


def _sorted[Part: (IdentifierRecord, ContactRecord)](parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: canonical_json(asdict(part))))


def _folded(text: str) -> str:
    return " ".join(text.split())


def _folded_contact(contact: ContactRecord) -> ContactRecord:
    return ContactRecord(
        purpose=_folded(contact.purpose),
        name=_folded(contact.name),
        email_addresses=tuple(sorted(map(_folded, contact.email_addresses))),
        work_phone=_folded_phone(contact.work_phone),
        mobile_phone=_folded_phone(contact.mobile_phone),
        home_phone=_folded_phone(contact.home_phone),
    )


def _folded_phone(text: str) -> str:
    digits = re.sub(r"[^0-9]", "", text)
    if not digits or re.search(r"[A-Za-z]", text):  # letters are digits, or an extension
        return _folded(text)
    american = len(digits) == 10 and not text.lstrip().startswith("+")
    return f"1{digits}" if american else digits


def _folded_address(address: AddressRecord) -> AddressRecord:
    country = _folded(address.country).upper().replace(".", "")
    american = country in ("", "US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA")
    zip_code = _folded(address.zip_code)
    return AddressRecord(
        street=_folded(address.street),
        city=_folded(address.city),
        state=_folded(address.state).upper(),
        zip_code=re.sub(r"([0-9]{5})[\s\u2010-\u2015-]*[0-9]{4}", r"\1", zip_code) if american else zip_code,
        county=_folded(address.county),
        country="USA" if american and country else country,
    )
