"""The exchanges of one environment that are under way, each in a thread that never uses the database."""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from http import HTTPStatus

from django.conf import settings

from organizations.redox import messages
from organizations.redox.client import Exchange, Fault
from organizations.services.connection import gateway
from organizations.services.delivery.claims import Claim
from organizations.services.timing import lease_margin

log = logging.getLogger("orgportal.delivery")

FIRST_WINDOW = 4
MOST_IN_FLIGHT = 64
SPARE = 1
MOST_WAITING = 16
"""Claimed messages that may wait for their send slot or for the window."""
SLOTS = MOST_IN_FLIGHT + MOST_WAITING

LONGEST_UNREAD = 5.0
"""Seconds after which nothing leaves any more, if the courier could not read whether messages may leave."""

STOPPED = "The worker was stopped before the message left."
FAILED = "The worker failed before the message left."
PAUSED = "Its plan was paused before the message left."
UNREAD = "The worker could not read whether the message may leave."
HELD_UP = "the worker waited too long, and another one may take the message soon"

BROKEN = Exchange(request_sha256="", sent=True, fault=Fault.BROKEN, fault_text="an error of the worker")
"""After an error of our own it is not known what was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a claim that was sent with this token."""

    claim: Claim
    token: str
    exchange: Exchange


@dataclass(slots=True)
class Window:
    """How many messages may be in flight at once: few at first, and again after a failure (slow start).

    It grows by one after a windowful of answers that came while a message waited, and shrinks by one after a windowful
    that came while more than SPARE places were free. So a directory that falls silent costs hardly more unknown
    outcomes than the rate of sending needs.
    """

    size: int = field(default_factory=lambda: FIRST_WINDOW)
    in_flight: int = 0
    waiting: int = 0
    _credit: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def enter(self, patience: float) -> bool:
        """Wait until one more message may be in flight, for `patience` seconds at most. Returns whether it may."""
        with self._changed:
            self.waiting += 1
            is_open = self._changed.wait_for(lambda: self.in_flight < self.size, max(0.0, patience))
            self.waiting -= 1
            self.in_flight += is_open
            return is_open

    def leave(self, exchange: Exchange) -> None:
        """Count the answer of a message that was in flight. A message that was not sent changes nothing."""
        with self._changed:
            if is_failure(exchange):
                self._resize(FIRST_WINDOW)
            elif exchange.sent:
                self._count_answer()
            self.in_flight -= 1
            self._changed.notify_all()

    def _count_answer(self) -> None:
        if self.waiting:
            self._credit += 1
        elif self.in_flight < self.size - SPARE:
            self._credit -= 1
        if self._credit >= self.size:
            self._resize(min(self.size + 1, MOST_IN_FLIGHT))
        elif self._credit <= -self.size:
            self._resize(max(self.size - 1, FIRST_WINDOW))

    def _resize(self, size: int) -> None:
        self.size, self._credit = size, 0


class Slots:
    """Sends claimed messages of one environment, and gives each answer to `on_answer`, in any thread.

    `block_reason` says why nothing may leave now, or ""; messages of `paused_plans` may not leave either. The courier,
    which reads the database, sets both while messages wait for their send slots; `read_at` says when it last did.
    """

    def __init__(self, pool: Executor, on_answer: Callable[[Answer], None]) -> None:
        self.block_reason = ""
        self.paused_plans: frozenset[int] = frozenset()
        self.read_at = math.inf
        self.under_way: dict[int, Claim] = {}
        self.window = Window()
        self._is_held_up = False
        self._pool = pool
        self._on_answer = on_answer

    @property
    def room(self) -> int:
        """How many more messages may be claimed. None while a message waited too long for the window."""
        if self._is_held_up and self.window.in_flight:
            return 0
        return max(0, self.window.size + MOST_WAITING - len(self.under_way))

    def send(self, claim: Claim, token: str) -> None:
        """Send the message of a claim once, in a thread."""
        self.under_way[claim.submission.pk] = claim
        self._pool.submit(self._work, claim, token)

    def forget(self, answer: Answer) -> None:
        """Make room, because the answer arrived."""
        self.under_way.pop(answer.claim.submission.pk, None)
        self._is_held_up = answer.exchange.fault is Fault.HELD_UP

    def _work(self, claim: Claim, token: str) -> None:
        self._on_answer(Answer(claim, token, self._exchange(claim, token)))

    def _exchange(self, claim: Claim, token: str) -> Exchange:
        claim.slot.wait()
        if not self.window.enter(_patience(claim)):
            return not_sent(claim, Fault.HELD_UP, HELD_UP)
        exchange = BROKEN
        try:
            exchange = self._send_now(claim, token)
        except Exception:
            log.exception("Submission %s could not be sent", claim.submission.pk)
        finally:
            self.window.leave(exchange)
        return exchange

    def _send_now(self, claim: Claim, token: str) -> Exchange:
        if _patience(claim) < 0:
            return not_sent(claim, Fault.HELD_UP, HELD_UP)
        blocked = self.block_reason or (PAUSED if claim.submission.plan_id in self.paused_plans else "")
        if time.monotonic() - self.read_at > LONGEST_UNREAD:
            blocked = blocked or UNREAD
        if blocked:
            return not_sent(claim, Fault.BLOCKED, blocked)
        return gateway.send_message(claim.redox, bytes(claim.submission.message), token)


def is_failure(exchange: Exchange) -> bool:
    """Whether Redox gave no whole answer or a server error, by the exchange alone."""
    if exchange.fault is not None:
        return not exchange.fault.is_ours
    return exchange.status is None or exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def not_sent(claim: Claim, fault: Fault, fault_text: str) -> Exchange:
    """The exchange of a message that was not sent."""
    return Exchange(
        request_sha256=messages.sha256(bytes(claim.submission.message)), sent=False, fault=fault, fault_text=fault_text
    )


def _patience(claim: Claim) -> float:
    """Seconds that are left until the message may not be sent any more in this claim."""
    return claim.lease_left - settings.REDOX_DEADLINE - lease_margin()
