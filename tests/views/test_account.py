"""Signing in and out, and the page of your own account."""

import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from organizations.forms.account import PasswordForm, SignInForm
from organizations.models import Action, AuditEntry, Throttle, User, clock
from organizations.pages import account as pages
from organizations.services import throttle
from organizations.services.accounts import accounts
from organizations.services.actors import system
from organizations.services.throttle import Limit
from organizations.views.account import safe_next
from tests.factories import PASSWORD, UserFactory
from tests.page_text import html_of_page, text_of_page
from tests.views.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SIGN_IN = "/sign-in/"
NEW = "a-much-longer-secret"


@pytest.fixture
def anna() -> User:
    return UserFactory(username="anna", role="editor")


def sign_in(visitor: Client, password: str = PASSWORD, username: str = "anna", **values: str) -> Any:
    return visitor.post(SIGN_IN, {"username": username, "password": password, **values})


def change(visitor: Client, old: str = PASSWORD, first: str = NEW, second: str = NEW, **values: str) -> Any:
    return visitor.post("/account/", {"old_password": old, "new_password1": first, "new_password2": second, **values})


def use_up(limit: Limit) -> None:
    Throttle.objects.create(pk=limit.key, count=limit.most, until=clock.now() + throttle.PERIOD)


def entries(action: Action) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action))


# Signing in --------------------------------------------------------------------------------------------------


def test_signing_in_opens_the_requested_page(visitor, anna):
    response = visitor.get("/audit/?who=1")
    assert response["Location"] == "/sign-in/?next=/audit/%3Fwho%3D1"
    assert 'name="next" value="/audit/?who=1"' in visitor.get(response["Location"]).content.decode()
    answer = sign_in(visitor, next="/audit/?who=1")
    assert (answer.status_code, answer["Location"]) == (302, "/audit/?who=1")
    assert [entry.facts["actor"]["signed_in_by"] for entry in entries(Action.PERSON_SIGNED_IN)] == ["password"]
    assert visitor.get(f"{SIGN_IN}?next=/help/")["Location"] == "/help/"  # a signed-in person is redirected
    assert visitor.get(SIGN_IN)["Location"] == "/"


def test_a_sign_in_gives_the_session_a_new_id(visitor, anna):
    visitor.get(SIGN_IN)
    session = visitor.session
    session["before"] = "1"
    session.save()
    before = session.session_key
    visitor.cookies["orgportal-session"] = before
    sign_in(visitor)
    assert visitor.session.session_key != before


ELSEWHERE = ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\x00", "evil")


def test_the_next_page_is_never_on_another_site(rf):
    for target in (*ELSEWHERE, f"/{'a' * 2010}"):
        assert safe_next(rf.post(SIGN_IN, {"next": target}), "/otherwise/") == "/otherwise/", target[:50]


@pytest.mark.parametrize(
    ("username", "password"),
    [("anna", "mistaken"), ("nobody", PASSWORD), ("ANNA", PASSWORD), ("<script>alert(1)", "mistaken")],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(visitor, anna, username, password):
    answer = sign_in(visitor, password, username)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "The name or the password is wrong. Check both." in html
    assert html.count(escape(username)) == 1
    assert [text for text in (password, "<script>alert") if text in html] == []
    [entry] = entries(Action.PERSON_REFUSED)
    assert entry.facts["object"]["name"] == username
    assert password not in bytes(entry.body).decode()


def test_an_invalid_user_name_is_refused_and_does_not_count_as_a_try(visitor, anna):
    answer = visitor.post(SIGN_IN, {"username": "a\x00b", "password": "x"})
    assert (answer.status_code, "Null characters are not allowed." in text_of(answer)) == (422, True)
    assert entries(Action.PERSON_REFUSED) == []


def test_after_five_wrong_tries_the_right_password_is_refused_for_a_while(visitor, anna, monkeypatch):
    UserFactory(username="anna-b", role="editor")
    for _ in range(5):
        assert sign_in(visitor, "wrong").status_code == 422
    closed = sign_in(visitor)
    assert closed.status_code == 429
    assert "Too many wrong tries for this name. Try again at " in text_of(closed)
    assert 'value="anna"' in closed.content.decode()
    others = [sign_in(Client(), username="anna-b"), sign_in(Client(REMOTE_ADDR="127.0.0.9"))]
    assert [answer.status_code for answer in others] == [302, 302]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + datetime.timedelta(minutes=16))
    assert sign_in(visitor).status_code == 302


def test_too_many_wrong_tries_block_their_network_and_no_other(anna):
    use_up(throttle.sign_in_limits("anybody", "10.0.0.1")[1])
    for number in range(3):
        closed = sign_in(Client(REMOTE_ADDR="10.0.0.200"), username=f"anna{number}")
        assert closed.status_code == 429
    assert "Too many wrong tries from your network. Try again at " in text_of(closed)
    [entry] = entries(Action.PERSON_REFUSED)
    assert entry.facts["object"]["name"] == ""
    assert sign_in(Client(REMOTE_ADDR="10.0.1.1")).status_code == 302


def test_the_first_administrator_is_sent_to_people_and_roles(visitor):
    assert "No account exists yet. On the machine: ./dev createsuperuser" in text_of(visitor.get(SIGN_IN))
    User.objects.create_superuser("first", password=PASSWORD)
    assert "No account exists yet" not in text_of(visitor.get(SIGN_IN))
    assert sign_in(visitor, username="first")["Location"] == reverse("people")


