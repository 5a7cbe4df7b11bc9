"""The circuit breaker: what opens and closes it, the probe after a pause, and resuming."""

import datetime
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.models import Action, AuditEntry, EnvironmentGate, State, User
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind, Outcome
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, check, gateway, lookup, redox_settings
from organizations.services.delivery import courier, resume
from organizations.services.errors import ActionRefused
from tests import factories
from tests.breakers import pause_environment, stop_environment
from tests.factories import acting
from tests.services.sending import answered, claim

pytestmark = pytest.mark.django_db

GOOD = json.dumps({"Meta": {"DataModel": "Organization", "EventType": "QueryResponse"}, "Organizations": []}).encode()


def gate() -> EnvironmentGate:
    return EnvironmentGate.objects.get(pk="staging")


def minutes_ago(minutes: int) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(minutes=minutes)


def test_an_answer_resets_the_count_of_failures(worker: Actor) -> None:
    for failed in (True, True, False, True):
        with audit.recorded(worker) as history:
            breaker.count_exchange(history, breaker.lock_gate("staging"), failed=failed)
    assert gate().failures == 1


def test_a_shorter_pause_does_not_end_a_longer_one(worker: Actor) -> None:
    pause_environment("staging", 300.0, "too many requests", actor=worker)
    until = gate().hold_until
    pause_environment("staging", 10.0, "too many requests", actor=worker)
    assert gate().hold_until == until
    entry = AuditEntry.objects.get(action=Action.ENVIRONMENT_HELD)
    assert (entry.environment, entry.facts["reason"]) == ("staging", "too many requests")


def test_a_stop_is_logged_once_with_its_reason(worker: Actor) -> None:
    for reason in ("Redox does not accept the credential", "again"):
        stop_environment("staging", reason, actor=worker)
    entry = AuditEntry.objects.get(action=Action.ENVIRONMENT_STOPPED)
    assert (entry.environment, entry.facts["reason"]) == ("staging", "Redox does not accept the credential")
    assert gate().stopped_reason == "Redox does not accept the credential"


@pytest.mark.parametrize("closed", ["probing", "stopped_at", "hold_until"])
def test_nothing_is_claimed_after_the_breaker_opened_a_moment_ago(editor: User, closed: str) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    EnvironmentGate.objects.filter(pk="staging").update(**{closed: True if closed == "probing" else minutes_ago(-5)})
    assert claim() is None
    submission.refresh_from_db()
    assert (submission.state, submission.attempt) == (State.QUEUED, 0)


def test_too_many_token_requests_pause_the_environment(
    unreachable_redox: None, editor: User, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, hold_seconds=60.0, status=429))
    monkeypatch.setattr(gateway, "access_token", lambda _: busy)
    assert courier.get_token(redox_settings.environment("staging"), worker) == ""
    assert gate().is_paused(timezone.now() + datetime.timedelta(seconds=50))
    assert not gate().is_stopped


def test_a_refused_credential_stops_the_environment_with_its_cause(
    unreachable_redox: None, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, stops="Redox does not accept the credential"))
    monkeypatch.setattr(gateway, "access_token", lambda _: refused)
    redox = redox_settings.environment("staging")
    assert courier.get_token(redox, worker) == ""
    assert gate().stopped_reason == f"Redox does not accept the credential: {lookup.token_refusal_reason(refused)}"


@pytest.mark.parametrize(
    ("checked", "succeeded"),
    [(None, None), (2, True), (0, False)],
    ids=["never", "before the stop", "failed"],
)
def test_sending_resumes_only_after_a_successful_check_since_the_stop(
    editor: User, checked: int | None, succeeded: bool | None
) -> None:
    EnvironmentGate.objects.filter(pk="staging").update(
        stopped_at=minutes_ago(1),
        checked_at=None if checked is None else minutes_ago(checked),
        check_succeeded=succeeded,
    )
    with pytest.raises(ActionRefused, match="Check the connection first"):
        resume.resume("staging", actor=acting(editor))
    EnvironmentGate.objects.filter(pk="staging").update(checked_at=timezone.now(), check_succeeded=True)
    resume.resume("staging", actor=acting(editor))
    assert not gate().is_stopped


@pytest.mark.parametrize(
    ("answer", "succeeds"),
    [
        (Exchange(request_sha256="", sent=True, status=200, body=GOOD), True),
        (Exchange(request_sha256="", sent=True, status=503, body=GOOD), False),
        (Exchange(request_sha256="", sent=True, status=302, body=GOOD), False),
        (Exchange(request_sha256="", sent=True, status=200, body=GOOD, body_cut=True), False),
        (Exchange(request_sha256="", sent=True, status=200, body=GOOD, fault=Fault.BROKEN), False),
    ],
    ids=["200", "503", "302", "cut", "broken off"],
)
def test_a_check_succeeds_only_with_a_complete_clear_answer(
    unreachable_redox: None, editor: User, monkeypatch: pytest.MonkeyPatch, answer: Exchange, succeeds: bool
) -> None:
    monkeypatch.setattr(gateway, "send_query", lambda *_: gateway.QueryReply(TokenAnswer(token="token"), answer))
    assert check.check_connection("staging", actor=acting(editor)).succeeded == succeeds
    assert gate().check_succeeded == succeeds
    entry = AuditEntry.objects.filter(action=Action.ENVIRONMENT_CHECKED).latest("sequence")
    assert (entry.http_status, entry.raw_cut) == (answer.status, answer.body_cut)
    assert entry.facts["exchange"]["sent"] is True


@pytest.mark.parametrize(("failures", "locks"), [(0, 0), (1, 1)])
def test_workers_lock_the_gate_only_if_it_changes(editor: User, failures: int, locks: int) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    EnvironmentGate.objects.update(failures=failures)
    with CaptureQueriesContext(connection) as asked:
        answered()
    locking = [each["sql"] for each in asked if each["sql"].endswith("FOR UPDATE")]
    # SQLite locks the whole database, not a row of it.
    expected = locks if connection.features.has_select_for_update else 0
    assert sum('FROM "organizations_environmentgate"' in sql for sql in locking) == expected
    assert gate().failures == 0
