"""Signs of life of the workers: which of them are at work now, and with which settings."""

import datetime
import logging
import threading
from dataclasses import dataclass
from typing import Self

from django.db import close_old_connections, connection

from organizations.models import Environment, State, Submission, Worker, clock
from organizations.services.actors import Actor
from organizations.services.connection import gateway
from organizations.services.delivery import restore_guard
from orgportal import RELEASE, schema

log = logging.getLogger("orgportal.delivery")

HEARTBEAT = 5.0


SEEN_WITHIN = 20.0


FORGOTTEN_AFTER = datetime.timedelta(days=1)


class Heartbeat:
    """Gives a sign of life every 5 seconds, also while an answer of Redox is waited for, and looks whether the database
    is still the one to work on. Each thread has a connection of its own."""

    def __init__(self, name: str, actor: Actor) -> None:
        self.may_work = False
        self._name = name
        self._actor = actor
        self._started = clock.now()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        Worker.objects.filter(seen_at__lt=self._started - FORGOTTEN_AFTER).delete()
        self._beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        Worker.objects.filter(name=self._name).update(stopped_at=clock.now(), seen_at=clock.now())

    def _go_on(self) -> None:
        while not self._ending.wait(HEARTBEAT):
            self._beat()
        connection.close()

    def _beat(self) -> None:
        try:
            fault = schema.fault()
            could_work, self.may_work = self.may_work, not fault
            if fault and could_work:
                log.error("No message is claimed any more: %s", fault)
            if not fault:
                record_heartbeat(self._name, self._started)
                restore_guard.stop_if_restored(actor=self._actor)
        except Exception:
            # Without a database nothing can be claimed either; the next beat looks again.
            log.exception("A heartbeat failed")
            close_old_connections()


def record_heartbeat(name: str, started: datetime.datetime) -> None:
    """Say that this worker lives, with which release and settings."""
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
    """One text for the settings of both environments: a worker with another one sends with other settings."""
    return "-".join(gateway.settings_fingerprint(name)[:24] for name in Environment.values)


def is_seen(worker: Worker, now: datetime.datetime) -> bool:
    """Whether a worker gave a sign of life shortly before `now`, by the database's clock, and did not end since."""
    return worker.stopped_at is None and (now - worker.seen_at).total_seconds() < SEEN_WITHIN


def no_worker_since() -> datetime.datetime | None:
    """Since when nothing is delivered although something waits; None when all is well or nothing waits."""
    waits = Submission.objects.filter(state__in=(State.QUEUED, State.SENDING, State.UNKNOWN))
    oldest = waits.order_by("state_at").values_list("state_at", flat=True).first()
    if oldest is None:
        return None
    moment = clock.now()
    newest = Worker.objects.order_by("-seen_at").first()
    if newest is None:
        return None if (moment - oldest).total_seconds() < HEARTBEAT else oldest
    return None if is_seen(newest, moment) else newest.seen_at


def mismatched_workers() -> list[Worker]:
    """Workers at work now with other settings or another release than this process: they may send otherwise."""
    working = list(Worker.objects.filter(stopped_at=None).order_by("name"))
    if not working:
        return []
    own, moment = settings_fingerprint(), clock.now()
    alive = [worker for worker in working if is_seen(worker, moment)]
    return [worker for worker in alive if (worker.settings_fingerprint, worker.release) != (own, RELEASE)]


def has_same_settings(worker: Worker, environment: str, own: str) -> bool:
    """Whether a worker sends to an environment as the process with the fingerprint `own` would."""
    place = Environment.values.index(environment)
    return worker.settings_fingerprint.split("-")[place : place + 1] == own.split("-")[place : place + 1]


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker, whether it was seen just now, and whether it sends to this environment as this page says."""

    worker: Worker
    is_seen: bool
    has_same_settings: bool


def known_workers(name: str) -> list[WorkerFacts]:
    """The workers, the newest sign of life first."""
    own, now = settings_fingerprint(), clock.now()
    return [
        WorkerFacts(worker, is_seen(worker, now), has_same_settings(worker, name, own))
        for worker in Worker.objects.filter(stopped_at=None).order_by("-seen_at")
    ]
