"""Fills an empty database with records, submissions and history, as years of work would leave them.

Rows are written in bulk and not through the services, which would take hours. The portal's own functions make messages,
fingerprints and chained entries. A record depends on its number alone, so more records can be added later. Needs
settings; import it after them.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice
from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import prefetch_related_objects

from benchmarks.made_up import BLOCK, WAITING, Kind, kind_of, record_of
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
from organizations.records import (
    Difference,
    OrganizationRecord,
    canonical,
    difference,
    fingerprint,
)
from organizations.redox import messages
from organizations.redox.environment import GATEWAY_OID
from organizations.services import installation, search_text
from organizations.services.actors import Actor, person, system
from organizations.services.audit import audit
from organizations.services.connection import redox_settings

WORKER = system("Worker of the measurement")
START = datetime.datetime(2025, 11, 1, 14, tzinfo=datetime.UTC)
BETWEEN_ENTRIES = datetime.timedelta(seconds=150)
_CHUNK = 1000


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

    They are five editors, who did the work, and a person with every role who views the pages. Returns that person.
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

    All are in STAGING. The company and every tenth region with its locations have counterparts in PRODUCTION.
    """
    editors = [person(user) for user in User.objects.filter(username__startswith="editor-").order_by("pk")]
    for first in range(start, stop, _CHUNK):
        last = min(first + _CHUNK, stop)
        share = entries * (last - start) // (stop - start) - entries * (first - start) // (stop - start)
        with transaction.atomic():
            _chunk(range(first, last), share, editors)
    _tidy()


def fill_outbox(count: int, editor: Actor) -> None:
    """Add `count` records to STAGING, each with a New that waits for a worker only."""
    for first in range(0, count, _CHUNK):
        with transaction.atomic():
            rows = _Rows([editor])
            for number in range(first, min(first + _CHUNK, count)):
                rows.add(number, Environment.STAGING, WAITING, part_of_oid=GATEWAY_OID)
            rows.save()
            _append(fact for history in rows.creations_and_submissions() for fact in history.facts)
    _tidy()


def _tidy() -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Organization, Submission]):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            # Otherwise the server does it some minutes later, during the measurement.
            cursor.execute("VACUUM ANALYZE")


@dataclass(slots=True)
class _Rows:
    """The rows of one chunk in one environment, and the history entries about them."""

    editors: list[Actor]
    organizations: list[Organization] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)

    def editor(self, organization: Organization) -> Actor:
        return self.editors[organization.pk // 2 % len(self.editors)]

    def add(self, number: int, environment: Environment, kind: Kind, **others: Any) -> None:
        record = replace(record_of(number, environment), active=kind.intent != Intent.DEACTIVATE, **others)
        if kind.basis == Basis.SEEN:
            record = replace(record, destination_id="", destination_known=False)
        organization = _organization(number, environment, record, kind)
        organization.edited_by = self.editor(organization).person
        self.organizations.append(organization)
        self.contacts += (
            Contact(
                organization=organization,
                position=position,
                purpose=contact.purpose,
                name=contact.name,
                email_addresses=list(contact.email_addresses),
                work_phone=contact.work_phone,
            )
            for position, contact in enumerate(record.contacts)
        )
        self.identifiers += (
            Identifier(organization=organization, position=position, kind=identifier.kind, value=identifier.value)
            for position, identifier in enumerate(record.identifiers)
        )
        if kind.state:
            submission = _submission(organization, record, kind, kind.state)
            submission.mirror_on(organization)
            self.submissions.append(submission)

    def save(self) -> None:
        Organization.objects.bulk_create(self.organizations)
        Contact.objects.bulk_create(self.contacts)
        Identifier.objects.bulk_create(self.identifiers)
        Submission.objects.bulk_create(self.submissions)
        prefetch_related_objects(self.organizations, "contacts", "identifiers")

    def creations_and_submissions(self) -> Iterator[audit.History]:
        """The entries for creating the records, then those for sending them."""
        for organization in self.organizations:
            yield self._fact(Action.ORGANIZATION_CREATED, organization, difference(None, organization.record()))
        for submission in self.submissions:
            yield _sent(submission, self.editor(submission.organization))

    def endless_edits(self) -> Iterator[audit.History]:
        """Entries for editing the records, again and again without end."""
        for organization in cycle(self.organizations):
            record = organization.record()
            before = replace(record, address=replace(record.address, city="Monona"))
            yield self._fact(Action.ORGANIZATION_EDITED, organization, difference(before, record))

    def _fact(self, action: Action, organization: Organization, changes: tuple[Difference, ...]) -> audit.History:
        history = audit.History(self.editor(organization))
        history.log_record(action, organization, changes=changes)
        return history


def _chunk(numbers: Sequence[int], entries: int, editors: list[Actor]) -> None:
    staging, production = _Rows(editors), _Rows(editors)
    for number in numbers:
        staging.add(number, Environment.STAGING, kind_of(number))
        if number == 0 or (number - 1) // BLOCK % 10 == 0:
            production.add(number, Environment.PRODUCTION, kind_of(number))
    staging.save()
    production.save()
    histories = chain(
        staging.creations_and_submissions(), production.creations_and_submissions(), staging.endless_edits()
    )
    _append(islice((fact for history in histories for fact in history.facts), entries))


def _append(facts: Iterable[audit._Fact]) -> None:
    head = AuditHead.objects.get(pk=1)
    entries = []
    for fact in facts:
        entry = audit._entry(head.sequence + 1, head.hash, START + head.sequence * BETWEEN_ENTRIES, fact)
        head.sequence, head.hash = entry.sequence, entry.hash
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries)
    head.save()


