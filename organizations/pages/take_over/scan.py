"""What the pages of take-overs say about a search through the whole directory."""

import math
from collections.abc import Collection
from typing import NamedTuple

from organizations.models import TakeOver, TakeOverState
from organizations.queries import take_overs
from organizations.queries.take_overs import ScanCounts
from organizations.services.connection.lookup import ACTIVE_FILTERS
from organizations.services.directory import scan_probes
from organizations.services.directory.page_query import MAY_MISS_SOME
from organizations.services.directory.scan import PACE, may_miss_some
from organizations.services.directory.take_over import STOPPED
from organizations.services.timing import shortened
from organizations.text.links import numbered_url
from organizations.text.markup import written
from organizations.text.vocabulary import count

ASK_AGAIN = "Ask again for the others"
FIRST = "Messages that are due are sent first."
NOT_WHOLE = (
    "The directory may have more of your organizations. Only an OID that the portal asked about can be known to be"
    " missing."
)


class LastScan(NamedTuple):
    """The newest search through the whole directory, as one line."""

    url: str
    sentence: str
    is_running: bool


class ScanProgress(NamedTuple):
    """How far a search is. `total` is 0 while it is not known: the directory does not say how many pages it has."""

    heading: str
    sentence: str
    done: int
    total: int


def last_scan(environment: str) -> LastScan | None:
    take_over = take_overs.last_scan(environment)
    if take_over is None:
        return None
    counts = take_overs.scan_counts(take_over)
    is_running = take_over.state == TakeOverState.ASKING
    day = "Running now" if is_running else written(take_over.state_at, "day")
    early = ". It ended early" if take_over.end_reason and not is_running else ""
    sentence = f"{day}, {counts.found:,} found, {counts.not_here:,} not in the portal{early}"
    return LastScan(numbered_url("take-over-list", take_over.environment, take_over.pk), sentence, is_running)


def build_progress(take_over: TakeOver) -> ScanProgress:
    """The progress of a search whose directory is being asked, or its result."""
    counts = take_overs.scan_counts(take_over)
    read = f"{count(take_over.read_count, 'organization')} read, {counts.found:,} of yours found"
    if take_over.state == TakeOverState.ASKING and take_over.is_reading_pages:
        page = f"page {take_over.position['pages'] + 1:,}"
        if "active" in take_over.position:
            page = f"{page} of the deactivated organizations"
        return ScanProgress("Reading the directory", f"{read}; {page}. {FIRST}", take_over.read_count, 0)
    asked = max(take_over.probes_added - counts.waiting, 0)
    if take_over.state == TakeOverState.ASKING:
        numbers = f"{asked:,} of {count(take_over.probes_total, 'OID')} asked about."
        heading = "Asking about possible OIDs below your records"
        return ScanProgress(heading, f"{read}. {numbers} {FIRST}", asked, take_over.probes_total)
    heading = "The search ended early" if _ended_early(take_over) else "Searched"
    return ScanProgress(heading, _result(take_over, read, counts), asked, take_over.probes_total)


def probes_sentence(environment: str, base_oids: Collection[str]) -> str:
    """How many OIDs a search that begins now asks about below the records, and how long that takes at least."""
    number = scan_probes.number_of_probes(environment, base_oids)
    if not number:
        return "No base OID and no registered record is known yet, so only those that the search finds count."
    wait = _duration(number * len(ACTIVE_FILTERS) * shortened(PACE))
    return (
        f"About {number:,} OIDs now, and those below what the search finds. An OID that the directory does not have"
        f" takes {len(ACTIVE_FILTERS)} Queries, so this takes at least {wait}."
    )


def _duration(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    return count(minutes, "minute") if minutes < 120 else count(round(minutes / 60), "hour")


def unanswered_words(number: int, kind: str) -> str:
    """A sentence about OIDs without an answer. After "Stop asking" some of them were not asked about."""
    return f"{count(number, kind)} {'was' if number == 1 else 'were'} not asked about or got no answer."


def again_label(take_over: TakeOver) -> str:
    """The label of the button that asks again; "" if there is nothing to ask for."""
    if take_over.position or take_over.probes_left:
        return "Continue the search"
    return ASK_AGAIN if take_over.candidates.to_ask_again().exists() else ""


def _ended_early(take_over: TakeOver) -> bool:
    """Whether the search has not read the last page, or a person stopped it before the last OID was asked about.

    `end_reason` does not say so: it is also set, or emptied, when records are added.
    """
    is_left = bool(take_over.position) or take_over.probes_left > 0
    return is_left or take_over.candidates.filter(sentence=STOPPED).exists()


def _result(take_over: TakeOver, read: str, counts: ScanCounts) -> str:
    sentences = [f"{read}, {counts.not_here:,} not in the portal."]
    if unanswered := counts.unanswered + take_over.probes_left:
        sentences.append(unanswered_words(unanswered, "possible OID"))
    if may_miss_some(take_over):
        sentences.append(MAY_MISS_SOME)
    return " ".join([*sentences, NOT_WHOLE])
