"""The records that match what somebody types into a field that names a record."""

from dataclasses import dataclass

from organizations.models import Environment
from organizations.pages import Page
from organizations.queries import choices
from organizations.queries.choices import Choice, Place
from organizations.services.search_index import MOST_SEARCHED

FIELDS = ("parent", "below", "replaced_by", "counterpart")
"""Fields that name a record: PartOf, a filter of the list, what replaces a closed location, a counterpart."""
_ALSO_DEACTIVATED = ("below", "counterpart")
ONLY_FIRST_RECORDS = f"Only the first {MOST_SEARCHED:,} records by OID were searched. Type more to search all."


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionsPage(Page):
    """The choices for the field; for PartOf also the record that the text names, with its place in the tree.

    `note` says that not all records were searched.
    """

    template = "editing/suggestions.html"

    parents: list[Choice]
    note: str
    with_place: bool
    parent_place: Place | None


def build(environment: Environment, field: str, typed: str) -> SuggestionsPage:
    """What matches `typed` in this field; `field` is "" if it is another one."""
    is_parent = field == "parent"
    called = choices.oid_named(environment, typed) if is_parent else ""
    suggestions = choices.parents(environment, typed, with_deactivated=field in _ALSO_DEACTIVATED)
    return SuggestionsPage(
        parents=suggestions.choices,
        note=ONLY_FIRST_RECORDS if suggestions.misses_records else "",
        with_place=is_parent,
        parent_place=choices.place_of(environment, called) if is_parent else None,
    )
