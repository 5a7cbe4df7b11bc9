"""An exchange as the history keeps it, and back: what came can be judged again later, exactly as it came."""

from typing import Any

from organizations.models import AuditEntry
from organizations.redox.client import Exchange, Fault


def exchange_facts(exchange: Exchange, *, repeat: int = 0) -> dict[str, Any]:
    """Everything of an exchange but its body, as JSON values. `repeat` is 1 for one made after a new token was got."""
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
    """What an entry about an exchange holds: its facts, its raw bytes, and copies for searching."""
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
    """The exchange that an entry holds."""
    kept = entry.facts["exchange"]
    return Exchange(
        request_sha256=kept["request_sha256"],
        sent=kept["sent"],
        fault=Fault(kept["fault"]) if kept.get("fault") else None,
        fault_text=kept.get("fault_text", ""),
        status=kept.get("status"),
        headers=kept.get("headers", {}),
        body=bytes(entry.raw or b""),
        body_cut=kept.get("body_cut", False),
        redacted=kept.get("redacted", False),
        duration_ms=kept["duration_ms"],
    )


def is_repeat(entry: AuditEntry) -> bool:
    """Whether the exchange was made with a token got anew after a refusal."""
    return bool(entry.facts["exchange"].get("repeat"))
