"""The search of the directory: builds a Query with filters, and reads one page of its answer. No I/O, no clock.

If one organization of a page cannot be read, it is named and the others are read. `read_query_answer` in `messages.py`
is stricter, because its answer decides what is sent.
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from organizations.fields import oid_or_text
from organizations.oid import Oid, OidError
from organizations.records import IdentifierRecord, OrganizationRecord
from organizations.redox import messages, numbers
from organizations.redox.environment import DIRECTORY, RedoxEnvironment
from organizations.redox.strict_json import (
    AnswerNotUnderstood,
    JsonObject,
    WrongValue,
    check_value,
    read_json_loosely,
    without_empty,
)

MOST_ENTRIES = 10_000
"""The most organizations in an answer. No answer of 1 MiB that can be read has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFilters:
    """The filters of a search; an empty one is not sent. `changed_since` is a time in ISO 8601.

    Redox documents neither the unit of `radius` nor whether a Query without Active shows deactivated records.
    """

    oid: str = ""
    name: str = ""
    zip_code: str = ""
    radius: str = ""
    state: str = ""
    active: bool | None = None
    changed_since: str = ""

    @property
    def is_oid_alone(self) -> bool:
        """Whether only the OID is set."""
        return self.oid != "" and self == SearchFilters(oid=self.oid)


