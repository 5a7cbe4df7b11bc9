"""Access tokens: by OAuth signed assertion, by legacy API key, or fixed.

A token request has no effect in the directory, so its faults are "not sent" or "not executed", never unknown. Only the
status, duration and error texts of an answer are kept. No token, assertion or secret leaves this module except as
`TokenAnswer.token`.
"""

import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from organizations.redox.client import (
    Exchange,
    HttpsSender,
    Limits,
    NotDecodable,
    checked_url,
    decoded_body,
    fits_in_header,
    plain_text,
)
from organizations.redox.environment import ApiKeyCredential, OAuthCredential, RedoxEnvironment, TokenCredential
from organizations.redox.outcome import STOP_CREDENTIAL, Kind, Outcome, classify, json_object, read_http_date

from . import redaction

ALGORITHM = "RS384"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300
LONGEST_MARGIN = 60.0
"""Seconds before a token expires at which the next one is requested, or a tenth of its lifetime if that is less.

Redox's OAuth tokens last 5 minutes.
"""

LEAST_LIFETIME = 10.0
"""Seconds for which a token may be used, even if Redox does not say when it expires."""

LEAST_BITS = 2048
RECOMMENDED_BITS = 3072  # BSI TR-02102-1, NIST SP 800-57: 128 bits of security

KEY_UNKNOWN = "token_key_unknown"
KEY_ID_MISSING = "token_key_id_missing"
ASSERTION_REFUSED = "token_assertion_refused"
API_KEY_REFUSED = "token_api_key_refused"

_DESCRIPTIONS = (("public key not found", KEY_UNKNOWN), ("jwt header kid property is required", KEY_ID_MISSING))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """A token, or why there is none (`outcome`). `status` is None if no request was needed.

    `error` and `error_description` are Redox's words. `clock_difference` is how many seconds Redox's clock is ahead of
    ours, exact to about one second; None if Redox did not send its time.
    """

    token: str = field(default="", repr=False)
    outcome: Outcome | None = None
    status: int | None = None
    duration_ms: int = 0
    error: str = ""
    error_description: str = ""
    clock_difference: float | None = None


class TokenSource(Protocol):
    """A source of access tokens for one environment."""

    can_renew: bool

    def get(self) -> TokenAnswer:
        """A token that does not expire soon, requested if necessary.

        While Redox asks to wait, its last answer is returned without a request.
        """

    def ready(self) -> TokenAnswer | None:
        """The last answer, without a request and without waiting for one; None if the next `get` makes a request.

        Shortly before it expires a token is both ready and due: it is used until the next one arrives.
        """

    def is_due(self) -> bool:
        """Whether the next `get` makes a request."""

    def discard(self, token: str) -> None:
        """Expire this token, because Redox refused it. A fixed token stays, because no other one exists."""

    def abort(self) -> None:
        """End the token request in progress. No request is made after this."""


def token_source(
    environment: RedoxEnvironment, limits: Limits, before_request: Callable[[], None] = lambda: None
) -> TokenSource:
    """The source of tokens for the environment's credential. `before_request` is called before each token request.

    Raises ValueError, without a secret in its text, if the credential cannot be used.
    """
    sender = HttpsSender(limits, before_request)
    match environment.credential:
        case OAuthCredential() as credential:
            return _RenewedTokens(_SignedAssertion(credential, environment.base_url, sender), sender)
        case ApiKeyCredential() as credential:
            return _RenewedTokens(_ApiKey(credential, environment.base_url, sender), sender)
        case TokenCredential(access_token=token):
            return _FixedToken(token)
        case _:
            raise ValueError("no credential is set")


def public_jwk(credential: OAuthCredential) -> dict[str, Any]:
    """The public key in the form for Redox's dashboard. Raises ValueError if the key is not an RSA private key."""
    key = _private_key(credential.private_key).as_dict(private=False)
    return key | {"kid": credential.key_id, "use": "sig", "alg": ALGORITHM}


def thumbprint(credential: OAuthCredential) -> str:
    """The key's RFC 7638 thumbprint (SHA-256), not secret. Raises ValueError if it is not an RSA private key."""
    return _private_key(credential.private_key).thumbprint()


def key_bits(credential: OAuthCredential) -> int:
    """The length of the key in bits. Raises ValueError if it is not an RSA private key."""
    bits: int = _private_key(credential.private_key).raw_value.key_size
    return bits


