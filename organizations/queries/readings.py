"""What the directory answered about a record, from the stored answers to Queries."""

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from organizations.models import Action, AuditEntry, Organization
from organizations.records import OrganizationRecord

MOST_READINGS = 50
"""Only so many of the newest answers are read."""


class Reading(NamedTuple):
    """One answer. `seen` is None if the directory did not show the OID."""

    asked_at: datetime.datetime
    seen: OrganizationRecord | None


class Readings(NamedTuple):
    """The answers since the last acceptance, the newest first. `are_all` is False if older ones were not read."""

    readings: list[Reading]
    are_all: bool


def since_acceptance(organization: Organization) -> Readings:
    queries = AuditEntry.objects.of_organization(organization.pk).filter(
        oid=organization.oid, action__in=(Action.ORGANIZATION_ASKED, Action.SUBMISSION_ASKED)
    )
    if organization.differs_since is not None:
        queries = queries.filter(at__gte=organization.differs_since)
    entries = [(entry, entry.facts.get("details", {})) for entry in queries.defer("raw")[:MOST_READINGS]]
    # An answer with "active" belongs to three Queries for one answer: only the last of the three counts.
    found = [_reading(*each) for each in entries if each[1].get("asked") and "active" not in each[1]]
    known_at = organization.known_at
    later = [reading for reading in found if known_at is None or reading.asked_at >= known_at]
    return Readings(later, len(entries) < MOST_READINGS or len(later) < len(found))


def _reading(entry: AuditEntry, details: Mapping[str, Any]) -> Reading:
    asked_at = details.get("asked_at")
    return Reading(
        datetime.datetime.fromisoformat(asked_at) if asked_at else entry.at,
        OrganizationRecord.from_json(details["seen"]) if details.get("seen") else None,
    )
