"""The forms for accounts: what they refuse, and the error texts."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.http import QueryDict
from django.utils.http import urlencode
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.forms.account import AccountForm, PasswordForm, SignInForm
from organizations.models import User
from tests.factories import UserFactory

LONG = "a-much-longer-secret"


def new_account(**values: str) -> AccountForm:
    """The form of a new account as a browser posts it."""
    role = Group.objects.get(name="viewer").pk
    typed: dict[str, Any] = {
        "username": "bert",
        "first_name": "Bert",
        "last_name": "Three",
        "email": "",
        "groups": [role],
    } | values
    return AccountForm(QueryDict(urlencode(typed, doseq=True)), instance=User())


@pytest.mark.django_db
def test_each_invalid_value_has_an_error_at_its_field() -> None:
    UserFactory(username="anna", first_name="Anna", last_name="Two")
    for values, field, sentence in (
        ({"username": ""}, "username", "Enter a user name."),
        ({"username": "a\x00b"}, "username", "Null characters are not allowed."),
        ({"username": "a" * 10_000}, "username", "at most 150 characters"),
        ({"username": "<b>"}, "username", "A user name can only have the letters A to Z, digits and @ . + - _."),
        ({"username": "ANNA"}, "username", "The user name 'anna' already exists."),
        ({"first_name": "ÁNNA", "last_name": "two"}, "last_name", "(anna) already has this name."),
        ({"email": "none"}, "email", "Enter a valid email address."),
        ({"email": "none", "username": "<b>"}, "username", "A user name can only have the letters A to Z"),
        ({"groups": "999999"}, "groups", "Select a valid choice."),
        ({"groups": "9" * 30}, "groups", "is not a valid value"),
        ({"groups": "x"}, "groups", "is not a valid value"),
    ):
        assert sentence in new_account(**values).errors[field][0]
    assert new_account().is_valid()


@pytest.mark.django_db
@pytest.mark.one_database
def test_a_user_name_with_a_null_character_is_not_looked_up() -> None:
    """PostgreSQL fails when a value has U+0000; SQLite, on which this test runs, would search for it."""
    values: list[str] = []

    def on_statement(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        values.extend(map(str, params or ()))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(on_statement):
        assert not new_account(username="a\x00b").is_valid()
    assert [value for value in values if "\x00" in value] == []


def test_invalid_names_and_passwords_have_their_error_texts() -> None:
    for values, field, sentence in (
        ({}, "username", "Enter your name."),
        ({"username": "anna"}, "password", "Enter your password."),
        ({"username": "a\x00b", "password": "x"}, "username", "Null characters are not allowed."),
        ({"username": "a" * 10_000, "password": "x"}, "username", "This is too long for a user name."),
        ({"username": "anna", "password": "x" * 10_000}, "password", "This is too long for a password."),
    ):
        assert SignInForm(values).errors[field] == [sentence]


@settings(max_examples=25)
@given(username=st.text(max_size=150), password=st.text(max_size=50))
def test_any_name_and_password_can_be_validated(username: str, password: str) -> None:
    form = SignInForm({"username": username, "password": password})
    assert form.is_valid() or all(form.errors.values())


def test_a_new_password_must_be_repeated_and_hard_to_guess() -> None:
    user = User(username="anna", first_name="Anna", last_name="Two")
    for first, second, field, sentence in (
        (LONG, "another-long-secret", "new_password2", "password fields didn’t match"),
        ("short", "short", "new_password1", "This password is too short."),
        ("password12345", "password12345", "new_password1", "This password is too common."),
        ("anna-anna-anna", "anna-anna-anna", "new_password1", "which is part of the person's name"),
        ("", "", "new_password1", "This field is required."),
    ):
        form = PasswordForm(user, {"old_password": "x", "new_password1": first, "new_password2": second})
        assert sentence in form.errors[field][0]
    assert PasswordForm(user, {"old_password": "x", "new_password1": LONG, "new_password2": LONG}).is_valid()
