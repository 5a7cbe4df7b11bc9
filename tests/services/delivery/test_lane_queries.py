"""Queries of a courier: several at once, beside messages, and the state after a missing answer, a stop or an error."""

import datetime
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings

from organizations.models import Action, AuditEntry, EnvironmentGate, Installation, State, Submission, User, clock
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind, Outcome
from organizations.services import failpoints, timing, workers
from organizations.services.connection import redox_requests, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer, Lookup, Question
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import resolve, sender
from organizations.services.delivery.courier import Courier, InThisThread
from organizations.services.delivery.lane_queries import LOOKUP_INTERVAL_WHILE_SENDING
from organizations.services.delivery.sender import MOST_QUERIES, QueryAnswer, Sender
from tests.factories import BASE
from tests.redox import servers
from tests.services.delivery.batches import YES, queue
from tests.services.fake_redox import EMPTY_QUERY_RESPONSE, fake_redox, token_answer
from tests.services.sending import WORKER, exchange_result, resolve_next

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

NOTHING = exchange_result(200, json.dumps(EMPTY_QUERY_RESPONSE).encode())
PATIENCE = 30.0
SECOND = datetime.timedelta(seconds=1)


def unknown(count: int, user: User) -> list[Submission]:
    """This many News whose answers were lost and about which a Query is due."""
    submissions = queue(count, user)
    Submission.objects.update(
        state=State.UNKNOWN, attempt=1, token=1, unknown_since=clock.now(), not_before=clock.now()
    )
    return submissions


def absent() -> set[str]:
    """The OIDs that the directory did not have."""
    return set(Submission.objects.exclude(absent_at=None).values_list("oid", flat=True))


class Silence:
    """A directory that has nothing, and does not answer about some OIDs until it is ended."""

    def __init__(self, *oids: str) -> None:
        self.oids = oids
        self.ended = threading.Event()
        self.asked: list[str] = []

    def send(self, _redox: object, message: bytes, _token: str) -> Exchange:
        content = json.loads(message)
        if content["Meta"]["EventType"] != "Query":
            return YES
        oid = content["Identifier"]["ID"]
        self.asked.append(oid)
        if oid in self.oids:
            self.ended.wait(PATIENCE)
        return NOTHING


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(sender.THREADS) as running:
        yield running


