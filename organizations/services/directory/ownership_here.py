"""Whose the organizations of a take-over are, by the records of the portal, and why one cannot become a record."""

from collections.abc import Collection, Iterable
from itertools import batched

from organizations.models import Candidate, DestinationSource, Organization, Presence, TakeOver
from organizations.services.connection import redox_settings
from organizations.services.directory.ownership import ownership_of
from organizations.services.records.organizations import SaidDestination

MOST_OIDS = 500
"""How many OIDs one query of the database looks up."""
ENDPOINTS = "Endpoints"
GATEWAY = "This is Redox's own organization. It is never a record of ours."
NOT_OURS = (
    "It is not ours by its OID or by what it is part of. An approver can take it over alone, with its OID typed and a"
    " reason."
)


def own_oids(take_over: TakeOver) -> frozenset[str]:
    """The OIDs of a take-over that are ours, among those that the directory showed."""
    part_of = dict(take_over.candidates.exclude(part_of_oid="").values_list("oid", "part_of_oid"))
    oids = {*part_of, *part_of.values()}
    our_oids = records_of_ours(take_over.environment, oids)
    foreign = foreign_oids(take_over.environment, oids)
    gateways = redox_settings.gateway_oids(take_over.environment)
    return frozenset(
        oid
        for oid, parent in part_of.items()
        if ownership_of(
            oid,
            parent,
            base_oids=take_over.base_oids,
            our_oids=our_oids,
            gateway_oids=gateways,
            parents=part_of,
            foreign_oids=foreign,
        ).is_ours
    )


def foreign_oids(environment: str, oids: Collection[str]) -> frozenset[str]:
    """Which of these OIDs people called another organization's."""
    foreign = Organization.objects.in_environment(environment).exclude(foreign_since=None).values_list("oid", flat=True)
    return frozenset(oid for some in batched(oids, MOST_OIDS) for oid in foreign.filter(oid__in=some))


def records_of_ours(environment: str, oids: Collection[str]) -> frozenset[str]:
    """Which of these OIDs are records here that the directory has, and that nobody called another organization's."""
    here = Organization.objects.in_environment(environment).values_list("oid", flat=True)
    present = here.filter(presence=Presence.PRESENT, foreign_since=None)
    return frozenset(oid for some in batched(oids, MOST_OIDS) for oid in present.filter(oid__in=some))


def take_block_reasons(take_over: TakeOver, candidates: Iterable[Candidate]) -> dict[str, str]:
    """Why an organization cannot become a record, as a sentence, by OID. Those that can are left out."""
    ours, gateways = own_oids(take_over), redox_settings.gateway_oids(take_over.environment)
    reasons = {}
    for candidate in candidates:
        if candidate.oid in gateways:
            reasons[candidate.oid] = GATEWAY
        elif candidate.oid not in ours:
            reasons[candidate.oid] = NOT_OURS
    return reasons


def said_destination(candidate: Candidate) -> SaidDestination | None:
    """What somebody said of the destination ID; None if nobody did."""
    if candidate.destination_source not in DestinationSource.values:
        return None
    return SaidDestination(candidate.destination_id, candidate.destination_source)


def endpoints(candidate: Candidate) -> str:
    """The JSON of the endpoints in the old message; "" if it has none. A Query never shows them."""
    message = candidate.message_record()
    return dict(message.carried).get(ENDPOINTS, "") if message else ""