def _private_key(pem: str) -> RSAKey:
    try:
        key = RSAKey.import_key(pem)
    except (ValueError, TypeError, JoseError):
        raise ValueError("the private key is not an RSA key in PEM form without a password") from None
    if not key.is_private:
        raise ValueError("this is the public half of a key; the private key is needed")
    if key.raw_value.key_size < LEAST_BITS:
        raise ValueError(f"the private key has fewer than {LEAST_BITS} bits")
    return key


class _Grant(NamedTuple):
    """The result of a token request. `lifetime` is in seconds; `refresh_token` is "" if there is none."""

    answer: TokenAnswer
    lifetime: float = 0.0
    refresh_token: str = ""


class _TokenRequest(Protocol):
    def ask(self) -> _Grant: ...

    def forget(self) -> None: ...


class _FixedToken:
    can_renew = False

    def __init__(self, token: str) -> None:
        if not fits_in_header(token):
            raise ValueError("the access token is empty or has characters that a header cannot contain")
        self._token = token

    def get(self) -> TokenAnswer:
        return TokenAnswer(token=self._token)

    def ready(self) -> TokenAnswer | None:
        return self.get()

    def is_due(self) -> bool:
        return False

    def discard(self, token: str) -> None:
        """Do nothing: another fixed token needs new settings."""

    def abort(self) -> None:
        """Do nothing: it makes no request."""


class _RenewedTokens:
    """Keeps one token and renews it in time. Threads that need a token during a renewal wait for it."""

    can_renew = True

    def __init__(self, source: _TokenRequest, sender: HttpsSender) -> None:
        self._source = source
        self._sender = sender
        self._lock = threading.Lock()
        self._answer = TokenAnswer()
        self._good_until = 0.0
        self._expires = 0.0

    def get(self) -> TokenAnswer:
        with self._lock:
            now = time.monotonic()
            if now < self._good_until:
                waits = _still_waiting(self._answer.outcome, self._good_until - now)
                return replace(self._answer, outcome=waits, status=None, duration_ms=0)
            answer, lifetime, _ = self._source.ask()
            wait = answer.outcome.hold_seconds if answer.outcome else None
            if answer.token:
                self._expires = max(now + lifetime, time.monotonic() + LEAST_LIFETIME)
                self._answer = TokenAnswer(token=answer.token)
                self._good_until = now + lifetime - min(lifetime / 10, LONGEST_MARGIN)
            else:
                self._good_until = time.monotonic() + (wait or 0.0)
                if not self._answer.token or time.monotonic() >= self._expires:  # else the last token is still valid
                    self._answer = answer
            return answer

    def ready(self) -> TokenAnswer | None:
        answer, now = self._answer, time.monotonic()
        is_known = now < (self._expires if answer.token else self._good_until)
        return answer if is_known else None

    def is_due(self) -> bool:
        return time.monotonic() >= self._good_until

    def discard(self, token: str) -> None:
        # Without the lock, which a hanging request holds until its deadline. At worst this expires a new token.
        if token == self._answer.token:
            self._good_until = self._expires = 0.0
            self._source.forget()

    def abort(self) -> None:
        self._sender.abort()


def _still_waiting(outcome: Outcome | None, seconds: float) -> Outcome | None:
    """The refusal, with the seconds that are left of its wait."""
    return None if outcome is None else replace(outcome, hold_seconds=seconds)


