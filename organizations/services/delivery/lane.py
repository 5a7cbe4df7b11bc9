"""One environment's part of the courier: it claims messages, has them sent, and stores and settles the answers.

It never waits for Redox. Its Queries are in `lane_queries.py`.
"""

import copy
import datetime
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from django.db import InterfaceError, OperationalError, connection

from organizations.models import EnvironmentGate, Plan, PlanState, Submission, clock
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Fault
from organizations.redox.environment import RedoxEnvironment
from organizations.redox.outcome import Kind, Outcome
from organizations.services import failpoints
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, lookup, redox_requests, redox_settings
from organizations.services.delivery import claims, restore_guard, settle
from organizations.services.delivery.lane_queries import LaneQueries
from organizations.services.delivery.sender import FAILED, STOPPED, Answer, QueryAnswer, Sender, not_sent
from organizations.services.errors import OutOfDate
from organizations.services.timing import IDLE_POLL, POLL, is_idle_since, poll_after

MOST_AT_ONCE = 16
"""Submissions in one transaction."""
_CHECK_EVERY = 0.1
"""Seconds between two checks whether messages that wait for their send slot may still be sent."""

log = logging.getLogger("orgportal.delivery")


@dataclass(frozen=True, slots=True)
class TokenArrived:
    """The answer to a token request of an environment."""

    environment: str
    answer: TokenAnswer


@dataclass(slots=True, eq=False)
class _UnsettledAnswer:
    """An answer that is not settled yet. `stored_at`: when it was stored. `outcome`: what it means."""

    answer: Answer
    stored_at: datetime.datetime | None = None
    outcome: Outcome | None = None
    counts_for_breaker: bool = True


