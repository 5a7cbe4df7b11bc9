"""Every exchange about a submission in order of time: its attempts, and the Queries about it."""

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
"""How many of the newest Queries the page shows. The portal asks about an unknown result for a day."""

SHOWS_SENT = vocabulary.Word("sent", "Showed what was sent", "check-circle", "is-yes", "")
MEANS_SAME = vocabulary.Word("same", "Showed values that mean the same", "check-circle", "is-quiet", "")
SHOWS_OTHERS = vocabulary.Word("differs", "Showed other values", "differs", "is-unsure", "")
SHOWS_NOTHING = vocabulary.Word("absent", "Did not show the OID", "minus-circle", "is-quiet", "")
NOT_ANSWERED = vocabulary.Word("failed", "No usable answer", "question-mark-circle", "is-unsure", "")
_ASKED_FOR = {"none": "asked without Active", "true": "asked for active ones", "false": "asked for deactivated ones"}
"""The three Queries that prove an OID absent: only if none of them shows it."""


@dataclass(frozen=True, slots=True)
class DirectoryQuery:
    """One Query and what its answer showed. `sequence` is the number of its entry in the history."""

    started: datetime.datetime
    took: str
    http_status: int | None
    word: vocabulary.Word
    text: str
    sequence: int
    is_evidence: bool


class ExchangeRow(NamedTuple):
    """Either an attempt or a Query; the other is None."""

    started: datetime.datetime
    attempt: Attempt | None = None
    query: DirectoryQuery | None = None


class Exchanges(NamedTuple):
    """The rows, oldest first, and how many earlier Queries only the history shows."""

    rows: tuple[ExchangeRow, ...]
    earlier: int


def exchanges(submission: Submission, entries: list[AuditEntry], evidence: AuditEntry | None) -> Exchanges:
    """The rows of a submission. `evidence` is the entry of the Query that is the evidence for its end."""
    asked = [entry for entry in entries if entry.action == Action.SUBMISSION_ASKED]
    newest = asked[-MOST_QUERIES:]
    sent = answers.message_record(submission) if newest else None
    again = _sent_again_after(entries)
    queries = [
        _query(entry, sent, because=again.get(entry.sequence, ""), is_evidence=entry == evidence) for entry in newest
    ]
    rows = [ExchangeRow(each.started, attempt=each) for each in reversed(attempts(entries))]
    rows += [ExchangeRow(each.started, query=each) for each in queries]
    return Exchanges(tuple(sorted(rows, key=lambda row: row.started)), len(asked) - len(newest))


def _sent_again_after(entries: list[AuditEntry]) -> dict[int, str]:
    """Why the portal queued the message again after a Query, by the number of that Query's entry."""
    return {
        before.sequence: plain(entry.facts.get("reason", ""))
        for before, entry in itertools.pairwise(entries)
        if before.action == Action.SUBMISSION_ASKED
        and entry.action == Action.SUBMISSION_SETTLED
        and entry.actor_id is None  # "How we know" shows what a person decided
        and entry.facts.get("details", {}).get("state") == State.QUEUED
    }


def _query(entry: AuditEntry, sent: OrganizationRecord | None, *, because: str, is_evidence: bool) -> DirectoryQuery:
    facts = entry.facts
    details = facts.get("details", {})
    at = details.get("asked_at")
    word, text = _query_result(facts, details, sent)
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


def _query_result(
    facts: dict[str, Any], details: dict[str, Any], sent: OrganizationRecord | None
) -> tuple[vocabulary.Word, str]:
    """What the answer showed, without a body that was not understood."""
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
