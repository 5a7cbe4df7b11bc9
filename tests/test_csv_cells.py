"""Cells that no spreadsheet takes for a formula, and back again."""

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.csv_cells import line, protect, unprotect

DANGEROUS = "=+-@|%\t\r\n"
TEXTS = st.text(st.characters() | st.sampled_from("=+-@|%;,\t\r\n'\" \u200b＝＋－＠；"))


@given(TEXTS)
def test_what_is_protected_comes_back(text):
    assert unprotect(protect(text)) == text
    assert unprotect(protect(protect(text))) == protect(text)
    assert next(csv.reader(io.StringIO(line([text, "end"]), newline=""))) == [protect(text), "end"]


@given(TEXTS)
def test_no_part_of_a_cell_begins_a_formula_whatever_separates_the_parts(text):
    assert not protect(text).startswith(tuple(DANGEROUS))
    for part in re.split(r"[;,\t\r\n|；，]", protect(text)):
        compatible = unicodedata.normalize("NFKC", part.strip(' \u200b"'))
        assert not compatible.startswith(tuple("=+-@|%")), part


def test_every_character_that_becomes_a_dangerous_one_is_dangerous():
    everything = map(chr, range(0x110000))
    alike = [each for each in everything if unicodedata.normalize("NFKC", each).startswith(tuple("=+-@|%"))]
    assert "＝" in alike
    assert [each for each in alike if protect(each) != f"'{each}"] == []


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Lakeside - North, 2", "Lakeside - North, 2"),
        ("=Quoted Clinic", "'=Quoted Clinic"),
        ("'=Quoted Clinic", "''=Quoted Clinic"),
        ("'Quoted' Clinic", "'Quoted' Clinic"),
        ("Clinic;=1+1", "Clinic;'=1+1"),
        ("Clinic,\t@x", "Clinic,\t'@x"),
        ("one\n+16085550100", "one\n'+16085550100"),
        ("＝1+1", "'＝1+1"),
        ('"=1+1"', '"\'=1+1"'),
        ("\ufeff =1", "\ufeff '=1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("\t=1", "'\t'=1"),
    ],
)
def test_one_apostrophe_stands_before_each_sign_that_could_begin_a_formula(text, cell):
    assert protect(text) == cell
