"""The record that replaces a deactivated one, found by the text that was typed."""

from collections.abc import Collection

from organizations.forms.deactivation import Replacement
from organizations.models import Environment, Presence
from organizations.pages import record_choices
from organizations.queries import choices
from organizations.queries.record_context import record_at


def read_replacement(environment: Environment, typed: str, *, without: Collection[int]) -> Replacement | str:
    """The active record that the text names by OID or name, or why there is none. Ids in `without` do not count."""
    text = typed.replace("\x00", "")
    replacement = record_at(environment, choices.oid_named(environment, text), without=without)
    if replacement is None:
        error = f"This does not name exactly one other record of yours in {environment.label}."
        other_environment = record_choices.other_environment_sentence(environment, text)
        return " ".join(filter(None, (error, other_environment, "Enter its OID, or its name.")))
    if replacement.presence == Presence.PRESENT and replacement.confirmed_active is False:
        return f"{replacement.name} is deactivated as well. Name an active record."
    return Replacement(replacement.name, replacement.oid)