class UnreadableEntry(NamedTuple):
    """An organization that cannot be read: its OID, or "" if that cannot be read either, and a sentence."""

    oid: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a search.

    `records` are the organizations that can be read, each OID once; `repeated` are the others with one of these OIDs.
    They may differ, also in their other OIDs. `received` counts all organizations of the page. `total` is Paging.Count;
    Redox does not say whether that counts the page or the whole result. `fingerprint` is equal for two pages with the
    same organizations. `distinct` has a text for each organization of the page: its OIDs, or the fingerprint of one
    that cannot be read.
    """

    records: tuple[OrganizationRecord, ...]
    unreadable: tuple[UnreadableEntry, ...]
    repeated: tuple[OrganizationRecord, ...]
    received: int
    total: int | None
    fingerprint: str
    distinct: frozenset[str]

    @property
    def doubled(self) -> tuple[str, ...]:
        """The OIDs of the organizations in `repeated`."""
        return tuple(record.oid for record in self.repeated)


def build_search(filters: SearchFilters, environment: RedoxEnvironment, *, index: int, limit: int) -> bytes:
    """The bytes of a Query with these filters, for `limit` organizations from number `index` (0 is the first)."""
    optional = {
        "Identifier": {"ID": filters.oid, "IDType": "OID" if filters.oid else ""},
        "NameSearch": {"Value": filters.name},
        "RadiusSearch": {"ZipCode": filters.zip_code, "Radius": filters.radius},
        "State": filters.state,
        "Active": filters.active,
        "LastUpdated": filters.changed_since,
        "Index": str(index),
        "Limit": str(limit),
    }
    return messages.json_bytes(
        {
            "Meta": messages.message_meta(messages.QUERY, environment),
            "Directory": DIRECTORY,
            **without_empty(optional),
        }
    )


def read_listing(body: bytes) -> Listing:
    """The organizations in a QueryResponse, each read on its own.

    Raises AnswerNotUnderstood if the body is not clearly a QueryResponse without errors.
    """
    answer = read_json_loosely(body)
    if not isinstance(answer, dict):
        raise AnswerNotUnderstood("the body is not an object")
    entries, total = answer.pop("Organizations", None), _total(answer.pop("Paging", None))
    check_value(answer)
    rest = JsonObject(answer, "")
    messages.check_is_query_response(rest)
    if not isinstance(entries, list):
        raise AnswerNotUnderstood("Organizations is not a list")
    if len(entries) > MOST_ENTRIES:
        raise AnswerNotUnderstood(f"it holds more than {MOST_ENTRIES} organizations")
    rest.unread.pop("Directory", None)
    if not entries and without_empty(rest.unread):
        raise AnswerNotUnderstood("Organizations is empty, but the answer holds something else")
    return _listing(entries, total, _fingerprint(entries))


def oids_of(record: OrganizationRecord) -> tuple[str, ...]:
    """Every OID of an organization that a Query showed; that of the record comes first."""
    others = numbers.parse_json(dict(record.carried).get(messages.OTHER_OIDS, "[]"))
    texts = [oid_or_text(each) for each in others if isinstance(each, str)] if isinstance(others, list) else []
    return tuple(dict.fromkeys([record.oid, *texts]))


def under_oid(record: OrganizationRecord, oid: str) -> OrganizationRecord:
    """The same organization under another one of its OIDs."""
    if oid == record.oid:
        return record
    others = [each for each in oids_of(record) if each != oid]
    carried = dict(record.carried) | {messages.OTHER_OIDS: numbers.compact_json(others)}
    return replace(record, oid=oid, carried=tuple(sorted(carried.items())))


def _listing(entries: list[Any], total: int | None, fingerprint: str) -> Listing:
    records: dict[str, OrganizationRecord] = {}
    unreadable, repeated, distinct = [], [], set()
    for number, entry in enumerate(entries, start=1):
        try:
            record = _read_entry(entry)
        except AnswerNotUnderstood as error:
            unreadable.append(_unreadable(entry, number, error))
            distinct.add(_fingerprint([entry]))
            continue
        distinct.add(" ".join(sorted(oids_of(record))))
        if record.oid in records:
            repeated.append(record)
        else:
            records[record.oid] = record
    return Listing(
        records=tuple(records.values()),
        unreadable=tuple(unreadable),
        repeated=tuple(repeated),
        received=len(entries),
        total=total,
        fingerprint=fingerprint,
        distinct=frozenset(distinct),
    )


def _read_entry(entry: Any) -> OrganizationRecord:
    check_value({"Organizations": [entry]})  # nested as in the answer, because the check limits the depth
    if not isinstance(entry, dict):
        raise AnswerNotUnderstood("it is not an object")
    organization = JsonObject(entry, "")
    identifiers = messages.identifiers_of(organization)
    oid = next(filter(None, map(_valid_oid, identifiers)), "")
    if not oid:
        raise AnswerNotUnderstood("it has no OID")
    record = messages.shown_record(organization, identifiers, oid)
    if not record.name.strip():
        raise AnswerNotUnderstood("it has no name")
    return record


def _valid_oid(identifier: IdentifierRecord) -> str:
    try:
        return Oid(messages.oid_of(identifier)).text
    except OidError:
        return ""


def _unreadable(entry: Any, number: int, error: AnswerNotUnderstood) -> UnreadableEntry:
    oid = _oid_in(entry)
    if oid and isinstance(error, WrongValue):
        return UnreadableEntry(oid, f"The directory shows {oid}, but its {error.field} cannot be read.")
    return UnreadableEntry(oid, f"{oid or f'Organization {number} of the page'} cannot be read: {error}.")


def _oid_in(entry: Any) -> str:
    """The first valid OID of an entry that cannot be read as a whole, or ""."""
    identifiers = entry.get("Identifiers") if isinstance(entry, dict) else None
    for part in identifiers if isinstance(identifiers, list) else ():
        value, kind = (part.get("ID"), part.get("IDType")) if isinstance(part, dict) else (None, None)
        if isinstance(value, str) and isinstance(kind, str):
            oid = _valid_oid(IdentifierRecord(value=value, kind=kind))
            if oid:
                return oid
    return ""


def _total(paging: Any) -> int | None:
    count = paging.get("Count") if type(paging) is dict else None  # an object that repeats a key has another type
    return int(count) if isinstance(count, str) and re.fullmatch(r"[0-9]{1,9}", count) else None


def _fingerprint(entries: list[Any]) -> str:
    """The SHA-256 of the organizations, independent of the order of their keys."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
