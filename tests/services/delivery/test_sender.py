"""The sender: how many messages are in flight at once, and which claimed messages are not sent. Without a database."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.test import override_settings

from organizations.models import Submission
from organizations.redox.client import Exchange, Fault
from organizations.services.connection import redox_requests, redox_settings
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import sender
from organizations.services.delivery.claims import Claim
from organizations.services.delivery.courier import InThisThread
from organizations.services.delivery.sender import Answer, CongestionWindow, QueryAnswer, Sender
from organizations.services.timing import lease_margin
from tests.connected import redox
from tests.services.sending import exchange_result

YES = exchange_result(200)
FAILURES = [
    exchange_result(),  # broken off before its status
    exchange_result(500),
    exchange_result(504),
    *(exchange_result(fault=fault) for fault in (Fault.DEADLINE, Fault.BROKEN)),
]
NOT_SENT = exchange_result(sent=False, fault=Fault.BLOCKED)

type Send = Callable[[], Exchange]


def filled(size: int) -> CongestionWindow:
    """A full window: as many messages are in flight as it allows."""
    window = CongestionWindow(size)
    assert all(window.enter(0.0) for _ in range(size))
    return window


def answered(window: CongestionWindow, count: int, *, waiting: int) -> int:
    """The size of the window after this many answers, each followed by another message, while others wait."""
    for _ in range(count):
        window.waiting = waiting
        window.leave(YES)
        window.waiting = 0
        window.in_flight += 1
    return window.size


def test_the_window_grows_after_a_windowful_of_answers_while_messages_wait() -> None:
    window = filled(4)
    assert [answered(window, count, waiting=1) for count in (3, 1, 4, 1)] == [4, 5, 5, 6]
    window.in_flight = 6
    assert answered(window, 100, waiting=0) == 6
    assert answered(filled(sender.MOST_IN_FLIGHT), 100, waiting=1) == sender.MOST_IN_FLIGHT


def test_the_window_shrinks_after_a_windowful_of_answers_while_places_are_free() -> None:
    window = filled(9)
    window.in_flight = 7
    assert [answered(window, count, waiting=0) for count in (8, 1, 8)] == [9, 8, 8]
    window.in_flight = 1
    assert answered(window, 100, waiting=0) == 4


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429])
def test_any_whole_answer_below_500_counts_as_an_answer(status: int) -> None:
    window = filled(1)
    window.waiting = 1
    window.leave(exchange_result(status))
    assert window.size == 2


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_makes_the_window_small_again(failure: Exchange) -> None:
    window = filled(20)
    window.leave(failure)
    assert (window.size, window.in_flight) == (4, 19)
    assert not window.enter(0.0)


def test_messages_that_were_not_sent_leave_the_window_as_it_is() -> None:
    window = filled(9)
    window.waiting = 1
    for _ in range(9):
        window.leave(NOT_SENT)
    assert (window.size, window.in_flight) == (9, 0)


def test_a_message_waits_until_another_one_is_answered() -> None:
    window = filled(4)
    entered: list[bool] = []
    waiting = threading.Thread(target=lambda: entered.append(window.enter(60.0)))
    waiting.start()
    until = time.monotonic() + 20
    while window.waiting == 0:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert entered == []
    window.leave(exchange_result(500))
    waiting.join(20)
    assert (entered, window.waiting) == ([True], 0)


def test_a_message_that_waited_too_long_does_not_enter_the_window() -> None:
    window = filled(4)
    assert not window.enter(-1.0)
    assert (window.in_flight, window.waiting) == (4, 0)


@pytest.fixture
def claim() -> Iterator[Claim]:
    with override_settings(REDOX=redox("http://127.0.0.1:9"), REDOX_LEASE=400.0, REDOX_DEADLINE=10.0):
        submission = Submission(pk=1, plan_id=7, message=b"{}")
        yield Claim(submission, redox_settings.environment("staging"), SendSlot(0.0), time.monotonic())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every message that is sent. Each is answered with 200."""
    left: list[bytes] = []

    def send(_redox: object, message: bytes, _token: str) -> Exchange:
        left.append(message)
        return YES

    monkeypatch.setattr(redox_requests, "send_message", send)
    return left


