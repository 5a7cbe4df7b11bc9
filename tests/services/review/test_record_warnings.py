"""Warnings about the values of one record: the exact text of each, when it appears and when not."""

import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings

from organizations.records import AddressRecord, ContactRecord, IdentifierRecord, OrganizationRecord
from organizations.redox.environment import EXAMPLE_VALUES
from organizations.services.review import record_warnings
from organizations.services.review.record_warnings import KEPT, value_warnings
from tests import factories, strategies

LAKESIDE = factories.record()
SHORE = LAKESIDE.address
DESK = LAKESIDE.contacts[0]
MAILS = ("desk@lakeside.example", "night@lakeside.example")
NOBODY = ContactRecord(purpose="Technical", name="Integration desk")
LONG = "Lakeside " * 22 + "and"
NO_CONTACT = "Nobody can be reached. Redox names a missing contact as one reason for a rejection."
UNREACHABLE = "A contact has neither an e-mail address nor a phone number."


class Row(NamedTuple):
    """One warning: its key, its text, a record that has it, and a similar record that does not."""

    key: str
    text: str
    right: OrganizationRecord
    silent: OrganizationRecord = LAKESIDE


def with_address(**values: str) -> OrganizationRecord:
    return replace(LAKESIDE, address=replace(SHORE, **values))


def with_contact(**values: object) -> OrganizationRecord:
    return replace(LAKESIDE, contacts=(replace(DESK, **values),))  # type: ignore[arg-type]


def named(**values: object) -> OrganizationRecord:
    return replace(LAKESIDE, **values)  # type: ignore[arg-type]


