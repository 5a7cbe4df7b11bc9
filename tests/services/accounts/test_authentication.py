"""Delivery with each way to sign in. The token comes before the claim, is renewed once, and a second refusal stops."""

import socket
from typing import Any

import pytest
from django.test import override_settings
from joserfc.jwk import RSAKey

from organizations.models import Action, AuditEntry, EnvironmentGate, State, User
from organizations.practice import Credential, PracticeDirectory
from tests import factories
from tests.connected import redox
from tests.redox import servers
from tests.services.fake_redox import API_KEY
from tests.services.sending import actions_of, deliver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": "key-1", "use": "sig", "alg": "RS384"})


@pytest.fixture(scope="module")
def oauth(key: RSAKey) -> dict[str, str]:
    return {
        "REDOX_STAGING_AUTH": "oauth",
        "REDOX_STAGING_CLIENT_ID": "client-1",
        "REDOX_STAGING_KEY_ID": "key-1",
        "REDOX_STAGING_PRIVATE_KEY": key.as_pem(private=True).decode(),
    }


def test_a_message_is_delivered_with_a_signed_assertion_which_is_stored_nowhere(
    editor: User, tmp_path, key: RSAKey, oauth: dict[str, str]
) -> None:
    credential = Credential(environment="staging", client_id="client-1", public_jwk=dict(key.as_dict(private=False)))
    with PracticeDirectory(tmp_path, [credential]) as practice, override_settings(
        REDOX=redox(practice.url, **oauth), REDOX_RATE=1000.0
    ):  # fmt: skip
        first = factories.submission(factories.organization(user=editor), user=editor)
        second = factories.submission(factories.organization(f"{factories.BASE}.1", user=editor), user=editor)
        assert deliver()
        assert deliver()
        paths = [request.path for request in practice.requests]
        proof = next(request.body for request in practice.requests if request.path == "/v2/auth/token")

    assert paths == ["/v2/auth/token", "/endpoint", "/endpoint"]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (State.ACCEPTED, State.ACCEPTED)
    stored_bytes = b"".join(bytes(part) for row in AuditEntry.objects.all() for part in (row.body, row.raw or b""))
    assert b"eyJ" in proof
    assert b"eyJ" not in stored_bytes
    assert b"PRIVATE KEY" not in stored_bytes


class _RefusesMessages:
    """Gives a new token on each request, and refuses every message."""

    def __init__(self) -> None:
        self.tokens = 0

    def __call__(self, connection: socket.socket, server: servers.Server) -> None:
        if server.read(connection).startswith(b"POST /endpoint "):
            connection.sendall(servers.response(401, b"no"))
            return
        self.tokens += 1
        token = f"made-up-token-{self.tokens}"
        granted: dict[str, Any] = {"access_token": token, "expires_in": "300"}
        granted |= {"accessToken": token, "expires": "2099-01-01T00:00:00Z", "refreshToken": "made-up-refresh"}
        connection.sendall(servers.response(200, granted))


@pytest.mark.parametrize("way", ["oauth", "api-key"])
def test_a_second_401_with_a_new_token_stops_the_environment_and_is_not_a_try(
    editor: User, oauth: dict[str, str], way: str
) -> None:
    values = oauth if way == "oauth" else API_KEY
    with servers.serving(_RefusesMessages()) as server, override_settings(REDOX=redox(server.url, **values)):
        submission = factories.submission(factories.organization(user=editor), user=editor)
        assert deliver()
        assert not deliver()
        heads = [head for head in (server.head(place) for place in range(len(server.requests))) if "/endpoint " in head]

    submission.refresh_from_db()
    gate = EnvironmentGate.objects.get(pk="staging")
    assert (submission.state, submission.attempt, submission.counted_attempts) == (State.QUEUED, 1, 0)
    assert gate.is_stopped
    assert gate.stopped_reason.startswith("Redox does not accept the credential")
    tokens = [line for head in heads for line in head.split("\r\n") if line.startswith("Authorization")]
    assert tokens == ["Authorization: Bearer made-up-token-1", "Authorization: Bearer made-up-token-2"]
    assert actions_of(submission).count(Action.ATTEMPT_INTENT) == 1
    assert actions_of(submission).count(Action.ATTEMPT_OUTCOME) == 1
    responses = AuditEntry.objects.filter(action=Action.ATTEMPT_RESPONSE).order_by("sequence")
    assert [entry.facts["exchange"]["repeat"] for entry in responses] == [0, 1]
