"""A worker with many messages in flight is stopped, loses its database, or has one environment that is silent."""

import signal
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test import override_settings

from organizations.models import Action, AuditEntry, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services import workers
from organizations.services.delivery.sender import MOST_IN_FLIGHT, MOST_WAITING
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.faults.evidence import attempt_faults, chain_faults, entries_of, failed_checks
from tests.faults.portals import PATIENCE, Nursery, Portal, portal, until
from tests.redox import servers
from tests.services.delivery.batches import queue

STORING = 10.0
"""Seconds that a supervisor leaves a worker after its exchanges were cut off (`test_processes.py`)."""


def states(own: Portal) -> dict[str, int]:
    listed = list(Submission.objects.using(own.alias).values_list("state", flat=True))
    return {state: listed.count(state) for state in set(listed)}


def wrong_in(own: Portal) -> list[str]:
    """What is wrong after every submission was accepted."""
    there, effects = own.practice.organizations("staging"), own.practice.effects
    made = Submission.objects.using(own.alias).order_by("pk")
    found = [failed_checks(submission, effects, there.get(submission.oid), own.alias) for submission in made]
    return [*filter(None, found), *(f"the chain at {sequence}" for sequence in chain_faults(own.alias))]


@pytest.mark.one_database
def test_a_stopped_worker_settles_64_messages_in_flight_and_none_is_lost_or_doubled(
    practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path
) -> None:
    queue(MOST_IN_FLIGHT + MOST_WAITING, editor)
    for folder, is_answered in (("answered-in-time", True), ("cut-off", False)):
        with portal(tmp_path / folder, nursery, practice, slow_seconds=PATIENCE) as own:
            check_stop(own, is_answered=is_answered)


def check_stop(own: Portal, *, is_answered: bool) -> None:
    """Stop a worker with 64 messages in flight. They are answered in time, or cut off."""
    finish_within = 20.0 if is_answered else 1.5
    own.practice.behaviour = "slow"
    process = own.worker(
        finish_within=finish_within, first_window=MOST_IN_FLIGHT, REDOX_DEADLINE=PATIENCE, REDOX_LEASE=2 * PATIENCE
    )
    until(lambda: len(own.practice.requests) == MOST_IN_FLIGHT, "64 messages in flight")
    stopped_at = time.monotonic()
    process.send(signal.SIGTERM)
    if is_answered:
        own.practice.behaviour = "answers"
    process.end()
    assert time.monotonic() - stopped_at < finish_within + STORING

    sent = len(own.practice.requests)
    assert sent >= MOST_IN_FLIGHT
    settled = State.ACCEPTED if is_answered else State.UNKNOWN
    waiting = MOST_IN_FLIGHT + MOST_WAITING - sent
    assert states(own) == {settled: sent} | ({State.QUEUED: waiting} if waiting else {})
    made = list(Submission.objects.using(own.alias).order_by("pk"))
    assert {submission.counted_attempts for submission in made} == {0}
    assert [each for each in made if attempt_faults(entries_of(each, own.alias), each)] == []

    own.practice.behaviour = "answers"  # what was cut off takes effect all the same
    own.worker()
    until(lambda: states(own) == {State.ACCEPTED: len(made)}, "the end of the outbox")
    own.end()
    assert wrong_in(own) == []


@pytest.mark.one_database
def test_a_stopped_worker_cuts_off_a_query_and_leaves_the_submission_unknown(
    practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path
) -> None:
    made = queue(3, editor)
    now = clock.now()
    Submission.objects.update(state=State.UNKNOWN, attempt=1, token=1, unknown_since=now, not_before=now)
    with portal(tmp_path / "own", nursery, practice) as own:
        own.practice.behaviour = "never-answers"
        process = own.worker(REDOX_DEADLINE=PATIENCE, REDOX_LEASE=2 * PATIENCE)
        until(lambda: len(own.practice.requests) == len(made), "the Queries")
        stopped_at = time.monotonic()
        process.end()
        assert time.monotonic() - stopped_at < STORING
        rows = Submission.objects.using(own.alias).values_list("state", "asks", "absent_at", "lease_until")
        assert set(rows) == {(State.UNKNOWN, 1, None, None)}
        details = {entry.facts["detail"] for each in made for entry in entries_of(each, own.alias)[-1:]}
        assert details == {"the worker was stopped before the answer came"}


