"""One entry of the history with everything that is stored about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, Environment
from organizations.pages.addresses import url_of_oid
from organizations.pages.submission.attempts import RawExchange, raw_exchange
from organizations.queries import history, record_context
from organizations.text import sentences, vocabulary
from organizations.text.markup import link
from organizations.text.sentences import Sentence


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """`previous` and `following` are the numbers of the neighbours, if they exist."""

    entry: AuditEntry
    sentence: Sentence
    facts: list[tuple[str, str | SafeString]]
    changes: list[dict[str, str]]
    body: str
    raw: RawExchange | None
    previous: int | None
    following: int | None

    @property
    def raw_heading(self) -> str:
        headings: dict[str, str] = {
            Action.SUBMISSION_MADE: "The message as reviewed",
            Action.DIRECTORY_SCANNED: "The organizations of ours, as the portal read them",
        }
        return headings.get(self.entry.action, "The response as received")

    @property
    def is_raw_exact(self) -> bool:
        """Whether the bytes are those that were sent or received, and not made by the portal from an answer."""
        return self.entry.action != Action.DIRECTORY_SCANNED


def build(entry: AuditEntry) -> EntryFacts:
    facts = entry.facts
    previous, following = history.neighbours(entry.sequence)
    return EntryFacts(
        entry=entry,
        sentence=sentences.sentence_of(entry),
        facts=list(_facts(entry, facts)),
        changes=facts.get("changes", []),
        body=bytes(entry.body).decode(),
        raw=None if entry.raw is None else raw_exchange(bytes(entry.raw), size=facts.get("raw_bytes", 0)),
        previous=previous,
        following=following,
    )


def _facts(entry: AuditEntry, facts: Mapping[str, Any]) -> Iterator[tuple[str, str | SafeString]]:
    yield from _actor(facts["actor"])
    yield "Action", entry.action
    if entry.environment:
        yield "Environment", Environment(entry.environment).label
    if entry.oid:
        yield "Record", _record(entry, facts)
    if entry.version_after is not None:
        yield "Version of the record", str(entry.version_after)
    if entry.submission_id is not None:
        url = reverse("submission", args=[entry.environment, entry.submission_id])
        yield "Submission", link(url, entry.submission_id)
    if entry.attempt is not None:
        yield "Attempt", str(entry.attempt)
    if entry.http_status is not None:
        yield "HTTP status", str(entry.http_status)
    if entry.outcome:
        yield "Outcome", vocabulary.ATTEMPT[entry.outcome].word
    if facts.get("reason"):
        yield "Reason", facts["reason"]
    yield "Request ID", entry.request_id or "none"
    yield "Release of the portal", facts["release"]


def _actor(actor: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Who", actor["name"]
    if actor.get("username"):
        yield "User name", actor["username"]
    if actor["signed_in_by"]:
        yield "Signed in with", actor["signed_in_by"]
    if actor["address"]:
        yield "From address", actor["address"]


def _record(entry: AuditEntry, facts: Mapping[str, Any]) -> str | SafeString:
    about = facts.get("object", {})
    has_name = about.get("type") in ("organization", "submission")
    name = f"{about['name']}, {entry.oid}" if has_name else entry.oid
    if not record_context.has_record(entry.environment, entry.oid):
        return name
    return link(url_of_oid(entry.environment, entry.oid), name)
