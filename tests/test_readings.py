"""Text that people type or paste: what is stored, why it is refused, and the sentence about a change."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.countries import read_country
from organizations.fields import FieldError, Read, read_email, read_oid, read_street, read_text, read_uuid
from organizations.phones import read_phone
from organizations.places import STATES, read_state, read_zip

ROUTING_NAMES = {"a07afe3b-d247-4415-827f-6837707e1b8b": "Query for/create/update/delete an organization, STAGING"}
OWN_IDS = {"7f296bb4-83fd-498d-92f3-a76960648788": "source ID"}
DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"

READERS: dict[str, Callable[[str], Read]] = {
    "OID": read_oid,
    "phone": lambda typed: read_phone("Work phone", typed),
    "e-mail": read_email,
    "ZIP": read_zip,
    "foreign ZIP": lambda typed: read_zip(typed, "Canada"),
    "state": read_state,
    "foreign state": lambda typed: read_state(typed, "Canada"),
    "country": read_country,
    "alias": lambda typed: read_text("Alias 1", typed, 200),
    "street": lambda typed: read_street(typed, 200),
    "UUID": lambda typed: read_uuid(typed, ROUTING_NAMES, OWN_IDS),
}
CODES = ("OID", "phone", "e-mail", "ZIP", "state", "UUID")
VALUES = {
    "OID": "2.16.840.1",
    "phone": "+16085550100",
    "e-mail": "desk@example.org",
    "ZIP": "53704",
    "state": "WI",
    "UUID": DESTINATION,
}

INVISIBLE = "invisible characters removed"
TWO_OIDS = (
    "There is a blank or a line break inside. Enter one OID: if these are two, delete one; if a dot is missing, add it."
)
NO_EXTENSION = "Extensions cannot be sent. Put the extension into the contact's name."
NOT_AN_OID = "{} is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."
NOT_A_PHONE = "{} is not a phone number. Give ten digits or begin with + and the country code."
NOT_A_ZIP = "{} is not a ZIP code. Give 5 digits, or 5 and 4 with a hyphen; keep a leading 0."
NOT_AN_EMAIL = "{} is not an e-mail address. Example: desk@example.org."
NOT_A_UUID = "Enter a UUID (36 characters with four hyphens), or leave it empty."
ROUTING = (
    "This is the routing ID 'Query for/create/update/delete an organization, STAGING' of Redox's table. It tells Redox"
    " which directory to write; the portal sets it. Enter your own destination ID, or leave it empty."
)
SEVERAL = "{} contains more than one address. Enter one address a line."

# Reader, typed text, stored value, sentence about the change. "{}" is the typed text in quotation marks.
READ = [
    ("OID", "2.16.840.1", "2.16.840.1", ""),
    ("OID", "  2.16.840.1\n", "2.16.840.1", ""),
    ("OID", "\u00a02.16.840.1\u2003\t", "2.16.840.1", ""),
    ("OID", "urn:oid:2.16.840.1", "2.16.840.1", "OID: 'urn:oid:' removed"),
    ("OID", "URN:OID: 2.16.840.1.", "2.16.840.1", "OID: 'urn:oid:' and the dot at the end removed"),
    ("OID", "2.16. 840.1", "2.16.840.1", "OID: spaces removed"),
    ("OID", "2.16.840\r\n.1", "2.16.840.1", "OID: spaces removed"),
    ("OID", "2.16.\u00a0840\u2028.1", "2.16.840.1", "OID: spaces removed"),
    ("OID", "urn:oid:2.16.\t840.1", "2.16.840.1", "OID: spaces and 'urn:oid:' removed"),
    ("OID", "\ufeff2.16.840.1", "2.16.840.1", f"OID: {INVISIBLE}"),
    ("phone", "(608) 555-0100", "+16085550100", "Work phone {} to +16085550100"),
    ("phone", "608.555.0100", "+16085550100", "Work phone {} to +16085550100"),
    ("phone", "608 555 0100", "+16085550100", "Work phone {} to +16085550100"),
    ("phone", "1-608-555-0100", "+16085550100", "Work phone {} to +16085550100"),
    ("phone", "16085550100", "+16085550100", "Work phone {} to +16085550100"),
    ("phone", "+44 20 7946 0958", "+442079460958", "Work phone {} to +442079460958"),
    *(
        ("phone", f"608{dash}555{dash}0100", "+16085550100", "Work phone {} to +16085550100")
        for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u058a\u301c\ufe58\ufe63\uff0d\u2e3a"
    ),
    ("phone", "824-555-0100", "+18245550100", "Work phone {} to +18245550100"),
    ("phone", "421-555-0100", "+14215550100", "Work phone {} to +14215550100"),
    ("e-mail", " desk@example.org ", "desk@example.org", ""),
    ("e-mail", "o'brien+x@mail.lakeside.example", "o'brien+x@mail.lakeside.example", ""),
    ("e-mail", "A.B@xn--exmple-cua.example", "A.B@xn--exmple-cua.example", ""),
    ("e-mail", f"{'x' * 64}@example.org", f"{'x' * 64}@example.org", ""),
    ("ZIP", "53704", "53704", ""),
    ("ZIP", "00501", "00501", ""),
    ("ZIP", "53704-1234", "53704-1234", ""),
    ("ZIP", "537041234", "53704-1234", "ZIP {} to 53704-1234"),
    ("ZIP", "53704 1234", "53704-1234", "ZIP {} to 53704-1234"),
    ("ZIP", "53704\u22121234", "53704-1234", "ZIP {} to 53704-1234"),
    ("ZIP", "53704\u20131234", "53704-1234", "ZIP {} to 53704-1234"),
    ("foreign ZIP", "K1A 0B1", "K1A 0B1", ""),
    ("state", "wi", "WI", "State {} to WI"),
    ("state", "D.C.", "DC", "State {} to DC"),
    ("state", "D. C.", "DC", "State {} to DC"),
    ("state", "Washington DC", "DC", "State {} to DC"),
    ("state", "Washington, D.C.", "DC", "State {} to DC"),
    ("state", "washington", "WA", "State {} to WA"),
    ("state", "Virgin Islands", "VI", "State {} to VI"),
    ("state", "US Virgin Islands", "VI", "State {} to VI"),
    ("state", "Virgin Islands (U.S.)", "VI", "State {} to VI"),
    ("state", "State of Wisconsin", "WI", "State {} to WI"),
    ("state", "Wisconsin, USA", "WI", "State {} to WI"),
    ("state", "Hawai`i", "HI", "State {} to HI"),
    ("state", "N. Carolina", "NC", "State {} to NC"),
    ("state", "S Dakota", "SD", "State {} to SD"),
    ("state", "W. Va.", "WV", "State {} to WV"),
    ("state", "Calif.", "CA", "State {} to CA"),
    ("state", "Hawai\u02bbi", "HI", "State {} to HI"),
    ("state", "\uff37\uff29", "WI", "State {} to WI"),
    ("foreign state", "Ontario", "Ontario", ""),
    ("country", "USA", "USA", ""),
    *(
        ("country", typed, "USA", "Country {} to USA")
        for typed in ("us", "U.S.A.", "U. S.", "usa", "United States", "united states of america", "America")
    ),
    *(
        ("country", typed, "USA", "Country {} to USA")
        for typed in ("The USA", "EE.UU.", "EEUU", "USA (United States)", "US of A", "840", "U S A")
    ),
    ("country", "N/A", "N/A", ""),
    ("country", " The United States ", "USA", "Country 'The United States' to USA"),
    ("country", "U\u200bSA", "USA", f"Country: {INVISIBLE}"),
    ("country", "Canada", "Canada", ""),
    ("country", "CA", "CA", ""),
    ("country", "United Sates", "United Sates", ""),
    ("alias", "  Lakeside Clinics\t", "Lakeside Clinics", ""),
    ("alias", "Alpha; Beta", "Alpha; Beta", ""),
    (
        "alias",
        "Lakeside\u200b  \r\n Clinics",
        "Lakeside Clinics",
        "Alias 1: invisible characters and extra spaces removed",
    ),
    *(
        ("alias", f"Lake{one}side", "Lakeside", f"Alias 1: {INVISIBLE}")
        for one in "\u200c\u200d\u00ad\u200e\ufe0f\u180e"
    ),
    ("alias", "Lakeside\u200d", "Lakeside", f"Alias 1: {INVISIBLE}"),
    (
        "alias",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "",
    ),
    ("alias", "\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937", ""),
    ("alias", "\U0001f469\u200d\u2695\ufe0f", "\U0001f469\u200d\u2695\ufe0f", ""),
    ("street", "1 Shore  Rd\n", "1 Shore Rd", "Street: extra spaces removed"),
    ("UUID", f" {DESTINATION} ", DESTINATION, ""),
    ("UUID", DESTINATION.upper(), DESTINATION, f"Destination ID {{}} to {DESTINATION}"),
    ("UUID", DESTINATION.replace("-", "\u2013"), DESTINATION, f"Destination ID {{}} to {DESTINATION}"),
]

# Reader, typed text, error at the field.
REFUSED = [
    ("OID", "  ", "Enter the OID."),
    ("OID", "urn:oid:2.16.0840", "Part 3 of the OID begins with 0. Remove the leading zero."),
    ("OID", "2.16.840.1.113883.3.9621.5 2.16.840.1.113883.3.9621.6", TWO_OIDS),
    ("OID", "2.16.840.1.9\t7", TWO_OIDS),
    ("OID", "2.16.840.1.9\u200b7", TWO_OIDS),
    ("OID", "2.16.840.1.9.\n1.2.840.114350.1.13", TWO_OIDS),
    ("OID", "2.16" + " " * 60_000 + "x", "An OID has at most 64 characters; this text has 60005."),
    ("OID", "2.16.840.1.9\u00a07", TWO_OIDS),
    ("OID", "2.16.840.1.9\r\n2.16.840.1.10", TWO_OIDS),
    ("OID", "2.16.840.1.9. 2.16.840.1.10", TWO_OIDS),
    ("OID", "1.2.276.0.76. 1.2.276.0.77", TWO_OIDS),  # begins like the first, with rarer arcs
    ("OID", "urn:oid:2.16.840.1 URN:OID:2.16.840.2", TWO_OIDS),
    ("OID", "\u200b2.16.840.1 \u200b7", TWO_OIDS),
    ("OID", "OID 2.16", NOT_AN_OID),
    ("OID", "2.16\u2024840", f"{NOT_AN_OID} Character 5 is U+2024. Type it again."),
    ("OID", "\uff12.16", f"{NOT_AN_OID} Character 1 is U+FF12. Type it again."),
    *(
        ("phone", f"608-271-9000{end}", NO_EXTENSION)
        for end in (
            " ext. 11",
            " x11",
            "x11",
            ";ext=11",
            "#11",
            " # 11",
            ",11",
            " (ext 7)",
            " Extension: 11",
            " opt 3",
            "-11",
            "/11",
            " ×11",
        )
    ),
    ("phone", "+1 608 271 9000 EXT11", NO_EXTENSION),
    ("phone", "+44 20 7946 0958 ext 4", NO_EXTENSION),
    *(
        ("phone", typed, NOT_A_PHONE)
        for typed in (
            "555-0120",
            "1-800-FLOWERS",
            "000 000 0000",
            "+1608555010",
            "124-555-0100",
            "608-155-0100",
            "none",
        )
    ),
    ("phone", "+999 123 456", NOT_A_PHONE),
    (
        "phone",
        "\u0666085550100",
        NOT_A_PHONE.replace("Give", "Character 1 is U+0666. Type it again. Give"),
    ),
    (
        "phone",
        "608-271-9000 / 608-271-9001",
        "{} contains more than one number. Enter one here, and the others in other fields.",
    ),
    *(
        ("e-mail", typed, NOT_AN_EMAIL)
        for typed in (
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
        )
    ),
    *(
        ("e-mail", typed, SEVERAL)
        for typed in (
            "a@x.org; b@x.org",
            "a@x.org,b@x.org",
            "a@x.org b@x.org",
            "a@x.org、b@x.org",
            "A <a@x.org>, B <b@x.org>",
        )
    ),
    ("e-mail", f"{'x' * 70}@x.org", "The part before the @ has 70 characters. It can have at most 64."),
    ("e-mail", f"a@{'b.' * 130}org", "The address has 265 characters. It can have at most 254."),
    (
        "e-mail",
        "d\u0435sk@x.org",
        "{} is not an e-mail address. Character 2 is U+0435. Type it again. Example: desk@example.org.",
    ),
    *(("ZIP", typed, NOT_A_ZIP) for typed in ("537O3", "5370", "053704", "53704-", "53704-12")),
    ("state", "Ontario", "{} is not a state. Choose from the list."),
    ("state", "Carolina", "{} is not a state. Choose from the list."),
    ("state", "Qu\u00e9bec", "{} is not a state. Choose from the list."),
    ("state", "W\u0406", "{} is not a state. Character 2 is U+0406. Type it again. Choose from the list."),
    ("street", "1 Shore Rd\r\nSuite 2", "Put the street on one line."),
    *(
        ("UUID", typed, NOT_A_UUID)
        for typed in ("none", DESTINATION[:-1], DESTINATION.replace("-", ""), f"{{{DESTINATION}}}")
    ),
    (
        "UUID",
        "A07AFE3B-D247-4415-827F-6837707E1B8B",
        ROUTING,
    ),
    ("UUID", "7f296bb4-83fd-498d-92f3-a76960648788", "This is our source ID, not a destination."),
]


@pytest.mark.parametrize(("reader", "typed", "value", "said"), READ)
def test_a_value_is_read_and_its_change_is_reported(reader: str, typed: str, value: str, said: str) -> None:
    assert READERS[reader](typed) == Read(value, said.format(f"'{typed.strip()}'"))


@pytest.mark.parametrize(("reader", "typed", "sentence"), REFUSED)
def test_an_invalid_value_is_refused_in_one_sentence(reader: str, typed: str, sentence: str) -> None:
    with pytest.raises(FieldError, match=f"^{re.escape(sentence.replace('{}', f"'{typed}'"))}\\Z"):
        READERS[reader](typed)


UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u180e\ufe0f\u202e\u2066\u061c\u3164\ufff9\u06dd\U000e0041"


@pytest.mark.parametrize("reader", CODES)
def test_invisible_characters_are_removed_from_a_code(reader: str) -> None:
    value, read = VALUES[reader], READERS[reader]
    for unseen in UNSEEN:
        label = read(f"{unseen}{value}{unseen}").changed.partition(":")[0]
        for typed in (unseen + value, value + unseen, value[:2] + unseen + value[2:]):
            assert read(typed) == Read(value, f"{label}: {INVISIBLE}")
        with pytest.raises(FieldError) as raised:
            read(f"{unseen}{value}{unseen}!!")
        assert unseen not in str(raised.value)


def test_each_state_is_read_by_its_code_and_its_name() -> None:
    for code, name in STATES.items():
        assert READERS["state"](code) == Read(code)
        assert READERS["state"](name) == Read(code, f"State '{name}' to {code}")


def test_other_changes_are_reported_too() -> None:
    reading = READERS["phone"]("\ufeff608-555-0100")
    assert reading.changed == "Work phone: invisible characters removed; Work phone '608-555-0100' to +16085550100"


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@given(
    typed=st.text(max_size=80)
    | st.text(alphabet="0123456789.-+() WIurn:od@;,x#\n", max_size=40)
    | st.text(alphabet="a1 .@\u0627\u0301\u200b\u200c\u200d\ufe0f\u180b\u2764\U0001f469\U000e0100\u00e9", max_size=20)
)
def test_every_reader_refuses_or_gives_what_it_would_read_unchanged(read: Callable[[str], Read], typed: str) -> None:
    try:
        reading = read(typed)
    except FieldError:
        return
    assert read(reading.value) == Read(reading.value)


def refuses(read: Callable[[str], Read], bad: str) -> None:
    with pytest.raises(FieldError, match=rf"cannot be sent \(U\+{ord(bad):04X}, place 2\)"):
        read(f"1{bad}2")


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_no_reader_lets_an_unsendable_character_through(read: Callable[[str], Read]) -> None:
    for bad in ("\x00", "\x07", "\x7f", "\x9b", "\ud800", "\ufffe"):
        refuses(read, bad)


@pytest.mark.parametrize("reader", [name for name in READERS if name not in CODES])
def test_no_text_changes_the_writing_direction(reader: str) -> None:
    for bad in ("\u202e", "\u2066"):
        refuses(READERS[reader], bad)


@pytest.mark.parametrize("read", [read for name, read in READERS.items() if name != "OID"])
def test_an_empty_field_stays_empty(read: Callable[[str], Read]) -> None:
    assert [read(blank).value for blank in ("", "   ", "\u200b")] == ["", "", ""]
