"""While Redox asks an environment to wait, nothing is sent to it, and people see how long."""

import datetime
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from organizations.models import Action, AuditEntry, EnvironmentGate, Evidence, State, Submission, User
from organizations.redox.outcome import Kind
from organizations.services import workers
from organizations.services.actors import system
from organizations.services.connection import check, rate_limit, redox_requests, redox_settings
from organizations.services.delivery import courier, query, resume
from tests import factories
from tests.breakers import gate, pause_environment
from tests.factories import BASE, as_actor
from tests.redox import servers
from tests.services.fake_redox import TOO_MANY_REQUESTS, FakeRedox, token_answer
from tests.services.sending import (
    WORKER,
    claim_next,
    deliver,
    get_token,
    probe_if_half_open,
    read_back_next,
    resolve_next,
    send_claim,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def set_gate(**values: object) -> None:
    EnvironmentGate.objects.filter(pk="staging").update(**values)


def in_seconds(number: float) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(seconds=number)


def unknown(user: User, oid: str = BASE) -> Submission:
    """A New without a clear answer that can be queried now with a valid token."""
    assert redox_requests.access_token(redox_settings.environment("staging")).token
    submission = factories.submission(factories.organization(oid, user=user), user=user)
    Submission.objects.filter(pk=submission.pk).update(attempt=1, token=1, unknown_since=timezone.now())
    return due(submission)


def due(submission: Submission) -> Submission:
    """The same submission, in any state."""
    Submission.objects.filter(pk=submission.pk).update(
        state=State.UNKNOWN, evidence="", not_before=timezone.now(), read_back_at=None
    )
    set_gate(stopped_at=None, hold_until=None, hold_asked_until=None, probing=False, failures=0)
    submission.refresh_from_db()
    return submission


def to_read_back(user: User) -> Submission:
    """An accepted New whose read-back is due."""
    organization = factories.accepted_organization(f"{BASE}.7", user=user)
    Submission.objects.filter(organization=organization).update(read_back_at=timezone.now())
    return organization.submissions.get()


# Every function that sends, with the rows that it needs -----------------------------------


def resolve_due(submission: Submission) -> None:
    resolve_next("staging", actor=WORKER)


def read_back(submission: Submission) -> None:
    factories.change_submissions(read_back_at=timezone.now(), state=State.ACCEPTED, evidence=Evidence.ANSWER)
    read_back_next("staging", actor=WORKER)


def probe(submission: Submission) -> None:
    set_gate(probing=True, failures=5)
    assert not probe_if_half_open("staging", actor=WORKER)


def ask(submission: Submission) -> None:
    query.query_for_submission(submission, actor=as_actor(submission.submitter))


def check_connection(submission: Submission) -> None:
    assert not check.check_connection("staging", actor=as_actor(submission.submitter)).succeeded


def send(submission: Submission) -> None:
    factories.change_submissions(state=State.QUEUED, not_before=None)
    deliver()


def renew_token(submission: Submission) -> None:
    redox_requests.discard_token(redox_settings.environment("staging"), "token-1")
    assert get_token("staging", WORKER) == ""


type Act = Callable[[Submission], None]
ASKING: list[Act] = [resolve_due, read_back, probe, ask, check_connection]
STOPPED = {"stopped_at": timezone.now()}
PAUSED = {"probing": True, "failures": 5}


# The renewal of the token decides -------------------------------------------------------------------------


RENEWALS = {
    "502": (servers.answer(502, b"Bad Gateway"), False),
    "closed": (servers.close_after_reading, False),
    "429": (TOO_MANY_REQUESTS, True),
}


@pytest.mark.parametrize(
    ("act", "renewal"),
    [*((act, "502") for act in ASKING), (resolve_due, "closed"), (resolve_due, "429"), (check_connection, "429")],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_a_query_whose_token_cannot_be_renewed_does_not_stop_the_environment(
    redox_server: FakeRedox, editor: User, act: Act, renewal: str
) -> None:
    submission = unknown(editor)
    redox_server.arrived.clear()
    answer, holds = RENEWALS[renewal]
    redox_server.queries, redox_server.tokens = [servers.answer(401, b"over")], [answer]

    act(submission)

    assert redox_server.arrived == ["query", "token"]
    assert (gate().is_stopped, gate().is_asked_to_wait(timezone.now())) == (False, holds)
    assert not AuditEntry.objects.filter(action=Action.ENVIRONMENT_STOPPED).exists()


def test_a_query_that_is_refused_with_a_renewed_token_stops_the_environment(
    redox_server: FakeRedox, editor: User
) -> None:
    unknown(editor)
    redox_server.queries, redox_server.tokens = [servers.answer(401, b"over")], [token_answer("token-2")]
    assert resolve_next("staging", actor=WORKER)
    assert gate().stopped_reason == "Redox does not accept the credential"


# Nothing is sent before the time is over -------------------------------------------------------------------


def test_nothing_is_sent_while_redox_asks_to_wait(redox_server: FakeRedox, editor: User) -> None:
    submission = unknown(editor)
    for act in (*ASKING, send, renew_token):
        due(submission)
        pause_environment("staging", 60.0, "too many requests", actor=WORKER)
        redox_server.arrived.clear()
        act(submission)
        assert redox_server.arrived == [], act


def test_a_query_answered_by_429_pauses_the_environment(redox_server: FakeRedox, editor: User) -> None:
    submission = unknown(editor)
    redox_server.queries = [TOO_MANY_REQUESTS]
    for act in ASKING:
        act(due(submission))
        assert gate().is_asked_to_wait(in_seconds(8)), act
        assert not gate().is_asked_to_wait(in_seconds(11)), act


def test_the_first_answer_that_asks_to_wait_names_the_end_of_the_wait(redox_server: FakeRedox, editor: User) -> None:
    submission = unknown(editor)
    redox_server.queries = [TOO_MANY_REQUESTS]
    cause = query.query_for_submission(submission, actor=as_actor(editor)).cause
    until = gate().hold_asked_until
    assert until is not None
    times = [f"{timezone.localtime(until - datetime.timedelta(seconds=late)):%H:%M:%S %Z}" for late in (0, 1)]
    assert cause in [f"Too many requests. Redox asked the portal to wait until {time}." for time in times]
    set_gate(hold_until=None, hold_asked_until=None)
    checked = check.check_connection("staging", actor=as_actor(editor))
    assert checked.sentence.startswith("The Query was not processed: Too many requests. Redox asked the portal to wait")
    set_gate(hold_until=None, hold_asked_until=None)
    redox_server.queries = [servers.answer(429, b"Too many requests")]
    cause = query.query_for_submission(submission, actor=as_actor(editor)).cause
    assert cause.startswith("Too many requests. Redox does not say for how long; the portal waits until ")


def test_a_person_sees_how_long_the_pause_is(redox_server: FakeRedox, editor: User) -> None:
    submission = unknown(editor)
    pause_environment("staging", 60.0, "too many requests", actor=WORKER)
    until = gate().hold_asked_until
    assert until is not None
    time = f"{timezone.localtime(until):%H:%M:%S %Z}"
    sentence = f"Redox asked the portal to wait. Nothing is sent to STAGING until {time}, for another 60 seconds."
    assert check.check_connection("staging", actor=as_actor(editor)).sentence == sentence
    assert query.query_for_submission(submission, actor=as_actor(editor)).cause == sentence
    pause_environment("staging", 600.0, "too many requests", actor=WORKER)
    assert check.check_connection("staging", actor=as_actor(editor)).sentence.endswith("for another 10 minutes.")


def test_a_check_that_is_not_sent_is_not_stored(redox_server: FakeRedox, editor: User) -> None:
    set_gate(stopped_at=in_seconds(-60), checked_at=in_seconds(-1), check_succeeded=True)
    pause_environment("staging", 60.0, "too many requests", actor=WORKER)
    check.check_connection("staging", actor=as_actor(editor))
    assert resume.can_resume(gate())
    assert not AuditEntry.objects.filter(action=Action.ENVIRONMENT_CHECKED).exists()


def test_a_worker_sends_nothing_more_after_its_query_was_answered_by_429(redox_server: FakeRedox, editor: User) -> None:
    to_read_back(editor)
    unknown(editor)
    factories.submission(factories.organization(f"{BASE}.8", user=editor), user=editor)
    redox_server.arrived.clear()
    redox_server.queries = [TOO_MANY_REQUESTS]

    workers.run_once(WORKER)

    assert redox_server.arrived == ["query"]
    assert Submission.objects.filter(state=State.QUEUED, attempt=0).count() == 1
    assert not AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED, http_status=None).exists()


def test_no_token_is_requested_while_the_token_address_asks_to_wait(redox_server: FakeRedox, editor: User) -> None:
    factories.submission(factories.organization(user=editor), user=editor)
    redox_server.tokens = [TOO_MANY_REQUESTS]
    for _ in range(3):
        assert not deliver()
        workers.run_once(WORKER)
    assert redox_server.arrived == ["token"]
    assert gate().is_asked_to_wait(in_seconds(8))


def test_four_workers_send_nothing_just_after_a_429(redox_server: FakeRedox, editor: User) -> None:
    to_read_back(editor)
    unknown(editor)
    for number in (1, 2):
        factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
    redox_server.writes = [TOO_MANY_REQUESTS]
    assert deliver()
    redox_requests.discard_token(redox_settings.environment("staging"), "token-1")
    redox_server.arrived.clear()

    def work(name: str) -> None:
        try:
            for act in (resolve_next, read_back_next, courier.deliver_due):
                act("staging", actor=system(name))
            workers.run_once(system(name))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, "ABCD"))
    assert redox_server.arrived == []


