"""Converts an outcome to the facts of a history entry and back, so that pages need not classify again."""

import dataclasses
import math
from typing import Any

from organizations.models import AuditEntry
from organizations.redox.client import Fault
from organizations.redox.outcome import Kind, Outcome

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Outcome) if field.name != "kind"}


def outcome_facts(outcome: Outcome) -> dict[str, Any]:
    """The values that differ from the default, as JSON. `hold_seconds` is rounded up: entries hold whole numbers."""
    values = {name: getattr(outcome, name) for name in _DEFAULTS}
    facts = {name: value for name, value in values.items() if value != _DEFAULTS[name]}
    if outcome.fault is not None:
        facts["fault"] = outcome.fault.value
    if outcome.hold_seconds is not None:
        facts["hold_seconds"] = math.ceil(outcome.hold_seconds)
    return {"kind": outcome.kind.value, **facts}


def stored_outcome(entry: AuditEntry | None) -> Outcome | None:
    """The outcome in an entry; None if it has none, as in entries of early releases."""
    facts = dict(entry.facts.get("judged", {})) if entry else {}
    if not facts:
        return None
    facts["kind"] = Kind(facts["kind"])
    if "fault" in facts:
        facts["fault"] = Fault(facts["fault"])
    return Outcome(**facts)
