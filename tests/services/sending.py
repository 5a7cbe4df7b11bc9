"""Helpers for tests of delivery, with the practice directory over HTTP or without sending anything."""

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
from organizations.services.connection import redox_settings
from organizations.services.connection.lookup import DirectoryAnswer, EarlierQuery
from organizations.services.delivery import courier, query, resolve, settle
from organizations.services.records import directory_state, organizations
from tests import factories
from tests.connected import redox
from tests.factories import BASE, acting

WORKER = system("Worker test")


def deliver(environment: str = "staging") -> bool:
    return courier.deliver_next(environment, actor=WORKER)


def claim(environment: str = "staging") -> Submission | None:
    """Claim the next message as a worker does. Nothing is sent.

    Raises:
        Overtaken: a record above or below forbids it.
    """
    claimed = courier.claim_next(environment, redox_settings.environment(environment), actor=WORKER)
    return claimed.submission if claimed else None


def settle_sending(submission: Submission, kind: Kind = Kind.ACCEPTED, **said: Any) -> None:
    """Settle a sending submission as if Redox had answered with this kind of outcome."""
    outcome = replace(Outcome(kind=kind, detail=f"Said {kind}.", status=200), **said)
    exchange = Exchange(request_sha256=submission.message_sha256, sent=True, status=outcome.status)
    settle.settle_attempt(submission, outcome, exchange, actor=WORKER)


def answered(kind: Kind = Kind.ACCEPTED, **said: Any) -> Submission | None:
    """Claim and settle the next message as if Redox had answered like this; None if nothing may be sent."""
    submission = claim()
    if submission is not None:
        settle_sending(submission, kind, **said)
    return submission


def forbidden(environment: str = "staging") -> str:
    """Why the claim of the next message, which was never attempted, is refused."""
    with pytest.raises(courier.BlockedByTree) as overtaken:
        claim(environment)
    return str(overtaken.value)


def state_of(submission: Submission) -> tuple[str, str]:
    submission.refresh_from_db()
    return submission.state, submission.state_reason


def taken(user: User, worker: Actor, oid: str = BASE, environment: str = "staging") -> courier.Claim:
    """Submit a New and claim it for a worker. Nothing answers at the address of Redox."""
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        factories.submission(factories.organization(oid, user=user, environment=environment), user=user)
        found = courier.claim_next(environment, redox_settings.environment(environment), actor=worker)
    assert found is not None
    return found


def came(status: int | None = None, body: bytes = b"", *, sent: bool = True, fault: Fault | None = None) -> Exchange:
    """The result of an exchange, without sending anything."""
    fault_text = fault.value if fault else ""
    return Exchange(request_sha256="", sent=sent, fault=fault, fault_text=fault_text, status=status, body=body)


def fresh(made: Organization) -> Organization:
    return Organization.objects.with_standing().get(pk=made.pk)


def accepted(user: User, oid: str = BASE, **values: Any) -> Organization:
    """A record that was sent to the practice directory."""
    made = factories.organization(oid, user=user, **values)
    factories.submission(made, user=user)
    assert deliver()
    return fresh(made)


def there(practice: PracticeDirectory, made: Organization, **changes: Any) -> Organization:
    """Register the accepted record in the practice directory, with these keys changed by somebody else."""
    accepted = made.confirmed_submission
    assert accepted is not None
    practice.register(made.environment, json.loads(bytes(accepted.message))["Organizations"][0] | changes)
    return made


def read(made: Organization, record: OrganizationRecord | None, *, minutes_ago: float = 0) -> Organization:
    """The record after the directory was queried that many minutes ago and showed `record`."""
    asked_at = clock.now() - datetime.timedelta(minutes=minutes_ago)
    row = Organization.objects.get(pk=made.pk)
    directory_state.keep_reading(row, as_read(record), asked_at)
    return fresh(made)


def as_read(record: OrganizationRecord | None) -> OrganizationRecord | None:
    """The record as a Query shows it: without the destination ID."""
    return replace(record, destination_id="", destination_known=False) if record else None


def shown(made: Organization, **values: Any) -> Organization:
    """The record after the directory showed the accepted values, with these changed."""
    accepted = fresh(made).confirmed_record()
    assert accepted is not None
    return read(made, replace(accepted, **values))


def differing(user: User, **values: Any) -> Organization:
    """An accepted record that the directory shows with these values."""
    return shown(factories.confirmed(factories.organization(user=user)), **values)


def answer_about(submission: Submission, record: OrganizationRecord | None, *, actor: Actor, cause: str = "") -> int:
    """Store an answer of the directory about a submission, as if it was queried now. Returns the entry's sequence."""
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
    """Store an answer of the directory about a record. `made` is the record at the time of the Query."""
    with audit.recorded(WORKER) as history:
        query.store_record_answer(history, made, DirectoryAnswer(clock.now(), cause, as_read(record), earlier=earlier))
    return fresh(made)


def lost(made: Organization, user: User, **said: Any) -> Submission:
    """A sent submission whose answer was lost or is unclear."""
    submission = factories.submission(made, user=user)
    assert answered(Kind.UNKNOWN, **said) == submission
    submission.refresh_from_db()
    return submission


def resolved(submission: Submission, record: OrganizationRecord | None, *, cause: str = "") -> Submission:
    """The submission after a Query that is due now got this answer of the directory."""
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
