"""Since when the directory shows a value that differs, by the stored answers to Queries; no day if none tells it."""

import datetime
from dataclasses import replace
from typing import Any

from organizations.models import Action, AuditEntry, Organization
from organizations.pages.comparison.field_lines import Lines
from organizations.pages.comparison.field_rows import FieldRow, Fields, RecordSides, field_rows
from organizations.records import OrganizationRecord

MOST_READINGS = 50
"""How many stored answers are looked at, the newest; where the first one lies before them no day is named."""


def dated(found: Fields, organization: Organization, sides: RecordSides) -> Fields:
    """The fields, each that differs in the directory with the first reading that showed its value; one query."""
    if not any(row.is_adrift for row in found.differing):
        return found
    since = _since(organization, sides)
    return found._replace(differing=tuple(_dated(row, since) for row in found.differing))


def _dated(row: FieldRow, since: dict[str, datetime.datetime]) -> FieldRow:
    return replace(row, seen_since=since.get(row.label)) if row.is_adrift else row


def _since(organization: Organization, sides: RecordSides) -> dict[str, datetime.datetime]:
    """By the label of each field: the first of the readings that show, one after the other, what the last one shows."""
    readings, is_whole = _readings(organization)
    since: dict[str, datetime.datetime] = {}
    values = shown = _adrift(sides, readings[0][1]) if readings else {}
    last = readings[0][1] if readings else None
    for asked_at, seen in readings:
        if seen != last:
            shown, last = _adrift(sides, seen), seen
        values = {label: value for label, value in values.items() if label in shown and shown[label] == value}
        since |= dict.fromkeys(values, asked_at)
        if not values:
            break
    return since if is_whole else {label: at for label, at in since.items() if label not in values}


def _adrift(sides: RecordSides, seen: OrganizationRecord | None) -> dict[str, Lines | None]:
    if seen is None:
        return {}
    return {row.label: row.seen for row in field_rows(replace(sides, seen=seen)).differing if row.is_adrift}


def _readings(organization: Organization) -> tuple[list[tuple[datetime.datetime, OrganizationRecord | None]], bool]:
    """The answers since the last acceptance, the newest first, and whether they are all."""
    asked = AuditEntry.objects.of_organization(organization.pk).filter(
        oid=organization.oid, action__in=(Action.ORGANIZATION_ASKED, Action.SUBMISSION_ASKED)
    )
    if organization.differs_since is not None:
        asked = asked.filter(at__gte=organization.differs_since)
    entries = list(asked.defer("raw")[:MOST_READINGS])
    told = [(entry, entry.facts.get("details", {})) for entry in entries]
    found = [
        (_asked_at(entry, details), OrganizationRecord.from_json(details["seen"]) if details.get("seen") else None)
        for entry, details in told
        if details.get("asked") and "active" not in details  # of three Queries for one answer only the last one counts
    ]
    known = organization.known_at
    later = [reading for reading in found if known is None or reading[0] >= known]
    return later, len(entries) < MOST_READINGS or len(later) < len(found)


def _asked_at(entry: AuditEntry, details: dict[str, Any]) -> datetime.datetime:
    at = details.get("asked_at")
    return datetime.datetime.fromisoformat(at) if at else entry.at
