"""The messages of the readers of typed values, and what is known about places. test_readings.py has their results."""

import re

import pytest

from organizations.countries import is_american, name_of_country, nearest_country
from organizations.fields import FieldError, Read, read_lines, read_oid, read_text
from organizations.phones import is_unassigned, read_phone
from organizations.places import is_unused_zip, read_state, read_zip, states_of_zip


def refused(words):
    return pytest.raises(FieldError, match=f"^{re.escape(words)}\\Z")


def test_an_unsendable_character_is_named_with_its_place_as_typed():
    with refused("The name contains a character that cannot be sent (U+0007, place 12). Delete it."):
        read_text("Name", "   Lakeside\x07 Clinics", 200)
    with refused("The work phone contains a character that cannot be sent (U+0000, place 1). Delete it."):
        read_phone("Work phone", "\x00")
    with refused("The ZIP contains a character that cannot be sent (U+0000, place 6). Delete it."):
        read_zip("53704\x00")


def test_a_text_that_is_too_long_says_by_how_much():
    assert read_text("City", "x" * 100, 100) == Read("x" * 100)
    with refused("City has 101 characters; at most 100 can be kept."):
        read_text("City", "x" * 101, 100)


def test_the_part_of_field_names_itself():
    assert read_oid("urn:oid:2.16.840.1", "PartOf").changed == "PartOf: 'urn:oid:' removed"


def test_a_message_quotes_only_the_beginning_of_a_long_text():
    with refused(f"'{'x' * 60}...' is not a state. Choose from the list."):
        read_state("x" * 10_000)


def test_only_line_ends_separate_lines():
    assert read_lines("one\r\n\r\n two \rthree\n\u2028four\n  ") == ("one", " two ", "three", "\u2028four")


@pytest.mark.parametrize(("country", "expected"), [("", True), ("  ", True), ("---", False), ("Canada", False)])
def test_the_american_rules_apply_without_a_country(country, expected):
    assert is_american(country) == expected


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("CA", "Canada"),
        ("can", "Canada"),
        ("canada", "Canada"),
        ("UK", "United Kingdom"),
        ("Cote d'Ivoire", "C\u00f4te d'Ivoire"),
        ("Bosnia & Herzegovina", "Bosnia and Herzegovina"),
        ("u.s.a.", "United States"),
        ("United Sates", ""),
        ("Wisconsin", ""),
        ("\uff23\uff21", "Canada"),
        ("Korea, Republic of", "South Korea"),
        ("Korea (the Republic of)", "South Korea"),
        ("Korea (Democratic People's Republic of)", "North Korea"),
        ("Iran (Islamic Republic of)", "Iran"),
        ("Venezuela (Bolivarian Republic of)", "Venezuela"),
        ("Tanzania, United Republic of", "Tanzania"),
        ("Syrian Arab Republic", "Syria"),
        ("Taiwan, Province of China", "Taiwan"),
        ("Republic of China", "Taiwan"),
        ("United Kingdom of Great Britain and Northern Ireland", "United Kingdom"),
        ("Congo, Democratic Republic of the", "Democratic Republic of the Congo"),
        ("Republic of the Congo", "Congo"),
        ("Moldova, Republic of", "Moldova"),
        ("Bolivia (Plurinational State of)", "Bolivia"),
        ("Micronesia (Federated States of)", "Micronesia"),
        ("Lao People's Democratic Republic", "Laos"),
        ("Virgin Islands (U.S.)", "U.S. Virgin Islands"),
        ("Bahamas (the)", "Bahamas"),
        ("Republic of Ireland", "Ireland"),
        ("Grand Duchy of Luxembourg", "Luxembourg"),
        ("St. Lucia", "Saint Lucia"),
        ("St. Kitts & Nevis", "Saint Kitts and Nevis"),
        ("Kosovo", "Kosovo"),
        ("KSA", "Saudi Arabia"),
        ("Cocos Islands", "Cocos (Keeling) Islands"),
        ("NAM", "Namibia"),
        ("NA", ""),
        ("n.a.", ""),
        ("N/A", ""),
        ("C.A.", ""),
        ("Republic", ""),
    ],
)
def test_a_country_is_known_by_its_codes_and_names(typed, name):
    assert name_of_country(typed) == name


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("United Sates", "USA"),
        ("Untied States", "USA"),
        ("UAS", "USA"),
        ("USSA", "USA"),
        ("Cananda", "Canada"),
        ("Repubic of Ireland", ""),
        ("Ksa", ""),
        ("Asia", ""),
        ("N/A", ""),
        ("Lakeside", ""),
    ],
)
def test_a_misspelt_country_suggests_the_nearest_name(typed, near):
    assert nearest_country(typed) == near


@pytest.mark.parametrize(
    ("phone", "expected"),
    [("+16085550100", False), ("+18245550100", True), ("(421) 555-0100", True), ("555-0120", False), ("", False)],
)
def test_a_phone_that_can_be_dialled_may_be_unassigned(phone, expected):
    assert is_unassigned(phone) == expected


@pytest.mark.parametrize(
    ("zip_code", "expected"),
    [("00000", True), ("21300", True), ("69999-1234", True), ("53704", False), ("96910", False), ("5370", False)],
)
def test_a_zip_code_may_have_an_unused_prefix(zip_code, expected):
    assert is_unused_zip(zip_code) == expected


@pytest.mark.parametrize(
    ("zip_code", "state"),
    [
        ("53704", "WI"),
        ("53704-1234", "WI"),
        ("00501", "NY"),
        ("02101", "MA"),
        ("20500", "DC"),
        ("20001", "DC"),
        ("20101", "VA"),
        ("73301", "TX"),
        ("90210", "CA"),
        ("99950", "AK"),
        ("06390", "CT NY"),
        ("72643", "AR MO"),
        ("96799", "AS"),
        ("96813", "HI"),
        ("96910", "GU"),
        ("96932-0001", "GU"),
        ("96939", "PW"),
        ("96940", "PW"),
        ("96941", "FM"),
        ("96944", "FM"),
        ("96950", "MP"),
        ("96952", "MP"),
        ("96960", "MH"),
        ("96970", "MH"),
        ("96900", ""),
        ("21300", ""),
        ("00000", ""),
        ("537", ""),
        ("K1A 0B1", ""),
    ],
)
def test_the_states_of_a_zip_code_are_named_only_if_certain(zip_code, state):
    assert states_of_zip(zip_code) == tuple(state.split())
