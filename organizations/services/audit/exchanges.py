"""Converts an exchange to the fields of a history entry and back, so that it can be classified again later."""

from typing import Any

from organizations.models import AuditEntry
from organizations.redox.client import Exchange, Fault


def exchange_facts(exchange: Exchange, *, repeat: int = 0) -> dict[str, Any]:
    """The JSON values of an exchange, all but its body. `repeat` is 1 if it was made after the token was renewed."""
    return {
        "request_sha256": exchange.request_sha256,
        "sent": exchange.sent,
        "fault": exchange.fault.value if exchange.fault else None,
        "fault_text": exchange.fault_text,
        "status": exchange.status,
        "headers": exchange.headers,
        "body_cut": exchange.body_cut,
        "redacted": exchange.redacted,
        "duration_ms": exchange.duration_ms,
        "repeat": repeat,
    }


def exchange_body(exchange: Exchange | None, *, repeat: int = 0) -> dict[str, Any]:
    """The fields of an entry about an exchange: its facts, its raw bytes, and copies for filters. {} without one."""
    if exchange is None:
        return {}
    return {
        "raw": exchange.body,
        "raw_cut": exchange.body_cut,
        "http_status": exchange.status,
        "duration_ms": exchange.duration_ms,
        "exchange": exchange_facts(exchange, repeat=repeat),
    }


def stored_exchange(entry: AuditEntry) -> Exchange:
    """The exchange in an entry."""
    facts = entry.facts["exchange"]
    return Exchange(
        request_sha256=facts["request_sha256"],
        sent=facts["sent"],
        fault=Fault(facts["fault"]) if facts.get("fault") else None,
        fault_text=facts.get("fault_text", ""),
        status=facts.get("status"),
        headers=facts.get("headers", {}),
        body=bytes(entry.raw or b""),
        body_cut=facts.get("body_cut", False),
        redacted=facts.get("redacted", False),
        duration_ms=facts["duration_ms"],
    )


def is_repeat(entry: AuditEntry) -> bool:
    """Whether the exchange was made after the token was renewed."""
    return bool(entry.facts["exchange"].get("repeat"))
