"""Take-overs, their counts and candidates, for pages."""

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q

from organizations.models import Candidate, CandidateState, Organization, TakeOver, TakeOverKind
from organizations.models.take_over import NOT_SHOWN, PROBE

LATEST = 10
"""How many take-overs the page lists on which people begin one."""


def latest(environment: str) -> list[TakeOver]:
    """The newest take-overs, with who began them."""
    return list(TakeOver.objects.filter(environment=environment).select_related("made_by").order_by("-pk")[:LATEST])


def base_oids_of_earlier(environment: str) -> list[str]:
    """The base OIDs that an approver entered last; empty if nobody did."""
    with_base = TakeOver.objects.filter(environment=environment).exclude(base_oids=[])
    return with_base.order_by("-pk").values_list("base_oids", flat=True).first() or []


class ScanCounts(NamedTuple):
    """How many organizations a search through the whole directory found, and how many of them are not in the portal.

    `waiting`: how many OIDs below records were added and not asked about yet. `unanswered`: those without an answer.
    """

    found: int
    not_here: int
    waiting: int
    unanswered: int


def last_scan(environment: str) -> TakeOver | None:
    """The newest search through the whole directory."""
    return TakeOver.objects.filter(environment=environment, kind=TakeOverKind.SCAN).order_by("-pk").first()


def scan_counts(take_over: TakeOver) -> ScanCounts:
    records = Organization.objects.filter(environment=take_over.environment, oid=OuterRef("oid"))
    probe = Q(source=PROBE)
    listed = ~(probe & Q(state__in=NOT_SHOWN))  # as in `CandidateQuerySet.listed`
    counts = take_over.candidates.aggregate(
        found=Count("pk", filter=listed),
        not_here=Count("pk", filter=listed & Q(~Exists(records))),
        waiting=Count("pk", filter=probe & Q(state=CandidateState.WAITING)),
        unanswered=Count("pk", filter=probe & Q(state=CandidateState.UNANSWERED)),
    )
    return ScanCounts(**counts)


class CandidateLine(NamedTuple):
    """The columns that the list needs of each OID, even of those on its other pages."""

    pk: int
    oid: str
    state: str
    destination_source: str
    is_here: bool


def lines(take_over: TakeOver) -> list[CandidateLine]:
    """The OIDs of a take-over, in their order, without probes that found nothing."""
    records = Organization.objects.filter(environment=take_over.environment, oid=OuterRef("oid"))
    listed = take_over.candidates.listed().annotate(is_here=Exists(records)).order_by("oid_key")
    return [CandidateLine(*row) for row in listed.values_list("pk", "oid", "state", "destination_source", "is_here")]


def state_counts(take_over: TakeOver) -> Counter[str]:
    """How many OIDs have each state."""
    counted = take_over.candidates.order_by().values_list("state").annotate(Count("pk"))
    return Counter(dict(counted))


def candidates(ids: Collection[int]) -> dict[int, Candidate]:
    """These candidates with their records, but without the long texts of the directory and the old messages."""
    return Candidate.objects.select_related("organization").defer("message", "seen").in_bulk(ids)


def with_values(take_over: TakeOver, oid: str) -> Candidate | None:
    """One candidate with all its columns."""
    return take_over.candidates.filter(oid=oid).first()


def names(take_over: TakeOver, oids: Collection[str]) -> dict[str, str]:
    """The names that this take-over has for these OIDs."""
    return dict(take_over.candidates.filter(oid__in=oids).exclude(name="").values_list("oid", "name"))


def records_named(environment: str, oids: Collection[str]) -> dict[str, str]:
    """The names of the records of an environment with these OIDs."""
    records = Organization.objects.in_environment(environment).filter(oid__in=oids)
    return dict(records.values_list("oid", "name"))


def destinations_of(environment: str, oids: Collection[str]) -> dict[str, str | None]:
    """The destination IDs of the records of an environment with these OIDs, None for one that is not known."""
    records = Organization.objects.in_environment(environment).filter(oid__in=oids)
    rows = records.values_list("oid", "destination_id", "destination_known")
    return {oid: destination_id if is_known else None for oid, destination_id, is_known in rows}
