"""What settling does besides the state: retry times, stored and late answers, and the log."""

import datetime
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Intent,
    Organization,
    State,
    Submission,
    User,
    clock,
)
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, Fault
from organizations.redox.outcome import ABSENT, Kind, Outcome
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import redox_requests
from organizations.services.delivery import abandoned, settle
from organizations.services.delivery.claims import Claim
from organizations.services.outbox import submissions
from organizations.services.timing import lease_margin
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.services.sending import (
    accepted_with_difference,
    actions_of,
    answer_next,
    claim_new,
    edit,
    exchange_result,
    send_claim,
    settle_attempt,
    settle_sending,
    store_response,
)

pytestmark = pytest.mark.django_db

type Claimed = Callable[[], Claim]


@pytest.fixture
def claimed(editor: User, worker: Actor) -> Claimed:
    """Submit a New and claim it for a worker."""
    return lambda: claim_new(editor, worker)


def settled(claim: Claim, exchange: Exchange, worker: Actor) -> Submission:
    settle_attempt(claim.submission, settle.outcome_of(claim.submission, exchange), exchange, actor=worker)
    return Submission.objects.get(pk=claim.submission.pk)


REFUSED = exchange_result(sent=False, fault=Fault.REFUSED)
YES = json.dumps(
    {
        "Meta": {
            "EventType": "New",
            "Extensions": {"ResponseDetail": {"string": "New organization was added successfully."}},
        }
    }
).encode()


@pytest.mark.one_database
@pytest.mark.parametrize(("counted_attempts", "longest"), [(0, 4.0), (1, 8.0), (6, 256.0)])
def test_a_message_that_does_not_reach_redox_waits_twice_as_long_each_time(
    claimed: Claimed, worker: Actor, monkeypatch: pytest.MonkeyPatch, counted_attempts: int, longest: float
) -> None:
    bounds: list[tuple[float, float]] = []

    def longest_of(least: float, most: float) -> float:
        bounds.append((least, most))
        return most

    monkeypatch.setattr(random, "uniform", longest_of)
    claim = claimed()
    claim.submission.counted_attempts = counted_attempts
    time_before = clock.now()
    submission = settled(claim, REFUSED, worker)
    assert submission.state == State.QUEUED
    assert bounds == [(0, longest)]
    assert submission.not_before is not None
    waits = (submission.not_before - time_before).total_seconds()
    assert waits == pytest.approx(longest, abs=3.0)
    assert (submission.lease_until, submission.detail, submission.state_reason) == (None, "refused", "refused")


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("exchange", "waits"),
    [
        (exchange_result(429), False),
        (exchange_result(401), False),
        (exchange_result(sent=False, fault=Fault.BLOCKED), False),
        (exchange_result(sent=False, fault=Fault.STOPPED), False),
        (exchange_result(sent=False, fault=Fault.HELD_UP), True),
    ],
)
def test_an_attempt_that_redox_did_not_process_does_not_count_as_a_try(
    claimed: Claimed, worker: Actor, monkeypatch: pytest.MonkeyPatch, exchange: Exchange, waits: bool
) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: most)
    claim = claimed()
    claim.submission.counted_attempts = 8  # the last time the portal sent it again after a Query
    first_attempt = AuditEntry.objects.filter(action=Action.ATTEMPT_INTENT)
    first_attempt.update(at=clock.now() - datetime.timedelta(hours=25))
    submission = settled(claim, exchange, worker)
    assert (submission.state, submission.counted_attempts, submission.http_status) == (State.QUEUED, 8, exchange.status)
    assert submission.not_before is not None
    assert (submission.not_before > clock.now()) == waits


