"""Read the numbers of an address or a posted form: ids of rows, versions, and places in the history."""

from collections.abc import Iterable

MOST_DIGITS = 18
"""Every number with this many digits fits a BIGINT, so that the database never refuses one."""


def read_number(text: str) -> int:
    """The number in the text, or 0 if it has anything but the digits 0 to 9. No row has the id or version 0."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0


def read_numbers(texts: Iterable[str]) -> tuple[int, ...]:
    """The numbers among `texts`, in their order. Other texts are left out."""
    return tuple(number for text in texts if (number := read_number(text)))
