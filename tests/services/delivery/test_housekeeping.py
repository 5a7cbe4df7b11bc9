"""A worker's other tasks."""

import datetime
import threading

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from organizations.models import Action, AuditEntry, Repetition, Throttle, clock
from organizations.services import throttle, workers
from organizations.services.actors import Actor
from organizations.services.audit import repeated_actions
from organizations.services.delivery import housekeeping

DAY = datetime.timedelta(days=1)


def leave_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of yesterday: a session, a sign-in try, and a repeated action."""
    real = clock.now
    with monkeypatch.context() as yesterday:
        yesterday.setattr(clock, "now", lambda: real() - DAY)
        throttle.reserve_try(throttle.Limit("key", 5))
        for _ in range(2):
            repeated_actions.log_action(
                Actor(name="Anna"), Action.PERSON_SIGNED_OUT, object={"type": "person", "id": "1"}
            )
    session = SessionStore()
    session.set_expiry(timezone.now() - DAY)
    session.create()


@pytest.mark.django_db(transaction=True)
def test_a_worker_logs_ended_counts_and_deletes_ended_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(monkeypatch)
    stopping, do_due = threading.Event(), housekeeping.Housekeeping.do_due

    def do_due_and_stop(tasks: housekeeping.Housekeeping) -> None:
        do_due(tasks)
        stopping.set()

    monkeypatch.setattr(housekeeping.Housekeeping, "do_due", do_due_and_stop)
    workers.run(stopping)
    assert [model.objects.count() for model in (Throttle, Repetition, Session)] == [0, 0, 0]
    assert AuditEntry.objects.filter(action=Action.PERSON_SIGNED_OUT).count() == 2


@pytest.mark.django_db
def test_each_chore_runs_when_due_and_a_failing_one_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks_run: list[str] = []
    moment = timezone.now()

    def fail() -> int:
        tasks_run.append("fails")
        raise ZeroDivisionError

    def often() -> int:
        tasks_run.append("often")
        return 0

    monkeypatch.setattr(housekeeping, "TASKS", ((fail, housekeeping.HOUR), (often, housekeeping.MINUTE)))
    monkeypatch.setattr(timezone, "now", lambda: moment)
    tasks = housekeeping.Housekeeping()
    for minutes in (0, 0, 1, 59):
        moment += datetime.timedelta(minutes=minutes)
        tasks.do_due()
    assert tasks_run == ["fails", "often", "often", "fails", "often"]
