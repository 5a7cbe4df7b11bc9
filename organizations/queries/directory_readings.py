"""The stored answers to Queries about a record."""

import datetime
from typing import Any, NamedTuple

from organizations.models import Action, AuditEntry, Organization
from organizations.records import OrganizationRecord

MOST_READINGS = 50
"""How many stored answers are read, the newest first."""


class Readings(NamedTuple):
    """When the directory was asked and what it showed, the newest first; None if it did not show the OID.

    `is_whole`: these are all readings since the last acceptance.
    """

    readings: list[tuple[datetime.datetime, OrganizationRecord | None]]
    is_whole: bool


def readings_since_acceptance(organization: Organization) -> Readings:
    """The stored answers since something was last accepted or taken; one query."""
    queries = AuditEntry.objects.of_organization(organization.pk).filter(
        oid=organization.oid, action__in=(Action.ORGANIZATION_ASKED, Action.SUBMISSION_ASKED)
    )
    if organization.differs_since is not None:
        queries = queries.filter(at__gte=organization.differs_since)
    entries = list(queries.defer("raw")[:MOST_READINGS])
    readings = []
    for entry in entries:
        details = entry.facts.get("details", {})
        # One answer takes up to three Queries: all but the last one name the Active that they asked for.
        if details.get("asked") and "active" not in details:
            seen = OrganizationRecord.from_json(details["seen"]) if details.get("seen") else None
            readings.append((_asked_at(entry, details), seen))
    known_at = organization.known_at
    later = [reading for reading in readings if known_at is None or reading[0] >= known_at]
    return Readings(later, len(entries) < MOST_READINGS or len(later) < len(readings))


def _asked_at(entry: AuditEntry, details: dict[str, Any]) -> datetime.datetime:
    at = details.get("asked_at")
    return datetime.datetime.fromisoformat(at) if at else entry.at
