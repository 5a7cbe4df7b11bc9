"""Searches the directory, one page at a time, and compares the organizations with the records in the portal.

It stores nothing about other organizations: one history entry says who searched for what, and counts the results. What
the directory shows about a record in the portal is stored as a reading of this record, without the answer.
"""

import datetime
import itertools
import time
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Any

from organizations import knowledge
from organizations.models import Action, Environment, Organization, Presence, clock
from organizations.records import OrganizationRecord
from organizations.redox import directory_query, paging
from organizations.redox.client import Exchange
from organizations.redox.directory_query import Listing, SearchFilters, UnreadableEntry, oids_of
from organizations.redox.environment import RedoxEnvironment
from organizations.redox.outcome import Outcome
from organizations.redox.paging import End, Position, Step
from organizations.services import locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, lookup, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.delivery import query
from organizations.services.directory.ownership import Ownership, OwnershipFacts
from organizations.services.directory.page_query import PageAnswer, ask_for_page
from organizations.services.records import directory_state
from organizations.services.records.by_oid import records_by_oid

__all__ = [
    "START",
    "Compared",
    "Completeness",
    "End",
    "Hit",
    "Ownership",
    "Position",
    "SearchFilters",
    "SearchPage",
    "UnreadableEntry",
    "compare",
    "match_with_portal",
    "search_directory",
]

READINGS_AT_ONCE = 10
"""How many readings are stored in one transaction."""
LONGEST_CAUSE = 500
"""Characters."""
START = Position()


class Completeness(StrEnum):
    """How much of the result was received. NOTHING: the directory answered that there is no organization.

    PARTIAL: there may be more, or the search failed after the first results.
    """

    NO_ANSWER = "no_answer"
    NOTHING = "nothing"
    PARTIAL = "partial"
    WHOLE = "whole"


class Compared(StrEnum):
    """How the directory's values of a record compare with those that the portal knew.

    AS_SHOWN: the values that an earlier Query showed. AS_SENT: the values of an open submission. FOREIGN: people
    decided that the OID belongs to another organization. NOT_KNOWN: nothing was accepted or shown yet.
    """

    AS_ACCEPTED = "as_accepted"
    AS_SHOWN = "as_shown"
    AS_SENT = "as_sent"
    DIFFERS = "differs"
    FOREIGN = "foreign"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An organization that the directory shows.

    `record` is under its OID of a record in the portal (`organization`), else under the OID that makes it ours, else
    under the first that no other organization of the page has. `listed_oid` is that OID. `differing` are the labels of
    the fields that differ.
    """

    listed_oid: str
    record: OrganizationRecord
    ownership: Ownership
    organization: Organization | None = None
    compared: Compared | None = None
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """One page of a search. `cause`: why there is no usable answer; then `position` is the one that was asked for.

    `is_answered`: Redox answered the last Query, usably or not. A status of 500 and above is not its answer.

    `asked_at`: the database's time before the first Query. `seconds`: how long the page took, with all waiting.
    `doubled`: how many organizations were left out because they are shown already. `end`: why the search ends; None if
    it continues at `position`.
    """

    filters: SearchFilters
    asked_at: datetime.datetime
    position: Position
    cause: str = ""
    is_answered: bool = False
    hits: tuple[Hit, ...] = ()
    unreadable: tuple[UnreadableEntry, ...] = ()
    doubled: int = 0
    total: int | None = None
    end: End | None = None
    is_whole: bool = False
    seconds: float = 0.0

    @property
    def completeness(self) -> Completeness:
        has_results = self.position.received > 0
        if self.cause and not has_results:
            return Completeness.NO_ANSWER
        if not self.is_whole:
            return Completeness.PARTIAL
        return Completeness.WHOLE if has_results else Completeness.NOTHING

    @property
    def can_continue(self) -> bool:
        """Whether another Query at `position` can show more, or get the answer that is missing."""
        is_too_large = self.end == End.UNREADABLE and self.position.limit == 1
        return not self.is_whole and not is_too_large and self.end != End.REPEATED_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The result of the Queries for one page. `listing` is None if there is a cause."""

    step: Step
    listing: Listing | None = None
    cause: str = ""
    outcome: Outcome | None = None
    exchanges: tuple[Exchange, ...] = ()

    @property
    def last_status(self) -> int | None:
        """The HTTP status of the last Query; None if nothing was sent or no answer came."""
        return self.exchanges[-1].status if self.exchanges else None


