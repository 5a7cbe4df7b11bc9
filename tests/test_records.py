"""The neutral record: its canonical text, the differences between two records, and values that mean the same."""

from dataclasses import fields, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from organizations.records import (
    AddressRecord,
    ContactRecord,
    Difference,
    IdentifierRecord,
    OrganizationRecord,
    canonical,
    difference,
    fields_as_text,
    fingerprint,
    from_canonical,
    labels_in_sentence,
    pair_contacts,
    readable,
    readable_fingerprint,
)
from tests.strategies import contacts, records

DESK = ContactRecord(
    purpose="Technical",
    name="Integration desk",
    email_addresses=("desk@lakeside.example", "it@lakeside.example"),
    work_phone="+16085550100",
)
OFFICE = ContactRecord(purpose="Operations", name="Front office", mobile_phone="+16085550120")
LAKESIDE = OrganizationRecord(
    oid="2.16.840.1.113883.3.6147.458.99999.1.1.1.1",
    name="Lakeside Clinics",
    part_of_oid="2.16.840.1.113883.3.6147.458.2",
    aliases=("Lakeside", "LC"),
    identifiers=(IdentifierRecord(kind="FACID", value="LSC-014"),),
    contacts=(DESK, OFFICE),
    address=AddressRecord(
        street="1 Shore Rd", city="Madison", state="WI", zip_code="53704", county="Dane", country="USA"
    ),
)


@given(records)
def test_a_record_is_read_back_from_its_canonical_text_and_from_json(record):
    assert from_canonical(canonical(record)) == record
    assert OrganizationRecord.from_json(record.to_json()) == record


def test_the_canonical_text_has_sorted_keys_no_blanks_and_plain_letters():
    record = OrganizationRecord(oid="1.2", name='Kränk "A"\n', carried=(("Type", '{"Value":"x"}'),))
    assert canonical(record) == (
        '{"active":true,"address":{"city":"","country":"","county":"","state":"","street":"","zip_code":""},'
        '"aliases":[],"carried":[["Type","{\\"Value\\":\\"x\\"}"]],"contacts":[],"destination_id":"",'
        '"destination_known":true,"identifiers":[],"name":"Kränk \\"A\\"\\n","oid":"1.2","part_of_oid":""}'
    )


@given(records, records, st.sets(st.sampled_from([field.name for field in fields(OrganizationRecord)])))
def test_equal_fingerprints_and_no_difference_both_mean_equal_records(one, another, changed):
    names = changed - {"destination_known"}
    other = replace(one, **{name: getattr(another, name) for name in names})
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
    assert (difference(one, other) == ()) == (one == other)
    assert difference(one, one) == ()


def test_a_destination_id_that_is_not_known_has_no_value():
    with pytest.raises(ValueError, match="not known"):
        OrganizationRecord(destination_id="9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41", destination_known=False)


@given(records)
def test_every_field_is_printed_once(record):
    keys = [line.field for line in fields_as_text(record)]
    assert len(keys) == len(set(keys))


def test_fields_are_printed_in_the_order_of_the_form_under_their_headings():
    fields = fields_as_text(replace(LAKESIDE, contacts=(DESK,), carried=(("Type", '{"Value":"Connection"}'),)))
    printed = tuple((field.field, field.label, field.value, field.anchor, field.group) for field in fields)
    assert printed == (
        ("name", "Name", "Lakeside Clinics", "identity", "Identity"),
        ("oid", "OID", "2.16.840.1.113883.3.6147.458.99999.1.1.1.1", "identity", "Identity"),
        ("aliases", "Aliases", "Lakeside\nLC", "identity", "Identity"),
        ("active", "Active", "true", "identity", "Identity"),
        ("identifiers", "Own identifiers", "LSC-014 (FACID)", "identity", "Identity"),
        ("part_of_oid", "PartOf", "2.16.840.1.113883.3.6147.458.2", "place", "Place in the tree"),
        ("destination_id", "Destination ID", "", "routing", "Routing"),
        ("contacts.0.purpose", "Purpose", "Technical", "contacts", "Contact 1, Technical"),
        ("contacts.0.name", "Contact name", "Integration desk", "contacts", "Contact 1, Technical"),
        (
            "contacts.0.email_addresses",
            "E-mail addresses",
            "desk@lakeside.example\nit@lakeside.example",
            "contacts",
            "Contact 1, Technical",
        ),
        ("contacts.0.work_phone", "Work phone", "+16085550100", "contacts", "Contact 1, Technical"),
        ("contacts.0.mobile_phone", "Mobile phone", "", "contacts", "Contact 1, Technical"),
        ("contacts.0.home_phone", "Home phone", "", "contacts", "Contact 1, Technical"),
        ("address.street", "Street", "1 Shore Rd", "address", "Address"),
        ("address.city", "City", "Madison", "address", "Address"),
        ("address.county", "County", "Dane", "address", "Address"),
        ("address.state", "State", "WI", "address", "Address"),
        ("address.zip_code", "ZIP", "53704", "address", "Address"),
        ("address.country", "Country", "USA", "address", "Address"),
        ("carried.Type", "Type", '{"Value":"Connection"}', "", "Not in the form"),
    )


