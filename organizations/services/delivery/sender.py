"""Sends the claimed messages and Queries of one environment, each in a thread that never uses the database."""

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
from organizations.services.connection import redox_requests
from organizations.services.connection.lookup import Lookup
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery.claims import Claim
from organizations.services.timing import lease_margin

log = logging.getLogger("orgportal.delivery")

FIRST_WINDOW = 4
MOST_IN_FLIGHT = 64
SPARE = 1
"""Free places in the window that do not make it shrink."""
MOST_WAITING = 16
"""Claimed messages that may wait for their send slot or for the window."""
MOST_QUERIES = 8
"""Queries that may be in flight at the same time."""
THREADS = MOST_IN_FLIGHT + MOST_WAITING + MOST_QUERIES + 1
"""The threads that an environment needs. One is for a token request."""

LONGEST_SINCE_CHECK = 5.0
"""If the courier has not checked for this many seconds whether messages may still be sent, nothing is sent."""

STOPPED = "The worker was stopped before the message was sent."
FAILED = "The worker failed before the message was sent."
PAUSED = "Its plan was paused before the message was sent."
UNREAD = "The worker could not read from the database whether the message may be sent."
HELD_UP = "the worker waited too long, and another one may take the message soon"

BROKEN = Exchange(request_sha256="", sent=True, fault=Fault.BROKEN, fault_text="an error of the worker")
"""The exchange after an error of the worker itself, which does not know what was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The exchange of a claim that was sent with this token."""

    claim: Claim
    token: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The exchange of a Query of `lookup` that was sent with this token."""

    number: int
    lookup: Lookup
    token: str
    exchange: Exchange


@dataclass(slots=True)
class CongestionWindow:
    """A congestion window: how many messages may be in flight at once. It is small at first and after a failure.

    An answer counts +1 if a message waits, and -1 if more than SPARE places are free. At +size the window grows by one,
    at -size it shrinks by one. So it is hardly larger than the sending rate needs, and if the directory stops
    answering, few outcomes are unknown.
    """

    size: int = field(default_factory=lambda: FIRST_WINDOW)
    in_flight: int = 0
    waiting: int = 0
    _credit: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def enter(self, timeout: float) -> bool:
        """Wait until one more message may be in flight, for `timeout` seconds at most. Returns whether it may."""
        with self._changed:
            self.waiting += 1
            is_open = self._changed.wait_for(lambda: self.in_flight < self.size, timeout)
            self.waiting -= 1
            self.in_flight += is_open
            return is_open

    def leave(self, exchange: Exchange) -> None:
        """Count the answer of a message that was in flight. A message that was not sent changes nothing."""
        with self._changed:
            if is_failed_exchange(exchange):
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


class Sender:
    """Sends claimed messages and Queries of one environment, and gives each answer to `on_answer`, in any thread.

    `block_reason` says why no message can be sent now, or "". Messages of `paused_plans` are not sent either.
    `query_block_reason` is the same for Queries, which may be sent while sending is stopped. The courier, which reads
    the database, sets all three while something waits for its send slot; `read_at` says when it last did. `free_at`:
    when to claim again; by then at least half of the send slots that may be reserved ahead are free.
    """

    def __init__(self, pool: Executor, on_answer: Callable[[Answer | QueryAnswer], None]) -> None:
        self.block_reason = self.query_block_reason = ""
        self.paused_plans: frozenset[int] = frozenset()
        self.read_at = math.inf
        self.free_at = 0.0
        self.under_way: dict[int, Claim] = {}
        self.window = CongestionWindow()
        self._is_held_up = False
        self._pool = pool
        self._on_answer = on_answer

    @property
    def room(self) -> int:
        """How many more messages may be claimed; 0 after a message waited too long for the window."""
        if self._is_held_up and self.window.in_flight:
            return 0
        return max(0, self.window.size + MOST_WAITING - len(self.under_way))

    def send(self, claim: Claim, token: str) -> None:
        """Send the message of a claim once, in a thread."""
        self.under_way[claim.submission.pk] = claim
        self._pool.submit(self._work, claim, token)

    def query(self, number: int, lookup: Lookup, slot: SendSlot, token: str) -> None:
        """Send the next Query of a lookup once, in a thread. The answer has the same number."""
        self._pool.submit(self._query, number, lookup, slot, token)

    def forget(self, answer: Answer) -> None:
        """Free the place of a message whose answer arrived."""
        self.under_way.pop(answer.claim.submission.pk, None)
        self._is_held_up = answer.exchange.fault is Fault.HELD_UP

    def _work(self, claim: Claim, token: str) -> None:
        self._on_answer(Answer(claim, token, self._exchange(claim, token)))

    def _query(self, number: int, lookup: Lookup, slot: SendSlot, token: str) -> None:
        slot.wait()
        exchange, message = BROKEN, lookup.message
        try:
            if self.query_block_reason:
                exchange = _not_sent(message, Fault.BLOCKED, self.query_block_reason)
            else:
                exchange = redox_requests.send_message(lookup.redox, message, token)
        except Exception:
            log.exception("A Query about %s could not be sent", lookup.oid)
        self._on_answer(QueryAnswer(number, lookup, token, exchange))

    def _exchange(self, claim: Claim, token: str) -> Exchange:
        claim.slot.wait()
        if not self.window.enter(_seconds_left_to_send(claim)):
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
        if _seconds_left_to_send(claim) < 0:
            return not_sent(claim, Fault.HELD_UP, HELD_UP)
        blocked = self.block_reason or (PAUSED if claim.submission.plan_id in self.paused_plans else "")
        if time.monotonic() - self.read_at > LONGEST_SINCE_CHECK:
            blocked = blocked or UNREAD
        if blocked:
            return not_sent(claim, Fault.BLOCKED, blocked)
        return redox_requests.send_message(claim.redox, bytes(claim.submission.message), token)


def is_failed_exchange(exchange: Exchange) -> bool:
    """Whether Redox gave no complete answer or a server error, judged by the exchange alone."""
    if exchange.fault is not None:
        return not exchange.fault.is_ours
    return exchange.status is None or exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def not_sent(claim: Claim, fault: Fault, fault_text: str) -> Exchange:
    """The exchange of a claimed message that was not sent."""
    return _not_sent(bytes(claim.submission.message), fault, fault_text)


def _not_sent(message: bytes, fault: Fault, fault_text: str) -> Exchange:
    return Exchange(request_sha256=messages.sha256(message), sent=False, fault=fault, fault_text=fault_text)


def _seconds_left_to_send(claim: Claim) -> float:
    """Seconds that are left to send the message in this claim."""
    return claim.lease_left - settings.REDOX_DEADLINE - lease_margin()
