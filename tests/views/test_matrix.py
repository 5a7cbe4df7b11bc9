"""Who may open or post to which address: every address of the portal, with every role.

The addresses come from the URL resolver. A new one without a row in the table fails.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
from django.template.backends.jinja2 import Template
from django.test import Client
from django.urls import reverse

from benchmarks.malformed_world import addresses
from organizations.models import Action, AuditEntry, User
from organizations.permissions import ROLES
from organizations.views.expired_session import NOTICE
from tests import factories
from tests.factories import BASE, UserFactory
from tests.views.buttons import forbidden_labels
from tests.views.pages import text_of
from tests.views.typing import edit_url

pytestmark = pytest.mark.slow

EVERYBODY = frozenset({"no role", *ROLES})
READERS = frozenset(ROLES)
EDITORS = frozenset({"editor", "approver"})
DECIDERS = frozenset({"approver"})
AUDITORS = frozenset({"auditor"})
MANAGERS = frozenset({"administrator"})
RENDERED = frozenset({"viewer", "approver", "administrator"})  # together they see all buttons and all reasons


class Access(NamedTuple):
    """Who may use a method at an address, and the status that they get. Other signed-in people get 403."""

    people: frozenset[str]
    status: int


class AddressRow(NamedTuple):
    """One address. None means that the method is not allowed: everybody gets 405."""

    get: Access | None
    post: Access | None = None
    keeps_what_was_typed: bool = False
    open_to_all: bool = False


TABLE: dict[str, AddressRow] = {
    "home": AddressRow(Access(READERS, 200)),
    "search": AddressRow(Access(READERS, 200)),
    "organizations": AddressRow(Access(READERS, 200)),
    "organizations-export": AddressRow(Access(READERS, 200)),
    "organizations-check": AddressRow(Access(READERS, 200)),
    "organizations-check-export": AddressRow(Access(READERS, 200)),
    "organization-new": AddressRow(Access(EDITORS, 200), Access(EDITORS, 200), keeps_what_was_typed=True),
    "suggestions": AddressRow(Access(READERS, 200)),
    "record": AddressRow(Access(READERS, 200)),
    "branch": AddressRow(Access(READERS, 302)),  # to the list with the branch open; a fragment gets its rows
    "record-submissions": AddressRow(Access(READERS, 200)),
    "record-history": AddressRow(Access(READERS, 200)),
    "counterpart": AddressRow(Access(READERS, 200), Access(EDITORS, 409)),
    "differences": AddressRow(Access(READERS, 200), Access(EDITORS, 422), keeps_what_was_typed=True),
    "record-ask": AddressRow(None, Access(EDITORS, 302)),
    "edit": AddressRow(Access(EDITORS, 200), Access(EDITORS, 200), keeps_what_was_typed=True),
    "review": AddressRow(Access(READERS, 200), Access(EDITORS, 409), keeps_what_was_typed=True),
    "discard": AddressRow(Access(EDITORS, 200), Access(EDITORS, 409)),
    "withdraw": AddressRow(Access(EDITORS, 200), Access(EDITORS, 409)),
    "statement": AddressRow(Access(DECIDERS, 200), Access(DECIDERS, 422), keeps_what_was_typed=True),
    "deactivate": AddressRow(Access(READERS, 200), Access(EDITORS, 422), keeps_what_was_typed=True),
    "reactivate": AddressRow(Access(READERS, 200), Access(EDITORS, 422), keeps_what_was_typed=True),
    "submissions": AddressRow(Access(READERS, 200)),
    "submission": AddressRow(Access(READERS, 200)),
    "submission-state": AddressRow(Access(READERS, 200)),
    "submission-cancel": AddressRow(None, Access(EDITORS, 302)),
    "submission-ask": AddressRow(None, Access(EDITORS, 302)),
    "submission-decide": AddressRow(Access(READERS, 302), Access(DECIDERS, 302), keeps_what_was_typed=True),
    "plans": AddressRow(Access(READERS, 200)),
    "plan-new": AddressRow(Access(READERS, 200), Access(EDITORS, 409), keeps_what_was_typed=True),
    "plan": AddressRow(Access(READERS, 200)),
    "plan-state": AddressRow(Access(READERS, 200)),
    "plan-pause": AddressRow(None, Access(EDITORS, 302)),
    "plan-resume": AddressRow(None, Access(EDITORS, 302)),
    "plan-stop": AddressRow(None, Access(EDITORS, 302)),
    "audit": AddressRow(Access(READERS, 200)),
    "audit-export": AddressRow(Access(AUDITORS, 200)),
    "audit-entry": AddressRow(Access(READERS, 200)),
    "audit-raw": AddressRow(Access(READERS, 200)),
    "roll-call": AddressRow(Access(READERS, 200), Access(READERS, 422), keeps_what_was_typed=True),
    "take-over": AddressRow(Access(READERS, 200), Access(EDITORS, 422), keeps_what_was_typed=True),
    "take-over-list": AddressRow(Access(READERS, 200), Access(EDITORS, 302), keeps_what_was_typed=True),
    "take-over-values": AddressRow(Access(READERS, 302)),  # a fragment for an open page
    "take-over-link": AddressRow(Access(READERS, 200), Access(EDITORS, 422)),
    "take-over-progress": AddressRow(Access(READERS, 204)),
    "directory": AddressRow(Access(READERS, 200), Access(EDITORS, 422), keeps_what_was_typed=True),
    "connection": AddressRow(Access(READERS, 200)),
    "connection-check": AddressRow(None, Access(EDITORS, 302)),
    "connection-resume": AddressRow(None, Access(EDITORS, 302)),
    "help": AddressRow(Access(EVERYBODY, 200)),
    "sign-in": AddressRow(Access(EVERYBODY, 302), Access(EVERYBODY, 422), open_to_all=True),
    "sign-out": AddressRow(None, Access(EVERYBODY, 302)),
    "account": AddressRow(Access(EVERYBODY, 200), Access(EVERYBODY, 422)),
    "people": AddressRow(Access(EVERYBODY, 200)),
    "person-new": AddressRow(Access(MANAGERS, 200), Access(MANAGERS, 422), keeps_what_was_typed=True),
    "person": AddressRow(Access(MANAGERS, 200), Access(MANAGERS, 422), keeps_what_was_typed=True),
    "person-password": AddressRow(None, Access(MANAGERS, 302)),
    "person-close": AddressRow(Access(MANAGERS, 200), Access(MANAGERS, 302)),
    "person-reopen": AddressRow(None, Access(MANAGERS, 302)),
    "demonstration": AddressRow(None, Access(frozenset(), 403)),
}


NO_STORE = "private, no-store"
TEXT_FIELDS = ("name", "first_name", "reason", "in_words", "lines", "oids")  # each form has at least one of them


@pytest.fixture
def places(editor: User) -> dict[str, str]:
    """The URL of each address by its name, with objects that exist."""
    first, second = (factories.organization(f"{BASE}.{number}", user=editor) for number in (1, 2))
    submission = factories.submission(first, user=editor)
    parts = {
        "environment": "staging",
        "oid": first.oid,
        "number": submission.pk,
        "plan": factories.plan([second], user=editor).pk,
        "sequence": AuditEntry.objects.exclude(raw=None).get(submission_id=submission.pk).pk,
        "person": UserFactory(role="viewer").pk,
        "list_number": factories.take_over(user=editor).pk,
    }
    return {name: reverse(name, kwargs={part: parts[part] for part in addresses()[name]}) for name in TABLE}


def client_of(role: str, **values: Any) -> Client:
    client = Client(raise_request_exception=False, **values)
    client.force_login(UserFactory(role="" if role == "no role" else role))
    return client


def walk(ask: Callable[..., Any], places: dict[str, str], **headers: str) -> dict[str, Any]:
    """Request each address; sign-out comes last."""
    names = sorted(places, key=lambda name: name == "sign-out")
    return {name: ask(places[name], headers=headers) for name in names}


def expected(role: str, method: str) -> dict[str, int]:
    ways = {name: getattr(row, method) for name, row in TABLE.items()}
    return {name: (way.status if role in way.people else 403) if way else 405 for name, way in ways.items()}


def statuses(answers: dict[str, Any]) -> dict[str, int]:
    return {name: answer.status_code for name, answer in answers.items()}


def cacheable(answers: dict[str, Any]) -> list[str]:
    """The addresses whose response a browser or a proxy may cache."""
    return [name for name, answer in answers.items() if answer["Cache-Control"] != NO_STORE]


def forbidden_buttons(answers: dict[str, Any]) -> dict[str, list[str]]:
    """The forbidden labels on each page."""
    pages = {name: answer for name, answer in answers.items() if answer["Content-Type"].startswith("text/html")}
    labels = {name: forbidden_labels(page.content.decode()) for name, page in pages.items()}
    return {name: words for name, words in labels.items() if words}


def needing_sign_in(places: dict[str, str]) -> dict[str, str]:
    return {name: address for name, address in places.items() if not TABLE[name].open_to_all}


@pytest.fixture
def without_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render every page empty: access does not depend on the content, and rendering takes longest."""
    monkeypatch.setattr(Template, "render", lambda *_, **__: "")


