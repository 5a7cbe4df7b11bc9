"""The judge of malformed requests (`benchmarks/malformed.py`) finds what it looks for: faults are planted here."""

from collections.abc import Callable

import pytest
from django.test import Client

from benchmarks.malformed_judging import Answer, changes_between, faults_of, snapshot
from benchmarks.malformed_requests import MARKUP, Form, Maker, Places, Request
from benchmarks.malformed_wire import wire
from organizations.models import AuditEntry, Organization
from organizations.services.records import organizations
from tests import factories
from tests.factories import acting

pytestmark = pytest.mark.one_database


def found(method: str, status: int, act: Callable[[], object]) -> str:
    """What is found if a request does this."""
    before = snapshot()
    act()
    request = Request(seed=0, name="edit", role="editor", method=method, target=b"/")
    return "; ".join(faults_of(request, Answer(status), changes_between(before, snapshot())))


def test_what_a_service_does_is_not_a_finding(made, editor):
    def edit() -> None:
        record = factories.record(name="Lakeside Harbor")
        organizations.edit(made.pk, made.version, record, stands_for="", actor=acting(editor))

    assert found("POST", 302, edit) == ""


def test_a_refusal_with_its_entry_is_not_a_finding(made):
    viewer = Client()
    viewer.force_login(factories.UserFactory(role="viewer"))
    assert found("GET", 403, lambda: viewer.get("/staging/organizations/new/")) == ""


def test_a_record_changed_without_an_entry_is_found(made):
    change = Organization.objects.filter(pk=made.pk).update
    assert "without an entry that names it" in found("POST", 302, lambda: change(name="Half"))


def test_an_entry_of_something_else_is_not_enough(made, editor):
    other = Organization.objects.exclude(pk=made.pk).get()

    def withdraw_and_half() -> None:
        organizations.withdraw(other.pk, other.version, actor=acting(editor))
        Organization.objects.filter(pk=made.pk).update(name="Half")

    assert f"{made.pk} changed without an entry that names it" in found("POST", 302, withdraw_and_half)


def test_a_refused_request_that_wrote_is_found(made, editor):
    def add() -> None:
        factories.organization(f"{made.oid}.2", user=editor)

    assert "was refused and yet changed" in found("POST", 409, add)


def test_a_request_that_only_reads_and_wrote_is_found(made, editor):
    def add() -> None:
        factories.organization(f"{made.oid}.2", user=editor)

    assert "only read and yet changed" in found("GET", 200, add)


def test_a_broken_chain_is_found(made, editor):
    def add() -> None:
        factories.organization(f"{made.oid}.2", user=editor)
        last = AuditEntry.objects.latest("sequence")
        AuditEntry.objects.filter(pk=last.pk).update(hash="0" * 64)

    assert "the chain of the history is broken" in found("POST", 302, add)


def test_faults_of_an_answer_are_found():
    request = Request(seed=0, name="edit", role="editor", method="GET", target=b"/")
    page = Answer(503, [("Content-Type", "text/html")], MARKUP.encode(), logged="It failed")
    assert faults_of(request, page, {}) == ["status 503", "logged It failed", "the page holds what was sent as markup"]


def test_a_request_follows_from_its_seed():
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
    made = [[Maker(places).request(seed) for seed in range(300)] for _ in range(2)]
    assert made[0] == made[1]
    assert len({wire(request) for request in made[0]}) > 200
