"""Each way to get an access token, with right and wrong requests."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from organizations.practice import Credential, PracticeDirectory
from tests.practice.helpers import Portal, by_oid, write

KEY_NOT_FOUND = "Public key not found, check client_id, kid and Redox dashboard settings"
ALGORITHMS = ["RS256", "RS384"]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Later(int):
    """Seconds after the time at which the test runs, which can be minutes after its collection."""


def assertion(practice: PracticeDirectory, key: RSAKey, header: dict[str, Any] | None = None, **claims: Any) -> str:
    now = int(time.time())
    usual = {
        "iss": "client-1",
        "sub": "client-1",
        "aud": f"{practice.url}/v2/auth/token",
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
    }
    stated = {name: now + int(value) if isinstance(value, Later) else value for name, value in claims.items()}
    kept = {name: value for name, value in {**usual, **stated}.items() if value is not None}
    return jwt.encode({"alg": "RS384", "kid": "key-1"} if header is None else header, kept, key, algorithms=ALGORITHMS)


def ask(portal: Portal, signed: str, **form: str | None) -> httpx.Response:
    fields = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    kept = {name: value for name, value in {**fields, **form}.items() if value is not None}
    return portal.http.post(f"{portal.practice.url}/v2/auth/token", data=kept)


def description(answer: httpx.Response) -> str:
    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "error_description", "error_uri"}
    assert answer.json()["error"] == "invalid_request"
    text: str = answer.json()["error_description"]
    return text


def test_a_signed_assertion_opens_the_environment_of_its_key(portal: Portal, private_key: RSAKey) -> None:
    answer = ask(portal, assertion(portal.practice, private_key))
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 300
    portal.tokens["staging"] = answer.json()["access_token"]
    assert portal.post(write()).status_code == 200
    assert portal.practice.organizations("production") == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "client-2"}, KEY_NOT_FOUND),
        ({"sub": "client-2"}, "Unexpected sub claim value"),
        ({"aud": "https://example.org/v2/auth/token"}, "Unexpected aud claim value"),
        ({"aud": None}, "Unexpected aud claim value"),
        ({"iat": None}, ""),
        ({"iat": Later(-400)}, ""),
        ({"iat": Later(+200)}, ""),
        ({"exp": None}, ""),
        ({"exp": Later(-60)}, ""),
        ({"exp": Later(+3600)}, ""),
        ({"jti": None}, ""),
        ({"jti": ""}, ""),
    ],
)
def test_a_wrong_claim_is_refused(portal: Portal, private_key: RSAKey, changes: dict[str, Any], expected: str) -> None:
    assert description(ask(portal, assertion(portal.practice, private_key, **changes))) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"alg": "RS384"}, "JWT header kid property is required"),
        ({"alg": "RS384", "kid": "key-2"}, KEY_NOT_FOUND),
        ({"alg": "RS256", "kid": "key-1"}, ""),
    ],
)
def test_a_wrong_header_is_refused(portal: Portal, private_key: RSAKey, header: dict[str, str], expected: str) -> None:
    free = RSAKey.import_key(private_key.as_pem(private=True))  # signs with any algorithm
    assert description(ask(portal, assertion(portal.practice, free, header))) == expected


def test_another_private_key_is_refused(portal: Portal) -> None:
    assert description(ask(portal, assertion(portal.practice, RSAKey.generate_key(2048)))) == ""


def test_an_assertion_can_be_used_once(portal: Portal, private_key: RSAKey) -> None:
    signed = assertion(portal.practice, private_key)
    assert ask(portal, signed).status_code == 200
    assert description(ask(portal, signed)) == ""


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"grant_type": None}, "Missing grant_type parameter"),
        ({"grant_type": "password"}, "The grant_type parameter should equal 'client_credentials'"),
        ({"client_assertion_type": None}, "Missing client assertion type"),
        ({"client_assertion_type": "jwt"}, "Invalid client assertion type"),
        ({"client_assertion": None}, "Missing client assertion"),
        ({"client_assertion": "a.b"}, ""),
    ],
)
def test_a_wrong_form_is_refused_with_the_documented_text(
    portal: Portal, private_key: RSAKey, form: dict[str, str | None], expected: str
) -> None:
    assert description(ask(portal, assertion(portal.practice, private_key), **form)) == expected


def test_a_token_request_in_json_is_refused(portal: Portal) -> None:
    answer = portal.http.post(f"{portal.practice.url}/v2/auth/token", json={"grant_type": "client_credentials"})
    assert description(answer) == "x-www-form-urlencoded content-type required"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signed=st.one_of(st.text(min_size=1), st.from_regex(r"eyJ[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True)))
def test_text_that_is_not_an_assertion_is_refused(portal: Portal, signed: str) -> None:
    assert ask(portal, signed.encode("utf-8", "ignore").decode() or "x").status_code == 400


def legacy(portal: Portal, address: str, **content: str) -> httpx.Response:
    return portal.http.post(f"{portal.practice.url}/auth/{address}", json=content)


def test_a_legacy_key_opens_its_environment_for_a_day(portal: Portal) -> None:
    answer = legacy(portal, "authenticate", apiKey="legacy-key", secret="legacy-secret")
    assert answer.status_code == 200
    end = datetime.fromisoformat(answer.json()["expires"])
    assert timedelta(hours=23) < end - datetime.now(UTC) <= timedelta(hours=24)
    portal.tokens["production"] = answer.json()["accessToken"]
    assert portal.post(write(environment="production"), "production").status_code == 200


def test_a_refresh_token_can_be_used_once_and_only_with_its_own_key(portal: Portal) -> None:
    first = legacy(portal, "authenticate", apiKey="legacy-key", secret="legacy-secret").json()["refreshToken"]
    assert legacy(portal, "refreshToken", apiKey="another-key", refreshToken=first).status_code == 401
    renewed = legacy(portal, "refreshToken", apiKey="legacy-key", refreshToken=first)
    assert renewed.status_code == 200
    portal.tokens["production"] = renewed.json()["accessToken"]
    assert portal.post(write(environment="production"), "production").status_code == 200
    assert legacy(portal, "refreshToken", apiKey="legacy-key", refreshToken=first).status_code == 401


@pytest.mark.parametrize(
    "content",
    [
        {"apiKey": "legacy-key", "secret": "wrong"},
        {"apiKey": "wrong", "secret": "legacy-secret"},
        {"apiKey": "", "secret": ""},
        {"apiKey": "legacy-key"},
    ],
)
def test_a_wrong_legacy_key_is_refused_in_plain_text(portal: Portal, content: dict[str, str]) -> None:
    answer = legacy(portal, "authenticate", **content)
    assert (answer.status_code, answer.text) == (401, "Invalid request")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic staging-token", "staging-token"])
def test_a_message_without_a_good_token_is_a_401_and_changes_nothing(portal: Portal, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = portal.http.post(f"{portal.practice.url}/endpoint", json=write(), headers=headers)
    assert answer.status_code == 401
    assert portal.practice.effects == []


def test_an_access_token_expires_and_a_refresh_token_renews_it(portal: Portal) -> None:
    answer = legacy(portal, "authenticate", apiKey="legacy-key", secret="legacy-secret").json()
    portal.tokens["production"] = answer["accessToken"]
    portal.practice.expire_tokens()
    assert portal.post(write(environment="production"), "production").status_code == 401
    assert legacy(portal, "refreshToken", apiKey="legacy-key", refreshToken=answer["refreshToken"]).status_code == 200


def test_refusing_the_sign_in_refuses_each_kind_of_credential(portal: Portal, private_key: RSAKey) -> None:
    portal.practice.behaviour = "refuses-sign-in"
    oauth = ask(portal, assertion(portal.practice, private_key))
    assert (oauth.status_code, oauth.json()["error_description"]) == (401, KEY_NOT_FOUND)
    assert legacy(portal, "authenticate", apiKey="legacy-key", secret="legacy-secret").status_code == 401
    assert legacy(portal, "refreshToken", apiKey="legacy-key", refreshToken="x").status_code == 401
    assert portal.post(write()).status_code == 401
    assert portal.post(by_oid()).status_code == 401
    assert portal.practice.effects == []


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"client_id": "client-1"},
        {"client_id": "client-1", "public_jwk": {"kty": "RSA"}},
        {"api_key": "key"},
        {"api_key": "key", "api_secret": "secret", "access_token": "token"},
    ],
)
def test_a_credential_is_exactly_one_of_the_three(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a credential is"):
        Credential(environment="staging", **parts)
    with pytest.raises(ValueError, match="environment"):
        Credential(environment="development", access_token="token")


def test_a_credential_never_shows_its_secret() -> None:
    shown = repr(Credential(environment="staging", api_key="key", api_secret="hidden-1"))
    assert "hidden-1" not in shown + repr(Credential(environment="staging", access_token="hidden-1"))
