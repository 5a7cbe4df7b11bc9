"""What tests of delivery do again and again: with the practice directory over HTTP, or without anything that leaves."""

import datetime
import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from organizations.models import AuditEntry, Organization, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.records import OrganizationRecord
from organizations.redox.client import Exchange, Fault
from organizations.redox.messages import record_from_message
from organizations.redox.outcome import Kind, Outcome
from organizations.services.actors import Actor, system
from organizations.services.audit import audit
from organizations.services.connection import gateway
from organizations.services.connection.lookup import DirectoryAnswer, EarlierQuery
from organizations.services.delivery import courier, query, resolve, settle
from organizations.services.records import known, organizations
from tests import factories
from tests.connected import redox
from tests.factories import BASE, acting

WORKER = system("Worker test")


def deliver(environment: str = "staging") -> bool:
    return courier.deliver_next(environment, actor=WORKER)


def claim(environment: str = "staging") -> Submission | None:
    """The next message, claimed as a worker does; nothing leaves.

    Raises:
        Overtaken: a record above or below forbids it.
    """
    claimed = courier.claim_next(environment, gateway.environment(environment), actor=WORKER)
    return claimed.submission if claimed else None


def settle_sending(submission: Submission, kind: Kind = Kind.ACCEPTED, **said: Any) -> None:
    """Settle what is being sent as if Redox had answered so."""
    outcome = replace(Outcome(kind=kind, detail=f"Said {kind}.", status=200), **said)
    exchange = Exchange(request_sha256=submission.message_sha256, sent=True, status=outcome.status)
    settle.settle_attempt(submission, outcome, exchange, actor=WORKER)


def answered(kind: Kind = Kind.ACCEPTED, **said: Any) -> Submission | None:
    """The next message, claimed and settled as if Redox had answered so; None if nothing may be sent."""
    submission = claim()
    if submission is not None:
        settle_sending(submission, kind, **said)
    return submission


def forbidden(environment: str = "staging") -> str:
    """Why the next message must not leave, of which no attempt was made: what its claim says."""
    with pytest.raises(courier.NoLongerAllowed) as overtaken:
        claim(environment)
    return str(overtaken.value)


def state_of(submission: Submission) -> tuple[str, str]:
    submission.refresh_from_db()
    return submission.state, submission.state_reason


def taken(user: User, worker: Actor, oid: str = BASE, environment: str = "staging") -> courier.Claim:
    """Make a New and take it: a worker is sending it now. Nothing answers where it would be sent."""
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        factories.submission(factories.organization(oid, user=user, environment=environment), user=user)
        found = courier.claim_next(environment, gateway.environment(environment), actor=worker)
    assert found is not None
    return found


def came(status: int | None = None, body: bytes = b"", *, sent: bool = True, fault: Fault | None = None) -> Exchange:
    """What came of an exchange, without making one."""
    fault_text = fault.value if fault else ""
    return Exchange(request_sha256="", sent=sent, fault=fault, fault_text=fault_text, status=status, body=body)


def fresh(made: Organization) -> Organization:
    return Organization.objects.with_words().get(pk=made.pk)


def accepted(user: User, oid: str = BASE, **values: Any) -> Organization:
    """A record that was sent to the practice directory."""
    made = factories.organization(oid, user=user, **values)
    factories.submission(made, user=user)
    assert deliver()
    return fresh(made)


def there(practice: PracticeDirectory, made: Organization, **changes: Any) -> Organization:
    """The record, put into the practice directory as it was accepted, with these keys changed by somebody else."""
    accepted = made.confirmed_submission
    assert accepted is not None
    practice.register(made.environment, json.loads(bytes(accepted.message))["Organizations"][0] | changes)
    return made


def read(made: Organization, record: OrganizationRecord | None, *, minutes_ago: float = 0) -> Organization:
    """The record after the directory was asked for it that long ago and showed this."""
    asked_at = clock.now() - datetime.timedelta(minutes=minutes_ago)
    row = Organization.objects.get(pk=made.pk)
    known.keep_reading(row, as_read(record), asked_at)
    return fresh(made)


def as_read(record: OrganizationRecord | None) -> OrganizationRecord | None:
    """A Query shows no destination ID."""
    return replace(record, destination_id="", destination_known=False) if record else None


def shown(made: Organization, **values: Any) -> Organization:
    """The record after the directory was asked for it now and showed what was accepted, with these values changed."""
    accepted = fresh(made).confirmed_record()
    assert accepted is not None
    return read(made, replace(accepted, **values))


def differing(user: User, **values: Any) -> Organization:
    """An accepted record that the directory shows with these values."""
    return shown(factories.confirmed(factories.organization(user=user)), **values)


def answer_about(submission: Submission, record: OrganizationRecord | None, *, actor: Actor, cause: str = "") -> int:
    """Keep an answer of the directory about a submission, as if it had been asked now; the number of its entry."""
    with audit.recorded(actor) as history:
        organization = organizations.locked(submission.organization_id)
        query.store_submission_answer(
            history, submission, organization, DirectoryAnswer(clock.now(), cause, as_read(record))
        )
    submission.refresh_from_db()
    return AuditEntry.objects.latest("sequence").sequence


def answer_about_record(
    made: Organization, record: OrganizationRecord | None, *, cause: str = "", earlier: tuple[EarlierQuery, ...] = ()
) -> Organization:
    """As `answer_about`, of a record. `made` is the record as it was when it was asked for."""
    with audit.recorded(WORKER) as history:
        query.store_record_answer(history, made, DirectoryAnswer(clock.now(), cause, as_read(record), earlier=earlier))
    return fresh(made)


def lost(made: Organization, user: User, **said: Any) -> Submission:
    """A submission of a record that was sent, and whose answer was lost or is not clear."""
    submission = factories.submission(made, user=user)
    assert answered(Kind.UNKNOWN, **said) == submission
    submission.refresh_from_db()
    return submission


def resolved(submission: Submission, record: OrganizationRecord | None, *, cause: str = "") -> Submission:
    """What an answer of the directory makes of a submission, asked for as if its time had come."""
    Submission.objects.filter(pk=submission.pk).update(not_before=clock.now())
    asked = resolve._claim_next(submission.environment, WORKER)
    assert asked == submission
    resolve._apply_answer(asked, DirectoryAnswer(clock.now(), cause, as_read(record)), WORKER)
    submission.refresh_from_db()
    return submission


def as_sent(submission: Submission) -> OrganizationRecord:
    return record_from_message(bytes(submission.message))


def edit(made: Organization, user: User, **values: object) -> Organization:
    made = fresh(made)
    record = replace(made.record(), **values)  # type: ignore[arg-type]
    return organizations.edit(made.pk, made.version, record, stands_for="", actor=acting(user))


def actions_of(submission: Submission) -> list[str]:
    return list(AuditEntry.objects.of_submission(submission.pk).values_list("action", flat=True))


def sent(practice: PracticeDirectory) -> list[bytes]:
    return [request.body for request in practice.requests if request.path == "/endpoint"]
