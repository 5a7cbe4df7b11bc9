"""The worker: threads for the heartbeat, the outbox, take-overs, and submissions that another worker abandoned."""

import logging
import os
import secrets
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections, connection

from organizations.models import Environment
from organizations.services import installation, wakeup
from organizations.services.actors import Actor, system
from organizations.services.connection import redox_requests
from organizations.services.delivery import abandoned, courier, lane_queries, sender
from organizations.services.delivery.heartbeat import Heartbeat
from organizations.services.delivery.housekeeping import Housekeeping
from organizations.services.directory import run_take_over
from organizations.services.timing import IDLE_POLL, poll_after

log = logging.getLogger("orgportal.delivery")


def run(stopping: threading.Event) -> None:
    """Deliver until `stopping` is set and every exchange has ended."""
    name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(2)}"
    actor = system(f"Worker {name}")
    installation.log_settings(actor)
    housekeeping = Housekeeping()
    with (
        Heartbeat(name, actor) as heartbeat,
        ThreadPoolExecutor(sender.THREADS * len(Environment.values), "sender") as pool,
    ):
        sources = (*lane_queries.SOURCES, run_take_over.next_candidate)
        delivering = courier.Courier(actor, pool, sources=sources)
        threads = [
            threading.Thread(target=delivering.run, args=(stopping, lambda: heartbeat.may_work), name="courier"),
            threading.Thread(target=wakeup.listen, args=(stopping, delivering.wake), name="notices"),
        ]
        for environment in Environment.values:
            arguments = (environment, actor, stopping, heartbeat)
            threads.append(threading.Thread(target=_take_over_until, args=arguments, name=f"take-overs-{environment}"))
        for thread in threads:
            thread.start()
        while not stopping.is_set():
            if heartbeat.may_work:
                housekeeping.do_due()
                # Also while the breaker is open: this sends nothing, and nobody else settles these submissions.
                _settle_abandoned(actor)
            stopping.wait(IDLE_POLL)
        for thread in threads:
            thread.join()


def _take_over_until(environment: str, actor: Actor, stopping: threading.Event, heartbeat: Heartbeat) -> None:
    """Add records and read pages until `stopping` is set. An exception is logged and the next step begins."""
    worked_at = time.monotonic()
    while not stopping.is_set():
        try:
            worked = heartbeat.may_work and run_take_over.advance(environment, actor=actor)
        except Exception:
            log.exception("A step of a take-over in %s failed", environment)
            close_old_connections()
            worked = False
        if worked:
            worked_at = time.monotonic()
        else:
            stopping.wait(poll_after(worked_at))
    connection.close()


def take_over_next(environment: str, *, actor: Actor) -> bool:
    """Do the next step of a take-over, or ask about its next OID, in this thread. Returns whether anything was done."""
    if run_take_over.advance(environment, actor=actor):
        return True
    return courier.answer_next(environment, run_take_over.next_candidate, actor=actor)


def _settle_abandoned(actor: Actor) -> None:
    for environment in Environment.values:
        try:
            abandoned.settle_abandoned(environment, actor=actor)
        except Exception:
            log.exception("Abandoned submissions of %s could not be settled", environment)
            close_old_connections()


def run_once(actor: Actor, stopping: threading.Event | None = None) -> bool:
    """Do all due work of each environment once, in this thread. Returns whether anything was done.

    Each Query waits for Redox, so `stopping` is checked before each. An exception in one environment does not delay the
    other.
    """
    stopping = stopping or threading.Event()
    worked = False
    for environment in Environment.values:
        try:
            abandoned.settle_abandoned(environment, actor=actor)
            for source in lane_queries.SOURCES:
                if not stopping.is_set():
                    worked = courier.answer_next(environment, source, actor=actor) or worked
            while not stopping.is_set() and courier.deliver_due(environment, actor=actor):
                worked = True
            while not stopping.is_set() and take_over_next(environment, actor=actor):
                worked = True
        except Exception:
            log.exception("A round of delivery to %s failed", environment)
            close_old_connections()
    return worked


def abort_exchanges() -> None:
    """End the exchanges in flight, because this process must end. Queries find out later whether they took effect."""
    redox_requests.abort_exchanges()
