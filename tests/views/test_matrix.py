"""Who gets in where: every address of the portal, read and posted to, by every role.

The addresses come from the resolver: a new one without a row in the table fails.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import reverse

from benchmarks.malformed_world import addresses
from organizations.models import AuditEntry, Organization, Submission, User
from organizations.permissions import ROLES
from tests import factories
from tests.factories import BASE, UserFactory

pytestmark = pytest.mark.slow

EVERYBODY = frozenset({"no role", *ROLES})
READERS = frozenset(ROLES)
EDITORS = frozenset({"editor", "approver"})
DECIDERS = frozenset({"approver"})
AUDITORS = frozenset({"auditor"})
MANAGERS = frozenset({"administrator"})


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
    "plan-go-on": Row(None, Way(EDITORS, 302)),
    "plan-stop": Row(None, Way(EDITORS, 302)),
    "audit": Row(Way(READERS, 200)),
    "audit-export": Row(Way(AUDITORS, 200)),
    "audit-entry": Row(Way(READERS, 200)),
    "audit-raw": Row(Way(READERS, 200)),
    "connection": Row(Way(READERS, 200)),
    "connection-check": Row(None, Way(EDITORS, 302)),
    "connection-go-on": Row(None, Way(EDITORS, 302)),
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


class Places:
    """Addresses of things that exist; each is new, because a POST may take it away."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.made = 0

    def address(self, name: str) -> str:
        makers: dict[str, Callable[[], Any]] = {
            "environment": lambda: "staging",
            "oid": lambda: self._record().oid,
            "number": lambda: self._submission().pk,
            "plan": lambda: factories.plan([self._record()], user=self.user).pk,
            "sequence": lambda: _entry_with_bytes(self._submission()).sequence,
            "person": lambda: UserFactory(role="viewer").pk,
        }
        return reverse(name, kwargs={part: makers[part]() for part in addresses()[name]})

    def _record(self) -> Organization:
        self.made += 1
        return factories.organization(f"{BASE}.{self.made}", user=self.user)

    def _submission(self) -> Submission:
        return factories.submission(self._record(), user=self.user)


def _entry_with_bytes(submission: Submission) -> AuditEntry:
    return AuditEntry.objects.exclude(raw=None).get(submission_id=submission.pk)


@pytest.fixture
def places(editor) -> Places:
    return Places(editor)


def client_of(role: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(role="" if role == "no role" else role))
    return client


def expected(row: Row, method: str) -> dict[str, int]:
    way = getattr(row, method)
    if way is None:
        return dict.fromkeys(EVERYBODY, 405)
    return {role: way.status if role in way.people else 403 for role in EVERYBODY}


def test_every_address_has_a_row_and_every_row_an_address():
    assert sorted(TABLE) == sorted(addresses())


@pytest.mark.parametrize("name", TABLE)
def test_each_role_reads_what_the_table_says(places, name):
    address = places.address(name)
    assert {role: client_of(role).get(address).status_code for role in EVERYBODY} == expected(TABLE[name], "get")


@pytest.mark.parametrize("name", TABLE)
def test_each_role_posts_what_the_table_says(places, name):
    wanted = expected(TABLE[name], "post")
    untouched = places.address(name)
    found = {}
    for role, status in wanted.items():
        address = untouched if status in (403, 405) else places.address(name)
        found[role] = client_of(role).post(address).status_code
    assert found == wanted


@pytest.mark.parametrize("name", TABLE)
def test_no_address_takes_another_method(places, name):
    client, address = client_of("approver"), places.address(name)
    for method in (client.put, client.patch, client.delete):
        answer = method(address)
        assert answer.status_code == 405, method
        assert b"This address does not take that." in answer.content


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.open_to_all])
def test_who_is_not_signed_in_is_sent_to_sign_in_and_changes_nothing(places, name):
    address, row = places.address(name), TABLE[name]
    before = AuditEntry.objects.count()
    reading, posting = Client().get(address), Client().post(address)
    assert (reading.status_code, reading["Location"].startswith("/sign-in/?next=")) == (302, True)
    if row.keeps_what_was_typed:
        assert posting.status_code == 403
        assert b"What you typed is kept on this page." in posting.content
    else:
        assert posting.status_code == 302
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.open_to_all])
def test_a_fragment_for_nobody_is_401_and_sends_the_whole_page_to_sign_in(places, name):
    answer = Client().get(places.address(name), headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/sign-in/")
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("name", TABLE)
def test_no_browser_and_no_proxy_keeps_an_answer(places, name):
    """What is shown, downloaded, refused or redirected, also to somebody who is not signed in."""
    people = [*map(client_of, ("approver", "auditor", "administrator", "no role")), Client()]
    answers = [ask(places.address(name)) for client in people for ask in (client.get, client.post)]
    assert {answer["Cache-Control"] for answer in answers} == {"private, no-store"}


@pytest.mark.parametrize("name", [name for name in TABLE if "environment" in addresses()[name]])
def test_what_is_of_one_environment_is_not_found_in_the_other(places, name):
    address = places.address(name)
    parts = set(addresses()[name])
    if parts & {"oid", "number", "plan"}:
        client = client_of("approver")
        elsewhere = address.replace("/staging/", "/production/")
        asked = client.get(elsewhere) if TABLE[name].get else client.post(elsewhere)
        assert asked.status_code == 404
    assert client_of("approver").get(address.replace("/staging/", "/development/")).status_code == 404


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.open_to_all])
def test_a_form_from_another_site_is_refused(places, name):
    client = client_of("approver")
    client.handler.enforce_csrf_checks = True
    address = places.address(name)
    before = AuditEntry.objects.count()
    assert client.post(address, headers={"Origin": "https://evil.example"}).status_code == 403
    assert AuditEntry.objects.count() == before
