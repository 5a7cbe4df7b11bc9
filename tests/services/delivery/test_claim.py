"""One claim: what it stores, what blocks it before sending, and what a dead worker leaves behind."""

import datetime
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import override_settings

from organizations.models import Action, AuditEntry, EnvironmentGate, Organization, State, Submission, User, clock
from organizations.redox import messages
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange
from organizations.redox.outcome import Kind
from organizations.services import failpoints
from organizations.services.actors import Actor, system
from organizations.services.connection import redox_requests, redox_settings
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import abandoned, claims, courier, settle
from organizations.services.delivery.claims import Claim
from organizations.services.timing import lease_margin
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.redox.answers import failure
from tests.services.fake_redox import API_KEY
from tests.services.sending import (
    claim_new,
    claim_next,
    edit,
    exchange_result,
    send_claim,
    send_once,
    settle_attempt,
    store_response,
)

pytestmark = pytest.mark.django_db

OVER = datetime.timedelta(seconds=1)
YES = b'{"Meta": {"Extensions": {"ResponseDetail": {"string": "New organization was added successfully."}}}}'


def test_a_claim_stores_the_worker_its_start_and_its_lease(editor: User) -> None:
    queued = factories.submission(factories.organization(user=editor), user=editor)
    time_before = clock.now()
    Submission.objects.update(attempt=2, token=5, not_before=time_before, state_reason="Waits.")
    with override_settings(REDOX=redox("http://127.0.0.1:9"), REDOX_LEASE=400.0):
        claim = claim_next("staging", actor=system("Worker " + "x" * 100))
    assert claim is not None
    submission = Submission.objects.get(pk=queued.pk)
    assert (submission.state, submission.attempt, submission.token) == (State.SENDING, 3, 6)
    assert (submission.not_before, submission.state_reason) == (None, "")
    assert submission.lease_worker == ("Worker " + "x" * 100)[:100]
    assert submission.sent_at is not None
    assert submission.sent_at >= time_before
    assert submission.lease_until == submission.sent_at + datetime.timedelta(seconds=400)
    intent = AuditEntry.objects.get(action=Action.ATTEMPT_INTENT)
    assert (intent.facts["attempt"], intent.facts["token"]) == (3, 6)


def claim_many(most: int) -> list[Claim]:
    return claims.claim_many("staging", redox_settings.environment("staging"), most, actor=system("Worker test"))


def test_the_waiting_news_of_a_plan_hold_up_neither_its_updates_nor_other_news(connected: None, editor: User) -> None:
    news = [factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 8)]
    changed = edit(factories.accepted_organization(f"{BASE}.8", user=editor), editor, name="Lakeside North")
    factories.plan([*news, changed], user=editor)
    other = factories.organization(f"{BASE}.9", user=editor)
    factories.submission(other, user=editor)
    assert {each.submission.organization for each in claim_many(4)} == set(news[:4])
    assert {each.submission.organization for each in claim_many(2)} == {changed, other}


def test_only_the_message_whose_token_was_refused_gets_a_new_lease_token_and_slot(
    connected: None, editor: User
) -> None:
    for number in (1, 2):
        factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
    refused, other = claim_many(2)
    (again,) = claims.claim_again([refused])
    tokens = dict(Submission.objects.values_list("pk", "token"))
    assert tokens == {refused.submission.pk: again.submission.token, other.submission.pk: other.submission.token}
    assert again.submission.token == refused.submission.token + 1
    assert again.slot.begins > other.slot.begins
    assert list(Submission.objects.filter(may_have_been_sent=True)) == [again.submission]


