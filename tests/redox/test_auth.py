"""Access tokens: the requests, how long a token is kept, and what a refusal means."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from organizations.redox import auth
from organizations.redox.auth import TokenAnswer, public_jwk, thumbprint, token_source
from organizations.redox.client import Fault, Limits
from organizations.redox.environment import (
    ORGANIZATION_ROUTING,
    STAGING,
    ApiKeyCredential,
    Credential,
    OAuthCredential,
    RedoxEnvironment,
    TokenCredential,
)
from organizations.redox.outcome import STOP_CERTIFICATE, STOP_CREDENTIAL, STOP_REDIRECT, Kind

from . import servers

pytestmark = pytest.mark.slow

KEY_ID = "key-1"
CLIENT_ID = "client-1"
API_KEY = ApiKeyCredential(api_key="made-up-api-key", api_secret="made-up-api-secret")


@pytest.fixture(scope="module")
def private_key() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def oauth(private_key: RSAKey) -> OAuthCredential:
    pem = private_key.as_pem(private=True).decode()
    return OAuthCredential(client_id=CLIENT_ID, key_id=KEY_ID, private_key=pem)


def environment(credential: Credential | None, url: str) -> RedoxEnvironment:
    return RedoxEnvironment(name=STAGING, routing_id=ORGANIZATION_ROUTING[STAGING], base_url=url, credential=credential)


def granting(make: Callable[[int], dict[str, Any]], seconds: float = 0) -> servers.Behaviour:
    """Answer each request with the result of `make` for its number, counted from 1."""
    given: list[int] = []

    def behave(connection: Any, server: servers.Server) -> None:
        server.read(connection)
        given.append(1)
        time.sleep(seconds)
        connection.sendall(servers.response(200, make(len(given))))

    return behave


def oauth_grant(expires_in: object = 300) -> Callable[[int], dict[str, Any]]:
    return lambda number: {"access_token": f"token-{number}", "expires_in": expires_in, "token_type": "Bearer"}


def api_key_grant(seconds: float = 3600) -> Callable[[int], dict[str, Any]]:
    expires = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return lambda number: {"accessToken": f"token-{number}", "expires": expires, "refreshToken": f"refresh-{number}"}


def test_the_assertion_is_what_redox_documents(oauth: OAuthCredential, private_key: RSAKey, limits: Limits) -> None:
    with servers.serving(granting(oauth_grant(0))) as server:
        source = token_source(environment(oauth, server.url), limits)
        answers = [source.get(), source.get()]
    assert [answer.token for answer in answers] == ["token-1", "token-2"]
    assert server.head().startswith("POST /v2/auth/token HTTP/1.1")
    assert "Content-Type: application/x-www-form-urlencoded" in server.head()
    seen = []
    for place in (0, 1):
        form = parse_qs(server.body(place).decode(), strict_parsing=True)
        assert form["grant_type"] == ["client_credentials"]
        assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
        seen.append(jwt.decode(form["client_assertion"][0], private_key, algorithms=["RS384"]))
    for assertion in seen:
        assert assertion.header == {"alg": "RS384", "kid": KEY_ID, "typ": "JWT"}
        claims = assertion.claims
        assert (claims["iss"], claims["sub"]) == (CLIENT_ID, CLIENT_ID)
        assert claims["aud"] == f"{server.url}/v2/auth/token"
        assert abs(claims["iat"] - time.time()) < 5
        assert claims["exp"] == claims["iat"] + 300
    assert seen[0].claims["jti"] != seen[1].claims["jti"]


def test_the_public_key_can_be_pasted_and_verifies_the_signature(oauth: OAuthCredential, private_key: RSAKey) -> None:
    shown = public_jwk(oauth)
    assert set(shown) == {"kty", "n", "e", "kid", "use", "alg"}
    assert (shown["kty"], shown["kid"], shown["use"], shown["alg"]) == ("RSA", KEY_ID, "sig", "RS384")
    signed = jwt.encode({"alg": "RS384"}, {"sub": "x"}, private_key, algorithms=["RS384"])
    assert jwt.decode(signed, RSAKey.import_key(shown), algorithms=["RS384"]).claims == {"sub": "x"}
    assert thumbprint(oauth) == RSAKey.import_key(shown).thumbprint()


def test_a_key_that_cannot_sign_is_refused_without_being_shown(private_key: RSAKey, limits: Limits) -> None:
    pem = private_key.as_pem(private=True).decode()
    bad = [
        "",
        "no key at all",
        pem.replace("M", "N"),
        private_key.as_pem(private=False).decode(),
        private_key.as_pem(private=True, password="secret").decode(),
        ECKey.generate_key("P-384").as_pem(private=True).decode(),
    ]
    for text in bad:
        credential = OAuthCredential(client_id=CLIENT_ID, key_id=KEY_ID, private_key=text)
        for use in (public_jwk, thumbprint):
            with pytest.raises(ValueError, match="key") as error:
                use(credential)
            assert not text or text not in str(error.value)
        with pytest.raises(ValueError, match="key"):
            token_source(environment(credential, "https://api.example.org"), limits)


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock of the process forward by this many seconds."""
    passed = [0.0]
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + sum(passed))
    return passed.append