class _SignedAssertion:
    """OAuth client credentials with an assertion signed by our private key (SMART Backend Services, RFC 7523)."""

    def __init__(self, credential: OAuthCredential, base_url: str, sender: HttpsSender) -> None:
        self._credential = credential
        self._key = _private_key(credential.private_key)
        self._url = checked_url(base_url, "/v2/auth/token")
        self._sender = sender

    def ask(self) -> _Grant:
        assertion = self._assertion()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        exchange = _post(self._sender, self._url, "application/x-www-form-urlencoded", urlencode(form))
        data = _json_of(exchange)
        answer = _token_answer(exchange, data.get("access_token"), ASSERTION_REFUSED, (assertion,))
        return _Grant(answer, _lifetime(data.get("expires_in")))

    def forget(self) -> None:
        """Do nothing: each request has a new assertion."""

    def _assertion(self) -> str:
        now = int(time.time())
        header = {"alg": ALGORITHM, "kid": self._credential.key_id, "typ": "JWT"}
        claims = {
            "iss": self._credential.client_id,
            "sub": self._credential.client_id,
            "aud": self._url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


class _ApiKey:
    """The legacy API key: first key and secret, then the refresh token of the last answer."""

    def __init__(self, credential: ApiKeyCredential, base_url: str, sender: HttpsSender) -> None:
        self._credential = credential
        self._authenticate_url = checked_url(base_url, "/auth/authenticate")
        self._refresh_url = checked_url(base_url, "/auth/refreshToken")
        self._sender = sender
        self._refresh_token = ""

    def ask(self) -> _Grant:
        """Request a token. If the refresh token is refused, the secret is tried at once: the key may still be valid."""
        if self._refresh_token:
            grant = self._request(self._refresh_url, {"refreshToken": self._refresh_token})
            if grant.answer.outcome is None or not grant.answer.outcome.stops:
                return grant
            self.forget()
        return self._request(self._authenticate_url, {"secret": self._credential.api_secret})

    def forget(self) -> None:
        self._refresh_token = ""

    def _request(self, url: str, proof: dict[str, str]) -> _Grant:
        body = json.dumps({"apiKey": self._credential.api_key, **proof})
        exchange = _post(self._sender, url, "application/json", body)
        data = _json_of(exchange)
        secrets = (self._credential.api_key, *proof.values())
        answer = _token_answer(exchange, data.get("accessToken"), API_KEY_REFUSED, secrets)
        if answer.token:
            refresh_token = data.get("refreshToken")
            self._refresh_token = refresh_token if isinstance(refresh_token, str) else ""
        return _Grant(answer, _seconds_until(data.get("expires"), exchange))


def _post(sender: HttpsSender, url: str, content_type: str, body: str) -> Exchange:
    headers = {"Accept": "application/json", "Content-Type": content_type}
    return sender.post(url, body.encode(), headers, sender.limits.token_deadline)


def _json_of(exchange: Exchange) -> dict[str, Any]:
    if exchange.fault:
        return {}
    try:
        return json_object(decoded_body(exchange)) or {}
    except NotDecodable:
        return {}


def _token_answer(exchange: Exchange, token: object, refused_as: str, secrets: tuple[str, ...]) -> TokenAnswer:
    error = {key: _redacted_text(_json_of(exchange).get(key), secrets) for key in ("error", "error_description")}
    is_token = (
        isinstance(token, str) and fits_in_header(token) and exchange.status is not None and exchange.status // 100 == 2
    )
    server_time = read_http_date(exchange.headers.get("date", ""))
    return TokenAnswer(
        token=str(token) if is_token else "",
        outcome=None if is_token else _refusal(exchange, error["error_description"], refused_as),
        status=exchange.status,
        duration_ms=exchange.duration_ms,
        clock_difference=None if server_time is None else server_time - time.time(),
        **error,
    )


def _refusal(exchange: Exchange, description: str, refused_as: str) -> Outcome:
    if exchange.status in {400, 401, 403} and exchange.fault is None:
        known = next((key for start, key in _DESCRIPTIONS if description.lower().startswith(start)), refused_as)
        return Outcome(
            kind=Kind.NOT_EXECUTED, known=known, detail=description, stops=STOP_CREDENTIAL, status=exchange.status
        )
    outcome = classify(exchange, event="token", oid="")
    return Outcome(
        kind=Kind.NOT_EXECUTED if outcome.kind is Kind.NOT_EXECUTED else Kind.NOT_SENT,
        detail=exchange.fault_text
        or description
        or (outcome.detail if outcome.stops else f"HTTP {exchange.status}, no token"),
        stops=outcome.stops,
        hold_seconds=outcome.hold_seconds,
        names_wait=outcome.names_wait,
        status=exchange.status,
        fault=exchange.fault,
    )


def _redacted_text(text: object, secrets: tuple[str, ...]) -> str:
    """Redox's words, without the secrets that we sent, in case it repeats them."""
    redacted = text if isinstance(text, str) else ""
    for secret in secrets:
        redacted = redacted.replace(secret, redaction.PLACEHOLDER.decode())
    return plain_text(redacted, 500)


def _lifetime(text: object) -> float:
    try:
        seconds = float(str(text))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _seconds_until(text: object, exchange: Exchange) -> float:
    """Seconds until an ISO 8601 time, by Redox's clock if the answer has it, else by ours."""
    try:
        end = datetime.fromisoformat(str(text))
        end = end if end.tzinfo else end.replace(tzinfo=UTC)
        return end.timestamp() - (read_http_date(exchange.headers.get("date", "")) or time.time())
    except (ValueError, OverflowError):
        return 0.0
