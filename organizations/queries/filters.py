"""What the list of organizations is narrowed to. All of it stands in the address, and any address can be read."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.lookups import Exact
from django.http import QueryDict

from organizations.models import Contact, Organization, StandsFor, User, tree
from organizations.models.organization import OrganizationQuerySet, standing_rule
from organizations.places import STATES
from organizations.queries.choices import record_called
from organizations.services import search_text
from organizations.text.vocabulary import OPEN_WORK, STANDING

_IDS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9}){0,499}")
FIRST_WORDS = f"Only the first {search_text.MOST_WORDS} words are searched for."

VIEWS = {"tree": "Tree", "list": "List"}
SORTS = {"oid": "oid_key", "name": "name", "accepted": "confirmed_at"}

STANDS_FOR = {
    "location": "Physical location",
    "patient_index": "Patient index (MPI)",
    "not_said": "Not said",
}
CONTACT = {"none": "No contact", "no_email": "No e-mail address", "no_phone": "No phone"}

CHOICES: Mapping[str, Mapping[str, str]] = {
    "standing": {key: word.word for key, word in STANDING.items()},
    "open_work": {key: word.word for key, word in OPEN_WORK.items()},
    "stands_for": STANDS_FOR,
    "state": {code: code for code in STATES},
    "contact": CONTACT,
}
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
SEEN = ("standing", "open_work")
"""The selects that the page always shows; the others are behind "More filters"."""


class Choice(NamedTuple):
    """One select of the filter form: name, title, (value, words, is it set)."""

    name: str
    title: str
    options: list[tuple[str, str, bool]]


class Chip(NamedTuple):
    """One filter in force, and the address without it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Empty texts narrow nothing. `sort` with a minus before it is descending; it orders the list, not the tree.

    `saved_by` holds the ids of people, with commas between them: the records that one of them saved last. 0 is nobody.
    """

    q: str = ""
    standing: str = ""
    open_work: str = ""
    stands_for: str = ""
    state: str = ""
    contact: str = ""
    below: str = ""
    saved_by: str = ""
    hide_deactivated: bool = False
    view: str = "tree"
    sort: str = "oid"

    @property
    def in_force(self) -> tuple[str, ...]:
        """The names of those that narrow the list."""
        return tuple(name for name in LABELS if getattr(self, name))

    @property
    def words(self) -> tuple[str, ...]:
        """What is searched for; each word must be found."""
        return search_text.query_words(self.q)

    @property
    def note(self) -> str:
        """What of the words is not searched for, as a sentence."""
        return FIRST_WORDS if search_text.has_too_many_words(self.q) else ""

    def without(self, name: str) -> "Filters":
        changes: dict[str, Any] = {name: _nothing()[name]}
        return replace(self, **changes)

    def address(self, **changes: Any) -> str:
        """The query of the address that says the same, with these changes; "?" where nothing is to be said."""
        values, nothing = asdict(replace(self, **changes)), _nothing()
        said = {name: value for name, value in values.items() if value != nothing[name]}
        if "hide_deactivated" in said:
            said["hide_deactivated"] = "1"
        return f"?{urlencode(said)}"

    def choices(self) -> list[Choice]:
        """The selects of the filter form."""
        chosen = asdict(self)
        return [
            Choice(name, LABELS[name], [(key, text, key == chosen[name]) for key, text in options.items()])
            for name, options in CHOICES.items()
        ]

    def order(self) -> tuple[Any, ...]:
        """The columns of the list's order. A record that was never accepted comes last either way."""
        column = F(SORTS[self.sort.removeprefix("-")])
        return (
            column.desc(nulls_last=True) if self.sort.startswith("-") else column.asc(nulls_last=True),
            "oid_key",
        )


def _nothing() -> dict[str, Any]:
    return asdict(Filters())


def read(params: QueryDict, environment: str) -> Filters:
    """The filters that an address names. A choice that does not exist narrows nothing; below no record lies nothing."""
    chosen = {name: params.get(name, "") for name in CHOICES}
    known = {name: value for name, value in chosen.items() if value in CHOICES[name]}
    view, sort = params.get("view", ""), params.get("sort", "")
    return Filters(
        q=search_text.clean_query(params.get("q", "")),
        below=_below(params.get("below", ""), environment),
        saved_by=_numbers(params.get("saved_by", "")),
        hide_deactivated=params.get("hide_deactivated") == "1",
        view=view if view in VIEWS else "tree",
        sort=sort if sort.removeprefix("-") in SORTS else "oid",
        **known,
    )


def narrowed(environment: str, filters: Filters) -> OrganizationQuerySet:
    """The records that fit. The words are worked out only where they narrow: they join the last submission."""
    found = Organization.objects.in_environment(environment)
    if filters.below:
        found = found.filter(pk__in=tree.branch_of(environment, filters.below).exclude(oid=filters.below).values("pk"))
    if filters.saved_by:
        people = filters.saved_by.split(",")
        found = found.filter(Q(edited_by__in=people) | (Q(edited_by=None) if "0" in people else Q()))
    if filters.hide_deactivated:
        found = found.exclude(Exact(standing_rule(), "deactivated"))
    if filters.standing:
        found = found.filter(Exact(standing_rule(), filters.standing))
    if filters.open_work:
        found = found.to_do(filters.open_work)
    if filters.state:
        found = found.filter(state=filters.state)
    if filters.stands_for:
        not_said = filters.stands_for == "not_said"
        found = found.filter(stands_for=StandsFor.NOT_SAID if not_said else filters.stands_for)
    if filters.contact:
        found = found.filter(_contact(filters.contact))
    return found.filter(search_text.matching_rows(filters.q))


def chips(environment: str, filters: Filters) -> list[Chip]:
    """The filters in force, each with the address without it."""
    return [Chip(chip_text(environment, filters, name), filters.without(name).address()) for name in filters.in_force]


def chip_text(environment: str, filters: Filters, name: str) -> str:
    """One filter in words: "Directory status: Active"."""
    value = getattr(filters, name)
    if name == "hide_deactivated":
        return LABELS[name]
    if name == "below":
        record = Organization.objects.in_environment(environment).filter(oid=value).only("name").first()
        value = record.name if record else value
    if name == "saved_by":
        people = User.objects.filter(pk__in=value.split(",")).order_by("username")
        value = ", ".join(person.display_name for person in people) or value
    return f"{LABELS[name]}: {CHOICES[name][value] if name in CHOICES else value}"


def worst(environment: str, filters: Filters) -> tuple[str, int]:
    """Where nothing fits: the filter without which most fits, and how many that are."""
    left = {name: narrowed(environment, filters.without(name)).count() for name in filters.in_force}
    name = max(left, key=lambda each: left[each])
    return name, left[name]


def _below(text: str, environment: str) -> str:
    """The OID of the record that an address names by its OID or, as people type, by its name."""
    return search_text.oid_in(text) or record_called(environment, text) or search_text.clean_query(text)


def _numbers(text: str) -> str:
    """The ids of people that an address names; "" if it is not a list of them."""
    return text if _IDS.fullmatch(text) else ""


def _contact(key: str) -> Q:
    contacts = Contact.objects.filter(organization=OuterRef("pk"))
    if key == "no_email":
        contacts = contacts.exclude(email_addresses=[])
    if key == "no_phone":
        contacts = contacts.exclude(work_phone="", mobile_phone="", home_phone="")
    return Q(~Exists(contacts))
