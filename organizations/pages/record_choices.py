"""Suggestions for the fields in which people enter a record or a destination ID."""

from organizations.models import Environment
from organizations.pages.addresses import environment_url
from organizations.queries import choices
from organizations.queries.choices import Choice


def suggestion_attributes(environment: str) -> dict[str, str]:
    """The attributes of a field that fills the list `parents` beside it with records that match the typed text."""
    return {
        "data-hx-get": environment_url("suggestions", environment),
        "data-hx-trigger": "input changed delay:250ms",
        "data-hx-target": "#parents",
    }


def other_environment_sentence(environment: Environment, typed: str) -> str:
    """Says which record of the other environment the text names; "" if none."""
    record = choices.record_named(environment.other, typed)
    return f"{record.oid} is {record.name} in {environment.other.label}." if record else ""


def destinations(environment: str, parent_oid: str) -> list[Choice]:
    """Destination IDs in use in this environment: that of the parent first, then the most used."""
    own = choices.record_with_destination(environment, parent_oid)
    others = [each for each in choices.destinations(environment) if not own or each.value != own.destination_id]
    offered = [Choice(each.value, _used_by(each.name, each.records)) for each in others]
    if own:
        offered.insert(0, Choice(own.destination_id, f"Used by {own.name}, which this is part of"))
    return offered[: choices.MOST_DESTINATIONS]


def _used_by(name: str, records: int) -> str:
    if records > choices.MOST_USES:
        return f"Used by {name} and at least {choices.MOST_USES:,} more"
    return f"Used by {name}" if records == 1 else f"Used by {name} and {records - 1:,} more"
