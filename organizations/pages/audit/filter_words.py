"""The filters of the history in words: selects, chips, problems, and what to remove if nothing matches."""

from collections.abc import Iterator, Mapping

from organizations.models import Environment
from organizations.pages.filter_controls import FilterChip, FilterSelect, NothingFits
from organizations.queries import audit_filters, history
from organizations.queries.audit_filters import AuditFilters, FilterProblem
from organizations.queries.filters import most_restrictive
from organizations.services import search_text
from organizations.services.actors import name_with_username
from organizations.text.vocabulary import ATTEMPT, MONTHS

LABELS: Mapping[str, str] = {
    "record": "Record",
    "submission": "Submission",
    "who": "Person",
    "what": "What",
    "environment": "Environment",
    "outcome": "Outcome",
    "since": "From",
    "until": "To",
}
ANY_OPTION: Mapping[str, str] = {"who": "Anybody", "what": "Anything", "outcome": "Any", "environment": "Both"}
"""The words of each select for no choice, in the order of the form."""
GROUPS: Mapping[str, str] = {
    "edits": "Edits",
    "submissions": "Submissions",
    "answers": "Attempts and answers",
    "directory": "What the directory shows",
    "connection": "Connection",
    "people": "People",
    "refused": "Refused",
    "exports": "Exports",
}
"""The choices of "what"."""
_PROBLEMS: Mapping[str, str] = {
    "choice": "This is not one of the choices.",
    "date": "'{typed}' is not a date. Give year, month and day, for example 2027-03-31.",
    "order": "The last day is before the first.",
    "submission": "'{typed}' is not the number of a submission.",
    "words": f"Enter at most {search_text.MOST_WORDS} words.",
}
LONGEST_QUOTE = 20


def problem_text(problem: FilterProblem) -> str:
    return _PROBLEMS[problem.kind].format(typed=problem.typed[:LONGEST_QUOTE])


def selects(filters: AuditFilters, errors: Mapping[str, str]) -> list[FilterSelect]:
    return [
        FilterSelect(
            name,
            LABELS[name],
            [(value, text, value == getattr(filters, name)) for value, text in _options(name)],
            any_option,
            errors.get(name, ""),
        )
        for name, any_option in ANY_OPTION.items()
    ]


def chips(filters: AuditFilters) -> list[FilterChip]:
    return [FilterChip(chip_text(filters, name), filters.without(name).address()) for name in filters.in_force]


def chip_text(filters: AuditFilters, name: str) -> str:
    """One filter in words: "Person: Editor One"."""
    value = getattr(filters, name)
    if name in ("since", "until"):
        return f"{LABELS[name]}: {MONTHS[value.month - 1]} {value.day}, {value.year}"
    if name == "submission":
        return f"{LABELS[name]} {value}"
    limit = audit_filters.MOST_SEARCHED
    if name == "record" and history.last_sequence() > limit and filters.is_searched_in_part:
        part = f"only in the newest {limit:,} entries; add a longer or rarer word to search all"
        return f"{LABELS[name]}: {value} ({part})"
    return f"{LABELS[name]}: {dict(_options(name)).get(value, value)}"


def _options(name: str) -> Iterator[tuple[str, str]]:
    """The choices of one filter as (value, words)."""
    match name:
        case "who":
            for person in audit_filters.people():
                yield str(person.pk), name_with_username(person.display_name, person.get_username())
            yield audit_filters.PORTAL, "The portal itself"
        case "what":
            yield from GROUPS.items()
        case "environment":
            yield from ((environment.value, environment.label) for environment in Environment)
        case "outcome":
            yield from ((word.key, word.word) for word in ATTEMPT.values())


def nothing_fits(filters: AuditFilters, most: int) -> NothingFits:
    """What to remove if nothing matches: the filter without which most entries match. Counting stops at `most` + 1."""
    name, number = most_restrictive(filters, lambda fewer: history.count_up_to(fewer, most + 1))
    if not number:
        return NothingFits("No entry matches.", filters.cleared().address(), "Remove all")
    how_many = f"more than {most:,}" if number > most else f"{number:,}"
    verb = "is" if number == 1 else "are"
    text = f"No entry matches. Without '{chip_text(filters, name)}' there {verb} {how_many}."
    return NothingFits(text, filters.without(name).address(), "Remove it")