def answers_of(claim: Claim, **state: object) -> tuple[Sender, list[Answer]]:
    """The answers after a claim was given to a sender in this state."""
    answers: list[Answer] = []

    def on_answer(answer: Answer | QueryAnswer) -> None:
        assert isinstance(answer, Answer)
        answers.append(answer)

    own = Sender(InThisThread(), on_answer)
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


def test_nothing_more_is_claimed_than_the_window_and_its_queue_have_room_for(claim: Claim) -> None:
    own, _ = answers_of(claim)
    own.window = filled(sender.FIRST_WINDOW)
    assert own.room == 19
    for under_way, room in ((20, 0), (25, 0)):  # the window may have shrunk since they were claimed
        own.under_way = dict.fromkeys(range(under_way), claim)
        assert own.room == room


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ({"block_reason": "STAGING was stopped."}, "STAGING was stopped."),
        ({"paused_plans": frozenset({6, 7})}, sender.PAUSED),
        ({"paused_plans": frozenset({6})}, ""),
        ({"read_at": 0.0}, sender.UNREAD),
        ({"read_at": 0.0, "block_reason": "STAGING was stopped."}, "STAGING was stopped."),
    ],
)
def test_a_stop_or_a_paused_plan_or_an_unread_database_keeps_a_claimed_message_back(
    claim: Claim, sent: list[bytes], state: dict[str, object], cause: str
) -> None:
    _, (answer,) = answers_of(claim, **state)
    assert answer.exchange.fault_text == cause
    assert answer.exchange.fault == (Fault.BLOCKED if cause else None)
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
    assert own.room == 4 + sender.MOST_WAITING


def test_a_message_is_sent_only_with_enough_of_its_lease_left(claim: Claim, sent: list[bytes]) -> None:
    least = 10.0 + lease_margin()
    for left, is_sent in ((least + 5, True), (least - 1, False)):
        sent.clear()
        own, (answer,) = answers_of(replace(claim, claimed_at=time.monotonic() - 400.0 + left))
        assert (answer.exchange.sent, bool(sent)) == (is_sent, is_sent)
        own.forget(answer)
        assert own.room == 4 + sender.MOST_WAITING  # nothing is in flight that could make room later
    assert answer.exchange.fault is Fault.HELD_UP


def test_a_message_is_sent_when_its_send_slot_begins(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def send(*_: object) -> Exchange:
        left.append(time.monotonic())
        return YES

    monkeypatch.setattr(redox_requests, "send_message", send)
    begins = time.monotonic() + 0.1
    answers_of(replace(claim, slot=SendSlot(begins)))
    assert left[0] >= begins


def test_an_error_of_ours_while_sending_is_an_unknown_outcome(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object) -> Exchange:
        raise ZeroDivisionError

    monkeypatch.setattr(redox_requests, "send_message", send)
    own, (answer,) = answers_of(claim)
    assert (answer.exchange.sent, answer.exchange.fault, own.window.in_flight) == (True, Fault.BROKEN, 0)


def after(seconds: int, latency: float) -> tuple[CongestionWindow, int]:
    """The window, and how many claimed messages wait, after this time at 33 messages a second."""
    window, waiting = CongestionWindow(), 16
    arrive_at: list[int] = []
    for tick in range(seconds * 100):
        waiting = min(16, waiting + (tick % 3 == 0))  # the courier claims no more ahead
        while waiting and window.in_flight < window.size:
            waiting -= 1
            window.in_flight += 1
            arrive_at.append(tick + round(latency * 100))
        window.waiting = waiting
        while arrive_at and arrive_at[0] <= tick + 1:
            arrive_at.pop(0)
            window.leave(YES)
    return window, waiting


def test_silence_after_a_minute_of_good_answers_costs_at_most_twelve_unknown_outcomes() -> None:
    for latency in (0.03, 0.1, 0.3):
        window, waiting = after(60, latency)
        assert waiting == 0
        assert window.size <= 12  # as many can be in flight when the directory falls silent


def test_the_window_grows_until_a_slow_directory_gets_the_whole_rate() -> None:
    window, waiting = after(120, 1.0)
    assert waiting == 0
    assert 33 <= window.size <= 36
