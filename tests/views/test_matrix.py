"""Who gets in where: every address of the portal, read and posted to, by every role.

The addresses come from the resolver: a new one without a row in the table fails.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.template import Template
from django.test import Client
from django.urls import reverse

from benchmarks.malformed_world import addresses
from organizations.models import AuditEntry, User
from organizations.permissions import ROLES
from tests import factories
from tests.factories import BASE, UserFactory
from tests.views.buttons import forbidden

pytestmark = pytest.mark.slow

EVERYBODY = frozenset({"no role", *ROLES})
READERS = frozenset(ROLES)
EDITORS = frozenset({"editor", "approver"})
DECIDERS = frozenset({"approver"})
AUDITORS = frozenset({"auditor"})
MANAGERS = frozenset({"administrator"})
DRAWN = frozenset({"viewer", "approver", "administrator"})  # between them they have all buttons and all reasons


class Way(NamedTuple):
    """Who may ask an address in one way, and the status that they get. Everybody else who is signed in gets 403."""

    people: frozenset[str]
    status: int


class Row(NamedTuple):
    """One address. None: it is not asked in that way, which is 405 for everybody."""

    get: Way | None
    post: Way | None = None
    keeps_what_was_typed: bool = False
    open_to_all: bool = False


TABLE: dict[str, Row] = {
    "home": Row(Way(READERS, 200)),
    "search": Row(Way(READERS, 200)),
    "organizations": Row(Way(READERS, 200)),
    "organizations-export": Row(Way(READERS, 200)),
    "organizations-check": Row(Way(READERS, 200)),
    "organizations-check-export": Row(Way(READERS, 200)),
    "organization-new": Row(Way(EDITORS, 200), Way(EDITORS, 200), keeps_what_was_typed=True),
    "suggestions": Row(Way(READERS, 200)),
    "record": Row(Way(READERS, 200)),
    "branch": Row(Way(READERS, 302)),  # to the list with the branch open; a fragment gets its rows
    "record-submissions": Row(Way(READERS, 200)),
    "record-history": Row(Way(READERS, 200)),
    "counterpart": Row(Way(READERS, 200), Way(EDITORS, 409)),
    "differences": Row(Way(READERS, 200), Way(EDITORS, 422), keeps_what_was_typed=True),
    "record-ask": Row(None, Way(EDITORS, 302)),
    "edit": Row(Way(EDITORS, 200), Way(EDITORS, 200), keeps_what_was_typed=True),
    "review": Row(Way(READERS, 200), Way(EDITORS, 409), keeps_what_was_typed=True),
    "discard": Row(Way(EDITORS, 200), Way(EDITORS, 409)),
    "withdraw": Row(Way(EDITORS, 200), Way(EDITORS, 409)),
    "deactivate": Row(Way(READERS, 200), Way(EDITORS, 422), keeps_what_was_typed=True),
    "reactivate": Row(Way(READERS, 200), Way(EDITORS, 422), keeps_what_was_typed=True),
    "submissions": Row(Way(READERS, 200)),
    "submission": Row(Way(READERS, 200)),
    "submission-state": Row(Way(READERS, 200)),
    "submission-cancel": Row(None, Way(EDITORS, 302)),
    "submission-ask": Row(None, Way(EDITORS, 302)),
    "submission-decide": Row(Way(READERS, 302), Way(DECIDERS, 302), keeps_what_was_typed=True),
    "plans": Row(Way(READERS, 200)),
    "plan-new": Row(Way(READERS, 200), Way(EDITORS, 409), keeps_what_was_typed=True),
    "plan": Row(Way(READERS, 200)),
    "plan-state": Row(Way(READERS, 200)),
    "plan-pause": Row(None, Way(EDITORS, 302)),
    "plan-resume": Row(None, Way(EDITORS, 302)),
    "plan-stop": Row(None, Way(EDITORS, 302)),
    "audit": Row(Way(READERS, 200)),
    "audit-export": Row(Way(AUDITORS, 200)),
    "audit-entry": Row(Way(READERS, 200)),
    "audit-raw": Row(Way(READERS, 200)),
    "connection": Row(Way(READERS, 200)),
    "connection-check": Row(None, Way(EDITORS, 302)),
    "connection-resume": Row(None, Way(EDITORS, 302)),
    "help": Row(Way(EVERYBODY, 200)),
    "sign-in": Row(Way(EVERYBODY, 302), Way(EVERYBODY, 422), open_to_all=True),
    "sign-out": Row(None, Way(EVERYBODY, 302)),
    "account": Row(Way(EVERYBODY, 200), Way(EVERYBODY, 422)),
    "people": Row(Way(EVERYBODY, 200)),
    "person-new": Row(Way(MANAGERS, 200), Way(MANAGERS, 422), keeps_what_was_typed=True),
    "person": Row(Way(MANAGERS, 200), Way(MANAGERS, 422), keeps_what_was_typed=True),
    "person-password": Row(None, Way(MANAGERS, 302)),
    "person-close": Row(Way(MANAGERS, 200), Way(MANAGERS, 302)),
    "person-reopen": Row(None, Way(MANAGERS, 302)),
    "demonstration": Row(None, Way(frozenset(), 403)),
}


NOT_KEPT = "private, no-store"


@pytest.fixture
def places(editor: User) -> dict[str, str]:
    """By the name of each address, the address with things that exist."""
    first, second = (factories.organization(f"{BASE}.{number}", user=editor) for number in (1, 2))
    submission = factories.submission(first, user=editor)
    parts = {
        "environment": "staging",
        "oid": first.oid,
        "number": submission.pk,
        "plan": factories.plan([second], user=editor).pk,
        "sequence": AuditEntry.objects.exclude(raw=None).get(submission_id=submission.pk).pk,
        "person": UserFactory(role="viewer").pk,
    }
    return {name: reverse(name, kwargs={part: parts[part] for part in addresses()[name]}) for name in TABLE}


def client_of(role: str, **values: Any) -> Client:
    client = Client(raise_request_exception=False, **values)
    client.force_login(UserFactory(role="" if role == "no role" else role))
    return client


def walk(ask: Callable[..., Any], places: dict[str, str], **headers: str) -> dict[str, Any]:
    """What each address answers; the way out comes last."""
    names = sorted(places, key=lambda name: name == "sign-out")
    return {name: ask(places[name], headers=headers) for name in names}


def expected(role: str, method: str) -> dict[str, int]:
    ways = {name: getattr(row, method) for name, row in TABLE.items()}
    return {name: (way.status if role in way.people else 403) if way else 405 for name, way in ways.items()}


def statuses(answers: dict[str, Any]) -> dict[str, int]:
    return {name: answer.status_code for name, answer in answers.items()}


def kept(answers: dict[str, Any]) -> list[str]:
    """The addresses whose answer a browser or a proxy may keep."""
    return [name for name, answer in answers.items() if answer["Cache-Control"] != NOT_KEPT]


def forbidden_buttons(answers: dict[str, Any]) -> dict[str, list[str]]:
    """The words on buttons that no button has, by the address."""
    pages = {name: answer for name, answer in answers.items() if answer["Content-Type"].startswith("text/html")}
    found = {name: forbidden(page.content.decode()) for name, page in pages.items()}
    return {name: words for name, words in found.items() if words}


def behind_the_sign_in(places: dict[str, str]) -> dict[str, str]:
    return {name: address for name, address in places.items() if not TABLE[name].open_to_all}


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every page empty: who gets in does not depend on what the page says, and drawing takes longest."""
    monkeypatch.setattr(Template, "render", lambda template, context: "")


