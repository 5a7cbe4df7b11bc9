"""Builds HTTP answers in the envelopes that Redox documents."""

import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import islice
from typing import Any

MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. `is_cut`: the connection ends after half of the body."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False


class NoReply(Enum):
    """The ways of not answering."""

    BREAK_OFF = auto()  # the connection ends
    HOLD = auto()  # the connection stays open


def json_reply(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content).encode())


def text_reply(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, text.encode(), "text/plain; charset=utf-8", headers or {})


def error_detail(status: int, text: str) -> Reply:
    """The short error body, for errors before a message is read."""
    return json_reply(status, {"errorDetail": text})


def gateway_reply(status: int, reason: str) -> Reply:
    """An error page of a gateway between us and Redox, which cannot read messages."""
    page = f"<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>\n"
    return Reply(status, page.encode(), "text/html; charset=utf-8")


def too_many() -> Reply:
    """The documented answer to a request above the quota, with the quota in a header.

    Redox documents no time to wait. `Retry-After` is here so that people who try this need not wait five minutes.
    """
    return text_reply(429, "Too many requests", {"X-RateLimit-Limit": "10000", "Retry-After": "10"})


def meta(message: dict[str, Any] | None, event: str | None = None) -> dict[str, Any]:
    """The `Meta` of an answer, which repeats that of a well-formed message. `event`: its EventType, if it differs."""
    head = message["Meta"] if message else {}
    echoed = {key: head[key] for key in ("DataModel", "EventType") if key in head}
    if event:
        echoed["EventType"] = event
    return {**echoed, "Source": head.get("Source", {"ID": str(uuid.uuid5(uuid.NAMESPACE_URL, "practice source"))})}


def logs() -> list[dict[str, str]]:
    """The log entry that a person quotes to support."""
    return [{"ID": str(uuid.uuid4()), "AttemptID": str(uuid.uuid4())}]


def refusal(message: dict[str, Any] | None, status: int, texts: Iterable[str], module: str) -> Reply:
    """A rejection: `Meta.Errors` with an entry for each text, at most `MOST_ERRORS`. `message`: None if unreadable."""
    errors = [
        {"ID": 10_000_000 + secrets.randbelow(10_000_000), "Text": text, "Type": "message", "Module": module}
        for text in islice(texts, MOST_ERRORS)
    ]
    return json_reply(status, {"Meta": {**meta(message), "Logs": logs(), "Errors": errors}})