@pytest.mark.one_database
def test_a_message_is_not_sent_with_too_little_of_the_lease_left(claimed: Claimed, worker: Actor) -> None:
    claim = claimed()
    elapsed = settings.REDOX_LEASE - settings.REDOX_DEADLINE - lease_margin() + 1
    late = replace(claim, claimed_at=claim.claimed_at - elapsed)
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        send_claim(late, "token", worker)
    submission = Submission.objects.get(pk=claim.submission.pk)
    assert (submission.state, submission.counted_attempts) == (State.QUEUED, 0)
    outcome = AuditEntry.objects.get(action=Action.ATTEMPT_OUTCOME)
    assert outcome.outcome == Kind.NOT_SENT
    assert "the worker waited too long" in submission.state_reason
    assert EnvironmentGate.objects.get(pk="staging").failures == 0  # says nothing about Redox


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("minutes", "counted_attempts", "state"),
    [
        (24 * 60 + 1, 0, State.NEEDS_PERSON),
        (24 * 60 - 1, 0, State.QUEUED),
        (0, 7, State.NEEDS_PERSON),
        (0, 6, State.QUEUED),
    ],
)
def test_nothing_is_tried_for_longer_than_a_day_or_more_than_eight_times(
    claimed: Claimed, worker: Actor, minutes: int, counted_attempts: int, state: State
) -> None:
    claim = claimed()
    claim.submission.counted_attempts = counted_attempts
    intent = AuditEntry.objects.filter(action=Action.ATTEMPT_INTENT)
    intent.update(at=timezone.now() - datetime.timedelta(minutes=minutes))
    submission = settled(claim, REFUSED, worker)
    assert (submission.state, submission.counted_attempts, submission.detail) == (
        state,
        counted_attempts + 1,
        "refused",
    )
    detail = f"{counted_attempts + 1} attempt{'s' if counted_attempts else ''} did not reach Redox: refused"
    assert submission.state_reason == (detail if state == State.NEEDS_PERSON else "refused")


@override_settings(REDOX_SETTLE=180.0)
def test_an_unknown_submission_is_queried_only_after_the_settle_time(claimed: Claimed, worker: Actor) -> None:
    time_before = clock.now()
    submission = settled(claimed(), exchange_result(504), worker)
    assert submission.state == State.UNKNOWN
    assert submission.not_before is not None
    assert submission.not_before >= time_before + datetime.timedelta(seconds=180)
    presence_at = Organization.objects.get().presence_at
    assert presence_at is not None
    assert presence_at >= time_before


@pytest.mark.one_database
@override_settings(REDOX_SETTLE=180.0)
def test_after_already_exists_an_unknown_submission_is_queried_at_once(claimed: Claimed) -> None:
    settle_sending(claimed().submission, Kind.UNKNOWN, known="already_exists")
    not_before = Submission.objects.get().not_before
    assert not_before is not None
    assert not_before <= clock.now()


@pytest.mark.one_database
@pytest.mark.parametrize("hours", [0, 5])
def test_a_submission_is_unknown_since_its_first_unknown_attempt_and_queried_again(
    claimed: Claimed, worker: Actor, hours: int
) -> None:
    claim, time_before = claimed(), clock.now()
    claim.submission.unknown_since = time_before - datetime.timedelta(hours=hours) if hours else None
    Submission.objects.update(asks=3, absent_at=time_before)
    submission = settled(claim, exchange_result(504), worker)
    assert (submission.asks, submission.absent_at) == (0, None)
    assert submission.unknown_since is not None
    assert (submission.unknown_since >= time_before) is (hours == 0)


@pytest.mark.one_database
@pytest.mark.parametrize(("intent", "shown"), [(None, {"name": "By hand"}), (Intent.DEACTIVATE, {"active": False})])
def test_after_a_rejection_what_the_message_would_have_changed_is_a_difference_again(
    editor: User, intent: Intent | None, shown: dict[str, Any]
) -> None:
    organization = accepted_with_difference(editor, **shown)
    factories.submission(organization, user=editor, intent=intent)
    Organization.objects.update(differs=0)
    answer_next(Kind.REJECTED)
    assert Organization.objects.get().differs == 1


def test_an_answer_to_an_earlier_claim_is_late_while_the_message_is_sent_again(
    claimed: Claimed, editor: User, worker: Actor
) -> None:
    claim = claimed()
    claim_new(editor, worker, f"{BASE}.1")  # with the same token
    Submission.objects.filter(pk=claim.submission.pk).update(token=claim.submission.token + 1, attempt=2)
    assert not store_response(claim.submission, exchange_result(200, YES), repeat=0, actor=worker)
    assert actions_of(claim.submission)[-1] == Action.ATTEMPT_LATE


