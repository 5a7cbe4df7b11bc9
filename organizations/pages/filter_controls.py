"""The parts of a form of filters: a select for each choice, and a chip for each filter in force."""

from typing import NamedTuple


class FilterSelect(NamedTuple):
    """One select. `options` are (value, words, whether it is set); `any_option` are the words that narrow nothing."""

    name: str
    label: str
    options: list[tuple[str, str, bool]]
    any_option: str = "any"
    error: str = ""


class FilterChip(NamedTuple):
    """One filter in force, with the address without it."""

    text: str
    url: str


class NothingFits(NamedTuple):
    """The sentence of an empty list, and a button that shows more: its address and its words."""

    text: str
    url: str
    step: str
