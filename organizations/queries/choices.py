"""Values that a form can offer: records that match a typed text, and destination IDs in use."""

from typing import NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from organizations.folding import fold
from organizations.models import Organization, Presence, tree
from organizations.models.destinations import destinations_in_use
from organizations.services import search_index, search_text

MOST_PARENTS = 20
MOST_DESTINATIONS = 10
MOST_COMPARED, MOST_USES = 50, 1_000
LONGEST_LABEL = 1000
"""Characters. A longer text is not the name of a record: names have up to 200, and invisible ones do not count."""
_BELOW = ", below "


class Choice(NamedTuple):
    """A value to fill in, and its meaning for people."""

    value: str
    label: str


class Place(NamedTuple):
    """A record, with the names from the top of the tree down to it."""

    name: str
    path: str
    oid: str
    is_deactivated: bool


class Destination(NamedTuple):
    """A destination ID that `records` records use, MOST_USES + 1 for more; `name` is that of the first of them."""

    value: str
    name: str
    records: int


class Suggestions(NamedTuple):
    """Records to choose from. `misses_records`: there may be more, because not all records were searched."""

    choices: list[Choice]
    misses_records: bool


def parents(environment: str, typed: str, *, with_deactivated: bool = False) -> Suggestions:
    """Records that match the text by name or OID, each labelled with its name and its parent's.

    A deactivated record cannot be a parent: `with_deactivated` is for fields that only look for a record.
    """
    records, is_partial = search_index.search_records(environment, search_text.clean_query(typed))
    if not with_deactivated:
        records = records.exclude(presence=Presence.PRESENT, confirmed_active=False)
    rows = list(records.order_by("oid_key").values_list("oid", "name", "part_of_oid")[:MOST_PARENTS])
    parent_names = dict(
        Organization.objects.in_environment(environment)
        .filter(oid__in={part_of for _, _, part_of in rows})
        .values_list("oid", "name")
    )
    choices = [
        Choice(oid, f"{name}{_BELOW}{parent_names[part_of]}" if part_of in parent_names else name)
        for oid, name, part_of in rows
    ]
    return Suggestions(choices, is_partial and len(choices) < MOST_PARENTS)


def place_of(environment: str, oid: str) -> Place | None:
    """The record with this OID and its place in the tree; None if the portal has none."""
    record = Organization.objects.in_environment(environment).only(*tree.ANCESTOR_COLUMNS).with_oid(oid)
    if record is None:
        return None
    path = " › ".join(each.name for each in [*tree.path_of(record), record])
    return Place(record.name, path, record.oid, record.is_deactivated)


def oid_named(environment: str, typed: str) -> str:
    """The OID of the one record that a text names by its OID, its name, or its label in `parents`; "" for none or many.

    Case, accents and the like do not count. If several records have the name, an exact name takes precedence.
    """
    records = Organization.objects.in_environment(environment)
    oid, name = search_text.oid_in(typed), " ".join(typed.replace("\x00", " ").split())
    if oid and records.filter(oid=oid).exists():
        return oid
    if not fold(name) or len(name) > LONGEST_LABEL:
        return ""
    exact = list(records.filter(name=name).values_list("oid", flat=True)[:2])
    if len(exact) == 1:
        return exact[0]
    oids = records.named(name).values_list("oid", flat=True)
    similar = list(oids[:2]) or list(_with_label(environment, name)[:2])
    return similar[0] if len(similar) == 1 else ""


def record_named(environment: str, typed: str) -> Organization | None:
    """The record with the OID from `oid_named`, with its OID and name; None if there is none."""
    oid = oid_named(environment, typed)
    return Organization.objects.in_environment(environment).only("oid", "name").with_oid(oid) if oid else None


def _with_label(environment: str, label: str) -> QuerySet[Organization, str]:
    """The OIDs of the records with this label in `parents`: their name and that of their parent."""
    name, _, above = label.rpartition(_BELOW)
    records = Organization.objects.in_environment(environment)
    parents_named = records.named(above).filter(oid=OuterRef("part_of_oid"))
    return records.named(name).filter(Exists(parents_named)).values_list("oid", flat=True)


def destinations(environment: str) -> list[Destination]:
    """The destination IDs that most records of an environment use, the most used first.

    Compares the first MOST_COMPARED destination IDs, and counts up to MOST_USES records of each.
    """
    in_use = [Destination(*row) for row in destinations_in_use(environment, MOST_COMPARED, MOST_USES)]
    return sorted(in_use, key=lambda each: (-each.records, each.value))[:MOST_DESTINATIONS]


def record_with_destination(environment: str, oid: str) -> Organization | None:
    """The record with this OID if it has a destination ID."""
    records = Organization.objects.in_environment(environment).exclude(destination_id="")
    return records.only("name", "destination_id").with_oid(oid)
