"""Heartbeats of the workers: which of them run now, and with which settings."""

import datetime
import logging
import threading
from dataclasses import dataclass
from typing import Self

from django.db import close_old_connections, connection

from organizations.models import Environment, State, Submission, Worker, clock
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


class Heartbeat:
    """A thread that records a heartbeat every 5 seconds, also while the worker waits for Redox.

    Each time it checks the schema and whether the database was restored; `may_work` says whether the worker may go on.
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
            fault = schema.mismatch()
            could_work, self.may_work = self.may_work, not fault
            if fault and could_work:
                log.error("The worker claims no more messages: %s", fault)
            if not fault:
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


def is_seen(worker: Worker, now: datetime.datetime) -> bool:
    """Whether a worker had a heartbeat shortly before `now` (by the database's clock) and has not ended."""
    return worker.stopped_at is None and (now - worker.seen_at).total_seconds() < SEEN_WITHIN


def no_worker_since() -> datetime.datetime | None:
    """Since when submissions wait without a running worker; None if a worker runs or nothing waits."""
    waiting = Submission.objects.filter(state__in=(State.QUEUED, State.SENDING, State.UNKNOWN))
    oldest = waiting.order_by("state_at").values_list("state_at", flat=True).first()
    if oldest is None:
        return None
    moment = clock.now()
    newest = Worker.objects.order_by("-seen_at").first()
    if newest is None:
        return None if (moment - oldest).total_seconds() < HEARTBEAT else oldest
    return None if is_seen(newest, moment) else newest.seen_at


def mismatched_workers() -> list[Worker]:
    """Running workers with other settings or another release than this process: they may send other messages."""
    workers = list(Worker.objects.filter(stopped_at=None).order_by("name"))
    if not workers:
        return []
    own, moment = settings_fingerprint(), clock.now()
    running = [worker for worker in workers if is_seen(worker, moment)]
    return [worker for worker in running if (worker.settings_fingerprint, worker.release) != (own, RELEASE)]


def has_same_settings(worker: Worker, environment: str, own_fingerprint: str) -> bool:
    """Whether a worker has the same settings of one environment as the process with `own_fingerprint`."""
    at = Environment.values.index(environment)
    return worker.settings_fingerprint.split("-")[at : at + 1] == own_fingerprint.split("-")[at : at + 1]


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker for a page: whether it runs, and whether it has the settings that the page shows."""

    worker: Worker
    is_seen: bool
    has_same_settings: bool


def known_workers(environment: str) -> list[WorkerFacts]:
    """The workers that have not ended, the newest heartbeat first."""
    own, now = settings_fingerprint(), clock.now()
    return [
        WorkerFacts(worker, is_seen(worker, now), has_same_settings(worker, environment, own))
        for worker in Worker.objects.filter(stopped_at=None).order_by("-seen_at")
    ]
