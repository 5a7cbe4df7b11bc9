"""Asking the directory about the OIDs of a take-over: how many at once, when none, and after an interruption."""

import datetime
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from organizations.models import (
    Action,
    AuditEntry,
    Candidate,
    EnvironmentGate,
    State,
    Submission,
    TakeOver,
    TakeOverState,
    User,
    clock,
)
from organizations.practice import PracticeDirectory
from organizations.practice.behaviour import Behaviour
from organizations.practice.replies import NoReply, Reply
from organizations.practice.server import ReceivedRequest
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import Kind, Outcome
from organizations.redox.paging import Position
from organizations.services import failpoints, workers
from organizations.services.connection.lookup import DirectoryAnswer, Question
from organizations.services.delivery import query
from organizations.services.delivery.sender import MOST_QUERIES
from organizations.services.directory import run_take_over, take_over
from organizations.services.errors import OutOfDate
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.redox import servers
from tests.services.directory.scanning import put
from tests.services.directory.taking_over import ask_all, begin, state_of, states
from tests.services.fake_redox import fake_redox, token_answer
from tests.services.sending import WORKER

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PATIENCE = 30.0
ONE, TWO = f"{BASE}.1", f"{BASE}.2"


def next_question() -> Question | None:
    return run_take_over.next_candidate("staging", actor=WORKER)


def leased() -> Question:
    """The question about the next OID, which is leased now."""
    question = next_question()
    assert question is not None
    return question


def answer(question: Question) -> None:
    question.store(query.query_oid("staging", question.oid))


def end_leases() -> None:
    Candidate.objects.update(lease_until=clock.now())


def asked(practice: PracticeDirectory) -> Counter[str]:
    """How many Queries came about each OID."""
    return Counter(json.loads(request.body)["Identifier"]["ID"] for request in practice.requests)


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=Action.DIRECTORY_ASKED).order_by("sequence"))