def test_every_address_has_a_row_and_every_row_an_address():
    assert sorted(TABLE) == sorted(addresses())


@pytest.mark.parametrize("role", sorted(RENDERED))
def test_each_page_is_rendered_for_its_readers(places, role):
    answers = walk(client_of(role).get, places)
    assert statuses(answers) == expected(role, "get")
    assert cacheable(answers) == []
    assert forbidden_buttons(answers) == {}


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_each_role_gets_what_the_table_says(places, without_rendering, role):
    client = client_of(role)
    for method in ("post",) if role in RENDERED else ("get", "post"):
        answers = walk(getattr(client, method), places)
        assert statuses(answers) == expected(role, method)
        assert cacheable(answers) == []


def test_a_refused_act_changes_nothing(places, without_rendering):
    refused = {name for name, row in TABLE.items() if row.post and "viewer" not in row.post.people}
    acts = {name: url for name, url in places.items() if name in refused}
    before = AuditEntry.objects.count()
    walk(client_of("viewer").post, acts)
    assert AuditEntry.objects.exclude(action=Action.PERMISSION_REFUSED).count() == before


def test_visitors_without_a_sign_in_are_redirected_and_change_nothing(places, visitor):
    protected, before = needing_sign_in(places), AuditEntry.objects.count()
    responses = walk(visitor.get, protected)
    assert {name: answer.get("Location", "").partition("?")[0] for name, answer in responses.items()} == dict.fromkeys(
        protected, "/sign-in/"
    )
    post_responses = walk(visitor.post, protected)
    assert statuses(post_responses) == {name: 403 if TABLE[name].keeps_what_was_typed else 302 for name in protected}
    with_form = [
        name for name, answer in post_responses.items() if b"What you typed is kept on this page." in answer.content
    ]
    assert sorted(with_form) == sorted(name for name in protected if TABLE[name].keeps_what_was_typed)
    assert cacheable(responses) + cacheable(post_responses) == []
    assert AuditEntry.objects.count() == before


