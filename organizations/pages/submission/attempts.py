"""The attempts of a submission and their answers, from its entries in the history."""

import datetime
from dataclasses import dataclass
from typing import Any

from organizations.models import Action, AuditEntry
from organizations.text import vocabulary
from organizations.text.markup import plain

MOST_SHOWN = 64 * 1024
"""Bytes of an answer that the page shows. The history has all that were stored."""

_ANSWERS = (Action.ATTEMPT_RESPONSE, Action.ATTEMPT_LATE)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send, with its result so far."""

    number: int
    started: datetime.datetime
    took: str
    http_status: int | None
    word: vocabulary.Word | None
    text: str
    ids: tuple[tuple[str, str], ...]
    answer_sequence: int | None


@dataclass(frozen=True, slots=True)
class RawExchange:
    """A request or response: its text, with bytes that are not UTF-8 escaped, and its size in bytes."""

    text: str
    size: int
    cut: bool
    http_status: int | None = None
    sequence: int | None = None

    @property
    def length(self) -> str:
        """The size of the message as "1,239 bytes"."""
        return vocabulary.count(self.size, "byte")


def attempts(entries: list[AuditEntry]) -> list[Attempt]:
    """The newest first."""
    numbers = sorted({entry.attempt for entry in entries if entry.attempt}, reverse=True)
    return [_attempt(number, [entry for entry in entries if entry.attempt == number]) for number in numbers]


def last_answer(entries: list[AuditEntry]) -> AuditEntry | None:
    """The entry of the newest response, even if it came too late."""
    return next((entry for entry in reversed(entries) if entry.action in _ANSWERS), None)


def last_query(entries: list[AuditEntry]) -> AuditEntry | None:
    """The entry of the newest Query, with or without an answer."""
    return next((entry for entry in reversed(entries) if entry.action == Action.SUBMISSION_ASKED), None)


def was_sent_after(asked: AuditEntry, entries: list[AuditEntry]) -> bool:
    """Whether the message was sent again after this Query, which then says nothing about the result."""
    return any(entry.action == Action.ATTEMPT_INTENT and entry.sequence > asked.sequence for entry in entries)


def seconds(milliseconds: int | None) -> str:
    """The duration as "1.4 s" or "12 ms"; "" if nothing was measured."""
    if milliseconds is None:
        return ""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 100 else f"{milliseconds} ms"


def raw_exchange(
    content: bytes, *, http_status: int | None = None, sequence: int | None = None, size: int = 0
) -> RawExchange:
    """Bytes as text, unchanged except for characters that no page can show."""
    text = content[:MOST_SHOWN].decode("utf-8", "backslashreplace")
    whole = size or len(content)
    return RawExchange(plain(text), whole, whole > MOST_SHOWN, http_status, sequence)


def _attempt(number: int, entries: list[AuditEntry]) -> Attempt:
    answer = next((entry for entry in reversed(entries) if entry.action == Action.ATTEMPT_RESPONSE), None)
    outcome = next((entry for entry in reversed(entries) if entry.action == Action.ATTEMPT_OUTCOME), None)
    facts = outcome.facts if outcome else {}
    return Attempt(
        number=number,
        started=entries[0].at,
        took=seconds(facts.get("duration_ms")),
        http_status=outcome.http_status if outcome else None,
        word=vocabulary.ATTEMPT[outcome.outcome] if outcome else None,
        text=_outcome_detail(outcome, facts),
        ids=tuple(
            (label, plain(facts[key]))
            for label, key in (("Message", "redox_message_id"), ("Log", "redox_log_id"))
            if facts.get(key)
        ),
        answer_sequence=answer.sequence if answer else None,
    )


def _outcome_detail(outcome: AuditEntry | None, facts: dict[str, Any]) -> str:
    """The detail shown next to the outcome; unclear answers leave out their body, which may be a whole web page."""
    if outcome is None or outcome.outcome == "accepted":
        return ""
    if outcome.outcome == "unknown" and outcome.http_status:
        return "The answer neither accepted nor rejected it."
    return plain(facts.get("detail", ""))
