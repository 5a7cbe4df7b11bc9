"""Who has an account, which roles, and from whom: for everybody who is signed in."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from organizations.models import User
from organizations.services import people
from organizations.services.actors import person
from tests.factories import UserFactory
from tests.views.pages import text_of

PEOPLE = "/people/"


@pytest.fixture
def boss(db) -> User:
    return UserFactory(username="boss", first_name="Boss", last_name="One", role="administrator", is_staff=True)


@pytest.fixture
def anna(boss) -> User:
    anna, role = User(username="anna", first_name="Anna", last_name="Two"), Group.objects.get(name="approver")
    return people.save(anna, groups=[role], what="account made", actor=person(boss))


def page_of(client: Client) -> str:
    return text_of(client.get(PEOPLE))


def test_each_role_is_shown_with_who_gave_it(client_of, anna):
    page = page_of(client_of(user=anna))
    assert "Anna Two anna approver given by Boss One (boss), " in page
    assert "Boss One boss administrator given before this was recorded" in page


def test_who_can_no_longer_sign_in_is_among_the_closed_accounts(client_of, anna):
    UserFactory(username="gone", is_active=False)
    page = page_of(client_of(user=anna))
    assert "1 closed account" in page
    assert page.index("anna") < page.index("1 closed account") < page.index("gone")


def test_only_who_manages_people_sees_when_they_signed_in_and_can_change_them(client_of, anna, boss):
    for user, is_shown in ((anna, False), (boss, True)):
        page = page_of(client_of(user=user))
        assert ("Last sign-in" in page) is is_shown
        assert ("Change people and roles" in page) is is_shown


def test_the_form_of_a_person_shows_who_gave_each_role(client_of, anna, boss):
    page = text_of(client_of(user=boss).get(f"/admin/organizations/user/{anna.pk}/change/"))
    assert "approver: given by Boss One (boss), " in page


def test_the_page_asks_the_same_number_of_questions_for_many_people(client_of, anna, django_assert_max_num_queries):
    for _ in range(30):
        UserFactory(role="viewer")
    client = client_of(user=anna)
    with django_assert_max_num_queries(14):
        assert client.get(PEOPLE).status_code == 200
