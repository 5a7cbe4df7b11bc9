"""What the form of a record can offer: parents found by name or OID, destination IDs in use, states."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from django.db.models import Count, Min
from django.urls import reverse

from organizations.folding import fold
from organizations.models import Environment, Organization, Presence, tree
from organizations.models.organization import OrganizationQuerySet
from organizations.services import search_text

MOST_PARENTS = 20
MOST_DESTINATIONS = 10
_BELOW = ", below "


class Choice(NamedTuple):
    """A value to take over, and what it is."""

    value: str
    label: str


class Place(NamedTuple):
    """A record with the names from the top of the tree down to it."""

    name: str
    path: str
    oid: str
    is_deactivated: bool


def suggesting(environment: str) -> dict[str, str]:
    """What a field in which a record is named needs to offer what fits, in the list `parents` beside it."""
    return {
        "data-hx-get": reverse("suggestions", args=[environment]),
        "data-hx-trigger": "input changed delay:250ms",
        "data-hx-target": "#parents",
    }


def parents(environment: str, typed: str, *, with_deactivated: bool = False) -> list[Choice]:
    """Records of ours that fit what was typed, by name or OID; each with the record above it. Two queries.

    No record can become part of a deactivated one: those are offered only where one looks for a record.
    """
    found = Organization.objects.in_environment(environment).filter(
        search_text.matching_rows(search_text.clean_query(typed))
    )
    if not with_deactivated:
        found = found.exclude(presence=Presence.PRESENT, confirmed_active=False)
    rows = list(found.order_by("oid_key").values_list("oid", "name", "part_of_oid")[:MOST_PARENTS])
    above = dict(
        Organization.objects.in_environment(environment)
        .filter(oid__in={part_of for _, _, part_of in rows})
        .values_list("oid", "name")
    )
    return [Choice(oid, f"{name}{_BELOW}{above[part_of]}" if part_of in above else name) for oid, name, part_of in rows]


def place_of(environment: str, oid: str) -> Place | None:
    """The record with this OID and where it is; None if it is not in this portal."""
    found = Organization.objects.in_environment(environment).filter(oid=oid).first()
    if found is None:
        return None
    path = " › ".join(each.name for each in [*tree.path_of(found), found])
    is_deactivated = found.presence == Presence.PRESENT and found.confirmed_active is False
    return Place(found.name, path, found.oid, is_deactivated)


def record_called(environment: str, typed: str) -> str:
    """The OID of the one record with this OID, name or label in the list of parents; "" for none or several.

    Of records whose names are the same but for accents, capitals and the like, one whose name is just this wins.
    """
    ours = Organization.objects.in_environment(environment)
    oid, name = search_text.oid_in(typed), " ".join(typed.replace("\x00", " ").split())
    if oid and ours.filter(oid=oid).exists():
        return oid
    if not fold(name):
        return ""
    exact = list(ours.filter(name=name).values_list("oid", flat=True)[:2])
    if len(exact) == 1:
        return exact[0]
    alike = list(islice(_called_alike(ours, name), 2)) or list(islice(_labelled(ours, name), 2))
    return alike[0] if len(alike) == 1 else ""


def _called_alike(ours: OrganizationQuerySet, name: str) -> Iterator[str]:
    wanted = fold(name)
    if wanted:
        begins = ours.filter(search_text__startswith=wanted).values_list("oid", "name")
        yield from (oid for oid, other in begins.iterator() if fold(other) == wanted)


def _labelled(ours: OrganizationQuerySet, label: str) -> Iterator[str]:
    """The records that the list of parents shows so: by their name and that of the record above."""
    name, _, above = label.rpartition(_BELOW)
    parents_alike = set(_called_alike(ours, above))
    found = ours.filter(oid__in=list(_called_alike(ours, name))).values_list("oid", "part_of_oid")
    yield from (oid for oid, part_of in found if part_of in parents_alike)


def other_environments(environment: Environment, typed: str) -> str:
    """Which record of the other environment was named by its OID or name, as a sentence; "" if none was."""
    oid = record_called(environment.other, typed)
    found = Organization.objects.in_environment(environment.other).filter(oid=oid).only("name").first() if oid else None
    return f"{oid} is {found.name} in {environment.other.label}." if found else ""


def destinations(environment: str, parent_oid: str) -> list[Choice]:
    """Destination IDs in use in this environment: that of the parent first, then the most used."""
    used = (
        Organization.objects.in_environment(environment)
        .filter(destination_id__gt="")  # not empty, as a range of the index
        .values("destination_id")
        .annotate(records=Count("*"), first=Min("name"))
        .order_by("-records", "destination_id")
    )
    found = {each["destination_id"]: each for each in used[:MOST_DESTINATIONS]}
    of_parent = _of_parent(environment, parent_oid)
    choices = [Choice(value, _used_by(each["first"], each["records"])) for value, each in found.items()]
    if of_parent is None:
        return choices
    others = [choice for choice in choices if choice.value != of_parent.value]
    return [of_parent, *others][:MOST_DESTINATIONS]


def _of_parent(environment: str, parent_oid: str) -> Choice | None:
    parent = Organization.objects.in_environment(environment).filter(oid=parent_oid).exclude(destination_id="").first()
    return Choice(parent.destination_id, f"Used by {parent.name}, which this is part of") if parent else None


def _used_by(name: str, records: int) -> str:
    return f"Used by {name}" if records == 1 else f"Used by {name} and {records - 1:,} more"
