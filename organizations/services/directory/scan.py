"""Finds our organizations by reading the whole directory page by page. The worker reads one page in each step.

It finds an organization on a page by its OID: if that is below a base OID, or is the OID of a record here. It also
finds what is part of a record here, or of an organization that was found before. Parents in between must be on the same
page. After the last page the portal asks about the next OIDs below our records (`scan_probes.py`), unless a person
began the scan without them.

Redox does not document whether a Query without Active shows deactivated records, so a second pass asks for those only.

A scan never claims to have found everything. The directory may skip organizations between two pages. The portal stores
only what is ours. So if an organization is ours by its PartOf only, its children are found on its page and on later
pages, but not on earlier ones. The next scan finds them, when their parent is a record here. An organization that
cannot be read is found by its OID only.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, NamedTuple, Self

from django.utils.crypto import salted_hmac

from organizations.models import Action, CandidateState, EnvironmentGate, TakeOver, TakeOverState, clock
from organizations.models.take_over import PROBE
from organizations.redox.directory_query import Listing, SearchFilters
from organizations.redox.paging import FIRST_LIMIT, MOST_PAGES, End, Position, after_cut_off, after_page
from organizations.services import failpoints
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, redox_settings
from organizations.services.directory import lease, scan_matches, scan_probes
from organizations.services.directory.page_query import MAY_MISS_SOME, PageAnswer, ask_for_page
from organizations.services.timing import seconds

PACE = 0.5
"""Seconds between the answer to one page and the Query for the next."""
MOST_FAILURES = 3
"""After this many failures in a row the scan waits for a person."""
MOST_PROBLEMS = 20
"""After this many problems the scan ends at the next organization that is too large to be read."""

REPEATED = "The directory showed the same page twice, so there may be more."
EMPTY = "The directory counts more organizations than it shows."
CAP = f"{MOST_PAGES:,} pages were read, and there are more."
TOO_LARGE = "Larger than 1 MiB, so it cannot be read."
MANY_PROBLEMS = "There are too many problems, and another organization is too large to be read."


class _Place(NamedTuple):
    """Where the next page begins.

    `active` is the filter of this pass. `last_page` has a digest of each organization on the page before. Only the
    portal can make such a digest, so it tells nothing about organizations of others.
    """

    position: Position
    active: bool | None = None
    last_page: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        active = {} if self.active is None else {"active": self.active}
        last_page = {"last_page": sorted(self.last_page)} if self.last_page else {}
        return self.position.to_json() | active | last_page

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        position = {key: data[key] for key in data if key not in ("active", "last_page")}
        return cls(Position.from_json(position), data.get("active"), frozenset(data.get("last_page", ())))


class _Then(Enum):
    """What follows an answer. After a BREAK, no Query is sent until a person continues the scan."""

    READ_ON = auto()
    ASK_OIDS = auto()
    BREAK = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Next:
    """The step after an answer.

    `place`: where the next page begins; None after the last one. `reason`: why no further page is read now, if the list
    has not ended. `read`: how many organizations were received that the page before did not have. `has_repeated`: the
    page repeats an organization of itself or of the page before. `too_large`: the number, from 1, of an organization
    that is too large to be read.
    """

    place: _Place | None
    then: _Then = _Then.READ_ON
    read: int = 0
    reason: str = ""
    has_repeated: bool = False
    too_large: int | None = None


def scan_next(environment: str, *, actor: Actor, pace: float = PACE) -> bool:
    """Read the next page of the oldest scan that is due, and store what is ours. Returns whether a Query was sent.

    The lease lasts `pace` seconds longer, so that all workers together keep this pace.
    """
    take_over = lease.lease_scan(environment, actor=actor)
    if take_over is None:
        return False
    place = _Place.from_json(take_over.position)
    redox, filters = redox_settings.environment(environment), SearchFilters(active=place.active)
    failpoints.reach("before-reading-page")
    answer = ask_for_page(redox, filters, place.position)
    failpoints.reach("after-reading-page")
    _store(take_over, place, answer, actor=actor, pace=pace)
    return answer.exchange is not None


def may_miss_some(take_over: TakeOver) -> bool:
    """Whether the directory showed organizations more than once, so that its pages may have skipped others."""
    return any(problem["sentence"] == MAY_MISS_SOME for problem in take_over.problems)


def log_run_and_delete_probes(history: audit.History, take_over: TakeOver, reason: str = "") -> None:
    """Log what a scan read and found since a person began it, and delete the probes that are absent.

    The entries contain only organizations that are ours. There are several if they exceed the limit of one entry. The
    caller has locked the take-over and not yet changed its `state_at`, which is the time when the scan began.
    """
    details = {
        "take_over": take_over.pk,
        "since": take_over.state_at.isoformat(),
        "read": take_over.read_count,
        "found": take_over.candidates.listed().exclude(state=CandidateState.WAITING).count(),
        "absent": scan_probes.take_absent(take_over),
        "unanswered": take_over.candidates.probes(CandidateState.UNANSWERED, CandidateState.WAITING).count(),
        "not_asked": take_over.probes_left,
    }
    for number, records in enumerate(_records_of_run(take_over), start=1):
        history.log(
            Action.DIRECTORY_SCANNED,
            object={"type": "take_over", "id": str(take_over.pk)},
            environment=take_over.environment,
            detail=reason,
            details=details | {"part": number} if number == 1 else {"take_over": take_over.pk, "part": number},
            raw=records,
        )


def _records_of_run(take_over: TakeOver) -> Iterator[bytes]:
    """The organizations that were found since the scan began, as JSON lists that each fit in one entry."""
    shown = take_over.candidates.exclude(source=PROBE).filter(asked_at__gte=take_over.state_at).exclude(seen="")
    records: list[bytes] = []
    size = 0
    for seen in shown.order_by("oid_key").values_list("seen", flat=True).iterator():
        record = seen.encode()
        if records and size + len(record) + 2 > audit.MAX_RAW_BYTES:
            yield b"[" + b",".join(records) + b"]"
            records, size = [], 0
        records.append(record)
        size += len(record) + 1
    yield b"[" + b",".join(records) + b"]"


def _store(take_over: TakeOver, place: _Place, answer: PageAnswer, *, actor: Actor, pace: float) -> None:
    """Store the page and where the next one begins, unless the scan was stopped or another worker leased it."""
    with audit.atomic(actor) as history:
        gate = breaker.lock_gate(take_over.environment)
        breaker.apply_outcome(history, gate, answer.outcome)
        following = _following(take_over, place, answer, gate)
        if not lease.release_scan(take_over, **_values(take_over, following, clock.now(), pace)):
            return
        failpoints.reach("in-storing-page")
        if answer.listing is not None:
            scan_matches.store_matches(take_over, answer.listing, answer.asked_at)
        if following.then is _Then.BREAK:
            take_over.read_count += following.read
            log_run_and_delete_probes(history, take_over, following.reason)
        elif following.then is _Then.ASK_OIDS:
            scan_probes.begin_probes(take_over)


def _values(take_over: TakeOver, following: _Next, moment: datetime.datetime, pace: float) -> dict[str, Any]:
    """The arguments of `lease.release_scan`: the take-over's new columns, and until when its lease lasts."""
    values: dict[str, Any] = {
        "position": following.place.to_json() if following.place else {},
        "read_count": take_over.read_count + following.read,
        "end_reason": following.reason,
        "until": moment + seconds(pace),
    }
    if following.too_large is not None:
        source = f"Organization {following.too_large:,} of the directory"
        values["problems"] = [*take_over.problems, {"source": source, "sentence": TOO_LARGE}]
    if following.has_repeated and not may_miss_some(take_over):
        source = f"Page {take_over.position['pages'] + 1:,} of the directory"
        values["problems"] = [*take_over.problems, {"source": source, "sentence": MAY_MISS_SOME}]
    if following.then is _Then.BREAK:
        values |= {"state": TakeOverState.READY, "state_at": moment, "until": None}
    return values