def end_connections(own: Portal) -> None:
    """End all connections to the database of a portal, as an administrator or a failover does."""
    connections[own.alias].close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [own.database])
        assert len(cursor.fetchall()) > 1


def test_answers_in_flight_are_stored_after_the_worker_lost_its_database(
    practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path
) -> None:
    """On PostgreSQL all its connections are ended; on SQLite its courier cannot reach the database for a second."""
    made = queue(12, editor)
    has_server = connection.vendor == "postgresql"
    with portal(tmp_path / "own", nursery, practice, slow_seconds=PATIENCE) as own:
        own.practice.behaviour = "slow"
        process = own.worker(
            "" if has_server else "after-exchange:database:1",
            first_window=len(made),
            REDOX_DEADLINE=PATIENCE,
            REDOX_LEASE=2 * PATIENCE,
        )
        until(lambda: len(own.practice.requests) == len(made), "the messages in flight")
        if has_server:
            end_connections(own)
        own.practice.behaviour = "answers"
        until(lambda: states(own) == {State.ACCEPTED: len(made)}, "the end of the outbox")
        assert process.is_alive
        own.end()
        assert wrong_in(own) == []
        assert len(own.practice.requests) == len(made)  # no message again, and no Query
        answers = AuditEntry.objects.using(own.alias).filter(action=Action.ATTEMPT_RESPONSE)
        assert answers.count() == len(made)


@pytest.fixture
def run_worker() -> Callable[[Callable[[], object]], None]:
    """Run a worker in threads of this process until the condition is true."""

    def run(until_this: Callable[[], object]) -> None:
        stopping = threading.Event()
        running = threading.Thread(target=workers.run, args=(stopping,))
        running.start()
        try:
            until(until_this, "the end of the work")
        finally:
            stopping.set()
            running.join()

    return run


@pytest.mark.one_database
def test_a_silent_environment_delays_no_message_of_the_other_by_a_second(
    practice: PracticeDirectory, editor: User, run_worker: Callable[[Callable[[], object]], None]
) -> None:
    approver = factories.UserFactory(role="approver")
    queue(30, editor)
    sent_one_by_one: list[Submission] = []

    def send_next() -> bool:
        """Submit the next message when the last one was accepted. Returns whether they were enough."""
        if sent_one_by_one and Submission.objects.get(pk=sent_one_by_one[-1].pk).state != State.ACCEPTED:
            return False
        if len(sent_one_by_one) == 15:
            silent.close()
            return True
        number = len(sent_one_by_one) + 1
        organization = factories.organization(f"{BASE}.{number}", user=approver, environment="production")
        sent_one_by_one.append(factories.submission(organization, user=approver))
        return False

    with (
        servers.serving(servers.silent) as silent,
        override_settings(
            REDOX=redox(practice.url, REDOX_STAGING_BASE_URL=silent.url), REDOX_DEADLINE=PATIENCE, REDOX_LEASE=300.0
        ),
    ):
        run_worker(send_next)
    waits = []
    for submission in sent_one_by_one:
        outcome = next(each for each in entries_of(submission) if each.action == Action.ATTEMPT_OUTCOME)
        waits.append((outcome.at - submission.created_at).total_seconds())
    assert statistics.median(waits) < 1.0
    # The other one was silent all the time.
    silence = AuditEntry.objects.filter(action=Action.ATTEMPT_OUTCOME, environment="staging")
    assert silence.exists()
    assert not silence.filter(at__lt=outcome.at).exists()
