"""The rate limit of the installation: every request to Redox takes one slot."""

import datetime
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from organizations.models import State, Submission, User
from organizations.practice import Credential, PracticeDirectory
from organizations.services.connection import rate_limit, redox_requests, redox_settings
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.delivery import claims, query
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.services.fake_redox import API_KEY
from tests.services.sending import deliver


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[SendSlot]:
    """Every slot that is reserved during the test."""
    slots: list[SendSlot] = []
    take_within = rate_limit.reserve_slots_within

    def counted(now: datetime.datetime, count: int) -> list[SendSlot]:
        reserved = take_within(now, count)
        slots.extend(reserved)
        return reserved

    monkeypatch.setattr(rate_limit, "reserve_slots_within", counted)
    return slots


@pytest.fixture
def renewing(transactional_db: None, tmp_path: Path) -> Iterator[PracticeDirectory]:
    """A practice directory whose tokens can expire."""
    key = Credential(environment="staging", api_key="legacy", api_secret="secret")
    with PracticeDirectory(tmp_path, [key]) as running, override_settings(REDOX=redox(running.url, **API_KEY)):
        yield running


@pytest.mark.django_db
@override_settings(REDOX_RATE=2.0)
def test_requests_of_all_workers_keep_the_interval_of_the_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "time", mock.Mock(monotonic=lambda: 100.0))  # a busy machine may take longer
    moment = timezone.now()
    reserved = [slot for count in (1, 2) for slot in rate_limit.reserve_slots_within(moment, count)]
    assert [slot.begins for slot in reserved] == pytest.approx([100.0, 100.5, 101.0])
    (later,) = rate_limit.reserve_slots_within(moment + datetime.timedelta(seconds=5), 1)
    assert later.begins == 100.0


@pytest.mark.django_db
@override_settings(REDOX_RATE=2.0)
def test_slots_are_free_until_they_are_reserved_for_the_time_ahead() -> None:
    moment = timezone.now()
    assert rate_limit.free_slots(2.0, moment) == 4
    rate_limit.reserve_slots_within(moment, 3)
    assert [rate_limit.free_slots(ahead, moment) for ahead in (1.0, 1.5, 1.6, 2.0)] == [0, 0, 1, 1]
    assert rate_limit.free_slots(2.0, moment + datetime.timedelta(seconds=60)) == 4


@pytest.mark.django_db
@override_settings(REDOX_RATE=2.0)
def test_nobody_waits_for_a_clock_that_was_set_back() -> None:
    moment = timezone.now()
    rate_limit.reserve_slots_within(moment + datetime.timedelta(seconds=499.5), 1)
    assert rate_limit.free_slots(1.0, moment) == 0  # the next slot begins in 500 s, the time of 1000 slots
    rate_limit.reserve_slots_within(moment + datetime.timedelta(seconds=500), 1)
    assert rate_limit.free_slots(1.0, moment) == 2
    (slot,) = rate_limit.reserve_slots_within(moment, 1)
    assert slot.begins <= time.monotonic()


def test_a_request_waits_until_its_slot_opens_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = mock.Mock(monotonic=lambda: 100.0)
    monkeypatch.setattr(rate_limit, "time", clock)
    for begins in (99.0, 100.5):
        SendSlot(begins).wait()
    assert clock.sleep.call_args_list == [mock.call(0.0), mock.call(0.5)]


@pytest.mark.django_db
def test_a_slot_is_not_reserved_inside_a_longer_transaction() -> None:
    """Every request of every worker would wait until that transaction ends."""
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        rate_limit.reserve_slot()


def test_a_message_and_its_token_requests_take_one_slot_each(
    renewing: PracticeDirectory, editor: User, taken: list[SendSlot]
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    assert redox_requests.access_token(redox_settings.environment("staging")).token
    renewing.expire_tokens()
    assert deliver()
    submission.refresh_from_db()
    assert submission.state == State.ACCEPTED
    # A token, the message, a new token, the message.
    assert [request.path for request in renewing.requests] == [
        "/auth/authenticate",
        "/endpoint",
        "/auth/authenticate",
        "/endpoint",
    ]
    assert len(taken) == 4


def test_a_query_and_its_token_requests_take_one_slot_each(renewing: PracticeDirectory, taken: list[SendSlot]) -> None:
    directory_record = {"Name": "Lakeside", "Active": True, "Identifiers": [{"ID": BASE, "IDType": "OID"}]}
    renewing.register("staging", directory_record)
    assert query.query_oid("staging", BASE).is_answered
    renewing.expire_tokens()
    assert query.query_oid("staging", BASE).is_answered
    assert len(renewing.requests) == 5
    assert len(taken) == 5


def test_nothing_is_sent_before_its_slot_opens(
    practice: PracticeDirectory, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    factories.submission(factories.organization(user=editor), user=editor)
    monkeypatch.setattr(claims, "SECONDS_AHEAD", 11.0)
    with override_settings(REDOX_RATE=0.1):
        rate_limit.reserve_slot()
        assert deliver()
        assert max(waited) == pytest.approx(10.0, abs=5.0)
        assert query.query_oid("staging", BASE).is_answered
        assert max(waited) == pytest.approx(20.0, abs=5.0)
    assert Submission.objects.get().state == State.ACCEPTED


def test_nothing_is_claimed_while_the_slots_of_the_next_second_are_reserved(
    practice: PracticeDirectory, editor: User
) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    with override_settings(REDOX_RATE=0.1):
        rate_limit.reserve_slot()
        assert not deliver()
    assert Submission.objects.get().attempt == 0