def test_a_list_is_printed_with_one_line_for_each_value():
    lines = {
        field.field: field.lines for field in fields_as_text(replace(LAKESIDE, aliases=("Alpha; Beta", "Two\nlines")))
    }
    assert lines["aliases"] == ("Alpha; Beta", "Two\\u000Alines")
    assert lines["destination_id"] == ()
    assert lines["name"] == ("Lakeside Clinics",)


def test_a_new_record_differs_in_all_that_is_filled_in():
    differences = difference(None, replace(LAKESIDE, active=False, contacts=(OFFICE,)))
    assert [(row.label, row.before, row.after) for row in differences] == [
        ("Name", "", "Lakeside Clinics"),
        ("OID", "", "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"),
        ("Aliases", "", "Lakeside\nLC"),
        ("Active", "", "false"),
        ("Own identifiers", "", "LSC-014 (FACID)"),
        ("PartOf", "", "2.16.840.1.113883.3.6147.458.2"),
        ("Contact 1, Purpose", "", "Operations"),
        ("Contact 1, Contact name", "", "Front office"),
        ("Contact 1, Mobile phone", "", "+16085550120"),
        ("Street", "", "1 Shore Rd"),
        ("City", "", "Madison"),
        ("County", "", "Dane"),
        ("State", "", "WI"),
        ("ZIP", "", "53704"),
        ("Country", "", "USA"),
    ]


def test_changed_fields_have_both_values_and_the_order_of_the_form():
    after = replace(
        LAKESIDE,
        active=False,
        aliases=("Lakeside",),
        destination_known=False,
        contacts=(replace(DESK, work_phone="+16085550177"), OFFICE),
        address=replace(LAKESIDE.address, zip_code="53703"),
    )
    assert difference(LAKESIDE, after) == (
        Difference("aliases", "Aliases", "Lakeside\nLC", "Lakeside", "identity"),
        Difference("active", "Active", "true", "false", "identity"),
        Difference("destination_id", "Destination ID", "", "not known", "routing"),
        Difference("contacts.0.work_phone", "Contact 1, Work phone", "+16085550100", "+16085550177", "contacts"),
        Difference("address.zip_code", "ZIP", "53704", "53703", "address"),
    )


def test_a_list_of_one_value_differs_from_a_list_of_two():
    for one, two in ((("Alpha; Beta",), ("Alpha", "Beta")), (("Alpha\nBeta",), ("Alpha", "Beta"))):
        (row,) = difference(replace(LAKESIDE, aliases=one), replace(LAKESIDE, aliases=two))
        assert row.before != row.after == "Alpha\nBeta"


def test_an_added_and_a_removed_contact_are_one_row_each():
    other = ContactRecord(purpose="Technical", email_addresses=("second@lakeside.example",))
    added = difference(LAKESIDE, replace(LAKESIDE, contacts=(DESK, OFFICE, other)))
    removed = difference(LAKESIDE, replace(LAKESIDE, contacts=(OFFICE,)))
    assert added == (Difference("contacts.2", "Contact 3", "", "Technical\nsecond@lakeside.example", "contacts"),)
    desk = "Technical\nIntegration desk\ndesk@lakeside.example\nit@lakeside.example\n+16085550100"
    assert removed == (Difference("contacts.removed.0", "Contact 1", desk, "", "contacts"),)


def test_contacts_that_only_changed_places_are_one_row():
    (row,) = difference(LAKESIDE, replace(LAKESIDE, contacts=(OFFICE, DESK)))
    assert (row.field, row.label) == ("contacts.order", "Order of contacts")
    assert row.before.index("Integration desk") < row.before.index("Front office")
    assert row.after.index("Integration desk") > row.after.index("Front office")


def test_keys_that_the_form_does_not_have_are_compared_too():
    before = replace(LAKESIDE, carried=(("Type", '{"Value":"Connection"}'),))
    assert difference(before, LAKESIDE) == (Difference("carried.Type", "Type", '{"Value":"Connection"}', "", ""),)


@pytest.mark.parametrize(
    "changed",
    [
        replace(DESK, name="Helpdesk", email_addresses=("IT@lakeside.example",)),
        replace(DESK, name="INTEGRATION DESK", email_addresses=()),
    ],
)
def test_a_contact_is_identified_by_email_or_name_at_any_position(changed):
    assert pair_contacts((DESK, OFFICE), (OFFICE, changed)) == ((1, 0), (0, 1))


