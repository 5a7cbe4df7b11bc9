"""People and roles: who may open them, what they save, and that there is no second way."""

import datetime
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from organizations.models import Action, AuditEntry, User
from organizations.services import people
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.slow

PEOPLE = "/admin/organizations/user/"
SECRET = "a-much-longer-secret"


@pytest.fixture
def boss(db) -> User:
    return UserFactory(username="boss", role="administrator", is_staff=True)


@pytest.fixture
def client(boss, client_of) -> Client:
    return client_of(user=boss)


@pytest.fixture
def anna(db) -> User:
    return UserFactory(username="anna", role="editor")


def ids(*roles: str) -> list[str]:
    return [str(pk) for pk in Group.objects.filter(name__in=roles).values_list("pk", flat=True)]


def form(username: str = "anna", *roles: str, password: str = "", **values: str) -> dict[str, str | list[str]]:
    made: dict[str, str | list[str]] = {"username": username, "groups": ids(*roles), "is_active": "on"}
    return made | {"password1": password, "password2": password} | values


def opened(user: User, *roles: str, **values: str) -> dict[str, str | list[str]]:
    return form(user.username, *roles, opened_with=User.objects.get(pk=user.pk).fingerprint(), **values)


def change(client: Client, user: User, *roles: str, **values: str):
    return client.post(f"{PEOPLE}{user.pk}/change/", opened(user, *roles, **values))


def roles_of(user: User) -> list[str]:
    return sorted(User.objects.get(pk=user.pk).groups.values_list("name", flat=True))


def entries(action: Action = Action.PERSON_CHANGED) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("sequence"))


def test_an_administrator_adds_a_person_with_a_role(client, boss):
    answer = client.post(f"{PEOPLE}add/", form("bert", "approver", password=SECRET))
    assert answer.status_code == 302
    bert = User.objects.get(username="bert")
    assert (roles_of(bert), bert.is_staff, bert.is_superuser) == (["approver"], False, False)
    assert bert.check_password(SECRET)
    [entry] = entries()
    assert (entry.actor_id, entry.facts["object"]["name"], entry.facts["reason"]) == (boss.pk, "bert", "account made")
    assert entry.facts["details"]["roles"] == ["approver"]
    assert SECRET not in bytes(entry.body).decode()


def test_a_change_of_roles_is_one_entry_and_counts_at_once(client, anna, client_of):
    of_anna = client_of(user=anna)
    assert change(client, anna, "viewer", "auditor").status_code == 302
    assert roles_of(anna) == ["auditor", "viewer"]
    assert [entry.facts["reason"] for entry in entries()] == ["groups"]
    assert of_anna.get("/staging/organizations/new/").status_code == 403


def test_who_gets_the_role_administrator_may_open_these_pages_and_loses_it_with_the_role(client, anna, client_of):
    change(client, anna, "administrator")
    assert client_of(user=User.objects.get(pk=anna.pk)).get(PEOPLE).status_code == 200
    change(client, anna, "editor")
    after = User.objects.get(pk=anna.pk)
    assert after.is_staff is False
    assert client_of(user=after).get(PEOPLE).status_code == 403


def test_an_empty_password_keeps_the_one_there_is_and_a_new_one_counts(client, anna):
    change(client, anna, "editor")
    assert User.objects.get(pk=anna.pk).check_password(PASSWORD)
    change(client, anna, "editor", password=SECRET)
    assert User.objects.get(pk=anna.pk).check_password(SECRET)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"password1": "short", "password2": "short"}, "This password is too short."),
        ({"password1": SECRET}, "The two passwords are not the same."),
        (
            dict.fromkeys(("first_name", "password1", "password2"), "Bertholdina99"),
            "contains &#x27;Bertholdina99&#x27;",
        ),
        ({"email": "a\x00b"}, "Null characters are not allowed."),
        ({"groups": "999999"}, "Select a valid choice."),
        ({"groups": "x"}, "is not a valid value"),
    ],
)
def test_what_is_not_valid_saves_nothing(client, anna, values, sentence):
    answer = client.post(f"{PEOPLE}{anna.pk}/change/", opened(anna, "editor", email="new@example.org") | values)
    assert sentence in answer.content.decode()
    after = User.objects.get(pk=anna.pk)
    assert (after.email, after.username, roles_of(after)) == ("", "anna", ["editor"])
    assert after.check_password(PASSWORD)
    assert entries() == []


