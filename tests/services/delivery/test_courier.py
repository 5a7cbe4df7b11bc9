"""The courier: batches of claims and answers, what stops them, and how one failure affects the others."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import override_settings

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Organization,
    PlanState,
    Presence,
    State,
    Submission,
    User,
    clock,
)
from organizations.practice import PracticeDirectory
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind
from organizations.services import failpoints
from organizations.services.connection import redox_requests, redox_settings
from organizations.services.delivery import abandoned, claims, sender, settle
from organizations.services.delivery.courier import Courier, InThisThread, deliver_due
from organizations.services.outbox import plans
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.faults.evidence import attempt_faults, chain_faults, entries_of
from tests.redox import servers
from tests.redox.answers import failure, success
from tests.services.delivery.batches import YES, answering, queue
from tests.services.fake_redox import ACCEPTED, fake_redox, token_answer
from tests.services.sending import WORKER, exchange_result, settle_sending, store_response

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def state(submission: Submission) -> str:
    return Submission.objects.values_list("state", flat=True).get(pk=submission.pk)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2 * sender.THREADS) as running:
        yield running


REPLIES: list[tuple[Exchange, State]] = [
    # First, because after an unknown outcome this answer would mean something else.
    (exchange_result(403, json.dumps(failure(f"{BASE}.3 already exists.")).encode()), State.NEEDS_PERSON),
    (exchange_result(sent=False, fault=Fault.REFUSED), State.QUEUED),
    (exchange_result(sent=False, fault=Fault.CERTIFICATE), State.QUEUED),
    (exchange_result(fault=Fault.DEADLINE), State.UNKNOWN),
    (exchange_result(fault=Fault.PROTOCOL), State.UNKNOWN),
    (exchange_result(401), State.QUEUED),
    (exchange_result(429), State.QUEUED),
    (exchange_result(425), State.QUEUED),
    (exchange_result(302), State.QUEUED),
    (exchange_result(403, json.dumps(failure("Unable to parse the message.")).encode()), State.REJECTED),
    (exchange_result(400, b"{}"), State.REJECTED),
    (exchange_result(408), State.UNKNOWN),
    (exchange_result(409), State.UNKNOWN),
    (exchange_result(504, b"Gateway Time-out"), State.UNKNOWN),
    (exchange_result(200, b""), State.UNKNOWN),
    (exchange_result(200, b"not JSON"), State.UNKNOWN),
    (exchange_result(200, b"x" * 1024 * 1024), State.UNKNOWN),
    (exchange_result(200, json.dumps(success("Something else.")).encode()), State.UNKNOWN),
    (exchange_result(100), State.UNKNOWN),
]
"""Each kind of reply in delivery, and the state of a New after it."""


def test_each_reply_in_a_batch_has_its_own_outcome_beside_fifteen_good_ones(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions, found = queue(16, editor), []
    for reply, expected in REPLIES:
        answering(monkeypatch, {f"{BASE}.3": reply})
        assert deliver_due("staging", actor=WORKER)
        states = [state(each) for each in submissions]
        odd = states.pop(2)
        if odd != expected or set(states) != {State.ACCEPTED}:
            found.append(f"{reply.status} {reply.fault}: {odd}, {states}")
        assert AuditEntry.objects.filter(action=Action.ATTEMPT_OUTCOME).count() % 16 == 0
        start_again()
    assert found == []
    assert chain_faults() == []


def start_again() -> None:
    """Put all submissions into the queue again, as News that may be sent at once."""
    Submission.objects.update(
        state=State.QUEUED, counted_attempts=0, not_before=None, ended_at=None, unknown_since=None
    )
    Organization.objects.update(presence=Presence.NEVER, presence_basis="")
    EnvironmentGate.objects.update(
        stopped_at=None, stopped_reason="", hold_until=None, hold_asked_until=None, failures=0, probing=False
    )


def test_each_step_of_a_batch_is_one_transaction(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(16, editor)
    answering(monkeypatch, {})
    transactions: list[str] = []
    with failpoints.calling(lambda: transactions.append("one"), "before-history"):
        assert deliver_due("staging", actor=WORKER)
    assert len(transactions) == 3  # the claims, the responses, the outcomes
    assert set(Submission.objects.values_list("state", flat=True)) == {State.ACCEPTED}


def test_if_another_worker_takes_one_of_a_batch_the_others_are_settled(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, *others = submissions = queue(4, editor)
    answering(monkeypatch, {})

    def take() -> None:
        Submission.objects.filter(pk=taken.pk).update(token=9)

    with failpoints.calling(take, "after-response"):
        assert deliver_due("staging", actor=WORKER)
    assert [state(each) for each in submissions] == [State.SENDING, *[State.ACCEPTED] * 3]
    assert [attempt_faults(entries_of(each), each) for each in others] == [[]] * 3


@pytest.mark.parametrize("place", ["after-exchange", "after-response", "in-settling", "before-history"])
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_answers_are_kept_while_the_database_is_unreachable(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch, place: str, error: type[Exception]
) -> None:
    submissions = queue(3, editor)
    sent = answering(monkeypatch, {})
    delivering = Courier(WORKER, InThisThread(), ("staging",))
    assert delivering.claim_due()
    losses = [error("the database is gone")]

    def lose() -> None:
        if losses:
            raise losses[0]

    with failpoints.calling(lose, place):
        with pytest.raises(error):
            delivering.settle_arrived()
        losses.clear()
        delivering.settle_arrived()
    assert [state(each) for each in submissions] == [State.ACCEPTED] * 3
    assert len(sent) == 3
    assert not delivering.is_busy
    submissions = list(Submission.objects.order_by("pk"))
    assert [attempt_faults(entries_of(each), each) for each in submissions] == [[]] * 3


@pytest.mark.parametrize("error", [OperationalError, OSError])
def test_messages_that_could_not_be_handed_to_slots_are_queued_again(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    submissions = queue(3, editor)
    sent = answering(monkeypatch, {})
    delivering = Courier(WORKER, InThisThread(), ("staging",))

    def fail() -> None:
        raise error("no space left, or the database is gone")

    with failpoints.calling(fail, "after-intent"):
        assert not delivering.claim_due()
    delivering.settle_arrived()
    assert not delivering.claim_due()  # it waits before it tries again
    assert [(each.state, each.attempt, each.counted_attempts) for each in Submission.objects.order_by("pk")] == [
        (State.QUEUED, 1, 0)
    ] * len(submissions)
    assert sent == []


def test_an_answer_that_cannot_be_judged_does_not_delay_others(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions = queue(3, editor)
    answering(monkeypatch, {})
    outcome_of = settle.outcome_of

    def fail(submission: Submission, exchange: Exchange) -> Any:
        if submission.pk == submissions[1].pk:
            raise ZeroDivisionError
        return outcome_of(submission, exchange)

    monkeypatch.setattr(settle, "outcome_of", fail)
    assert deliver_due("staging", actor=WORKER)
    assert [state(each) for each in submissions] == [State.ACCEPTED, State.SENDING, State.ACCEPTED]


def test_an_answer_that_cannot_be_settled_is_left_to_its_lease_and_delays_no_other(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions = queue(3, editor)
    answering(monkeypatch, {})
    settle_attempt = settle._settle_attempt

    def fail(history: Any, answer: settle.AttemptAnswer, organization: Any) -> None:
        if answer.submission.pk == submissions[1].pk:
            raise ZeroDivisionError
        settle_attempt(history, answer, organization)

    monkeypatch.setattr(settle, "_settle_attempt", fail)
    assert deliver_due("staging", actor=WORKER)
    assert [state(each) for each in submissions] == [State.ACCEPTED, State.SENDING, State.ACCEPTED]

    # When its lease has ended, it does not delay the others either.
    lost = factories.submission(factories.organization(f"{BASE}.9", user=editor), user=editor)
    assert claims.claim_many("staging", redox_settings.environment("staging"), 1, actor=WORKER)
    Submission.objects.filter(state=State.SENDING).update(lease_until=clock.now())
    assert abandoned.settle_abandoned("staging", actor=WORKER) == 2
    assert [state(each) for each in (submissions[1], lost)] == [State.SENDING, State.UNKNOWN]


# Stops, while messages wait for their send slots


def deliver_until_idle(delivering: Courier) -> None:
    until = time.monotonic() + 30
    while delivering.is_busy:
        assert time.monotonic() < until
        delivering.settle_arrived(0.05)


def test_a_paused_plan_keeps_its_waiting_messages_and_no_others(
    practice: PracticeDirectory, editor: User, pool: ThreadPoolExecutor
) -> None:
    records = [factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 4)]
    plan = factories.plan(records, user=editor)
    single = factories.submission(factories.organization(f"{BASE}.9", user=editor), user=editor)
    with override_settings(REDOX_RATE=4.0):
        delivering = Courier(WORKER, pool)
        assert delivering.claim_due()
        plans.pause_plan(plan.pk, actor=as_actor(editor))
        deliver_until_idle(delivering)
    last = plan.submissions.order_by("pk")[2]
    assert (last.state, last.counted_attempts, last.state_reason) == (State.QUEUED, 0, sender.PAUSED)
    assert state(single) == State.ACCEPTED


class CountedEvent(threading.Event):
    """An event that counts how often somebody looks whether it is set."""

    looks = 0

    def is_set(self) -> bool:
        self.looks += 1
        return super().is_set()


def test_a_courier_that_is_stopped_sends_nothing_more_and_waits_for_the_answers_in_flight(
    connected: None, editor: User, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(16, editor)
    stopping = CountedEvent()

    def send(*_: object) -> Exchange:
        stopping.set()
        time.sleep(0.4)
        return YES

    monkeypatch.setattr(redox_requests, "send_message", send)
    with override_settings(REDOX_RATE=20.0):
        Courier(WORKER, pool).run(stopping, lambda: True)
    states = list(Submission.objects.order_by("pk").values_list("state", "counted_attempts"))
    assert set(states) == {(State.ACCEPTED, 0), (State.QUEUED, 0)}
    assert states[0] == (State.ACCEPTED, 0)
    assert stopping.looks < 50


# Plans


def test_at_most_four_news_of_a_plan_are_in_flight_and_other_messages_are_sent_meanwhile(
    connected: None, editor: User
) -> None:
    plan = factories.plan([factories.organization(f"{BASE}.{each}", user=editor) for each in range(1, 8)], user=editor)
    (single,) = (factories.submission(factories.organization(f"{BASE}.9", user=editor), user=editor),)

    def claim() -> list[int | None]:
        redox_environment = redox_settings.environment("staging")
        claimed = claims.claim_many("staging", redox_environment, 16, actor=WORKER)
        return [each.submission.plan_id for each in claimed]

    assert claim() == [plan.pk] * 4 + [None]
    assert claim() == []
    settle_sending(plan.submissions.filter(state=State.SENDING)[0])
    assert claim() == [plan.pk]
    assert state(single) == State.SENDING


def test_a_plan_that_pauses_says_how_many_messages_were_being_sent(connected: None, editor: User) -> None:
    plan = factories.plan([factories.organization(f"{BASE}.{each}", user=editor) for each in range(1, 8)], user=editor)
    claims.claim_many("staging", redox_settings.environment("staging"), 16, actor=WORKER)
    settle_sending(plan.submissions.filter(state=State.SENDING)[0], Kind.UNKNOWN)
    plan.refresh_from_db()
    assert plan.state == PlanState.PAUSED
    assert plan.state_reason.endswith("is unknown; 3 other messages were being sent at that moment")
    plans.resume_plan(plan.pk, actor=as_actor(editor))
    settle_sending(plan.submissions.filter(state=State.SENDING)[0])
    settle_sending(plan.submissions.filter(state=State.SENDING)[0])
    assert plans.pause_plan(plan.pk, actor=as_actor(editor)).state_reason == (
        "Editor One paused it while 1 message was being sent"
    )


# Environments and tokens


def test_a_silent_environment_does_not_delay_the_other(
    practice: PracticeDirectory, editor: User, pool: ThreadPoolExecutor
) -> None:
    approver = factories.UserFactory(role="approver")
    with servers.serving(servers.silent) as silent:
        here = redox(practice.url, REDOX_STAGING_BASE_URL=silent.url)
        with override_settings(REDOX=here, REDOX_DEADLINE=3.0):
            queue(8, editor)
            queue(3, approver, "production")
            delivering = Courier(WORKER, pool)
            delivering.claim_due()
            until = time.monotonic() + 20
            while Submission.objects.open().filter(environment="production").exists():
                assert time.monotonic() < until
                delivering.settle_arrived(0.05)
            assert set(Submission.objects.filter(environment="staging").values_list("state", flat=True)) == {
                State.SENDING
            }
            silent.stopped.set()
            deliver_until_idle(delivering)


def test_messages_whose_token_was_refused_are_sent_again_after_one_token_request(editor: User) -> None:
    refused = servers.answer(401, {"errorDetail": "expired"})
    with fake_redox() as redox_server:
        redox_server.tokens = [token_answer("token-1"), token_answer("token-2")]
        redox_server.writes = [refused, refused, refused, ACCEPTED]
        queue(3, editor)
        assert deliver_due("staging", actor=WORKER)
    assert redox_server.arrived == ["token", *["write"] * 3, "token", *["write"] * 3]
    submissions = list(Submission.objects.order_by("pk"))
    assert [(each.state, each.attempt, each.counted_attempts) for each in submissions] == [(State.ACCEPTED, 1, 0)] * 3
    assert [attempt_faults(entries_of(each), each) for each in submissions] == [[]] * 3


def test_a_message_that_was_sent_again_with_a_new_token_is_unknown_if_its_worker_dies(
    connected: None, editor: User
) -> None:
    (submission,) = queue(1, editor)
    (claim,) = claims.claim_many("staging", redox_settings.environment("staging"), 1, actor=WORKER)
    store_response(claim.submission, exchange_result(401), repeat=0, actor=WORKER)
    (again,) = claims.claim_again([claim])
    assert (again.repeat, claims.claim_again([claim])) == (1, [])
    Submission.objects.update(lease_until=clock.now())
    assert abandoned.settle_abandoned("staging", actor=WORKER) == 1
    assert state(submission) == State.UNKNOWN


def test_messages_whose_token_was_refused_are_kept_while_the_database_is_unreachable(editor: User) -> None:
    refused = servers.answer(401, {"errorDetail": "expired"})
    losses = [OperationalError("the database is gone")]

    def lose(execute: Any, sql: str, *rest: Any) -> Any:
        if (
            redox_server.arrived.count("token") == 2
            and losses
            and sql.startswith('UPDATE "organizations_installation"')
        ):
            raise losses.pop()
        return execute(sql, *rest)

    with fake_redox() as redox_server:
        redox_server.tokens = [token_answer("token-1"), token_answer("token-2")]
        redox_server.writes = [refused, refused, refused, ACCEPTED]
        queue(3, editor)
        delivering = Courier(WORKER, InThisThread(), ("staging",))
        with connection.execute_wrapper(lose):
            while losses:
                with suppress(OperationalError):
                    delivering.claim_due()
                    delivering.settle_arrived()
        deliver_until_idle(delivering)
    assert redox_server.arrived == ["token", *["write"] * 3, "token", *["write"] * 3]
    assert set(Submission.objects.values_list("state", flat=True)) == {State.ACCEPTED}
