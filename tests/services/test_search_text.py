"""The words of a search, and the search column of a record."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import Organization
from organizations.records import ContactRecord, IdentifierRecord
from organizations.services import search_text
from organizations.services.records import organizations
from tests import factories
from tests.factories import as_actor
from tests.strategies import oid_texts

_three = st.integers(min_value=200, max_value=999).map(str)
_four = st.integers(min_value=0, max_value=9999).map("{:04}".format)
_between = st.sampled_from(["", " ", "-", ".", "/", " - ", "\u2011", "\u2013", "\u00a0"])
_country = st.sampled_from(["", "1", "+1", "tel:", "tel:+1", "tel:1"])


@st.composite
def phones(draw: st.DrawFn) -> tuple[str, str]:
    """A way of writing an American phone, and its ten digits."""
    area, exchange, line = draw(_three), draw(_three), draw(_four)
    country = draw(_country)
    separator = draw(_between) if country.endswith("1") else ""
    text = f"({area})" if draw(st.booleans()) else area
    return f"{country}{separator}{text}{draw(_between)}{exchange}{draw(_between)}{line}", area + exchange + line


def is_found(phone: str, words: str) -> bool:
    """As the search does: every word is part of the column."""
    column = search_text.record_search_text(factories.record(name="Lakeside Antigo"))
    column = column.replace("16085550100", f"1{phone}")
    return all(word in column for word in search_text.query_words(words))


@settings(max_examples=50)
@given(phones())
def test_a_phone_is_found_in_any_format_alone_or_beside_a_word(phone):
    text, digits = phone
    for typed in (text, f"Antigo {text}", f"{text} antigo", f"lakeside {text} antigo"):
        assert is_found(digits, typed), typed
    assert [word for word in search_text.query_words(text) if not word.isdigit() or not word.endswith(digits)] == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Antigo 608-555-0113", ("antigo", "6085550113")),
        ("1.608.555.0113", ("16085550113",)),
        ("tel:+16085550113", ("16085550113",)),
        ("Antigo 555-0113", ("antigo", "5550113")),
        ("Antigo +44 20 7946 0958", ("antigo", "442079460958")),
        ("+1 (608) 555\u22120113", ("16085550113",)),
        ("６０８\u2011５５５\u2011０１１３", ("6085550113",)),
        ("608-\u200e555-0113", ("6085550113",)),
        ("53704-1234 Madison", ("53704 1234", "madison")),
        ("Tel. 608-271-4321", ("6082714321",)),
        ("Antigo phone: (608) 271 4321", ("antigo", "6082714321")),
        ("Phone number: 608-271-4321", ("6082714321",)),
        ("608-271-4321 ext. 5", ("6082714321",)),
        ("tel:608-271-4321;ext=5", ("6082714321",)),
        ("608-271-4321x5 Antigo", ("6082714321", "antigo")),
        ("(608) 271-4321 (Ext 5)", ("6082714321",)),
        ("001 608 271 4321", ("16082714321",)),
        ("011 44 20 7946 0958", ("442079460958",)),
        ("Antigo 0044 (0)20 7946 0958", ("antigo", "442079460958")),
        ("608\u00b7271\u20224321", ("6082714321",)),
        ("Phone Center 5", ("phone", "center", "5")),
        ("LSC-014:", ("lsc 014",)),
        ("mailto:desk@x.org <desk@x.org>,", ("desk@xorg",)),
        ("North\u200bEast Lake\u00adside", ("north", "east", "lakeside")),
        ("Suite 200", ("suite", "200")),
        ("458.99999", ("458.99999",)),
    ],
)
def test_only_phones_are_folded(typed, words):
    assert search_text.query_words(typed) == words


def test_only_the_first_ten_different_words_are_searched():
    ten = tuple(f"word{number}" for number in range(10))
    assert search_text.query_words(" ".join(ten * 3)) == ten
    assert not search_text.has_too_many_words(" ".join(ten * 3))
    assert search_text.query_words(" ".join(f"word{number}" for number in range(100))) == ten
    assert search_text.has_too_many_words(" ".join((*ten, "word10")))


@settings(max_examples=40)
@given(oid_texts())
def test_an_oid_is_searched_as_one_word(oid):
    for typed in (oid, f"urn:oid:{oid}", f"URN:OID:{oid}.", f"{oid}. antigo", f"\u200e{oid}"):
        assert search_text.query_words(typed)[0] == oid
    for typed in (f"antigo OID: {oid}", f"Antigo, oid:{oid}", f'antigo <OID "{oid}">', f"antigo ({oid}),"):
        assert search_text.query_words(typed) == ("antigo", oid)
    wrapped = oid.replace(".", ".\n ", 1)
    for typed in (oid, f" urn:oid:{oid}. ", f"\u200e{oid}\ufeff", f"OID {oid}", f"OID: {oid}", f"oid:{oid},", wrapped):
        assert search_text.oid_in(typed) == oid
        assert search_text.query_words(typed) == (oid,)
    for typed in (f"<{oid}>", f"“{oid}”.", f"urn : oid : {oid}", f"[OID = {wrapped}];", f"{oid[0]}\u200b{oid[1:]}"):
        assert search_text.oid_in(typed) == oid
        assert search_text.query_words(typed) == (oid,)
    for typed in ("", "antigo", f"{oid} antigo", f"{oid}..1", f"{oid} 1"):
        assert search_text.oid_in(typed) == ""


DESK = ContactRecord(purpose="Technical", name="Zoë O'Brien", email_addresses=("first-last@lakeside.example",))
HELD = factories.record(
    name="St. Mary's Clínica Peñón",
    aliases=("Wausau-North/East", "Straße, Ærø", "Dean & Clinic"),
    identifiers=(IdentifierRecord(kind="FACID", value="LSC-014"),),
    contacts=(DESK,),
)


FINDING = [
    "St Marys",
    "st. mary’s",
    "Clinica Penon",
    "CLI\u0301NICA",
    "wausau north",
    "Wausau–North",
    "north / east",
    "strasse aero",
    "Straße Ærø",
    "zoe obrien",
    "first-last@lakeside.example",
    "lakeside.example",
    "dean & clinic",
    "Dean and Clinic",
    "LSC-014",
    "lsc 014",
    f"{HELD.oid}.",
    f"urn:oid:{HELD.oid}",
    "…99999.1",
]


@pytest.mark.django_db
def test_a_record_is_found_in_any_spelling_of_its_words(editor):
    organizations.create(HELD, "staging", stands_for="", actor=as_actor(editor))
    for typed in FINDING:
        assert Organization.objects.filter(search_text.matching_rows(typed)).exists(), typed
    for typed in ("LSC-14", "L-014", "north-wausau", "'", "—", "."):  # what it does not hold
        assert not Organization.objects.filter(search_text.matching_rows(typed)).exists(), typed
