"""Cells of a CSV file that no spreadsheet takes for a formula, and back again.

Spreadsheets differ in what separates cells, and they trim blanks and quotes. So the rule (OWASP, CSV injection) holds
at the beginning of a text and behind each separator or line break in it. If a sign that begins a formula comes first
there, not counting blanks, quotes and invisible characters, `protect` puts one apostrophe before it, which `unprotect`
removes.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from organizations.characters import BRAILLE_BLANK, INVISIBLE, QUOTES

BYTE_ORDER_MARK = "\ufeff"  # by it Excel knows that the file is UTF-8

_SIGNS = frozenset("=+-@%\u2212")
_LINE_BREAKS = frozenset("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
_SKIPPED = frozenset({"Zs", "Cc", "Cf", "Cs", "Mn", "Mc", "Me", "Sk", "Pi", "Pf"})


class _Kinds(dict[int, str]):
    """For str.translate: replaces each character by one sign for its kind; filled when a character is first met.

    "=" begins a formula, "," separates cells, "|" does both, a line break is one or a tab, "'" is itself, a blank is
    skipped, "x" is anything else. A kind is one character, so a place among the kinds is a place in the text.
    """

    def __missing__(self, code: int) -> str:
        self[code] = kind = _kind(chr(code))
        return kind


def _kind(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)  # a spreadsheet or an import may do so
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
    is_unseen = INVISIBLE.match(character) is not None or character == BRAILLE_BLANK
    return is_unseen or character in QUOTES or unicodedata.category(character) in _SKIPPED


_KINDS = _Kinds()
_PLACE = "^[ ']*(?=[=|\n])|(?<=[\n,|])[ ']*(?=[=|])"
_DANGEROUS = re.compile(_PLACE)
_PROTECTED = re.compile(_PLACE.replace("(?=", "'(?="))


def protect(text: str) -> str:
    """The text as a cell; `unprotect` gives it back."""
    places = [place.end() for place in _DANGEROUS.finditer(text.translate(_KINDS))]
    return "'".join(text[start:end] for start, end in pairwise([0, *places, len(text)]))


def unprotect(cell: str) -> str:
    """The text that `protect` made this cell of."""
    ends = [place.end() for place in _PROTECTED.finditer(cell.translate(_KINDS))]
    parts = zip([0, *ends], [*(end - 1 for end in ends), len(cell)], strict=True)
    return "".join(cell[start:end] for start, end in parts)


def line(cells: Iterable[str]) -> str:
    """One line of a CSV file, its cells protected."""
    return str(_WRITER.writerow(map(protect, cells)))


class _Line:
    """What csv writes to: the line that was written last."""

    def write(self, text: str) -> str:
        return text


_WRITER = csv.writer(_Line())
