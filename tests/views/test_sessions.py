"""When a session ends: 12 hours after signing in, after an hour without use, and with its account."""

import datetime

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from organizations.models import User
from organizations.services.accounts import accounts, sessions
from organizations.services.actors import system

pytestmark = pytest.mark.one_database

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def wait(monkeypatch):
    real, passed = timezone.now, datetime.timedelta()

    def wait(more: datetime.timedelta) -> None:
        nonlocal passed
        passed += more

    monkeypatch.setattr(timezone, "now", lambda: real() + passed)
    return wait


def is_signed_in(client: Client, **headers: str) -> bool:
    return client.get("/account/", headers=headers).status_code == 200


def test_a_session_in_use_lasts_at_most_12_hours(client_of, wait):
    client = client_of("viewer")
    for _ in range(14):
        wait(HOUR * 5 / 6)
        assert is_signed_in(client)
    wait(HOUR / 3)
    assert not is_signed_in(client)


def test_a_session_ends_after_an_hour_without_use(client_of, wait):
    client = client_of("viewer")
    wait(HOUR + datetime.timedelta(seconds=5))
    assert not is_signed_in(client)
    assert not Session.objects.exists()


def test_automatic_requests_of_a_page_do_not_count_as_use(client_of, wait):
    client = client_of("viewer")
    for _ in range(3):
        wait(HOUR / 4)
        assert is_signed_in(client, **{"HX-Request": "true"})
    wait(HOUR / 2)
    assert client.get("/help/", headers={"HX-Request": "true"}).status_code == 401


def test_the_last_use_is_stored_once_a_minute(client_of, wait):
    client = client_of("viewer")
    used = []
    for seconds in (20, 20, 30, 20):
        wait(datetime.timedelta(seconds=seconds))
        assert is_signed_in(client)
        used.append(client.session["used_at"])
    assert len(set(used)) == 2


@pytest.mark.parametrize("is_used_between", [True, False])
def test_sessions_of_a_closed_account_stay_ended_when_it_is_reopened(client_of, editor, is_used_between):
    client = client_of(user=editor)
    for is_active in (False, True):
        user = User.objects.get(pk=editor.pk)
        user.is_active = is_active
        accounts.save(user, what="is_active", actor=system("Test"))
        if is_used_between:
            assert not is_signed_in(client)
    assert not is_signed_in(client)
    assert is_signed_in(client_of(user=User.objects.get(pk=editor.pk)))


def test_an_account_closed_outside_the_service_loses_its_session(client_of, editor):
    client = client_of(user=editor)
    User.objects.update(is_active=False)
    assert not is_signed_in(client)
    User.objects.update(is_active=True)
    assert not is_signed_in(client)


def test_expired_sessions_are_deleted_and_others_kept(client_of, wait):
    client_of("viewer")
    wait(12 * HOUR)
    client = client_of("editor")
    assert sessions.delete_expired() == 1
    assert is_signed_in(client)