@pytest.mark.parametrize("changed", ["account", "role"])
def test_a_form_from_before_another_change_saves_nothing_and_keeps_what_was_typed(client, anna, changed):
    page = client.get(f"{PEOPLE}{anna.pk}/change/").content.decode()
    [opened_with] = re.findall(r'name="opened_with" value="(\w+)"', page)
    if changed == "account":
        User.objects.filter(pk=anna.pk).update(is_active=False)
    else:
        anna.groups.clear()
    typed = form("anna", "editor", email="new@example.org", opened_with=opened_with)
    for _ in range(2):
        page = client.post(f"{PEOPLE}{anna.pk}/change/", typed).content.decode()
        assert "This account was changed meanwhile. Open it again." in page
        assert 'value="new@example.org"' in page
    after = User.objects.get(pk=anna.pk)
    assert (after.is_active, roles_of(after), after.email) == (
        (False, ["editor"], "") if changed == "account" else (True, [], "")
    )
    assert change(client, anna, *roles_of(anna), email="new@example.org").status_code == 302


def test_a_new_person_needs_a_password(client):
    answer = client.post(f"{PEOPLE}add/", form("bert", "viewer"))
    assert "This field is required." in answer.content.decode()
    assert not User.objects.filter(username="bert").exists()


@pytest.mark.parametrize(
    ("username", "sentence"),
    [
        ("a\x00b", "Null characters are not allowed."),
        ("a" * 10_000, "at most 150 characters"),
        ("<b>", "A user name has only the letters A to Z, digits and @ . + - _."),
        ("Anna", "The user name &#x27;anna&#x27; exists already."),
    ],
)
def test_a_user_name_that_will_not_do_makes_no_account(client, anna, username, sentence):
    answer = client.post(f"{PEOPLE}add/", form(username, "viewer", password=SECRET, is_active=""))
    assert sentence in answer.content.decode()
    assert User.objects.count() == 2


def test_the_user_name_of_an_account_is_only_to_be_read(client, anna):
    assert 'name="username"' not in client.get(f"{PEOPLE}{anna.pk}/change/").content.decode()
    assert client.post(f"{PEOPLE}{anna.pk}/change/", opened(anna) | {"username": "bert"}).status_code == 302
    assert User.objects.get(pk=anna.pk).username == "anna"


def test_nobody_gives_themselves_a_role_or_locks_themselves_out(client, boss):
    page = client.get(f"{PEOPLE}{boss.pk}/change/").content.decode()
    assert 'name="groups"' not in page
    assert 'name="is_active"' not in page
    assert client.post(f"{PEOPLE}{boss.pk}/change/", opened(boss, "approver", is_active="")).status_code == 302
    assert roles_of(boss) == ["administrator"]
    after = User.objects.get(pk=boss.pk)
    assert (after.is_active, after.is_staff) == (True, True)


def test_no_field_makes_a_superuser_or_gives_a_single_right(client, anna):
    forged = {"is_superuser": "on", "is_staff": "on", "user_permissions": "1", "last_login": "", "id": "1"}
    assert change(client, anna, "editor", **forged).status_code == 302
    after = User.objects.get(pk=anna.pk)
    assert (after.is_superuser, after.is_staff, after.user_permissions.count()) == (False, False, 0)
    page = client.get(f"{PEOPLE}{anna.pk}/change/").content.decode()
    assert re.search(r'name="(is_superuser|is_staff|user_permissions)"', page) is None


def test_neither_ones_own_password_nor_that_of_a_superuser_is_set_here(client, boss, db):
    first = User.objects.create_superuser("first", password=PASSWORD)
    for user in (boss, first):
        address = f"{PEOPLE}{user.pk}/change/"
        assert "password1" not in client.get(address).content.decode()
        assert client.post(address, opened(user, password=SECRET)).status_code == 302
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_a_password_from_an_administrator_must_be_changed_and_a_name_taken_is_said(client, anna):
    change(client, anna, "editor", first_name="Anna", last_name="Two", password=SECRET)
    assert User.objects.get(pk=anna.pk).must_change_password
    answer = client.post(f"{PEOPLE}add/", form("bert", "editor", password=SECRET, first_name="ANNA", last_name="Twó"))
    assert "(anna) has this name already." in answer.content.decode()


def test_no_account_is_saved_past_the_service(client, anna, monkeypatch):
    def fail(*_args, **_values):
        raise ZeroDivisionError

    monkeypatch.setattr(people, "save", fail)
    for address in (f"{PEOPLE}add/", f"{PEOPLE}{anna.pk}/change/"):
        with pytest.raises(ZeroDivisionError):
            client.post(address, opened(anna, "approver", password=SECRET) | {"username": "bert"})
    assert not User.objects.filter(username="bert").exists()


def test_people_are_deactivated_and_never_deleted(client, anna):
    assert client.post(f"{PEOPLE}{anna.pk}/delete/", {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": anna.pk, "post": "yes"}
    client.post(PEOPLE, selected)
    assert User.objects.filter(pk=anna.pk).exists()
    change(client, anna, "editor", is_active="")
    assert User.objects.get(pk=anna.pk).is_active is False
    assert [entry.facts["details"]["active"] for entry in entries()] == [False]


def test_roles_are_to_be_read_only(client):
    group = Group.objects.get(name="editor")
    page = client.get(f"/admin/auth/group/{group.pk}/change/")
    assert page.status_code == 200
    assert "May send to STAGING" in page.content.decode()
    assert client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "owner"}).status_code == 403
    assert client.post("/admin/auth/group/add/", {"name": "owner"}).status_code == 403
    assert Group.objects.filter(name="owner").count() == 0


