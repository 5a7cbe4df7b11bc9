"""Every exchange about a submission in order of time: attempts, and the Queries that asked what became of it."""

import datetime
import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

from organizations.models import Action, AuditEntry, State, Submission
from organizations.pages.comparison.sent_and_seen import compare_sent_with_seen
from organizations.pages.submission.attempts import Attempt, attempts, seconds
from organizations.records import OrganizationRecord
from organizations.services.outbox import answers
from organizations.text import vocabulary
from organizations.text.markup import plain
from organizations.text.vocabulary import count

MOST_QUERIES = 20
"""The newest; a message of unknown fate is asked about for a day. The history has all."""

SHOWS_SENT = vocabulary.Word("sent", "Showed what was sent", "check-circle", "is-yes", "")
MEANS_SAME = vocabulary.Word("same", "Showed values that mean the same", "check-circle", "is-quiet", "")
SHOWS_OTHERS = vocabulary.Word("differs", "Showed other values", "differs", "is-unsure", "")
SHOWS_NOTHING = vocabulary.Word("absent", "Did not show the OID", "minus-circle", "is-quiet", "")
NOT_ANSWERED = vocabulary.Word("failed", "No answer that counts", "question-mark-circle", "is-unsure", "")
_ASKED_FOR = {"none": "asked without Active", "true": "asked for active ones", "false": "asked for deactivated ones"}
"""Of the Queries before the last one: an OID is absent only when none of the three shows it."""


@dataclass(frozen=True, slots=True)
class DirectoryQuery:
    """One question to the directory and what its answer showed. `sequence` is its entry in the history."""

    started: datetime.datetime
    took: str
    http_status: int | None
    word: vocabulary.Word
    text: str
    sequence: int
    is_evidence: bool


class ExchangeRow(NamedTuple):
    """An attempt or a Query; the other one is None."""

    started: datetime.datetime
    attempt: Attempt | None = None
    query: DirectoryQuery | None = None


class Exchanges(NamedTuple):
    """The rows, oldest first, and how many Queries before them are left to the history."""

    rows: tuple[ExchangeRow, ...]
    earlier: int


def exchanges(submission: Submission, entries: list[AuditEntry], evidence: AuditEntry | None) -> Exchanges:
    """The rows of a submission by its entries. `evidence` is that of the Query that its end rests on."""
    asked = [entry for entry in entries if entry.action == Action.SUBMISSION_ASKED]
    newest = asked[-MOST_QUERIES:]
    sent = answers.record_of(submission) if newest else None
    again = _sent_again_after(entries)
    queries = [
        _query(entry, sent, because=again.get(entry.sequence, ""), is_evidence=entry == evidence) for entry in newest
    ]
    rows = [ExchangeRow(each.started, attempt=each) for each in reversed(attempts(entries))]
    rows += [ExchangeRow(each.started, query=each) for each in queries]
    return Exchanges(tuple(sorted(rows, key=lambda row: row.started)), len(asked) - len(newest))


def _sent_again_after(entries: list[AuditEntry]) -> dict[int, str]:
    """Why the portal queued the message again after a Query, by the sequence of that Query's entry."""
    return {
        before.sequence: plain(entry.facts.get("reason", ""))
        for before, entry in itertools.pairwise(entries)
        if before.action == Action.SUBMISSION_ASKED
        and entry.action == Action.SUBMISSION_SETTLED
        and entry.actor_id is None  # what a person decided stands under How we know, with the name
        and entry.facts.get("details", {}).get("state") == State.QUEUED
    }


def _query(entry: AuditEntry, sent: OrganizationRecord | None, *, because: str, is_evidence: bool) -> DirectoryQuery:
    facts = entry.facts
    details = facts.get("details", {})
    at = details.get("asked_at")
    word, text = _showed(facts, details, sent)
    if details.get("reads_back"):
        text = f"{text}, after the acceptance".removeprefix(", ")
    if because:
        text = f"{text}. {because} It was queued again.".removeprefix(". ")
    return DirectoryQuery(
        datetime.datetime.fromisoformat(at) if at else entry.at,
        seconds(facts.get("duration_ms")),
        entry.http_status,
        word,
        text,
        entry.sequence,
        is_evidence,
    )


def _showed(
    facts: dict[str, Any], details: dict[str, Any], sent: OrganizationRecord | None
) -> tuple[vocabulary.Word, str]:
    """What the answer showed; a body that was not understood is left to the history."""
    if not details.get("asked"):
        detail = plain(facts.get("detail", "")).strip()
        return NOT_ANSWERED, "" if detail.startswith(("<", "{", "[")) else detail.rstrip(".")
    if not details.get("seen") or sent is None:
        return SHOWS_NOTHING, _ASKED_FOR.get(details.get("active", ""), "")
    seen = OrganizationRecord.from_json(details["seen"])
    rows = compare_sent_with_seen(sent, seen, None)
    different = sum(1 for row in rows if row.equal is False)
    if different:
        return SHOWS_OTHERS, count(different, "field differs", "fields differ")
    is_exact = seen.contacts == sent.contacts and not any(row.means_same for row in rows)
    return (SHOWS_SENT if is_exact else MEANS_SAME), ""
