"""The records that match what somebody types into a field that names a record."""

from dataclasses import dataclass

from organizations.models import Environment
from organizations.pages import Page
from organizations.queries import choices
from organizations.queries.choices import Choice, Place

FIELDS = ("parent", "below", "replaced_by", "counterpart")
"""Fields that name a record: PartOf, a filter of the list, what replaces a closed location, a counterpart."""
_ALSO_DEACTIVATED = ("below", "counterpart")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionsPage(Page):
    """The choices for the field; for PartOf also the record that the text names, with its place in the tree."""

    template = "editing/suggestions.html"

    parents: list[Choice]
    with_place: bool
    parent_place: Place | None


def build(environment: Environment, field: str, typed: str) -> SuggestionsPage:
    """What matches `typed` in this field; `field` is "" if it is another one."""
    is_parent = field == "parent"
    called = choices.oid_named(environment, typed) if is_parent else ""
    return SuggestionsPage(
        parents=choices.parents(environment, typed, with_deactivated=field in _ALSO_DEACTIVATED),
        with_place=is_parent,
        parent_place=choices.place_of(environment, called) if is_parent else None,
    )
