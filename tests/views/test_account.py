"""Signing in and out, and one's own account."""

import datetime
import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from organizations.forms.account import SignInForm
from organizations.models import Action, AuditEntry, User, clock
from organizations.services import people
from organizations.services.actors import system
from tests.factories import PASSWORD, UserFactory

SIGN_IN = "/sign-in/"
NEW = "a-much-longer-secret"


@pytest.fixture
def anna(db) -> User:
    return UserFactory(username="anna", role="editor")


def sign_in(visitor: Client, password: str = PASSWORD, username: str = "anna", **values: str):
    return visitor.post(SIGN_IN, {"username": username, "password": password, **values})


def entries(action: Action) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action))


def test_name_and_password_open_the_page_that_was_asked_for(visitor, anna):
    asked = visitor.get("/audit/?who=1")
    assert asked["Location"] == "/sign-in/?next=/audit/%3Fwho%3D1"
    assert 'name="next" value="/audit/?who=1"' in visitor.get(asked["Location"]).content.decode()
    answer = sign_in(visitor, next="/audit/?who=1")
    assert (answer.status_code, answer["Location"]) == (302, "/audit/?who=1")
    assert [entry.facts["actor"]["signed_in_by"] for entry in entries(Action.PERSON_SIGNED_IN)] == ["password"]


def test_a_sign_in_gives_the_session_a_new_id(visitor, anna):
    visitor.get(SIGN_IN)
    session = visitor.session
    session["before"] = "1"
    session.save()
    before = session.session_key
    visitor.cookies["orgportal-session"] = before
    sign_in(visitor)
    assert visitor.session.session_key != before


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\x00", "evil"]
)
def test_the_next_page_is_never_elsewhere(visitor, anna, target):
    assert sign_in(visitor, next=target)["Location"] == "/"


