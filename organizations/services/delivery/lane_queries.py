"""The Queries of one lane. Threads send them, so a Query without an answer does not delay the others.

All methods are called in the courier's thread, which reads and writes the database between the Queries of a lookup.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import count

from django.db import InterfaceError, OperationalError

from organizations.models import clock
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.environment import RedoxEnvironment
from organizations.services.actors import Actor
from organizations.services.connection import breaker, lookup, rate_limit, redox_requests, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer, Lookup, Question
from organizations.services.connection.redox_requests import QueryReply
from organizations.services.delivery import resolve
from organizations.services.delivery.sender import MOST_QUERIES, STOPPED, QueryAnswer, Sender
from organizations.services.timing import poll_after

LOOKUP_INTERVAL_WHILE_SENDING = 1.0
"""Seconds between the starts of two lookups while messages, which have priority, use the whole rate."""

log = logging.getLogger("orgportal.delivery")

type Source = Callable[..., Question | None]
SOURCES: tuple[Source, ...] = (breaker.next_probe, resolve.next_unknown, resolve.next_read_back)
"""Functions that return the next due question of an environment, or None: what delivery needs to know.

`services/workers.py` adds the questions of take-overs.
"""


@dataclass(slots=True)
class _OpenQuestion:
    """A question whose answer is not stored yet.

    `refused` is the exchange in which Redox refused the token of the current Query. `counts_for_breaker` is false if
    the outcome is that of a token request, which the courier applies itself.
    """

    question: Question
    step: Lookup | DirectoryAnswer
    is_being_sent: bool = False
    reply: QueryReply | None = None
    refused: Exchange | None = None
    counts_for_breaker: bool = True


class LaneQueries:
    """The questions of one environment to the directory. `ready_token` returns a token, or "" until one has arrived."""

    def __init__(
        self, environment: str, actor: Actor, sender: Sender, ready_token: Callable[[RedoxEnvironment], str]
    ) -> None:
        self.is_stopping = False
        self._environment = environment
        self._actor = actor
        self._sender = sender
        self._ready_token = ready_token
        self._asked: dict[int, _OpenQuestion] = {}
        self._numbers = count(1)
        self._worked_at = time.monotonic()
        self._began_at = self._idle_until = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited or not stored yet."""
        return bool(self._asked)

    @property
    def next_look(self) -> float:
        """When the next check for a due question is, by the monotonic clock."""
        if len(self._asked) >= MOST_QUERIES:
            return math.inf
        beside_messages = min(self._began_at + LOOKUP_INTERVAL_WHILE_SENDING, self._sender.free_at)
        return max(self._idle_until, beside_messages)

    def ask_next(self, sources: tuple[Source, ...]) -> bool:
        """Start to look up the next due question. Returns whether there was one."""
        self._idle_until = time.monotonic() + poll_after(self._worked_at)
        for source in sources:
            question = source(self._environment, actor=self._actor)
            if question is not None:
                self._idle_until, self._began_at = 0.0, time.monotonic()
                self.ask(question)
                return True
        return False

    def ask(self, question: Question) -> None:
        """Start to look up the OID of a question. Its answer is stored later."""
        self._worked_at = time.monotonic()
        step = Lookup(redox_settings.environment(self._environment), question.oid, clock.now())
        asked = _OpenQuestion(question, replace(step, filters=step.filters[:1]) if question.is_probe else step)
        number = next(self._numbers)
        self._asked[number] = asked
        self._advance(number, asked)

    def take(self, answer: QueryAnswer) -> bool:
        """Keep the answer to a Query. Returns whether its token was refused, so that a new one is needed."""
        asked, exchange = self._asked[answer.number], answer.exchange
        asked.is_being_sent = False
        is_first_refusal = exchange.status == HTTPStatus.UNAUTHORIZED and asked.refused is None
        is_sent_again = is_first_refusal and redox_requests.discard_token(answer.lookup.redox, answer.token)
        if is_sent_again:
            asked.refused = exchange
        elif exchange.fault is Fault.BLOCKED:
            asked.reply = QueryReply(TokenAnswer(), asked.refused, blocked=exchange.fault_text)
        else:
            asked.reply = QueryReply(TokenAnswer(token=answer.token), exchange, asked.refused)
        return is_sent_again

    def fail_token(self, answer: TokenAnswer) -> None:
        """End the Queries that wait for a token, because Redox gave none. The courier has counted the failure."""
        for asked in self._asked.values():
            if not asked.is_being_sent and asked.reply is None:
                self._reply_without_token(asked, answer)
                asked.counts_for_breaker = False

    def settle(self) -> bool:
        """Send the next Queries and store the answers. Returns whether any was stored.

        A question that fails is dropped; it is asked again when its lease has ended.

        Raises:
            OperationalError, InterfaceError: the database is not available.
        """
        before = len(self._asked)
        for number, asked in list(self._asked.items()):
            self._advance(number, asked)
        return len(self._asked) < before

    def _advance(self, number: int, asked: _OpenQuestion) -> None:
        try:
            while isinstance(asked.step, Lookup):
                if asked.reply is None and not asked.is_being_sent:
                    self._send(number, asked, asked.step)
                if asked.reply is None:
                    return
                asked.step, asked.reply = lookup.advance(asked.step, asked.reply), None
                asked.refused = None
            # The answer to the breaker's probe must end the pause.
            counts = asked.counts_for_breaker or asked.question.is_probe
            asked.question.store(asked.step if counts else replace(asked.step, outcome=None))
        except (OperationalError, InterfaceError):
            del self._asked[number]
            raise
        except Exception:
            log.exception("The answer about %s could not be stored", asked.question.oid)
        del self._asked[number]
        self._idle_until = 0.0

    def _send(self, number: int, asked: _OpenQuestion, step: Lookup) -> None:
        """Give the next Query to the sender, unless it waits for a token or cannot be sent now."""
        token, ready = self._ready_token(step.redox), redox_requests.ready_token(step.redox)
        if ready is not None and ready.outcome is not None:  # Redox asked to wait before it gives another token
            self._reply_without_token(asked, ready)
            return
        try:
            if self.is_stopping:
                raise redox_requests.SendingBlocked(STOPPED)
            if token:
                redox_requests.check_sending_allowed(step.redox)
        except redox_requests.SendingBlocked as blocked:
            asked.reply = QueryReply(TokenAnswer(), asked.refused, blocked=str(blocked))
            return
        if token:
            slot = rate_limit.reserve_slot()
            self._sender.query_block_reason = ""
            asked.is_being_sent = True
            self._sender.query(number, step, slot, token)

    def _reply_without_token(self, asked: _OpenQuestion, answer: TokenAnswer) -> None:
        outcome = answer.outcome
        blocked = outcome.detail if outcome is not None and outcome.fault is Fault.BLOCKED else ""
        asked.reply = QueryReply(answer, asked.refused, blocked=blocked)
