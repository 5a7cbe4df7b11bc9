"""The steps of one environment of a courier, without sending: when it claims, looks, and requests a token again."""

import json
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from organizations.models import EnvironmentGate, Installation, State, Submission, User, clock
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind, Outcome
from organizations.services import failpoints, timing
from organizations.services.connection import rate_limit, redox_requests
from organizations.services.connection.lookup import DirectoryAnswer, Question
from organizations.services.delivery import claims, lane, sender
from organizations.services.delivery.lane import Lane
from organizations.services.delivery.sender import Answer, QueryAnswer
from organizations.services.outbox import plans
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.services.delivery.batches import YES, queue
from tests.services.fake_redox import EMPTY_QUERY_RESPONSE
from tests.services.sending import WORKER, exchange_result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("connected"), pytest.mark.one_database]

REFUSED = exchange_result(401)
STOP = exchange_result(302)
NOTHING = exchange_result(200, json.dumps(EMPTY_QUERY_RESPONSE).encode())
STOPPED_REASON = "STAGING was stopped or paused before the message was sent."


class Waiting(Executor):
    """Runs nothing. `work` is what was submitted."""

    def __init__(self) -> None:
        self.work: list[tuple[Any, ...]] = []

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        self.work.append(args)
        return Future()

    def take(self) -> list[tuple[Any, ...]]:
        """What was submitted since the last call."""
        taken, self.work = self.work, []
        return taken


@pytest.fixture
def pool() -> Waiting:
    return Waiting()


@pytest.fixture
def own(pool: Waiting) -> Lane:
    return Lane("staging", WORKER, pool, lambda _: None)


class Tokens:
    """What the process knows about the token. A message whose token was refused needs another one."""

    def __init__(self) -> None:
        self.ready: TokenAnswer | None = TokenAnswer(token="first")
        self.is_due = False
        self.can_renew = True

    def expire(self) -> None:
        self.ready, self.is_due = None, True


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Tokens:
    known = Tokens()
    monkeypatch.setattr(redox_requests, "ready_token", lambda _: known.ready)
    monkeypatch.setattr(redox_requests, "is_token_due", lambda _: known.is_due)
    monkeypatch.setattr(redox_requests, "discard_token", lambda *_: known.can_renew)
    return known


def stop_environment() -> None:
    EnvironmentGate.objects.filter(pk="staging").update(stopped_at=clock.now())


def claimed(own: Lane, pool: Waiting) -> list[claims.Claim]:
    assert own.claim()
    return [claim for claim, _ in pool.take()]


def answer(own: Lane, claim: claims.Claim, exchange: Exchange) -> None:
    own.take(Answer(claim, "first", exchange))
    own.settle()


# When it claims again


def test_the_next_claim_follows_when_half_of_the_slots_ahead_are_free(own: Lane, pool: Waiting, editor: User) -> None:
    queue(3, editor)
    with override_settings(REDOX_RATE=2.0):
        made = claimed(own, pool)
    assert len(made) == 2
    assert own.sender.free_at == made[-1].slot.begins - 0.5
    assert own.next_claim <= time.monotonic()
    own.sender.free_at = time.monotonic() + 60.0
    assert own.next_claim == own.sender.free_at


def next_claim_after(own: Lane, wait: float) -> bool:
    """Whether nothing is claimed, and the next claim comes after this many seconds."""
    began = time.monotonic()
    assert not own.claim()
    return began + wait <= own.next_claim <= time.monotonic() + wait


def test_an_environment_looks_for_messages_less_often_after_a_minute_without_one(
    own: Lane, pool: Waiting, editor: User
) -> None:
    assert next_claim_after(own, timing.POLL)
    own._worked_at = time.monotonic() - timing.IDLE_AFTER
    assert next_claim_after(own, timing.IDLE_POLL)
    queue(2, editor)
    with override_settings(REDOX_RATE=0.5):
        rate_limit.reserve_slot()
        assert next_claim_after(own, lane._CHECK_EVERY)  # it waits for a send slot
    assert own.is_idle
    Installation.objects.update(next_send_at=None)
    claimed(own, pool)
    assert not own.is_idle


def test_after_a_claim_the_next_one_is_one_transaction_as_well(own: Lane, pool: Waiting, editor: User) -> None:
    queue(3, editor)
    transactions: list[str] = []
    with failpoints.calling(lambda: transactions.append("one"), "before-history"):
        for number in (1, 2):
            assert len(claimed(own, pool)) == 3
            assert len(transactions) == number
            factories.change_submissions(state=State.QUEUED)


