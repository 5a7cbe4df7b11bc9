"""One round of the courier: how long it waits, whose turn it is, and what a failure leaves for the next round."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from organizations.models import State, Submission, User
from organizations.services import failpoints, timing
from organizations.services.delivery import courier
from organizations.services.delivery.courier import Courier, InThisThread
from organizations.services.delivery.lane import Lane
from tests import factories
from tests.services.delivery.batches import answering, queue
from tests.services.sending import WORKER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("connected"), pytest.mark.one_database]


@pytest.fixture
def own() -> Courier:
    return Courier(WORKER, InThisThread())


def lanes(own: Courier) -> tuple[Lane, Lane]:
    return own._lanes["staging"], own._lanes["production"]


def nothing_due_before(own: Courier, moment: float) -> None:
    for lane in lanes(own):
        lane._idle_until = lane.queries._idle_until = moment


def run(own: Courier, until: Callable[[], bool], may_claim: Callable[[], bool] = lambda: True) -> None:
    """Run the courier in a thread until this is true."""
    stopping = threading.Event()
    running = threading.Thread(target=own.run, args=(stopping, may_claim))
    running.start()
    try:
        end = time.monotonic() + 30
        while not until():
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        stopping.set()
        running.join()


def test_the_courier_waits_for_the_next_claim_or_query_and_looks_for_changes_meanwhile(
    own: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging, production = lanes(own)
    nothing_due_before(own, time.monotonic() + 60.0)
    assert own._wait() == courier.LOOK_FOR_CHANGES
    staging._worked_at = time.monotonic() - timing.IDLE_AFTER
    assert own._wait() == courier.LOOK_FOR_CHANGES
    production._worked_at = staging._worked_at
    assert own._wait() == courier.LOOK_WHEN_IDLE
    monkeypatch.setattr(courier, "connection", SimpleNamespace(vendor="postgresql"))
    assert own._wait() == timing.POLL
    assert not own._is_database_changed()  # only SQLite is looked at; PostgreSQL sends a notice
    for due in (production, production.queries):
        due._idle_until = time.monotonic() + timing.POLL / 2
        assert 0.0 < own._wait() <= timing.POLL / 2
        due._idle_until = time.monotonic() - 1.0
        assert own._wait() == 0.0
        due._idle_until = time.monotonic() + 60.0


def under_way(own: Courier, count: int) -> None:
    lanes(own)[0].sender.under_way = dict.fromkeys(range(count), Any)  # type: ignore[arg-type]


def test_at_most_sixteen_answers_are_taken_at_once(own: Courier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "GATHER", 0.05)
    under_way(own, 40)
    for _ in range(20):
        own.wake()
    assert [len(own._gather(0.0)) for _ in range(2)] == [16, 4]


def test_an_answer_is_gathered_with_others_only_while_more_are_under_way(
    own: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "GATHER", 30.0)
    began = time.monotonic()
    under_way(own, 1)
    own.wake()
    assert own._gather(0.0) == [None]
    under_way(own, 2)
    own.wake()
    threading.Timer(0.1, own.wake).start()
    assert own._gather(0.0) == [None, None]
    assert time.monotonic() < began + 30.0


def test_a_courier_waits_for_the_first_answer(own: Courier) -> None:
    threading.Timer(0.1, own.wake).start()
    assert own._gather(30.0) == [None]


def test_a_courier_that_is_woken_claims_at_once(own: Courier) -> None:
    nothing_due_before(own, time.monotonic() + 60.0)
    own.wake()
    own.settle_arrived()
    assert [lane.next_claim for lane in lanes(own)] == [0.0, 0.0]


def test_the_environment_that_did_not_claim_comes_first(own: Courier) -> None:
    lanes(own)[1].sender.free_at = time.monotonic() + 60.0
    assert not own.claim_due()
    assert list(own._lanes) == ["production", "staging"]


def test_an_environment_whose_answers_cannot_be_settled_does_not_delay_the_other(
    own: Courier, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [*queue(1, editor), *queue(1, factories.UserFactory(role="approver"), "production")]
    answering(monkeypatch, {})
    assert own.claim_due()
    losses = [OperationalError("the database is gone")]

    def lose() -> None:
        if losses:
            raise losses.pop()

    with failpoints.calling(lose, "after-exchange"), pytest.raises(OperationalError):
        own.settle_arrived()
    assert [state(each) for each in made] == [State.SENDING, State.ACCEPTED]


def state(submission: Submission) -> str:
    return Submission.objects.values_list("state", flat=True).get(pk=submission.pk)


def test_a_round_that_failed_is_followed_by_another(
    own: Courier, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made,) = queue(1, editor)
    answering(monkeypatch, {})
    losses = [OperationalError("the database is gone")]

    def may_claim() -> bool:
        if losses:
            raise losses.pop()
        return True

    run(own, lambda: state(made) == State.ACCEPTED, may_claim)


def test_a_courier_that_may_not_claim_claims_nothing(
    own: Courier, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(1, editor)
    sent = answering(monkeypatch, {})
    looks: list[None] = []

    def may_claim() -> bool:
        looks.append(None)
        return False

    run(own, lambda: len(looks) > 2, may_claim)
    assert (sent, Submission.objects.get().attempt) == ([], 0)