@pytest.mark.parametrize(("username", "password"), [("anna", "mistaken"), ("nobody", PASSWORD), ("ANNA", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_look_the_same(visitor, anna, username, password):
    answer = sign_in(visitor, password, username)
    assert answer.status_code == 422
    assert "The name or the password is wrong. Check both." in answer.content.decode()
    assert answer.content.decode().count(escape(username)) == 1
    assert password not in answer.content.decode()
    [entry] = entries(Action.PERSON_REFUSED)
    assert entry.facts["object"]["name"] == username
    assert password not in bytes(entry.body).decode()


def test_a_deactivated_person_is_not_let_in(visitor, anna):
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert sign_in(visitor).status_code == 422


def test_after_five_wrong_tries_not_even_the_right_password_opens_for_a_while(visitor, anna):
    for _ in range(5):
        assert sign_in(visitor, "wrong").status_code == 422
    closed = sign_in(visitor)
    assert closed.status_code == 429
    assert "Too many wrong tries for this name. Try again at " in closed.content.decode()
    assert 'value="anna"' in closed.content.decode()


@pytest.mark.slow
def test_many_names_from_one_network_close_it_and_no_other_one(visitor, anna):
    for number in range(50):
        browser = Client(REMOTE_ADDR=f"10.0.0.{number}")
        assert sign_in(browser, "wrong", username=f"name{number}").status_code == 422
    closed = sign_in(Client(REMOTE_ADDR="10.0.0.200"))
    assert closed.status_code == 429
    assert "Too many wrong tries from your network. Try again at " in closed.content.decode()
    for number in range(9):
        sign_in(Client(REMOTE_ADDR="10.0.0.200"), username=f"other{number}")
    assert [entry.facts["reason"] for entry in entries(Action.PERSON_REFUSED)].count("too many wrong tries") == 1
    assert sign_in(Client(REMOTE_ADDR="10.0.1.1")).status_code == 302


def test_what_is_refused_again_and_again_is_one_entry_until_the_minute_is_over(client_of):
    visitor = client_of("viewer")
    for name in ("new", "new", "export", "new"):
        visitor.get(f"/staging/organizations/{name}/")
    assert len(entries(Action.PERMISSION_REFUSED)) == 1


def test_five_wrong_old_passwords_close_the_change_of_the_password_for_a_while(client_of, anna):
    visitor = client_of(user=anna)
    for _ in range(5):
        assert change(visitor, old="wrong").status_code == 422
    closed = change(client_of(user=anna))
    assert closed.status_code == 429
    assert "Too many wrong passwords. Try again at " in closed.content.decode()
    assert User.objects.get(pk=anna.pk).check_password(PASSWORD)
    reasons = sorted(entry.facts["reason"] for entry in entries(Action.PERSON_REFUSED))
    assert reasons == ["too many wrong tries", "wrong old password"]


def test_a_password_that_somebody_else_set_is_changed_before_anything_else(client_of, anna):
    people.change_password(anna, NEW, actor=system("Test"))
    visitor = Client()
    assert sign_in(visitor, NEW).status_code == 302
    for address in ("/", "/help/", "/staging/organizations/", "/people/"):
        assert visitor.get(address)["Location"] == "/account/"
    fragment = visitor.get("/staging/organizations/suggestions/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/account/")
    assert "Somebody else set your password and knows it." in visitor.get("/account/").content.decode()
    assert "This is the old password." in change(visitor, old=NEW, first=NEW, second=NEW).content.decode()
    own = "three-quiet-otters"
    assert change(visitor, old=NEW, first=own, second=own)["Location"] == "/"
    assert visitor.get("/help/").status_code == 200


def test_who_must_change_the_password_can_sign_out(client_of, anna):
    people.change_password(anna, NEW, actor=system("Test"))
    assert client_of(user=anna).post("/sign-out/")["Location"] == "/sign-in/"


def test_wrong_tries_close_neither_other_names_nor_other_addresses(visitor, anna):
    UserFactory(username="anna-b", role="editor")
    for _ in range(5):
        sign_in(visitor, "wrong")
    assert sign_in(visitor, username="anna-b").status_code == 302
    assert sign_in(Client(REMOTE_ADDR="127.0.0.9")).status_code == 302


def test_after_a_quarter_of_an_hour_the_name_is_open_again(visitor, anna, monkeypatch):
    for _ in range(5):
        sign_in(visitor, "wrong")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + datetime.timedelta(minutes=16))
    assert sign_in(visitor).status_code == 302


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "Enter your name."),
        ({"username": "anna"}, "Enter your password."),
        ({"username": "a\x00b", "password": "x"}, "Null characters are not allowed."),
        ({"username": "a" * 10_000, "password": "x"}, "No account has so long a name."),
        ({"username": "anna", "password": "x" * 10_000}, "No account has so long a password."),
    ],
)
def test_what_cannot_be_a_name_or_a_password_is_said(visitor, anna, values, sentence):
    answer = visitor.post(SIGN_IN, values)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert entries(Action.PERSON_REFUSED) == []


@given(username=st.text(max_size=150), password=st.text(max_size=50))
def test_no_name_and_no_password_breaks_the_page(username, password):
    form = SignInForm({"username": username, "password": password})
    assert form.is_valid() or all(form.errors.values())


def test_markup_in_the_name_stays_text(visitor, db):
    answer = sign_in(visitor, username="<script>alert(1)</script>")
    assert "<script>alert(1)" not in answer.content.decode()


def test_without_an_account_the_page_names_the_command(visitor, db):
    page = visitor.get(SIGN_IN).content.decode()
    assert "No account exists yet. On the machine: <code>./dev createsuperuser</code>" in page
    UserFactory()
    assert "No account exists yet" not in visitor.get(SIGN_IN).content.decode()


def test_who_is_signed_in_is_sent_on(client_of):
    assert client_of("viewer").get(SIGN_IN)["Location"] == "/"
    assert client_of("viewer").get(f"{SIGN_IN}?next=/help/")["Location"] == "/help/"


def test_the_first_administrator_is_sent_to_people_and_roles(visitor, db):
    User.objects.create_superuser("first", password=PASSWORD)
    assert sign_in(visitor, username="first")["Location"] == reverse("people")


def test_in_earnest_no_button_signs_anybody_in(visitor, anna):
    UserFactory(username="editor", role="editor")
    page = visitor.get(SIGN_IN).content.decode()
    assert "Sign in as" not in page
    assert 'type="password"' in page
    assert visitor.post(SIGN_IN, {"role": "editor"}).status_code == 422
    assert entries(Action.PERSON_SIGNED_IN) == []