def test_nothing_is_claimed_and_no_token_requested_while_the_environment_is_stopped(
    own: Lane, pool: Waiting, tokens: Tokens, editor: User
) -> None:
    queue(1, editor)
    tokens.expire()
    stop_environment()
    assert not own.claim()
    assert pool.work == []


def test_a_demonstration_claims_nothing_for_another_machine(own: Lane, editor: User) -> None:
    queue(1, editor)
    Installation.objects.update(demonstration=True)
    with override_settings(REDOX=redox("https://redox.example")):
        assert not own.claim()
    assert Submission.objects.get().attempt == 0
    assert own.claim()


# Whether what waits for its slot may still leave


def test_a_stop_and_a_pause_after_the_intent_are_passed_to_the_sender(own: Lane, editor: User) -> None:
    plan = factories.plan([factories.organization(user=editor)], user=editor)

    def stop_and_pause() -> None:
        stop_environment()
        plans.pause_plan(plan.pk, actor=as_actor(editor))

    with failpoints.calling(stop_and_pause, "after-intent"):
        assert own.claim()
    assert (own.sender.block_reason, own.sender.paused_plans) == (STOPPED_REASON, frozenset({plan.pk}))


def test_a_claim_after_a_stop_is_not_kept_back_for_it(own: Lane, editor: User) -> None:
    queue(1, editor)
    stop_environment()
    own._check_waiting([])
    assert own.sender.block_reason == STOPPED_REASON
    EnvironmentGate.objects.update(stopped_at=None)
    assert own.claim()
    assert own.sender.block_reason == ""


def test_after_answers_were_settled_the_next_round_looks_and_claims_at_once(
    own: Lane, pool: Waiting, editor: User
) -> None:
    queue(2, editor)
    first, _ = claimed(own, pool)
    own._checked_at = own._idle_until = time.monotonic() + 60.0
    own.sender.free_at = 0.0
    answer(own, first, STOP)
    assert own.next_claim == 0.0
    assert own.sender.block_reason == ""
    own.settle()
    assert own.sender.block_reason == STOPPED_REASON


def test_an_answer_that_is_not_stored_keeps_the_environment_busy(own: Lane, pool: Waiting, editor: User) -> None:
    queue(1, editor)
    (only,) = claimed(own, pool)
    own.take(Answer(only, "first", YES))
    assert own.is_busy
    own.settle()
    assert not own.is_busy


def test_after_a_stop_of_the_worker_nothing_more_is_sent(own: Lane) -> None:
    own.stop()
    for _ in range(2):
        assert (own.sender.block_reason, own.sender.query_block_reason) == (sender.STOPPED, sender.STOPPED)
        assert own.is_stopping
        assert own.queries.is_stopping
        own._check_waiting([])


# Tokens


def test_one_token_is_requested_at_a_time_and_after_a_failure_not_at_once(
    own: Lane, pool: Waiting, tokens: Tokens, editor: User
) -> None:
    queue(1, editor)
    tokens.expire()
    began = time.monotonic()
    assert not own.claim()
    assert len(pool.take()) == 1
    assert began + timing.POLL <= own._token_request_at <= time.monotonic() + timing.POLL
    own._token_request_at, own._idle_until = 0.0, time.monotonic() + 60.0
    assert not own.claim()
    assert pool.work == []  # one is under way

    own.take_token(TokenAnswer(outcome=Outcome(kind=Kind.NOT_SENT, detail="refused", fault=Fault.REFUSED)))
    assert own.next_claim == 0.0
    for _ in range(2):
        own.settle()
    assert EnvironmentGate.objects.get(pk="staging").failures == 1
    own._token_request_at = time.monotonic() + 60.0
    assert not own.claim()
    assert pool.work == []
    own._token_request_at = 0.0
    tokens.is_due = False
    assert not own.claim()
    assert pool.work == []
    tokens.is_due = True
    assert not own.claim()
    assert len(pool.take()) == 1
    assert Submission.objects.get().attempt == 0


