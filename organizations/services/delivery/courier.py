"""The courier: claims due submissions in batches, sends them, and stores and settles their answers in batches.

It uses the database and never waits for Redox. If a batch fails, the same functions handle each of its submissions
alone, as a batch of one. The same threads send the due Queries.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from contextlib import suppress

from django.db import close_old_connections, connection

from organizations.models import Environment
from organizations.services.actors import Actor
from organizations.services.delivery.lane import MOST_AT_ONCE, Lane, TokenArrived
from organizations.services.delivery.lane_queries import SOURCES, Source
from organizations.services.delivery.sender import Answer, QueryAnswer
from organizations.services.timing import POLL

MOST_BYTES_AT_ONCE = 2 * 1024 * 1024
"""Most bytes of answers stored in one transaction. 16 MiB would hold SQLite's write lock for a quarter of a second."""
GATHER = 0.1
"""Seconds for which answers are gathered while more are in flight."""
LOOK_FOR_CHANGES, LOOK_WHEN_IDLE = 0.02, 0.05
"""Seconds between two checks whether another process changed an SQLite database."""

log = logging.getLogger("orgportal.delivery")

type Arrival = Answer | QueryAnswer | TokenArrived | None
"""What arrives in the queue of the courier. None wakes it."""


class InThisThread(Executor):
    """Runs each exchange at once in the thread that submits it."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def deliver_due(environment: str, *, actor: Actor, most: int = MOST_AT_ONCE) -> bool:
    """Deliver due submissions of an environment in this thread, `most` at most. Returns whether one was claimed."""
    courier = Courier(actor, InThisThread(), (environment,))
    for _ in range(2):  # in the first round there may be no token yet
        claimed = courier.claim_due(most)
        courier.settle_arrived()
        while courier.is_busy:
            courier.settle_arrived()
        if claimed:
            break
    return claimed


def answer_next(environment: str, *sources: Source, actor: Actor) -> bool:
    """Send the next due Queries in this thread, and store the answer. Returns whether anything was due."""
    courier = Courier(actor, InThisThread(), (environment,), sources)
    asked = courier.ask_due()
    while courier.is_busy:
        courier.settle_arrived()
    return asked


class Courier:
    """Delivers the messages of these environments. `pool` needs `sender.THREADS` threads for each.

    `sources` give the questions to the directory, the most urgent first. Only one thread uses the courier.
    """

    def __init__(
        self,
        actor: Actor,
        pool: Executor,
        environments: Iterable[str] = tuple(Environment.values),
        sources: tuple[Source, ...] = SOURCES,
    ) -> None:
        self._sources = sources
        self._events: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._lanes = {name: Lane(name, actor, pool, self._events.put) for name in environments}
        self._data_version = 0

    def run(self, stopping: threading.Event, may_claim: Callable[[], bool]) -> None:
        """Deliver until `stopping` is set and nothing is in flight. Errors are logged, and the work is tried again."""
        while not stopping.is_set() or self.is_busy:
            timeout = POLL
            try:
                if stopping.is_set():
                    for lane in self._lanes.values():
                        lane.stop()
                elif may_claim():
                    self.claim_due()
                    self.ask_due()
                    timeout = self._wait()
                self.settle_arrived(timeout)
            except Exception:
                log.exception("A round of delivery failed")
                close_old_connections()
                time.sleep(POLL)
        connection.close()

    def wake(self) -> None:
        """Look for due submissions at once. Any thread may call this."""
        self._events.put(None)

    @property
    def is_busy(self) -> bool:
        """Whether messages or Queries are under way or answers are not settled yet."""
        return any(lane.is_busy for lane in self._lanes.values())

    def claim_due(self, most: int = MOST_AT_ONCE) -> bool:
        """Claim in each environment whose claim is due. The environments take turns. Returns whether any was claimed.

        An exception in one environment does not delay the other.
        """
        if self._is_database_changed():
            self._wake_lanes()
        worked = False
        for name in list(self._lanes):
            lane = self._lanes[name]
            if time.monotonic() < lane.next_claim:
                continue
            try:
                worked = lane.claim(most) or worked
            except Exception:
                log.exception("A claim for %s failed", name)
                close_old_connections()
            self._lanes[name] = self._lanes.pop(name)  # next time the other environment comes first
        return worked

    def ask_due(self) -> bool:
        """Start the next due Query of each environment that may have one more. Returns whether there was any."""
        asked = False
        for name, lane in self._lanes.items():
            try:
                asked = (time.monotonic() >= lane.queries.next_look and lane.queries.ask_next(self._sources)) or asked
            except Exception:
                log.exception("A Query to %s failed", name)
                close_old_connections()
        return asked

    def settle_arrived(self, timeout: float = 0.0) -> None:
        """Wait for answers, for `timeout` seconds at most, then store and settle what arrived."""
        for event in self._gather(timeout):
            if event is None:
                self._wake_lanes()
            elif isinstance(event, TokenArrived):
                self._lanes[event.environment].take_token(event.answer)
            elif isinstance(event, QueryAnswer):
                self._lanes[event.lookup.redox.name].take_query(event)
            else:
                self._lanes[event.claim.redox.name].take(event)
        errors: list[Exception] = []
        for lane in self._lanes.values():
            try:
                lane.settle()
            except Exception as error:  # the other environment's answers must still be settled
                errors.append(error)
        if errors:
            raise errors[0]

    def _wake_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.wake()

    def _wait(self) -> float:
        """Seconds until the next check for due submissions and Queries."""
        now = time.monotonic()
        lanes = self._lanes.values()
        due = min(min(lane.next_claim, lane.queries.next_look) for lane in lanes)
        longest = POLL
        if connection.vendor == "sqlite":
            is_idle = all(lane.is_idle for lane in lanes)
            longest = LOOK_WHEN_IDLE if is_idle else LOOK_FOR_CHANGES
        return max(0.0, min(due - now, longest))

    def _gather(self, timeout: float) -> list[Arrival]:
        """Collect events until nothing more is in flight, the time is up, or they are enough for one transaction."""
        events: list[Arrival] = []
        size, until = 0, time.monotonic() + timeout
        with suppress(queue.Empty):
            while len(events) < MOST_AT_ONCE and size < MOST_BYTES_AT_ONCE:
                event = self._events.get(timeout=max(0.0, until - time.monotonic()))
                if not events:
                    until = time.monotonic() + GATHER
                events.append(event)
                size += len(event.exchange.body) if isinstance(event, Answer) else 0
                under_way = sum(len(lane.sender.under_way) for lane in self._lanes.values())
                if len(events) >= under_way:
                    break
        return events

    def _is_database_changed(self) -> bool:
        """Whether another connection changed an SQLite database since the last call."""
        if connection.vendor != "sqlite":
            return False
        connection.ensure_connection()
        (version,) = connection.connection.execute("PRAGMA data_version").fetchone()
        changed, self._data_version = version != self._data_version, version
        return bool(changed)
