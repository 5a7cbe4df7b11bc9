"""The limits of sign-in tries: they are exact, also for concurrent tries, and store no names."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from organizations.models import Throttle, clock
from organizations.services import throttle
from organizations.services.throttle import Limit, TooManyTries
from tests import factories

LIMIT = Limit("key", 5)
BLOCK = Limit("block", 50)


def side_by_side[T](times: int, act: Callable[[int], T]) -> list[T]:
    def run(number: int) -> T:
        try:
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def is_reserved(*limits: Limit) -> bool:
    try:
        throttle.reserve_try(*limits)
    except TooManyTries:
        return False
    return True


@pytest.mark.django_db(transaction=True)
def test_of_24_concurrent_sign_ins_only_5_check_the_password() -> None:
    user = factories.editor()

    def sign_in(_: int) -> int:
        typed = {"username": user.username, "password": "wrong"}
        return Client().post(reverse("sign-in"), typed).status_code

    results = side_by_side(24, sign_in)
    assert (results.count(422), results.count(429)) == (5, 19)


@pytest.mark.django_db(transaction=True)
def test_concurrent_tries_of_many_names_use_up_the_block_exactly() -> None:
    block = Limit("block", 7)
    results = side_by_side(24, lambda number: is_reserved(Limit(f"name{number}", 5), block))
    assert results.count(True) == 7
    assert Throttle.objects.get(pk="block").count == 7


@pytest.mark.django_db
def test_a_try_that_one_limit_refuses_counts_against_no_limit() -> None:
    full = Limit("block", 1)
    assert is_reserved(full)
    for _ in range(9):
        assert not is_reserved(LIMIT, full)
    assert Throttle.objects.get(pk="key").count == 0
    assert Throttle.objects.get(pk="block").count == 1


@pytest.mark.django_db
def test_a_right_password_resets_the_name_and_gives_the_block_one_try_back() -> None:
    for _ in range(3):
        throttle.reserve_try(LIMIT, BLOCK)
    throttle.record_success(throttle.reserve_try(LIMIT, BLOCK))
    assert not Throttle.objects.filter(pk="key").exists()
    assert Throttle.objects.get(pk="block").count == 3


@pytest.mark.django_db
def test_after_the_period_a_key_starts_at_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now - 2 * throttle.PERIOD)
    earlier = [throttle.reserve_try(LIMIT) for _ in range(5)]
    assert not is_reserved(LIMIT)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert is_reserved(LIMIT)
    throttle.give_back_try(earlier[0])
    assert Throttle.objects.get(pk="key").count == 1


@pytest.mark.django_db
def test_ended_rows_are_deleted_and_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    throttle.reserve_try(LIMIT)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + throttle.PERIOD)
    throttle.reserve_try(BLOCK)
    assert throttle.delete_ended() == 1
    assert [row.key for row in Throttle.objects.all()] == ["block"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10.0.0.1", "::ffff:10.0.0.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("fe80::1%eth0", "fe80::2"),
        ("", "unix:"),
        ("10.0.0.1:5050", "nonsense"),
    ],
)
def test_addresses_of_one_visitor_are_one_visitor(one: str, other: str) -> None:
    assert throttle.visitor_network(one) == throttle.visitor_network(other)
    assert throttle.shared_network(one) == throttle.shared_network(other)


@pytest.mark.parametrize(("one", "other"), [("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.1.1"), ("::1", "2001:db8::1")])
def test_addresses_of_different_visitors_are_different(one: str, other: str) -> None:
    assert throttle.visitor_network(one) != throttle.visitor_network(other)


def test_capitals_and_width_do_not_change_the_key_and_the_key_hides_the_name() -> None:
    plain, capital, wide = (throttle.sign_in_limits(name, "10.0.0.1")[0] for name in ("anna", "ANNA", "ａｎｎａ"))
    assert plain == capital == wide
    assert plain != throttle.sign_in_limits("annb", "10.0.0.1")[0]
    assert "anna" not in plain.key
