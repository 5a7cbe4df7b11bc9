"""What people type, and what is made of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.fields import (
    FieldError,
    Read,
    read_email,
    read_lines,
    read_oid,
    read_street,
    read_text,
    read_uuid,
)
from organizations.phones import read_phone
from organizations.places import STATES, is_american, read_state, read_zip, state_of_zip

ROUTING_NAMES = {"a07afe3b-d247-4415-827f-6837707e1b8b": "Query for/create/update/delete an organization, STAGING"}
OWN_IDS = {"7f296bb4-83fd-498d-92f3-a76960648788": "source ID"}
DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"

READERS = {
    "text": lambda value: read_text("Name", value, 200),
    "street": lambda value: read_street(value, 200),
    "OID": read_oid,
    "phone": lambda value: read_phone("Work phone", value),
    "state": read_state,
    "foreign state": lambda value: read_state(value, "Canada"),
    "ZIP": read_zip,
    "e-mail": read_email,
    "UUID": lambda value: read_uuid(value, ROUTING_NAMES, OWN_IDS),
}


def refused(words):
    return pytest.raises(FieldError, match=f"^{re.escape(words)}\\Z")


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@given(typed=st.text(max_size=80) | st.text(alphabet="0123456789.-+() WIurn:od@", max_size=40))
def test_every_reader_refuses_or_gives_what_it_would_read_unchanged(read, typed):
    try:
        found = read(typed)
    except FieldError:
        return
    assert read(found.value) == Read(found.value)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("bad", ["\x00", "\x07", "\x7f", "\x9b", "\ud800", "\u202e", "\u2066", "\ufffe"])
def test_no_reader_lets_an_unsendable_character_through(read, bad):
    with pytest.raises(FieldError, match=rf"cannot be sent \(U\+{ord(bad):04X}, place 2\)"):
        read(f"1{bad}2")


@pytest.mark.parametrize("read", [read for name, read in READERS.items() if name != "OID"])
@pytest.mark.parametrize("blank", ["", "   ", "\u200b"])
def test_an_empty_field_stays_empty(read, blank):
    assert read(blank).value == ""


def test_a_text_is_trimmed_without_a_word():
    assert read_text("Name", "  Lakeside Clinics\t", 200) == Read("Lakeside Clinics")


def test_a_text_loses_repeated_spaces_and_invisible_characters_and_says_so():
    found = read_text("Name", "Lakeside\u200b  \r\n Clinics", 200)
    assert found == Read("Lakeside Clinics", "Name: invisible characters and extra spaces removed")


@pytest.mark.parametrize(
    ("read", "typed", "found"),
    [
        (
            read_email,
            "desk\u200b@example.org",
            Read("desk@example.org", "E-mail address: invisible characters removed"),
        ),
        (read_state, "\u2060WI", Read("WI", "State: invisible characters removed")),
        (
            READERS["phone"],
            "\u200b+16085550100",
            Read("+16085550100", "Work phone: invisible characters removed"),
        ),
        (
            READERS["phone"],
            "\ufeff608-555-0100",
            Read("+16085550100", "Work phone: invisible characters removed; Work phone '608-555-0100' to +16085550100"),
        ),
        (read_zip, "53704\ufeff", Read("53704", "ZIP: invisible characters removed")),
        (read_zip, " \ufeff", Read("", "ZIP: invisible characters removed")),
        (
            READERS["UUID"],
            f"{DESTINATION}\u200b",
            Read(DESTINATION, "Destination ID: invisible characters removed"),
        ),
        (read_email, " desk@example.org ", Read("desk@example.org")),
    ],
)
def test_every_reader_says_that_it_took_invisible_characters_away(read, typed, found):
    assert read(typed) == found


def test_an_unsendable_character_is_named_with_its_place_as_typed():
    with refused("The name holds a character that cannot be sent (U+0007, place 12). Delete it."):
        read_text("Name", "   Lakeside\x07 Clinics", 200)
    with refused("The work phone holds a character that cannot be sent (U+0000, place 1). Delete it."):
        read_phone("Work phone", "\x00")
    with refused("The ZIP holds a character that cannot be sent (U+0000, place 6). Delete it."):
        read_zip("53704\x00")


def test_a_text_that_is_too_long_says_by_how_much():
    assert read_text("City", "x" * 100, 100) == Read("x" * 100)
    with refused("City has 101 characters; at most 100 can be kept."):
        read_text("City", "x" * 101, 100)


def test_the_street_has_one_line():
    assert read_street("1 Shore  Rd\n", 200) == Read("1 Shore Rd", "Street: extra spaces removed")
    with refused("Put the street on one line."):
        read_street("1 Shore Rd\r\nSuite 2", 200)


@pytest.mark.parametrize(
    ("typed", "changed"),
    [
        ("2.16.840.1", ""),
        ("  2.16.840.1\n", ""),
        ("urn:oid:2.16.840.1", "OID: 'urn:oid:' removed"),
        ("URN:OID:2.16.840.1.", "OID: 'urn:oid:' and the dot at the end removed"),
        ("2.16. 840.1", "OID: spaces removed"),
        ("\ufeff2.16.840.1", "OID: invisible characters removed"),
    ],
)
def test_an_oid_is_read_from_any_usual_form(typed, changed):
    assert read_oid(typed) == Read("2.16.840.1", changed)


def test_what_is_no_oid_is_told_as_the_oid_itself_tells_it():
    with refused("Part 3 of the OID begins with 0. Remove the leading zero."):
        read_oid("urn:oid:2.16.0840")
    with refused("Enter the OID."):
        read_oid("  ")


def test_the_part_of_field_names_itself():
    assert read_oid("urn:oid:2.16.840.1", "PartOf").changed == "PartOf: 'urn:oid:' removed"


@pytest.mark.parametrize(
    "typed",
    ["(608) 555-0100", "608.555.0100", "608 555 0100", "1-608-555-0100", "16085550100", "608\u2011555\u20110100"],
)
def test_an_american_phone_is_read_from_any_usual_form(typed):
    assert read_phone("Work phone", typed) == Read("+16085550100", f"Work phone '{typed}' to +16085550100")


def test_a_phone_of_another_country_is_read_with_its_plus():
    assert read_phone("Home phone", "+44 20 7946 0958").value == "+442079460958"


@pytest.mark.parametrize(
    "typed",
    [
        "555-0120",
        "608 555 0100 x12",
        "6085550100;ext=5",
        "(608) 555-0100 ext. 7",
        "1-800-FLOWERS",
        "000 000 0000",
        "+1608555010",
        "٦٠٨٥٥٥٠١٠٠",
        "none",
    ],
)
def test_what_is_no_phone_is_refused(typed):
    with refused(f"'{typed}' is not a phone number. Give ten digits or begin with + and the country."):
        read_phone("Work phone", typed)


@pytest.mark.parametrize(("typed", "code"), [("Wisconsin", "WI"), ("wi", "WI"), ("D.C.", "DC"), ("Puerto  Rico", "PR")])
def test_a_state_is_read_by_name_or_code(typed, code):
    assert read_state(typed) == Read(code, f"State '{' '.join(typed.split())}' to {code}")


@pytest.mark.parametrize(("code", "name"), STATES.items())
def test_every_state_is_known_by_code_and_by_name(code, name):
    assert read_state(code) == Read(code)
    assert read_state(name).value == code


def test_an_unknown_state_is_refused_and_another_countrys_is_not():
    with refused("'Ontario' is not a state. Choose from the list."):
        read_state("Ontario", "United States")
    assert read_state("Ontario", "Canada") == Read("Ontario")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("53704", Read("53704")),
        ("00501", Read("00501")),
        ("53704-1234", Read("53704-1234")),
        ("537041234", Read("53704-1234", "ZIP '537041234' to 53704-1234")),
        ("53704 1234", Read("53704-1234", "ZIP '53704 1234' to 53704-1234")),
        ("53704\u20131234", Read("53704-1234", "ZIP '53704\u20131234' to 53704-1234")),
    ],
)
def test_a_zip_code_is_read_with_and_without_its_four(typed, expected):
    assert read_zip(typed) == expected


@pytest.mark.parametrize("typed", ["537O3", "5370", "053704", "53704-", "53704-12"])
def test_what_is_no_zip_code_is_refused(typed):
    with refused(f"'{typed}' is not a ZIP code. Give 5 digits, or 5 and 4 with a hyphen; keep a leading 0."):
        read_zip(typed)


def test_another_countrys_postal_code_stays_as_typed():
    assert read_zip("K1A 0B1", "Canada") == Read("K1A 0B1")


def test_a_message_quotes_only_the_beginning_of_a_long_text():
    with refused(f"'{'x' * 60}...' is not a state. Choose from the list."):
        read_state("x" * 10_000)


@pytest.mark.parametrize(
    "typed", ["desk@example.org", " o'brien+x@mail.lakeside.example ", "A.B@xn--exmple-cua.example"]
)
def test_an_email_address_is_taken_as_it_is(typed):
    assert read_email(typed) == Read(typed.strip())


@pytest.mark.parametrize(
    "typed",
    [
        "desk",
        "desk@example",
        "a@b@example.org",
        ".desk@example.org",
        "de..sk@example.org",
        "desk@-example.org",
        "desk@example.org.",
        "desk@192.0.2.1",
        "Desk <desk@example.org>",
        "de sk@example.org",
    ],
)
def test_what_is_no_email_address_is_refused(typed):
    with refused(f"'{typed}' is not an e-mail address. Example: desk@example.org."):
        read_email(typed)


def test_a_destination_id_is_read_in_small_letters():
    assert read_uuid(f" {DESTINATION} ", ROUTING_NAMES, OWN_IDS) == Read(DESTINATION)
    upper = DESTINATION.upper()
    expected = Read(DESTINATION, f"Destination ID '{upper}' to {DESTINATION}")
    assert read_uuid(upper, ROUTING_NAMES, OWN_IDS) == expected


@pytest.mark.parametrize("typed", ["none", DESTINATION[:-1], DESTINATION.replace("-", ""), f"{{{DESTINATION}}}"])
def test_what_is_no_uuid_is_refused(typed):
    with refused("Enter a UUID (36 characters with four hyphens), or leave it empty."):
        read_uuid(typed, ROUTING_NAMES, OWN_IDS)


def test_a_routing_id_is_never_a_destination():
    with refused(
        "This is the routing ID 'Query for/create/update/delete an organization, STAGING' of Redox's table. It tells "
        "Redox which directory to write; the portal sets it. Enter your own destination ID, or leave it empty."
    ):
        read_uuid("A07AFE3B-D247-4415-827F-6837707E1B8B", ROUTING_NAMES, OWN_IDS)


def test_our_own_ids_are_never_destinations():
    with refused("This is our source ID, not a destination."):
        read_uuid("7f296bb4-83fd-498d-92f3-a76960648788", ROUTING_NAMES, OWN_IDS)


def test_lines_are_told_apart_by_line_ends_only():
    assert read_lines("one\r\n\r\n two \rthree\n\u2028four\n  ") == ("one", " two ", "three", "\u2028four")


@pytest.mark.parametrize("country", ["USA", "us", "U.S.A.", " United States ", ""])
def test_the_usual_names_of_the_country_are_known(country):
    assert is_american(country)


@pytest.mark.parametrize(
    ("zip_code", "state"),
    [
        ("53704", "WI"),
        ("53704-1234", "WI"),
        ("00501", "NY"),
        ("02101", "MA"),
        ("20500", ""),
        ("20001", "DC"),
        ("20101", "VA"),
        ("73301", "TX"),
        ("90210", "CA"),
        ("99950", "AK"),
        ("06390", ""),
        ("96910", ""),
        ("00000", ""),
        ("537", ""),
        ("K1A 0B1", ""),
    ],
)
def test_the_state_of_a_zip_code_is_told_only_when_it_is_sure(zip_code, state):
    assert state_of_zip(zip_code) == state
