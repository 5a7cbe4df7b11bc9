"""What the pages of take-overs read."""

from collections.abc import Collection

from organizations.models import Candidate, Organization, TakeOver

LATEST = 10
"""How many take-overs the page on which one begins lists."""


def latest(environment: str) -> list[TakeOver]:
    """The newest take-overs, with who began them."""
    return list(TakeOver.objects.filter(environment=environment).select_related("made_by").order_by("-pk")[:LATEST])


def base_oids_of_earlier(environment: str) -> list[str]:
    """The base OIDs that an approver entered last; empty if nobody did."""
    with_base = TakeOver.objects.filter(environment=environment).exclude(base_oids=[])
    return with_base.order_by("-pk").values_list("base_oids", flat=True).first() or []


def candidates(take_over: TakeOver) -> list[Candidate]:
    """All OIDs of a take-over in the order of their OIDs, without their values."""
    return list(take_over.candidates.select_related("organization").defer("message", "seen").order_by("oid_key"))


def with_values(ids: Collection[int]) -> dict[int, Candidate]:
    """These candidates with what the directory showed and what the old message holds."""
    return Candidate.objects.select_related("take_over").in_bulk(ids)


def names(take_over: TakeOver, oids: Collection[str]) -> dict[str, str]:
    """The names of those of these OIDs that the directory showed for this take-over."""
    return dict(take_over.candidates.filter(oid__in=oids).exclude(name="").values_list("oid", "name"))


def records_named(environment: str, oids: Collection[str]) -> dict[str, str]:
    """The names of the records of an environment with these OIDs."""
    records = Organization.objects.in_environment(environment).filter(oid__in=oids)
    return dict(records.values_list("oid", "name"))
