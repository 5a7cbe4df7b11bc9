"""The history as a CSV or JSON file, one piece at a time; its head names the filters."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import QuerySet

from organizations.csv_cells import BYTE_ORDER_MARK, line
from organizations.models import AuditEntry
from organizations.pages.audit import filter_words
from organizations.pages.organizations.csv_export import ROWS_AT_ONCE
from organizations.queries import history
from organizations.queries.audit_filters import AuditFilters
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
class AuditExport:
    """The entries that match, up to the entry `last`, which was the newest when the export began, the oldest first."""

    filters: AuditFilters
    made_at: datetime
    made_by: str
    last: int

    @property
    def narrowed_to(self) -> list[str]:
        """The filters in words."""
        zone = "UTC" if self.filters.utc else str(self.filters.zone)
        filters = [filter_words.chip_text(self.filters, name) for name in self.filters.in_force]
        return [*filters, f"Days of: {zone}"] if self.filters.since or self.filters.until else filters or ["nothing"]

    @property
    def entries(self) -> QuerySet[AuditEntry]:
        return history.entries_to_export(self.filters, self.last)

    def name(self, form: str) -> str:
        return f"audit-{self.made_at.astimezone(UTC):%Y%m%d-%H%M%S}.{form}"

    def lines(self, form: str, count: int) -> Iterator[str]:
        return _csv(self, count) if form == "csv" else _json(self, count)


def export(filters: AuditFilters, made_at: datetime, made_by: str) -> AuditExport:
    return AuditExport(filters, made_at, made_by, history.last_sequence())


def _csv(export: AuditExport, count: int) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield line(["Audit history of orgportal"])
    yield line(["Made (UTC)", _utc(export.made_at)])
    yield line(["Made by", export.made_by])
    yield line(["Narrowed to", *export.narrowed_to])
    yield line(["Entries", str(count)])
    yield line([])
    yield line(COLUMNS)
    for entry in export.entries.iterator(chunk_size=ROWS_AT_ONCE):
        yield line(_cells(entry))


def _cells(entry: AuditEntry) -> Iterator[str]:
    facts = entry.facts
    yield str(entry.sequence)
    yield _utc(entry.at)
    yield entry.actor_name
    yield entry.action
    yield sentences.sentence_of(entry).text
    yield entry.environment
    yield entry.oid
    for number in (entry.version_after, entry.submission_id, entry.attempt, entry.http_status):
        yield "" if number is None else str(number)
    yield entry.outcome
    yield facts.get("reason", "")
    yield entry.request_id
    yield entry.hash
    yield facts["actor"].get("username", "")


def _json(export: AuditExport, count: int) -> Iterator[str]:
    head = {
        "made_at": export.made_at.astimezone(UTC).isoformat(),
        "made_by": export.made_by,
        "narrowed_to": export.narrowed_to,
        "count": count,
    }
    yield f'{json.dumps(head, ensure_ascii=False)[:-1]}, "entries": ['
    for place, entry in enumerate(export.entries.iterator(chunk_size=ROWS_AT_ONCE)):
        yield f"{',' if place else ''}\n{_object(entry)}"
    yield "\n]}\n"


def _object(entry: AuditEntry) -> str:
    """An entry as JSON. Its body is the stored bytes, so that a reader of the file can check its hash."""
    facts = {"sequence": entry.sequence, "previous_hash": entry.previous_hash, "hash": entry.hash}
    head = json.dumps(facts | {"sentence": sentences.sentence_of(entry).text}, ensure_ascii=False)
    return f'{head[:-1]}, "body": {bytes(entry.body).decode()}}}'


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
