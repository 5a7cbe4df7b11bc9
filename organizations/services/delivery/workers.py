"""The worker: sends a heartbeat, settles abandoned submissions and works through the outbox until it is stopped."""

import logging
import os
import secrets
import socket
import threading
import time

from django.db import close_old_connections

from organizations.models import Environment
from organizations.services import installation
from organizations.services.actors import Actor, system
from organizations.services.connection import breaker, gateway
from organizations.services.delivery import courier, resolve
from organizations.services.delivery.heartbeat import Heartbeat
from organizations.services.delivery.housekeeping import Housekeeping

POLL = 0.5
LONGEST_BATCH = 2.0
"""Seconds for which a worker sends messages before it looks for other work.

Looking for other work takes a third of the time of a message, and other work is not urgent: it waits for minutes
anyway.
"""

log = logging.getLogger("orgportal.delivery")


def run(stopping: threading.Event) -> None:
    """Deliver until `stopping` is set. An exception in one round is logged and the next round begins."""
    name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(2)}"
    actor = system(f"Worker {name}")
    installation.log_settings(actor)
    housekeeping = Housekeeping()
    with Heartbeat(name, actor) as heartbeat:
        while not stopping.is_set():
            try:
                worked = heartbeat.may_work and run_once(actor, stopping)
                if heartbeat.may_work:
                    housekeeping.do_due()
            except Exception:
                log.exception("A round of delivery failed")
                close_old_connections()
                worked = False
            if not worked:
                stopping.wait(POLL)


def run_once(actor: Actor, stopping: threading.Event | None = None) -> bool:
    """One round in each environment: settle abandoned submissions, query, send. Returns whether anything was done.

    An exception in one environment does not keep the other waiting.
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
    # First, also while the breaker is open: this sends nothing, and nobody else settles these submissions.
    courier.settle_abandoned(environment, actor=actor)
    if not breaker.probe_if_half_open(environment, actor=actor):
        return False
    worked, until = False, time.monotonic() + LONGEST_BATCH
    for query_next in (resolve.resolve_next, resolve.read_back_next):
        # Each may wait for Redox, so the worker may have been stopped since.
        if not stopping.is_set():
            worked = query_next(environment, actor=actor) or worked
    while not stopping.is_set() and courier.deliver_next(environment, actor=actor):
        worked = True
        if time.monotonic() > until:
            break
    return worked


def cut_off_exchanges() -> None:
    """End the exchanges under way, because this process must end. What became of the messages is queried later."""
    gateway.cut_off_exchanges()
