"""One environment of a courier: what a failed claim, a refused token or a lost database leaves for the next round."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils.html import strip_tags

from organizations.models import EnvironmentGate, State, Submission, User, clock
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange
from organizations.redox.outcome import Kind, Outcome
from organizations.services import failpoints
from organizations.services.connection import breaker, redox_requests
from organizations.services.delivery import claims
from organizations.services.delivery.courier import Courier, InThisThread
from organizations.services.timing import seconds
from organizations.text import queue_reason
from tests import factories
from tests.services.delivery.batches import answering, queue
from tests.services.sending import WORKER, exchange_result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("connected"), pytest.mark.one_database]


def delivering() -> Courier:
    return Courier(WORKER, InThisThread(), ("staging",))


def states() -> list[str]:
    return list(Submission.objects.order_by("pk").values_list("state", flat=True))


def claim_at_once(courier: Courier) -> bool:
    courier._lanes["staging"].wake()
    return courier.claim_due()


def test_after_a_failed_claim_each_submission_is_claimed_alone_and_set_aside_if_it_fails_again(
    editor: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    submissions, block_reason = queue(4, editor), claims.block_reason

    def fail_for_the_second(submission: Submission, *rest: object) -> str:
        if submission.pk == submissions[1].pk:
            raise OperationalError("a row that cannot be read")
        return block_reason(submission, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "block_reason", fail_for_the_second)
    monkeypatch.setattr(redox_requests, "send_message", lambda *_: exchange_result(400, b"{}"))
    courier = delivering()
    assert not claim_at_once(courier)
    assert states() == [State.QUEUED] * 4
    assert claim_at_once(courier)
    assert states() == [State.SENDING, State.QUEUED, State.SENDING, State.SENDING]
    assert f"Submission {submissions[1].pk} could not be claimed" in caplog.text
    assert not claim_at_once(courier)  # it is not due now

    monkeypatch.setattr(claims, "block_reason", block_reason)
    Submission.objects.filter(pk=submissions[1].pk).update(not_before=clock.now())
    assert claim_at_once(courier)
    courier.settle_arrived()
    assert states() == [State.REJECTED] * 4


def make_unreadable(submission: Submission) -> None:
    """Damage a text of the row, as a disk error does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE organizations_submission SET reason = CAST(x'ff' AS TEXT) WHERE id = %s", [submission.pk]
        )


def test_a_row_that_cannot_be_read_does_not_delay_others(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    submissions = queue(3, editor)
    make_unreadable(submissions[0])
    sent = answering(monkeypatch, {})
    courier = delivering()
    for _ in range(3):
        claim_at_once(courier)
        courier.settle_arrived()
    assert len(sent) == 2
    assert states() == [State.QUEUED, State.ACCEPTED, State.ACCEPTED]


@pytest.mark.parametrize(("queued_for", "waits"), [(0, 5), (40, 40), (3600, 300)])
def test_a_submission_is_set_aside_for_as_long_as_it_was_queued(editor: User, queued_for: int, waits: int) -> None:
    (submission,) = queue(1, editor)
    factories.change_submission(submission, state_at=clock.now() - seconds(queued_for))
    claims._set_aside(submission.pk, OperationalError("a secret of the row"))
    submission.refresh_from_db()
    now = clock.now()
    assert submission.not_before is not None
    assert (submission.not_before - now).total_seconds() == pytest.approx(waits, abs=3.0)
    reason = queue_reason.next_attempt(submission, now)
    assert reason is not None
    assert reason.sentence.startswith("The next attempt follows at ")
    assert "secret" not in reason.sentence
    assert strip_tags(reason.sentence).endswith(
        ". A worker could not prepare the message; its log says why (OperationalError)."
    )


def test_a_submission_that_another_worker_claimed_is_not_set_aside(editor: User) -> None:
    (submission,) = queue(1, editor)
    assert claim_at_once(delivering())
    claims._set_aside(submission.pk, OperationalError())
    submission.refresh_from_db()
    assert (submission.state, submission.not_before, submission.state_reason) == (State.SENDING, None, "")


def test_claims_are_sent_if_another_submission_cannot_even_be_set_aside(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second, _ = queue(3, editor)
    answering(monkeypatch, {})
    make_unreadable(second)

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith('UPDATE "organizations_submission" SET "not_before"'):
            raise OperationalError("the disk is full")
        return execute(sql, *rest)

    courier = delivering()
    assert not claim_at_once(courier)
    with connection.execute_wrapper(refuse):
        assert claim_at_once(courier)
    courier.settle_arrived()
    assert states() == [State.ACCEPTED, State.QUEUED, State.QUEUED]


def test_claims_are_sent_if_a_blocked_submission_cannot_be_cancelled(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, _ = queue(2, editor)

    def block(submission: Submission, *_: object) -> str:
        if submission.pk == blocked.pk:
            raise claims.MustBeCancelled(blocked.pk, "Its parent is not active.")
        return ""

    def fail(*_: object) -> None:
        raise OperationalError("the database is gone")

    monkeypatch.setattr(claims, "block_reason", block)
    monkeypatch.setattr(claims, "_cancel_blocked", fail)
    monkeypatch.setattr(redox_requests, "send_message", lambda *_: exchange_result(400, b"{}"))
    courier = delivering()
    assert claim_at_once(courier)
    courier.settle_arrived()
    assert states() == [State.QUEUED, State.REJECTED]


def test_the_refusal_of_a_token_stops_the_environment_after_the_database_has_come_back(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(1, editor)
    refused = TokenAnswer(outcome=Outcome(kind=Kind.NOT_EXECUTED, stops="Redox does not accept the credential"))
    monkeypatch.setattr(redox_requests, "ready_token", lambda _: None)
    monkeypatch.setattr(redox_requests, "is_token_due", lambda _: True)
    monkeypatch.setattr(redox_requests, "access_token", lambda _: refused)
    courier, lock_gate = delivering(), breaker.lock_gate

    def fail(_: str) -> EnvironmentGate:
        raise OperationalError("the database is gone")

    assert not claim_at_once(courier)
    monkeypatch.setattr(breaker, "lock_gate", fail)
    with pytest.raises(OperationalError):
        courier.settle_arrived()
    monkeypatch.setattr(breaker, "lock_gate", lock_gate)
    courier.settle_arrived()
    stopped_reason = EnvironmentGate.objects.get(pk="staging").stopped_reason
    assert stopped_reason == "Redox does not accept the credential: Redox gives no reason."


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

    monkeypatch.setattr(redox_requests, "ready_token", lambda _: known[0])
    monkeypatch.setattr(redox_requests, "is_token_due", lambda _: False)
    monkeypatch.setattr(redox_requests, "discard_token", lambda *_: True)
    monkeypatch.setattr(redox_requests, "send_message", refuse)
    courier = delivering()
    assert claim_at_once(courier)
    while courier.is_busy:
        courier.settle_arrived()
    assert sent == ["first", "first"]
    assert [(each.state, each.counted_attempts) for each in Submission.objects.all()] == [(State.QUEUED, 0)] * 2


def test_answers_that_waited_for_the_database_are_settled_sixteen_at_a_time(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(20, editor)
    monkeypatch.setattr(redox_requests, "send_message", lambda *_: exchange_result(400, b"{}"))
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
