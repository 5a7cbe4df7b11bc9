"""Which edit made a difference: the one that a person is named for. Nobody is named for what others did."""

import re
from collections.abc import Mapping

from organizations.models import AuditEntry
from organizations.records import Difference


def edit_of(found: Difference, edits: list[AuditEntry]) -> AuditEntry | None:
    """The newest of these edits, oldest first, that made this difference.

    Contacts move: their fields are found by the value that was saved, in the same place or else in any. Without one it
    is the newest edit that touched the field, or after which another contact may be in its place.
    """
    if found.field.startswith("contacts."):
        same_value = _edit_with_value(found, edits)
        if same_value is not None or _kind(found.field) == "removed":
            return same_value
    return _edit_that_touched(found.field, edits)


def _edit_with_value(found: Difference, edits: list[AuditEntry]) -> AuditEntry | None:
    alike = [
        (entry, change["field"])
        for entry in reversed(edits)
        for change in entry.facts.get("changes", [])
        if _saves(change, found)
    ]
    in_place = (entry for entry, field in alike if field == found.field)
    return next(in_place, alike[0][0] if alike else None)


def _saves(change: Mapping[str, str], found: Difference) -> bool:
    kind = _kind(found.field)
    if _kind(change["field"]) != kind:
        return False
    if kind == "removed":
        return change["before"] == found.before
    return bool(found.after) and change["after"] == found.after


def _kind(field: str) -> str:
    """What a field of contacts is, whatever the contact's place: "removed", "added", "work_phone"; else ""."""
    parts = field.split(".")
    if parts[0] != "contacts" or len(parts) < 2:
        return ""
    if parts[1] == "removed":
        return "removed"
    return parts[2] if len(parts) > 2 else "added"


def _edit_that_touched(field: str, edits: list[AuditEntry]) -> AuditEntry | None:
    for entry in reversed(edits):
        touched = entry.facts.get("fields", [])
        if field in touched or any(_moves(field, each) for each in touched):
            return entry
    return None


def _moves(field: str, touched: str) -> bool:
    """Whether a contact was added, removed or moved so that this field of contacts may belong to another one."""
    place, changed = re.match(r"contacts\.(\d+)", field), re.fullmatch(r"contacts\.(?:removed\.)?(\d+)", touched)
    if changed is not None and place is not None:
        return int(changed[1]) <= int(place[1])
    return field.startswith("contacts") and (changed is not None or touched == "contacts.order")
