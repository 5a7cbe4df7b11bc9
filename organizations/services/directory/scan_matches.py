"""Finds the organizations on a page of the directory that are ours, and stores them as candidates.

It stores nothing about organizations of others.
"""

import datetime
from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db.models import Max

from organizations.models import Candidate, CandidateState, Organization, TakeOver
from organizations.models.take_over import NOT_SHOWN
from organizations.oid import Oid
from organizations.records import OrganizationRecord
from organizations.redox.directory_query import Listing, oids_of, under_oid
from organizations.services.connection import redox_settings
from organizations.services.directory import candidates
from organizations.services.directory.ownership import OwnershipFacts
from organizations.services.records.by_oid import batches, records_by_oid


class Match(NamedTuple):
    """An organization that is ours, or a record of the portal. `record` is None if it cannot be read."""

    oid: str
    record: OrganizationRecord | None


def store_matches(take_over: TakeOver, listing: Listing, asked_at: datetime.datetime) -> None:
    """Store a candidate for each match of a page that has none yet. The caller has locked the take-over.

    A match that cannot be read waits: its OID is asked for after the last page.
    """
    matches = _matches(take_over, listing)
    if not matches:
        return
    oids = [match.oid for match in matches]
    stored = {each.oid: each for some in batches(oids) for each in take_over.candidates.filter(oid__in=some)}
    here = _records_here(take_over.environment, oids)
    position = next_position(take_over)
    new: list[Candidate] = []
    changed: list[Candidate] = []
    for match in matches:
        candidate = stored.get(match.oid)
        if candidate is None:
            place = position + len(new)
            candidate = Candidate(take_over=take_over, position=place, oid=match.oid, oid_key=Oid(match.oid).key)
            new.append(candidate)
        elif candidate.state in NOT_SHOWN and match.record is not None:
            changed.append(candidate)
        else:
            continue
        _fill(candidate, match, here.get(match.oid), asked_at)
    Candidate.objects.bulk_create(new)
    for candidate in changed:
        candidate.save()


def next_position(take_over: TakeOver) -> int:
    """The position of the next candidate."""
    last: int = take_over.candidates.aggregate(last=Max("position", default=-1))["last"]
    return last + 1


def _fill(candidate: Candidate, match: Match, organization: Organization | None, asked_at: datetime.datetime) -> None:
    if match.record is not None:
        candidate.asked_at, candidate.source = asked_at, ""  # a page showed it, not a probe
        candidates.set_seen(candidate, match.record)
    if organization is not None:
        candidate.state, candidate.sentence = CandidateState.HERE, ""
        candidate.organization, candidate.name = organization, organization.name


def is_ours(take_over: TakeOver, record: OrganizationRecord) -> bool:
    """Whether the organization in the answer about one OID is ours, as far as the portal knows."""
    owners = _owners(take_over, {record.oid: record.part_of_oid}, {record.oid})
    return owners.our_oid([record.oid], record.part_of_oid) != ""


def is_oid_ours(take_over: TakeOver, oid: str) -> bool:
    """Whether an organization of which only the OID is known is ours."""
    return _owners(take_over, {}, {oid}).our_oid([oid], "") != ""


def _matches(take_over: TakeOver, listing: Listing) -> list[Match]:
    """The matches of a page, each OID once. A readable organization takes precedence over an unreadable one."""
    records = [*listing.records, *listing.repeated]
    parents = {oid: record.part_of_oid for record in records for oid in oids_of(record)}
    owners = _owners(take_over, parents, {*parents, *(each.oid for each in listing.unreadable)})
    matches: dict[str, Match] = {}
    for record in records:
        if oid := owners.our_oid(oids_of(record), record.part_of_oid):
            matches.setdefault(oid, Match(oid, under_oid(record, oid)))
    for entry in listing.unreadable:
        if oid := owners.our_oid([entry.oid], ""):
            matches.setdefault(oid, Match(oid, None))
    return list(matches.values())


def _owners(take_over: TakeOver, parents: Mapping[str, str], oids: Collection[str]) -> OwnershipFacts:
    """The facts for these `oids`. `parents`: the PartOf of each organization in the same answer, by OID."""
    known = {*oids, *parents.values()} - {""}
    here = _records_here(take_over.environment, known)
    present = {oid for oid, record in here.items() if record.makes_others_ours}
    return OwnershipFacts(
        base_oids=take_over.base_oids,
        gateway_oids=redox_settings.gateway_oids(take_over.environment),
        our_oids=present | _found_before(take_over, known),
        foreign_oids={oid for oid, record in here.items() if record.is_foreign},
        here=here.keys(),
        parents=parents,
    )


def _found_before(take_over: TakeOver, oids: Collection[str]) -> frozenset[str]:
    """Those of the OIDs that are candidates. Records of the portal are left out: their presence decides."""
    ours = take_over.candidates.listed().exclude(state=CandidateState.HERE).values_list("oid", flat=True)
    return frozenset(oid for some in batches(oids) for oid in ours.filter(oid__in=some))


def _records_here(environment: str, oids: Collection[str]) -> dict[str, Organization]:
    records = Organization.objects.in_environment(environment)
    return records_by_oid(records.only("oid", "name", "presence", "foreign_since", "added_as_other"), oids)
