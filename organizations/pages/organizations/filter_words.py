"""The filters of the list of organizations in words: selects, chips, and what to remove if nothing matches."""

from collections.abc import Mapping

from organizations.models import Environment
from organizations.pages.filter_controls import FilterChip, FilterSelect, NothingFits
from organizations.queries import record_filters
from organizations.queries.filters import most_restrictive
from organizations.queries.record_filters import CHOICES, RecordFilters
from organizations.services import search_index, search_text
from organizations.text.vocabulary import OPEN_WORK, STANDING

TOO_MANY_WORDS = f"Only the first {search_text.MOST_WORDS} words are searched for."
ONLY_FIRST_RECORDS = (
    f"These words are short or common, so only the first {search_index.MOST_SEARCHED:,} records by OID were searched."
    " Add a longer or rarer word to search all."
)
VIEWS = {record_filters.TREE: "Tree", record_filters.LIST: "List"}
LABELS = {
    "q": "Search",
    "standing": "Directory status",
    "open_work": "To do",
    "stands_for": "Kind of record",
    "state": "State",
    "contact": "Contact",
    "below": "Below",
    "saved_by": "Saved by",
    "hide_deactivated": "Hide deactivated",
}
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "standing": {key: word.word for key, word in STANDING.items()},
    "open_work": {key: word.word for key, word in OPEN_WORK.items()},
    "stands_for": {
        "location": "Physical location",
        "patient_index": "Patient index (MPI)",
        "not_said": "Not said",
    },
    "state": {code: code for code in CHOICES["state"]},
    "contact": {"none": "No contact", "no_email": "No e-mail address", "no_phone": "No phone"},
}
ALWAYS_SHOWN = ("standing", "open_work")
"""The selects that the page always shows; the others are behind "More filters"."""


def note(text: str, *, misses_records: bool) -> str:
    """Which part of a search is left out, as sentences; "" if none is."""
    too_many_words = TOO_MANY_WORDS if search_text.has_too_many_words(text) else ""
    return " ".join(filter(None, (too_many_words, ONLY_FIRST_RECORDS if misses_records else "")))


def selects(filters: RecordFilters) -> list[FilterSelect]:
    """A select for each filter that is a choice."""
    return [
        FilterSelect(name, LABELS[name], [(key, text, key == getattr(filters, name)) for key, text in options.items()])
        for name, options in OPTIONS.items()
    ]


def chips(environment: str, filters: RecordFilters) -> list[FilterChip]:
    return [
        FilterChip(chip_text(environment, filters, name), filters.without(name).address()) for name in filters.in_force
    ]


def chip_text(environment: str, filters: RecordFilters, name: str) -> str:
    """One filter in words: "Directory status: Active"."""
    value = getattr(filters, name)
    match name:
        case "hide_deactivated":
            return LABELS[name]
        case "below":
            value = record_filters.record_name(environment, value) or value
        case "saved_by":
            value = ", ".join(record_filters.names_of_people(value)) or value
        case "standing" | "open_work" | "stands_for" | "state" | "contact":
            value = OPTIONS[name][value]
    return f"{LABELS[name]}: {value}"


def nothing_fits(environment: Environment, filters: RecordFilters, address: str) -> NothingFits:
    """What to remove if nothing matches: the filter without which most records match. `address` is that of the list."""
    name, number = most_restrictive(filters, lambda fewer: record_filters.count_matching(environment, fewer))
    if not number:
        return NothingFits("No record matches all filters.", address + filters.cleared().address(), "Remove all")
    verb = "is" if number == 1 else "are"
    most = record_filters.most_counted(filters.without(name))
    how_many = f"{number:,}" if number <= most else f"more than {most:,}"
    text = f"No record matches all filters. Without '{chip_text(environment, filters, name)}' there {verb} {how_many}."
    return NothingFits(text, address + filters.without(name).address(), "Remove it")
