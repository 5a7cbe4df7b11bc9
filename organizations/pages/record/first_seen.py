"""When the directory began to show each value that differs, by the stored answers to Queries."""

import datetime
from dataclasses import replace

from organizations.models import Organization
from organizations.pages.comparison.field_lines import Lines
from organizations.pages.comparison.field_rows import Fields, RecordSides, field_rows
from organizations.queries.directory_readings import readings_since_acceptance
from organizations.records import OrganizationRecord


def with_first_seen(fields: Fields, organization: Organization, sides: RecordSides) -> Fields:
    """The fields; each that differs in the directory with the time of the first reading that showed its value."""
    if not any(row.is_adrift for row in fields.differing):
        return fields
    since = _first_seen(organization, sides)
    rows = (replace(row, seen_since=since.get(row.label)) if row.is_adrift else row for row in fields.differing)
    return fields._replace(differing=tuple(rows))


def _first_seen(organization: Organization, sides: RecordSides) -> dict[str, datetime.datetime]:
    """When the directory began to show the value that it shows now, by the label of each field.

    Readings are compared from the newest back, until one shows another value. A field has no time if no stored reading
    shows another value, and older readings may be missing.
    """
    readings, is_whole = readings_since_acceptance(organization)
    since: dict[str, datetime.datetime] = {}
    newest = readings[0][1] if readings else None
    values = reading_values = _adrift_values(sides, newest)
    last = newest
    for asked_at, seen in readings:
        if seen != last:
            reading_values, last = _adrift_values(sides, seen), seen
        values = dict(values.items() & reading_values.items())
        since |= dict.fromkeys(values, asked_at)
        if not values:
            break
    return since if is_whole else {label: at for label, at in since.items() if label not in values}


def _adrift_values(sides: RecordSides, seen: OrganizationRecord | None) -> dict[str, Lines | None]:
    if seen is None:
        return {}
    return {row.label: row.seen for row in field_rows(replace(sides, seen=seen)).differing if row.is_adrift}
