"""The list of people: their rights, who gave the roles, who closed an account, and what closing means."""

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
def administrator() -> User:
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
def test_the_rights_of_a_person_follow_from_the_roles(administrator, roles, can):
    assert row(save(User(username="anna"), administrator, *roles)).can == can


def test_roles_given_by_two_people_are_listed_separately(administrator, other):
    anna = save(User(username="anna"), administrator, "editor")
    [by] = row(anna).given_by
    assert by.startswith("Boss One (boss), ")
    save(anna, other, "editor", "auditor")
    first, second = row(anna).given_by
    assert first.startswith("auditor: other, ")
    assert second.startswith("editor: Boss One (boss), ")


def test_old_roles_and_accounts_created_on_the_machine_are_called_that(administrator):
    assert row(administrator).given_by == ["not recorded"]
    first = row(User.objects.create_superuser("first"))
    assert (first.roles, first.can) == (["made on the machine"], "manage people")


def test_a_closed_account_says_who_closed_it_last(administrator, other):
    anna = save(User(username="anna"), administrator, "editor")
    assert row(anna).closed == ""
    for is_active, actor in ((False, administrator), (True, administrator), (False, other), (False, administrator)):
        save(anna, actor, "editor", is_active=is_active)
    assert ", by other" in row(anna).closed
    people = account_words.people()
    assert [each.user for each in people.closed] == [anna]
    assert (people.active_words, people.closed_words) == ("2 people can sign in.", "1 person can no longer sign in")


def test_the_close_page_names_other_people_and_what_stays(administrator):
    anna = save(User(username="anna"), administrator, "approver")
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
