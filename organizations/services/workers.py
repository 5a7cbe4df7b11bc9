"""The worker: heartbeat, what others left behind, and the outbox, until it is told to stop."""

import datetime
import logging
import os
import secrets
import socket
import threading
import time
from typing import Self

from django.db import close_old_connections, connection

from organizations.models import Environment, State, Submission, Worker, clock
from orgportal import RELEASE, schema

from . import delivery, environments, gateway, installation, resolving, restored
from .actors import Actor, system
from .chores import Chores

POLL = 0.5
IN_A_ROW = 2.0
"""Seconds for which messages are sent one after the other before a worker looks at everything else again: that costs it
a third of what a message does, and what else there is to do has waited for minutes."""
HEARTBEAT = 5.0
SEEN_WITHIN = 20.0
FORGOTTEN_AFTER = datetime.timedelta(days=1)

log = logging.getLogger("orgportal.delivery")


def run(stopping: threading.Event) -> None:
    """Deliver until `stopping` is set. A fault of one round is logged and the next round begins."""
    name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(2)}"
    actor = system(f"Worker {name}")
    installation.note_settings(actor)
    chores = Chores()
    with _Heart(name, actor) as heart:
        while not stopping.is_set():
            try:
                worked = heart.may_work and one_round(actor, stopping)
                if heart.may_work:
                    chores.do_due()
            except Exception:
                log.exception("A round of delivery failed")
                close_old_connections()
                worked = False
            if not worked:
                stopping.wait(POLL)


class _Heart:
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
                beat(self._name, self._started)
                restored.look(actor=self._actor)
        except Exception:
            # Without a database nothing can be claimed either; the next beat looks again.
            log.exception("A heartbeat failed")
            close_old_connections()


def one_round(actor: Actor, stopping: threading.Event | None = None) -> bool:
    """One look at each environment: settle what was left behind, ask, send. Whether anything was done.

    A fault in one environment does not keep the other one waiting.
    """
    stopping = stopping or threading.Event()
    worked = False
    for environment in Environment.values:
        try:
            worked = _work(environment, actor, stopping) or worked
        except Exception:
            log.exception("A round of delivery to %s failed", environment)
            close_old_connections()
    return worked


def _work(environment: str, actor: Actor, stopping: threading.Event) -> bool:
    if stopping.is_set():
        return False
    delivery.reap(environment, actor=actor)
    if not environments.pass_gate(environment, actor=actor):
        return False
    worked, until = False, time.monotonic() + IN_A_ROW
    for act in (resolving.resolve_next, resolving.read_back_next):
        # Each may wait for Redox: who was told to end meanwhile takes nothing more in hand.
        if not stopping.is_set():
            worked = act(environment, actor=actor) or worked
    while not stopping.is_set() and delivery.deliver_next(environment, actor=actor):
        worked = True
        if time.monotonic() > until:
            break
    return worked


def beat(name: str, started: datetime.datetime) -> None:
    """Say that this worker lives, with which release and settings."""
    Worker.objects.update_or_create(
        name=name,
        defaults={
            "release": RELEASE,
            "settings_fingerprint": fingerprint(),
            "started_at": started,
            "seen_at": clock.now(),
        },
    )


def cut_off() -> None:
    """End the exchange in hand: this process must end, and what became of the message is asked later."""
    gateway.cut_off()


def fingerprint() -> str:
    """One text for the settings of both environments: a worker with another one sends with other settings."""
    return "-".join(gateway.settings_fingerprint(name)[:24] for name in Environment.values)


def is_seen(worker: Worker, now: datetime.datetime) -> bool:
    """Whether a worker gave a sign of life shortly before `now`, by the database's clock, and did not end since."""
    return worker.stopped_at is None and (now - worker.seen_at).total_seconds() < SEEN_WITHIN


def absent_since() -> datetime.datetime | None:
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


def strangers() -> list[Worker]:
    """Workers at work now with other settings or another release than this process: they may send otherwise."""
    working = list(Worker.objects.filter(stopped_at=None).order_by("name"))
    if not working:
        return []
    own, moment = fingerprint(), clock.now()
    alive = [worker for worker in working if is_seen(worker, moment)]
    return [worker for worker in alive if (worker.settings_fingerprint, worker.release) != (own, RELEASE)]


def has_same_settings(worker: Worker, environment: str, own: str) -> bool:
    """Whether a worker sends to an environment as the process with the fingerprint `own` would."""
    place = Environment.values.index(environment)
    return worker.settings_fingerprint.split("-")[place : place + 1] == own.split("-")[place : place + 1]