@pytest.mark.parametrize(("life", "kept"), [(10, 9), (60, 54), (300, 270), (3600, 3540)])
def test_a_token_is_reused_until_shortly_before_it_expires(
    oauth: OAuthCredential, limits: Limits, passing: Callable[[float], None], life: int, kept: int
) -> None:
    with servers.serving(granting(oauth_grant(str(life)))) as server:
        source = token_source(environment(oauth, server.url), limits)
        first = source.get()
        passing(kept - 0.9)
        again = source.get()
        passing(1.0)
        later = source.get()
    assert (first.token, again.token, later.token) == ("token-1", "token-1", "token-2")
    assert (first.status, again.status) == (200, None)


@pytest.mark.parametrize(("life", "due", "over"), [("300", 270, 300), ("soon", 0, 10), ("0", 0, 10)])
def test_a_token_that_is_due_stays_ready_until_it_expires(
    oauth: OAuthCredential, limits: Limits, passing: Callable[[float], None], life: str, due: int, over: int
) -> None:
    """Messages are sent with it while the next one is requested, even if Redox does not say how long it is valid."""
    with servers.serving(granting(oauth_grant(life))) as server:
        source = token_source(environment(oauth, server.url), limits)
        assert (source.ready(), source.is_due()) == (None, True)
        source.get()
    assert source.is_due() == (due == 0)
    passing(max(due, over - 5))
    ready = source.ready()
    assert (ready and ready.token, source.is_due()) == ("token-1", True)
    passing(6.0 if due == 0 else 30.0)
    assert source.ready() is None


def test_a_token_stays_ready_if_the_next_one_is_refused_before_it_expires(
    oauth: OAuthCredential, limits: Limits, passing: Callable[[float], None]
) -> None:
    with servers.serving(granting(oauth_grant("300"))) as server:
        source = token_source(environment(oauth, server.url), limits)
        source.get()
        passing(280.0)
        server._behave = servers.answer(503)
        assert source.get().token == ""
        ready = source.ready()
        assert (ready and ready.token, source.is_due()) == ("token-1", True)
        passing(30.0)
        assert source.ready() is None


def test_a_discarded_token_is_neither_ready_nor_used(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(granting(oauth_grant())) as server:
        source = token_source(environment(oauth, server.url), limits)
        source.get()
        source.discard("token-1")
    assert (source.ready(), source.is_due()) == (None, True)


def test_no_token_is_requested_while_redox_asks_to_wait(
    oauth: OAuthCredential, limits: Limits, passing: Callable[[float], None]
) -> None:
    with servers.serving(servers.answer(429, Retry_After="10")) as server:
        source = token_source(environment(oauth, server.url), limits)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: source.get(), range(8)))
        assert server.connections == 1
        passing(8.0)
        outcome = source.get().outcome
        assert server.connections == 1
        server._behave = granting(oauth_grant())
        passing(2.0)
        assert source.get().token == "token-1"
    assert [answer.token for answer in answers] == [""] * 8
    assert outcome is not None
    assert outcome.hold_seconds is not None
    assert 0 < outcome.hold_seconds <= 2.0


