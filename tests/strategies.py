"""Hypothesis strategies for OIDs and organization records."""

import re
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from organizations.records import (
    AddressRecord,
    ContactRecord,
    IdentifierRecord,
    OrganizationRecord,
)
from organizations.redox import numbers

_TYPE = '{"System":"http://hl7.org/fhir/organization-type","Value":"Connection"}'

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
filled_texts = texts.filter(bool)
arcs = st.integers(min_value=0, max_value=10**9).map(str)


@st.composite
def oid_texts(draw: st.DrawFn) -> str:
    """A valid OID of 2 to 6 arcs."""
    first = draw(st.sampled_from("012"))
    second = draw(arcs if first == "2" else st.integers(min_value=0, max_value=39).map(str))
    return ".".join([first, second, *draw(st.lists(arcs, max_size=4))])


_numbers = (
    st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.sampled_from(["1.0", "1.00", "-0", "1E5", "1e+05"])
).map(numbers.Number)


def _filled_lists_and_objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, min_size=1, max_size=3) | st.dictionaries(filled_texts, inner, min_size=1, max_size=3)


json_values = st.recursive(st.booleans() | _numbers | filled_texts, _filled_lists_and_objects, max_leaves=6)
_endpoints = st.fixed_dictionaries(
    {"Address": st.just("https://gateway.example/xcpd"), "Name": filled_texts}, optional={"Extensions": json_values}
)
_carried = st.fixed_dictionaries(
    {},
    optional={
        "Endpoints": st.lists(_endpoints, min_size=1, max_size=2).map(numbers.compact_json),
        "Type": st.just(_TYPE),
    },
)
"""What is read from a directory and sent back; nothing in it is empty. Extensions may be anything that is JSON."""

identifiers = st.builds(IdentifierRecord, kind=texts, value=filled_texts)
contacts = st.builds(
    ContactRecord,
    purpose=texts,
    name=texts,
    email_addresses=st.lists(filled_texts, max_size=2).map(tuple),
    work_phone=texts,
    mobile_phone=texts,
    home_phone=texts,
).filter(lambda contact: contact != ContactRecord())
addresses = st.builds(AddressRecord, street=texts, city=texts, state=texts, zip_code=texts, county=texts, country=texts)
records = st.builds(
    OrganizationRecord,
    oid=oid_texts(),
    name=texts,
    active=st.booleans(),
    destination_id=st.just("") | st.uuids().map(str),
    part_of_oid=st.just("") | oid_texts(),
    aliases=st.lists(filled_texts, max_size=3).map(tuple),
    identifiers=st.lists(identifiers, max_size=2).map(tuple),
    contacts=st.lists(contacts, max_size=3).map(tuple),
    address=addresses,
    carried=_carried.map(lambda pairs: tuple(sorted(pairs.items()))),
)


_PHONE = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})")


@st.composite
def spellings(draw: st.DrawFn, record: OrganizationRecord) -> OrganizationRecord:
    """The record as a directory may show it that spells values in its own way; every value means the same."""
    address = record.address
    american = address.country in ("USA", "US")
    zip_codes = [address.zip_code]
    if american and len(address.zip_code) == 5:
        zip_codes.append(f"{address.zip_code}-{draw(st.sampled_from(['0001', '9999']))}")
    contacts = [
        replace(
            contact,
            work_phone=draw(st.sampled_from([contact.work_phone, _PHONE.sub(r"(\1) \2-\3", contact.work_phone)])),
            email_addresses=tuple(draw(st.permutations(contact.email_addresses))),
        )
        for contact in record.contacts
    ]
    return replace(
        record,
        name=draw(st.sampled_from([record.name, f" {record.name} "])),
        aliases=tuple(draw(st.permutations(record.aliases))),
        identifiers=tuple(draw(st.permutations(record.identifiers))),
        contacts=tuple(draw(st.permutations(contacts))),
        address=replace(
            address,
            state=draw(st.sampled_from([address.state, address.state.lower()])),
            country=draw(st.sampled_from(["USA", "US"])) if american else address.country,
            zip_code=draw(st.sampled_from(zip_codes)),
        ),
    )


_words = st.text("abcdefg", min_size=1, max_size=6)
_numbers_of_ten = st.integers(2_000_000_000, 9_999_999_999).map(lambda number: f"+1{number}")
plain_contacts = st.builds(
    ContactRecord,
    purpose=st.just("Technical"),
    name=_words,
    email_addresses=st.lists(_words.map(lambda word: f"{word}@lakeside.example"), max_size=2, unique=True).map(tuple),
    work_phone=st.just("") | _numbers_of_ten,
)
plain_records = st.builds(
    OrganizationRecord,
    oid=st.just("2.16.840.1.113883.3.6147.458.99999.1.1.1.1"),
    name=_words,
    active=st.booleans(),
    destination_id=st.just("") | st.uuids().map(str),
    part_of_oid=oid_texts(),
    aliases=st.lists(_words, max_size=3, unique=True).map(tuple),
    identifiers=st.lists(st.builds(IdentifierRecord, kind=_words, value=_words), max_size=2).map(tuple),
    contacts=st.lists(plain_contacts, max_size=3).map(tuple),
    address=st.builds(
        AddressRecord,
        street=_words,
        city=_words,
        state=st.sampled_from(["WI", "MN"]),
        zip_code=st.sampled_from(["53704", "54501", "54501-1234"]),
        country=st.just("USA"),
    ),
)
"""Records such as the form makes them."""
