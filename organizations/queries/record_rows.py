"""Records with the columns that a row of a list prints, and a page of their ids."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import batched
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Max, OuterRef, QuerySet
from django.db.models.base import ModelState
from django.db.models.functions import Coalesce

from organizations.models import Contact, Environment, Organization, Presence
from organizations.models.organization import OrganizationQuerySet
from organizations.queries import matches
from organizations.queries.capped import CountUpTo, count_up_to

ROWS_A_PAGE = 50
MOST_CHILDREN = 1_000
"""How many children of one record a page counts: it shows dozens of records, and in a large directory each can have
thousands of children. If there are more, the page says so."""
COLUMNS = (
    "environment",
    "oid",
    "oid_key",
    "name",
    "part_of_oid",
    "stands_for",
    "changes",
    "differs",
    "confirmed_at",
    "confirmed_evidence",
    "staging_record_id",
    "standing",
    "open_work",
)
"""The columns that a row shows. The long texts with the accepted and the seen record are not read."""


def page_of(organizations: QuerySet[Organization], number: str | int, size: int = ROWS_A_PAGE) -> Page[int]:
    """A page of the ids of ordered records: the database reads ids from an index, however wide the rows are."""
    return Paginator(organizations.values_list("pk", flat=True), size).get_page(number)


def organizations_of(ids: Iterable[int], words: Sequence[str] = ()) -> list[Organization]:
    """These records in this order, with COLUMNS and `counterpart_standing`, the directory status of the counterpart.

    With words that a search found, also with the texts in which `match` looks for them.
    """
    ordered_ids = list(ids)
    columns = ("id", *COLUMNS, "aliases") if words else ("id", *COLUMNS)
    standing = Coalesce("staging_record__standing", "production_record__standing")
    rows = Organization.objects.filter(pk__in=ordered_ids).values_list(*columns, standing)
    names = (*columns, "counterpart_standing")
    by_id = {row[0]: _organization(names, row) for row in rows}
    matches.read_texts(by_id.values(), words)
    return [by_id[identity] for identity in ordered_ids if identity in by_id]


def _organization(names: Sequence[str], values: Sequence[Any]) -> Organization:
    """A stored record with these columns, as `only()` gives it; another column is read when it is used.

    `only()` takes three times as long, because it looks at each of the sixty columns of each row.
    """
    organization = Organization.__new__(Organization)
    organization._state = ModelState()
    organization._state.adding = False
    organization._state.db = DEFAULT_DB_ALIAS
    organization.__dict__.update(zip(names, values, strict=True))
    return organization


def count_in(environment: str) -> int:
    """How many records an environment has, as `count_up_to` counts."""
    return count_up_to(Organization.objects.in_environment(environment))


def counterparts(organizations: Collection[Organization]) -> dict[int, Organization]:
    """The counterparts of records of one environment, by the ids of these records; one query."""
    if not organizations:
        return {}
    records = Organization.objects.only(*COLUMNS)
    if next(iter(organizations)).environment == Environment.PRODUCTION:
        pairs = {each.pk: each.staging_record_id for each in organizations if each.staging_record_id}
        by_id = {record.pk: record for record in records.filter(pk__in=pairs.values())}
        return {identity: by_id[other] for identity, other in pairs.items() if other in by_id}
    of_staging = records.filter(staging_record__in=[each.pk for each in organizations])
    return {record.staging_record_id: record for record in of_staging if record.staging_record_id}


def deactivated_parents(organizations: Collection[Organization]) -> set[str]:
    """The OIDs of the parents of these records that are deactivated; one query. All are of one environment."""
    if not organizations:
        return set()
    parents = Organization.objects.in_environment(next(iter(organizations)).environment).filter(
        oid__in={organization.part_of_oid for organization in organizations}
    )
    # Compared in Python: with these conditions in the query the database would read all active records by an index.
    return {
        oid
        for oid, presence, active in parents.values_list("oid", "presence", "confirmed_active")
        if presence == Presence.PRESENT and active is False
    }


def children_counts(environment: str, oids: Iterable[str]) -> dict[str, int]:
    """How many children each of these records has, up to MOST_CHILDREN; without children it is missing. One query."""
    here = Organization.objects.in_environment(environment).order_by()
    children = CountUpTo(here.filter(part_of_oid=OuterRef("oid")), MOST_CHILDREN)
    rows = here.filter(oid__in=list(oids)).values_list("oid").annotate(children=children)
    return {oid: number for oid, number in rows if number}


def with_parts(organizations: OrganizationQuerySet, at_once: int) -> Iterator[Sequence[Organization]]:
    """Whole records with contacts and identifiers, in batches of `at_once`. Each batch is read when it is needed."""
    records = organizations.prefetch_related("contacts", "identifiers")
    yield from batched(records.iterator(chunk_size=at_once), at_once)


def most_contacts(organizations: OrganizationQuerySet) -> int:
    """The largest number of contacts that one of these records has."""
    contacts = Contact.objects.filter(organization__in=organizations.order_by().values("pk"))
    last = contacts.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1