def test_in_the_demonstration_five_buttons_sign_in(visitor, db, settings, tmp_path):
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")
    for group in Group.objects.all():
        UserFactory(username=group.name, role=group.name)
    page = visitor.get(SIGN_IN).content.decode()
    assert page.count("Sign in as ") == 5
    assert "Sign in as editor (start here)" in page
    answer = visitor.post(SIGN_IN, {"role": "approver", "next": "/help/"})
    assert answer["Location"] == "/help/"
    [entry] = entries(Action.PERSON_SIGNED_IN)
    assert entry.facts["actor"]["signed_in_by"] == "demonstration button"
    assert Client().post(SIGN_IN, {"role": "owner"}).status_code == 422


def test_in_the_demonstration_a_person_who_was_added_signs_in_by_password(visitor, anna, settings, tmp_path):
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")
    UserFactory(username="editor", role="editor")
    page = visitor.get(SIGN_IN).content.decode()
    assert page.index("Sign in as editor") < page.index("<details") < page.index('name="password"')
    assert re.search(r"<details[^>]* open", sign_in(visitor, "wrong").content.decode())
    assert sign_in(visitor).status_code == 302


def test_signing_out_ends_the_session_and_says_so(client_of):
    visitor = client_of("viewer")
    answer = visitor.post("/sign-out/", follow=True)
    assert "You are signed out." in answer.content.decode()
    assert visitor.get("/help/").status_code == 302
    assert len(entries(Action.PERSON_SIGNED_OUT)) == 1


def test_a_link_signs_nobody_out(client_of):
    visitor = client_of("viewer")
    answer = visitor.get("/sign-out/")
    assert answer.status_code == 405
    assert "This address does not take that." in answer.content.decode()
    assert visitor.get("/help/").status_code == 200


def change(visitor: Client, old: str = PASSWORD, first: str = NEW, second: str = NEW):
    return visitor.post("/account/", {"old_password": old, "new_password1": first, "new_password2": second})


def test_the_account_page_says_what_a_person_can_do(client_of, anna):
    page = client_of(user=anna).get("/account/").content.decode()
    assert "editor" in page
    rows = [
        [" ".join(cell.split()) for cell in row]
        for row in re.findall(r'<th scope="row">(.*?)</th>.*?</svg>(.*?)<', page)
    ]
    assert rows[:4] == [
        ["read records and history", "can"],
        ["edit records", "can"],
        ["send to STAGING", "can"],
        ["send to PRODUCTION", "cannot"],
    ]


def test_a_new_password_counts_at_once_and_ends_other_sessions(client_of, anna):
    visitor, elsewhere = client_of(user=anna), client_of(user=anna)
    answer = change(visitor)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert "Your password was changed." in visitor.get("/account/").content.decode()
    assert elsewhere.get("/account/").status_code == 302
    assert sign_in(Client(), NEW).status_code == 302
    [entry] = entries(Action.PERSON_CHANGED)
    assert entry.facts["reason"] == "password changed"
    assert NEW not in bytes(entry.body).decode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (("wrong", NEW, NEW), "Your old password was entered incorrectly."),
        ((PASSWORD, NEW, "another-long-secret"), "password fields didn’t match"),
        ((PASSWORD, "short", "short"), "This password is too short."),
        ((PASSWORD, "password12345", "password12345"), "This password is too common."),
        ((PASSWORD, "", ""), "This field is required."),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(client_of, anna, values, sentence):
    answer = change(client_of(user=anna), *values)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert User.objects.get(pk=anna.pk).check_password(PASSWORD)
    assert entries(Action.PERSON_CHANGED) == []


def test_fields_that_are_not_of_the_form_change_nothing(client_of, anna):
    client_of(user=anna).post(
        "/account/",
        {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW, "is_superuser": "1", "groups": "5"},
    )
    after = User.objects.get(pk=anna.pk)
    assert (after.is_superuser, after.is_staff) == (False, False)
    assert [group.name for group in after.groups.all()] == ["editor"]


def test_the_menu_says_what_a_reader_can_and_cannot_do(client_of):
    page = client_of("viewer").get("/help/").content.decode()
    assert "<li>You can: read records and history.</li>" in page
    assert "<li>You cannot: edit records; send to STAGING; " in page