def until(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


@dataclass
class Held:
    """The practice directory answers nothing until `released` is set. `arrived` counts the requests."""

    released: threading.Event
    arrived: int = 0


@pytest.fixture
def held(practice: PracticeDirectory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held, reply_to, counting = Held(threading.Event()), practice.reply, threading.Lock()

    def reply(request: ReceivedRequest, authorization: str) -> Reply | NoReply:
        with counting:
            held.arrived += 1
        held.released.wait(PATIENCE)
        return reply_to(request, authorization)

    monkeypatch.setattr(practice, "reply", reply)
    yield held
    held.released.set()


@contextmanager
def working() -> Iterator[None]:
    """A whole worker beside the test, until the test ends."""
    stopping = threading.Event()
    running = threading.Thread(target=workers.run, args=(stopping,))
    running.start()
    try:
        yield
    finally:
        stopping.set()
        running.join()
        connection.close()


# How many at once


@pytest.mark.one_database
def test_a_worker_asks_about_unknown_messages_first_and_finishes_the_take_over(
    practice: PracticeDirectory, held: Held, editor: User
) -> None:
    made = factories.submission(factories.organization(ONE, user=editor), user=editor)
    factories.change_submission(
        made, state=State.UNKNOWN, attempt=1, token=1, unknown_since=clock.now(), not_before=clock.now()
    )
    run = begin(*(f"{BASE}.{number}" for number in range(2, 12)), user=editor)
    with working():
        until(lambda: run.candidates.exclude(lease_until=None).count() == MOST_QUERIES - 1)
        assert Submission.objects.get().asks == 1
        held.released.set()
        until(lambda: state_of(run) == TakeOverState.READY)
    assert set(states(run).values()) == {"absent"}


@pytest.mark.parametrize("wrong", [{"Name": ["North"]}, {"Active": "yes"}])
def test_an_oid_whose_values_cannot_be_read_is_shown_and_cannot_be_taken_over(
    practice: PracticeDirectory, editor: User, wrong: dict[str, Any]
) -> None:
    put(practice, ONE)
    readable = practice.organizations("staging")[ONE]
    practice.register("staging", readable | wrong)
    run = begin(ONE, user=editor)
    ask_all()
    candidate = run.candidates.get()
    sentence = f"The directory shows this OID, but its {next(iter(wrong))} cannot be read."
    assert (candidate.state, candidate.sentence, candidate.seen) == ("refused", sentence, "")
    with pytest.raises(OutOfDate):
        take_over.take(run.pk, [ONE], actor=as_actor(editor))
    practice.register("staging", readable)
    take_over.ask_again(run.pk, actor=as_actor(editor))
    ask_all()
    assert states(run) == {ONE: "found"}


def test_a_round_of_a_worker_asks_about_all_oids(practice: PracticeDirectory, editor: User) -> None:
    put(practice, ONE)
    run = begin(ONE, TWO, user=editor)
    assert workers.run_once(WORKER)
    assert (states(run), state_of(run)) == ({ONE: "found", TWO: "absent"}, TakeOverState.READY)
    assert not workers.run_once(WORKER)


def test_the_oldest_take_over_is_asked_first(practice: PracticeDirectory, editor: User) -> None:
    begin(f"{BASE}.9", TWO, user=editor)
    begin(ONE, user=editor)
    questions = [leased() for _ in range(3)]
    assert [question.oid for question in questions] == [f"{BASE}.9", TWO, ONE]
    assert next_question() is None


def test_a_worker_without_a_take_over_looks_once(practice: PracticeDirectory, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert next_question() is None
    with django_assert_num_queries(1):
        assert not run_take_over.advance("staging", actor=WORKER)


def test_two_workers_ask_about_each_oid_once(practice: PracticeDirectory, editor: User) -> None:
    oids = [put(practice, f"{BASE}.{number}") for number in range(1, 13)]
    run = begin(*oids, user=editor)

    def work() -> None:
        while state_of(run) == TakeOverState.ASKING:
            workers.take_over_next("staging", actor=WORKER)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(work), pool.submit(work)]:
            each.result()
    assert asked(practice) == Counter(oids)
    assert states(run) == dict.fromkeys(oids, "found")


def test_the_history_keeps_each_exchange_about_an_oid(practice: PracticeDirectory, editor: User) -> None:
    run = begin(ONE, user=editor)
    ask_all()
    candidate = run.candidates.get()
    assert (candidate.state, candidate.sentence, candidate.lease_until) == ("absent", "", None)
    assert run.made_at < (candidate.asked_at or run.made_at) < clock.now()
    facts = [entry.facts for entry in entries()]
    assert [each["details"]["active"] for each in facts[:-1]] == ["none", "true"]
    for each in facts:
        assert each["object"] == {"type": "take_over", "id": str(run.pk), "name": ONE}
        assert (each["environment"], each["oid"], each["details"]["take_over"]) == ("staging", ONE, run.pk)
        assert (each["details"]["found"], "exchange" in each) == (False, True)
    assert not AuditEntry.objects.filter(action=Action.DIRECTORY_SCANNED).exists()


EXCHANGE = Exchange(request_sha256="", sent=True, status=502)
FAILED, WAITS = Outcome(kind=Kind.UNKNOWN), Outcome(kind=Kind.NOT_EXECUTED, hold_seconds=10.0)


@pytest.mark.parametrize(
    ("values", "is_asked_later"),
    [
        ({"exchange": EXCHANGE, "outcome": Outcome(kind=Kind.ACCEPTED)}, False),
        ({"exchange": EXCHANGE, "outcome": WAITS}, False),
        ({"cause": "no answer", "exchange": EXCHANGE, "outcome": FAILED}, False),
        ({"cause": "no token", "outcome": FAILED}, True),
        ({"cause": "stopped after a refused token", "exchange": EXCHANGE}, True),
        ({"cause": "too many", "exchange": EXCHANGE, "outcome": WAITS}, True),
        ({"cause": "stopped", "exchange": EXCHANGE, "outcome": Outcome(kind=Kind.UNKNOWN, fault=Fault.STOPPED)}, True),
        ({"cause": "broken", "exchange": EXCHANGE, "outcome": Outcome(kind=Kind.UNKNOWN, fault=Fault.BROKEN)}, False),
    ],
)
def test_an_oid_waits_if_nothing_was_asked_or_redox_wants_to_be_left_alone(
    values: dict[str, Any], is_asked_later: bool
) -> None:
    answer = DirectoryAnswer(asked_at=datetime.datetime.now(datetime.UTC), **values)
    assert run_take_over._is_asked_later(answer) == is_asked_later


def test_an_oid_that_waits_is_asked_again_after_seconds(practice: PracticeDirectory, editor: User) -> None:
    run = begin(ONE, user=editor)
    before = clock.now()
    leased().store(DirectoryAnswer(asked_at=before, cause="no token", outcome=FAILED))
    candidate = run.candidates.get()
    assert (candidate.state, candidate.asked_at) == ("waiting", None)
    assert candidate.lease_until is not None
    assert before < candidate.lease_until <= clock.now() + datetime.timedelta(seconds=5)


def test_each_take_over_ends_when_its_own_oids_were_asked_for(practice: PracticeDirectory, editor: User) -> None:
    in_flight = begin(ONE, user=editor)
    leased()
    asked_for = begin(TWO, user=editor)
    answer(leased())
    assert next_question() is None
    assert (state_of(in_flight), state_of(asked_for)) == ("asking", "ready")


# When nothing is asked


def test_due_messages_are_sent_before_the_directory_is_asked(practice: PracticeDirectory, editor: User) -> None:
    run = begin(ONE, user=editor)
    factories.submission(factories.organization(f"{BASE}.8", user=editor), user=editor)
    ask_all()
    assert states(run) == {ONE: "waiting"}


@pytest.mark.parametrize("column", ["stopped_at", "hold_until", "hold_asked_until", "probing"])
def test_nothing_is_asked_while_the_breaker_is_not_closed(
    practice: PracticeDirectory, editor: User, column: str
) -> None:
    run = begin(ONE, user=editor)
    later = clock.now() + datetime.timedelta(hours=1)
    EnvironmentGate.objects.update(**{column: True if column == "probing" else later})
    ask_all()
    assert (states(run), practice.requests) == ({ONE: "waiting"}, [])
    assert not Candidate.objects.exclude(lease_until=None).exists()


def test_nothing_is_asked_without_a_connection(practice: PracticeDirectory, editor: User) -> None:
    run = begin(ONE, user=editor)
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_AUTH="")):
        ask_all()
    assert (states(run), practice.requests, entries()) == ({ONE: "waiting"}, [], [])
    assert not Candidate.objects.exclude(lease_until=None).exists()


