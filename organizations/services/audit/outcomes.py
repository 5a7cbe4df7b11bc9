"""An outcome as the history keeps it, and back: a page reads what was judged then, it does not judge again."""

import dataclasses
import math
from typing import Any

from organizations.models import AuditEntry
from organizations.redox.client import Fault
from organizations.redox.outcome import Kind, Outcome

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Outcome) if field.name != "kind"}


def outcome_facts(outcome: Outcome) -> dict[str, Any]:
    """What differs from the default, as JSON values. Seconds to wait are rounded up: entries hold whole numbers."""
    values = {name: getattr(outcome, name) for name in _DEFAULTS}
    told = {name: value for name, value in values.items() if value != _DEFAULTS[name]}
    if outcome.fault is not None:
        told["fault"] = outcome.fault.value
    if outcome.hold_seconds is not None:
        told["hold_seconds"] = math.ceil(outcome.hold_seconds)
    return {"kind": outcome.kind.value, **told}


def stored_outcome(entry: AuditEntry | None) -> Outcome | None:
    """The outcome that an entry holds; None if there is none, as in entries of early releases."""
    kept = dict(entry.facts.get("judged", {})) if entry else {}
    if not kept:
        return None
    kept["kind"] = Kind(kept["kind"])
    if "fault" in kept:
        kept["fault"] = Fault(kept["fault"])
    return Outcome(**kept)