ROWS = [
    *(
        Row("example", f"'{value}' is from Redox's example page. It was probably copied by mistake.", right)
        for value, right in zip(
            EXAMPLE_VALUES,
            (
                named(destination_id=EXAMPLE_VALUES[0]),
                with_contact(email_addresses=("desk@lakeside.example", EXAMPLE_VALUES[1])),
                with_contact(mobile_phone=EXAMPLE_VALUES[2]),
                with_address(street=EXAMPLE_VALUES[3]),
            ),
            strict=True,
        )
    ),
    *(
        Row("example", f"'{EXAMPLE_VALUES[2]}' is from Redox's example page. It was probably copied by mistake.", right)
        for right in (with_contact(work_phone=EXAMPLE_VALUES[2]), with_contact(home_phone=EXAMPLE_VALUES[2]))
    ),
    *(
        Row("placeholder", f"Name '{text}' looks like a placeholder.", named(name=text), named(name=other))
        for text, other in (
            ("TBD", "TBD Clinic"),
            ("n/a", "Nara"),
            ("N.A.", "Ann A."),
            ("N / A", "N / B"),
            ("To be determined", "To be or not"),
            ("Unknown", "Unknown Soldier Clinic"),
            ("none", "Nones"),
            ("Test", "Test Valley Clinic"),
            ("test 1", "Contest"),
            ("xxx", "Xx Clinic"),
            ("x street", "Fox Street"),
            ("-", "A-Z"),
            ("...", "1"),
            ("(placeholder)", "\u8a3a\u7642\u6240"),
            ("t e s t 12 3", "t e s t 1 2 3"),
            ("test test test test", "te st te st te st"),
        )
    ),
    Row("placeholder", "Street 'TBD' looks like a placeholder.", with_address(street="TBD")),
    Row("placeholder", "City 'N/A' looks like a placeholder.", with_address(city="N/A")),
    Row("placeholder", "Country 'N/A' looks like a placeholder.", with_address(country="N/A")),
    Row("placeholder", "County 'TBD' looks like a placeholder.", with_address(county="TBD"), with_address(county="")),
    Row("placeholder", "State 'N/A' looks like a placeholder.", with_address(state="N/A")),
    Row("placeholder", "ZIP '00000' looks like a placeholder.", with_address(zip_code="00000")),
    *(
        Row("placeholder", f"Street '{text}' looks like a placeholder.", with_address(street=text))
        for text in ("T E S T", "T\u200bBD", "unknown street", "Street TBD", "tbd tbd", "same as above", "0")
    ),
    Row(
        "placeholder",
        "Own identifier 1 'pending' looks like a placeholder.",
        named(identifiers=(IdentifierRecord(kind="FACID", value="pending"),)),
    ),
    Row("placeholder", "Name of contact 1 'unknown' looks like a placeholder.", with_contact(name="unknown")),
    Row("placeholder", "Alias 1 'none' looks like a placeholder.", named(aliases=("none",))),
    Row(
        "alias",
        "Alias 1 'LAKESIDE 1' is the same as the name, except for capitals.",
        named(aliases=("LAKESIDE 1",)),
        named(aliases=("LAKESIDE 12",)),
    ),
    Row(
        "alias",
        "Alias 3 'one' is the same as alias 1, except for capitals.",
        named(aliases=("One", "Two", "one")),
        named(aliases=("One", "Two", "one two")),
    ),
    *(
        Row("contact", text, named(contacts=contacts), named(contacts=(replace(NOBODY, home_phone="+1"),)))
        for text, contacts in ((NO_CONTACT, ()), (UNREACHABLE, (NOBODY,)), (UNREACHABLE, (DESK, NOBODY)))
    ),
    Row(
        "twice",
        "Contacts 1 and 3 are the same.",
        named(contacts=(DESK, replace(DESK, name="Other"), DESK)),
        named(contacts=(DESK, replace(DESK, name="Other"))),
    ),
    Row(
        "twice",
        "Contacts 1 and 2 are the same except for capitals, signs or order.",
        named(contacts=(DESK, replace(DESK, name=DESK.name.upper()))),
    ),
    Row(
        "twice",
        "Contacts 1 and 2 are the same except for capitals, signs or order.",
        named(contacts=tuple(replace(DESK, email_addresses=mails) for mails in (MAILS, MAILS[::-1]))),
        named(contacts=(DESK, replace(DESK, name="Integration keds"))),
    ),
    Row(
        "twice",
        "Own identifiers 1 and 2 are the same.",
        named(identifiers=(IdentifierRecord(kind="FACID", value="7"),) * 2),
        named(identifiers=(IdentifierRecord(kind="FACID", value="7"), IdentifierRecord(kind="NPI", value="7"))),
    ),
    *(
        Row(
            "phone",
            f"Work phone of contact 1, {phone}, is in a range that is not assigned to anybody. Check it.",
            with_contact(work_phone=phone),
            with_contact(work_phone="+16082719000"),
        )
        for phone in ("+18245550100", "+14215550100")
    ),
    *(
        Row(
            "phone",
            f"{label} of contact 1, +18245550100, is in a range that is not assigned to anybody. Check it.",
            with_contact(**{field: "+18245550100"}),
        )
        for field, label in (("mobile_phone", "Mobile phone"), ("home_phone", "Home phone"))
    ),
    Row(
        "address",
        "The address is only a country: USA. Others cannot find the place with it.",
        named(address=AddressRecord(country="USA")),
    ),
    *(
        Row("address", f"The address has no {what}. Others cannot find the place with it.", right)
        for what, right in (
            ("state", with_address(state="")),
            ("ZIP", with_address(zip_code="")),
            ("street, no city, no state and no ZIP", named(address=AddressRecord(county="Dane"))),
        )
    ),
    Row(
        "address",
        "The address has no city. Others cannot find the place with it.",
        with_address(city=""),
        named(address=AddressRecord()),
    ),
    Row(
        "address",
        "The address has no street, no state and no ZIP. Others cannot find the place with it.",
        with_address(street="", state="", zip_code=""),
        with_address(county="", state="", zip_code="", country="Canada"),
    ),
    *(
        Row(
            "country",
            f"'{typed}' is not a country that this portal knows.{meant} State and ZIP were not checked.",
            with_address(country=typed, state="Wisconsin", zip_code="5370"),
            with_address(country=known, state="Ontario", zip_code="K1A 0B1"),
        )
        for typed, meant, known in (
            ("United Sates", " Did you mean USA?", "Canada"),
            ("Cananda", " Did you mean Canada?", "CAN"),
            ("WI", " Did you mean USA?", "CA"),
            ("Lakeside", "", "Mexico"),
        )
    ),
    Row(
        "country",
        "The country is Canada, but WI 53704 looks American. Did you mean USA?",
        with_address(country="Canada", state="WI", zip_code="53704"),
        with_address(country="Italy", state=" MI ", zip_code="20122"),
    ),
    Row(
        "country",
        "The country is Canada, but California 9021 looks American. Did you mean USA?",
        with_address(country="CAN", state="California", zip_code="9021"),
        with_address(country="US"),
    ),
    *(
        Row("country", f"The country is Canada, but {state} {zip_code} looks American. Did you mean USA?", right)
        for state, zip_code in ((" wi ", "53704"), ("Ohio", "9021"))
        for right in (with_address(country="Canada", state=state, zip_code=zip_code),)
    ),
    *(
        Row(
            "country",
            f"'{typed}' is the code of Gabon. Did you mean the American state? Then the country is USA.",
            with_address(country=typed, state=state, zip_code="3030"),
            with_address(country="GA", state="Estuaire", zip_code="3030"),
        )
        for typed, state in ((" ga ", ""), ("GA", "WI"))
    ),
    Row(
        "country",
        "'GA' is the code of Gabon. Did you mean the American state? Then the country is USA.",
        with_address(country="GA", state="", zip_code="3030"),
        with_address(country="GAB", state="", zip_code="3030"),
    ),
    *(
        Row(
            "country",
            f"An address in {territory} has the country USA and the State {state}.",
            with_address(country=territory, state="", zip_code="96799"),
        )
        for territory, state in (
            ("American Samoa", "AS"),
            ("Guam", "GU"),
            ("Northern Mariana Islands", "MP"),
            ("U.S. Virgin Islands", "VI"),
        )
    ),
    Row(
        "country",
        "An address in Puerto Rico has the country USA and the State PR.",
        with_address(country="Puerto Rico", state="", zip_code="00716"),
        with_address(country="USA", state="PR", zip_code="00716"),
    ),
    Row(
        "zip",
        "ZIP 60601 is in IL, but the state is WI.",
        with_address(zip_code="60601"),
        with_address(zip_code="60601", state="Illinois"),
    ),
    Row(
        "zip",
        "ZIP 42223 is in KY and TN, but the state is WI.",
        with_address(zip_code="42223"),
        with_address(zip_code="42223", state=""),
    ),
    Row(
        "zip",
        "ZIP 42223 is in KY and TN, but the state is WI.",
        with_address(zip_code="42223"),
        with_address(zip_code="42223", state="TN"),
    ),
    Row(
        "zip",
        "ZIP 80331-1234 is in CO, but the state is WI.",
        with_address(zip_code="80331-1234"),
        with_address(zip_code="80331", state="Bavaria", country="Germany"),
    ),
    Row(
        "zip",
        "ZIP 96910 is in GU, but the state is HI.",
        with_address(zip_code="96910", state="HI"),
        with_address(zip_code="96910", state="GU"),
    ),
    Row(
        "zip-unused",
        "ZIP 00000: no ZIP code begins with 000.",
        with_address(zip_code="00000"),
        with_address(zip_code="00501", state="NY"),
    ),
    *(
        Row(
            "military",
            f"{city} is a military post office: its state is AA, AE or AP, not WI.",
            with_address(city=city),
            silent,
        )
        for city, silent in (
            ("APO", with_address(city="APO", state="AE", zip_code="09009")),
            ("fpo", with_address(city="fpo", state="")),
            ("DPO AE", with_address(city="DPO AE", state="Bavaria", country="Germany")),
        )
    ),
    Row(
        "military",
        "State AE is for military post offices: its city is APO, FPO or DPO, not Apollo.",
        with_address(city="Apollo", state="AE", zip_code="09009"),
        with_address(city="", state="AE", zip_code="09009"),
    ),
    *(
        Row(KEPT, f"{label} is kept as it is stored. If you typed it now, it would be refused: {fault}", right)
        for label, fault, right in (
            (
                "Work phone of contact 1",
                "Extensions cannot be sent. Put the extension into the contact's name.",
                with_contact(work_phone="608-271-9000 ext. 11"),
            ),
            (
                "An e-mail address of contact 1",
                "'desk' is not an e-mail address. Example: desk@example.org.",
                with_contact(email_addresses=("desk",)),
            ),
            *(
                (label, f"{name} has 201 characters; at most 200 can be kept.", right)
                for label, name, right in (
                    ("Name", "Name", named(name=LONG)),
                    ("An alias", "Alias", named(aliases=(LONG,))),
                    ("Name of contact 1", "Contact name", with_contact(name=LONG)),
                    ("Street", "Street", with_address(street=LONG)),
                    ("City", "City", with_address(city=LONG)),
                    ("County", "County", with_address(county=LONG)),
                )
            ),
            ("State", "'Wisconsn' is not a state. Choose from the list.", with_address(state="Wisconsn")),
            (
                "ZIP",
                "'5370' is not a ZIP code. Give 5 digits, or 5 and 4 with a hyphen; keep a leading 0.",
                with_address(zip_code="5370"),
            ),
        )
    ),
    *(
        Row(
            "character",
            f"Name contains '{character}'. Such a character may be the cause of 'Parsing XML request error!'.",
            named(name=f"Lakeside {character} Sons"),
            named(name="XX Sons", carried=(("Type", f'"A {character} B"'),)),
        )
        for character in "&<>"
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[f"{place}-{row.key}" for place, row in enumerate(ROWS)])
class TestTable:
    def test_it_warns_in_these_words(self, row: Row) -> None:
        assert [warning.text for warning in value_warnings(row.right) if warning.key == row.key] == [row.text]

    def test_it_does_not_warn_if_the_value_is_right(self, row: Row) -> None:
        assert row.key not in [warning.key for warning in value_warnings(row.silent)]


def test_every_rule_has_a_row() -> None:
    text = Path(record_warnings.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'RecordWarning\(\s*"([a-z-]+)"', text)) | {KEPT} == {row.key for row in ROWS}


@pytest.mark.parametrize(
    "usual",
    [
        LAKESIDE,
        with_address(zip_code="02139", city="Cambridge", county="Middlesex", state="MA"),
        named(identifiers=(IdentifierRecord(kind="FACID", value="0123"),)),
        named(aliases=("x" * 199 + "y", "0" * 199 + "y")),
    ],
    ids=["Lakeside", "a ZIP with a leading 0", "a number with a leading 0", "long rows of one character"],
)
def test_an_ordinary_record_has_no_warnings(usual: OrganizationRecord) -> None:
    assert list(value_warnings(usual)) == []


@settings(max_examples=40)
@given(strategies.records)
def test_any_record_can_be_checked_and_no_two_warnings_share_a_tick(record: OrganizationRecord) -> None:
    warnings = list(value_warnings(record))
    assert all(len(warning.value) < 100 for warning in warnings)
    assert len({(warning.key, warning.value) for warning in warnings}) == len(warnings)