def test_nothing_is_asked_during_a_take_over_while_redox_asks_to_wait(
    practice: PracticeDirectory, editor: User
) -> None:
    practice.behaviour = Behaviour.TOO_MANY
    run = begin(ONE, TWO, user=editor)
    ask_all()
    assert states(run) == {ONE: "waiting", TWO: "waiting"}
    assert len(entries()) == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_token_an_oid_waits(editor: User) -> None:
    """It is asked about a little later, not at once again and again."""
    with fake_redox() as redox_server, override_settings(REDOX_SETTLE=120.0):
        redox_server.tokens = [servers.answer(502, b"Bad Gateway"), token_answer("token-1")]
        run = begin(ONE, user=editor)
        ask_all()
        assert (redox_server.arrived, states(run)) == (["token"], {ONE: "waiting"})
        assert EnvironmentGate.objects.get(pk="staging").failures == 1
        end_leases()
        ask_all()
    assert states(run) == {ONE: "absent"}


def test_an_oid_without_an_answer_is_asked_again_on_request(practice: PracticeDirectory, editor: User) -> None:
    put(practice, ONE)
    practice.behaviour = Behaviour.GATEWAY_ERROR
    run = begin(ONE, user=editor)
    ask_all()
    candidate = run.candidates.get()
    assert (candidate.state, candidate.lease_until) == ("unanswered", None)
    assert candidate.sentence == entries()[-1].facts["detail"] != ""
    assert EnvironmentGate.objects.get(pk="staging").failures == 1
    practice.behaviour = Behaviour.ANSWERS
    take_over.ask_again(run.pk, actor=as_actor(editor))
    ask_all()
    assert states(run) == {ONE: "found"}


# Stops and ends


def test_an_answer_after_a_person_stopped_changes_nothing(practice: PracticeDirectory, editor: User) -> None:
    put(practice, ONE)
    run = begin(ONE, user=editor)
    question = leased()
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    answer(question)
    assert states(run) == {ONE: "unanswered"}
    assert len(entries()) == 1


def test_an_answer_from_before_a_stop_changes_nothing_if_somebody_asks_again(
    practice: PracticeDirectory, editor: User
) -> None:
    run = begin(ONE, user=editor)
    question = leased()
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    take_over.ask_again(run.pk, actor=as_actor(editor))
    answer(question)
    assert states(run) == {ONE: "waiting"}
    put(practice, ONE)
    ask_all()
    assert states(run) == {ONE: "found"}