def _following(take_over: TakeOver, place: _Place, answer: PageAnswer, gate: EnvironmentGate) -> _Next:
    if answer.listing is not None:
        following, repeats = _after_listing(place, answer.listing), _repeats(place, answer.listing)
        return replace(following, has_repeated=repeats and following.reason != REPEATED)
    if answer.is_too_large:
        return _after_too_large(take_over, place)
    outcome = answer.outcome
    waits = outcome is None or outcome.stops != "" or outcome.hold_seconds is not None
    is_ours = outcome is not None and outcome.fault is not None and outcome.fault.is_ours
    can_repeat = outcome is not None and breaker.counts_as_failure(outcome) and gate.failures < MOST_FAILURES
    if waits or is_ours or can_repeat:
        return _Next(place=place)
    return _Next(place=place, then=_Then.BREAK, reason=answer.cause)


def _after_listing(place: _Place, listing: Listing) -> _Next:
    position = place.position
    step = after_page(
        position,
        received=listing.received,
        distinct=len(listing.distinct),
        total=listing.total,
        fingerprint=listing.fingerprint,
        most_pages=MOST_PAGES * (position.pages // MOST_PAGES + 1),  # when a person continues, as many more
        trusts_short_page=False,  # one more Query in each pass, but nothing of ours is missed behind a smaller limit
    )
    # Not counted in the second pass: it repeats organizations of the first, unless the directory left them out there.
    shown = _digests(listing)
    read = len(shown - place.last_page) if place.active is None else 0
    following = place._replace(position=step.position, last_page=shown)
    if place.active is False and any(record.active for record in listing.records):
        return _Next(place=None, then=_Then.ASK_OIDS)  # the directory ignores the filter
    if step.end is None:
        return _Next(place=following, read=read)
    if step.is_whole:
        if place.active is None:
            return _Next(place=_Place(Position(limit=position.limit), active=False), read=read)
        return _Next(place=None, then=_Then.ASK_OIDS, read=read)
    if step.end is End.MOST_PAGES:
        return _Next(place=following, then=_Then.BREAK, read=read, reason=CAP)
    is_repeated = step.end is End.REPEATED_PAGE
    reason = REPEATED if is_repeated else EMPTY
    return _Next(place=place if is_repeated else following, then=_Then.ASK_OIDS, reason=reason)


def _repeats(place: _Place, listing: Listing) -> bool:
    """Whether a page shows an organization twice, or one that was on the page before."""
    return len(listing.distinct) < listing.received or not place.last_page.isdisjoint(_digests(listing))


def _digests(listing: Listing) -> frozenset[str]:
    return frozenset(salted_hmac(__name__, text, algorithm="sha256").hexdigest()[:16] for text in listing.distinct)


def _after_too_large(take_over: TakeOver, place: _Place) -> _Next:
    """Ask for half of the page. Skip an organization that is too large to be read even alone."""
    position = place.position
    step = after_cut_off(position)
    if step.end is None:
        return _Next(place=place._replace(position=step.position))
    if len(take_over.problems) >= MOST_PROBLEMS:
        return _Next(place=place, then=_Then.BREAK, reason=MANY_PROBLEMS)
    beyond = replace(position, index=position.index + 1, limit=FIRST_LIMIT)
    return _Next(place=place._replace(position=beyond), too_large=position.index + 1)