def test_outside_the_demonstration_no_button_signs_anybody_in(visitor):
    UserFactory(username="editor", role="editor")
    html = html_of_page(pages.build_sign_in(SignInForm(), ""))
    assert ("Sign in as" in html, 'type="password"' in html) == (False, True)
    assert visitor.post(SIGN_IN, {"role": "editor"}).status_code == 422
    assert entries(Action.PERSON_SIGNED_IN) == []


def test_in_the_demonstration_five_buttons_sign_in(demo, visitor):
    for group in Group.objects.all():
        UserFactory(username=group.name, role=group.name)
    text = text_of_page(pages.build_sign_in(SignInForm(), ""))
    assert (text.count("Sign in as "), "Sign in as editor (start here)" in text) == (5, True)
    assert visitor.post(SIGN_IN, {"role": "approver", "next": "/help/"})["Location"] == "/help/"
    [entry] = entries(Action.PERSON_SIGNED_IN)
    assert entry.facts["actor"]["signed_in_by"] == "demonstration button"
    assert Client().post(SIGN_IN, {"role": "owner"}).status_code == 422


def test_in_the_demonstration_an_added_person_signs_in_with_a_password(demo, visitor, anna):
    UserFactory(username="editor", role="editor")
    html = html_of_page(pages.build_sign_in(SignInForm(), ""))
    assert html.index("Sign in as editor") < html.index("<details") < html.index('name="password"')
    assert ' narrow" open>' in html_of_page(pages.build_sign_in(SignInForm({}), ""))
    assert sign_in(visitor).status_code == 302


def test_signing_out_ends_the_session_and_says_so(client):
    answer = client.post("/sign-out/", follow=True)
    assert [message.level_tag for message in get_messages(answer.wsgi_request)] == ["info"]
    assert client.get("/help/").status_code == 302
    assert len(entries(Action.PERSON_SIGNED_OUT)) == 1


# Your own account --------------------------------------------------------------------------------------------


def test_the_account_page_and_the_menu_say_what_a_person_can_do(client, editor):
    page = pages.build(editor, PasswordForm(editor))
    can = [act for act, is_held in page.rights if is_held]
    cannot = [act for act, is_held in page.rights if not is_held]
    assert (page.roles, len(can), len(cannot) > 1) == ("editor", 3, True)
    text = text_of(client.get("/account/"))
    assert f"{can[-1]} can {cannot[0]} cannot" in text
    assert f"You can: {'; '.join(can)}." in text
    assert f"You cannot: {cannot[0]}; " in text


def test_a_new_password_is_valid_at_once_and_ends_other_sessions(client_of, anna):
    visitor, elsewhere = client_of(user=anna), client_of(user=anna)
    forged = {"is_superuser": "1", "is_staff": "1", "groups": "5"}
    answer = change(visitor, **forged)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert "Your password was changed." in text_of(visitor.get("/account/"))
    assert elsewhere.get("/account/").status_code == 302
    assert sign_in(Client(), NEW).status_code == 302
    [entry] = entries(Action.PERSON_CHANGED)
    assert entry.facts["reason"] == "password changed"
    assert NEW not in bytes(entry.body).decode()
    after = User.objects.get(pk=anna.pk)
    assert (after.is_superuser, after.is_staff, after.groups.get().name) == (False, False, "editor")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (("wrong", NEW, NEW), "old_password"),
        ((PASSWORD, "short", "short"), "new_password1"),
        ((PASSWORD, PASSWORD, PASSWORD), "new_password1"),
    ],
)
def test_an_invalid_password_changes_nothing(client_of, anna, values, field):
    answer = change(client_of(user=anna), *values)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert User.objects.get(pk=anna.pk).check_password(PASSWORD)
    assert entries(Action.PERSON_CHANGED) == []


def test_too_many_wrong_old_passwords_block_changing_the_password_for_a_while(client_of, anna):
    limit = throttle.password_limit(anna)
    change(client_of(user=anna), old="wrong")
    assert Throttle.objects.filter(pk=limit.key, count=1).delete()[0] == 1
    use_up(limit)
    closed = change(client_of(user=anna))
    assert closed.status_code == 429
    assert "Too many wrong passwords. Try again at " in text_of(closed)
    assert User.objects.get(pk=anna.pk).check_password(PASSWORD)
    reasons = sorted(entry.facts["reason"] for entry in entries(Action.PERSON_REFUSED))
    assert reasons == ["too many wrong tries", "wrong old password"]


def test_a_password_set_by_somebody_else_must_be_changed_first(visitor, anna):
    accounts.change_password(anna, NEW, actor=system("Test"))
    assert sign_in(visitor, NEW).status_code == 302
    for address in ("/", "/help/", "/staging/organizations/", "/people/"):
        assert visitor.get(address)["Location"] == "/account/"
    fragment = visitor.get("/staging/organizations/suggestions/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/account/")
    assert "Somebody else set your password and knows it." in text_of(visitor.get("/account/"))
    assert change(visitor, old=NEW, first=NEW, second=NEW).status_code == 422
    own = "three-quiet-otters"
    assert change(visitor, old=NEW, first=own, second=own)["Location"] == "/"
    assert visitor.get("/help/").status_code == 200


def test_a_person_who_must_change_the_password_can_sign_out(client_of, anna):
    accounts.change_password(anna, NEW, actor=system("Test"))
    assert client_of(user=anna).post("/sign-out/")["Location"] == "/sign-in/"
