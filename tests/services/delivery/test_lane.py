"""One environment of a courier: what a failed claim, a refused token or a lost database leaves for the next round."""

import pytest
from django.db import OperationalError

from organizations.models import EnvironmentGate, State, Submission, User
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange
from organizations.redox.outcome import Kind, Outcome
from organizations.services import failpoints
from organizations.services.connection import breaker, gateway
from organizations.services.delivery import claims
from organizations.services.delivery.courier import Courier, InThisThread
from tests.services.delivery.batches import queue
from tests.services.sending import WORKER, exchange_result

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("connected"),
    pytest.mark.one_database,
]


def delivering() -> Courier:
    return Courier(WORKER, InThisThread(), ("staging",))


def states() -> list[str]:
    return list(Submission.objects.order_by("pk").values_list("state", flat=True))


def claim_at_once(courier: Courier) -> bool:
    courier._lanes["staging"].wake()
    return courier.claim_due()


def test_after_a_claim_that_failed_the_oldest_submission_is_claimed_alone(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, block_reason = queue(3, editor), claims.block_reason

    def fail_for_the_last(submission: Submission, *rest: object) -> str:
        if submission.pk == made[2].pk:
            raise OperationalError("a row that cannot be read")
        return block_reason(submission, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "block_reason", fail_for_the_last)
    monkeypatch.setattr(gateway, "send_message", lambda *_: exchange_result(400, b"{}"))
    courier = delivering()
    assert not claim_at_once(courier)
    assert claim_at_once(courier)
    assert states() == [State.SENDING, State.QUEUED, State.QUEUED]


def test_claims_are_sent_if_a_blocked_submission_cannot_be_cancelled(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, _ = queue(2, editor)

    def block(submission: Submission, *_: object) -> str:
        if submission.pk == blocked.pk:
            raise claims.BlockedByTree(blocked.pk, "Its parent is not active.")
        return ""

    def fail(*_: object) -> None:
        raise OperationalError("the database is gone")

    monkeypatch.setattr(claims, "block_reason", block)
    monkeypatch.setattr(claims, "_cancel_blocked", fail)
    monkeypatch.setattr(gateway, "send_message", lambda *_: exchange_result(400, b"{}"))
    courier = delivering()
    assert claim_at_once(courier)
    courier.settle_arrived()
    assert states() == [State.QUEUED, State.REJECTED]


def test_the_refusal_of_a_token_stops_the_environment_after_the_database_has_come_back(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(1, editor)
    refused = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, stops="Redox does not accept the credential"))
    monkeypatch.setattr(gateway, "ready_token", lambda _: None)
    monkeypatch.setattr(gateway, "is_token_due", lambda _: True)
    monkeypatch.setattr(gateway, "access_token", lambda _: refused)
    courier, lock_gate = delivering(), breaker.lock_gate

    def fail(_: str) -> EnvironmentGate:
        raise OperationalError("the database is gone")

    assert not claim_at_once(courier)
    monkeypatch.setattr(breaker, "lock_gate", fail)
    with pytest.raises(OperationalError):
        courier.settle_arrived()
    monkeypatch.setattr(breaker, "lock_gate", lock_gate)
    courier.settle_arrived()
    assert EnvironmentGate.objects.get(pk="staging").is_stopped


def test_refused_messages_go_back_to_the_queue_if_redox_asks_to_wait_for_a_token(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(2, editor)
    waits = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, detail="HTTP 429", hold_seconds=60.0))
    known: list[TokenAnswer] = [TokenAnswer(token="first")]
    sent: list[str] = []

    def refuse(_redox: object, _message: bytes, token: str) -> Exchange:
        sent.append(token)
        known[0] = waits
        return exchange_result(401)

    monkeypatch.setattr(gateway, "ready_token", lambda _: known[0])
    monkeypatch.setattr(gateway, "is_token_due", lambda _: False)
    monkeypatch.setattr(gateway, "discard_token", lambda *_: True)
    monkeypatch.setattr(gateway, "send_message", refuse)
    courier = delivering()
    assert claim_at_once(courier)
    while courier.is_busy:
        courier.settle_arrived()
    assert sent == ["first", "first"]
    assert [(each.state, each.tries) for each in Submission.objects.all()] == [(State.QUEUED, 0)] * 2


def test_answers_that_waited_for_the_database_are_settled_sixteen_at_a_time(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(20, editor)
    monkeypatch.setattr(gateway, "send_message", lambda *_: exchange_result(400, b"{}"))
    courier = delivering()
    for _ in range(2):
        assert claim_at_once(courier)
        with failpoints.calling(lose_the_database, "after-exchange"), pytest.raises(OperationalError):
            courier.settle_arrived()
    courier.settle_arrived()
    assert states().count(State.REJECTED) == 16
    courier.settle_arrived()
    assert states() == [State.REJECTED] * 20


def lose_the_database() -> None:
    raise OperationalError("the database is gone")