def refused(own: Lane, pool: Waiting, tokens: Tokens, editor: User) -> None:
    """One message waits for another token, because Redox refused the first."""
    queue(1, editor)
    (only,) = claimed(own, pool)
    tokens.expire()
    own._token_request_at = time.monotonic() + 60.0
    answer(own, only, REFUSED)
    assert own.is_busy


def test_a_refused_message_is_sent_again_once_with_the_new_token(
    own: Lane, pool: Waiting, tokens: Tokens, editor: User
) -> None:
    refused(own, pool, tokens, editor)
    for _ in range(2):
        own.settle()
    ((environment,),) = pool.take()  # a token request, at once, and no message without a token
    assert environment.name == "staging"
    tokens.ready, tokens.is_due = TokenAnswer(token="second"), False
    for _ in range(2):
        own.settle()
    ((again, token),) = pool.take()
    assert (again.repeat, token) == (1, "second")
    answer(own, again, YES)
    assert not own.is_busy


def test_a_message_whose_new_token_is_refused_as_well_stops_the_environment(
    own: Lane, pool: Waiting, tokens: Tokens, editor: User
) -> None:
    refused(own, pool, tokens, editor)
    tokens.ready, tokens.is_due = TokenAnswer(token="second"), False
    own.settle()
    ((again, _),) = pool.take()
    answer(own, again, REFUSED)
    assert not own.is_busy
    assert Submission.objects.get().state == State.QUEUED
    assert EnvironmentGate.objects.get(pk="staging").is_stopped


def test_a_refused_message_is_not_sent_again_after_a_stop_of_the_worker(
    own: Lane, pool: Waiting, tokens: Tokens, editor: User
) -> None:
    refused(own, pool, tokens, editor)
    tokens.ready = TokenAnswer(token="second")
    own.stop()
    own.settle()
    assert not own.is_busy
    submission = Submission.objects.get()
    assert (submission.state, submission.counted_attempts, submission.state_reason) == (State.QUEUED, 0, sender.STOPPED)
    assert all(len(work) == 1 for work in pool.work)  # a token request at most


def test_a_query_whose_token_was_refused_requests_another_one_at_once(own: Lane, pool: Waiting, tokens: Tokens) -> None:
    own.queries.ask(Question(BASE, lambda _: None))
    assert own.is_busy
    ((number, lookup, _, token),) = pool.take()
    own._token_request_at = time.monotonic() + 60.0
    own.take_query(QueryAnswer(number, lookup, token, YES))
    assert own._token_request_at > 0.0
    own.take_query(QueryAnswer(number, lookup, token, REFUSED))
    assert own._token_request_at == 0.0


def test_after_the_answer_to_a_query_was_stored_the_next_claim_follows_at_once(own: Lane, pool: Waiting) -> None:
    own.queries.ask(Question(BASE, lambda _: None, is_probe=True))
    ((number, lookup, _, token),) = pool.take()
    own._idle_until = time.monotonic() + 60.0
    own.settle()
    assert own.next_claim > time.monotonic()
    own.take_query(QueryAnswer(number, lookup, token, NOTHING))  # a probe is one Query
    own.settle()
    assert own.next_claim == 0.0


# The steps of a lookup


WAITS = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, detail="HTTP 429", hold_seconds=60.0))
UNREACHABLE = TokenAnswer(outcome=Outcome(kind=Kind.NOT_SENT, detail="refused", fault=Fault.REFUSED))
BLOCKED = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, detail="STAGING was stopped.", fault=Fault.BLOCKED))


def ask(own: Lane, *, is_probe: bool = False) -> list[DirectoryAnswer]:
    """Ask for an OID. The list holds the answer when it was stored."""
    answers: list[DirectoryAnswer] = []
    own.queries.ask(Question(BASE, answers.append, is_probe=is_probe))
    return answers


def reply(own: Lane, pool: Waiting, exchange: Exchange) -> bool | None:
    """Answer the only Query that was sent. Returns its `Active` filter."""
    ((number, lookup, _, token),) = pool.take()
    own.take_query(QueryAnswer(number, lookup, token, exchange))
    own.settle()
    active: bool | None = lookup.filters[0]
    return active


def test_each_query_of_a_lookup_is_sent_again_after_its_token_was_refused(
    own: Lane, pool: Waiting, tokens: Tokens
) -> None:
    answers = ask(own)
    own.settle()  # no second Query beside the first
    own.queries._idle_until = time.monotonic() + 60.0
    filters = [reply(own, pool, exchange) for exchange in (REFUSED, NOTHING, REFUSED, NOTHING, NOTHING)]
    assert filters == [None, None, True, True, False]
    assert [answer.is_answered for answer in answers] == [True]
    assert own.queries.next_look <= time.monotonic()
    assert not own.is_busy