def test_an_unreadable_lifetime_counts_as_zero(oauth: OAuthCredential, limits: Limits) -> None:
    said: list[object] = [None, "soon", True, -5, 0, "1e999", [], 10**400]
    with servers.serving(granting(lambda number: oauth_grant(said[number - 1])(number))) as server:
        source = token_source(environment(oauth, server.url), limits)
        assert [source.get().token for _ in said] == [f"token-{number + 1}" for number in range(len(said))]


def test_threads_that_need_a_token_at_the_same_time_send_one_request(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(granting(oauth_grant(), seconds=0.1)) as server:
        source = token_source(environment(oauth, server.url), limits)
        start = threading.Barrier(8)

        def get(_: int) -> str:
            start.wait()
            return source.get().token

        with ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(get, range(8)))
    assert answers == {"token-1"}
    assert server.connections == 1


def test_a_refused_token_is_not_returned_again_but_the_next_one_is(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(granting(oauth_grant())) as server:
        source = token_source(environment(oauth, server.url), limits)
        old = source.get().token
        source.discard(old)
        new = source.get().token
        source.discard(old)  # a second worker whose token was the old one
        assert source.get().token == new
    assert (old, new) == ("token-1", "token-2")
    assert source.can_renew


def test_a_token_is_discarded_while_another_one_is_requested(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(granting(oauth_grant("0"), seconds=0.5)) as server, ThreadPoolExecutor(1) as pool:
        source = token_source(environment(oauth, server.url), limits)
        source.get()
        renewed = pool.submit(source.get)
        while server.connections < 2:
            time.sleep(0.01)
        source.discard("token-1")
        assert not renewed.done()
        assert source.ready() is None
        assert renewed.result().token == "token-2"


def test_a_token_can_be_used_even_if_its_request_took_longer_than_its_lifetime(
    oauth: OAuthCredential, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "LEAST_LIFETIME", 0.2)
    with servers.serving(granting(oauth_grant("0"), seconds=0.3)) as server:
        source = token_source(environment(oauth, server.url), limits)
        source.get()
        assert source.ready() == TokenAnswer(token="token-1")


def test_an_api_key_is_sent_once_and_then_refreshed(limits: Limits) -> None:
    with servers.serving(granting(api_key_grant(seconds=-1))) as server:
        source = token_source(environment(API_KEY, server.url), limits)
        assert [source.get().token, source.get().token, source.get().token] == ["token-1", "token-2", "token-3"]
    assert [server.head(place).split(" ")[1] for place in (0, 1, 2)] == [
        "/auth/authenticate",
        "/auth/refreshToken",
        "/auth/refreshToken",
    ]
    sent = [json.loads(server.body(place)) for place in (0, 1, 2)]
    assert sent == [
        {"apiKey": "made-up-api-key", "secret": "made-up-api-secret"},
        {"apiKey": "made-up-api-key", "refreshToken": "refresh-1"},
        {"apiKey": "made-up-api-key", "refreshToken": "refresh-2"},
    ]


def test_the_token_of_an_api_key_is_reused_until_it_expires_by_redoxs_clock(limits: Limits) -> None:
    now = datetime.now(UTC) + timedelta(days=3)  # their clock
    granted = {"accessToken": "t", "refreshToken": "r", "expires": (now + timedelta(hours=1)).isoformat()}
    with servers.serving(servers.answer(200, granted, Date=format_datetime(now, usegmt=True))) as server:
        source = token_source(environment(API_KEY, server.url), limits)
        first = source.get()
        source.get()
    assert server.connections == 1
    assert first.clock_difference == pytest.approx(3 * 86400, abs=2)


def test_a_refused_refresh_token_is_followed_by_the_secret_at_once(limits: Limits) -> None:
    def behave(connection: Any, server: servers.Server) -> None:
        if b"/auth/refreshToken" in server.read(connection):
            connection.sendall(servers.response(401, b"Invalid request"))
        else:
            connection.sendall(servers.response(200, api_key_grant(seconds=-1)(len(server.requests))))

    with servers.serving(behave) as server:
        source = token_source(environment(API_KEY, server.url), limits)
        assert [source.get().token, source.get().token] == ["token-1", "token-3"]


def test_after_a_refusal_of_the_token_the_secret_is_sent_again(limits: Limits) -> None:
    with servers.serving(granting(api_key_grant())) as server:
        source = token_source(environment(API_KEY, server.url), limits)
        source.discard(source.get().token)
        source.get()
    assert "/auth/authenticate" in server.head()


def test_a_fixed_token_cannot_be_renewed(limits: Limits) -> None:
    source = token_source(environment(TokenCredential(access_token="fixed"), "https://api.example.org"), limits)
    assert not source.can_renew
    source.discard("fixed")
    assert source.get() == TokenAnswer(token="fixed")
    with pytest.raises(ValueError, match="the access token") as error:
        token_source(environment(TokenCredential(access_token="se\ncret"), "https://api.example.org"), limits)
    assert "cret" not in str(error.value)


def test_a_cancelled_token_request_ends_and_none_follows(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(servers.silent) as server, ThreadPoolExecutor(1) as pool:
        source = token_source(environment(oauth, server.url), limits)
        request = pool.submit(source.get)
        until = time.monotonic() + 20
        while not server.requests:
            assert time.monotonic() < until
            time.sleep(0.01)
        source.abort()
        answers = [request.result(), source.get()]
    assert [answer.token for answer in answers] == ["", ""]
    assert [answer.outcome and answer.outcome.fault for answer in answers] == [Fault.STOPPED] * 2
    assert server.connections == 1


def test_without_a_credential_there_are_no_tokens(limits: Limits) -> None:
    with pytest.raises(ValueError, match="no credential"):
        token_source(environment(None, "https://api.example.org"), limits)


def refused(status: int, description: str) -> servers.Behaviour:
    return servers.answer(status, {"error": "invalid_request", "error_description": description})


REFUSALS = [
    (refused(400, "Public key not found, check client_id, kid and Redox dashboard settings"), auth.KEY_UNKNOWN),
    (refused(400, "JWT header kid property is required"), auth.KEY_ID_MISSING),
    (refused(401, "Unexpected iat claim value"), auth.ASSERTION_REFUSED),
    (refused(403, ""), auth.ASSERTION_REFUSED),
    (servers.answer(401, b"<html>no</html>"), auth.ASSERTION_REFUSED),
    (servers.answer(401, b"\x1f\x8b", Content_Encoding="gzip"), auth.ASSERTION_REFUSED),
]


@pytest.mark.parametrize(("behave", "known"), REFUSALS)
def test_a_refusal_stops_the_environment(
    behave: servers.Behaviour, known: str, oauth: OAuthCredential, limits: Limits
) -> None:
    with servers.serving(behave) as server:
        answer = token_source(environment(oauth, server.url), limits).get()
    assert answer.outcome is not None
    assert (answer.token, answer.outcome.kind, answer.outcome.known) == ("", Kind.NOT_EXECUTED, known)
    assert answer.outcome.stops == STOP_CREDENTIAL
    assert answer.outcome.detail == answer.error_description


def test_a_refused_api_key_stops_the_environment(limits: Limits) -> None:
    with servers.serving(servers.answer(401, b"Invalid request")) as server:
        outcome = token_source(environment(API_KEY, server.url), limits).get().outcome
    assert outcome is not None
    assert (outcome.known, outcome.stops, outcome.detail) == (auth.API_KEY_REFUSED, STOP_CREDENTIAL, "")


NO_TOKENS = [
    (servers.reset_unread, Kind.NOT_SENT, ""),
    (servers.close_after_reading, Kind.NOT_SENT, ""),
    (servers.answer(200, b'{"access_token": "cut', length=99), Kind.NOT_SENT, ""),
    (servers.answer(200, {"access_token": "two words", "expires_in": 300}), Kind.NOT_SENT, ""),
    (servers.answer(200, {"access_token": ["a"], "expires_in": 300}), Kind.NOT_SENT, ""),
    (servers.answer(200, {"expires_in": 300}), Kind.NOT_SENT, ""),
    (servers.answer(200, b"[" * 100_000), Kind.NOT_SENT, ""),
    (servers.answer(200, b'{"access_token": "a", "access_token": "b"}'), Kind.NOT_SENT, ""),
    (servers.answer(500, {"access_token": "t", "expires_in": 300}), Kind.NOT_SENT, ""),
    (servers.answer(404), Kind.NOT_SENT, ""),
    (servers.answer(502, b"<html>Bad gateway</html>"), Kind.NOT_SENT, ""),
    (
        servers.answer(302, {"access_token": "t", "expires_in": 300}, Location="https://elsewhere.example/"),
        Kind.NOT_EXECUTED,
        STOP_REDIRECT,
    ),
]


@pytest.mark.parametrize(("behave", "kind", "stops"), NO_TOKENS)
def test_after_any_other_answer_without_a_token_the_request_is_repeated(
    behave: servers.Behaviour, kind: Kind, stops: str, oauth: OAuthCredential, limits: Limits
) -> None:
    with servers.serving(behave) as server:
        answer = token_source(environment(oauth, server.url), limits).get()
    assert answer.outcome is not None
    assert (answer.token, answer.outcome.kind, answer.outcome.stops) == ("", kind, stops)
    assert answer.outcome.detail


def test_a_token_request_has_its_own_deadline(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(servers.silent) as server:
        source = token_source(environment(oauth, server.url), replace(limits, token_deadline=0.3))
        outcome = source.get().outcome
    assert outcome is not None
    assert (outcome.kind, outcome.fault) == (Kind.NOT_SENT, Fault.DEADLINE)


def test_too_many_token_requests_pause_the_environment(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(servers.answer(429, Retry_After="17")) as server:
        outcome = token_source(environment(oauth, server.url), limits).get().outcome
    assert outcome is not None
    assert (outcome.kind, outcome.hold_seconds, outcome.stops) == (Kind.NOT_EXECUTED, 17.0, "")


def test_an_untrusted_certificate_stops_the_environment_of_a_token_request(
    oauth: OAuthCredential, limits: Limits, tmp_path: Any
) -> None:
    with servers.serving(servers.answer(200), servers.tls(servers.certificate(tmp_path))) as server:
        outcome = token_source(environment(oauth, server.url), limits).get().outcome
    assert outcome is not None
    assert (outcome.kind, outcome.fault, outcome.stops) == (Kind.NOT_SENT, Fault.CERTIFICATE, STOP_CERTIFICATE)


def test_a_failed_renewal_is_followed_by_a_good_one(oauth: OAuthCredential, limits: Limits) -> None:
    with servers.serving(servers.answer(503)) as server:
        source = token_source(environment(oauth, server.url), limits)
        assert source.get().token == ""
        server._behave = granting(oauth_grant())
        assert source.get().token == "token-1"


def test_no_printable_text_contains_a_secret(oauth: OAuthCredential, limits: Limits) -> None:
    """Not even if an error of the server repeats what was sent to it."""

    def echo(connection: Any, server: servers.Server) -> None:
        body = server.read(connection).partition(b"\r\n\r\n")[2].decode()
        said = (
            parse_qs(body)["client_assertion"][0] if body.startswith("grant") else " ".join(json.loads(body).values())
        )
        connection.sendall(servers.response(400, {"error": "no", "error_description": f"bad: {said}"}))

    with servers.serving(echo) as server:
        printed = ""
        for credential in (oauth, API_KEY):
            source = token_source(environment(credential, server.url), limits)
            printed += f"{source.get()!r} {source!r}"
    assert "bad: [secret]" in printed
    for secret in ("made-up-api-key", "made-up-api-secret", "eyJ"):
        assert secret not in printed
    with servers.serving(granting(oauth_grant())) as server:
        assert "token-1" not in repr(token_source(environment(oauth, server.url), limits).get())


def test_http_to_another_machine_is_refused_for_every_way_to_sign_in(oauth: OAuthCredential, limits: Limits) -> None:
    for credential in (oauth, API_KEY):
        with pytest.raises(ValueError, match="http is only for this machine"):
            token_source(environment(credential, "http://api.example.org"), replace(limits, connect=0.1))


def test_a_key_of_another_kind_is_never_used_to_sign() -> None:
    secret = OctKey.generate_key(512).as_dict(private=True)["k"]
    credential = OAuthCredential(client_id=CLIENT_ID, key_id=KEY_ID, private_key=str(secret))
    with pytest.raises(ValueError, match="not an RSA key"):
        public_jwk(credential)
