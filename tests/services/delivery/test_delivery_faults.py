"""Delivery when something fails: what is sent again, what stops, what a crash leaves, and who may claim."""

import datetime
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from organizations.models import Action, AuditEntry, EnvironmentGate, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.redox import messages
from organizations.redox.client import Exchange
from organizations.redox.outcome import Kind
from organizations.services.actors import Actor
from organizations.services.audit import exchanges
from organizations.services.connection import check, redox_requests
from organizations.services.delivery import abandoned, resume
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.services.sending import (
    answer_next,
    claim,
    deliver,
    resolve_with_answer,
    sent_record,
    settle_sending,
    store_response,
)

pytestmark = pytest.mark.django_db


def test_a_refused_credential_stops_the_environment_and_counts_no_try(
    practice: PracticeDirectory, editor: User
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    practice.behaviour = "refuses-sign-in"
    assert deliver()

    submission.refresh_from_db()
    gate = EnvironmentGate.objects.get(pk="staging")
    assert (submission.state, submission.counted_attempts, gate.is_stopped) == (State.QUEUED, 0, True)
    assert "does not accept the credential" in gate.stopped_reason
    practice.behaviour = "answers"
    assert not deliver()
    with pytest.raises(ActionRefused, match="Check the connection first"):
        resume.resume("staging", actor=as_actor(editor))
    assert check.check_connection("staging", actor=as_actor(editor)).succeeded
    resume.resume("staging", actor=as_actor(editor))
    assert deliver()


def test_a_child_is_sent_after_its_parent(editor: User) -> None:
    parent = factories.organization(user=editor)
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    with pytest.raises(ActionRefused, match=r"Send Lakeside 1 first\."):
        factories.submission(child, user=editor)
    first = factories.submission(parent, user=editor)
    second = factories.submission(child, user=editor)

    assert list(second.waits_for.all()) == [first]
    sending = claim()
    assert sending == first
    assert claim() is None
    settle_sending(sending, Kind.UNKNOWN)
    assert claim() is None
    resolve_with_answer(first, sent_record(first))
    assert claim() == second


def test_a_submission_is_sent_after_the_newer_one_that_it_waits_for(editor: User) -> None:
    older, newer = (
        factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor) for number in (1, 2)
    )
    older.waits_for.add(newer)
    assert [answer_next(), answer_next()] == [newer, older]


def test_a_cut_off_exchange_is_unknown_at_once(
    practice: PracticeDirectory, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is cut off here sends nothing more.
    monkeypatch.setattr(redox_requests, "_clients", {})
    monkeypatch.setattr(redox_requests, "_token_sources", {})
    submission = factories.submission(factories.organization(user=editor), user=editor)
    practice.behaviour = "never-answers"

    def work() -> bool:
        try:
            return deliver()
        finally:
            connection.close()

    with override_settings(REDOX_DEADLINE=120.0, REDOX_LEASE=180.0), ThreadPoolExecutor(1) as pool:
        sending = pool.submit(work)
        while not practice.requests:
            time.sleep(0.01)
        redox_requests.abort_exchanges()
        assert sending.result()
    submission.refresh_from_db()
    assert (submission.state, submission.lost_attempt) == (State.UNKNOWN, False)
    assert submission.state_reason == "the worker was stopped before the answer came"


def test_an_unreadable_message_blocks_only_itself(editor: User) -> None:
    first = factories.submission(factories.organization(user=editor), user=editor)
    second = factories.submission(factories.organization(f"{BASE}.5", user=editor), user=editor)
    message = bytes(first.message).replace(b'"Active": true', b'"Active": "true"')
    Submission.objects.filter(pk=first.pk).update(message=message, message_sha256=messages.sha256(message))

    assert claim() is None
    assert claim() == second

    first.refresh_from_db()
    assert (first.state, first.state_reason) == (
        State.NEEDS_PERSON,
        "The stored message could not be read (WrongValue: Active is neither true nor false).",
    )
    entry = AuditEntry.objects.get(action=Action.SUBMISSION_SETTLED)
    assert (entry.submission_id, entry.facts["details"]) == (first.pk, {"state": "needs_person"})


@pytest.mark.parametrize("end", ["rejected", "cancelled"])
def test_followers_of_a_rejected_submission_are_cancelled(editor: User, end: str) -> None:
    parent = factories.organization(user=editor)
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    first = factories.submission(parent, user=editor)
    second = factories.submission(child, user=editor)
    if end == "rejected":
        answer_next(Kind.REJECTED)
    else:
        submissions.cancel_submission(first.pk, actor=as_actor(editor))

    second.refresh_from_db()
    assert second.state == State.CANCELLED
    assert second.state_reason == f"Submission {first.pk}, which this one waited for, was {end}."


def test_a_stored_response_is_classified_after_a_crash_without_a_query(editor: User, worker: Actor) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    submission = claim()
    assert submission is not None
    body = {"Meta": {"Extensions": {"ResponseDetail": {"string": "New organization was added successfully."}}}}
    exchange = Exchange(
        request_sha256=submission.message_sha256,
        sent=True,
        status=200,
        headers={"content-type": "application/json"},
        body=json.dumps(body).encode(),
        duration_ms=5,
    )
    store_response(submission, exchange, repeat=0, actor=worker)
    assert exchanges.stored_exchange(AuditEntry.objects.get(action=Action.ATTEMPT_RESPONSE)) == exchange
    Submission.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))

    assert abandoned.settle_abandoned("staging", actor=worker) == 1

    submission.refresh_from_db()
    assert submission.state == State.ACCEPTED


def test_a_worker_that_ends_after_the_intent_leaves_the_submission_unknown(editor: User, worker: Actor) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    assert claim()
    assert abandoned.settle_abandoned("staging", actor=worker) == 0
    Submission.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))

    assert abandoned.settle_abandoned("staging", actor=worker) == 1

    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN
    assert "before an answer was stored" in submission.state_reason


@pytest.mark.parametrize("variable", ["REDOX_STAGING_ROUTING_ID", "REDOX_STAGING_SOURCE_ID"])
def test_nothing_is_sent_if_the_settings_changed_since_the_review(editor: User, variable: str) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    with override_settings(REDOX=redox("http://127.0.0.1:9", **{variable: "7f296bb4-83fd-498d-92f3-a76960648788"})):
        assert claim() is None

    submission.refresh_from_db()
    assert (submission.state, submission.attempt) == (State.NEEDS_PERSON, 0)
    assert "settings changed since the review" in submission.state_reason


@pytest.fixture
def asked_at_arrival(editor: User) -> Iterator[tuple[str, list[list[str]]]]:
    """A server that reads the database when a message arrives."""
    states: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            states.append(list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True)))
            connection.close()
            self.send_response(503)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", states
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.django_db(transaction=True)
def test_the_intent_is_committed_before_a_byte_is_sent(
    asked_at_arrival: tuple[str, list[list[str]]], editor: User
) -> None:
    url, states = asked_at_arrival
    with override_settings(REDOX=redox(url), REDOX_DEADLINE=2.0, REDOX_LEASE=40.0, REDOX_SETTLE=0.5):
        submission = factories.submission(factories.organization(user=editor), user=editor)
        assert deliver()
    assert [actions[-1] for actions in states] == [Action.ATTEMPT_INTENT]
    intent = AuditEntry.objects.get(action=Action.ATTEMPT_INTENT)
    assert (intent.facts["message_sha256"], intent.attempt) == (submission.message_sha256, 1)
