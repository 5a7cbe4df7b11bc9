"""The history as a file, a piece at a time, with what it was narrowed to in its head."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import QuerySet

from organizations.csv_cells import BYTE_ORDER_MARK, line
from organizations.models import AuditEntry, AuditHead
from organizations.pages.organizations.csv_export import ROWS_AT_ONCE
from organizations.queries import audit_filters
from organizations.queries.audit_filters import Filters
from organizations.text import sentences

FORMATS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS = (
    "Entry",
    "Time (UTC)",
    "Who",
    "Action",
    "What happened",
    "Environment",
    "OID",
    "Version of the record",
    "Submission",
    "Attempt",
    "HTTP status",
    "Outcome",
    "Reason",
    "Request",
    "Hash",
    "User name",
)


@dataclass(frozen=True, slots=True)
class Export:
    """Every entry that fits and existed when the file was asked for, the oldest first."""

    filters: Filters
    made_at: datetime
    made_by: str
    last: int

    @property
    def narrowed_to(self) -> list[str]:
        zone = "UTC" if self.filters.utc else str(self.filters.zone)
        chosen = [audit_filters.said(self.filters, name) for name in self.filters.in_force]
        return [*chosen, f"Days of: {zone}"] if self.filters.since or self.filters.until else chosen or ["nothing"]

    @property
    def entries(self) -> QuerySet[AuditEntry]:
        found = audit_filters.narrowed(self.filters).filter(sequence__lte=self.last)
        return found.order_by("sequence").defer("raw", "search_text")

    def name(self, form: str) -> str:
        return f"audit-{self.made_at.astimezone(UTC):%Y%m%d-%H%M%S}.{form}"

    def lines(self, form: str, count: int) -> Iterator[str]:
        return _csv(self, count) if form == "csv" else _json(self, count)


def export(filters: Filters, made_at: datetime, made_by: str) -> Export:
    return Export(filters, made_at, made_by, AuditHead.objects.get(pk=1).sequence)


def _csv(made: Export, count: int) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield line(["Audit history of orgportal"])
    yield line(["Made (UTC)", _utc(made.made_at)])
    yield line(["Made by", made.made_by])
    yield line(["Narrowed to", *made.narrowed_to])
    yield line(["Entries", str(count)])
    yield line([])
    yield line(COLUMNS)
    for entry in made.entries.iterator(chunk_size=ROWS_AT_ONCE):
        yield line(_cells(entry))


def _cells(entry: AuditEntry) -> Iterator[str]:
    facts = entry.facts
    yield str(entry.sequence)
    yield _utc(entry.at)
    yield entry.actor_name
    yield entry.action
    yield sentences.tell(entry).text
    yield entry.environment
    yield entry.oid
    for number in (entry.version_after, entry.submission_id, entry.attempt, entry.http_status):
        yield "" if number is None else str(number)
    yield entry.outcome
    yield facts.get("reason", "")
    yield entry.request_id
    yield entry.hash
    yield facts["actor"].get("username", "")


def _json(made: Export, count: int) -> Iterator[str]:
    head = {
        "made_at": made.made_at.astimezone(UTC).isoformat(),
        "made_by": made.made_by,
        "narrowed_to": made.narrowed_to,
        "count": count,
    }
    yield f'{json.dumps(head, ensure_ascii=False)[:-1]}, "entries": ['
    for place, entry in enumerate(made.entries.iterator(chunk_size=ROWS_AT_ONCE)):
        yield f"{',' if place else ''}\n{_object(entry)}"
    yield "\n]}\n"


def _object(entry: AuditEntry) -> str:
    """The body stands here byte for byte as it is stored, so that its hash can be calculated from the file."""
    facts = {"sequence": entry.sequence, "previous_hash": entry.previous_hash, "hash": entry.hash}
    told = json.dumps(facts | {"sentence": sentences.tell(entry).text}, ensure_ascii=False)
    return f'{told[:-1]}, "body": {bytes(entry.body).decode()}}}'


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
