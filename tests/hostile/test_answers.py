"""Hostile answers of Redox over real sockets: each leads to its documented state, and is stored and shown as text."""

import csv
import gzip
import io
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from organizations.models import Action, AuditEntry, EnvironmentGate, Organization, State, Submission
from organizations.redox import messages
from organizations.redox.client import MAX_BODY, Limits, RedoxClient
from organizations.redox.outcome import Kind, classify
from organizations.services.actors import system
from organizations.services.audit import audit
from organizations.services.delivery import courier, query
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.hostile.typed import MARKUP
from tests.redox import servers
from tests.redox.answers import ENVIRONMENT, NEW_SENTENCE, OID, RECORD, failure, found_records, kept, success
from tests.views.pages import text_of

WORKER = system("Worker test")
INVISIBLE = ("\x00", "\x07", "\x9b", "\u202e", "\u200b", "\ud800")
BOMB = gzip.compress(b"a" * MAX_BODY * 2)
SUCCESS_START = json.dumps(success())[:-1]  # a success without its last brace, so that keys can be added


def success_with(more: str) -> bytes:
    return f'{SUCCESS_START}, "More": {more}}}'.encode()


def named(key: str, message_id: str) -> bytes:
    meta: dict[str, Any] = {key: {"ID": message_id}}
    return json.dumps(success(**meta)).encode()


ANSWERS: dict[str, tuple[State, bytes]] = {
    "half of a surrogate pair": (State.UNKNOWN, servers.response(200, success_with('"\\ud800"'))),
    "half of one in a no": (State.REJECTED, servers.response(400, failure("\ud800 \udfff"))),
    "NUL": (State.UNKNOWN, servers.response(200, success_with('"\\u0000"'))),
    "bare NUL": (State.UNKNOWN, servers.response(200, b"\x00" * 500)),
    "NaN": (State.UNKNOWN, servers.response(200, success_with("NaN"))),
    "infinity": (State.UNKNOWN, servers.response(200, success_with("-Infinity"))),
    "deep lists": (State.UNKNOWN, servers.response(200, success_with("[" * 20_000 + "]" * 20_000))),
    "deep objects": (State.UNKNOWN, servers.response(200, success_with('{"a":' * 20_000 + "1" + "}" * 20_000))),
    "deep no": (State.REJECTED, servers.response(400, b"[" * 100_000)),
    "5,000 digits": (State.ACCEPTED, servers.response(200, success_with("9" * 5_000))),
    "an ID of 5,000 digits": (State.UNKNOWN, servers.response(200, named("Message", "9" * 5_000))),
    "a large exponent": (State.ACCEPTED, servers.response(200, success_with("1e999999999"))),
    "keys twice": (State.UNKNOWN, servers.response(200, success_with('1, "Meta": {"Errors": []}'))),
    "two answers": (State.UNKNOWN, servers.response(200, success_with("1") * 2)),
    "markup in a yes": (State.ACCEPTED, servers.response(200, named("Message", f"{MARKUP}\u202e\u200b\x07"))),
    "markup in a no": (State.REJECTED, servers.response(400, failure(f"{MARKUP}\u202e\u200b\x07{{0}}{{text}}%s"))),
    "a page": (State.UNKNOWN, servers.response(200, f"<html>{MARKUP}</html>".encode())),
    "a page that says no": (State.REJECTED, servers.response(403, f"<html>{MARKUP}</html>".encode())),
    "a page of a gateway": (State.UNKNOWN, servers.response(502, f"<html>{MARKUP}\x07</html>".encode())),
    "errors of other shapes": (State.REJECTED, servers.response(400, {"Meta": {"Errors": {"Text": [MARKUP, None]}}})),
    "errors in a yes": (State.UNKNOWN, servers.response(200, success(Errors={"a": 1}))),
    "broken UTF-8": (State.UNKNOWN, servers.response(200, b'{"Meta": "\xed\xa0\x80\xff"}')),
    "broken UTF-8 in a no": (State.REJECTED, servers.response(422, b"\xed\xa0\x80\xff no")),
    "UTF-16": (State.UNKNOWN, servers.response(200, (SUCCESS_START + "}").encode("utf-16"))),
    "1 MiB of no": (State.REJECTED, servers.response(400, b"a" * MAX_BODY)),
    "more than 1 MiB of no": (State.UNKNOWN, servers.response(400, b"a" * (MAX_BODY + 1))),
    "bomb": (State.UNKNOWN, servers.response(200, BOMB, Content_Encoding="gzip")),
    "bomb that says no": (State.UNKNOWN, servers.response(403, BOMB, Content_Encoding="gzip")),
    "encoding nobody knows": (State.UNKNOWN, servers.response(400, b"\x1f\x8b", Content_Encoding=f"x{MARKUP}")),
    "line breaks in a head": (
        State.UNKNOWN,
        b"HTTP/1.1 200 OK\r\nRedox-Log-Id: a\rb\r\n\x00: c\r\n\r\n" + success_with(""),
    ),
    "no head at all": (State.UNKNOWN, f"{MARKUP}\r\n\r\n".encode()),
    "markup in a head": (
        State.REJECTED,
        servers.response(400, b"no", X_Request_Id=MARKUP, Redox_Log_Id="\x9b\xff", Content_Type=f"text/{MARKUP}"),
    ),
    "status nobody knows": (State.UNKNOWN, servers.response(999, success())),
}  # fmt: skip


