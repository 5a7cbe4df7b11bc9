"""Warnings about values of one record that may still be right. Pure: no database, no other record, no directory."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import NamedTuple

from organizations import countries, phones, places
from organizations.characters import XML_SPECIAL
from organizations.fields import FieldError, Read, read_email, read_street, read_text
from organizations.folding import fold
from organizations.records import (
    CONTACT_LABELS,
    PHONES,
    AddressRecord,
    ContactRecord,
    IdentifierRecord,
    OrganizationRecord,
    canonical_json,
    fields_as_text,
)
from organizations.redox.environment import EXAMPLE_VALUES

KEPT = "kept"
"""The key of the warnings about stored values that the form would refuse."""
_LONGEST = 200
_SPELLED_OUT = 12
# Possessive quantifiers (++), or a long run of one character would be matched in all its parts.
_WORDS = (
    r"x++|test(ing)?|tb[dac]|na|none?( given)?|null|nil|nan|undefined|un(known|k)|pending|asdf|dummy|placeholder|to ?do"
    r"|s ?n|not ?(known|applicable|available|specified|given|provided)|no (address|aplica)|same as above"
    r"|to be (decided|determined|announced|confirmed|defined)"
)
_NOTHING = rf"{_WORDS}|0++"
_PLACEHOLDER = re.compile(
    rf"|(({_NOTHING}) ?)+|(({_WORDS}) ?)+\d*"
    rf"|({_NOTHING}) (street|address|city|name)|(street|address|city|name) ({_NOTHING})"
)


_TERRITORIES = {
    "American Samoa": "AS",
    "Guam": "GU",
    "Northern Mariana Islands": "MP",
    "Puerto Rico": "PR",
    "U.S. Virgin Islands": "VI",
}


class RecordWarning(NamedTuple):
    """A warning to tick on the review. `key` names the rule; a tick covers only this `value`."""

    key: str
    value: str
    text: str


def value_warnings(record: OrganizationRecord) -> Iterator[RecordWarning]:
    """The warnings about one record, each once, in the order of the rules."""
    warnings: dict[tuple[str, str], RecordWarning] = {}
    for rule in _RULES:
        for warning in rule(record):
            warnings.setdefault((warning.key, warning.value), warning)
    yield from warnings.values()


def short(*values: object) -> str:
    """A short hash of values that are too long to store. Equal values have the same hash."""
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()[:12]


def _examples(record: OrganizationRecord) -> Iterator[RecordWarning]:
    values = [record.destination_id, record.address.street]
    for contact in record.contacts:
        values += [*contact.email_addresses, *contact.phones]
    for value in dict.fromkeys(value for value in values if value in EXAMPLE_VALUES):
        yield RecordWarning(
            "example", value, f"'{value}' is from Redox's example page. It was probably copied by mistake."
        )


def _placeholders(record: OrganizationRecord) -> Iterator[RecordWarning]:
    address = record.address
    texts = [("Name", record.name), ("Street", address.street), ("City", address.city), ("County", address.county)]
    texts += [(f"Alias {number}", alias) for number, alias in enumerate(record.aliases, start=1)]
    texts += [(f"Name of contact {number}", each.name) for number, each in enumerate(record.contacts, start=1)]
    texts += [(f"Own identifier {number}", each.value) for number, each in enumerate(record.identifiers, start=1)]
    texts += [("State", address.state), ("ZIP", address.zip_code), ("Country", address.country)]
    for label, text in texts:
        if text and any(_PLACEHOLDER.fullmatch(each) for each in _readings(text)):
            yield RecordWarning("placeholder", f"{label} {short(text)}", f"{label} '{text}' looks like a placeholder.")


def _readings(text: str) -> tuple[str, str]:
    """The words, and the words joined if they may be spelled out, such as "N/A" and "T E S T"."""
    words = fold(text)
    return words, "".join(words.split()) if len(words) <= _SPELLED_OUT else words


def _aliases(record: OrganizationRecord) -> Iterator[RecordWarning]:
    names = {_equal_case(record.name): "the name"}
    for number, alias in enumerate(record.aliases, start=1):
        same = names.setdefault(_equal_case(alias), f"alias {number}")
        if same != f"alias {number}":
            text = f"Alias {number} '{alias}' is the same as {same}, except for capitals."
            yield RecordWarning("alias", f"{number} {short(alias, record.name, record.aliases)}", text)


def _equal_case(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _contacts(record: OrganizationRecord) -> Iterator[RecordWarning]:
    contacts = record.contacts
    are_reachable = all(contact.email_addresses or contact.phones for contact in contacts)
    if not contacts:
        text = "Nobody can be reached. Redox names a missing contact as one reason for a rejection."
        yield RecordWarning("contact", "none", text)
    elif not are_reachable:
        text = "A contact has neither an e-mail address nor a phone number."
        yield RecordWarning("contact", short(*map(asdict, contacts)), text)


def _equal_contacts_or_identifiers(record: OrganizationRecord) -> Iterator[RecordWarning]:
    lists: dict[str, Sequence[ContactRecord | IdentifierRecord]] = {
        "Contacts": record.contacts,
        "Own identifiers": record.identifiers,
    }
    for label, parts in lists.items():
        alike = [_alike(part) for part in parts]
        for number, part in enumerate(parts, start=1):
            first = alike.index(alike[number - 1]) + 1
            if first != number:
                same = "the same" if parts[first - 1] == part else "the same except for capitals, signs or order"
                text = f"{label} {first} and {number} are {same}."
                yield RecordWarning("twice", f"{label} {first} {number} {short(repr(part))}", text)


def _alike(part: ContactRecord | IdentifierRecord) -> str:
    values = asdict(part).values()
    return "\n".join(
        ",".join(sorted(map(fold, each))) if isinstance(each, tuple) else fold(str(each)) for each in values
    )


def _unassigned_phones(record: OrganizationRecord) -> Iterator[RecordWarning]:
    for number, contact in enumerate(record.contacts, start=1):
        for name in PHONES:
            phone = getattr(contact, name)
            if phones.is_unassigned(phone):
                where = f"{CONTACT_LABELS[name]} of contact {number}"
                text = f"{where}, {phone}, is in a range that is not assigned to anybody. Check it."
                yield RecordWarning("phone", phone, text)


def _refused(record: OrganizationRecord) -> Iterator[RecordWarning]:
    """Stored values that the form keeps, but would refuse if somebody typed them."""
    for field, label, value, read in _readers(record):
        try:
            read(value)
        except FieldError as error:
            text = f"{label} is kept as it is stored. If you typed it now, it would be refused: {error}"
            yield RecordWarning(KEPT, f"{field} {short(value)}", text)


def _readers(record: OrganizationRecord) -> Iterator[tuple[str, str, str, Callable[[str], Read]]]:
    """Field, label, value and reader of each text that a reader can refuse."""
    address = record.address
    yield "name", "Name", record.name, _text_reader("Name")
    for alias in record.aliases:
        yield "aliases", "An alias", alias, _text_reader("Alias")
    for number, contact in enumerate(record.contacts, start=1):
        start, end = f"contacts.{number - 1}.", f" of contact {number}"
        yield start + "name", f"Name{end}", contact.name, _text_reader("Contact name")
        for email in contact.email_addresses:
            yield start + "email_addresses", f"An e-mail address{end}", email, read_email
        for name in PHONES:
            label = CONTACT_LABELS[name]
            yield start + name, f"{label}{end}", getattr(contact, name), _phone_reader(label)
    yield "address.street", "Street", address.street, lambda text: read_street(text, _LONGEST)
    yield "address.city", "City", address.city, _text_reader("City")
    yield "address.county", "County", address.county, _text_reader("County")
    yield "address.state", "State", address.state, lambda text: places.read_state(text, address.country)
    yield "address.zip_code", "ZIP", address.zip_code, lambda text: places.read_zip(text, address.country)


def _text_reader(label: str) -> Callable[[str], Read]:
    return lambda text: read_text(label, text, _LONGEST)


def _phone_reader(label: str) -> Callable[[str], Read]:
    return lambda text: phones.read_phone(label, text)


def _address(record: OrganizationRecord) -> Iterator[RecordWarning]:
    """An incomplete address. A record without any address can be right, for example a patient index."""
    address = record.address
    parts = {"street": address.street, "city": address.city}
    if countries.is_american(address.country):
        parts |= {"state": address.state, "ZIP": address.zip_code}
    missing = [label for label, value in parts.items() if not value]
    if not missing or not any(asdict(address).values()):
        return
    text = f"The address has no {_joined_labels(missing)}."
    if len(missing) == len(parts) and address.country:
        text = f"The address is only a country: {address.country}."
    yield RecordWarning("address", " ".join(missing), f"{text} Others cannot find the place with it.")


def _joined_labels(labels: list[str]) -> str:
    return " and no ".join(filter(None, (", no ".join(labels[:-1]), labels[-1])))


def _country(record: OrganizationRecord) -> Iterator[RecordWarning]:
    address = record.address
    typed = address.country
    if countries.is_american(typed):
        return
    name = countries.name_of_country(typed)
    text = ""
    if not name:
        text = f"'{typed}' is not a country that this portal knows.{_suggestion(typed)} State and ZIP were not checked."
    elif name in _TERRITORIES:
        text = f"An address in {name} has the country USA and the State {_TERRITORIES[name]}."
    elif typed.strip().upper() in places.STATES and (not address.state or places.is_state(address.state)):
        text = f"'{typed}' is the code of {name}. Did you mean the American state? Then the country is USA."
    elif _is_american_address(address):
        text = f"The country is {name}, but {address.state} {address.zip_code} looks American. Did you mean USA?"
    if text:
        yield RecordWarning("country", short(typed, address.state, address.zip_code), text)


def _is_american_address(address: AddressRecord) -> bool:
    """Whether the state is a full name, or its code fits the ZIP: other countries use the same codes."""
    state = address.state.strip()
    return places.is_state(state) and (len(state) > 3 or state.upper() in places.states_of_zip(address.zip_code))


def _suggestion(typed: str) -> str:
    near = "USA" if places.is_state(typed) else countries.nearest_country(typed)
    return f" Did you mean {near}?" if near else ""


def _zip_code(record: OrganizationRecord) -> Iterator[RecordWarning]:
    address = record.address
    if not countries.is_american(address.country):
        return
    states, state = places.states_of_zip(address.zip_code), _state(address)
    if states and state and state not in states:
        text = f"ZIP {address.zip_code} is in {' and '.join(states)}, but the state is {address.state}."
        yield RecordWarning("zip", f"{address.zip_code} {address.state}", text)
    elif places.is_unused_zip(address.zip_code):
        text = f"ZIP {address.zip_code}: no ZIP code begins with {address.zip_code[:3]}."
        yield RecordWarning("zip-unused", address.zip_code, text)


def _state(address: AddressRecord) -> str:
    """The code of the state, also if its name is stored."""
    try:
        return places.read_state(address.state).value
    except FieldError:
        return address.state


def _military(record: OrganizationRecord) -> Iterator[RecordWarning]:
    address = record.address
    if not countries.is_american(address.country) or not (address.city and address.state):
        return
    is_military = places.is_military_city(address.city)
    if is_military == (_state(address) in places.MILITARY):
        return
    if is_military:
        text = f"{address.city} is a military post office: its state is AA, AE or AP, not {address.state}."
    else:
        text = f"State {address.state} is for military post offices: its city is APO, FPO or DPO, not {address.city}."
    yield RecordWarning("military", f"{address.state} {short(address.city)}", text)


def _characters(record: OrganizationRecord) -> Iterator[RecordWarning]:
    for field in fields_as_text(record):
        for character in XML_SPECIAL:
            if character in field.value and field.group != "Not in the form":
                text = (
                    f"{field.label} contains '{character}'."
                    " Such a character may be the cause of 'Parsing XML request error!'."
                )
                value = field.value.replace("\n", "; ")  # as in stored ticks
                yield RecordWarning("character", f"{field.field} {character} {short(value)}", text)


_RULES = (
    _examples,
    _placeholders,
    _aliases,
    _contacts,
    _equal_contacts_or_identifiers,
    _unassigned_phones,
    _address,
    _country,
    _zip_code,
    _military,
    _refused,
    _characters,
)