class Lane:
    """The courier's work for one environment. All methods are called in the courier's thread."""

    def __init__(
        self,
        environment: str,
        actor: Actor,
        pool: Executor,
        on_event: Callable[[Answer | QueryAnswer | TokenArrived], None],
    ) -> None:
        self.environment = environment
        self.sender = Sender(pool, on_event)
        self.queries = LaneQueries(environment, actor, self.sender, self._ready_token)
        self.is_stopping = False
        self._actor = actor
        self._pool = pool
        self._on_event = on_event
        self._thread = threading.get_ident()
        self._arrived: list[_UnsettledAnswer] = []
        self._refused: list[_UnsettledAnswer] = []
        """Stored answers in which Redox refused the token. Their messages are sent again with a new one."""
        self._is_requesting_token = False
        self._token_answer: TokenAnswer | None = None
        self._claims_alone = False
        self._worked_at = time.monotonic()
        self._checked_at = self._token_request_at = self._idle_until = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether messages or Queries are under way or answers are not settled yet."""
        return bool(self.sender.under_way or self._arrived or self._refused or self.queries.is_busy)

    @property
    def is_idle(self) -> bool:
        """Whether nothing was claimed for a minute."""
        return is_idle_since(self._worked_at)

    @property
    def next_claim(self) -> float:
        """When the next claim is due, by the monotonic clock."""
        return max(self.sender.free_at, self._idle_until)

    def wake(self) -> None:
        """Look for due submissions at once, because something changed."""
        self._idle_until = 0.0

    def claim(self, most: int = MOST_AT_ONCE) -> bool:
        """Claim due submissions and give them to the sender. Returns whether any was claimed.

        After a claim that failed, each submission is claimed alone.
        """
        self._idle_until = time.monotonic() + poll_after(self._worked_at)
        claim = claims.claim_alone if self._claims_alone else claims.claim_many
        self._claims_alone = True  # stays so if the claim raises an exception
        is_claimed = self._claim(claim, most)
        self._claims_alone = False
        if is_claimed:
            self._worked_at = time.monotonic()
        return is_claimed

    def _claim(self, claim: Callable[..., list[claims.Claim]], most: int) -> bool:
        redox = redox_settings.environment(self.environment)
        most = min(most, self.sender.room)
        if most < 1 or redox.credential is None or not self._may_claim(redox):
            return False
        token = self._ready_token(redox)
        if not token:
            return False
        claimed = claim(self.environment, redox, most, actor=self._actor)
        self._idle_until = time.monotonic() + (_CHECK_EVERY if not claimed else 0.0)
        if not claimed:
            return False
        try:
            restore_guard.store_newest_entry()
            failpoints.reach("after-intent")
            self._check_waiting(claimed)
        except Exception:
            self.sender.free_at = time.monotonic() + IDLE_POLL
            for each in claimed:
                self.take(Answer(each, token, not_sent(each, Fault.BLOCKED, FAILED)))
            raise
        self.sender.free_at = claimed[-1].slot.begins - claims.SECONDS_AHEAD / 2
        for each in claimed:
            self.sender.send(each, token)
        return True

    def _may_claim(self, redox: RedoxEnvironment) -> bool:
        if not Submission.objects.due(self.environment, clock.now()).exists():
            return False
        # The database may be restored while the worker runs, between two heartbeats.
        if restore_guard.stop_if_restored(actor=self._actor):
            return False
        try:
            redox_requests.check_sending_allowed(redox, is_write=True)
        except redox_requests.SendingBlocked:
            return False
        return True

    def check_waiting_if_due(self) -> None:
        """Check from time to time whether messages and Queries that wait for their send slot may still be sent."""
        if (self.sender.under_way or self.queries.is_busy) and time.monotonic() - self._checked_at >= _CHECK_EVERY:
            self._check_waiting(self.sender.under_way.values())

    def _check_waiting(self, waiting: Iterable[claims.Claim]) -> None:
        self._checked_at = time.monotonic()
        gate, moment = EnvironmentGate.objects.get(pk=self.environment), clock.now()
        name = self.environment.upper()
        blocked = "" if gate.can_send(moment) else f"{name} was stopped or paused before the message was sent."
        self.sender.block_reason = STOPPED if self.is_stopping else blocked
        waits = f"Redox asked {name} to wait before the Query was sent." if gate.is_asked_to_wait(moment) else ""
        self.sender.query_block_reason = STOPPED if self.is_stopping else waits
        plans = {each.submission.plan_id for each in waiting if each.submission.plan_id is not None}
        paused = Plan.objects.filter(pk__in=plans, state=PlanState.PAUSED)  # without a plan Django runs no query
        self.sender.paused_plans = frozenset(paused.values_list("pk", flat=True))
        self.sender.read_at = self._checked_at

    def stop(self) -> None:
        """Send nothing more. Exchanges in flight are finished."""
        self.is_stopping = self.queries.is_stopping = True
        self.sender.block_reason = self.sender.query_block_reason = STOPPED

    # Tokens

    def _ready_token(self, redox: RedoxEnvironment) -> str:
        """The token that is ready, or "". If the next one is due, a thread requests it."""
        ready = redox_requests.ready_token(redox)
        if redox_requests.is_token_due(redox) and not self._is_requesting_token:
            self._request_token(redox)
        return ready.token if ready else ""

    def _request_token(self, redox: RedoxEnvironment) -> None:
        now = time.monotonic()
        if now >= self._token_request_at:
            self._is_requesting_token, self._token_request_at = True, now + POLL
            self._pool.submit(self._get_token, redox)

    def _get_token(self, redox: RedoxEnvironment) -> None:
        """Runs in a thread. A token request has no effect in the directory, so it comes before the claim."""
        try:
            answer = redox_requests.access_token(redox)
        except Exception as error:
            if not isinstance(error, redox_requests.SendingBlocked):
                log.exception("A token request for %s failed", self.environment)
            answer = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, detail=str(error), fault=Fault.BLOCKED))
        finally:
            if threading.get_ident() != self._thread:
                connection.close()
        self._on_event(TokenArrived(self.environment, answer))

    def take_token(self, answer: TokenAnswer) -> None:
        """Keep the answer to a token request until `settle` applies it."""
        self._is_requesting_token, self._token_answer = False, answer
        self.wake()

    def _apply_token_answer(self, answer: TokenAnswer) -> None:
        """If no token was given, stop or pause the environment. Messages that wait for a token get this outcome."""
        outcome = answer.outcome
        if outcome is None:
            return
        stops = f"{outcome.stops}: {lookup.token_refusal_reason(answer)}" if outcome.stops else ""
        with audit.atomic(self._actor) as history:
            breaker.apply_outcome(history, breaker.lock_gate(self.environment), replace(outcome, stops=stops))
        self._settle_refused_as(outcome)
        self.queries.fail_token(answer)

    def _settle_refused_as(self, outcome: Outcome) -> None:
        """Stop resending messages whose token was refused. Their outcome is the reason why there is no new token."""
        for arrival in self._refused:
            arrival.outcome, arrival.counts_for_breaker = outcome, False
        self._arrived += self._refused
        self._refused = []

    def _send_refused_again(self) -> None:
        """Send each message whose token Redox refused once more."""
        redox = self._refused[0].answer.claim.redox
        token, ready = self._ready_token(redox), redox_requests.ready_token(redox)
        if self.is_stopping:
            self._settle_refused_as(Outcome(kind=Kind.NOT_EXECUTED, detail=STOPPED, fault=Fault.BLOCKED))
        elif ready is not None and ready.outcome is not None:  # Redox asked to wait before it gives another token
            self._settle_refused_as(ready.outcome)
        elif token:
            claimed = claims.claim_again([arrival.answer.claim for arrival in self._refused])
            self._refused = []
            for claim in claimed:
                self.sender.send(claim, token)

    # Answers

    def take(self, answer: Answer) -> None:
        """Keep an answer until `settle` stores it."""
        self.sender.forget(answer)
        self._arrived.append(_UnsettledAnswer(answer))

    def take_query(self, answer: QueryAnswer) -> None:
        """Keep the answer to a Query until `settle` stores it."""
        if self.queries.take(answer):
            self._token_request_at = 0.0

    def settle(self) -> None:
        """Store and settle the answers that arrived. If the database is not available, the next call does it.

        Raises:
            OperationalError, InterfaceError: the database is not available.
        """
        self.check_waiting_if_due()
        if self._token_answer is not None:
            self._apply_token_answer(self._token_answer)
            self._token_answer = None
        if self._refused:
            self._send_refused_again()
        # After an outage of the database more answers may wait: the others follow in the next call.
        batch = self._arrived[:MOST_AT_ONCE]
        unstored = [arrival for arrival in batch if arrival.stored_at is None]
        if unstored:
            failpoints.reach("after-exchange")
            self._together_or_alone(self._store, unstored)
            failpoints.reach("after-response")
        self._together_or_alone(self._judge, self._kept(batch))
        if kept := self._kept(batch):
            self._together_or_alone(self._settle, kept)
            self._checked_at = 0.0
            self.wake()
        if self.queries.settle():
            self.wake()

    def _kept(self, batch: Sequence[_UnsettledAnswer]) -> list[_UnsettledAnswer]:
        """The answers of the batch that must still be settled: not late, not set aside, and not given up."""
        return [arrival for arrival in batch if arrival in self._arrived]

    def _store(self, arrivals: Sequence[_UnsettledAnswer]) -> None:
        responses = [
            settle.Response(each.answer.claim.submission, each.answer.exchange, each.answer.claim.repeat)
            for each in arrivals
        ]
        for arrival, stored_at in zip(arrivals, settle.store_responses(responses, actor=self._actor), strict=True):
            arrival.stored_at = stored_at
            if stored_at is None:
                self._arrived.remove(arrival)

    def _judge(self, arrivals: Sequence[_UnsettledAnswer]) -> None:
        """Judge stored answers. Set aside those that refused a token, if another one can be requested."""
        for arrival in [each for each in arrivals if each.outcome is None]:
            claim, token = arrival.answer.claim, arrival.answer.token
            arrival.outcome = settle.outcome_of(claim.submission, arrival.answer.exchange)
            is_first = arrival.outcome.renew_token and not claim.repeat
            if is_first and redox_requests.discard_token(claim.redox, token):
                self._arrived.remove(arrival)
                self._refused.append(arrival)
                self._token_request_at = 0.0

    def _settle(self, arrivals: Sequence[_UnsettledAnswer]) -> None:
        answers = [
            settle.AttemptAnswer(
                # A copy, because settling changes it, also if it fails.
                copy.copy(arrival.answer.claim.submission),
                arrival.outcome,
                arrival.answer.exchange,
                arrival.stored_at,
                arrival.counts_for_breaker,
            )
            for arrival in arrivals
            if arrival.outcome is not None and arrival.stored_at is not None
        ]
        settle.settle_attempts(answers, actor=self._actor)
        for arrival in arrivals:
            self._arrived.remove(arrival)

    def _together_or_alone(
        self, act: Callable[[Sequence[_UnsettledAnswer]], None], arrivals: Sequence[_UnsettledAnswer]
    ) -> None:
        """Call `act` for all answers together; if that fails, for each alone.

        An answer that fails alone is dropped. Another worker settles its submission when the lease has ended.
        """
        try:
            act(arrivals)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            if not isinstance(error, OutOfDate):
                log.exception("%d answers could not be settled", len(arrivals))
            if len(arrivals) == 1:
                self._arrived.remove(arrivals[0])
                return
            for arrival in arrivals:
                self._together_or_alone(act, [arrival])