@pytest.mark.parametrize("closed", ["asked to wait", "stopped", "paused"])
def test_a_submission_claimed_before_a_stop_is_requeued_without_a_try(
    redox_server: FakeRedox, editor: User, closed: str
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    token_text = get_token("staging", WORKER)
    claim = claim_next("staging", actor=WORKER)
    assert claim is not None
    if closed == "asked to wait":
        pause_environment("staging", 60.0, "too many requests", actor=WORKER)
    else:
        set_gate(**(STOPPED if closed == "stopped" else PAUSED))
    redox_server.arrived.clear()

    send_claim(claim, token_text, WORKER)

    submission.refresh_from_db()
    assert (redox_server.arrived, submission.state, submission.counted_attempts) == ([], State.QUEUED, 0)
    entry = AuditEntry.objects.attempt_entry(submission.pk, 1, Action.ATTEMPT_OUTCOME)
    assert entry is not None
    assert entry.outcome == Kind.NOT_SENT
    assert (gate().probing, gate().failures) == ((True, 5) if closed == "paused" else (False, 0))


def test_the_gate_is_checked_after_the_wait_for_the_slot(
    redox_server: FakeRedox, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker gets a 429 while a Query or a token request waits for its slot."""
    submission = unknown(editor)
    redox_server.arrived.clear()
    wait = rate_limit.SendSlot.wait

    def waited(slot: rate_limit.SendSlot) -> None:
        wait(slot)
        pause_environment("staging", 60.0, "too many requests", actor=WORKER)

    monkeypatch.setattr(rate_limit.SendSlot, "wait", waited)
    for act in (ask, renew_token):
        set_gate(hold_until=None, hold_asked_until=None)
        act(submission)
    assert redox_server.arrived == []


@pytest.mark.parametrize("state", ["stopped", "paused"])
def test_a_check_is_sent_while_its_environment_is_stopped_or_paused(
    redox_server: FakeRedox, editor: User, state: str
) -> None:
    set_gate(**(STOPPED if state == "stopped" else {**PAUSED, "hold_until": in_seconds(600)}))
    assert check.check_connection("staging", actor=as_actor(editor)).succeeded
    assert redox_server.arrived == ["token", "query", "query", "query"]


def test_redox_may_ask_to_wait_during_a_pause(redox_server: FakeRedox, editor: User) -> None:
    until = in_seconds(600)
    set_gate(probing=True, failures=5, hold_until=until, hold_reason="Redox did not answer 5 times in a row")
    redox_server.queries = [TOO_MANY_REQUESTS, *redox_server.queries]
    check.check_connection("staging", actor=as_actor(editor))
    assert gate().is_asked_to_wait(in_seconds(8))
    assert (gate().hold_until, gate().hold_reason) == (until, "Redox did not answer 5 times in a row")
    redox_server.arrived.clear()
    check.check_connection("staging", actor=as_actor(editor))
    assert redox_server.arrived == []

    set_gate(hold_asked_until=timezone.now())  # the time that Redox asked for is over, the pause is not
    assert check.check_connection("staging", actor=as_actor(editor)).succeeded


def test_resuming_does_not_end_a_pause_that_redox_asked_for(redox_server: FakeRedox, editor: User) -> None:
    set_gate(stopped_at=in_seconds(-60), checked_at=in_seconds(-1), check_succeeded=True)
    pause_environment("staging", 60.0, "too many requests", actor=WORKER)
    resume.resume("staging", actor=as_actor(editor))
    assert not gate().is_stopped
    assert not gate().can_send(timezone.now())
    assert gate().can_send(in_seconds(61))


def test_a_probe_does_not_end_a_pause_that_redox_asks_for(redox_server: FakeRedox, editor: User) -> None:
    set_gate(probing=True, failures=5, hold_until=in_seconds(-1))
    redox_server.queries = [TOO_MANY_REQUESTS]
    assert not probe_if_half_open("staging", actor=WORKER)
    assert gate().probing
    assert gate().is_paused(in_seconds(8))


def test_a_good_probe_does_not_end_a_pause_that_began_during_it(redox_server: FakeRedox, editor: User) -> None:
    set_gate(probing=True, failures=5, hold_until=in_seconds(-1))
    good = redox_server.queries[0]
    others_wait_until = []
    began = timezone.now()

    def asked_meanwhile(connection_to_us: socket.socket, server: servers.Server) -> None:
        others_wait_until.append(gate().hold_until)
        pause_environment("staging", 60.0, "too many requests", actor=WORKER)
        connection.close()
        good(connection_to_us, server)

    redox_server.queries = [asked_meanwhile]
    probe_if_half_open("staging", actor=WORKER)
    assert others_wait_until[0] is not None
    assert others_wait_until[0] - began >= datetime.timedelta(seconds=2)  # the deadline of the probe
    assert not gate().probing
    assert gate().is_paused(in_seconds(50))
    assert not probe_if_half_open("staging", actor=WORKER)


def test_a_pause_is_for_one_environment(redox_server: FakeRedox, editor: User) -> None:
    pause_environment("production", 60.0, "too many requests", actor=WORKER)
    assert check.check_connection("staging", actor=as_actor(editor)).succeeded