def work_until(courier: Courier, condition: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        courier.ask_due()
        courier.settle_arrived(0.02)


def test_a_query_without_an_answer_delays_no_other(
    connected: None, editor: User, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, *others = [submission.oid for submission in unknown(MOST_QUERIES + 4, editor)]
    directory = Silence(silent)
    monkeypatch.setattr(redox_requests, "send_message", directory.send)
    courier = Courier(WORKER, pool, ("staging",))
    work_until(courier, lambda: absent() == set(others))
    assert directory.asked.count(silent) == 1
    directory.ended.set()
    work_until(courier, lambda: absent() == {silent, *others})
    assert not courier.is_busy
    entries = AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED)
    assert entries.count() == 3 * (MOST_QUERIES + 4)


def test_no_more_than_eight_questions_are_asked_at_once(
    connected: None, editor: User, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    oids = [submission.oid for submission in unknown(MOST_QUERIES + 1, editor)]
    directory = Silence(*oids)
    monkeypatch.setattr(redox_requests, "send_message", directory.send)
    courier = Courier(WORKER, pool, ("staging",))
    work_until(courier, lambda: len(directory.asked) == MOST_QUERIES)
    assert not courier.ask_due()
    assert Submission.objects.filter(asks=1).count() == MOST_QUERIES
    directory.ended.set()
    work_until(courier, lambda: absent() == set(oids))


def test_while_messages_use_the_whole_rate_a_lookup_begins_once_a_second(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown(2, editor)
    monkeypatch.setattr(redox_requests, "send_message", Silence().send)
    courier = Courier(WORKER, InThisThread(), ("staging",))
    lane = courier._lanes["staging"]
    assert courier.ask_due()
    assert lane.queries.next_look <= time.monotonic()
    lane.sender.free_at = time.monotonic() + 60.0
    assert lane.queries.next_look == lane.queries._began_at + LOOKUP_INTERVAL_WHILE_SENDING
    lane.sender.free_at = lane.queries._began_at + LOOKUP_INTERVAL_WHILE_SENDING / 2
    assert lane.queries.next_look == lane.sender.free_at


def test_a_courier_looks_for_questions_less_often_after_a_minute_without_one(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redox_requests, "send_message", Silence().send)
    courier = Courier(WORKER, InThisThread(), ("staging",))
    own = courier._lanes["staging"].queries

    def waits(wait: float) -> bool:
        """Whether nothing is due, and the courier looks again after this many seconds."""
        began = time.monotonic()
        assert not courier.ask_due()
        return began + wait <= own.next_look <= time.monotonic() + wait

    assert waits(timing.POLL)
    own._worked_at, own._idle_until = time.monotonic() - timing.IDLE_AFTER, 0.0
    assert waits(timing.IDLE_POLL)
    unknown(1, editor)
    own._idle_until = 0.0
    assert courier.ask_due()
    while courier.is_busy:
        courier.settle_arrived()
    assert waits(timing.POLL)


def test_each_query_takes_a_send_slot_of_the_installation(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown(1, editor)
    monkeypatch.setattr(redox_requests, "send_message", Silence().send)
    with override_settings(REDOX_RATE=100.0):
        Installation.objects.update(next_send_at=None)
        began = clock.now()
        assert resolve_next()
        next_send_at = Installation.objects.get().next_send_at
    assert next_send_at is not None
    assert (next_send_at - began).total_seconds() >= 0.03


def test_a_question_can_be_asked_before_a_first_attempt(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (submission,) = queue(1, editor)
    monkeypatch.setattr(redox_requests, "send_message", Silence().send)
    courier = Courier(WORKER, InThisThread(), ("staging",))
    answers: list[DirectoryAnswer] = []
    courier._lanes["staging"].queries.ask(Question(submission.oid, answers.append))
    while courier.is_busy:
        courier.settle_arrived()
    (answer,) = answers
    assert (answer.is_answered, answer.record, len(answer.earlier)) == (True, None, 2)
    submission.refresh_from_db()
    assert (submission.state, submission.attempt) == (State.QUEUED, 0)


def test_an_answer_that_cannot_be_stored_delays_no_other(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = unknown(3, editor)
    monkeypatch.setattr(redox_requests, "send_message", Silence().send)
    apply_answer = resolve._apply_answer

    def fail(submission: Submission, *rest: Any) -> None:
        if submission.pk == first.pk:
            raise ZeroDivisionError
        apply_answer(submission, *rest)

    monkeypatch.setattr(resolve, "_apply_answer", fail)
    courier = Courier(WORKER, InThisThread(), ("staging",))
    work_until(courier, lambda: absent() == {each.oid for each in others} and not courier.is_busy)
    assert f"The answer about {first.oid} could not be stored" in caplog.text
    first.refresh_from_db()
    assert (first.state, first.asks) == (State.UNKNOWN, 1)
    assert first.lease_until is not None  # it is asked again after this


@pytest.mark.parametrize("place", ["before-asking", "after-asking", "in-deciding"])
def test_a_question_is_given_up_if_the_database_is_unreachable(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (submission,) = unknown(1, editor)
    monkeypatch.setattr(redox_requests, "send_message", Silence().send)
    courier = Courier(WORKER, InThisThread(), ("staging",))

    def lose() -> None:
        raise OperationalError("the database is gone")

    with failpoints.calling(lose, place):
        is_asked = courier.ask_due()
        assert is_asked == (place != "before-asking")
        if is_asked:
            for _ in range(2):
                courier.settle_arrived()
            with pytest.raises(OperationalError):
                courier.settle_arrived()
    assert not courier.is_busy
    Submission.objects.update(lease_until=clock.now())
    assert resolve_next()
    assert absent() == {submission.oid}


# Stops and pauses


def test_a_query_that_waits_for_its_slot_is_not_sent_after_redox_asked_to_wait(
    connected: None, editor: User, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (submission,) = unknown(1, editor)
    directory = Silence()
    monkeypatch.setattr(redox_requests, "send_message", directory.send)
    courier = Courier(WORKER, pool, ("staging",))
    Installation.objects.update(next_send_at=clock.now())
    with override_settings(REDOX_RATE=1.0):
        work_until(courier, lambda: directory.asked)  # the next Query of the lookup waits for a second
        EnvironmentGate.objects.filter(pk="staging").update(hold_asked_until=clock.now() + 60 * SECOND)
        work_until(courier, lambda: not courier.is_busy)
    assert directory.asked == [submission.oid]
    submission.refresh_from_db()
    assert (submission.state, submission.absent_at) == (State.UNKNOWN, None)
    entry = AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED).latest("sequence")
    assert entry.facts["detail"] == "Redox asked STAGING to wait before the Query was sent."
    assert "exchange" not in entry.facts
    EnvironmentGate.objects.filter(pk="staging").update(hold_asked_until=None)
    Submission.objects.update(not_before=clock.now())
    work_until(courier, lambda: absent() == {submission.oid})  # the block is over


@pytest.mark.parametrize(("blocked", "fault"), [("Redox asked to wait.", Fault.BLOCKED), ("", Fault.BROKEN)])
def test_a_query_given_to_the_sender_is_blocked_or_fails(
    connected: None, monkeypatch: pytest.MonkeyPatch, blocked: str, fault: Fault
) -> None:
    def fail(*_: object) -> Exchange:
        raise ZeroDivisionError

    monkeypatch.setattr(redox_requests, "send_message", fail)
    answers: list[Any] = []
    own = Sender(InThisThread(), answers.append)
    own.query_block_reason = blocked
    lookup = Lookup(redox_settings.environment("staging"), BASE, clock.now())
    own.query(7, lookup, SendSlot(0.0), "token")
    (answer,) = answers
    assert answer == QueryAnswer(7, lookup, "token", answer.exchange)
    assert (answer.exchange.fault, answer.exchange.sent) == (fault, not blocked)


# Tokens


def test_queries_whose_token_was_refused_are_sent_again_after_one_token_request(editor: User) -> None:
    refused, empty = servers.answer(401, {"errorDetail": "expired"}), servers.answer(200, EMPTY_QUERY_RESPONSE)
    with fake_redox() as redox_server:
        redox_server.tokens = [token_answer("token-1"), token_answer("token-2")]
        redox_server.queries = [refused, refused, empty]
        submissions = unknown(2, editor)
        courier = Courier(WORKER, InThisThread(), ("staging",))
        assert [courier.ask_due(), courier.ask_due()] == [True, True]
        work_until(courier, lambda: not courier.is_busy)
    assert redox_server.arrived == ["token", *["query"] * 2, "token", *["query"] * 6]
    assert absent() == {each.oid for each in submissions}
    assert EnvironmentGate.objects.get(pk="staging").failures == 0


def test_a_token_request_that_fails_counts_once_for_all_queries_that_wait_for_it(editor: User) -> None:
    with fake_redox() as redox_server:
        redox_server.tokens = [servers.answer(502, b"Bad Gateway")]
        submissions = unknown(3, editor)
        courier = Courier(WORKER, InThisThread(), ("staging",))
        assert [courier.ask_due() for _ in submissions] == [True] * 3
        courier.settle_arrived()
        courier.settle_arrived()
    assert redox_server.arrived == ["token"]
    assert not courier.is_busy
    assert EnvironmentGate.objects.get(pk="staging").failures == 1
    assert set(Submission.objects.values_list("state", "asks", "lease_until")) == {(State.UNKNOWN, 1, None)}
    causes = {entry.facts["detail"] for entry in AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED)}
    assert causes == {"HTTP 502, no token"}


def test_a_token_request_that_fails_changes_nothing_for_queries_that_were_sent(
    connected: None, editor: User, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, answered = [submission.oid for submission in unknown(2, editor)]
    directory = Silence(silent)
    monkeypatch.setattr(redox_requests, "send_message", directory.send)
    courier = Courier(WORKER, pool, ("staging",))
    lane = courier._lanes["staging"]
    assert [courier.ask_due(), courier.ask_due()] == [True, True]
    event = courier._events.get(timeout=PATIENCE)
    assert isinstance(event, QueryAnswer)
    assert event.lookup.oid == answered
    lane.take_query(event)
    lane.queries.fail_token(TokenAnswer(outcome=Outcome(kind=Kind.NOT_SENT, detail="refused")))
    courier.settle_arrived()
    directory.ended.set()
    work_until(courier, lambda: not courier.is_busy)
    assert absent() == {silent, answered}


# Workers


def test_a_worker_sends_and_queries_and_settles_what_was_left_behind(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, due, new = queue(3, editor)
    now = clock.now()
    Submission.objects.filter(pk=lost.pk).update(state=State.SENDING, attempt=1, token=1, lease_until=now - SECOND)
    Submission.objects.filter(pk=due.pk).update(state=State.UNKNOWN, attempt=1, unknown_since=now, not_before=now)
    monkeypatch.setattr(redox_requests, "send_message", Silence().send)
    stopping = threading.Event()
    running = threading.Thread(target=workers.run, args=(stopping,))
    running.start()
    try:
        until = time.monotonic() + PATIENCE
        while states(lost, due, new) != [State.UNKNOWN, State.UNKNOWN, State.ACCEPTED] or absent() != {due.oid}:
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        stopping.set()
        running.join()
    connection.close()


def states(*submissions: Submission) -> list[str]:
    return [Submission.objects.values_list("state", flat=True).get(pk=each.pk) for each in submissions]
