"""The OIDs that a scan asks about after its last page: the lowest unused ones below each of our records.

A directory may skip organizations between two pages. Such an OID is a probe. The worker adds those below one record
after the other, in the order of the OIDs, so that a few rows are enough for any number of records. A record that a
probe finds comes later in this order. A probe that is not in the directory is of no use to people, so it is deleted.
The history keeps its OID, as evidence that the directory did not have it.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import batched, islice

from organizations.models import Action, Candidate, CandidateState, Organization, Presence, TakeOver
from organizations.models.organization import OrganizationQuerySet
from organizations.models.take_over import PROBE, CandidateQuerySet
from organizations.oid import Oid, OidError, children
from organizations.services.audit import audit
from organizations.services.connection import redox_settings
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.directory import scan_matches
from organizations.services.directory.ownership import usable_base_oids

NUMBERS_BELOW = 20
"""How many numbers below one record are asked about."""
MOST_ABSENT = 1000
"""How many absent probes one entry of the history lists."""
_FOUND = (CandidateState.FOUND, CandidateState.REFUSED, CandidateState.CHOSEN)
OTHERS = "It is in the directory, but not part of a record of yours. Enter this OID to look at it."


def number_of_probes(environment: str, base_oids: Collection[str]) -> int:
    """About how many OIDs a scan that begins now asks about. It leaves out those below what the scan finds."""
    present = Organization.objects.in_environment(environment).filter(presence=Presence.PRESENT)
    bases = set(usable_base_oids(base_oids, redox_settings.gateway_oids(environment)))
    return NUMBERS_BELOW * (present.count() + len(bases) - present.filter(oid__in=bases).count())


def begin_probes(take_over: TakeOver) -> None:
    """Count the OIDs to ask about after the last page. The caller has locked the take-over."""
    take_over.candidates.probes(CandidateState.WAITING).delete()  # those of an earlier run; they are added again
    number = _number_below(take_over, "") if take_over.asks_probes else 0
    TakeOver.objects.filter(pk=take_over.pk).update(probed_until="", probes_added=0, probes_total=number)


def add_next_probes(history: audit.History, take_over: TakeOver) -> bool:
    """Add the probes below the next of our records. Returns whether there was one. The caller has locked the take-over.

    Also moves absent probes into the history, when they are many.
    """
    if not take_over.asks_probes:
        return False
    if take_over.candidates.probes(CandidateState.ABSENT).count() >= MOST_ABSENT:
        _log_absent(history, take_over)
    parent = _next_parent(take_over)
    oids = _free_numbers(take_over, parent) if parent else []
    position = scan_matches.next_position(take_over)
    Candidate.objects.bulk_create(
        Candidate(take_over=take_over, position=position + place, oid=oid, oid_key=Oid(oid).key, source=PROBE)
        for place, oid in enumerate(oids)
    )
    take_over.probed_until = Oid(parent).key if parent else take_over.probed_until
    take_over.probes_added += len(oids)
    following = _number_below(take_over, take_over.probed_until) if parent else 0
    take_over.probes_total = take_over.probes_added + following
    take_over.save(update_fields=["probed_until", "probes_added", "probes_total"])
    return parent != ""


def take_absent(take_over: TakeOver) -> list[str]:
    """Delete the probes that are not in the directory. Returns their OIDs, for the history."""
    absent = take_over.candidates.probes(CandidateState.ABSENT)
    oids = list(absent.order_by("oid_key").values_list("oid", flat=True))
    absent.delete()
    return oids


def shows_ours(probe: Candidate, answer: DirectoryAnswer) -> bool:
    """Whether the directory shows an organization of ours under the OID of a probe.

    If its values cannot be read, only its OID decides.
    """
    if answer.is_unreadable:
        return scan_matches.is_oid_ours(probe.take_over, probe.oid)
    return answer.record is not None and scan_matches.is_ours(probe.take_over, answer.record)


def delete_probe(candidate: Candidate) -> None:
    """Delete a probe that found an organization of others. Only its OID is kept, which the portal chose itself.

    The caller has locked the candidate and its take-over.
    """
    take_over = candidate.take_over
    problems = [*take_over.problems, {"source": candidate.oid, "sentence": OTHERS}]
    TakeOver.objects.filter(pk=take_over.pk).update(problems=problems)
    candidate.delete()


def _log_absent(history: audit.History, take_over: TakeOver) -> None:
    history.log(
        Action.DIRECTORY_SCANNED,
        object={"type": "take_over", "id": str(take_over.pk)},
        environment=take_over.environment,
        details={"take_over": take_over.pk, "part": 0, "absent": take_absent(take_over)},
    )


def _next_parent(take_over: TakeOver) -> str:
    """The first OID after `probed_until` below which to ask; "" after the last one."""
    firsts = [
        *_bases_after(take_over, take_over.probed_until),
        *_records_after(take_over, take_over.probed_until).order_by("oid_key").values_list("oid", flat=True)[:1],
        *_candidates_after(take_over, take_over.probed_until).order_by("oid_key").values_list("oid", flat=True)[:1],
    ]
    return min(firsts, key=lambda oid: Oid(oid).key, default="")


def _number_below(take_over: TakeOver, key: str) -> int:
    """How many OIDs to ask about below what comes after this key. It counts some too many if OIDs would be too long."""
    bases, records = _bases_after(take_over, key), _records_after(take_over, key)
    candidates = _candidates_after(take_over, key)
    new_candidates = candidates.exclude(oid__in=bases).exclude(oid__in=records.values("oid"))
    new_bases = len(bases) - records.filter(oid__in=bases).count()
    return NUMBERS_BELOW * (new_bases + records.count() + new_candidates.count())


def _bases_after(take_over: TakeOver, key: str) -> list[str]:
    bases = usable_base_oids(take_over.base_oids, redox_settings.gateway_oids(take_over.environment))
    return [oid for oid in dict.fromkeys(bases) if Oid(oid).key > key]


def _records_after(take_over: TakeOver, key: str) -> OrganizationQuerySet:
    records = Organization.objects.in_environment(take_over.environment)
    return records.filter(presence=Presence.PRESENT, foreign_since=None, oid_key__gt=key)


def _candidates_after(take_over: TakeOver, key: str) -> CandidateQuerySet:
    return take_over.candidates.filter(state__in=_FOUND, oid_key__gt=key)


def _free_numbers(take_over: TakeOver, parent: str) -> list[str]:
    """The lowest numbers below the parent that are no records or candidates, at most NUMBERS_BELOW."""
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
