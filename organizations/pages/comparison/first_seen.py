"""Since when the directory shows a value that differs, by the stored answers to Queries."""

import datetime
from collections.abc import Mapping
from dataclasses import replace

from organizations.models import Organization
from organizations.pages.comparison.field_rows import FieldRow, Fields, Lines, Sides, fields
from organizations.queries import readings
from organizations.records import OrganizationRecord


def with_days(compared: Fields, organization: Organization, sides: Sides) -> Fields:
    """The fields; each that differs in the directory gets the time of the first answer that showed its value.

    A field gets no time if no stored answer tells it. One query.
    """
    if not any(row.is_adrift for row in compared.differing):
        return compared
    since = _since(organization, sides)
    return compared._replace(differing=tuple(_with_day(row, since) for row in compared.differing))


def _with_day(row: FieldRow, since: Mapping[str, datetime.datetime]) -> FieldRow:
    return replace(row, seen_since=since.get(row.label)) if row.is_adrift else row


def _since(organization: Organization, sides: Sides) -> dict[str, datetime.datetime]:
    """By the label of each field: the oldest of the unbroken row of answers that show what the newest one shows."""
    answers, are_all = readings.since_acceptance(organization)
    if not answers:
        return {}
    since: dict[str, datetime.datetime] = {}
    previous = answers[0].seen
    values = shown = _adrift(sides, previous)
    for answer in answers:
        if answer.seen != previous:
            shown, previous = _adrift(sides, answer.seen), answer.seen
        values = {label: value for label, value in values.items() if label in shown and shown[label] == value}
        since |= dict.fromkeys(values, answer.asked_at)
        if not values:
            break
    # An older answer that was not read may have shown these values already.
    return since if are_all else {label: at for label, at in since.items() if label not in values}


def _adrift(sides: Sides, seen: OrganizationRecord | None) -> dict[str, Lines | None]:
    if seen is None:
        return {}
    return {row.label: row.seen for row in fields(replace(sides, seen=seen)).differing if row.is_adrift}
