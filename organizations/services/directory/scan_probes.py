"""Asks for the lowest unused OIDs below our records that no page showed. A directory may skip organizations.

Such an OID is a probe. A probe that is not in the directory is of no use to people, so it is deleted when the scan
ends. The history keeps its OID, as evidence that the directory did not have it.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import batched, islice

from django.db.models import Exists, OuterRef

from organizations.models import Candidate, CandidateState, Organization, Presence, TakeOver
from organizations.models.take_over import PROBE
from organizations.oid import Oid, OidError, children
from organizations.services.connection import redox_settings
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.directory import scan_matches
from organizations.services.directory.ownership import usable_base_oids

NUMBERS_BELOW = 20
"""How many numbers below one record are asked for."""
MOST_PROBES = 1000
"""How many OIDs one scan asks for."""
_FOUND = (CandidateState.FOUND, CandidateState.REFUSED, CandidateState.CHOSEN)
LEFT_OUT = {
    "source": "Numbers below your records",
    "sentence": f"At most {MOST_PROBES:,} are asked for, so not below every record.",
}
OTHERS = "It is in the directory, but not part of a record of yours. Enter this OID to look at it."


def add_probes(take_over: TakeOver) -> list[dict[str, str]]:
    """Add the next free numbers below each of our records. Returns the problem to show if not all could be added.

    The base OIDs come first, then the records that have children: an unknown organization is most likely there.
    """
    oids: dict[str, None] = {}
    parents = _parents(take_over)
    asked_below, position = 0, scan_matches.next_position(take_over)
    while asked_below < len(parents) and len(oids) < MOST_PROBES:
        oids |= dict.fromkeys(_free_numbers(take_over, parents[asked_below]))
        asked_below += 1
    Candidate.objects.bulk_create(
        Candidate(take_over=take_over, position=position + place, oid=oid, oid_key=Oid(oid).key, source=PROBE)
        for place, oid in enumerate(islice(oids, MOST_PROBES))
    )
    return [] if asked_below == len(parents) and len(oids) <= MOST_PROBES else [LEFT_OUT]


def shows_ours(probe: Candidate, answer: DirectoryAnswer) -> bool:
    """Whether the directory shows an organization of ours under the OID of a probe."""
    return answer.record is not None and scan_matches.is_ours(probe.take_over, answer.record)


def delete_probe(candidate: Candidate) -> None:
    """Delete a probe that found an organization of others. Only its OID is kept, which the portal chose itself.

    The caller has locked the candidate and its take-over.
    """
    take_over = candidate.take_over
    problems = [*take_over.problems, {"source": candidate.oid, "sentence": OTHERS}]
    TakeOver.objects.filter(pk=take_over.pk).update(problems=problems)
    candidate.delete()


def _parents(take_over: TakeOver) -> list[str]:
    """The OIDs below which to ask, the most promising first: base OIDs, records and candidates that were found."""
    gateways = redox_settings.gateway_oids(take_over.environment)
    bases = usable_base_oids(take_over.base_oids, gateways)
    below = Organization.objects.filter(environment=OuterRef("environment"), part_of_oid=OuterRef("oid"))
    records = (
        Organization.objects.in_environment(take_over.environment)
        .filter(presence=Presence.PRESENT, foreign_since=None)
        .annotate(has_children=Exists(below))
        .order_by("-has_children", "oid_key")
        .values_list("has_children", "oid_key", "oid")[: MOST_PROBES + 1]
    )
    with_children = set(take_over.candidates.values_list("part_of_oid", flat=True).distinct())
    found = take_over.candidates.filter(state__in=_FOUND).values_list("oid_key", "oid")
    ranked = [(not has_children, key, oid) for has_children, key, oid in records]
    ranked += [(oid not in with_children, key, oid) for key, oid in found]
    return list(dict.fromkeys([*bases, *(oid for _, _, oid in sorted(ranked))]))


def _free_numbers(take_over: TakeOver, parent: str) -> list[str]:
    free: list[str] = []
    for some in batched(_numbers(parent), 2 * NUMBERS_BELOW):
        taken = _taken(take_over, some)
        free += islice((oid for oid in some if oid not in taken), NUMBERS_BELOW - len(free))
        if len(free) == NUMBERS_BELOW:
            break
    return free


def _numbers(parent: str) -> Iterator[str]:
    with suppress(OidError):  # the next number would be too long
        for child in children(Oid(parent)):
            yield child.text


def _taken(take_over: TakeOver, oids: Collection[str]) -> set[str]:
    here = Organization.objects.in_environment(take_over.environment).filter(oid__in=oids)
    listed = take_over.candidates.filter(oid__in=oids)
    return {*here.values_list("oid", flat=True), *listed.values_list("oid", flat=True)}