def test_nothing_is_asked_for_a_person_who_lost_the_right_to_edit(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    put(practice, ONE)
    put(practice, TWO)
    run = begin(ONE, TWO, user=editor)
    answer(leased())
    editor.groups.clear()
    assert next_question() is None
    assert asked(practice) == {ONE: 1}
    run.refresh_from_db()
    assert (run.state, states(run)) == ("ready", {ONE: "found", TWO: "unanswered"})
    assert run.end_reason == f"{editor.display_name} cannot edit records any more."
    stopped = AuditEntry.objects.get(action=Action.TAKE_OVER_STOPPED)
    assert (stopped.actor_name, stopped.actor_id) == (WORKER.name, None)

    take_over.ask_again(run.pk, actor=as_actor(approver))
    ask_all()
    assert states(run) == {ONE: "found", TWO: "found"}


def test_a_worker_stops_only_what_is_asked_in_its_environment(practice: PracticeDirectory, editor: User) -> None:
    elsewhere, ready = begin(ONE, user=editor), begin(ONE, user=editor)
    TakeOver.objects.filter(pk=elsewhere.pk).update(environment="production")
    TakeOver.objects.filter(pk=ready.pk).update(state=TakeOverState.READY)
    editor.groups.clear()
    take_over.stop_without_right("staging", actor=WORKER)
    assert (state_of(elsewhere), states(ready)) == ("asking", {ONE: "waiting"})


def test_who_asked_again_needs_the_right_and_not_who_began(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    run = begin(ONE, user=approver)
    take_over.stop_asking(run.pk, actor=as_actor(approver))
    take_over.ask_again(run.pk, actor=as_actor(editor))
    approver.groups.clear()
    question = leased()
    editor.groups.clear()
    other = begin(TWO, user=factories.UserFactory(role="editor"))
    assert leased().oid == TWO
    assert (state_of(run), state_of(other)) == ("ready", "asking")
    answer(question)
    assert states(run) == {ONE: "unanswered"}


def test_nothing_is_read_for_a_person_who_lost_the_right_to_edit(practice: PracticeDirectory, editor: User) -> None:
    for number in range(1, 4):
        put(practice, f"{BASE}.{number}")
    run = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))
    TakeOver.objects.filter(pk=run.pk).update(position=Position(limit=2).to_json())
    assert run_take_over.advance("staging", actor=WORKER)
    editor.groups.clear()
    TakeOver.objects.update(lease_until=None)
    before = len(practice.requests)
    assert not run_take_over.advance("staging", actor=WORKER)
    run.refresh_from_db()
    assert (len(practice.requests), run.state, run.position["index"]) == (before, TakeOverState.READY, 2)
    assert run.end_reason == f"{editor.display_name} cannot edit records any more."
    assert AuditEntry.objects.get(action=Action.DIRECTORY_SCANNED).facts["detail"] == run.end_reason


def test_an_answer_after_a_later_lease_changes_nothing(practice: PracticeDirectory, editor: User) -> None:
    """The first worker froze: its lease ended, and another one asks meanwhile."""
    run = begin(ONE, user=editor)
    frozen = leased()
    end_leases()
    other = leased()
    assert (frozen.oid, other.oid) == (ONE, ONE)
    answer(frozen)
    assert states(run) == {ONE: "waiting"}
    put(practice, ONE)
    answer(other)
    assert states(run) == {ONE: "found"}
    answer(frozen)
    assert states(run) == {ONE: "found"}


class Died(BaseException):
    """The worker died here. No except clause of the portal catches it."""


@pytest.mark.parametrize(
    "place", ["before-asking-about-candidate", "after-asking-about-candidate", "in-storing-candidate"]
)
def test_another_worker_asks_after_the_lease_of_one_that_died(
    practice: PracticeDirectory, editor: User, place: str
) -> None:
    put(practice, ONE)
    run = begin(ONE, TWO, user=editor)

    def die() -> None:
        raise Died

    with failpoints.calling(die, place), suppress(Died):
        workers.run_once(WORKER)
    ask_all()
    assert (states(run), state_of(run)) == ({ONE: "waiting", TWO: "absent"}, TakeOverState.ASKING)
    end_leases()
    ask_all()
    assert (states(run), state_of(run)) == ({ONE: "found", TWO: "absent"}, TakeOverState.READY)
    assert [entry.oid for entry in entries()] == [TWO, TWO, TWO, ONE]