# The answers that are stored or shown differently: a worker receives these, and every page is checked.
SENT = (
    "half of one in a no",
    "markup in a yes",
    "markup in a no",
    "a page of a gateway",
    "broken UTF-8 in a no",
    "1 MiB of no",
    "bomb that says no",
    "line breaks in a head",
    "no head at all",
    "markup in a head",
)
KINDS = {State.ACCEPTED: Kind.ACCEPTED, State.REJECTED: Kind.REJECTED, State.UNKNOWN: Kind.UNKNOWN}


def test_each_answer_has_its_documented_outcome():
    message = messages.build_message(RECORD, "New", ENVIRONMENT)
    remaining = iter([answer for _, answer in ANSWERS.values()])

    def behave(connection: socket.socket, server: servers.Server) -> None:
        server.read(connection)
        connection.sendall(next(remaining))

    with servers.serving(behave) as server:
        client = RedoxClient(replace(ENVIRONMENT, base_url=server.url), Limits(deadline=5))
        kinds = {name: classify(client.post(message, "token"), event="New", oid=OID).kind for name in ANSWERS}
    assert kinds == {name: KINDS[state] for name, (state, _) in ANSWERS.items()}


@contextmanager
def answering(answers: list[bytes]) -> Iterator[None]:
    """Redox gives these answers one after the other."""
    remaining = iter(answers)

    def behave(connection: socket.socket, server: servers.Server) -> None:
        server.read(connection)
        connection.sendall(next(remaining))

    with servers.serving(behave) as server, override_settings(
        REDOX=redox(server.url), REDOX_DEADLINE=5.0, REDOX_LEASE=60.0, REDOX_SETTLE=0.5, REDOX_RATE=10_000.0
    ):  # fmt: skip
        yield


@pytest.fixture
def submissions_by_answer(transactional_db, editor):
    """A sent submission for each answer in SENT."""
    submissions = {}
    with answering([ANSWERS[name][1] for name in SENT]):
        for place, name in enumerate(SENT, start=1):
            submission = factories.submission(factories.organization(f"{BASE}.{place}", user=editor), user=editor)
            assert courier.deliver_due("staging", most=1, actor=WORKER)
            submission.refresh_from_db()
            submissions[name] = submission
    return submissions


def pages_with_answer(submission: Submission) -> list[str]:
    """The pages that show the whole stored answer: that of the submission and that of its history entry."""
    last = AuditEntry.objects.of_submission(submission.pk).exclude(raw=None).latest("sequence")
    return [reverse("submission", args=["staging", submission.pk]), reverse("audit-entry", args=[last.pk])]


def checked_text(client: Client, address: str) -> str:
    """The text of a page, after checking that it has no markup and no invisible characters from input."""
    response = client.get(address)
    assert response.status_code == 200, address
    assert MARKUP not in response.content.decode(), address
    text = text_of(response)
    assert [char for char in INVISIBLE if char in text] == [], address
    return text


def assert_chain_is_valid() -> None:
    previous = audit.FIRST_HASH
    for entry in AuditEntry.objects.order_by("sequence"):
        assert (entry.previous_hash, entry.hash) == (previous, audit.hash_of(entry.pk, previous, bytes(entry.body)))
        previous = entry.hash