@pytest.mark.one_database
@pytest.mark.parametrize(("repeat", "stops"), [(0, False), (1, True)])
def test_a_stored_refusal_stops_the_environment_only_after_a_new_token_was_tried(
    claimed: Claimed, worker: Actor, repeat: int, stops: bool
) -> None:
    claim = claimed()
    store_response(claim.submission, exchange_result(401), repeat=repeat, actor=worker)
    Submission.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    assert abandoned.settle_abandoned("staging", actor=worker) == 1
    assert Submission.objects.get().state == State.QUEUED
    assert EnvironmentGate.objects.get(pk="staging").is_stopped == stops
    stopped_by = AuditEntry.objects.filter(action=Action.ENVIRONMENT_STOPPED).values_list("submission_id", flat=True)
    assert list(stopped_by) == ([claim.submission.pk] if stops else [])


@pytest.mark.one_database
def test_a_failed_token_renewal_does_not_stop_the_environment(
    claimed: Claimed, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claimed()
    passing = TokenAnswer(outcome=Outcome(kind=Kind.NOT_SENT, detail="refused", fault=Fault.REFUSED))
    monkeypatch.setattr(redox_requests, "send_message", lambda *_: exchange_result(401))
    monkeypatch.setattr(redox_requests, "discard_token", lambda *_: True)
    monkeypatch.setattr(redox_requests, "access_token", lambda _: passing)
    monkeypatch.setattr(redox_requests, "ready_token", lambda _: None)
    monkeypatch.setattr(redox_requests, "is_token_due", lambda _: True)
    with override_settings(REDOX_LEASE=400.0):
        send_claim(claim, "token", worker)
    submission, gate = Submission.objects.get(), EnvironmentGate.objects.get(pk="staging")
    assert (submission.state, submission.state_reason, submission.counted_attempts) == (State.QUEUED, "refused", 1)
    assert (gate.is_stopped, gate.failures) == (False, 1)


def test_a_worker_that_lost_the_lease_changes_nothing_and_requests_no_token(
    claimed: Claimed, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, renewed = claimed(), mock.Mock(return_value=False)
    submissions.move_submission(Submission.objects.get(), State.UNKNOWN)
    monkeypatch.setattr(redox_requests, "send_message", lambda *_: exchange_result(401))
    monkeypatch.setattr(redox_requests, "discard_token", renewed)
    with override_settings(REDOX_LEASE=400.0):
        send_claim(claim, "token", worker)
    renewed.assert_not_called()
    assert Submission.objects.get().state == State.UNKNOWN
    assert actions_of(claim.submission)[-1] == Action.ATTEMPT_LATE


@pytest.mark.one_database
def test_a_lost_worker_does_not_count_as_a_failure_of_redox(claimed: Claimed, worker: Actor) -> None:
    settle.settle_lost_attempt(claimed().submission, actor=worker)
    submission = Submission.objects.get()
    assert (submission.state, submission.lost_attempt, submission.lease_until) == (State.UNKNOWN, True, None)
    assert EnvironmentGate.objects.get(pk="staging").failures == 0


@pytest.mark.one_database
@pytest.mark.parametrize("intent", [None, Intent.DEACTIVATE, Intent.REACTIVATE])
def test_saved_edits_are_accepted_only_by_a_message_that_holds_them(editor: User, intent: Intent | None) -> None:
    organization = factories.accept(factories.organization(user=editor), active=intent != Intent.REACTIVATE)
    edit(organization, editor, name="Lakeside North")
    submission = factories.submission(organization, user=editor, intent=intent)
    answer_next()
    version = Organization.objects.get().confirmed_version
    assert version == (organization.confirmed_version if intent else submission.record_version)
    submission = Submission.objects.get()
    assert submission.read_back_at is None  # no attempt was lost
    assert submission.evidence_at is not None  # now, since no stored answer is older


def test_presence_is_dated_by_the_answer_that_proves_it(claimed: Claimed, worker: Actor) -> None:
    submission, time_before = claimed().submission, clock.now()
    settle_sending(submission, Kind.REJECTED, presence=ABSENT)
    organization = Organization.objects.get()
    assert organization.presence_at is not None
    assert (organization.presence, organization.presence_at >= time_before) == (ABSENT, True)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("given", "counted_attempts", "decision"),
    [({}, 4, {}), ({"counted_attempts": 0, "verdict": "send_again"}, 0, {"verdict": "send_again"})],
    ids=["automatically", "by a person"],
)
def test_sending_again_counts_a_try_unless_a_person_decided_it(
    claimed: Claimed, worker: Actor, given: dict[str, Any], counted_attempts: int, decision: dict[str, str]
) -> None:
    submission = claimed().submission
    settle.settle_lost_attempt(submission, actor=worker)
    # A worker is querying the directory.
    Submission.objects.update(lease_until=clock.now(), not_before=clock.now() + datetime.timedelta(hours=1))
    submission.counted_attempts = 3
    with audit.atomic(worker) as history:
        settle.requeue_submission(history, submission, reason="Not proved.", **given)
    submission_row = Submission.objects.get()
    assert (submission_row.state, submission_row.counted_attempts, submission_row.state_reason) == (
        State.QUEUED,
        counted_attempts,
        "Not proved.",
    )
    assert (submission_row.lease_until, bytes(submission_row.message)) == (None, bytes(submission.message))
    assert submission_row.not_before is not None
    assert submission_row.not_before <= clock.now()
    settled = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert settled.facts["details"] == {"state": "queued"} | decision


@override_settings(REDOX_SETTLE=180.0)
@pytest.mark.parametrize("was_sending", [True, False])
def test_after_a_restore_an_open_submission_is_only_queried(
    claimed: Claimed, editor: User, worker: Actor, was_sending: bool
) -> None:
    if was_sending:
        submission = claimed().submission
    else:
        submission = factories.submission(factories.organization(user=editor), user=editor)
    token, time_before = submission.token, clock.now()
    Submission.objects.update(asks=3, absent_at=time_before)
    with audit.atomic(worker) as history:
        settle.mark_unknown_after_restore(history, submission, submission.organization)
    submission = Submission.objects.get()
    assert (submission.state, submission.is_restored, submission.token) == (State.UNKNOWN, True, token + 1)
    assert (submission.lease_until, submission.asks, submission.absent_at) == (None, 0, None)
    assert submission.unknown_since is not None
    assert submission.not_before is not None
    assert submission.not_before - submission.unknown_since == datetime.timedelta(seconds=180)
    assert submission.unknown_since >= time_before
    assert submission.state_reason.startswith("The database was restored from a backup")
    assert submission.may_have_been_sent
    state_entry = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert state_entry.facts["reason"] == submission.state_reason
    assert Organization.objects.get().presence == "unknown"
    actions = [Action.ATTEMPT_OUTCOME, Action.SUBMISSION_SETTLED] if was_sending else [Action.SUBMISSION_SETTLED]
    assert actions_of(submission)[-len(actions) - 1 :][1:] == actions
    assert (Action.ATTEMPT_OUTCOME in actions_of(submission)) is was_sending
    if was_sending:
        assert (outcome_entry()["outcome"], outcome_entry()["details"]) == (
            "unknown",
            {"state": "unknown", "presence": "unknown"},
        )


def outcome_entry() -> dict[str, object]:
    entry = AuditEntry.objects.filter(action=Action.ATTEMPT_OUTCOME).latest("sequence")
    return entry.facts


@pytest.mark.one_database
def test_an_outcome_entry_has_the_presence_and_the_record_if_the_presence_changed(
    claimed: Claimed, worker: Actor
) -> None:
    settled(claimed(), exchange_result(504), worker)
    facts = outcome_entry()
    assert facts["details"] == {"state": "unknown", "presence": "unknown"}
    assert facts["record"] == Organization.objects.get().record().to_json()


@pytest.mark.one_database
def test_an_outcome_entry_has_no_record_if_the_presence_did_not_change(claimed: Claimed, worker: Actor) -> None:
    settled(claimed(), REFUSED, worker)
    facts = outcome_entry()
    assert facts["details"] == {"state": "queued", "presence": "never"}
    assert "record" not in facts
