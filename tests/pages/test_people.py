"""The list of people: what each can do, who gave the roles, who closed an account; and what closing one means."""

import pytest
from django.contrib.auth.models import Group

from organizations.models import User
from organizations.pages.people import accounts as account_words
from organizations.permissions import ROLES
from organizations.services.accounts import accounts
from organizations.services.actors import person
from tests import factories
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def boss() -> User:
    return UserFactory(username="boss", first_name="Boss", last_name="One", role="administrator")


@pytest.fixture
def other() -> User:
    return UserFactory(username="other", role="administrator")


def save(user: User, actor: User, *roles: str, **values: object) -> User:
    groups = [Group.objects.get(name=role) for role in roles]
    for name, value in values.items():
        setattr(user, name, value)
    return accounts.save(user, groups=groups, what="Test", actor=person(actor))


def row(user: User) -> account_words.PersonRow:
    everybody = account_words.people()
    [found] = [each for each in (*everybody.active, *everybody.closed) if each.user == user]
    return found


@pytest.mark.parametrize(
    ("roles", "can"),
    [
        ((), ""),
        (("viewer",), "read"),
        (("auditor",), "read; export"),
        (("editor",), "edit; send to STAGING"),
        (("approver",), "edit; send to both; decide"),
        (("administrator",), "manage people"),
        (tuple(ROLES), "edit; send to both; decide; export; manage people"),
    ],
)
def test_what_a_person_can_do_follows_from_the_roles(boss, roles, can):
    assert row(save(User(username="anna"), boss, *roles)).can == can


def test_roles_that_two_people_gave_are_said_one_by_one(boss, other):
    anna = save(User(username="anna"), boss, "editor")
    [by] = row(anna).given_by
    assert by.startswith("Boss One (boss), ")
    save(anna, other, "editor", "auditor")
    first, second = row(anna).given_by
    assert first.startswith("auditor: other, ")
    assert second.startswith("editor: Boss One (boss), ")


def test_old_roles_and_accounts_made_on_the_machine_say_so(boss):
    assert row(boss).given_by == ["not recorded"]
    first = row(User.objects.create_superuser("first"))
    assert (first.roles, first.can) == (["made on the machine"], "manage people")


def test_a_closed_account_says_who_closed_it_last(boss, other):
    anna = save(User(username="anna"), boss, "editor")
    assert row(anna).closed == ""
    for is_active, actor in ((False, boss), (True, boss), (False, other), (False, boss)):
        save(anna, actor, "editor", is_active=is_active)
    assert ", by other" in row(anna).closed
    listed = account_words.people()
    assert [each.user for each in listed.closed] == [anna]
    assert (listed.active_words, listed.closed_words) == ("2 people can sign in.", "1 person can no longer sign in")


def test_closing_names_who_else_can_and_what_stays(boss):
    anna = save(User(username="anna"), boss, "approver")
    UserFactory(username="bert", role="editor")
    UserFactory(username="gone", role="approver", is_active=False)
    factories.submission(factories.organization(user=anna), user=anna)
    closing = account_words.closing_effects(anna)
    assert closing.others == [
        ("edit records", "bert"),
        ("send to STAGING", "bert"),
        ("send to PRODUCTION", ""),
        ("decide what became of a submission", ""),
    ]
    assert closing.submissions == [("staging", "1 open submission")]
