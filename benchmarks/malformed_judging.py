"""Finds what is wrong with the answer to a malformed request: an error of the portal, or an incomplete write.

Needs settings; import it after `prepare`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection

from benchmarks.malformed_requests import MARKUP, Request
from organizations.models import Action, AuditEntry, AuditHead, Organization, Repetition, Submission, Throttle, User
from organizations.services.audit import audit

type Row = dict[str, Any]

REFUSALS = {Action.PERSON_REFUSED, Action.PERMISSION_REFUSED}
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
SESSIONS = "django_session"
HISTORY, HEAD = AuditEntry._meta.db_table, AuditHead._meta.db_table
_RECORDS, _SUBMISSIONS, _PEOPLE = (model._meta.db_table for model in (Organization, Submission, User))
_COUNTERS = {model._meta.db_table for model in (Repetition, Throttle)}
_OF_A_REFUSAL = {HISTORY, HEAD, SESSIONS, *_COUNTERS}


@dataclass(slots=True)
class Answer:
    """The answer to a request. Status 0: there was none."""

    status: int = 0
    heads: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    raised: str = ""
    logged: str = ""


class Change(NamedTuple):
    """A row before and after a request; None if the row was not there."""

    before: Row | None
    after: Row | None

    @property
    def key(self) -> Any:
        return next(iter((self.after or self.before or {}).values()))


type Tables = dict[str, dict[Any, Row]]
type Changes = Mapping[str, list[Change]]


def snapshot() -> Tables:
    """Every row of every table, by its first column."""
    tables: Tables = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.django_table_names()):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            rows = [tuple(bytes(each) if isinstance(each, memoryview) else each for each in row) for row in cursor]
            tables[table] = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    return tables


def changes_between(before: Tables, after: Tables) -> Changes:
    """The rows that differ, by table."""
    return {
        table: [
            Change(before[table].get(key), rows.get(key))
            for key in {**before[table], **rows}
            if before[table].get(key) != rows.get(key)
        ]
        for table, rows in after.items()
        if rows != before[table]
    }


def answer_errors(request: Request, answer: Answer, changes: Changes) -> list[str]:
    """What is wrong, in words."""
    faults = []
    if answer.status >= 500:
        faults.append(f"status {answer.status}")
    if answer.raised:
        faults.append(f"raised {answer.raised.strip().splitlines()[-1][:200]}")
    if answer.logged:
        faults.append(f"logged {answer.logged[:200]}")
    if MARKUP.encode() in answer.body and _is_html(answer):
        faults.append("the page holds what was sent as markup")
    if any("\r" in value or "\n" in value for _, value in answer.heads):
        faults.append("a header has two lines")
    return faults + (list(_half_writes(request, answer, changes)) if changes else [])


def _is_html(answer: Answer) -> bool:
    return any(name.lower() == "content-type" and "html" in value for name, value in answer.heads)


def _half_writes(request: Request, answer: Answer, changes: Changes) -> Iterator[str]:
    """Writes that should not have happened, or that are incomplete."""
    if any(change.before is not None for change in changes.get(HISTORY, [])):
        yield "an entry of the history was changed"
    added = [change.key for change in changes.get(HISTORY, [])]
    entries = list(AuditEntry.objects.filter(sequence__in=added).order_by("sequence"))
    actions = {entry.action for entry in entries}
    others = set(changes) - _OF_A_REFUSAL
    what = f"changed {', '.join(sorted(others)) or 'no table'}; entries: {', '.join(sorted(actions)) or 'none'}"
    if answer.status >= 400 and (others or not actions <= REFUSALS):
        yield f"was refused, but {what}"
    if request.method.upper() in SAFE and (others or not actions <= REFUSALS | {Action.EXPORT_MADE}):
        yield f"only read, but {what}"
    if others and not entries:
        yield f"without an entry {what}"
    yield from _missing_entries(changes, entries)
    if not _is_chained(entries):
        yield "the chain of the history is broken"


def _missing_entries(changes: Changes, entries: list[AuditEntry]) -> Iterator[str]:
    """Records, submissions and people that changed without an entry of the same transaction that names them."""
    names_in_entries: dict[str, set[Any]] = {
        _RECORDS: {entry.organization_id for entry in entries},
        _SUBMISSIONS: {entry.submission_id for entry in entries},
        _PEOPLE: {int(entry.facts["object"]["id"] or 0) for entry in entries if entry.action.startswith("person.")},
    }
    for table, ids in names_in_entries.items():
        for change in changes.get(table, []):
            if change.key not in ids:
                yield f"{table} {change.key} changed without an entry that names it"


def _is_chained(entries: Iterable[AuditEntry]) -> bool:
    before = ""
    for entry in entries:
        before = before or AuditEntry.objects.get(sequence=entry.sequence - 1).hash
        if entry.hash != audit.hash_of(entry.sequence, before, bytes(entry.body)) or entry.previous_hash != before:
            return False
        before = entry.hash
    return not before or AuditHead.objects.get(pk=1).hash == before