def test_only_the_submission_that_cannot_be_claimed_is_set_aside(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fifth New of the plan before it waits for the first four."""
    factories.plan([factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 6)], user=editor)
    last, block_reason = factories.submission(factories.organization(user=editor), user=editor), claims.block_reason

    def fail_for_the_last(submission: Submission, *rest: object) -> str:
        if submission == last:
            raise OperationalError("a row that cannot be read")
        return block_reason(submission, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "block_reason", fail_for_the_last)
    claimed = claims.claim_alone("staging", redox_settings.environment("staging"), 6, actor=system("Worker test"))
    assert len(claimed) == 4
    assert list(Submission.objects.exclude(not_before=None)) == [last]


def test_a_claim_fails_if_the_first_submission_can_be_neither_claimed_nor_set_aside(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("the database is gone")

    factories.submission(factories.organization(user=editor), user=editor)
    monkeypatch.setattr(claims, "block_reason", fail)
    monkeypatch.setattr(claims, "_set_aside", fail)
    with pytest.raises(OperationalError):
        claims.claim_alone("staging", redox_settings.environment("staging"), 1, actor=system("Worker test"))


@pytest.mark.one_database
def test_without_a_credential_nothing_is_claimed(editor: User, worker: Actor) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_AUTH="")):
        assert not courier.deliver_due("staging", most=1, actor=worker)
    assert Submission.objects.get().state == State.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_token_is_requested_only_if_something_is_due_and_nothing_is_claimed_without_one(
    editor: User, worker: Actor
) -> None:
    with override_settings(REDOX=redox("http://127.0.0.1:9", **API_KEY)):
        assert not courier.deliver_due("staging", most=1, actor=worker)
        assert EnvironmentGate.objects.get(pk="staging").failures == 0
        submission = factories.submission(factories.organization(user=editor), user=editor)
        assert not courier.deliver_due("staging", most=1, actor=worker)
    assert EnvironmentGate.objects.get(pk="staging").failures == 1
    assert Submission.objects.get(pk=submission.pk).attempt == 0


def test_a_parent_in_the_other_environment_does_not_block(editor: User, worker: Actor) -> None:
    factories.organization(user=factories.UserFactory(role="approver"), environment="production")
    factories.submission(factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE), user=editor)
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        assert claim_next("staging", actor=worker)


@pytest.mark.one_database
def test_a_message_of_one_environment_is_not_sent_to_the_other(editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    submission.environment = "production"
    reason = claims.block_reason(submission, redox_settings.environment("staging"), {})
    assert reason.startswith("The settings changed since the review")


@pytest.mark.one_database
def test_an_inactive_parent_blocks_only_active_records(editor: User) -> None:
    parent = factories.accepted_organization(user=editor)
    submission = factories.submission(factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE), user=editor)
    Organization.objects.filter(pk=parent.pk).update(confirmed_active=False)
    record = messages.record_from_message(bytes(submission.message))
    parents = claims.parents_of([submission])
    assert claims.tree_block_reason(submission, record, parents) == "Its parent Lakeside 1 is not active in STAGING."
    assert claims.tree_block_reason(submission, replace(record, active=False), parents) == ""


def test_the_parents_of_a_batch_are_read_by_one_query(editor: User, django_assert_num_queries: Any) -> None:
    parent = factories.accepted_organization(user=editor)
    submission = factories.submission(factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE), user=editor)
    factories.submission(edit(parent, editor, name="Lakeside North"), user=editor)
    Organization.objects.filter(pk=parent.pk).update(shown_active=False, seen_at=clock.now())
    with django_assert_num_queries(1):
        parents = claims.parents_of([submission])
    with django_assert_num_queries(0):
        reason = claims._inactive_parent_reason(parents["staging", BASE], submission)
    assert reason.startswith("The directory shows its parent Lakeside North as deactivated")


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("may_have_been_sent", "parent_is_active", "state"),
    [(False, False, State.CANCELLED), (True, False, State.QUEUED), (False, True, State.QUEUED)],
)
def test_only_a_never_claimed_and_still_blocked_submission_is_cancelled(
    editor: User, worker: Actor, may_have_been_sent: bool, parent_is_active: bool, state: State
) -> None:
    parent = factories.accept(factories.organization(user=editor))
    submission = factories.submission(factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE), user=editor)
    Organization.objects.filter(pk=parent.pk).update(confirmed_active=parent_is_active)
    Submission.objects.filter(pk=submission.pk).update(may_have_been_sent=may_have_been_sent)
    claims._cancel_blocked(submission.pk, worker)
    assert Submission.objects.get(pk=submission.pk).state == state


@pytest.mark.one_database
def test_the_lease_is_checked_after_the_wait_for_the_slot(editor: User, worker: Actor) -> None:
    claim, start = claim_new(editor, worker), time.monotonic()
    least = settings.REDOX_DEADLINE + lease_margin()
    late = replace(claim, slot=SendSlot(start + 0.2), claimed_at=start + 0.1 + least - settings.REDOX_LEASE)
    exchange = send_once(late, "token")
    assert (exchange.sent, exchange.fault) == (False, "held_up")


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("answer", "can_renew", "tokens"),
    [
        (exchange_result(401), True, ["first", "second"]),
        (exchange_result(401), False, ["first"]),
        (exchange_result(200, YES), True, ["first"]),
        (exchange_result(504), True, ["first"]),
    ],
)
def test_only_a_message_whose_token_was_refused_is_sent_again_at_once(
    editor: User, worker: Actor, monkeypatch: pytest.MonkeyPatch, answer: Exchange, can_renew: bool, tokens: list[str]
) -> None:
    tokens_used: list[str] = []

    def exchange(_redox: object, _message: bytes, token: str) -> Exchange:
        tokens_used.append(token)
        return answer if len(tokens_used) == 1 else exchange_result(200, YES)

    claim = claim_new(editor, worker)
    monkeypatch.setattr(redox_requests, "discard_token", lambda *_: can_renew)
    monkeypatch.setattr(redox_requests, "ready_token", lambda _: TokenAnswer(token="second"))
    monkeypatch.setattr(redox_requests, "send_message", exchange)
    with override_settings(REDOX_LEASE=400.0):
        send_claim(claim, "first", worker)
    submission = Submission.objects.get()
    assert tokens_used == tokens
    assert [entry.facts["exchange"]["repeat"] for entry in responses()] == list(range(len(tokens)))
    if submission.state == State.ACCEPTED:
        assert submission.evidence_at is not None
        assert submission.evidence_at <= responses()[-1].at  # when the answer was stored, not when it was judged


@pytest.mark.one_database
def test_a_stop_while_the_token_is_renewed_requeues_the_message_without_a_try(
    editor: User, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_: object) -> None:
        raise redox_requests.SendingBlocked("STAGING was paused.")

    claim = claim_new(editor, worker)
    EnvironmentGate.objects.update(failures=1)
    monkeypatch.setattr(redox_requests, "send_message", lambda *_: exchange_result(401))
    monkeypatch.setattr(redox_requests, "discard_token", lambda *_: True)
    monkeypatch.setattr(redox_requests, "access_token", closed)
    monkeypatch.setattr(redox_requests, "ready_token", lambda _: None)
    monkeypatch.setattr(redox_requests, "is_token_due", lambda _: True)
    with override_settings(REDOX_LEASE=400.0):
        send_claim(claim, "token", worker)
    submission, gate = Submission.objects.get(), EnvironmentGate.objects.get(pk="staging")
    assert (submission.state, submission.state_reason, submission.counted_attempts) == (
        State.QUEUED,
        "STAGING was paused.",
        0,
    )
    assert (gate.is_stopped, gate.failures) == (False, 1)
    assert [entry.facts["exchange"]["repeat"] for entry in responses()] == [0]


def responses() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=Action.ATTEMPT_RESPONSE).order_by("sequence"))


def left_behind(claim: Claim, exchange: Exchange, worker: Actor) -> None:
    """A submission whose worker ended after it had stored the response."""
    store_response(claim.submission, exchange, repeat=0, actor=worker)
    Submission.objects.filter(pk=claim.submission.pk).update(lease_until=clock.now() - OVER)


def test_an_abandoned_submission_is_settled_in_its_environment(editor: User, worker: Actor) -> None:
    approver = factories.UserFactory(role="approver")
    left_behind(claim_new(approver, worker, environment="production"), exchange_result(403), worker)
    left_behind(claim_new(editor, worker, f"{BASE}.1"), exchange_result(403), worker)
    assert abandoned.settle_abandoned("staging", actor=worker) == 1
    assert Submission.objects.get(environment="production").state == State.SENDING


def test_a_submission_that_another_worker_settles_is_left_alone(editor: User, worker: Actor) -> None:
    first, second = (claim_new(editor, worker, f"{BASE}.{number}").submission for number in (1, 2))
    Submission.objects.update(lease_until=clock.now() - OVER)

    def settled_by_another(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("SAVEPOINT"):  # the first of the two is about to be settled
            factories.change_submission(second, state=State.UNKNOWN)
        return execute(sql, *rest)

    with connection.execute_wrapper(settled_by_another):
        assert abandoned.settle_abandoned("staging", actor=worker) == 2
    assert [Submission.objects.get(pk=each.pk).lost_attempt for each in (first, second)] == [True, False]


def test_abandoned_submissions_are_settled_later_if_the_database_is_gone(editor: User, worker: Actor) -> None:
    claim_new(editor, worker)
    Submission.objects.update(lease_until=clock.now() - OVER)

    def lose() -> None:
        raise OperationalError("the database is gone")

    with failpoints.calling(lose, "in-settling"), pytest.raises(OperationalError):
        abandoned.settle_abandoned("staging", actor=worker)
    assert Submission.objects.get().state == State.SENDING
    assert abandoned.settle_abandoned("staging", actor=worker) == 1
    assert Submission.objects.get().state == State.UNKNOWN


def test_a_stored_answer_counts_from_when_it_was_stored(editor: User, worker: Actor) -> None:
    left_behind(claim_new(editor, worker), exchange_result(200, YES), worker)
    (entry,) = responses()
    Submission.objects.update(unknown_since=clock.now())
    assert abandoned.settle_abandoned("staging", actor=worker) == 1
    submission = Submission.objects.get()
    assert (submission.state, submission.evidence_at) == (State.ACCEPTED, entry.at)
    assert (submission.lease_until, submission.unknown_since) == (None, None)


@pytest.mark.one_database
def test_a_stored_redirect_stops_the_environment(editor: User, worker: Actor) -> None:
    left_behind(claim_new(editor, worker), exchange_result(302), worker)
    assert abandoned.settle_abandoned("staging", actor=worker) == 1
    assert EnvironmentGate.objects.get(pk="staging").is_stopped


@pytest.mark.one_database
def test_already_exists_is_unknown_only_after_an_unknown_attempt_of_the_same_submission(
    editor: User, worker: Actor
) -> None:
    first = claim_new(editor, worker)
    settle.settle_lost_attempt(first.submission, actor=worker)
    second = claim_new(editor, worker, f"{BASE}.1").submission
    settle_attempt(second, settle.outcome_of(second, exchange_result(429)), exchange_result(429), actor=worker)
    second.attempt = first.submission.attempt = 2
    kinds = []
    for submission in (first.submission, second):
        exists = exchange_result(403, json.dumps(failure(f"{submission.oid} already exists.")).encode())
        kinds.append(settle.outcome_of(submission, exists).kind)
    assert kinds == [Kind.UNKNOWN, Kind.NEEDS_PERSON]
