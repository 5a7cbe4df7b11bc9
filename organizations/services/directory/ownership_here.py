"""Whose the organizations of a take-over are, by the records of the portal, and why one cannot become a record."""

from collections.abc import Collection, Iterable

from organizations.models import Candidate, DestinationSource, Organization, Presence, TakeOver
from organizations.records import OrganizationRecord
from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services.connection import redox_settings
from organizations.services.directory import ownership
from organizations.services.records import row_limits
from organizations.services.records.organizations import SaidDestination

ENDPOINTS = "Endpoints"
GATEWAY = "This is Redox's own organization. It is never a record of ours."
NOT_OURS = (
    "It is not ours by its OID or by what it is part of. An approver can take it over alone, with its OID typed and a"
    " reason."
)


def own_oids(take_over: TakeOver) -> frozenset[str]:
    """The OIDs of a take-over that are ours, among those that the directory showed."""
    part_of = dict(take_over.candidates.exclude(part_of_oid="").values_list("oid", "part_of_oid"))
    known = records_of_ours(take_over.environment, {*part_of, *part_of.values()})
    gateways = gateway_oids(take_over.environment)
    return frozenset(
        oid
        for oid, parent in part_of.items()
        if ownership.is_ours(oid, parent, base_oids=take_over.base_oids, ours=known, part_of=part_of, gateways=gateways)
    )


def records_of_ours(environment: str, oids: Collection[str]) -> frozenset[str]:
    """Which of these OIDs are records here that the directory has, and that nobody called another organization's."""
    here = Organization.objects.in_environment(environment).filter(oid__in=oids)
    present = here.filter(presence=Presence.PRESENT, foreign_since=None)
    return frozenset(present.values_list("oid", flat=True))


def gateway_oids(environment: str) -> frozenset[str]:
    """Redox's own organizations, among them the one in the settings."""
    return frozenset({GATEWAY_OID, GATEWAY_SELF_OID, redox_settings.environment(environment).gateway_oid})


def take_block_reasons(take_over: TakeOver, candidates: Iterable[Candidate]) -> dict[str, str]:
    """Why an organization cannot become a record, as a sentence, by OID. Those that can are left out."""
    ours, gateways = own_oids(take_over), gateway_oids(take_over.environment)
    reasons = {}
    for candidate in candidates:
        if candidate.oid in gateways:
            reasons[candidate.oid] = GATEWAY
        elif candidate.oid not in ours:
            reasons[candidate.oid] = NOT_OURS
        elif sentence := row_limits.storage_block_reason(_shown(candidate)):
            reasons[candidate.oid] = sentence
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


def _shown(candidate: Candidate) -> OrganizationRecord:
    record = candidate.seen_record()
    if record is None:
        raise ValueError(f"{candidate.oid} was not shown by the directory")
    return record