def assert_exports_have_every_entry(client: Client) -> None:
    text, table = (
        b"".join(client.get(reverse("audit-export"), {"format": form}).streaming_content)  # type: ignore[attr-defined]
        for form in ("json", "csv")
    )
    data = json.loads(text)
    assert [entry["sequence"] for entry in data["entries"]] == list(range(1, data["count"] + 1))
    assert [each["body"]["sequence"] for each in data["entries"]] == [each["sequence"] for each in data["entries"]]
    # The second file also has the entry of the first export.
    lines = list(csv.reader(io.StringIO(table.decode(), newline="")))
    assert [line[0] for line in lines[7:-1]] == [str(entry["sequence"]) for entry in data["entries"]]
    assert [cell for line in lines for cell in line if "\x00" in cell or cell.startswith(("=", "+", "-", "@"))] == []


def assert_pages_show_text(submissions_by_answer: dict[str, Submission], client: Client) -> None:
    for submission in submissions_by_answer.values():
        for address in pages_with_answer(submission):
            checked_text(client, address)
    last = submissions_by_answer["markup in a no"]
    for name in ("record", "record-history", "record-submissions", "review"):
        checked_text(client, reverse(name, args=["staging", last.oid]))
    for name in ("organizations", "submissions", "connection"):
        checked_text(client, reverse(name, args=["staging"]))
    checked_text(client, reverse("submission-state", args=["staging", last.pk]))
    checked_text(client, reverse("home"))
    for before in range(0, AuditEntry.objects.latest("sequence").pk, 50):
        checked_text(client, f"{reverse('audit')}?before={before + 51}")


def test_each_submission_has_its_documented_state_and_is_stored_and_shown_as_text(submissions_by_answer, client):
    """One test, because sending takes longer than checking the pages."""
    assert_pages_show_text(submissions_by_answer, client)
    assert {name: row.state for name, row in submissions_by_answer.items()} == {name: ANSWERS[name][0] for name in SENT}
    for name, submission in submissions_by_answer.items():
        _, answer = ANSWERS[name]
        entry = AuditEntry.objects.attempt_entry(submission.pk, 1, Action.ATTEMPT_RESPONSE)
        assert entry is not None
        raw = client.get(reverse("audit-raw", args=[entry.pk])).content
        assert raw == (answer.partition(b"\r\n\r\n")[2][:MAX_BODY] if entry.http_status else b""), name
    response = client.get(reverse("search"), {"q": submissions_by_answer["markup in a yes"].redox_message_id})
    assert response["Location"] == reverse("submission", args=["staging", submissions_by_answer["markup in a yes"].pk])
    assert_chain_is_valid()
    client.force_login(factories.UserFactory(role="auditor"))
    assert_exports_have_every_entry(client)


@pytest.mark.parametrize(
    ("answer", "stops", "holds"),
    [
        (servers.response(401, failure(f"{MARKUP}\u202e\x07")), True, False),
        (servers.response(302, b"x", Location=f"https://{MARKUP}\x9b@evil.example:99999999/{MARKUP}"), True, False),
        (servers.response(429, MARKUP, Retry_After="9" * 5_000, Date=f"{MARKUP}"), False, True),
    ],
    ids=["401", "strange address", "long wait"],
)  # fmt: skip
def test_the_reason_of_a_stop_or_pause_is_shown_as_text(transactional_db, editor, client, answer, stops, holds):
    submission = factories.submission(factories.organization(user=editor), user=editor)
    with answering([answer]):
        assert courier.deliver_due("staging", most=1, actor=WORKER)
        gate = EnvironmentGate.objects.get(pk="staging")
        assert (gate.is_stopped, gate.hold_until is not None) == (stops, holds)
        for address in (*pages_with_answer(submission), reverse("home"), reverse("connection", args=["staging"])):
            checked_text(client, address)


def test_an_answer_that_repeats_the_access_token_leaves_it_nowhere(transactional_db, editor, client):
    submission = factories.submission(factories.organization(user=editor), user=editor)
    refusal = servers.response(403, failure("staging-token was refused"), X_Request_Id="staging-token")
    with answering([refusal] * 3):
        assert courier.deliver_due("staging", most=1, actor=WORKER)
        submission.refresh_from_db()
        query.query_for_submission(submission, actor=WORKER)
        client.post(reverse("connection-check", args=["staging"]))
        pages = [
            client.get(address).content
            for address in (*pages_with_answer(submission), reverse("connection", args=["staging"]))
        ]
    assert submission.detail == "[secret] was refused"
    assert b"The response repeated the access token; [secret] replaces it." in b"".join(pages)
    stored_bytes = [bytes(part) for row in AuditEntry.objects.all() for part in (row.body, row.raw or b"")]
    assert b"staging-token" not in b"".join(pages + stored_bytes)


