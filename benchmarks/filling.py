"""Fills an empty database with records, submissions and history, as after years of use.

The services would take hours. So the portal's own functions make one record of each kind, with its message, hashes and
history entries, and `row_templates.py` copies it: a million records take minutes. Set a new column of a model in
`_organization` or `_submission` only. A record depends only on its number, so more records can be added later.
Import this module after Django's settings are loaded.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, cycle, islice
from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model

from benchmarks.bulk_load import bulk_load
from benchmarks.made_up import (
    BASES,
    PERIOD,
    WAITING,
    Kind,
    Place,
    has_counterpart,
    kind_of,
    name_of,
    phone_of,
    place_of,
    record_at,
    zip_code_of,
)
from benchmarks.row_templates import Placeholders, Row, RowTemplate, moment_text, write
from organizations.folding import fold, name_key
from organizations.models import (
    Action,
    AuditEntry,
    AuditHead,
    Basis,
    Contact,
    Environment,
    Event,
    Evidence,
    Identifier,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    User,
)
from organizations.oid import Oid
from organizations.records import OrganizationRecord, canonical, difference
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.services import installation, search_text
from organizations.services.actors import Actor, person, system
from organizations.services.audit import audit
from organizations.services.connection import redox_settings
from organizations.services.records import directory_state

WORKER = system("Worker of the measurement")
START = datetime.datetime(2025, 11, 1, 14, tzinfo=datetime.UTC)
BETWEEN_ENTRIES = datetime.timedelta(seconds=150)
_CHUNK = 5000
_SENTINEL = PERIOD * 65_800_200  # plus a record's number: a number that no other text of the record contains
_SEQUENCE, _PREVIOUS = 987_654_321_012, "e1" * 32  # texts that nothing else in a history entry contains


class _Answer(NamedTuple):
    outcome: str
    status: int
    body: bytes


_ANSWERS = {
    State.ACCEPTED: _Answer("accepted", 200, b'{"Meta":{"Message":{"ID":4606153124}}}'),
    State.REJECTED: _Answer("rejected", 403, b'{"Meta":{"Errors":[{"Text":"id is not valid."}]}}'),
    State.UNKNOWN: _Answer("unknown", 504, b"Gateway Time-out"),
    State.NEEDS_PERSON: _Answer("needs_person", 403, b'{"Meta":{"Errors":[{"Text":"already exists."}]}}'),
}


def create_people() -> User:
    """Mark the database as a demonstration, so that it sends to this machine only, and create its people.

    Five editors made all changes. Returns one more person, who has every role and views the pages.
    """
    installation.mark_as_demonstration()
    for word in ("One", "Two", "Three", "Four", "Five"):
        editor = User.objects.create_user(f"editor-{word.lower()}", first_name="Editor", last_name=word)
        editor.groups.add(Group.objects.get(name="editor"))
    # The stock admin needs a superuser, the portal needs roles.
    viewer = User.objects.create_superuser("measuring", first_name="Measuring", last_name="One")
    viewer.groups.set(Group.objects.exclude(name="viewer"))
    return viewer


def fill(start: int, stop: int, entries: int) -> None:
    """Add the records with these numbers, and this number of entries about them.

    All are in STAGING. One company in ten, with all records below it, has counterparts in PRODUCTION.
    """
    filler = Filler()
    with bulk_load():
        for first in range(start, stop, _CHUNK):
            last = min(first + _CHUNK, stop)
            share = entries * (last - start) // (stop - start) - entries * (first - start) // (stop - start)
            filler.add(range(first, last), share)
    _finish()


def fill_outbox(count: int, editor: Actor) -> None:
    """Add `count` records to STAGING, each with a New that is ready to be sent."""
    filler = Filler([editor])
    with bulk_load():
        for first in range(0, count, _CHUNK):
            filler.add_waiting(range(first, min(first + _CHUNK, count)))
    _finish()


def _finish() -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Organization, Submission]):
            cursor.execute(statement)


class _EntryTemplate:
    """The template of one history entry. Its place in the chain is known only when it is appended."""

    __slots__ = ("_body", "_raw", "_row")

    def __init__(self, fact: audit._Fact, placeholders: Placeholders) -> None:
        moment = datetime.datetime(2001, 2, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
        entry = audit._entry(_SEQUENCE, _PREVIOUS, moment, fact)
        texts = {entry.hash: "hash", _PREVIOUS: "previous_hash", _time(moment): "time", str(_SEQUENCE): "sequence"}
        raw = "" if fact.raw is None else fact.raw.decode()
        if raw:
            texts[_raw_size(raw)] = "raw_size"
        entry_placeholders = Placeholders(texts | placeholders.texts, moment, "at", placeholders.hashes)
        self._body = entry_placeholders.insert_placeholders(bytes(entry.body).decode())
        self._raw = entry_placeholders.insert_placeholders(raw)
        self._row = RowTemplate(entry, entry_placeholders)

    def fill(self, head: AuditHead, values: dict[str, str]) -> Row:
        """The row of the next entry. Updates `head` to it."""
        moment = START + head.sequence * BETWEEN_ENTRIES
        head.sequence += 1
        values |= {"sequence": str(head.sequence), "previous_hash": head.hash}
        values |= {"time": _time(moment), "at": moment_text(moment)}
        if self._raw:
            values["raw_size"] = _raw_size(self._raw % values)
        head.hash = values["hash"] = audit.hash_of(head.sequence, head.hash, (self._body % values).encode())
        return self._row.fill(values)


def _time(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _raw_size(raw: str) -> str:
    return f'"raw_bytes":{len(raw)}'


@dataclass(slots=True)
class _Templates:
    """The templates of all rows and history entries of one kind of record."""

    placeholders: Placeholders
    rows: list[tuple[type[Model], RowTemplate]]
    entries: list[_EntryTemplate]
    edit: _EntryTemplate
    """An entry about an edit of the record. It can be appended any number of times."""


@dataclass(slots=True)
class Filler:
    """Writes records with their submissions and entries. Each kind of record is made once and then copied."""

    editors: list[Actor] = field(default_factory=lambda: [person(user) for user in _editors()])
    templates: dict[tuple[int, int, Environment, Kind], _Templates] = field(default_factory=dict)

    def add(self, numbers: Sequence[int], entries: int) -> None:
        """Write these records and this number of entries: first those about the records, then edits."""
        with_place = [(number, place_of(number)) for number in numbers]
        staging = [(n, Environment.STAGING, place, kind_of(n, place.level)) for n, place in with_place]
        production = [
            (n, environment, place_of(n, environment), kind_of(n, place.level))
            for environment in (Environment.PRODUCTION,)
            for n, place in with_place
            if has_counterpart(n)
        ]
        self._write([*staging, *production], entries, len(staging))

    def add_waiting(self, numbers: Sequence[int]) -> None:
        places = [(n, f"{place_of(n).oid}") for n in numbers]
        staging = Environment.STAGING
        self._write([(n, staging, Place(1, oid, GATEWAY_OID), WAITING) for n, oid in places], None, 0)

    def _write(self, records: list[tuple[int, Environment, Place, Kind]], entries: int | None, edited: int) -> None:
        rows: dict[type[Model], list[Row]] = {Organization: [], Contact: [], Identifier: [], Submission: []}
        facts: list[tuple[_EntryTemplate, dict[str, str]]] = []
        edits: list[tuple[_EntryTemplate, dict[str, str]]] = []
        for number, environment, place, kind in records:
            templates = self._templates_of(number, environment, place.level, kind)
            values = _values(number, environment, place)
            templates.placeholders.add_hashes(values)
            for model, template in templates.rows:
                rows[model].append(template.fill(values))
            facts += ((entry, values) for entry in templates.entries)
            if len(edits) < edited:
                edits.append((templates.edit, values))
        with transaction.atomic():
            for model, its_rows in rows.items():
                write(model, its_rows)
            _append(islice(chain(facts, cycle(edits)), entries) if entries is not None else facts)

    def _templates_of(self, number: int, environment: Environment, level: int, kind: Kind) -> _Templates:
        key = (number % PERIOD, level, environment, kind)
        if key not in self.templates:
            self.templates[key] = _make_templates(number % PERIOD, level, environment, kind, self.editors)
        return self.templates[key]


def _editors() -> Iterable[User]:
    return User.objects.filter(username__startswith="editor-").order_by("pk")


def _record_id(number: int, environment: Environment) -> int:
    """The id of a record, which follows from its number; its submission has the same id."""
    return 2 * number + (1 if environment == Environment.STAGING else 2)


def _values(number: int, environment: Environment, place: Place) -> dict[str, str]:
    """The values that differ between records of one kind, in the order in which they are replaced in a text."""
    record_id, name = _record_id(number, environment), name_of(number)
    return {
        "name": name,
        "folded_name": name.lower(),
        "joined_name": name.lower().replace(" ", ""),
        "oid_key": _oid_key(place.oid),
        "oid": place.oid,
        "part_of": place.part_of_oid,
        "record_id": str(record_id),
        "staging": str(_record_id(number, Environment.STAGING)),
        "phone": phone_of(number)[1:],
        "zip_code": zip_code_of(number),
        "number": str(number),
        "moment": moment_text(_moment(number)),
    }


def _oid_key(oid: str) -> str:
    """`Oid(oid).key`. Millions of OIDs have few parents."""
    parent, _, arc = oid.rpartition(".")
    return f"{_parent_key(parent)}{len(arc):02}{arc}"


@lru_cache
def _parent_key(oid: str) -> str:
    return Oid(oid).key


def _moment(number: int) -> datetime.datetime:
    return START + number * datetime.timedelta(minutes=2)


def _make_templates(
    number: int, level: int, environment: Environment, kind: Kind, editors: Sequence[Actor]
) -> _Templates:
    """Make the templates of a kind from one record, whose number occurs in no other text."""
    sentinel = _SENTINEL + number
    base = f"{BASES[environment]}.{sentinel}"
    place = Place(level, f"{base}.7", GATEWAY_OID if level == 1 else base)
    record = replace(record_at(place, sentinel), active=kind.intent != Intent.DEACTIVATE)
    if kind.basis == Basis.SEEN:
        record = replace(record, destination_id="", destination_known=False)
    values = _values(sentinel, environment, place)
    texts = {text: name for name, text in values.items() if name != "moment" and text != GATEWAY_OID}
    placeholders = Placeholders(texts, _moment(sentinel))
    placeholders.add_hash(canonical(record))
    if (known := _known(record, kind)) is not None:
        placeholders.add_hash(canonical(known))
    placeholders.add_hash(fold(record.name), 32)
    placeholders.add_hash(_near_duplicate_key_text(record), 32)
    editor = editors[number % len(editors)]
    organization = _organization(sentinel, environment, record, kind)
    organization.edited_by = editor.person
    contacts, identifiers = _parts(organization, record)
    directory_state.update_derived_columns(organization)
    rows: list[Model] = [organization, *contacts, *identifiers]
    facts = [_fact(editor, Action.ORGANIZATION_CREATED, organization, None)]
    if kind.state:
        submission = _submission(organization, record, kind, kind.state)
        submission.mirror_on(organization)
        placeholders.add_hash(bytes(submission.message).decode())
        rows.append(submission)
        facts += _submission_facts(submission, editor)
    before = replace(record, address=replace(record.address, city="Monona"))
    edit = _fact(editor, Action.ORGANIZATION_EDITED, organization, before)
    return _Templates(
        placeholders,
        [(type(row), RowTemplate(row, placeholders)) for row in rows],
        [_EntryTemplate(fact, placeholders) for fact in facts],
        _EntryTemplate(edit, placeholders),
    )


def _parts(organization: Organization, record: OrganizationRecord) -> tuple[list[Contact], list[Identifier]]:
    """The contacts and identifiers, not saved, but prefetched so that `organization.record()` can read them."""
    contacts = [
        Contact(
            organization=organization,
            position=position,
            purpose=contact.purpose,
            name=contact.name,
            email_addresses=list(contact.email_addresses),
            work_phone=contact.work_phone,
        )
        for position, contact in enumerate(record.contacts)
    ]
    identifiers = [
        Identifier(organization=organization, position=position, **Identifier.columns_of(identifier))
        for position, identifier in enumerate(record.identifiers)
    ]
    organization.__dict__["_prefetched_objects_cache"] = {"contacts": contacts, "identifiers": identifiers}
    return contacts, identifiers


def _organization(number: int, environment: Environment, wanted: OrganizationRecord, kind: Kind) -> Organization:
    """The row of a record. Its id follows from its number; its submission has the same id."""
    moment, record_id = _moment(number), _record_id(number, environment)
    organization = Organization(
        pk=record_id,
        environment=environment,
        **_wanted(wanted),
        stands_for="location" if number % 3 else "",
        version=2 if kind.edited_since else 1,
        presence=kind.presence,
        presence_basis=kind.basis,
        presence_at=None if kind.presence == Presence.NEVER else moment,
        last_submission_id=record_id if kind.state else None,
        staging_record_id=record_id - 1 if environment == Environment.PRODUCTION else None,
        created_at=moment,
        edited_at=moment,
    )
    known = _known(wanted, kind)
    if kind.is_confirmed and known:
        organization.confirmed, organization.confirmed_at = canonical(known), moment
        organization.confirmed_active, organization.confirmed_version = known.active, 1
        organization.confirmed_part_of_oid = known.part_of_oid
        organization.confirmed_submission_id = record_id
        organization.confirmed_evidence, organization.known_at = Evidence.ANSWER, moment
    elif known:
        organization.seen = organization.taken = canonical(known)
        organization.seen_at = organization.known_at = moment
        organization.confirmed_active, organization.confirmed_part_of_oid = known.active, known.part_of_oid
    return organization


def _wanted(record: OrganizationRecord) -> dict[str, Any]:
    address = record.address
    return {
        "oid": record.oid,
        "oid_key": Oid(record.oid).key,
        "name": record.name,
        "active": record.active,
        "destination_id": record.destination_id,
        "destination_known": record.destination_known,
        "part_of_oid": record.part_of_oid,
        "aliases": list(record.aliases),
        "street": address.street,
        "city": address.city,
        "state": address.state,
        "zip_code": address.zip_code,
        "county": address.county,
        "country": address.country,
        "search_text": search_text.record_search_text(record),
        "name_key": name_key(record.name),
        "double_key": search_text.record_near_duplicate_key(record),
    }


def _near_duplicate_key_text(record: OrganizationRecord) -> str:
    """The text that `near_duplicate_key` hashes, for an address in the USA."""
    address = record.address
    parts = map(fold, (address.street, address.city, address.state, ""))
    return "\n".join((fold(record.name).replace(" ", ""), *parts, address.zip_code))


def _known(wanted: OrganizationRecord, kind: Kind) -> OrganizationRecord | None:
    """The record as Redox last accepted it or the directory showed it, if it did."""
    if kind.edited_since:
        return replace(wanted, address=replace(wanted.address, city="Monona"))
    return wanted if kind.is_confirmed or kind.basis == Basis.SEEN else None


def _submission(organization: Organization, wanted: OrganizationRecord, kind: Kind, state: State) -> Submission:
    event = Event.NEW if kind.intent == Intent.CREATE else Event.UPDATE
    redox = redox_settings.environment(organization.environment)
    message = messages.build_message(_known(wanted, kind) or wanted, event.value, redox)
    status = _ANSWERS[state].status if state in _ANSWERS else None
    attempts = 1 if status or state == State.SENDING else 0
    has_ended = state.is_final
    moment = organization.created_at
    return Submission(
        pk=organization.pk,
        organization=organization,
        environment=organization.environment,
        oid=organization.oid,
        part_of_oid=organization.part_of_oid,
        event=event,
        intent=kind.intent,
        message=message,
        message_sha256=messages.sha256(message),
        record_version=1,
        reason="Ticket 118",
        authors=[organization.edited_by_id],
        submitter=organization.edited_by,
        state=state,
        state_at=moment,
        attempt=attempts,
        counted_attempts=attempts,
        token=attempts,
        lease_until=moment if state == State.SENDING else None,
        lease_worker=WORKER.name if state == State.SENDING else "",
        unknown_since=moment if state == State.UNKNOWN else None,
        cancelled_by=str(organization.edited_by) if state == State.CANCELLED else "",
        created_at=moment,
        sent_at=moment if attempts else None,
        ended_at=moment if has_ended else None,
        evidence=Evidence.ANSWER if state == State.ACCEPTED else Evidence.NONE,
        evidence_at=moment if state == State.ACCEPTED else None,
        wanted_hash=organization.wanted_hash if has_ended else "",
        http_status=status,
        duration_ms=1400 if status else None,
    )


def _submission_facts(submission: Submission, editor: Actor) -> list[audit._Fact]:
    """The history entries of one submission, from submitting it to the outcome of its answer."""
    history, worker = audit.History(editor), audit.History(WORKER)
    history.log_submission(
        Action.SUBMISSION_MADE,
        submission,
        raw=bytes(submission.message),
        version=submission.record_version,
        reason=submission.reason,
        record=submission.organization.record().to_json(),
        details={"approval": "No approval was required."},
    )
    if submission.state in _ANSWERS:
        outcome, status, body = _ANSWERS[State(submission.state)]
        facts: dict[str, Any] = {"attempt": 1, "token": 1, "http_status": status, "duration_ms": submission.duration_ms}
        exchange = {"request_sha256": submission.message_sha256, "sent": True, "status": status, "duration_ms": 1400}
        worker.log_submission(Action.ATTEMPT_RESPONSE, submission, raw=body, exchange=exchange, **facts)
        worker.log_submission(Action.ATTEMPT_OUTCOME, submission, outcome=outcome, **facts)
    return history.facts + worker.facts


def _fact(
    editor: Actor,
    action: Action,
    organization: Organization,
    before: OrganizationRecord | None,
) -> audit._Fact:
    history = audit.History(editor)
    history.log_record(action, organization, changes=difference(before, organization.record()))
    return history.facts[0]


def _append(facts: Iterable[tuple[_EntryTemplate, dict[str, str]]]) -> None:
    head = AuditHead.objects.get(pk=1)
    write(AuditEntry, [entry.fill(head, values) for entry, values in facts])
    head.save()
