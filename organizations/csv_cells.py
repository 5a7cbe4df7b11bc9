"""Cells of a CSV file that no spreadsheet takes for a formula (OWASP, CSV injection).

Spreadsheets differ in what separates cells, and they trim blanks and quotes. So a formula can begin at the start of a
text, and after each separator or line break. If the first sign there begins a formula, `protect` puts an apostrophe
before that sign. Blanks, quotes and invisible characters before the sign do not count.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from organizations.characters import BRAILLE_BLANK, INVISIBLE, QUOTES

BYTE_ORDER_MARK = "\ufeff"  # tells Excel that the file is UTF-8

_SIGNS = frozenset("=+-@%\u2212")
_LINE_BREAKS = frozenset("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
_SKIPPED = frozenset({"Zs", "Cc", "Cf", "Cs", "Mn", "Mc", "Me", "Sk", "Pi", "Pf"})


class _Kinds(dict[int, str]):
    """A table for str.translate that replaces each character by a sign for its kind. It computes each entry once.

    "=" begins a formula, "," separates cells, "|" does both, a line break means a line break or a tab, "'" is an
    apostrophe, a blank is skipped, "x" is anything else. The result is as long as the text: offsets are the same.
    """

    def __missing__(self, code: int) -> str:
        self[code] = kind = _kind(chr(code))
        return kind


def _kind(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)  # a spreadsheet may normalize too
    if character in "\t\r\n":
        return "\n"
    if character == "'":
        return "'"
    if plain == "|":
        return "|"
    if plain[0] in _SIGNS:
        return "="
    if plain[-1] in ",;" or character in _LINE_BREAKS:
        return ","
    return " " if _is_skipped(character) else "x"


def _is_skipped(character: str) -> bool:
    is_invisible = INVISIBLE.match(character) is not None or character == BRAILLE_BLANK
    return is_invisible or character in QUOTES or unicodedata.category(character) in _SKIPPED


_KINDS = _Kinds()
_DANGEROUS = re.compile("^[ ']*(?=[=|\n])|(?<=[\n,|])[ ']*(?=[=|])")


def protect(text: str) -> str:
    """The text as a cell, with an apostrophe before each sign that could begin a formula."""
    places = [place.end() for place in _DANGEROUS.finditer(text.translate(_KINDS))]
    return "'".join(text[start:end] for start, end in pairwise([0, *places, len(text)]))


def line(cells: Iterable[str]) -> str:
    """One line of a CSV file, its cells protected."""
    return str(_WRITER.writerow(map(protect, cells)))


class _LineWriter:
    """A file for csv.writer whose `write` returns the line."""

    def write(self, text: str) -> str:
        return text


_WRITER = csv.writer(_LineWriter())
