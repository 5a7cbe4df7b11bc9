"""OIDs: which texts are valid, how they sort, and which are below which."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.oid import REDOX_ROOT, Oid, OidError, next_free_child, shape
from tests.strategies import oid_texts

SITE = f"{REDOX_ROOT}.99999.1.1"


def _numbers(text: str) -> list[int]:
    return [int(arc) for arc in text.split(".")]


@pytest.mark.parametrize(
    "text",
    [
        "0.0",
        "1.39",
        "2.999",
        "2.16.840.1.113883.3.6147.458.2",
        "2.25.329800735698586629295641978511506172918",
        "1." + "1." * 30 + "11",
    ],
)
def test_a_valid_oid_is_kept_unchanged(text):
    assert str(Oid(text)) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "Enter the OID."),
        ("2.16.x", "'2.16.x' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("2.16.", "'2.16.' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("2..16", "'2..16' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("2", "'2' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("3.1", "'3.1' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("1.40", "'1.40' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("2.1\n", "'2.1\n' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("2.١", "'2.١' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("2.16.08.1", "Part 3 of the OID begins with 0. Remove the leading zero."),
        ("1." + "1." * 30 + "111", "An OID has at most 64 characters; this one has 65."),
        ("9" * 10_000, "An OID has at most 64 characters; this one has 10000."),
        ("5e3dc12b-3a04-438e-880d-a690639e629e", "This is a UUID, not an OID."),
        ("5E3DC12B3A04438E880DA690639E629E", "This is a UUID, not an OID."),
        ("2.16.840.1^17", "'^' belongs to a document number. Enter only the part before it."),
    ],
)
def test_text_that_is_not_an_oid_is_refused_in_plain_words(text, fault):
    with pytest.raises(OidError, match=f"^{re.escape(fault)}\\Z"):
        Oid(text)


@given(st.text(alphabet="0123.9", max_size=70) | st.text(max_size=70))
def test_a_text_is_an_oid_exactly_when_its_arcs_are_plain_numbers_in_range(text):
    plain = text.isascii() and all(arc.isdecimal() and str(int(arc)) == arc for arc in text.split("."))
    numbers = _numbers(text) if plain else []
    expected = len(numbers) >= 2 and len(text) <= 64 and (numbers[0] == 2 or (numbers[0] < 2 and numbers[1] < 40))
    try:
        is_oid = bool(Oid(text))
    except OidError:
        is_oid = False
    assert is_oid == expected


@given(oid_texts(), oid_texts())
def test_keys_sort_like_the_numbers(one, other):
    assert (Oid(one).key < Oid(other).key) == (_numbers(one) < _numbers(other))
    assert (Oid(one).key == Oid(other).key) == (one == other)


@given(oid_texts(), st.integers(min_value=0, max_value=99))
def test_a_child_is_below_only_its_own_ancestors(text, arc):
    parent = Oid(text)
    child = Oid(f"{text}.{arc}")
    assert child.parent == parent
    assert child.arcs == (*parent.arcs, str(arc))
    assert child.is_below(parent)
    assert not parent.is_below(child)
    assert not parent.is_below(parent)


def test_the_longest_key_fits_the_column():
    assert len(Oid("1." + "1." * 30 + "11").key) == 97


def test_arcs_with_a_common_prefix_are_not_below():
    assert not Oid("1.2.30").is_below(Oid("1.2.3"))


def test_two_arcs_have_no_parent():
    assert Oid("2.16").parent is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SITE}.1.1", "organization"),
        (f"{SITE}.1.1.7.2", "organization"),
        (f"{SITE}.2.1", "patient"),
        (f"{SITE}.3.1", "document"),
        (f"{SITE}.4.1", ""),
        (SITE, ""),
        (f"{REDOX_ROOT}.2", ""),
        ("1.3.6.1.4.1.1.1.2.1", ""),
    ],
)
def test_the_shape_follows_the_arc_after_the_site(text, expected):
    assert shape(Oid(text)) == expected


@pytest.mark.parametrize(
    ("parent", "taken", "expected"),
    [
        (f"{SITE}.1.1", [], f"{SITE}.1.1.1"),
        (f"{SITE}.1.1", [f"{SITE}.1.1.1", f"{SITE}.1.1.3"], f"{SITE}.1.1.2"),
        (SITE, [f"{SITE}.1"], f"{SITE}.4"),
        (f"{SITE}.2", [], f"{SITE}.2.1"),
    ],
)
def test_the_next_child_is_the_lowest_free_one_that_redox_does_not_use_otherwise(parent, taken, expected):
    assert next_free_child(Oid(parent), taken) == Oid(expected)


@given(oid_texts(), st.sets(st.integers(min_value=1, max_value=12)))
def test_the_next_child_leaves_no_gap_below_it(text, taken_arcs):
    child = next_free_child(Oid(text), [f"{text}.{arc}" for arc in taken_arcs])
    assert set(range(1, int(child.arcs[-1]))) <= taken_arcs
    assert int(child.arcs[-1]) not in taken_arcs


def test_a_parent_that_is_too_long_has_no_children():
    with pytest.raises(OidError, match="at most 64 characters; this one has 66"):
        next_free_child(Oid("1." + "1." * 30 + "11"), [])