def test_a_query_whose_token_is_refused_twice_is_answered(own: Lane, pool: Waiting, tokens: Tokens) -> None:
    answers = ask(own)
    assert [reply(own, pool, REFUSED) for _ in range(2)] == [None, None]
    (answer,) = answers
    assert (answer.is_answered, answer.exchange, len(answer.earlier)) == (False, REFUSED, 1)


def test_a_query_whose_token_cannot_be_renewed_is_answered(own: Lane, pool: Waiting, tokens: Tokens) -> None:
    tokens.can_renew = False
    answers = ask(own)
    assert reply(own, pool, REFUSED) is None
    assert [(answer.is_answered, answer.exchange) for answer in answers] == [(False, REFUSED)]


def test_a_query_that_was_kept_back_says_why_and_counts_for_nothing(own: Lane, pool: Waiting, tokens: Tokens) -> None:
    answers = ask(own)
    kept_back = replace(exchange_result(sent=False, fault=Fault.BLOCKED), fault_text="Redox asked STAGING to wait.")
    assert reply(own, pool, kept_back) is None
    (answer,) = answers
    assert (answer.cause, answer.exchange, answer.outcome) == (kept_back.fault_text, None, None)


def test_a_query_waits_for_a_token(own: Lane, pool: Waiting, tokens: Tokens) -> None:
    tokens.expire()
    answers = ask(own)
    own.settle()
    ((environment,),) = pool.take()  # a token request and no Query
    assert (environment.name, answers) == ("staging", [])
    tokens.ready = TokenAnswer(token="second")
    own.sender.query_block_reason = "Redox asked STAGING to wait."  # an earlier look
    own.queries.settle()
    assert own.sender.query_block_reason == ""
    ((_, lookup, _, token),) = [work for work in pool.take() if len(work) > 1]
    assert (lookup.oid, token) == (BASE, "second")


def test_a_query_is_not_sent_while_redox_asks_to_wait_for_a_token(own: Lane, pool: Waiting, tokens: Tokens) -> None:
    tokens.ready = WAITS
    (answer,) = ask(own)
    assert (pool.work, answer.is_answered, answer.outcome) == ([], False, WAITS.outcome)


@pytest.mark.parametrize("is_probe", [False, True])
@pytest.mark.parametrize("failure", [UNREACHABLE, BLOCKED])
def test_only_a_probe_counts_the_failure_of_a_token_request_that_the_courier_counts(
    own: Lane, tokens: Tokens, failure: TokenAnswer, is_probe: bool
) -> None:
    tokens.expire()
    answers = ask(own, is_probe=is_probe)
    own.queries.fail_token(failure)
    own.queries.settle()
    (answer,) = answers
    assert failure.outcome is not None
    assert answer.cause == failure.outcome.detail
    assert answer.outcome == (failure.outcome if is_probe and failure is UNREACHABLE else None)


def test_an_answer_that_came_before_a_token_request_failed_counts(own: Lane, pool: Waiting, tokens: Tokens) -> None:
    answers = ask(own, is_probe=True)
    ((number, lookup, _, token),) = pool.take()
    own.take_query(QueryAnswer(number, lookup, token, NOTHING))
    own.queries.fail_token(UNREACHABLE)
    own.queries.settle()
    assert [answer.is_answered for answer in answers] == [True]


@pytest.mark.parametrize("is_stopping", [True, False])
def test_the_next_query_of_a_lookup_is_not_sent_after_a_stop_or_if_redox_asks_to_wait(
    own: Lane, pool: Waiting, tokens: Tokens, is_stopping: bool
) -> None:
    answers = ask(own)
    if is_stopping:
        own.stop()
    else:
        EnvironmentGate.objects.filter(pk="staging").update(hold_asked_until=clock.now() + timing.seconds(60))
    assert reply(own, pool, NOTHING) is None
    assert pool.work == []
    (answer,) = answers
    assert answer.cause.startswith(sender.STOPPED if is_stopping else "Redox asked the portal to wait.")
    assert (answer.exchange, answer.outcome, len(answer.earlier)) == (None, None, 1)
