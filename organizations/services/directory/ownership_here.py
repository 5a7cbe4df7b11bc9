"""Which organizations of a take-over are ours by the portal's records, and why one cannot become a record."""

from collections.abc import Collection, Iterable

from django.db.models import Q

from organizations.models import Candidate, Organization, TakeOver
from organizations.services.connection import redox_settings
from organizations.services.directory.ownership import ownership_of
from organizations.services.records.by_oid import records_by_oid

GATEWAY = "This is Redox's own organization. It is never a record of ours."
NOT_OURS = (
    "It is not ours by its OID or by what it is part of. An approver can take over this one organization if they type"
    " its OID and give a reason."
)


def own_oids(take_over: TakeOver) -> frozenset[str]:
    """The OIDs of a take-over that are ours, among those that the directory showed."""
    shown = take_over.candidates.exclude(part_of_oid="")
    part_of = dict(shown.values_list("oid", "part_of_oid"))
    named = Q(oid__in=shown.values("oid")) | Q(oid__in=shown.values("part_of_oid"))
    here = Organization.objects.in_environment(take_over.environment).filter(named)
    our_oids, foreign_oids = set(), set()
    for organization in here.only("oid", "presence", "foreign_since", "added_as_other"):
        if organization.is_foreign:
            foreign_oids.add(organization.oid)
        elif organization.makes_others_ours:
            our_oids.add(organization.oid)
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
            foreign_oids=foreign_oids,
        ).is_ours
    )


def take_block_reasons(take_over: TakeOver, candidates: Iterable[Candidate]) -> dict[str, str]:
    """Why an organization cannot become a record, as a sentence, by OID. Those that can are left out."""
    candidates = list(candidates)
    ours, gateways = own_oids(take_over), redox_settings.gateway_oids(take_over.environment)
    here = records_here(take_over, [candidate.oid for candidate in candidates])
    reasons = {}
    for candidate in candidates:
        if candidate.oid in gateways:
            reasons[candidate.oid] = GATEWAY
        elif candidate.oid in here:
            reasons[candidate.oid] = f"It is already the record {here[candidate.oid]}."
        elif candidate.oid not in ours:
            reasons[candidate.oid] = NOT_OURS
    return reasons


def records_here(take_over: TakeOver, oids: Collection[str]) -> dict[str, str]:
    """The OIDs that are records of the portal now, with their names."""
    records = Organization.objects.in_environment(take_over.environment).only("oid", "name")
    return {oid: organization.name for oid, organization in records_by_oid(records, oids).items()}
