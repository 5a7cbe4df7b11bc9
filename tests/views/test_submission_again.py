"""A submission that goes out once more: what came of its last attempt, and the one next step."""

import datetime
import errno
import socket
from collections.abc import Callable

import pytest
from django.test import Client, override_settings

from organizations.models import EnvironmentGate, State, Submission, User, clock
from organizations.practice import Credential, PracticeDirectory
from organizations.services import delivery, environments, gateway
from organizations.services.actors import Actor
from tests import factories
from tests.connected import redox
from tests.redox import servers
from tests.views.pages import text_of
from tests.views.sending import page_of

type ClientOf = Callable[..., Client]

OPEN_CONNECTION = '<a class="btn btn-primary" href="/staging/connection/">Open Connection</a>'


@pytest.fixture
def submission(practice: PracticeDirectory, editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor)


def deliver(url: str, worker: Actor) -> None:
    with override_settings(REDOX=redox(url)):
        assert delivery.deliver_next("staging", actor=worker)


def in_five_minutes() -> datetime.datetime:
    return clock.now() + datetime.timedelta(minutes=5)


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
    client_of: ClientOf, submission: Submission, worker: Actor, monkeypatch: pytest.MonkeyPatch, fault, how: str
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_connection", connect)
        deliver("http://127.0.0.1:9", worker)
    Submission.objects.update(not_before=in_five_minutes())
    response = client_of("viewer").get(page_of(submission))
    said = text_of(response)
    assert f"Redox could not be reached. Nothing was sent. 127.0.0.1 {how}. Next attempt " in said
    assert "The next attempt follows at" not in said
    assert "Open Connection" not in said
    assert "No answer came." in said
    assert "Cancel this submission" not in said

    Submission.objects.update(not_before=clock.now())
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert (
        f"Nothing was sent. 127.0.0.1 {how}. No worker is running" in said or f"{how}. A worker will take it." in said
    )


def test_what_holds_the_environment_stands_beside_what_came_of_the_attempt(
    client_of: ClientOf, submission: Submission, worker: Actor
) -> None:
    deliver(f"http://127.0.0.1:{servers.closed_port()}", worker)
    environments.hold_now("staging", 300, "no access token: refused", actor=worker)
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert "Nothing was sent. 127.0.0.1 refused. STAGING waits until " in said
    assert "no access token: refused." in said


def test_a_side_that_cannot_prove_itself_leads_to_the_connection(
    client_of: ClientOf, submission: Submission, worker: Actor, tmp_path
) -> None:
    with servers.serving(servers.silent, servers.tls(servers.certificate(tmp_path))) as server:
        deliver(server.url, worker)
    response = client_of("viewer").get(page_of(submission))
    said = text_of(response)
    assert (
        "The other side could not prove that it is Redox. Nothing was sent. self-signed certificate; 127.0.0.1." in said
    )
    assert "STAGING is stopped: the other side could not prove that it is Redox. Open Connection" in said
    assert response.content.decode().count(OPEN_CONNECTION) == 1


def test_a_fixed_token_that_ended_leads_to_the_connection(
    client_of: ClientOf, practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "refuses-sign-in"
    assert delivery.deliver_next("staging", actor=worker)
    response = client_of("viewer").get(page_of(submission))
    assert "The fixed access token has ended. Redox's tokens last minutes or hours." in text_of(response)
    assert response.content.decode().count(OPEN_CONNECTION) == 1


def test_a_refused_sign_in_is_about_the_connection_and_not_about_the_record(
    client_of: ClientOf, editor: User, worker: Actor, tmp_path, transactional_db: None
) -> None:
    key = {"REDOX_STAGING_AUTH": "api-key", "REDOX_STAGING_API_KEY": "legacy", "REDOX_STAGING_API_SECRET": "secret"}
    credential = Credential(environment="staging", api_key="legacy", api_secret="secret")
    with PracticeDirectory(tmp_path, [credential]) as running, override_settings(REDOX=redox(running.url, **key)):
        submission = factories.submission(factories.organization(user=editor), user=editor)
        assert gateway.access_token(gateway.environment("staging")).token
        running.behaviour = "refuses-sign-in"
        assert delivery.deliver_next("staging", actor=worker)
        response = client_of("viewer").get(page_of(submission))
        said = text_of(response)
        assert "Redox did not accept the sign-in or the message's head. This is about the connection, not " in said
        assert "STAGING is stopped: Redox does not accept the credential." in said
        assert "Nothing has been sent" not in said
        assert response.content.decode().count(OPEN_CONNECTION) == 1

        # Put right: what came of the last attempt holds nothing any more.
        EnvironmentGate.objects.update(stopped_at=None)
        said = text_of(client_of("viewer").get(page_of(submission)))
    assert "Reviewed and stored. The same message is sent again. A worker will take it." in said
    assert "This is about the connection" not in said


def test_too_many_requests_go_on_by_themselves(
    client_of: ClientOf, practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "too-many"
    assert delivery.deliver_next("staging", actor=worker)
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert "Too many requests from our address. This one was not processed. All of STAGING waits until " in said
    assert "Sending continues without you." in said
    assert ": too many requests." not in said[: said.index("Attempts")]

    EnvironmentGate.objects.update(hold_until=clock.now())
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert "Reviewed and stored. The same message is sent again. A worker will take it." in said
    assert "Too many requests" not in said[: said.index("Attempts")]


def test_a_redirect_names_its_host_and_leads_to_the_connection(
    client_of: ClientOf, submission: Submission, worker: Actor
) -> None:
    with servers.serving(servers.answer(302, b"", Location="https://elsewhere.example/endpoint")) as server:
        deliver(server.url, worker)
    response = client_of("viewer").get(page_of(submission))
    cause = "A redirect to elsewhere.example is never followed: a proxy, or the address setting."
    assert f"Redox's address points elsewhere. {cause}" in text_of(response)
    assert response.content.decode().count(OPEN_CONNECTION) == 1


def test_what_goes_out_once_more_after_an_unknown_is_not_said_to_be_lost_again(
    client_of: ClientOf, practice: PracticeDirectory, submission: Submission, worker: Actor
) -> None:
    practice.behaviour = "gateway-error"
    assert delivery.deliver_next("staging", actor=worker)
    Submission.objects.update(state=State.QUEUED, not_before=None)
    said = text_of(client_of("viewer").get(page_of(submission)))
    assert "Reviewed and stored. The same message is sent again. A worker will take it." in said
    assert "We do not know whether this arrived." not in said
