"""Heartbeats of the workers: which workers run now, and with which settings."""

import datetime
import logging
import threading
from dataclasses import dataclass
from typing import Self

from django.db import close_old_connections, connection
from django.db.models import OuterRef, Subquery

from organizations.models import Environment, EnvironmentGate, Organization, State, Worker, clock
from organizations.services.actors import Actor
from organizations.services.connection import redox_settings
from organizations.services.delivery import restore_guard
from orgportal import RELEASE, schema

log = logging.getLogger("orgportal.delivery")

HEARTBEAT = 5.0
"""Seconds between two heartbeats."""
SEEN_WITHIN = 20.0
"""Seconds after a heartbeat for which a worker counts as running."""
FORGOTTEN_AFTER = datetime.timedelta(days=1)
"""Rows of workers whose last heartbeat is older are deleted."""


class Heartbeat:
    """A thread that records a heartbeat every 5 seconds, also while the worker waits for Redox.

    Each time it checks the schema and whether the database was restored. `may_work`: whether the worker may continue.
    """

    def __init__(self, name: str, actor: Actor) -> None:
        self.may_work = False
        self._name = name
        self._actor = actor
        self._started = clock.now()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_end, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        Worker.objects.filter(seen_at__lt=self._started - FORGOTTEN_AFTER).delete()
        self._beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        Worker.objects.filter(name=self._name).update(stopped_at=clock.now(), seen_at=clock.now())

    def _beat_until_end(self) -> None:
        while not self._ending.wait(HEARTBEAT):
            self._beat()
        connection.close()

    def _beat(self) -> None:
        try:
            mismatch = schema.mismatch()
            could_work, self.may_work = self.may_work, not mismatch
            if mismatch and could_work:
                log.error("The worker claims no more messages: %s", mismatch)
            if not mismatch:
                record_heartbeat(self._name, self._started)
                restore_guard.stop_if_restored(actor=self._actor)
        except Exception:
            # Without a database the worker cannot claim anything either; the next beat tries again.
            log.exception("A heartbeat failed")
            close_old_connections()


def record_heartbeat(name: str, started: datetime.datetime) -> None:
    """Store that this worker runs, with its release and settings."""
    Worker.objects.update_or_create(
        name=name,
        defaults={
            "release": RELEASE,
            "settings_fingerprint": settings_fingerprint(),
            "started_at": started,
            "seen_at": clock.now(),
        },
    )


def settings_fingerprint() -> str:
    """The hashes of both environments' settings. Workers with different fingerprints send with different settings."""
    return "-".join(redox_settings.fingerprint(name)[:24] for name in Environment.values)


def is_running(worker: Worker, now: datetime.datetime) -> bool:
    """Whether a worker had a heartbeat shortly before `now` (by the database's clock) and has not ended."""
    return worker.stopped_at is None and (now - worker.seen_at).total_seconds() < SEEN_WITHIN


@dataclass(frozen=True, slots=True)
class WorkersState:
    """The facts about the workers that every page shows.

    `no_worker_since`: the last heartbeat of any worker, or if there was none, when submissions began to wait; None if a
    worker runs or nothing waits.
    `mismatched`: running workers with other settings or another release than this process, which may send other
    messages.
    """

    no_worker_since: datetime.datetime | None
    mismatched: list[Worker]


def workers_state() -> WorkersState:
    """The state of the workers. One query while a worker runs, however many submissions wait."""
    workers, now = list(Worker.objects.order_by("name")), clock.now()
    running = [worker for worker in workers if is_running(worker, now)]
    own = settings_fingerprint() if running else ""
    mismatched = [worker for worker in running if (worker.settings_fingerprint, worker.release) != (own, RELEASE)]
    return WorkersState(None if running else _no_worker_since(workers, now), mismatched)


def _no_worker_since(workers: list[Worker], now: datetime.datetime) -> datetime.datetime | None:
    """Since when no worker runs, if submissions wait. An index of the records gives the oldest of each state."""
    here = Organization.objects.filter(environment=OuterRef("environment"))
    oldest_of_state = {
        f"oldest_{state}": Subquery(here.filter(open_work=state).order_by("last_state_at").values("last_state_at")[:1])
        for state in (State.QUEUED, State.SENDING, State.UNKNOWN)
    }
    rows = EnvironmentGate.objects.annotate(**oldest_of_state).values_list(*oldest_of_state)
    oldest = min((moment for row in rows for moment in row if moment is not None), default=None)
    if oldest is None:
        return None
    if workers:
        return max(worker.seen_at for worker in workers)
    return None if (now - oldest).total_seconds() < HEARTBEAT else oldest


def has_same_settings(worker: Worker, environment: str, own_fingerprint: str) -> bool:
    """Whether a worker has the same settings of one environment as the process with `own_fingerprint`."""
    at = Environment.values.index(environment)
    return worker.settings_fingerprint.split("-")[at : at + 1] == own_fingerprint.split("-")[at : at + 1]


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker, whether it runs, and whether it has the settings that the page shows."""

    worker: Worker
    is_running: bool
    has_same_settings: bool


def known_workers(environment: str) -> list[WorkerFacts]:
    """The workers that have not ended, the newest heartbeat first."""
    own, now = settings_fingerprint(), clock.now()
    return [
        WorkerFacts(worker, is_running(worker, now), has_same_settings(worker, environment, own))
        for worker in Worker.objects.filter(stopped_at=None).order_by("-seen_at")
    ]
