"""One organization record in a neutral shape, and the differences between two.

Forms, Redox messages, audit entries and answers of the directory are converted to and from this shape, so one code
compares and prints them. A missing text is "", and a missing list is ().
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

MOST_ROWS = 20
"""How many contacts, and how many identifiers, a record can have here."""
PHONES = ("work_phone", "mobile_phone", "home_phone")
"""The fields of a contact that hold phone numbers."""
ENDPOINTS = "Endpoints"
"""The carried key that no Query shows. Its value is from an old message."""
ENDPOINTS_LEFT_OUT = "Endpoints.secrets"
"""The carried key with the names of the values that were left out of the old message's endpoints. It is never sent."""
SENT_BACK = ("Type", ENDPOINTS)
"""The carried keys that an Update sends back, so that the directory does not lose them. It sets the others itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord:
    """The address, with one line for street and number."""

    street: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    county: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    """A contact. Phones are in E.164 form, such as +16085550100."""

    purpose: str = ""
    name: str = ""
    email_addresses: tuple[str, ...] = ()
    work_phone: str = ""
    mobile_phone: str = ""
    home_phone: str = ""

    @property
    def phones(self) -> tuple[str, ...]:
        """The phone numbers that are filled."""
        return tuple(number for name in PHONES if (number := getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRecord:
    """An identifier of our own and its kind, such as LSC-014 and FACID. The OID is not one of them."""

    kind: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord:
    """One organization in one directory.

    The destination ID is a UUID, none (""), or not known if `destination_known` is false: a Query does not show it.
    `carried` holds the keys from the directory that have no field here. Each value is JSON with sorted keys, without
    blanks, and with its numbers as the directory wrote them.
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
        """The record of `data`, the result of `to_json`. Raises TypeError or KeyError if the data has another shape."""
        parts = {
            "aliases": tuple(data["aliases"]),
            "identifiers": tuple(IdentifierRecord(**identifier) for identifier in data["identifiers"]),
            "contacts": tuple(
                ContactRecord(**contact | {"email_addresses": tuple(contact["email_addresses"])})
                for contact in data["contacts"]
            ),
            "address": AddressRecord(**data["address"]),
            "carried": tuple((key, text) for key, text in data["carried"]),
        }
        return cls(**{**data, **parts})


