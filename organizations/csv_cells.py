"""Cells of a CSV file that no spreadsheet takes for a formula, and back again.

Spreadsheets differ in what separates cells, and they trim blanks and quotes. So the rule (OWASP, CSV injection) holds
at the beginning of a text and behind each separator or line break in it. If a sign that begins a formula comes first
there, not counting blanks, quotes and invisible characters, `protect` puts one apostrophe before it, which `unprotect`
removes.
"""

import csv
import re
from collections.abc import Iterable

BYTE_ORDER_MARK = "\ufeff"  # by it Excel knows that the file is UTF-8

# = + - @ | % with all that compatibility folding (NFKC) turns into one of them, and the minus sign.
_SIGNS = (
    "=+\\-@|%"
    "\u207a\u207b\u207c\u208a\u208b\u208c\u2212\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6a\ufe6b"
    "\uff05\uff0b\uff0d\uff1d\uff20\uff5c"
)
_BREAKS = "\t\r\n"
_SEPARATORS = f"{_BREAKS}\x0b\x0c\x1c-\x1e\x85\u2028\u2029,;|\uff0c\uff1b\uff5c"
_SKIPPED = (
    " \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"  # blanks
    "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"  # controls
    "\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # what cannot be seen
    "'\"`\xab\xbb\u2018-\u201f\u2039\u203a\uff02\uff07"  # quotes
)
_PLACE = f"^[{_SKIPPED}]*(?=[{_SIGNS}{_BREAKS}])|(?<=[{_SEPARATORS}])[{_SKIPPED}]*(?=[{_SIGNS}])"
_DANGEROUS = re.compile(_PLACE)
_PROTECTED = re.compile(f"({_PLACE})".replace("(?=", "'(?="))


def protect(text: str) -> str:
    """The text as a cell; `unprotect` gives it back."""
    return _DANGEROUS.sub(lambda place: f"{place[0]}'", text)


def unprotect(cell: str) -> str:
    """The text that `protect` made this cell of."""
    return _PROTECTED.sub(lambda place: place[0][:-1], cell)


def line(cells: Iterable[str]) -> str:
    """One line of a CSV file, its cells protected."""
    return str(_WRITER.writerow(map(protect, cells)))


class _Line:
    """What csv writes to: the line that was written last."""

    def write(self, text: str) -> str:
        return text


_WRITER = csv.writer(_Line())
