"""Decides whether an organization in the directory is ours. Pure: it compares OIDs.

Other companies register below the same gateway, and ManagingOrg is the same for all customers of Redox. So neither
shows to whom an organization belongs, and this module reads neither.
"""

import re
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from organizations.oid import MAX_LENGTH

_ARCS = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+", re.ASCII)


class Ownership(StrEnum):
    """Whether an organization is ours, and why."""

    BELOW_BASE = "below_base"
    PART_OF_OURS = "part_of_ours"
    NOT_OURS = "not_ours"

    @property
    def is_ours(self) -> bool:
        return self is not Ownership.NOT_OURS


def ownership_of(
    oid: str,
    part_of_oid: str,
    *,
    base_oids: Collection[str],
    our_oids: Container[str],
    gateway_oids: Collection[str],
    parents: Mapping[str, str],
    foreign_oids: Container[str] = frozenset(),
) -> Ownership:
    """Whether the organization with this OID and this PartOf is ours.

    It is ours if its OID is one of `base_oids` or below one, or if it is, or is part of, a record of ours (`our_oids`)
    at any depth. `parents` has the PartOf of the other known organizations, by OID; the search for a parent of ours
    ends at an organization that is not known.

    The gateways are not ours, nor are `foreign_oids`, which people decided to be somebody else's. Being part of one of
    these makes nothing ours. A base OID with a gateway below it is ignored: everybody's organizations are below it.
    """
    bases = usable_base_oids(base_oids, gateway_oids)
    if oid in gateway_oids or oid in foreign_oids:
        return Ownership.NOT_OURS
    if _is_below(oid, bases):
        return Ownership.BELOW_BASE
    ancestor, visited = oid if oid in our_oids else part_of_oid, {""}
    while ancestor not in visited and ancestor not in gateway_oids and ancestor not in foreign_oids:
        if ancestor in our_oids or _is_below(ancestor, bases):
            return Ownership.PART_OF_OURS
        visited.add(ancestor)
        ancestor = parents.get(ancestor, "")
    return Ownership.NOT_OURS


@dataclass(frozen=True, slots=True)
class OwnershipFacts:
    """The facts that decide whether an organization is ours. `here`: the OIDs of records of the portal."""

    base_oids: Collection[str]
    gateway_oids: Collection[str]
    our_oids: Container[str]
    foreign_oids: Container[str]
    here: Container[str]
    parents: Mapping[str, str]

    def our_oid(self, oids: Iterable[str], part_of_oid: str) -> str:
        """The OID under which an organization is ours; "" if it is not ours under any of its OIDs.

        If it is ours under several, the OID of a record here comes first, then one below a base OID, then one below its
        PartOf, then the last one. So the order of its other OIDs does not matter.
        """
        ranks = {oid: self._rank(oid, part_of_oid) for oid in oids}
        ours = [oid for oid in reversed(ranks) if ranks[oid]]
        return max(ours, key=ranks.__getitem__, default="")

    def owner_of(self, oid: str, part_of_oid: str) -> Ownership:
        """Whether the organization is ours by this OID."""
        return ownership_of(
            oid,
            part_of_oid,
            base_oids=self.base_oids,
            our_oids=self.our_oids,
            gateway_oids=self.gateway_oids,
            parents=self.parents,
            foreign_oids=self.foreign_oids,
        )

    def _rank(self, oid: str, part_of_oid: str) -> int:
        """How certain it is that the organization is ours by this OID; 0 if it is not ours."""
        if oid in self.here and oid not in self.foreign_oids:
            return 4
        owner = self.owner_of(oid, part_of_oid)
        if owner is Ownership.BELOW_BASE:
            return 3
        if not owner.is_ours:
            return 0
        return 2 if oid.startswith(f"{part_of_oid}.") else 1


def usable_base_oids(base_oids: Collection[str], gateway_oids: Collection[str]) -> list[str]:
    """The base OIDs without those that have a gateway below them."""
    return [base for base in base_oids if not any(_is_below(gateway, [base]) for gateway in gateway_oids)]


def _is_below(oid: str, bases: Collection[str]) -> bool:
    """Whether the OID is one of `bases` or below one; False for a text that is not an OID."""
    return any(oid == base or (oid.startswith(f"{base}.") and _is_oid(oid)) for base in bases)


def _is_oid(text: str) -> bool:
    # Not `Oid(text)`: that takes fifty times as long, and a page checks a thousand OIDs.
    return len(text) <= MAX_LENGTH and _ARCS.fullmatch(text) is not None