class FieldAsText(NamedTuple):
    """One field as a page prints it: stable key, label, text, section of the form, and heading.

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
    """One field that differs: stable key, label, both texts, and the section of the form that changes it."""

    field: str
    label: str
    before: str
    after: str
    anchor: str


class _Field(NamedTuple):
    key: str
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
    """The record as canonical JSON (RFC 8785): sorted keys, no blanks, only the necessary escapes."""
    return canonical_json(asdict(record))


def canonical_json(value: object) -> str:
    """A value of plain types, without fractions, as canonical JSON (RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def from_canonical(text: str) -> OrganizationRecord:
    """The record of a canonical text."""
    return OrganizationRecord.from_json(json.loads(text))


def fingerprint(record: OrganizationRecord) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()


def readable_fingerprint(record: OrganizationRecord) -> str:
    """The fingerprint of the fields that a Query shows; equal for two records with the same meaning."""
    return fingerprint(readable(record))


def fields_as_text(record: OrganizationRecord) -> tuple[FieldAsText, ...]:
    """Every field as text, including empty ones, in the order of the form."""
    return tuple(
        FieldAsText(field.key, field.label, _lines(field.value), field.anchor, field.group) for field in _fields(record)
    )


def difference(before: OrganizationRecord | None, after: OrganizationRecord) -> tuple[Difference, ...]:
    """The differences, by section of the form; empty only if the records are equal.

    Without a record before, every filled field is a difference.
    """
    if before is None:
        return tuple(
            Difference(field.key, _full_label(field), "", _text(field.value), field.anchor)
            for field in _fields(after)
            if _text(field.value)
        )
    differences = [*_plain_differences(before, after), *_contact_differences(before.contacts, after.contacts)]
    return tuple(sorted(differences, key=lambda each: SECTIONS.index(each.anchor)))


def pair_contacts(
    before: tuple[ContactRecord, ...], after: tuple[ContactRecord, ...]
) -> tuple[tuple[int | None, int | None], ...]:
    """The positions of each contact before and after; None for an added or removed one.

    Contacts are paired if all their fields are equal, else by e-mail address, then by name, then by position.
    """
    became: dict[int, int] = {}
    unpaired = dict.fromkeys(range(len(before)))
    for fits in (_equal, _same_email, _same_name, _same_place):
        for new, contact in enumerate(after):
            if new in became:
                continue
            partner = next((old for old in unpaired if fits(before[old], contact, old == new)), None)
            if partner is not None:
                became[new] = partner
                del unpaired[partner]
    kept_or_added = tuple((became.get(new), new) for new in range(len(after)))
    removed = tuple((old, None) for old in unpaired)
    return kept_or_added + removed


def kept_and_added(
    before: tuple[ContactRecord, ...], after: tuple[ContactRecord, ...]
) -> tuple[dict[int, ContactRecord], list[ContactRecord]]:
    """Each kept contact as it is now, by its position before; and the added contacts."""
    pairs = pair_contacts(before, after)
    kept = {old: after[new] for old, new in pairs if old is not None and new is not None}
    return kept, [after[new] for old, new in pairs if old is None and new is not None]


def readable(record: OrganizationRecord) -> OrganizationRecord:
    """The fields that a Query shows, in a normalized spelling: records that mean the same are equal.

    A Query shows neither destination ID nor endpoints. USA and US are the same. So are phones with and without
    punctuation, ZIP and ZIP+4, the state in any case, one and several blanks, and lists in any order.
    """
    return OrganizationRecord(
        oid=record.oid,
        name=_single_blanks(record.name),
        active=record.active,
        destination_known=False,
        part_of_oid=record.part_of_oid,
        aliases=tuple(sorted(map(_single_blanks, record.aliases))),
        identifiers=_sorted(
            IdentifierRecord(kind=_single_blanks(one.kind), value=_single_blanks(one.value))
            for one in record.identifiers
        ),
        contacts=_sorted(map(_comparable_contact, record.contacts)),
        address=_comparable_address(record.address),
    )


def sent_back(record: OrganizationRecord) -> tuple[tuple[str, str], ...]:
    """The carried keys of the record that an Update sends back, with their values."""
    return tuple(item for item in record.carried if item[0] in SENT_BACK)


def _fields(record: OrganizationRecord) -> Iterator[_Field]:
    destination = record.destination_id if record.destination_known else "not known"
    yield _Field("name", "Name", record.name, "identity", "Identity")
    yield _Field("oid", "OID", record.oid, "identity", "Identity")
    yield _Field("aliases", "Aliases", record.aliases, "identity", "Identity")
    yield _Field("active", "Active", record.active, "identity", "Identity")
    yield _Field("identifiers", "Own identifiers", record.identifiers, "identity", "Identity")
    yield _Field("part_of_oid", "PartOf", record.part_of_oid, "place", "Place in the tree")
    yield _Field("destination_id", "Destination ID", destination, "routing", "Routing")
    for position, contact in enumerate(record.contacts):
        yield from _contact_fields(position, contact)
    for name, label in ADDRESS_LABELS.items():
        yield _Field(f"address.{name}", label, getattr(record.address, name), "address", "Address")
    for key, text in record.carried:
        yield _Field(f"carried.{key}", key, text, "", "Not in the form")


def _contact_fields(position: int, contact: ContactRecord) -> Iterator[_Field]:
    group = ", ".join(filter(None, (f"Contact {position + 1}", contact.purpose)))
    for name, label in CONTACT_LABELS.items():
        yield _Field(f"contacts.{position}.{name}", label, getattr(contact, name), "contacts", group)


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


def _full_label(field: _Field) -> str:
    return f"Contact {int(field.key.split('.')[1]) + 1}, {field.label}" if field.anchor == "contacts" else field.label


def label_in_sentence(label: str) -> str:
    """The label of a field in a sentence or list: "Work phone of contact 1" for "Contact 1, Work phone"."""
    contact, comma, name = label.partition(", ")
    return f"{name} of {contact.lower()}" if comma and contact.startswith("Contact ") else label


def labels_in_sentence(labels: Iterable[str]) -> str:
    """The labels of fields as a list in a sentence."""
    return ", ".join(map(label_in_sentence, labels))


def _plain_differences(before: OrganizationRecord, after: OrganizationRecord) -> Iterator[Difference]:
    old = {field.key: field for field in _fields(replace(before, contacts=()))}
    new = {field.key: field for field in _fields(replace(after, contacts=()))}
    for key, field in (old | new).items():
        before_value = old[key].value if key in old else ""
        after_value = new[key].value if key in new else ""
        if before_value != after_value:
            yield Difference(key, field.label, _text(before_value), _text(after_value), field.anchor)


def _contact_differences(before: tuple[ContactRecord, ...], after: tuple[ContactRecord, ...]) -> Iterator[Difference]:
    old_positions: list[int] = []
    for old, new in pair_contacts(before, after):
        if old is not None and new is not None:
            old_positions.append(old)
            yield from _one_contact_differences(new, before[old], after[new])
        elif new is not None:
            yield Difference(f"contacts.{new}", f"Contact {new + 1}", "", contact_text(after[new]), "contacts")
        elif old is not None:
            yield Difference(f"contacts.removed.{old}", f"Contact {old + 1}", contact_text(before[old]), "", "contacts")
    if old_positions != sorted(old_positions):
        order_before, order_after = (
            "\n".join(contact_text(contact).replace("\n", ", ") for contact in contacts) for contacts in (before, after)
        )
        yield Difference("contacts.order", "Order of contacts", order_before, order_after, "contacts")


def _one_contact_differences(position: int, before: ContactRecord, after: ContactRecord) -> Iterator[Difference]:
    for old, new in zip(_contact_fields(position, before), _contact_fields(position, after), strict=True):
        if old.value != new.value:
            yield Difference(new.key, _full_label(new), _text(old.value), _text(new.value), new.anchor)


def contact_lines(contact: ContactRecord) -> dict[str, tuple[str, ...]]:
    """Each field of a contact by its name, as `fields_as_text` prints it."""
    return {name: _lines(getattr(contact, name)) for name in CONTACT_LABELS}


def contact_text(contact: ContactRecord) -> str:
    """The contact as text, one value a line."""
    return "\n".join(filter(None, map("\n".join, contact_lines(contact).values())))


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


def _single_blanks(text: str) -> str:
    return " ".join(text.split())


def _comparable_contact(contact: ContactRecord) -> ContactRecord:
    return ContactRecord(
        purpose=_single_blanks(contact.purpose),
        name=_single_blanks(contact.name),
        email_addresses=tuple(sorted(map(_single_blanks, contact.email_addresses))),
        **{name: _comparable_phone(getattr(contact, name)) for name in PHONES},
    )


def _comparable_phone(text: str) -> str:
    digits = re.sub(r"[^0-9]", "", text)
    if not digits or re.search(r"[A-Za-z]", text):  # letters replace digits, or begin an extension
        return _single_blanks(text)
    american = len(digits) == 10 and not text.lstrip().startswith("+")
    return f"1{digits}" if american else digits


def _comparable_address(address: AddressRecord) -> AddressRecord:
    country = _single_blanks(address.country.replace(".", "")).upper()
    american = country in ("", "US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA")
    zip_code = _single_blanks(address.zip_code)
    return AddressRecord(
        street=_single_blanks(address.street),
        city=_single_blanks(address.city),
        state=_single_blanks(address.state).upper(),
        zip_code=re.sub(r"([0-9]{5})[\s\u2010-\u2015-]*[0-9]{4}", r"\1", zip_code) if american else zip_code,
        county=_single_blanks(address.county),
        country="USA" if american and country else country,
    )
