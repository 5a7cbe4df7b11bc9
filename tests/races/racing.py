"""Two people, or a person and a worker, act at the same time, each in a thread with its own connection."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from django.db import connection

from organizations.models import Contact, EnvironmentGate, Identifier, Organization, Plan, Submission
from organizations.services import failpoints
from organizations.services.errors import ActionRefused

FREE_ROUNDS = int(os.environ.get("RACE_ROUNDS", "2"))
BEFORE_LOCKING = ("before-structure-lock",)
AFTER_READING = ("between-locks", "before-history")
LONGEST = 10.0
"""Seconds after which a thread that waits for the other gives up."""

type Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one action: its value, or the sentence of its refusal."""

    value: object = None
    refusal: ActionRefused | None = None

    @property
    def is_refused(self) -> bool:
        return self.refusal is not None


class Meeting:
    """Stops each thread at its first place, until the other one is there too, waits for a lock, or ends."""

    def __init__(self) -> None:
        self.arrived: set[int] = set()
        self.both = threading.Event()

    def __call__(self) -> None:
        if threading.get_ident() not in self.arrived:
            self.arrived.add(threading.get_ident())
            assert self.both.wait(LONGEST), "nobody let this thread go on"

    def hold(self, running: list[Future[Result]]) -> None:
        """Release the threads when no other thread can arrive."""
        since = time.monotonic()
        while not all(each.done() for each in running):
            others = len(running) - len(self.arrived)
            ended = sum(each.done() for each in running)
            if others <= ended or (self.arrived and _is_blocked(time.monotonic() - since)):
                self.both.set()
            time.sleep(0.002)


def _is_blocked(waited: float) -> bool:
    """Whether a connection waits for a lock. SQLite does not show it: there a thread counts as waiting after a time."""
    if connection.vendor != "postgresql":
        return waited > 0.15
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def _close_own_connection() -> None:
    connection.close()


class Racers:
    """Two threads. They keep their database connections: on PostgreSQL, opening one takes longer than most races."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(2)

    def start(self, *acts: Act) -> list[Future[Result]]:
        """Run two actions, which begin at the same time."""
        together = threading.Barrier(2)

        def run(act: Act) -> Result:
            together.wait()
            try:
                return Result(value=act())
            except ActionRefused as refusal:
                return Result(refusal=refusal)

        return [self.pool.submit(run, act) for act in acts]

    def close(self) -> None:
        wait(self.start(_close_own_connection, _close_own_connection))
        self.pool.shutdown()


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of one test: a single one in which the threads must meet at `places`, or many that run freely.

    A thread that stops before locking has done all its reads before the lock. A thread that stops after reading decides
    before the other one writes, if the locks allow it.
    """

    racers: Racers
    places: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[int]:
        for number in range(1 if self.places else FREE_ROUNDS):
            empty()
            yield number

    def race(self, one: Act, other: Act) -> list[Result]:
        """Run the actions in parallel. Any exception except a refusal fails the test, such as a deadlock."""
        meeting = Meeting()
        with failpoints.calling(meeting, *self.places):
            running = self.racers.start(one, other)
            if self.places:
                meeting.hold(running)
            return [each.result() for each in running]


def empty() -> None:
    """Delete the records and submissions of the last round, and reset the gates."""
    EnvironmentGate.objects.update(failures=0, probing=False, hold_until=None, hold_asked_until=None)
    Organization.objects.update(last_submission=None, confirmed_submission=None)
    models: tuple[Any, ...] = (Submission.waits_for.through, Submission, Plan, Contact, Identifier, Organization)
    for model in models:
        model.objects.all().delete()


def refusals(results: list[Result]) -> list[str]:
    """The sentences of the refusals."""
    return [str(each.refusal) for each in results if each.refusal is not None]
