"""The password rules, and every command and service that must apply them."""

import secrets
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from organizations.models import Action, AuditEntry, User
from organizations.services.accounts import accounts, passwords
from organizations.services.actors import system
from organizations.services.errors import PasswordRefused
from tests import factories

pytestmark = pytest.mark.one_database

GOOD = "three-quiet-otters"
NOBODY = User(username="victim", first_name="Vera", last_name="Okonkwo-Ames", email="v.tester@acme.example")


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("abc", "too short"),
        ("otter-piano", "too short"),
        ("a" * 129, "too long"),
        ("123456789012", "too common"),
        ("PASSWORD12345", "too common"),
        ("１２３４５６７８９０１２", "too common"),
        ("qazwsx-qazwsx-qaz", "easy to guess"),
        ("orgportal-redox", "easy to guess"),
        ("testserver2027", "easy to guess"),
        ("victimvictim1", "contains 'victim'"),
        ("seven-Victim-clouds", "contains 'victim'"),
        ("seven-ＶＩＣＴＩＭ-clouds", "contains 'victim'"),
        ("purple-okonkwo-lamps", "contains 'Okonkwo'"),
        ("purple-tester-lamps", "contains 'tester'"),
        ("three\x00quiet-otters", "no page accepts"),
        ("three-quiet-otters\n", "no page accepts"),
        ("three\udcffquiet-otters", "no page accepts"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(password: str, fault: str) -> None:
    assert fault in passwords.password_error(password, NOBODY)


@pytest.mark.parametrize("password", [GOOD, "three quiet otters", "ünïcödé-otters-ß", "x7#Lq!v9Rt2&" * 10])
def test_a_password_that_is_hard_to_guess_is_accepted(password: str) -> None:
    assert passwords.password_error(password, NOBODY) == ""


def test_a_generated_password_is_valid_for_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = {passwords.generate(NOBODY) for _ in range(20)}
    assert len(made_up) == 20
    assert {passwords.password_error(password, NOBODY) for password in made_up} == {""}
    letters = iter("abcdefghjkmnpqrs" + "k7mfw2qx9tbnh4ru")
    monkeypatch.setattr(secrets, "choice", lambda _: next(letters))
    assert passwords.generate(User(username="abc")) == "k7mf-w2qx-9tbn-h4ru"


@pytest.mark.django_db
def test_no_service_sets_a_bad_password() -> None:
    user = factories.editor()
    password_before = user.password
    for act in (
        lambda: accounts.change_password(user, "123456789012", actor=system("Test")),
        lambda: accounts.save(user, password="abc", what="password", actor=system("Test")),
        lambda: accounts.save(
            User(username="new"), password="newnewnewnew1", what="account made", actor=system("Test")
        ),
    ):
        with pytest.raises(PasswordRefused):
            act()
    assert [each.password for each in User.objects.all()] == [password_before]
    assert not AuditEntry.objects.filter(action=Action.PERSON_CHANGED).exists()


def made_on_the_machine(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    call_command("createsuperuser", "--noinput", "--username", "victim")


def type_it(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    """Type these answers at a terminal, one after the other."""
    lines = iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda _: next(lines))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["", "abc", "123456789012", "victimvictim1"])
def test_createsuperuser_refuses_a_bad_password(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    with pytest.raises(CommandError, match="This password") as refusal:
        made_on_the_machine(monkeypatch, password)
    assert refusal.value.returncode == 2
    assert not User.objects.exists()


@pytest.mark.django_db
def test_createsuperuser_makes_an_account_with_its_entry(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    made_on_the_machine(monkeypatch, GOOD)
    user = User.objects.get()
    assert (user.is_superuser, user.must_change_password) == (True, False)
    assert user.check_password(GOOD)
    [entry] = AuditEntry.objects.filter(action=Action.PERSON_CHANGED)
    assert (entry.actor_name, entry.facts["object"]["name"]) == ("Command createsuperuser", "victim")
    with pytest.raises(CommandError, match="already exists"):
        made_on_the_machine(monkeypatch, GOOD)


@pytest.mark.django_db
def test_createsuperuser_asks_again_until_the_password_is_good(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    type_it(monkeypatch, "abc", GOOD, "another", GOOD, GOOD)
    call_command("createsuperuser", "--username", "victim")
    assert User.objects.get().check_password(GOOD)
    error_output = capsys.readouterr().err
    assert "too short" in error_output
    assert "not the same" in error_output
    assert GOOD not in error_output


@pytest.mark.django_db
def test_createsuperuser_refuses_a_bad_user_name_before_it_asks_for_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    type_it(monkeypatch)
    with pytest.raises(CommandError, match="the letters A to Z"):
        call_command("createsuperuser", "--username", "vícτim")


@pytest.mark.django_db
def test_changepassword_refuses_a_bad_password_and_accepts_a_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.UserFactory(username="victim")
    type_it(monkeypatch, "abc", "123456789012", "victimvictim1")
    with pytest.raises(CommandError) as refusal:
        call_command("changepassword", "victim")
    assert refusal.value.returncode == 2
    type_it(monkeypatch, GOOD, GOOD)
    call_command("changepassword", "victim")
    user.refresh_from_db()
    assert user.check_password(GOOD)
    assert user.must_change_password


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["createsuperuser", "changepassword"])
def test_a_password_can_only_be_typed_in_a_terminal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.UserFactory(username="victim")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    arguments = {"createsuperuser": ["--username", "other"], "changepassword": [user.username]}[name]
    with pytest.raises(CommandError, match="in a terminal"):
        call_command(name, *arguments)
