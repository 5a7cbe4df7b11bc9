"""The worker: heartbeat, what others left behind, and the outbox, until it is told to stop."""

import datetime
import logging
import os
import secrets
import socket
import threading
import time

from django.db import close_old_connections

from organizations.models import Environment, State, Submission, Worker, clock
from orgportal import RELEASE

from . import delivery, gateway, installation
from .actors import Actor, system

POLL = 0.5
HEARTBEAT = 5.0
SEEN_WITHIN = 20.0

log = logging.getLogger("orgportal.delivery")


def run(stopping: threading.Event) -> None:
    """Deliver until `stopping` is set. A fault of one round is logged and the next round begins."""
    name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(2)}"
    actor = system(f"Worker {name}")
    started = clock.now()
    last_beat = float("-inf")
    installation.note_settings(actor)
    try:
        while not stopping.is_set():
            try:
                if time.monotonic() - last_beat >= HEARTBEAT:
                    beat(name, started)
                    last_beat = time.monotonic()
                worked = one_round(actor, stopping)
            except Exception:
                log.exception("A round of delivery failed")
                close_old_connections()
                worked = False
            if not worked:
                stopping.wait(POLL)
    finally:
        Worker.objects.filter(name=name).delete()


def one_round(actor: Actor, stopping: threading.Event | None = None) -> bool:
    """One look at each environment: settle what was left behind, send one submission. Whether anything was sent."""
    worked = False
    for environment in Environment.values:
        if stopping is not None and stopping.is_set():
            break
        try:
            delivery.reap(environment, actor=actor)
            worked = delivery.deliver_next(environment, actor=actor) or worked
        except Exception:
            # What is wrong in one environment must not hold up the other.
            log.exception("A round of delivery to %s failed", environment)
            close_old_connections()
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


def fingerprint() -> str:
    """One text for the settings of both environments: a worker with another one sends with other settings."""
    return "-".join(gateway.settings_fingerprint(name)[:24] for name in Environment.values)


def is_seen(worker: Worker, now: datetime.datetime) -> bool:
    """Whether a worker gave a sign of life shortly before `now`, by the database's clock."""
    return (now - worker.seen_at).total_seconds() < SEEN_WITHIN


def absent_since() -> datetime.datetime | None:
    """Since when nothing is delivered although something waits; None when all is well or nothing waits."""
    oldest = (
        Submission.objects.filter(state=State.QUEUED).order_by("state_at").values_list("state_at", flat=True).first()
    )
    if oldest is None:
        return None
    moment = clock.now()
    newest = Worker.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    if newest is not None and (moment - newest).total_seconds() < SEEN_WITHIN:
        return None
    if newest is None and (moment - oldest).total_seconds() < HEARTBEAT:
        return None
    return newest or oldest


def has_same_settings(worker: Worker, environment: str, own: str) -> bool:
    """Whether a worker sends to an environment as the process with the fingerprint `own` would."""
    place = Environment.values.index(environment)
    return worker.settings_fingerprint.split("-")[place : place + 1] == own.split("-")[place : place + 1]