def test_a_fragment_without_a_sign_in_is_401_and_redirects_the_page(places, visitor):
    protected = needing_sign_in(places)
    answers = walk(visitor.get, protected, **{"HX-Request": "true"})
    assert statuses(answers) == dict.fromkeys(protected, 401)
    assert [name for name, answer in answers.items() if not answer["HX-Redirect"].startswith("/sign-in/")] == []
    assert cacheable(answers) == []


def test_no_response_may_be_cached(places, visitor):
    """One response of each kind: page, download, redirect, refusal, not found, not allowed. Others check them all."""
    signed_in = client_of("auditor")
    shown, download, elsewhere = (places[name] for name in ("help", "audit-export", "branch"))
    refused, none = places["edit"], "/no/such/page/"
    answers = {url: signed_in.get(url) for url in (shown, download, elsewhere, refused, none)}
    assert [answer.status_code for answer in answers.values()] == [200, 200, 302, 403, 404]
    assert cacheable(answers | {"not taken": signed_in.post(shown), "sign-in": visitor.get("/sign-in/")}) == []


def test_records_of_one_environment_are_not_found_in_the_other(places):
    """An address without a valid environment is tested in `tests/hostile/test_addresses.py`."""
    client = client_of("approver")
    names = [name for name in TABLE if {"oid", "number", "plan", "list_number"} & set(addresses()[name])]
    assert [name for name in names if "/staging/" not in places[name]] == []
    other_urls = {name: places[name].replace("/staging/", "/production/") for name in names}
    responses = {name: (client.get if TABLE[name].get else client.post)(url) for name, url in other_urls.items()}
    assert statuses(responses) == dict.fromkeys(names, 404)


@pytest.mark.parametrize("role", ["approver", "administrator"])
def test_after_an_expired_sign_in_each_form_is_only_shown_again_with_what_was_typed(places, editor, role):
    """`test_decision.py` tests the form of a decision, which needs an undecided submission."""
    accepted, unsent = factories.accepted_organization(user=editor), factories.organization(f"{BASE}.3", user=editor)
    rows = {name: row.post for name, row in TABLE.items() if row.keeps_what_was_typed}
    forms = {name: places[name] for name, access in rows.items() if access and role in access.people}
    if role == "approver":
        del forms["submission-decide"], forms["reactivate"]
        forms |= {"deactivate": edit_url(accepted, "deactivate"), "plan-new": f"{forms['plan-new']}?record={unsent.pk}"}
        forms |= {name: edit_url(unsent, name) for name in ("review", "statement")}
    before, typed = AuditEntry.objects.count(), dict.fromkeys(TEXT_FIELDS, "Typed by me") | {"came-back": "1"}
    answers = walk(partial(client_of(role).post, data=typed), forms)
    assert [name for name, answer in answers.items() if NOTICE not in text_of(answer)] == []
    without_text = {name for name, answer in answers.items() if "Typed by me" not in answer.content.decode()}
    assert without_text <= {"differences", "take-over-list"}  # nothing can be typed there
    assert AuditEntry.objects.count() == before


def test_a_form_from_another_site_is_refused(places, without_rendering):
    before = AuditEntry.objects.count()
    protected = {name: address for name, address in needing_sign_in(places).items() if TABLE[name].post}
    client = client_of("approver", enforce_csrf_checks=True)
    answers = walk(client.post, protected, Origin="https://evil.example")
    assert statuses(answers) == dict.fromkeys(protected, 403)
    assert AuditEntry.objects.count() == before