def _organization(number: int, environment: Environment, wanted: OrganizationRecord, kind: Kind) -> Organization:
    """The row of a record. Its id follows from its number; its submission has the same id."""
    moment = START + number * datetime.timedelta(minutes=2)
    identity = 2 * number + (1 if environment == Environment.STAGING else 2)
    organization = Organization(
        pk=identity,
        environment=environment,
        **_wanted(wanted),
        stands_for="location" if number % 3 else "",
        version=2 if kind.edited_since else 1,
        presence=kind.presence,
        presence_basis=kind.basis,
        presence_at=None if kind.presence == Presence.NEVER else moment,
        last_submission_id=identity if kind.state else None,
        staging_record_id=identity - 1 if environment == Environment.PRODUCTION else None,
        created_at=moment,
        edited_at=moment,
    )
    known = _known(wanted, kind)
    if kind.is_confirmed and known:
        organization.confirmed, organization.confirmed_at = canonical(known), moment
        organization.confirmed_active, organization.confirmed_version = known.active, 1
        organization.confirmed_part_of_oid = known.part_of_oid
        organization.confirmed_submission_id = identity
        organization.confirmed_hash = fingerprint(known)
        organization.confirmed_evidence, organization.known_at = Evidence.ANSWER, moment
    elif known:
        organization.seen = organization.taken = canonical(known)
        organization.seen_at = organization.known_at = moment
    organization.changes = len(difference(known, wanted))
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
        "wanted_hash": fingerprint(record),
        "search_text": search_text.record_search_text(record),
        "double_key": search_text.double_key(record),
    }


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
        attempt=1 if status else 0,
        tries=1 if status else 0,
        token=1 if status else 0,
        created_at=moment,
        sent_at=moment if status else None,
        ended_at=moment if has_ended else None,
        evidence=Evidence.ANSWER if state == State.ACCEPTED else Evidence.NONE,
        evidence_at=moment if state == State.ACCEPTED else None,
        wanted_hash=organization.wanted_hash if has_ended else "",
        http_status=status,
        duration_ms=1400 if status else None,
    )


def _sent(submission: Submission, editor: Actor) -> audit.History:
    """The entries of one submission, from the button to the outcome of its answer."""
    history = audit.History(editor)
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
        history.log_submission(Action.ATTEMPT_RESPONSE, submission, raw=body, actor=WORKER, exchange=exchange, **facts)
        history.log_submission(Action.ATTEMPT_OUTCOME, submission, actor=WORKER, outcome=outcome, **facts)
    return history
