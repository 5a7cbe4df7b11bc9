"""A submission that goes out once more: what came of its last attempt, and the one next step."""

import errno
import random
import socket

import pytest
from django.test import override_settings
from django.utils.html import strip_tags

from organizations.models import EnvironmentGate, State, Submission, User, clock
from organizations.pages.submission.state import StateBlock
from organizations.practice import Credential, PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.connection import gateway, redox_settings
from organizations.services.delivery import courier
from tests import factories
from tests.breakers import pause_environment
from tests.connected import redox
from tests.pages.sending import block, fresh
from tests.redox import servers

CONNECTION = "/staging/connection/"


@pytest.fixture
def submission(transactional_db: None, editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor)


def after(submission: Submission, url: str, worker: Actor) -> StateBlock:
    """What the page says after an attempt at this address."""
    with override_settings(REDOX=redox(url)):
        assert courier.deliver_next("staging", actor=worker)
        return block(fresh(submission))


def told(state: StateBlock) -> str:
    """What came of the attempt, and what it waits for if that is not told with it."""
    said = f"{state.explanation.headline} {state.explanation.cause}" if state.explanation else str(state.sentence)
    return said if state.reason is None or state.reason_is_told else f"{said} {strip_tags(state.reason.sentence)}"


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "was not found"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "refused"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "did not answer"),
        (TimeoutError(), "did not answer"),
    ],
)
def test_what_did_not_reach_redox_says_how_and_when_it_follows(
    submission: Submission, worker: Actor, monkeypatch: pytest.MonkeyPatch, fault: Exception, how: str
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_connection", connect)
        patch.setattr(random, "uniform", lambda *_: 3600.0)  # the next attempt is still to come
        state = after(submission, "http://127.0.0.1:9", worker)
    assert told(state).partition("127.0.0.1 ")[2].startswith(f"{how}. Next attempt ")
    assert (state.reason_is_told, state.step_url) == (True, "")

    Submission.objects.update(not_before=clock.now())
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        again = block(fresh(submission))
    assert again.reason is not None
    assert (again.reason_is_told, again.reason.key) == (False, "worker")


def test_what_holds_the_environment_stands_beside_what_came_of_the_attempt(
    submission: Submission, worker: Actor
) -> None:
    url = f"http://127.0.0.1:{servers.closed_port()}"
    after(submission, url, worker)
    pause_environment("staging", 300, "no access token: refused", actor=worker)
    with override_settings(REDOX=redox(url)):
        said = told(block(fresh(submission)))
    assert "127.0.0.1 refused. STAGING waits until " in said
    assert said.endswith(": no access token: refused.")


def test_a_side_that_cannot_prove_itself_leads_to_the_connection(
    submission: Submission, worker: Actor, tmp_path
) -> None:
    with servers.serving(servers.silent, servers.tls(servers.certificate(tmp_path))) as server:
        state = after(submission, server.url, worker)
    assert "self-signed certificate; 127.0.0.1. STAGING is stopped: " in told(state)
    assert state.step_url == CONNECTION


def test_a_fixed_token_that_ended_leads_to_the_connection(
    practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "refuses-sign-in"
    state = after(submission, practice.url, worker)
    assert state.step_url == CONNECTION


def test_a_refused_sign_in_is_about_the_connection_and_not_about_the_record(
    submission: Submission, worker: Actor, tmp_path
) -> None:
    key = {"REDOX_STAGING_AUTH": "api-key", "REDOX_STAGING_API_KEY": "legacy", "REDOX_STAGING_API_SECRET": "secret"}
    credential = Credential(environment="staging", api_key="legacy", api_secret="secret")
    with PracticeDirectory(tmp_path, [credential]) as running, override_settings(REDOX=redox(running.url, **key)):
        assert gateway.access_token(redox_settings.environment("staging")).token
        running.behaviour = "refuses-sign-in"
        assert courier.deliver_next("staging", actor=worker)
        state = block(fresh(submission))
        assert "STAGING is stopped: " in told(state)
        assert state.step_url == CONNECTION

        # Put right: what came of the last attempt holds nothing any more.
        EnvironmentGate.objects.update(stopped_at=None)
        assert is_sent_again(submission)


def is_sent_again(submission: Submission) -> bool:
    """Whether the page only says that the same message is sent again."""
    state = block(fresh(submission))
    return state.explanation is None and "The same message is sent again." in told(state)


def test_too_many_requests_go_on_by_themselves(
    practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "too-many"
    state = after(submission, practice.url, worker)
    assert state.explanation is not None
    assert (state.reason_is_told, state.step_url) == (True, "")
    EnvironmentGate.objects.update(hold_until=clock.now())
    assert is_sent_again(submission)


def test_a_redirect_names_its_host_and_leads_to_the_connection(submission: Submission, worker: Actor) -> None:
    with servers.serving(servers.answer(302, b"", Location="https://elsewhere.example/endpoint")) as server:
        state = after(submission, server.url, worker)
    assert "elsewhere.example" in told(state)
    assert state.step_url == CONNECTION


def test_what_goes_out_once_more_after_an_unknown_is_not_said_to_be_lost_again(
    practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "gateway-error"
    after(submission, practice.url, worker)
    Submission.objects.update(state=State.QUEUED, not_before=None)
    assert is_sent_again(submission)