def test_the_one_history_is_the_portals(client, anna):
    change(client, anna, "viewer")
    assert LogEntry.objects.count() == 0
    answer = client.get(f"{PEOPLE}{anna.pk}/history/")
    assert (answer.status_code, answer["Location"]) == (302, "/audit/?what=people")
    assert "Recent actions" not in client.get("/admin/").content.decode()


@pytest.mark.parametrize("role", ["viewer", "editor", "approver", "auditor"])
def test_others_are_told_who_may(client_of, boss, role):
    answer = client_of(role).get(PEOPLE)
    assert answer.status_code == 403
    assert "You cannot manage people and roles. Administrators can: boss." in answer.content.decode()
    assert [entry.facts["object"]["id"] for entry in entries(Action.PERMISSION_REFUSED)] == ["manage_people"]


def test_being_staff_alone_opens_nothing_and_neither_does_the_role_alone(client_of, boss):
    staff = UserFactory(role="editor", is_staff=True)
    assert client_of(user=staff).get(PEOPLE).status_code == 403
    assert client_of(user=UserFactory(role="administrator")).get(PEOPLE).status_code == 403


def test_the_first_account_made_on_the_machine_makes_the_others(db, client_of):
    first = User.objects.create_superuser("first", password=PASSWORD)
    client = client_of(user=first)
    assert client.post(f"{PEOPLE}add/", form("bert", "administrator", password=SECRET)).status_code == 302
    assert User.objects.get(username="bert").is_staff is True
    refused = client.get("/")
    assert refused.status_code == 403
    assert 'href="/admin/"' in refused.content.decode()


def test_signing_in_and_out_and_the_own_password_are_the_portals_own(client, db):
    assert Client().get("/admin/")["Location"].startswith("/admin/login/")
    assert Client().get("/admin/login/?next=/admin/")["Location"] == "/sign-in/?next=/admin/"
    assert client.get("/admin/password_change/")["Location"] == reverse("account")
    assert client.get(f"{PEOPLE}1/password/").status_code in (302, 404)
    assert client.post("/admin/logout/")["Location"] == "/sign-in/"
    assert len(entries(Action.PERSON_SIGNED_OUT)) == 1


def test_only_people_and_roles_are_there(client):
    page = client.get("/admin/").content.decode()
    assert set(re.findall(r'href="/admin/(\w+/\w+)/"', page)) == {"organizations/user", "auth/group"}
    assert client.get("/admin/organizations/organization/").status_code == 404


def test_they_bear_the_marks_of_the_portal(client, anna, settings, tmp_path):
    pages = ("/admin/", PEOPLE, f"{PEOPLE}add/", f"{PEOPLE}{anna.pk}/change/", "/admin/auth/group/")
    for address in pages:
        page = client.get(address).content.decode()
        assert 'href="/static/favicon.svg"' in page
        assert ">Sign out</button>" in page
        assert "DEMONSTRATION" not in page
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")
    for address in pages:
        page = client.get(address).content.decode()
        assert "<b>DEMONSTRATION</b> Records are made up." in page
        assert f'<input type="hidden" name="next" value="{address}">' in page


def test_they_speak_of_people_and_roles(client, anna):
    User.objects.filter(pk=anna.pk).update(last_login=datetime.datetime(2001, 5, 9, 19, 3, tzinfo=datetime.UTC))
    page = client.get(PEOPLE).content.decode()
    assert "<h1>People</h1>" in page
    assert "May 9, 2001, 14:03 CDT" in page
    assert "<h1>Roles</h1>" in client.get("/admin/auth/group/").content.decode()
    assert "Authentication" not in client.get("/admin/").content.decode()
    assert "<h1>Change person</h1>" in client.get(f"{PEOPLE}{anna.pk}/change/").content.decode()
    assert client.get(f"/admin/auth/group/{ids('editor')[0]}/change/").content.decode().count("<h1>Role</h1>") == 1


def test_after_an_error_the_focus_is_on_what_says_so(client):
    page = client.post(f"{PEOPLE}add/", form("bert", "viewer")).content.decode()
    assert '<p class="errornote" tabindex="-1" autofocus>There is a problem</p>' in page
    assert "There is a problem" not in client.get(f"{PEOPLE}add/").content.decode()


def test_the_list_asks_the_same_number_of_questions_for_many_people(client, django_assert_max_num_queries):
    for _ in range(30):
        UserFactory(role="viewer")
    with django_assert_max_num_queries(12):
        assert client.get(PEOPLE).status_code == 200
