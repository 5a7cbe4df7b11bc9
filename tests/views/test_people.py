"""People and roles: who can open the pages, what they save, and what they never change."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from organizations.forms.account import AccountForm
from organizations.models import Action, AuditEntry, User
from organizations.pages.people import page as people_page
from organizations.services.accounts import accounts
from tests import factories
from tests.factories import PASSWORD, UserFactory, as_actor
from tests.page_text import html_of_page, text_of_page
from tests.views.concurrency import just_before_saving
from tests.views.pages import text_of

pytestmark = pytest.mark.one_database
NEW = "/people/new/"
OWN_PASSWORD = "three-quiet-otters"


@pytest.fixture
def administrator(db) -> User:
    return UserFactory(username="boss", first_name="Boss", last_name="One", role="administrator")


@pytest.fixture
def client(administrator, client_of) -> Client:
    return client_of(user=administrator)


@pytest.fixture
def anna(administrator) -> User:
    anna = accounts.save(
        User(username="anna", first_name="Anna", last_name="Two"),
        groups=groups("editor"),
        what="",
        actor=as_actor(administrator),
    )
    anna.set_password(PASSWORD)
    anna.save()
    return anna


def groups(*roles: str) -> list[Group]:
    return list(Group.objects.filter(name__in=roles))


def form(*roles: str, **values: str) -> dict[str, Any]:
    names = {"first_name": "Anna", "last_name": "Two", "email": ""}
    return names | {"groups": [group.pk for group in groups(*roles)]} | values


def reloaded(user: User) -> User:
    return User.objects.get(pk=user.pk)


def opened_form(user: User, *roles: str, **values: str) -> dict[str, Any]:
    return form(*roles, opened_with=reloaded(user).fingerprint(), **values)


def change(client: Client, user: User, *roles: str, **values: str):
    return client.post(f"/people/{user.pk}/", opened_form(user, *roles, **values))


def press(client: Client, user: User, act: str):
    return client.post(f"/people/{user.pk}/{act}/", {"opened_with": reloaded(user).fingerprint()}, follow=True)


def roles_of(user: User) -> list[str]:
    return sorted(reloaded(user).groups.values_list("name", flat=True))


def entries(action: Action = Action.PERSON_CHANGED) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("sequence"))


def reasons() -> list[str]:
    return [entry.facts["reason"] for entry in entries() if entry.facts.get("reason")]


def password_on(response) -> str:
    [password] = re.findall(r'id="first-password">([^<]+)<', response.content.decode())
    return password


# The list ----------------------------------------------------------------------------------------------------


def test_everybody_reads_who_has_which_role_and_only_administrators_see_more(client, client_of, administrator, anna):
    assert "Anna Two anna editor" in text_of(client_of("").get("/people/"))
    acts = ("Last signed in", "Add a person", "Change Anna Two")
    for user, is_shown in ((administrator, True), (anna, False)):
        text = text_of_page(people_page.build(user))
        assert [words for words in acts if (words in text) is not is_shown] == []


# Adding ------------------------------------------------------------------------------------------------------


def test_the_first_password_is_shown_once_and_must_be_changed(client, administrator):
    response = client.post(NEW, form("approver", username="bert"))
    assert response.status_code == 200
    password, bert = password_on(response), User.objects.get(username="bert")
    assert (roles_of(bert), bert.is_superuser, bert.must_change_password) == (["approver"], False, True)
    [entry] = entries()
    assert (entry.actor_id, entry.facts["object"]["name"], entry.facts["reason"]) == (
        administrator.pk,
        "bert",
        "account made",
    )

    browser = Client()
    signed_in = browser.post("/sign-in/", {"username": "bert", "password": password})
    assert signed_in["Location"] == "/"
    assert browser.get("/people/")["Location"] == "/account/"
    own = {"old_password": password, "new_password1": OWN_PASSWORD, "new_password2": OWN_PASSWORD}
    assert browser.post("/account/", own)["Location"] == "/"
    assert browser.get("/people/").status_code == 200
    for address in ("/people/", f"/people/{bert.pk}/", "/audit/?what=people"):
        assert password not in client.get(address).content.decode()


def test_a_first_password_is_stored_nowhere(client, administrator, anna):
    passwords = [password_on(client.post(NEW, form("viewer", username="bert", last_name="Three")))]
    passwords.append(password_on(press(client, anna, "password")))
    stored_texts = [bytes(entry.body).decode() for entry in AuditEntry.objects.all()]
    stored_texts += [str(session.get_decoded()) for session in Session.objects.all()]
    stored_texts += [str(values) for values in User.objects.values_list()]
    assert [password for password in passwords if any(password in text for text in stored_texts)] == []


def test_a_second_press_adds_nobody_twice_and_leads_to_the_account(client):
    inputs = form("viewer", username="bert")
    client.post(NEW, inputs)
    bert = User.objects.get(username="bert")
    again = client.post(NEW, inputs, follow=True)
    assert again.redirect_chain == [(f"/people/{bert.pk}/", 302)]
    assert "was already added" in text_of(again)
    assert (len(entries()), reloaded(bert).password) == (1, bert.password)
    assert client.post(NEW, inputs | {"last_name": "Four"}).status_code == 422


def test_an_invalid_form_adds_nobody_and_is_shown_again(client, anna):
    inputs = form("viewer", username="bert", first_name="Bert", last_name="Three", email="none")
    response = client.post(NEW, inputs)
    assert response.status_code == 422
    assert "Enter a valid email address." in text_of(response)
    html = response.content.decode()
    assert [value for value in ("bert", "Bert", "Three", "none") if f'value="{value}"' not in html] == []
    assert User.objects.count() == 2


def test_no_field_gives_more_than_roles(client, anna):
    forged = {"is_superuser": "on", "is_staff": "on", "user_permissions": "1", "username": "bert", "password": "x"}
    assert change(client, anna, "viewer", is_active="", must_change_password="on", **forged).status_code == 302
    after = reloaded(anna)
    assert (after.username, after.is_superuser, after.is_staff, after.is_active) == ("anna", False, False, True)
    assert (after.user_permissions.count(), after.check_password(PASSWORD)) == (0, True)
    assert not after.must_change_password


# Changing ----------------------------------------------------------------------------------------------------


def test_a_change_takes_effect_at_once_and_is_logged_once(client, administrator, anna, client_of):
    of_anna, inputs = client_of(user=anna), opened_form(anna, "viewer", "auditor", first_name="Ann")
    for _ in range(2):
        assert client.post(f"/people/{anna.pk}/", inputs)["Location"] == "/people/"
    assert (roles_of(anna), reloaded(anna).display_name) == (["auditor", "viewer"], "Ann Two")
    assert reasons() == ["first name, roles"]
    assert of_anna.get("/staging/organizations/new/").status_code == 403


def test_each_role_is_shown_with_who_gave_it(administrator, anna):
    page = people_page.build_person(AccountForm(None, instance=anna), reloaded(anna), administrator)
    assert "Given by Boss One (boss), " in text_of_page(page)
    [checked] = re.findall(r'name="groups" value="(\d+)"[^>]* checked>', html_of_page(page))
    assert Group.objects.get(pk=checked).name == "editor"


def test_an_outdated_form_saves_nothing_and_keeps_the_input(client, administrator, anna):
    inputs = opened_form(anna, "editor", email="new@example.org")
    fingerprints = {inputs["opened_with"]}
    accounts.save(reloaded(anna), groups=[], what="", actor=as_actor(administrator))
    fingerprints.add(reloaded(anna).fingerprint())
    accounts.change_password(reloaded(anna), OWN_PASSWORD, actor=as_actor(anna))
    fingerprints.add(reloaded(anna).fingerprint())
    accounts.save(User(pk=anna.pk, username="anna", is_active=False), what="", actor=as_actor(administrator))
    assert len(fingerprints | {reloaded(anna).fingerprint()}) == 4
    for _ in range(2):
        page = client.post(f"/people/{anna.pk}/", inputs)
        assert page.status_code == 422
        assert page.context["form"].non_field_errors()
        assert 'value="new@example.org"' in page.content.decode()
    assert reloaded(anna).email == ""


def test_a_change_between_validation_and_saving_is_an_error_in_the_form(client, anna):
    with just_before_saving(lambda: User.objects.filter(pk=anna.pk).update(email="quicker@example.org")):
        page = change(client, anna, "viewer")
    assert page.status_code == 422
    assert page.context["form"].non_field_errors()
    assert roles_of(anna) == ["editor"]
    with just_before_saving(lambda: UserFactory(username="bert")):
        page = client.post(NEW, form("viewer", username="bert", last_name="Three"))
    assert page.status_code == 422
    assert "The user name 'bert' already exists." in page.context["form"].errors["username"][0]


def test_nobody_changes_their_own_roles_password_or_account_here(client, administrator):
    UserFactory(role="administrator")
    page = client.get(f"/people/{administrator.pk}/").content.decode()
    assert re.findall('name="groups"|Make a new first password|Close this account', page) == []
    assert people_page.build_close(administrator, administrator).block_reason
    assert change(client, administrator, "approver", first_name="Big", last_name="Boss").status_code == 302
    for act in ("password", "close"):
        press(client, administrator, act)
    after = reloaded(administrator)
    assert (after.display_name, roles_of(administrator), after.is_active) == ("Big Boss", ["administrator"], True)
    assert after.check_password(PASSWORD)
    assert reasons() == ["first name, last name"]


def test_the_first_account_adds_others_and_only_its_owner_sets_its_password(db, client_of):
    first = User.objects.create_superuser("first", password=PASSWORD)
    assert client_of(user=first).post(NEW, form("administrator", username="bert")).status_code == 200
    bert = User.objects.get(username="bert")
    User.objects.filter(pk=bert.pk).update(must_change_password=False)
    client = client_of(user=reloaded(bert))
    assert "Make a new first password" not in client.get(f"/people/{first.pk}/").content.decode()
    press(client, first, "password")
    assert reloaded(first).check_password(PASSWORD)


# First password, closing, opening again --------------------------------------------------------------------------


def test_a_new_first_password_is_created_once_ends_the_sessions_and_must_be_changed(client, anna, client_of):
    of_anna, pressed = client_of(user=anna), {"opened_with": anna.fingerprint()}
    password = password_on(client.post(f"/people/{anna.pk}/password/", pressed))
    assert of_anna.get("/help/").status_code == 302
    again = client.post(f"/people/{anna.pk}/password/", pressed, follow=True)
    assert [message.level_tag for message in get_messages(again.wsgi_request)] == ["warning"]
    assert (reloaded(anna).check_password(password), reloaded(anna).must_change_password) == (True, True)
    assert reasons() == ["first password made"]


def test_before_an_account_is_closed_the_page_says_what_that_means(administrator, anna):
    UserFactory(username="other", first_name="Other", last_name="Editor", role="editor")
    factories.submission(factories.organization(user=anna), user=anna)
    text = text_of_page(people_page.build_close(anna, administrator))
    assert "all their sessions end at once" in text
    assert "1 open submission in STAGING of Anna Two will stay." in text
    assert "edit records Other Editor send to STAGING Other Editor Close this account" in text


def test_a_closed_account_cannot_sign_in_until_it_is_reopened(client, anna, client_of):
    of_anna = client_of(user=anna)
    assert "Anna Two can no longer sign in." in text_of(press(client, anna, "close"))
    assert of_anna.get("/help/").status_code == 302
    sign_in = {"username": "anna", "password": PASSWORD}
    assert Client().post("/sign-in/", sign_in).status_code == 422
    assert "Anna Two: the account is already closed." in text_of(press(client, anna, "close"))
    press(client, anna, "reopen")
    assert Client().post("/sign-in/", sign_in).status_code == 302
    assert of_anna.get("/help/").status_code == 302
    assert (reasons(), roles_of(anna)) == (["account closed", "account reopened"], ["editor"])


def test_an_outdated_page_neither_closes_nor_reopens_an_account(client, administrator, anna):
    for act in ("close", "reopen"):
        accounts.save(
            User(pk=anna.pk, username="anna", is_active=act == "close"), what="", actor=as_actor(administrator)
        )
        response = client.post(f"/people/{anna.pk}/{act}/", {"opened_with": "0"}, follow=True)
        assert "Nothing was saved. Open it again and check." in text_of(response)
        assert reloaded(anna).is_active is (act == "close")


# Permissions -------------------------------------------------------------------------------------------------


def test_other_roles_are_refused_and_read_who_can(client_of, administrator):
    client = client_of("approver")
    answer = client.get(NEW)
    assert [answer.status_code, client.get(NEW).status_code] == [403, 403]
    assert "Administrators can: Boss One." in text_of(answer)
    assert [entry.facts["object"]["id"] for entry in entries(Action.PERMISSION_REFUSED)] == ["manage_people"]


def test_no_account_is_saved_outside_the_service(client, anna):
    """The service rolls back if its history entry cannot be written. A save outside the service would stay."""

    def refuse_entries(execute, sql, *rest):
        if sql.startswith('INSERT INTO "organizations_auditentry"'):
            raise ZeroDivisionError
        return execute(sql, *rest)

    before = list(User.objects.values_list())
    for address, inputs in (
        (NEW, form("approver", username="bert", last_name="Three")),
        (f"/people/{anna.pk}/", opened_form(anna, "approver", first_name="Ann")),
        *((f"/people/{anna.pk}/{act}/", {"opened_with": anna.fingerprint()}) for act in ("password", "close")),
    ):
        with connection.execute_wrapper(refuse_entries), pytest.raises(ZeroDivisionError):
            client.post(address, inputs)
    assert (list(User.objects.values_list()), roles_of(anna)) == (before, ["editor"])


def test_djangos_admin_is_not_part_of_the_portal(client, settings):
    for address in ("/admin/", "/admin/login/", "/admin/organizations/user/"):
        assert client.get(address).status_code == 404
    assert "django.contrib.admin" not in settings.INSTALLED_APPS
    assert reverse("people") == "/people/"
