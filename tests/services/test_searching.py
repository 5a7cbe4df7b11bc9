"""What is typed into a search, folded to what the search column holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.services import searching
from tests import factories
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
    after = draw(_between) if country.endswith("1") else ""
    written = f"({area})" if draw(st.booleans()) else area
    return f"{country}{after}{written}{draw(_between)}{exchange}{draw(_between)}{line}", area + exchange + line


def is_found(phone: str, wanted: str) -> bool:
    """As the search does: every word is part of the column."""
    held = searching.search_text(factories.record(name="Lakeside Antigo"))
    held = held.replace("16085550100", f"1{phone}")
    return all(word in held for word in searching.words(wanted))


@given(phones())
def test_a_phone_is_found_however_it_is_written_alone_or_beside_a_word(phone):
    written, digits = phone
    for typed in (written, f"Antigo {written}", f"{written} antigo", f"lakeside {written} antigo"):
        assert is_found(digits, typed), typed
    assert searching.digits(searching.looked_for(written)).endswith(digits)
    assert not searching.looked_for(written).strip("0123456789")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Antigo 608-555-0113", ("antigo", "6085550113")),
        ("1.608.555.0113", ("16085550113",)),
        ("tel:+16085550113", ("16085550113",)),
        ("Antigo 555-0113", ("antigo", "5550113")),
        ("Antigo +44 20 7946 0958", ("antigo", "442079460958")),
        ("53704-1234 Madison", ("53704-1234", "madison")),
        ("Suite 200", ("suite", "200")),
        ("458.99999", ("458.99999",)),
    ],
)
def test_phones_are_folded_and_nothing_else_is(typed, words):
    assert searching.words(typed) == words


@given(oid_texts())
def test_an_oid_is_never_folded(oid):
    for typed in (oid, f"urn:oid:{oid}", f"{oid} antigo"):
        assert searching.words(typed)[0] == oid
