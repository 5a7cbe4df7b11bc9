"""CSV cells that no spreadsheet reads as a formula."""

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from organizations import csv_cells
from organizations.csv_cells import line, protect

DANGEROUS = "=+-@|%\t\r\n"
LINE_BREAKS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
TEXTS = st.text(st.characters() | st.sampled_from(f"=+-@|%;,\t\r\n'\" \u200b＝＋－＠；\u0301\u037e\u2800{LINE_BREAKS}"))

# An apostrophe before a sign that could begin a formula.
APOSTROPHE = re.compile(csv_cells._DANGEROUS.pattern.replace("(?=", "'(?="))


def unprotect(cell):
    """The text that `protect` made this cell from. If two texts gave one cell, a reader could not know the text."""
    ends = [found.end() for found in APOSTROPHE.finditer(cell.translate(csv_cells._KINDS))]
    parts = zip([0, *ends], [*(end - 1 for end in ends), len(cell)], strict=True)
    return "".join(cell[start:end] for start, end in parts)


@given(TEXTS)
def test_a_protected_cell_is_read_back_unchanged(text):
    assert unprotect(protect(text)) == text
    assert unprotect(protect(protect(text))) == protect(text)
    assert next(csv.reader(io.StringIO(line([text, "end"]), newline=""))) == [protect(text), "end"]


@given(TEXTS)
@example("%")
@example("＝1")
@example("a,=1")
@example("a;=1")
@example("a\x85=1")
def test_no_part_of_a_cell_begins_a_formula_with_any_separator(text):
    (cell,) = next(csv.reader(io.StringIO(line([text]), newline="")))
    assert not cell.startswith(tuple(DANGEROUS))
    for part in re.split(rf"[;,\t\r\n|；，{LINE_BREAKS}]", cell):
        compatible = unicodedata.normalize("NFKC", part.strip(' \u200b"'))
        assert not compatible.startswith(tuple("=+-@|%")), part


def test_every_character_that_normalizes_to_a_dangerous_one_is_dangerous():
    everything = map(chr, range(0x110000))
    alike = [each for each in everything if unicodedata.normalize("NFKC", each).startswith(tuple("=+-@|%"))]
    assert "＝" in alike
    assert [each for each in alike if protect(each) != f"'{each}"] == []


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_a_sign_after_any_character_that_normalizes_to_a_separator_is_dangerous(form):
    everything = map(chr, range(0x110000))
    alike = [each for each in everything if unicodedata.normalize(form, each).endswith(tuple(",;|\t\r\n"))]
    assert "\u037e" in alike
    assert [each for each in alike if not protect(f"a{each} =1").endswith(f"{each} '=1")] == []


@pytest.mark.parametrize(
    "skipped",
    "\u2800\u0301\u3164\u034f\u115f\ufe0f\u17b5\ufff9\U000e0041\U0001d173\xb4\u2032\u201e\u275d\u02d7\ufff0`'\xa0\x1b",
)
def test_invisible_characters_and_quotes_do_not_hide_a_sign(skipped):
    assert protect(f"{skipped}=1") == f"{skipped}'=1"
    assert protect(f"a;{skipped} {skipped}@x") == f"a;{skipped} {skipped}'@x"


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
def test_each_sign_that_could_begin_a_formula_gets_one_apostrophe(text, cell):
    assert protect(text) == cell
