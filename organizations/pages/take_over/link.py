"""The page that links records which a take-over added with records of the other environment, after a comparison."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from organizations.models import Environment, Organization, TakeOver, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url, record_url
from organizations.permissions import Right, block_reason
from organizations.records import Difference, difference
from organizations.services.directory.unlinked_pairs import UnlinkedPair, records_of, unlinked_pairs
from organizations.services.records.counterparts import SeenVersion
from organizations.services.records.prepare import without_own_keys

MOST_PAIRS = 100
"""How many pairs the page shows, and links at once."""


class PairRow(NamedTuple):
    """A record that was added, and one of the other environment. `value` names both in their versions.

    `differences`: the fields that differ, except those that differ between the environments anyway.
    """

    added: Organization
    other: Organization
    added_url: str
    other_url: str
    shared: Sequence[str]
    differences: list[Difference]
    value: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage(Page):
    """`left_out`: how many pairs come after those in `rows`."""

    template = "take_over/link.html"

    take_over: TakeOver
    rows: list[PairRow]
    left_out: int
    block_reason: str
    notes: Collection[str]
    switch_url: str


def build(
    take_over: TakeOver, user: User, *, chosen: Collection[str] | None = None, notes: Collection[str] = ()
) -> LinkPage:
    """`chosen`: the values that a person ticked. Before that, the pairs without a difference are ticked."""
    environment = Environment(take_over.environment)
    pairs = unlinked_pairs(take_over)
    return LinkPage(
        take_over=take_over,
        rows=_rows(pairs[:MOST_PAIRS], chosen),
        left_out=max(len(pairs) - MOST_PAIRS, 0),
        block_reason=block_reason(user, Right.EDIT, environment),
        notes=notes,
        switch_url=environment_url("take-over", environment.other),
    )


def chosen_pairs(take_over: TakeOver, values: Collection[str]) -> list[tuple[SeenVersion, SeenVersion]] | None:
    """The STAGING and the PRODUCTION record of each ticked pair; None if one is not offered any more."""
    offered = {row.value: row for row in _rows(unlinked_pairs(take_over), values)}
    if not offered.keys() >= set(values):
        return None
    chosen = [offered[value] for value in dict.fromkeys(values)]
    pairs = [
        (SeenVersion(row.added.pk, row.added.version), SeenVersion(row.other.pk, row.other.version)) for row in chosen
    ]
    return pairs if take_over.environment == Environment.STAGING else [(other, added) for added, other in pairs]


def _rows(pairs: Sequence[UnlinkedPair], chosen: Collection[str] | None) -> list[PairRow]:
    records = records_of(pairs)
    return [_row(records[pair.added], records[pair.other], pair.shared, chosen) for pair in pairs]


def _row(added: Organization, other: Organization, shared: Sequence[str], chosen: Collection[str] | None) -> PairRow:
    differences = [
        each
        for each in difference(without_own_keys(added.record()), without_own_keys(other.record()))
        if each.field != "part_of_oid"
    ]
    value = f"{added.pk}.{added.version}.{other.pk}.{other.version}"
    return PairRow(
        added=added,
        other=other,
        added_url=record_url(added),
        other_url=record_url(other),
        shared=shared,
        differences=differences,
        value=value,
        is_chosen=not differences if chosen is None else value in chosen,
    )
