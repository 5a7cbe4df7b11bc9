"""A submission whose message is sent again: the result of its last attempt, and the next step."""

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
from organizations.services.connection import redox_requests, redox_settings
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


def attempt_at(submission: Submission, url: str, worker: Actor) -> StateBlock:
    """The state block after an attempt at this address."""
    with override_settings(REDOX=redox(url)):
        assert courier.deliver_due("staging", most=1, actor=worker)
        return block(fresh(submission))


def state_text(state: StateBlock) -> str:
    """The result of the attempt, and what the submission waits for if that is shown separately."""
    text = f"{state.explanation.headline} {state.explanation.cause}" if state.explanation else str(state.sentence)
    if state.reason is None or state.explanation_has_reason:
        return text
    return f"{text} {strip_tags(state.reason.sentence)}"


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "was not found"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "refused the connection"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "did not answer"),
        (TimeoutError(), "did not answer"),
    ],
)
def test_a_message_that_did_not_reach_redox_says_why_and_when_it_is_sent_again(
    submission: Submission, worker: Actor, monkeypatch: pytest.MonkeyPatch, fault: Exception, how: str
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_connection", connect)
        patch.setattr(random, "uniform", lambda *_: 3600.0)  # the next attempt is still to come
        state = attempt_at(submission, "http://127.0.0.1:9", worker)
    assert state_text(state).partition("127.0.0.1 ")[2].startswith(f"{how}. Next attempt ")
    assert (state.explanation_has_reason, state.step_url) == (True, "")

    Submission.objects.update(not_before=clock.now())
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        again = block(fresh(submission))
    assert again.reason is not None
    assert (again.explanation_has_reason, again.reason.key) == (False, "worker")


def test_the_stop_of_the_environment_is_beside_the_result_of_the_attempt(submission: Submission, worker: Actor) -> None:
    url = f"http://127.0.0.1:{servers.closed_port()}"
    attempt_at(submission, url, worker)
    pause_environment("staging", 300, "no access token: refused", actor=worker)
    with override_settings(REDOX=redox(url)):
        text = state_text(block(fresh(submission)))
    assert "127.0.0.1 refused the connection. STAGING waits until " in text
    assert text.endswith(": no access token: refused.")


def test_a_certificate_error_links_to_the_connection(submission: Submission, worker: Actor, tmp_path) -> None:
    with servers.serving(servers.silent, servers.tls(servers.certificate(tmp_path))) as server:
        state = attempt_at(submission, server.url, worker)
    assert "self-signed certificate; 127.0.0.1. STAGING is stopped: " in state_text(state)
    assert state.step_url == CONNECTION


def test_an_expired_fixed_token_links_to_the_connection(
    practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "refuses-sign-in"
    state = attempt_at(submission, practice.url, worker)
    assert state.step_url == CONNECTION


def test_a_refused_sign_in_is_about_the_connection_and_not_about_the_record(
    submission: Submission, worker: Actor, tmp_path
) -> None:
    key = {"REDOX_STAGING_AUTH": "api-key", "REDOX_STAGING_API_KEY": "legacy", "REDOX_STAGING_API_SECRET": "secret"}
    credential = Credential(environment="staging", api_key="legacy", api_secret="secret")
    with PracticeDirectory(tmp_path, [credential]) as running, override_settings(REDOX=redox(running.url, **key)):
        assert redox_requests.access_token(redox_settings.environment("staging")).token
        running.behaviour = "refuses-sign-in"
        assert courier.deliver_due("staging", most=1, actor=worker)
        state = block(fresh(submission))
        assert "STAGING is stopped: " in state_text(state)
        assert state.step_url == CONNECTION

        # After the correction the last attempt no longer stops the environment.
        EnvironmentGate.objects.update(stopped_at=None)
        assert is_sent_again(submission)


def is_sent_again(submission: Submission) -> bool:
    """Whether the page says only that the same message is sent again."""
    state = block(fresh(submission))
    return state.explanation is None and "The same message waits to be sent again." in state_text(state)


def test_after_too_many_requests_sending_resumes_automatically(
    practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "too-many"
    state = attempt_at(submission, practice.url, worker)
    assert state.explanation is not None
    assert (state.explanation_has_reason, state.step_url) == (True, "")
    EnvironmentGate.objects.update(hold_until=clock.now())
    assert is_sent_again(submission)


def test_a_redirect_names_its_host_and_links_to_the_connection(submission: Submission, worker: Actor) -> None:
    with servers.serving(servers.answer(302, b"", Location="https://elsewhere.example/endpoint")) as server:
        state = attempt_at(submission, server.url, worker)
    assert "elsewhere.example" in state_text(state)
    assert state.step_url == CONNECTION


def test_a_message_sent_again_after_an_unknown_is_not_called_lost(
    practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "gateway-error"
    attempt_at(submission, practice.url, worker)
    factories.change_submissions(state=State.QUEUED, not_before=None)
    assert is_sent_again(submission)