def search_directory(
    environment: str,
    filters: SearchFilters,
    *,
    actor: Actor,
    position: Position = START,
    known_oids: Container[str] = (),
) -> SearchPage:
    """Ask the directory for one page of a search. Must not be called inside a transaction.

    `known_oids`: the listed OID of each organization on earlier pages; these are left out. If an answer is too large,
    the page is asked for again with fewer organizations. A search by OID alone is asked like a lookup of the OID:
    without Active, then with true, then with false, until a Query shows an organization.
    """
    redox, asked_at, started = redox_settings.environment(environment), clock.now(), time.monotonic()
    answer = (
        _ask_about_oid(redox, filters) if filters.is_oid_alone and position == START else _ask(redox, filters, position)
    )
    records = (*answer.listing.records, *answer.listing.repeated) if answer.listing else ()
    hits = tuple(hit for hit in match_with_portal(redox, records) if hit.listed_oid not in known_oids)
    page = SearchPage(
        filters=filters,
        asked_at=asked_at,
        position=answer.step.position,
        cause=answer.cause,
        is_answered=(answer.last_status or HTTPStatus.INTERNAL_SERVER_ERROR) < HTTPStatus.INTERNAL_SERVER_ERROR,
        hits=hits,
        unreadable=answer.listing.unreadable if answer.listing else (),
        doubled=len(records) - len(hits),
        total=answer.listing.total if answer.listing else None,
        end=answer.step.end,
        is_whole=answer.step.is_whole,
        seconds=time.monotonic() - started,
    )
    with audit.atomic(actor) as history:
        breaker.pause_if_asked(history, environment, answer.outcome)
        _log(history, environment, position, page, answer)
    _store_readings(page, answer.listing, actor)
    return page


def match_with_portal(redox: RedoxEnvironment, records: Iterable[OrganizationRecord]) -> tuple[Hit, ...]:
    """Each organization once, with the record in the portal, if there is one, and whether it is ours."""
    by_oids: dict[frozenset[str], OrganizationRecord] = {}
    for record in records:
        by_oids.setdefault(frozenset(oids_of(record)), record)
    listed = list(by_oids.values())
    records_here = Organization.objects.in_environment(redox.name).select_related("last_submission")
    named = {oid for record in listed for oid in (*oids_of(record), record.part_of_oid)}
    here = records_by_oid(records_here, named)
    foreign_oids = {oid for oid, organization in here.items() if organization.is_foreign}
    our_oids = {oid for oid, organization in here.items() if organization.makes_others_ours}
    owners = OwnershipFacts(
        base_oids=redox.base_oids,
        our_oids=our_oids,
        gateway_oids=redox_settings.gateway_oids(redox.name),
        parents={oid: record.part_of_oid for record in listed for oid in oids_of(record)},
        foreign_oids=foreign_oids,
        here=here.keys(),
    )
    numbers = Counter(oid for record in listed for oid in oids_of(record))
    hits: dict[str, Hit] = {}
    for record in listed:
        oids = oids_of(record)
        own = next((oid for oid in oids if numbers[oid] == 1), record.oid)
        oid = owners.our_oid(oids, record.part_of_oid) or next((each for each in oids if each in here), own)
        ownerships = (owners.owner_of(each, record.part_of_oid) for each in oids)
        ownership = next((each for each in ownerships if each.is_ours), Ownership.NOT_OURS)
        hits.setdefault(oid, _hit(directory_query.under_oid(record, oid), ownership, here.get(oid)))
    return tuple(hits.values())


def compare(organization: Organization, record: OrganizationRecord) -> tuple[Compared, tuple[str, ...]]:
    """Compare the directory's record with what was accepted or shown. Returns the result and the differing labels."""
    if organization.is_foreign:
        return Compared.FOREIGN, ()
    accepted, shown = organization.baseline_record(), organization.later_reading()
    newest = organization.newest_record()
    if newest is None:
        return Compared.NOT_KNOWN, ()
    if accepted is not None and not knowledge.seen_differences(accepted, record):
        return Compared.AS_ACCEPTED, ()
    if shown is not None and not knowledge.seen_differences(shown, record):
        return Compared.AS_SHOWN, ()
    in_flight = directory_state.record_in_flight(organization)
    differences = knowledge.changed_by_others(newest, record, in_flight)
    if not differences:
        return Compared.AS_SENT, ()
    return Compared.DIFFERS, tuple(difference.label for difference in differences)


def _ask_about_oid(redox: RedoxEnvironment, filters: SearchFilters) -> _Answer:
    """The first answer that is not an empty list; the last one if all are."""
    answer = _Answer(step=Step(START))
    exchanges: tuple[Exchange, ...] = ()
    for active in lookup.ACTIVE_FILTERS:
        answer = _ask(redox, replace(filters, active=active), START)
        exchanges += answer.exchanges
        if answer.listing is None or answer.listing.received or not answer.step.is_whole:
            break
    return replace(answer, exchanges=exchanges)


