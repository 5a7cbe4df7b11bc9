"""The filters of the list of organizations, read from any address, and the records that match."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.core.paginator import Page
from django.db.models import Exists, F, OuterRef, Q
from django.http import QueryDict

from organizations.models import Contact, Organization, RecordKind, User, tree
from organizations.models.organization import OrganizationQuerySet
from organizations.places import STATES
from organizations.queries.capped import MOST_COUNTED, MOST_FOUND, CappedPaginator, count_up_to
from organizations.queries.choices import oid_named
from organizations.queries.chosen_records import UNSENT
from organizations.queries.filters import Filters
from organizations.services import search_index, search_text

DIRECTORY_DIFFERS = "directory_differs"
TREE, LIST = "tree", "list"
SORTS = {"oid": "oid_key", "name": "name", "accepted": "confirmed_at"}
CHOICES: Mapping[str, Collection[str]] = {
    "standing": ("not_registered", "active", "deactivated", "stated", "seen", "unknown"),
    "open_work": (
        "needs_person",
        "unknown",
        "rejected",
        DIRECTORY_DIFFERS,
        "sending",
        "queued",
        "awaiting",
        UNSENT,
    ),
    "stands_for": ("location", "patient_index", "not_said"),
    "state": tuple(STATES),
    "contact": ("none", "no_email", "no_phone"),
}
"""The values that can be chosen, by filter."""
_IDS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9}){0,499}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilters(Filters):
    """`sort` orders the list, not the tree; with a minus in front the order is descending.

    `saved_by` holds ids of people with commas between them: records that one of them saved last. 0 means nobody.
    """

    NARROWING: ClassVar = (
        "q",
        "standing",
        "open_work",
        "stands_for",
        "state",
        "contact",
        "below",
        "saved_by",
        "hide_deactivated",
    )
    FLAGS: ClassVar = {"hide_deactivated": "1"}

    q: str = ""
    standing: str = ""
    open_work: str = ""
    stands_for: str = ""
    state: str = ""
    contact: str = ""
    below: str = ""
    saved_by: str = ""
    hide_deactivated: bool = False
    view: str = TREE
    sort: str = "oid"

    @property
    def words(self) -> tuple[str, ...]:
        """The words to search for; a record must contain each of them."""
        return search_text.query_words(self.q)

    def order(self) -> tuple[Any, ...]:
        """The columns of the list's order. Records that were never accepted come last in either direction."""
        column = F(SORTS[self.sort.removeprefix("-")])
        is_descending = self.sort.startswith("-")
        return column.desc(nulls_last=True) if is_descending else column.asc(nulls_last=True), "oid_key"


def read(params: QueryDict, environment: str) -> RecordFilters:
    """The filters that an address sets. A choice that does not exist narrows nothing."""
    values = {name: params.get(name, "") for name in CHOICES}
    choices = {name: value for name, value in values.items() if value in CHOICES[name]}
    view, sort = params.get("view", ""), params.get("sort", "")
    saved_by = params.get("saved_by", "")
    return RecordFilters(
        q=search_text.clean_query(params.get("q", "")),
        below=_below(params.get("below", ""), environment),
        saved_by=saved_by if _IDS.fullmatch(saved_by) else "",
        view=view if view in (TREE, LIST) else TREE,
        sort=sort if sort.removeprefix("-") in SORTS else "oid",
        hide_deactivated=RecordFilters.flag_in(params, "hide_deactivated"),
        **choices,
    )


def matching(environment: str, filters: RecordFilters) -> OrganizationQuerySet:
    """The records that match. If no record has the OID in `below`, nothing matches."""
    return _narrowed(search_index.matching_records(environment, filters.q), environment, filters)


def _narrowed(records: OrganizationQuerySet, environment: str, filters: RecordFilters) -> OrganizationQuerySet:
    """Those of the records that match all filters but the words."""
    if filters.below:
        branch = tree.branch_of(environment, filters.below).exclude(oid=filters.below)
        records = records.filter(pk__in=branch.values("pk"))
    if filters.saved_by:
        people = filters.saved_by.split(",")
        records = records.filter(Q(edited_by__in=people) | (Q(edited_by=None) if "0" in people else Q()))
    if filters.hide_deactivated:
        records = records.exclude(standing="deactivated")
    if filters.standing:
        records = records.filter(standing=filters.standing)
    if filters.open_work:
        records = records.to_do(filters.open_work)
    if filters.state:
        records = records.filter(state=filters.state)
    if filters.stands_for:
        is_unsaid = filters.stands_for == "not_said"
        records = records.filter(stands_for=RecordKind.NOT_SAID if is_unsaid else filters.stands_for)
    if filters.contact:
        records = records.filter(_contact(filters.contact))
    return records


def in_order(environment: str, filters: RecordFilters) -> OrganizationQuerySet:
    """The records that match, in the order of the list."""
    return matching(environment, filters).order_by(*filters.order())


def page_of(environment: str, filters: RecordFilters, number: str, size: int) -> Page[int]:
    """A page of the ids of the records that match; a tree is always in the order of OIDs.

    The database reads ids from an index, however wide the rows are.
    """
    order = filters.order() if filters.view == LIST else ("oid_key",)
    search = search_index.search_records(environment, filters.q)
    ids = _narrowed(search.records, environment, filters).order_by(*order).values_list("pk", flat=True)
    most = most_counted(filters)
    # A search compares every record with the words. It runs once here; a count would run it a second time.
    found = list(ids[: most + 1]) if filters.words else ids
    return CappedPaginator(found, size, most=most, of_part=search.is_partial).get_page(number)


def most_counted(filters: RecordFilters) -> int:
    """How many of the records that match are counted, and shown on pages."""
    return MOST_FOUND if filters.words else MOST_COUNTED


def count_matching(environment: str, filters: RecordFilters) -> int:
    """How many records match among those that a page searches, as `count_up_to` counts. An export searches all."""
    searched = search_index.search_records(environment, filters.q).records
    return count_up_to(_narrowed(searched, environment, filters), most_counted(filters))


def count_unsent(environment: str, filters: RecordFilters, most: int) -> int:
    """How many of the records that match have unsent changes, as `count_up_to` counts.

    0 for a search, which would read every record again.
    """
    if filters.q:
        return 0
    return count_up_to(matching(environment, replace(filters, open_work=UNSENT)), most)


def record_name(environment: str, oid: str) -> str:
    """The name of the record with this OID; "" if there is none."""
    record = Organization.objects.in_environment(environment).only("name").with_oid(oid)
    return record.name if record else ""


def names_of_people(saved_by: str) -> list[str]:
    """The names of the people in `RecordFilters.saved_by`."""
    people = User.objects.filter(pk__in=saved_by.split(",")).order_by("username")
    return [person.display_name for person in people]


def _below(text: str, environment: str) -> str:
    """The OID of the record that an address names: links name it by its OID, people type its name."""
    return search_text.oid_in(text) or oid_named(environment, text) or search_text.clean_query(text)


def _contact(key: str) -> Q:
    contacts = Contact.objects.filter(organization=OuterRef("pk"))
    if key == "no_email":
        contacts = contacts.exclude(email_addresses=[])
    if key == "no_phone":
        contacts = contacts.exclude(work_phone="", mobile_phone="", home_phone="")
    return Q(~Exists(contacts))