def test_a_contact_that_nothing_else_identifies_is_identified_by_its_position():
    other = ContactRecord(name="Somebody else")
    assert pair_contacts((DESK, OFFICE), (other, OFFICE)) == ((0, 0), (1, 1))
    assert pair_contacts((DESK, OFFICE), (OFFICE, other)) == ((1, 0), (None, 1), (0, None))


def test_an_email_address_outweighs_a_name_and_a_place():
    renamed = ContactRecord(name="Front office", email_addresses=("desk@lakeside.example",))
    assert pair_contacts((OFFICE, DESK), (renamed,)) == ((1, 0), (0, None))


@given(st.lists(contacts, max_size=4).map(tuple), st.lists(contacts, max_size=4).map(tuple))
def test_every_contact_is_in_exactly_one_pair(before, after):
    pairs = pair_contacts(before, after)
    assert sorted(old for old, _ in pairs if old is not None) == list(range(len(before)))
    assert sorted(new for _, new in pairs if new is not None) == list(range(len(after)))
    assert (None, None) not in pairs


@given(records)
@example(OrganizationRecord(address=AddressRecord(country=". 0")))  # a blank was left where the dot had been
def test_reading_is_idempotent(record):
    assert readable(readable(record)) == readable(record)
    assert not readable(record).destination_known


@given(records, st.randoms())
def test_the_order_of_lists_is_ignored(record, random):
    def shuffled(items):
        return tuple(random.sample(items, len(items)))

    other = replace(
        record,
        aliases=shuffled(record.aliases),
        identifiers=shuffled(record.identifiers),
        contacts=shuffled([replace(one, email_addresses=shuffled(one.email_addresses)) for one in record.contacts]),
    )
    assert readable_fingerprint(other) == readable_fingerprint(record)


SAME_MEANING = {
    "destination ID": replace(LAKESIDE, destination_id="9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"),
    "destination ID not known": replace(LAKESIDE, destination_known=False),
    "keys we do not know": replace(LAKESIDE, carried=(("ManagingOrg", '"Redox"'),)),
    "US": replace(LAKESIDE, address=replace(LAKESIDE.address, country="US")),
    "United States": replace(LAKESIDE, address=replace(LAKESIDE.address, country="United States")),
    "case of the state": replace(LAKESIDE, address=replace(LAKESIDE.address, state="wi")),
    "ZIP+4": replace(LAKESIDE, address=replace(LAKESIDE.address, zip_code="53704-1234")),
    "ZIP+4 without hyphen": replace(LAKESIDE, address=replace(LAKESIDE.address, zip_code="537041234")),
    "blanks": replace(LAKESIDE, name=" Lakeside  Clinics"),
    "phone with punctuation": replace(LAKESIDE, contacts=(replace(DESK, work_phone="(608) 555-0100"), OFFICE)),
    "phone without plus": replace(LAKESIDE, contacts=(replace(DESK, work_phone="1 608 555 0100"), OFFICE)),
}


@pytest.mark.parametrize("other", SAME_MEANING.values(), ids=SAME_MEANING)
def test_values_with_the_same_meaning_are_equal(other):
    assert fingerprint(other) != fingerprint(LAKESIDE)
    assert readable_fingerprint(other) == readable_fingerprint(LAKESIDE)


OTHER_MEANING = {
    "name": replace(LAKESIDE, name="Lakeside clinics"),
    "active": replace(LAKESIDE, active=False),
    "PartOf": replace(LAKESIDE, part_of_oid=""),
    "an alias less": replace(LAKESIDE, aliases=("Lakeside",)),
    "own identifier": replace(LAKESIDE, identifiers=(IdentifierRecord(kind="FACID", value="LSC-015"),)),
    "phone": replace(LAKESIDE, contacts=(replace(DESK, work_phone="+16085550101"), OFFICE)),
    "kind of phone": replace(LAKESIDE, contacts=(replace(DESK, work_phone="", home_phone="+16085550100"), OFFICE)),
    "phone of another country": replace(LAKESIDE, contacts=(replace(DESK, work_phone="+6085550100"), OFFICE)),
    "phone in words": replace(LAKESIDE, contacts=(replace(DESK, work_phone="ask"), OFFICE)),
    "ZIP": replace(LAKESIDE, address=replace(LAKESIDE.address, zip_code="53703")),
    "country": replace(LAKESIDE, address=replace(LAKESIDE.address, country="Canada")),
    "no country": replace(LAKESIDE, address=replace(LAKESIDE.address, country="")),
}


@pytest.mark.parametrize("other", OTHER_MEANING.values(), ids=OTHER_MEANING)
def test_values_with_different_meanings_differ(other):
    assert readable_fingerprint(other) != readable_fingerprint(LAKESIDE)
    assert difference(readable(LAKESIDE), readable(other))


def test_the_labels_of_contacts_have_no_comma_in_a_list():
    labels = ["Contact 1, Work phone", "Name", "Contact 2"]
    assert labels_in_sentence(labels) == "Work phone of contact 1, Name, Contact 2"
