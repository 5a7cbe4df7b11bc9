"""The checks of malformed requests (`benchmarks/malformed.py`) find the errors that these tests cause."""

from collections.abc import Callable

import pytest
from django.test import Client

from benchmarks.malformed_judging import Answer, answer_errors, changes_between, snapshot
from benchmarks.malformed_requests import MARKUP, Form, Maker, Places, Request
from benchmarks.malformed_wire import wire
from organizations.models import AuditEntry, Organization
from organizations.services.records import organizations
from tests import factories
from tests.factories import as_actor

pytestmark = pytest.mark.one_database


def findings_of(method: str, status: int, act: Callable[[], object]) -> str:
    """The findings about a request that runs `act`."""
    before = snapshot()
    act()
    request = Request(seed=0, name="edit", role="editor", method=method, target=b"/")
    return "; ".join(answer_errors(request, Answer(status), changes_between(before, snapshot())))


def test_a_change_by_a_service_is_not_a_finding(organization, editor):
    def edit() -> None:
        record = factories.record(name="Lakeside Harbor")
        organizations.edit(organization.pk, organization.version, record, stands_for="", actor=as_actor(editor))

    assert findings_of("POST", 302, edit) == ""


def test_a_refusal_with_its_entry_is_not_a_finding(organization):
    viewer = Client()
    viewer.force_login(factories.UserFactory(role="viewer"))
    assert findings_of("GET", 403, lambda: viewer.get("/staging/organizations/new/")) == ""


def test_a_record_changed_without_an_entry_is_found(organization):
    change = Organization.objects.filter(pk=organization.pk).update
    assert "without an entry that names it" in findings_of("POST", 302, lambda: change(name="Half"))


def test_an_entry_of_something_else_is_not_enough(organization, editor):
    other = Organization.objects.exclude(pk=organization.pk).get()

    def withdraw_and_half() -> None:
        organizations.withdraw(other.pk, other.version, actor=as_actor(editor))
        Organization.objects.filter(pk=organization.pk).update(name="Half")

    assert f"{organization.pk} changed without an entry that names it" in findings_of("POST", 302, withdraw_and_half)


def test_a_refused_request_that_wrote_is_found(organization, editor):
    def add() -> None:
        factories.organization(f"{organization.oid}.2", user=editor)

    assert "was refused, but changed" in findings_of("POST", 409, add)


def test_a_request_that_only_reads_and_wrote_is_found(organization, editor):
    def add() -> None:
        factories.organization(f"{organization.oid}.2", user=editor)

    assert "only read, but changed" in findings_of("GET", 200, add)


def test_a_broken_chain_is_found(organization, editor):
    def add() -> None:
        factories.organization(f"{organization.oid}.2", user=editor)
        last = AuditEntry.objects.latest("sequence")
        AuditEntry.objects.filter(pk=last.pk).update(hash="0" * 64)

    assert "the chain of the history is broken" in findings_of("POST", 302, add)


def test_errors_of_a_response_are_found():
    request = Request(seed=0, name="edit", role="editor", method="GET", target=b"/")
    page = Answer(503, [("Content-Type", "text/html")], MARKUP.encode(), logged="It failed")
    assert answer_errors(request, page, {}) == [
        "status 503",
        "logged It failed",
        "the page holds what was sent as markup",
    ]


def test_a_request_is_determined_by_its_seed():
    places = Places(
        paths={"edit": ("/edit/",), "home": ("/",)},
        wrong_paths={},
        forms={"edit": (Form("/edit/", (("name", "Lakeside"),)),)},
        queries={},
        cookies={"nobody": "", "editor": "x"},
        most_rights="editor",
        session_cookie="session",
        csrf_cookie="csrf",
        host="127.0.0.1",
    )
    requests = [[Maker(places).request(seed) for seed in range(300)] for _ in range(2)]
    assert requests[0] == requests[1]
    assert len({wire(request) for request in requests[0]}) > 200
