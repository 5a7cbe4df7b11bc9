"""Find the edit that made a difference, so that a page names the person who made it and nobody else."""

import re

from organizations.models import AuditEntry
from organizations.records import ContactRecord, Difference, OrganizationRecord, contact_text, pair_contacts


def edit_of_ours(
    difference: Difference, edits: list[AuditEntry], baseline: OrganizationRecord | None
) -> AuditEntry | None:
    """Like `edit_of`, for a difference that one of these edits certainly made.

    If the contacts cannot be paired, it is the newest edit of any contact.
    """
    entry = edit_of(difference, edits, baseline)
    if entry is not None or not difference.field.startswith("contacts"):
        return entry
    return next((edit for edit in reversed(edits) if _touches_contacts(edit)), None)


def edit_of(difference: Difference, edits: list[AuditEntry], baseline: OrganizationRecord | None) -> AuditEntry | None:
    """The newest edit that made this difference; None if nobody here made it.

    `edits` are in order, the oldest first. A contact can change its position, so it is followed through the edits.
    `baseline`: the record before the first edit, if it is known.
    """
    if difference.field.startswith("contacts.removed."):
        return _removal_of(difference.before, edits, baseline)
    contact = re.fullmatch(r"contacts\.(\d+)((?:\.\w+)?)", difference.field)
    if contact is not None:
        return _edit_of_contact(int(contact[1]), contact[2], edits)
    return next((entry for entry in reversed(edits) if difference.field in entry.facts.get("fields", [])), None)


def _edit_of_contact(place: int, part: str, edits: list[AuditEntry]) -> AuditEntry | None:
    """The edit of a contact. `place`: its position after the last edit. `part`: such as ".name"; "" for all fields."""
    for index in range(len(edits) - 1, -1, -1):
        entry, whole = edits[index], f"contacts.{place}"
        fields = entry.facts.get("fields", [])
        if whole in fields or whole + part in fields or (not part and any(whole + "." in each for each in fields)):
            return entry
        if index == 0:
            break
        pairs = pair_contacts(_contacts(edits[index - 1]), _contacts(entry))
        before = next((old for old, new in pairs if new == place), None)
        if before is None:
            return entry
        place = before
    return None


def _removal_of(text: str, edits: list[AuditEntry], baseline: OrganizationRecord | None) -> AuditEntry | None:
    """The edit that removed a contact with this text, which the baseline had or an earlier edit added."""
    contacts_before = baseline.contacts if baseline else ()
    place, removal, version = _place_of(text, contacts_before), None, None
    for entry in edits:
        contacts = _contacts(entry)
        # Somebody took values from the directory or discarded changes between two edits.
        is_gap = version is not None and entry.version_after != version + 1
        version = entry.version_after
        if is_gap and baseline is not None and place is None and _touches_contacts(entry):
            contacts_before, place = baseline.contacts, _place_of(text, baseline.contacts)
        if place is None:
            place = _place_of(text, contacts)
        else:
            place = next((new for old, new in pair_contacts(contacts_before, contacts) if old == place), None)
            removal = entry if place is None else removal
        contacts_before = contacts
    return removal if place is None else None


def _touches_contacts(entry: AuditEntry) -> bool:
    return any(field.startswith("contacts.") for field in entry.facts.get("fields", []))


def _place_of(text: str, contacts: tuple[ContactRecord, ...]) -> int | None:
    return next((place for place, contact in enumerate(contacts) if contact_text(contact) == text), None)


def _contacts(entry: AuditEntry) -> tuple[ContactRecord, ...]:
    """The contacts after an edit."""
    return OrganizationRecord.from_json(entry.facts["record"]).contacts