# Queries -----------------------------------------------------------------------------------------------------


def record_with(**values: object) -> bytes:
    """An answer to a Query that shows our record with these values."""
    answer = found_records()
    answer["Organizations"][0] |= values
    return json.dumps(answer).encode()


def nested(depth: int) -> bytes:
    return record_with(More="DEEP").replace(b'"DEEP"', b"[" * depth + b"1" + b"]" * depth)


def many(count: int) -> list[dict[str, str]]:
    return [{"Name": f"{number}"} for number in range(count)]


def test_a_connection_check_shows_the_answer_as_text(transactional_db, client):
    names = ("markup in a no", "broken UTF-8 in a no", "line breaks in a head")
    with answering([ANSWERS[name][1] for name in names]):
        for _ in names:
            client.post(reverse("connection-check", args=["staging"]))
            checked_text(client, reverse("connection", args=["staging"]))


FOUND = found_records()

# Each answer, and whether the portal understands it.
SEEN: dict[str, tuple[bool, bytes]] = {
    "markup": (True, record_with(Name=f"{MARKUP}\u202e\x07", Aliases=[MARKUP], Contacts=[{"Name": MARKUP}])),
    "keys nobody knows": (True, record_with(**{f"{MARKUP}\u202e": {MARKUP: "\u202e"}, "": 1, "Type": MARKUP})),
    "long": (True, record_with(Name="x" * 50_000)),
    "5,000 digits": (True, record_with(More="DIGITS").replace(b'"DIGITS"', b"9" * 5_000)),
    "nested a little": (True, nested(20)),
    "nested": (False, nested(400)),
    "nested more": (False, nested(900)),
    "nested deep": (False, nested(5_000)),
    "nested as deep as 1 MiB goes": (False, nested(400_000)),
    "as many contacts as nobody has": (False, record_with(Contacts=many(40_000))),
    "as many aliases as nobody has": (False, record_with(Aliases=["x"] * 100_000)),
    "half of a surrogate pair": (False, record_with(Name="\ud800")),
    "NUL": (False, record_with(Name="a\x00b")),
    "wrong types": (False, record_with(Name=[MARKUP])),
    "wrong types below": (False, record_with(Contacts=[[MARKUP]])),
    "no truth": (False, record_with(Active=MARKUP)),
    "a text that is not an OID": (False, record_with(Identifiers=[{"ID": f"{MARKUP}\u202e", "IDType": "OID"}])),
    "an OID that is a number": (False, record_with(Identifiers=[{"ID": 2.16, "IDType": "OID"}])),
    "the record of another": (False, record_with(Identifiers=[{"ID": "2.999.1", "IDType": "OID"}])),
    "the same record twice": (False, json.dumps({**FOUND, "Organizations": FOUND["Organizations"] * 2}).encode()),
    "keys twice": (False, record_with(Name="a").replace(b'"Name"', b'"Name": "b", "Name"')),
    "no list": (False, json.dumps({**FOUND, "Organizations": MARKUP}).encode()),
    "a yes to a New": (False, json.dumps(success(NEW_SENTENCE)).encode()),
}  # fmt: skip


def test_each_directory_answer_is_understood_or_refused():
    for name, (is_understood, body) in SEEN.items():
        query_answer = classify(kept(200, body), event=messages.QUERY, oid=OID)
        assert (query_answer.kind is Kind.ACCEPTED) == is_understood, name
        if is_understood:
            assert messages.read_query_answer(body, OID), name


ASKED = (
    "markup",
    "keys nobody knows",
    "long",
    "nested",
    "half of a surrogate pair",
)
"""The answers that are stored or shown differently."""


def test_directory_answers_are_stored_and_shown_as_text(transactional_db, editor, client):
    organization = factories.organization(user=editor)
    submission = factories.submission(organization, user=editor)
    with answering([servers.response(502), *(servers.response(200, SEEN[name][1]) for name in ASKED)]):
        courier.deliver_due("staging", most=1, actor=WORKER)
        for name in ASKED:
            submission.refresh_from_db()
            assert query.query_for_submission(submission, actor=WORKER).is_answered == SEEN[name][0], name
            for address in pages_with_answer(submission):
                checked_text(client, address)
        checked_text(client, reverse("audit"))
    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN
    assert Organization.objects.get().name == organization.name
