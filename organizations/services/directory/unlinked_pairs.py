"""Pairs of a record that a take-over added and a record of the other environment, neither with a counterpart yet."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from organizations.models import CandidateState, Environment, Identifier, Organization, TakeOver
from organizations.models.organization import OrganizationQuerySet
from organizations.services.records import prepare
from organizations.services.records.by_oid import batches

type _Matches = Iterable[tuple[tuple[int, int], str]]
"""Pairs of an added record and another one, by their ids, and what both have."""


class UnlinkedPair(NamedTuple):
    """The ids of the added record and of the other one. `shared`: what both have, as texts for people."""

    added: int
    other: int
    shared: tuple[str, ...]


def unlinked_pairs(take_over: TakeOver) -> list[UnlinkedPair]:
    """The pairs that have the same OID or own identifier, in the order of the OIDs of the added records.

    The OIDs may differ in the base OID of their environments. That proves nothing: a person must compare both. A record
    that several records match is left out.
    """
    environment = Environment(take_over.environment)
    taken = take_over.candidates.filter(state=CandidateState.TAKEN)
    added = _unlinked(environment).filter(pk__in=taken.values("organization"))
    others = _unlinked(environment.other)
    if not added.exists():
        return []
    shared: dict[tuple[int, int], list[str]] = {}
    with_other_base = _with_other_base(added, others, is_staging=environment == Environment.STAGING)
    for pair, text in chain(_with_same_oid(added, others), with_other_base, _with_same_identifier(added, others)):
        shared.setdefault(pair, []).append(text)
    counts = Counter(pk for pair in shared for pk in pair)
    ordered = added.order_by("oid_key").values_list("pk", flat=True)
    certain = {pair[0]: pair for pair in shared if counts[pair[0]] == counts[pair[1]] == 1}
    pairs = (certain[pk] for pk in ordered if pk in certain)
    return [UnlinkedPair(*pair, tuple(dict.fromkeys(shared[pair]))) for pair in pairs]


def records_of(pairs: Iterable[UnlinkedPair]) -> dict[int, Organization]:
    """Both records of each pair by id, with their contacts and identifiers."""
    ids = [pk for pair in pairs for pk in (pair.added, pair.other)]
    return Organization.objects.prefetch_related("contacts", "identifiers").in_bulk(ids)


def _unlinked(environment: Environment) -> OrganizationQuerySet:
    """The records of an environment without a counterpart, except those whose OID belongs to another organization."""
    records = Organization.objects.in_environment(environment).filter(foreign_since=None)
    if environment == Environment.PRODUCTION:
        return records.filter(staging_record=None)
    return records.filter(production_record=None)


def _with_same_oid(added: OrganizationQuerySet, others: OrganizationQuerySet) -> _Matches:
    ids = dict(added.values_list("oid", "pk"))
    for oid, pk in others.filter(oid__in=added.values("oid")).values_list("oid", "pk"):
        yield (ids[oid], pk), "the same OID"


def _with_other_base(added: OrganizationQuerySet, others: OrganizationQuerySet, *, is_staging: bool) -> _Matches:
    """`is_staging`: the added records are those of STAGING."""
    staging, production = (added, others) if is_staging else (others, added)
    proposals = {prepare.proposed_oid(oid): pk for oid, pk in staging.values_list("oid", "pk")}
    for some in batches(filter(None, proposals)):
        for oid, pk in production.filter(oid__in=some).values_list("oid", "pk"):
            yield ((proposals[oid], pk) if is_staging else (pk, proposals[oid])), "the OID below the base OID"


def _with_same_identifier(added: OrganizationQuerySet, others: OrganizationQuerySet) -> _Matches:
    own = Identifier.objects.filter(organization__in=added)
    elsewhere = Identifier.objects.filter(organization__in=others, value__in=own.values("value"))
    holders: dict[tuple[str, str], set[int]] = {}
    for kind, value, pk in elsewhere.values_list("kind", "value", "organization"):
        holders.setdefault((kind, value), set()).add(pk)
    for kind, value, pk in own.values_list("kind", "value", "organization"):
        for other in holders.get((kind, value), ()):
            yield (pk, other), f"{kind} {value}"
