"""Slots: how many messages are in flight at once, and what is not sent after all. Nothing here uses a database."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.test import override_settings

from organizations.models import Submission
from organizations.redox.client import Exchange, Fault
from organizations.services.connection import gateway, redox_settings
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import slots
from organizations.services.delivery.claims import Claim
from organizations.services.delivery.courier import InThisThread
from organizations.services.delivery.slots import Answer, Slots, Window
from tests.connected import redox
from tests.services.sending import exchange_result

YES = exchange_result(200)
FAILURES = [
    exchange_result(500),
    exchange_result(504),
    *(exchange_result(fault=fault) for fault in (Fault.DEADLINE, Fault.BROKEN)),
]
NOT_SENT = exchange_result(sent=False, fault=Fault.BLOCKED)

type Send = Callable[[], Exchange]


def filled(size: int) -> Window:
    """A window in which as many messages are in flight as may be."""
    window = Window(size)
    assert all(window.enter(0.0) for _ in range(size))
    return window


def test_the_window_grows_with_answers_that_come_while_it_is_full() -> None:
    window = Window()
    assert window.size == 4
    window.enter(0.0)
    window.leave(YES)
    assert window.size == 4
    window = filled(4)
    for size in (5, 5, 5):  # one is missing after the first answer
        window.leave(YES)
        assert window.size == size
    window = filled(slots.MOST_IN_FLIGHT)
    window.leave(YES)
    assert window.size == slots.MOST_IN_FLIGHT


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429])
def test_any_whole_answer_below_500_lets_the_window_grow(status: int) -> None:
    window = filled(6)
    window.leave(exchange_result(status))
    assert window.size == 7


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_makes_the_window_small_again(failure: Exchange) -> None:
    window = filled(20)
    window.leave(failure)
    assert (window.size, window.in_flight) == (4, 19)
    assert not window.enter(0.0)


def test_a_message_that_was_not_sent_leaves_the_window_as_it_is() -> None:
    window = filled(9)
    window.leave(NOT_SENT)
    assert (window.size, window.in_flight) == (9, 8)


def test_a_message_waits_until_another_one_is_answered() -> None:
    window = filled(4)
    entered: list[bool] = []
    waiting = threading.Thread(target=lambda: entered.append(window.enter(60.0)))
    waiting.start()
    time.sleep(0.05)
    assert entered == []
    window.leave(exchange_result(500))
    waiting.join(5)
    assert entered == [True]


@pytest.fixture
def claim() -> Iterator[Claim]:
    with override_settings(REDOX=redox("http://127.0.0.1:9"), REDOX_LEASE=400.0, REDOX_DEADLINE=10.0):
        submission = Submission(pk=1, plan_id=7, message=b"{}")
        yield Claim(submission, redox_settings.environment("staging"), SendSlot(0.0), time.monotonic())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every message that leaves. Each is answered by 200."""
    left: list[bytes] = []

    def send(_redox: object, message: bytes, _token: str) -> Exchange:
        left.append(message)
        return YES

    monkeypatch.setattr(gateway, "send_message", send)
    return left


def answers_of(claim: Claim, **state: object) -> tuple[Slots, list[Answer]]:
    """The answers after a claim was handed to slots in this state."""
    answers: list[Answer] = []
    own = Slots(InThisThread(), answers.append)
    for name, value in state.items():
        setattr(own, name, value)
    own.send(claim, "token")
    return own, answers


def test_a_message_is_sent_and_its_answer_given_back(claim: Claim, sent: list[bytes]) -> None:
    own, answers = answers_of(claim)
    assert (sent, answers) == ([b"{}"], [Answer(claim, "token", YES)])
    assert (list(own.under_way), own.room) == ([1], 19)
    own.forget(answers[0])
    assert (own.under_way, own.room, own.window.in_flight) == ({}, 20, 0)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ({"block_reason": "STAGING was stopped."}, "STAGING was stopped."),
        ({"paused_plans": frozenset({6, 7})}, slots.PAUSED),
        ({"paused_plans": frozenset({6})}, ""),
    ],
)
def test_a_stop_or_a_paused_plan_keeps_a_claimed_message_back(
    claim: Claim, sent: list[bytes], state: dict[str, object], cause: str
) -> None:
    _, (answer,) = answers_of(claim, **state)
    assert answer.exchange.fault_text == cause
    assert (sent == []) == (not answer.exchange.sent) == bool(cause)


def test_a_message_that_waited_too_long_is_not_sent_and_nothing_more_is_claimed(
    claim: Claim, sent: list[bytes]
) -> None:
    late = replace(claim, claimed_at=claim.claimed_at - 389.9)
    own, (answer,) = answers_of(late, window=filled(4))
    assert (sent, answer.exchange.fault, answer.exchange.sent) == ([], Fault.HELD_UP, False)
    own.forget(answer)
    assert own.room == 0
    own.window.leave(YES)
    own.under_way[2] = claim
    own.forget(Answer(replace(claim, submission=Submission(pk=2)), "token", YES))
    assert own.room == 5 + slots.MOST_WAITING


def test_an_error_of_ours_while_sending_is_an_unknown_outcome(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object) -> Exchange:
        raise ZeroDivisionError

    monkeypatch.setattr(gateway, "send_message", send)
    own, (answer,) = answers_of(claim)
    assert (answer.exchange.sent, answer.exchange.fault, own.window.in_flight) == (True, Fault.BROKEN, 0)


def test_silence_after_good_answers_costs_few_unknown_outcomes(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    """100 messages, one every 5 ms, are answered within 20 ms. Then the directory falls silent."""
    silent, lost = threading.Event(), []

    def send(_redox: object, message: bytes, _token: str) -> Exchange:
        if silent.is_set():
            lost.append(message)
            ended.wait(30)
            return exchange_result(fault=Fault.DEADLINE)
        time.sleep(0.02)
        return YES

    monkeypatch.setattr(gateway, "send_message", send)
    ended, start = threading.Event(), time.monotonic()
    with ThreadPoolExecutor(slots.SLOTS) as pool:
        own = Slots(pool, lambda _: None)
        for number in range(160):
            if number == 100:
                time.sleep(max(0.0, start + 0.6 - time.monotonic()))
                silent.set()
            submission = Submission(pk=number, message=b"%d" % number)
            own.send(replace(claim, submission=submission, slot=SendSlot(start + number * 0.005)), "token")
        time.sleep(0.6)
        own.block_reason = "over"
        ended.set()
    assert 4 <= len(lost) <= 12
