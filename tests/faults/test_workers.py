"""Running workers: heartbeats, other releases, the request to stop, and errors of one environment."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from organizations.models import Action, AuditEntry, Environment, State, Submission, User, Worker
from organizations.practice import PracticeDirectory
from organizations.redox.client import Limits
from organizations.services import timing, workers
from organizations.services.actors import Actor
from organizations.services.delivery import abandoned, heartbeat, lane_queries
from tests import factories
from tests.factories import BASE
from tests.faults.evidence import attempt_faults
from tests.faults.portals import PATIENCE, Nursery, Portal, portal, until
from tests.redox import servers
from tests.services.fake_redox import API_KEY


@pytest.fixture
def own(practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path) -> Iterator[Portal]:
    """A separate portal with one New in the outbox."""
    factories.submission(factories.organization(user=editor), user=editor)
    with portal(tmp_path / "own", nursery, practice) as running:
        yield running


def the_worker(own: Portal) -> Worker:
    return Worker.objects.using(own.alias).get()


@pytest.mark.one_database
def test_heartbeats_continue_while_a_worker_waits_and_its_end_is_stored(own: Portal) -> None:
    own.practice.behaviour = "never-answers"
    process = own.worker(REDOX_DEADLINE=2 * PATIENCE, REDOX_LEASE=3 * PATIENCE)
    until(lambda: own.practice.requests, "the message")
    seen = the_worker(own).seen_at

    until(lambda: the_worker(own).seen_at > seen, "the next sign of life")

    assert own.submission(BASE).state == State.SENDING
    # FINISH_WITHIN is half a second here. An open exchange is then cancelled before its deadline.
    process.end()
    submission = own.submission(BASE)
    assert (submission.state, submission.lost_attempt) == (State.UNKNOWN, False)
    assert "stopped before the answer came" in submission.state_reason
    assert attempt_faults(own.entries(submission), submission) == []
    assert the_worker(own).stopped_at is not None


@pytest.mark.one_database
def test_a_stopping_worker_stores_an_answer_that_comes_in_time(own: Portal) -> None:
    own.practice.behaviour = "slow"
    process = own.worker(finish_within=20.0, REDOX_DEADLINE=20.0, REDOX_LEASE=30.0)
    until(lambda: own.practice.requests, "the message")
    process.end()
    assert own.submission(BASE).state == State.ACCEPTED
    assert own.failed_checks(BASE) == ""


@pytest.mark.one_database
def test_a_stopping_worker_cuts_off_a_token_request_that_hangs(own: Portal) -> None:
    with servers.serving(servers.silent) as silent:
        process = own.worker(redox={"REDOX_STAGING_BASE_URL": silent.url} | API_KEY)
        until(lambda: silent.requests, "the token request")
        stopped_at = time.monotonic()
        process.end()
        assert time.monotonic() - stopped_at < Limits().token_deadline / 2
    assert b"/auth/authenticate" in silent.requests[0]
    assert own.submission(BASE).attempt == 0
    assert the_worker(own).stopped_at is not None


@pytest.mark.one_database
def test_nothing_is_claimed_while_the_database_belongs_to_another_release(
    practice: PracticeDirectory, editor: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = factories.submission(factories.organization(user=editor), user=editor)
    submission = Submission.objects.filter(pk=made.pk)
    submission.update(state=State.NEEDS_PERSON)
    monkeypatch.setattr(heartbeat, "HEARTBEAT", 0.02)
    stopping, recorder = threading.Event(), MigrationRecorder(connection)
    running = threading.Thread(target=workers.run, args=(stopping,))
    running.start()
    try:
        until(Worker.objects.exists)
        recorder.record_applied("organizations", "9999_later")
        until(lambda: "The worker claims no more messages" in caplog.text)
        submission.update(state=State.QUEUED)
        time.sleep(2 * timing.POLL)
        assert submission.get().attempt == 0
        recorder.record_unapplied("organizations", "9999_later")
        until(lambda: submission.get().state == State.ACCEPTED)
    finally:
        stopping.set()
        running.join()


@pytest.mark.one_database
def test_an_error_in_one_environment_does_not_delay_the_other(
    practice: PracticeDirectory, editor: User, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for environment in Environment.values:
        organization = factories.organization(
            f"{BASE}.{environment[:1] == 's':d}", user=editor, environment=environment
        )
        factories.submission(organization, user=editor)
    reap = abandoned.settle_abandoned

    def fail_in_staging(environment: str, **values: Any) -> int:
        if environment == Environment.STAGING:
            raise RuntimeError("a fault nobody expects")
        return reap(environment, **values)

    monkeypatch.setattr(abandoned, "settle_abandoned", fail_in_staging)

    assert workers.run_once(worker)

    states = dict(Submission.objects.values_list("environment", "state"))
    assert states == {Environment.STAGING: State.QUEUED, Environment.PRODUCTION: State.ACCEPTED}
    monkeypatch.setattr(abandoned, "settle_abandoned", reap)
    assert workers.run_once(worker)
    assert set(Submission.objects.values_list("state", flat=True)) == {State.ACCEPTED}


@pytest.mark.one_database
def test_a_worker_that_is_stopped_during_a_query_claims_nothing_more(
    practice: PracticeDirectory, editor: User, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    stopping = threading.Event()

    def stop(*_: object, **__: object) -> None:
        stopping.set()

    monkeypatch.setattr(lane_queries, "SOURCES", (stop,))

    assert not workers.run_once(worker, stopping)

    submission.refresh_from_db()
    assert (submission.state, practice.requests) == (State.QUEUED, [])


def test_several_workers_share_one_outbox_without_conflicts(
    practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path
) -> None:
    oids = [f"{BASE}.{number}" for number in range(1, 13)]
    for oid in oids:
        factories.submission(factories.organization(oid, user=editor), user=editor)
    with portal(tmp_path / "own", nursery, practice) as own:
        for _ in range(3):
            own.worker(REDOX_LEASE=30.0)
        left = Submission.objects.using(own.alias).open()
        until(lambda: not left.exists(), "the end of the outbox")
        own.end()
        assert [own.failed_checks(oid) for oid in oids] == [""] * len(oids)
        intents = AuditEntry.objects.using(own.alias).filter(action=Action.ATTEMPT_INTENT)
        assert intents.count() == len(oids)
