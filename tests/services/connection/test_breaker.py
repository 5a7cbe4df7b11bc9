"""The circuit breaker: what opens and closes it, the probe after a pause, and resuming."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.models import Action, AuditEntry, EnvironmentGate, State, User
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind, Outcome
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, check, redox_requests
from organizations.services.delivery import resume
from organizations.services.errors import ActionRefused
from tests import factories
from tests.breakers import gate, stop_environment
from tests.factories import BASE, as_actor
from tests.services.sending import WORKER, claim, probe_if_half_open, settle_sending

pytestmark = pytest.mark.django_db

GOOD = json.dumps({"Meta": {"DataModel": "Organization", "EventType": "QueryResponse"}, "Organizations": []}).encode()


def minutes_ago(minutes: int) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(minutes=minutes)


def test_an_answer_resets_the_count_of_failures(worker: Actor) -> None:
    for failed in (True, True, False, True):
        with audit.atomic(worker) as history:
            breaker.count_exchange(history, breaker.lock_gate("staging"), failed=failed)
    assert gate().failures == 1


def change(change_gate: Callable[[audit.History, EnvironmentGate], object], **before: object) -> EnvironmentGate:
    """The gate after this change. `before` holds its values before."""
    EnvironmentGate.objects.filter(pk="staging").update(**before)
    with audit.atomic(WORKER) as history:
        change_gate(history, breaker.lock_gate("staging"))
    return gate()


# In seconds: the pause before, and the one that Redox asked for; the new pause, and if Redox asks for it; both after.
PAUSES = [
    (None, None, 60, False, 60, None),
    (None, None, 60, True, 60, 60),
    (600, None, 60, False, 600, None),
    (600, None, 60, True, 600, 60),
    (60, 60, 600, False, 600, 60),
    (60, 60, 600, True, 600, 600),
    (600, 600, 60, True, 600, 600),
]


@pytest.mark.parametrize(("hold", "asked", "new", "is_asked_for", "hold_after", "asked_after"), PAUSES)
@pytest.mark.one_database
def test_a_shorter_pause_does_not_end_a_longer_one(
    hold: int | None, asked: int | None, new: int, is_asked_for: bool, hold_after: int, asked_after: int | None
) -> None:
    def until(wait: int | None) -> datetime.datetime | None:
        return None if wait is None else moment + datetime.timedelta(seconds=wait)

    moment = timezone.now()
    gate_after = change(
        lambda history, gate: breaker.pause_sending(history, gate, new, "busy", is_asked_for=is_asked_for),
        hold_until=until(hold),
        hold_asked_until=until(asked),
        hold_reason="before",
    )

    for pause_end, wait in ((gate_after.hold_until, hold_after), (gate_after.hold_asked_until, asked_after)):
        expected = until(wait)
        assert pause_end == expected or (pause_end and expected and 0 <= (pause_end - expected).total_seconds() < 30)
    changed = (hold, asked) != (hold_after, asked_after)
    assert gate_after.hold_reason == ("busy" if hold != hold_after else "before")
    entries = AuditEntry.objects.filter(action=Action.ENVIRONMENT_PAUSED)
    assert [(each.environment, each.facts["reason"]) for each in entries] == [("staging", "busy")] * changed


@override_settings(REDOX_SETTLE=120.0)
@pytest.mark.parametrize(("failures", "wait"), [(4, 0), (5, 30), (6, 60), (9, 480), (10, 600), (100, 600)])
@pytest.mark.one_database
def test_failures_in_a_row_pause_longer_and_longer(failures: int, wait: int) -> None:
    moment = timezone.now()
    gate_after = change(lambda *each: breaker.count_exchange(*each, failed=True), failures=failures - 1)
    assert (gate_after.failures, gate_after.probing, gate_after.hold_asked_until) == (failures, wait > 0, None)
    length = (gate_after.hold_until - moment).total_seconds() if gate_after.hold_until else 0
    assert wait <= length < wait + 20
    # Failures of other workers during the pause do not make it longer.
    if wait:
        again = change(lambda *each: breaker.count_exchange(*each, failed=True))
        assert (again.failures, again.hold_until) == (failures, gate_after.hold_until)


@pytest.mark.parametrize(("failures", "probing"), [(0, True), (4, False), (5, True)])
@pytest.mark.one_database
def test_an_answer_closes_the_breaker(failures: int, probing: bool) -> None:
    gate_after = change(lambda *each: breaker.count_exchange(*each, failed=False), failures=failures, probing=probing)
    assert (gate_after.failures, gate_after.probing) == (0, False)


def test_an_answer_writes_nothing_if_the_breaker_is_closed(django_assert_num_queries: Any) -> None:
    """The gate is not locked then, and a write could undo the count of another worker."""
    with audit.atomic(WORKER) as history, django_assert_num_queries(0):
        breaker.count_exchange(history, EnvironmentGate(pk="staging"), failed=False)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(kind=Kind.UNKNOWN), True),
        (Outcome(kind=Kind.UNKNOWN, status=500), True),
        (Outcome(kind=Kind.UNKNOWN, status=499), False),
        (Outcome(kind=Kind.UNKNOWN, status=200, fault=Fault.BROKEN), True),
        (Outcome(kind=Kind.NOT_SENT, fault=Fault.REFUSED), True),
        (Outcome(kind=Kind.NOT_SENT, fault=Fault.BLOCKED), False),
        (Outcome(kind=Kind.UNKNOWN, fault=Fault.HELD_UP), False),
        (Outcome(kind=Kind.REJECTED, status=500), False),
        (Outcome(kind=Kind.ACCEPTED, status=200), False),
        (Outcome(kind=Kind.NOT_EXECUTED, status=503), False),
    ],
)
def test_only_a_missing_answer_or_an_error_of_the_server_is_a_failure(outcome: Outcome, expected: bool) -> None:
    assert breaker.counts_as_failure(outcome) is expected


@pytest.mark.parametrize(
    ("outcome", "failures", "reason"),
    [
        (None, 3, ""),
        (Outcome(kind=Kind.NOT_SENT, fault=Fault.BLOCKED, stops="no", hold_seconds=60.0), 3, ""),
        (Outcome(kind=Kind.UNKNOWN, stops="no", hold_seconds=60.0), 3, "no"),
        (Outcome(kind=Kind.UNKNOWN, hold_seconds=60.0), 3, "too many requests"),
        (Outcome(kind=Kind.UNKNOWN, status=503), 4, ""),
        (Outcome(kind=Kind.NOT_SENT, fault=Fault.REFUSED), 4, ""),
        (Outcome(kind=Kind.ACCEPTED, status=200), 0, ""),
    ],
)
@pytest.mark.one_database
def test_an_outcome_stops_or_pauses_or_is_counted(outcome: Outcome | None, failures: int, reason: str) -> None:
    gate_after = change(lambda history, gate: breaker.apply_outcome(history, gate, outcome), failures=3)
    assert (gate_after.failures, gate_after.stopped_reason + gate_after.hold_reason) == (failures, reason)
    assert gate_after.is_stopped is (reason == "no")
    assert gate_after.is_asked_to_wait(timezone.now()) is (reason == "too many requests")


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        Outcome(kind=Kind.ACCEPTED, status=200),
        Outcome(kind=Kind.UNKNOWN, status=503),
        Outcome(kind=Kind.NOT_EXECUTED, stops="no"),
    ],
)
@pytest.mark.one_database
def test_the_query_of_a_person_only_pauses_if_redox_asks_for_it(outcome: Outcome | None) -> None:
    def apply(history: audit.History, _: EnvironmentGate) -> None:
        breaker.pause_if_asked(history, "staging", outcome)

    gate_after = change(apply, failures=4, probing=True)
    assert (gate_after.failures, gate_after.probing, gate_after.is_stopped, gate_after.hold_until) == (
        4,
        True,
        False,
        None,
    )


def test_a_stop_is_logged_once_with_its_reason(worker: Actor) -> None:
    for reason in ("Redox does not accept the credential", "again"):
        stop_environment("staging", reason, actor=worker)
    entry = AuditEntry.objects.get(action=Action.ENVIRONMENT_STOPPED)
    assert (entry.environment, entry.facts["reason"]) == ("staging", "Redox does not accept the credential")
    assert gate().stopped_reason == "Redox does not accept the credential"


@pytest.mark.one_database
def test_a_probe_that_must_not_be_sent_keeps_the_breaker_open(worker: Actor) -> None:
    EnvironmentGate.objects.filter(pk="staging").update(probing=True, failures=5)
    # A test that does not manage transactions is one transaction, in which the gateway sends nothing.
    assert probe_if_half_open("staging", actor=worker) is False
    assert gate().probing


@pytest.mark.parametrize("closed", ["probing", "stopped_at", "hold_until"])
def test_nothing_is_claimed_after_the_breaker_opened_a_moment_ago(editor: User, closed: str) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    EnvironmentGate.objects.filter(pk="staging").update(**{closed: True if closed == "probing" else minutes_ago(-5)})
    assert claim() is None
    submission.refresh_from_db()
    assert (submission.state, submission.attempt) == (State.QUEUED, 0)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("checked", "succeeded"), [(None, None), (2, True), (0, False)], ids=["never", "before the stop", "failed"]
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
        resume.resume("staging", actor=as_actor(editor))
    EnvironmentGate.objects.filter(pk="staging").update(checked_at=timezone.now(), check_succeeded=True)
    resume.resume("staging", actor=as_actor(editor))
    assert not gate().is_stopped


@pytest.mark.one_database
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
    reply = redox_requests.QueryReply(TokenAnswer(token="token"), answer)
    monkeypatch.setattr(redox_requests, "send_query", lambda *_: reply)
    assert check.check_connection("staging", actor=as_actor(editor)).succeeded == succeeds
    assert gate().check_succeeded == succeeds
    entry = AuditEntry.objects.filter(action=Action.ENVIRONMENT_CHECKED).latest("sequence")
    assert (entry.http_status, entry.raw_cut) == (answer.status, answer.body_cut)
    assert entry.facts["exchange"]["sent"] is True


@pytest.mark.parametrize(
    ("gate_values", "outcome_values", "locks"),
    [
        ({}, {}, 0),
        ({"failures": 1}, {}, 1),
        ({"probing": True}, {}, 1),
        ({}, {"kind": Kind.NOT_EXECUTED, "stops": "no"}, 1),
        ({}, {"kind": Kind.NOT_EXECUTED, "hold_seconds": 0.0}, 1),
        ({}, {"kind": Kind.UNKNOWN, "status": 503}, 1),
    ],
)
def test_workers_lock_the_gate_only_if_it_changes(
    editor: User, gate_values: dict[str, object], outcome_values: dict[str, Any], locks: int
) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    submission = claim()
    assert submission is not None
    EnvironmentGate.objects.update(**gate_values)
    with CaptureQueriesContext(connection) as queries:
        settle_sending(submission, **outcome_values)
    locking = [each["sql"] for each in queries if each["sql"].endswith("FOR UPDATE")]
    # SQLite locks the whole database, not single rows.
    expected = locks if connection.features.has_select_for_update else 0
    assert sum('FROM "organizations_environmentgate"' in sql for sql in locking) == expected
    assert (gate().failures, gate().probing) == (0 if outcome_values.get("kind") != Kind.UNKNOWN else 1, False)


def test_queued_and_unknown_submissions_wait_while_sending_is_stopped(editor: User) -> None:
    for number, state in enumerate((State.QUEUED, State.UNKNOWN, State.REJECTED)):
        submission = factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
        factories.change_submission(submission, state=state)
    assert (breaker.count_waiting("staging"), breaker.count_waiting("production")) == (2, 0)