def _ask(redox: RedoxEnvironment, filters: SearchFilters, position: Position) -> _Answer:
    """Ask for a page; halve the limit while the answer is too large."""
    exchanges: tuple[Exchange, ...] = ()
    while True:
        page = ask_for_page(redox, filters, position)
        exchanges += tuple(filter(None, (page.refused, page.exchange)))
        if not page.is_too_large:
            return _answer(page, position, exchanges)
        step = paging.after_cut_off(position)
        if step.end is not None:
            return _Answer(step=step, cause="One organization alone has more than 1 MiB.", exchanges=exchanges)
        position = step.position


def _answer(page: PageAnswer, position: Position, exchanges: tuple[Exchange, ...]) -> _Answer:
    listing = page.listing
    if listing is not None:
        step = paging.after_page(
            position,
            received=listing.received,
            distinct=len(listing.distinct),
            total=listing.total,
            fingerprint=listing.fingerprint,
        )
        return _Answer(step=step, listing=listing, exchanges=exchanges)
    step = paging.after_unreadable(position) if page.is_unreadable else Step(position)
    cause, _ = lookup.cause_with_wait(page.cause, page.outcome)
    return _Answer(step=step, cause=cause[:LONGEST_CAUSE], outcome=page.outcome, exchanges=exchanges)


def _hit(record: OrganizationRecord, ownership: Ownership, organization: Organization | None) -> Hit:
    hit = Hit(listed_oid=record.oid, record=record, ownership=ownership)
    if organization is None:
        return hit
    compared, differing = compare(organization, record)
    return replace(hit, organization=organization, compared=compared, differing=differing)


def _store_readings(page: SearchPage, listing: Listing | None, actor: Actor) -> None:
    """Store what this page shows about a record in the portal, if a Query for its OID alone would be understood too.

    Few are stored in one transaction, because it makes the workers wait.
    """
    oids = _clear_oids(listing)
    hits = {hit.organization.pk: hit for hit in page.hits if hit.organization and hit.organization.oid in oids}
    for ids in itertools.batched(hits, READINGS_AT_ONCE):
        with audit.atomic(actor) as history:
            locks.lock_records(partial(tuple, ids))
            records = Organization.objects.filter(pk__in=ids).select_related("last_submission").order_by("pk")
            for organization in records:
                record = hits[organization.pk].record
                if _can_store_reading(organization) and organization.oid == record.oid:
                    shown = DirectoryAnswer(page.asked_at, record=record)
                    query.store_record_answer(history, organization, shown, search=True)


def _clear_oids(listing: Listing | None) -> set[str]:
    """The OIDs of a page that exactly one organization has; none if something on the page cannot be read.

    What cannot be read may have any OID.
    """
    if listing is None or listing.unreadable:
        return set()
    counts = Counter(oid for record in (*listing.records, *listing.repeated) for oid in oids_of(record))
    return {oid for oid, count in counts.items() if count == 1}


def _can_store_reading(organization: Organization) -> bool:
    """Whether the OID is in the directory and is ours, and no message is open.

    Otherwise a decision may depend on the answer. So only a Query for this OID, with its answer, is stored.
    """
    last = organization.last_submission
    is_open = last is not None and last.is_open
    return organization.presence == Presence.PRESENT and not organization.is_foreign and not is_open


def _log(history: audit.History, environment: str, asked: Position, page: SearchPage, answer: _Answer) -> None:
    """One entry. It leaves out the answer, because that shows organizations of others."""
    status: dict[str, Any] = {} if answer.last_status is None else {"http_status": answer.last_status}
    not_here = [hit for hit in page.hits if hit.organization is None]
    ours = [hit for hit in not_here if hit.ownership.is_ours]
    history.log(
        Action.DIRECTORY_SEARCHED,
        object={"type": "environment", "id": environment, "name": Environment(environment).label},
        environment=environment,
        detail=page.cause,
        details={
            "filters": {name: value for name, value in asdict(page.filters).items() if value not in ("", None)},
            "index": asked.index,
            "limit": page.position.limit,
            "queries": len(answer.exchanges),
            "asked_at": page.asked_at.isoformat(),
            "duration_ms": round(page.seconds * 1000),
            "answered": answer.listing is not None,
            "received": answer.listing.received if answer.listing else 0,
            "total": page.total,
            "ours_not_here": len(ours),
            "in_portal": len(page.hits) - len(not_here),
            "not_ours": len(not_here) - len(ours),
            "unreadable": len(page.unreadable),
            "doubled": page.doubled,
            "end": page.end,
            "whole": page.is_whole,
        },
        **status,
    )
