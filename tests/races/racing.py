"""Two people, or a person and a worker, act in the same moment: each in a thread with a connection of its own."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
    """What became of one act: its value, or the sentence with which it was refused."""

    value: object = None
    refusal: ActionRefused | None = None

    @property
    def is_refused(self) -> bool:
        return self.refusal is not None


class Meeting:
    """Holds each thread at the first place that it reaches, until the other is there, waits for a lock, or ends."""

    def __init__(self) -> None:
        self.arrived: set[int] = set()
        self.both = threading.Event()

    def __call__(self) -> None:
        if threading.get_ident() not in self.arrived:
            self.arrived.add(threading.get_ident())
            assert self.both.wait(LONGEST), "nobody let this thread go on"

    def hold(self, running: list[Future[Result]]) -> None:
        """Open the way as soon as nobody else can come."""
        since = time.monotonic()
        while not all(each.done() for each in running):
            others = len(running) - len(self.arrived)
            ended = sum(each.done() for each in running)
            if others <= ended or (self.arrived and _is_blocked(time.monotonic() - since)):
                self.both.set()
            time.sleep(0.002)


def _is_blocked(waited: float) -> bool:
    """Whether a connection waits for a lock. SQLite does not tell; there the other waits after so long."""
    if connection.vendor != "postgresql":
        return waited > 0.15
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of one test: a single one in which the threads must meet at `places`, or many that run freely.

    Who meets before locking has read all that is read before a lock. Who meets after reading has decided, wherever the
    locks allow it, before the other has written.
    """

    places: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[int]:
        for number in range(1 if self.places else FREE_ROUNDS):
            empty()
            yield number

    def race(self, *acts: Act) -> list[Result]:
        """Run the acts side by side. What is raised besides a refusal fails the test: a deadlock above all."""
        start, meeting = threading.Barrier(len(acts)), Meeting()

        def run(act: Act) -> Result:
            start.wait()
            try:
                return Result(value=act())
            except ActionRefused as refusal:
                return Result(refusal=refusal)
            finally:
                connection.close()

        with (
            failpoints.calling(meeting, *self.places),
            ThreadPoolExecutor(len(acts)) as pool,
        ):
            running = [pool.submit(run, act) for act in acts]
            if self.places:
                meeting.hold(running)
            return [each.result() for each in running]


def empty() -> None:
    """Take away the records and submissions of the round before, and what it did to the gates."""
    EnvironmentGate.objects.update(failures=0, probing=False, hold_until=None, hold_asked_until=None)
    Organization.objects.update(last_submission=None, confirmed_submission=None)
    models: tuple[Any, ...] = (Submission.after.through, Submission, Plan, Contact, Identifier, Organization)
    for model in models:
        model.objects.all().delete()


def refusals(results: list[Result]) -> list[str]:
    """The sentences with which acts were refused."""
    return [str(each.refusal) for each in results if each.refusal is not None]
