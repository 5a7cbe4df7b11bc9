"""Records as CSV lines for spreadsheets."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from organizations.csv_cells import BYTE_ORDER_MARK, line
from organizations.models import Environment, Organization, RecordKind
from organizations.models.organization import OrganizationQuerySet
from organizations.pages.organizations.rows import standing_of, to_do_of
from organizations.queries import record_rows
from organizations.records import ADDRESS_LABELS, CONTACT_LABELS, ContactRecord, OrganizationRecord
from organizations.text import evidence

ROWS_AT_ONCE = 500
NOT_LINKED = "Not linked"
"""The directory status of a missing counterpart. The other environment may still have a record of the organization."""

STATE_HEAD = (
    "Directory status",
    "To do",
    "Fields not accepted",
    "Last accepted (UTC)",
    "Accepted by",
    "Directory asked (UTC)",
    "Directory differs",
    "OID belongs to",
    "Last edited (UTC)",
)
"""The headings of `state_cells`."""
_HEAD = (
    "Environment",
    "OID",
    "Name",
    "Aliases",
    "Own identifiers",
    "Kind of record",
    "PartOf",
    "Destination ID",
    "Active (saved here)",
    *STATE_HEAD,
    "Counterpart OID",
    "Counterpart directory status",
)


def csv_lines(organizations: OrganizationQuerySet) -> Iterator[str]:
    """The head, then a line for each record. It has columns for the contacts of the record with the most contacts."""
    contacts = record_rows.most_contacts(organizations)
    yield BYTE_ORDER_MARK + line(_head(contacts))
    for batch in record_rows.with_parts(organizations, ROWS_AT_ONCE):
        counterparts = record_rows.counterparts(batch)
        for organization in batch:
            yield line(_cells(organization, counterparts.get(organization.pk), contacts))


def _head(contacts: int) -> list[str]:
    of_contacts = [f"Contact {number + 1}, {label}" for number in range(contacts) for label in CONTACT_LABELS.values()]
    return [*_HEAD, *ADDRESS_LABELS.values(), *of_contacts]


def _cells(organization: Organization, counterpart: Organization | None, contacts: int) -> Iterator[str]:
    record = organization.record()
    yield from _identity(organization, record)
    yield from state_cells(organization)
    yield counterpart.oid if counterpart else ""
    yield standing_of(counterpart).word if counterpart else NOT_LINKED
    yield from (getattr(record.address, name) for name in ADDRESS_LABELS)
    for position in range(contacts):
        contact = record.contacts[position] if position < len(record.contacts) else ContactRecord()
        for name in CONTACT_LABELS:
            value = getattr(contact, name)
            yield _lines(value) if isinstance(value, tuple) else value


def _identity(organization: Organization, record: OrganizationRecord) -> Iterator[str]:
    yield Environment(organization.environment).label
    yield record.oid
    yield record.name
    yield _lines(record.aliases)
    yield _lines(f"{identifier.value} ({identifier.kind})" for identifier in record.identifiers)
    yield RecordKind(organization.stands_for).label
    yield record.part_of_oid
    yield record.destination_id if record.destination_known else "not known"
    yield "true" if record.active else "false"


def _lines(values: Iterable[str]) -> str:
    """Values in one cell, each on its own line: any other separator could be part of a value."""
    return "\n".join(values)


def state_cells(organization: Organization) -> Iterator[str]:
    """What is known about a record in the directory, and what is to do."""
    yield standing_of(organization).word
    yield _lines(each.word.word for each in to_do_of(organization))
    yield str(organization.changes)
    yield _time(organization.confirmed_at)
    yield evidence.export_value(organization)
    yield _time(organization.seen_at)
    is_uncompared = organization.baseline_record() is None and organization.later_reading() is not None
    yield "" if is_uncompared else str(organization.differs)
    yield (organization.foreign_name or "another organization") if organization.is_foreign else ""
    yield _time(organization.edited_at)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else ""