def test_every_address_has_a_row_and_every_row_an_address():
    assert sorted(TABLE) == sorted(addresses())


@pytest.mark.parametrize("role", sorted(DRAWN))
def test_each_page_is_drawn_for_who_reads_it(places, role):
    answers = walk(client_of(role).get, places)
    assert statuses(answers) == expected(role, "get")
    assert kept(answers) == []
    assert forbidden_buttons(answers) == {}


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_each_role_gets_what_the_table_says(places, undrawn, role):
    client = client_of(role)
    for method in ("post",) if role in DRAWN else ("get", "post"):
        answers = walk(getattr(client, method), places)
        assert statuses(answers) == expected(role, method)
        assert kept(answers) == []


def test_who_is_not_signed_in_is_sent_to_sign_in_and_changes_nothing(places, visitor):
    asked, before = behind_the_sign_in(places), AuditEntry.objects.count()
    read = walk(visitor.get, asked)
    assert {name: answer.get("Location", "").partition("?")[0] for name, answer in read.items()} == dict.fromkeys(
        asked, "/sign-in/"
    )
    posted = walk(visitor.post, asked)
    assert statuses(posted) == {name: 403 if TABLE[name].keeps_what_was_typed else 302 for name in asked}
    with_form = [name for name, answer in posted.items() if b"What you typed is kept on this page." in answer.content]
    assert sorted(with_form) == sorted(name for name in asked if TABLE[name].keeps_what_was_typed)
    assert kept(read) + kept(posted) == []
    assert AuditEntry.objects.count() == before


def test_a_fragment_without_a_person_is_401_and_redirects_the_page_to_sign_in(places, visitor):
    asked = behind_the_sign_in(places)
    answers = walk(visitor.get, asked, **{"HX-Request": "true"})
    assert statuses(answers) == dict.fromkeys(asked, 401)
    assert [name for name, answer in answers.items() if not answer["HX-Redirect"].startswith("/sign-in/")] == []
    assert kept(answers) == []


def test_no_browser_and_no_proxy_keeps_an_answer(places, visitor):
    """One of each kind: shown, downloaded, refused, led elsewhere, not found, not taken. The walks look at all."""
    signed_in = client_of("auditor")
    shown, download, elsewhere = (places[name] for name in ("help", "audit-export", "branch"))
    refused, none = places["edit"], "/no/such/page/"
    answers = {url: signed_in.get(url) for url in (shown, download, elsewhere, refused, none)}
    assert [answer.status_code for answer in answers.values()] == [200, 200, 302, 403, 404]
    assert kept(answers | {"not taken": signed_in.post(shown), "sign-in": visitor.get("/sign-in/")}) == []


def test_records_of_one_environment_are_not_found_in_the_other(places):
    """An address without a valid environment is tested in `tests/hostile/test_addresses.py`."""
    client = client_of("approver")
    things = [name for name in TABLE if {"oid", "number", "plan"} & set(addresses()[name])]
    assert [name for name in things if "/staging/" not in places[name]] == []
    asked = {name: places[name].replace("/staging/", "/production/") for name in things}
    found = {name: (client.get if TABLE[name].get else client.post)(url) for name, url in asked.items()}
    assert statuses(found) == dict.fromkeys(things, 404)


def test_a_form_from_another_site_is_refused(places, undrawn):
    before = AuditEntry.objects.count()
    asked = {name: address for name, address in behind_the_sign_in(places).items() if TABLE[name].post}
    client = client_of("approver", enforce_csrf_checks=True)
    answers = walk(client.post, asked, Origin="https://evil.example")
    assert statuses(answers) == dict.fromkeys(asked, 403)
    assert AuditEntry.objects.count() == before
