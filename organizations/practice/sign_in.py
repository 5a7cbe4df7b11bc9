"""The three ways to an access token that Redox documents: a signed assertion, a legacy API key, a fixed token."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import extract_compact

from organizations.practice.credentials import Credential
from organizations.practice.replies import Reply, json_reply, text_reply

OAUTH_SECONDS = 300
LEGACY_SECONDS = 24 * 3600
ASSERTION_SECONDS = 300  # how old an assertion may be
SKEW_SECONDS = 10  # how far the two clocks may differ
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PUBLIC_KEY_NOT_FOUND = "Public key not found, check client_id, kid and Redox dashboard settings"
_ERRORS_PAGE = "https://docs.redoxengine.com/permalink/7sEi7MTFssZ1JuHpUYLeYJ"
_FORM = "application/x-www-form-urlencoded"


class _Refused(Exception):
    """The token endpoint refuses. The text is its `error_description`, which may be empty, as Redox's may."""


class SignIn:
    """Issues access tokens, each for one environment. They are stored in memory only."""

    def __init__(self, credentials: Iterable[Credential], token_url: str) -> None:
        self._credentials = tuple(credentials)
        self._token_url = token_url
        self._lock = threading.Lock()
        self._issued: dict[str, tuple[str, float]] = {}  # access token: environment, end on the monotonic clock
        self._refresh: dict[str, Credential] = {}
        self._used_ids: set[tuple[str, str]] = set()

    def environment_of(self, authorization: str) -> str | None:
        """The environment of the token in an Authorization header; None if it is missing, unknown or expired."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        for credential in self._credentials:
            if credential.access_token and credential.access_token == token:
                return credential.environment
        with self._lock:
            environment, end = self._issued.get(token, ("", 0.0))
        return environment if time.monotonic() < end else None

    def expire_tokens(self) -> None:
        """Expire every issued access token now. Refresh tokens and fixed tokens stay valid."""
        with self._lock:
            self._issued.clear()

    def oauth(self, content_type: str, body: bytes, *, refuse: bool) -> Reply:
        """POST /v2/auth/token: an access token for a signed assertion."""
        try:
            if refuse:
                raise _Refused(PUBLIC_KEY_NOT_FOUND)
            credential = self._verified(_assertion(content_type, body))
        except _Refused as refused:
            return _oauth_error(401 if refuse else 400, str(refused))
        token = self._issue(credential.environment, OAUTH_SECONDS)
        return json_reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": OAUTH_SECONDS})

    def authenticate(self, body: bytes, *, refuse: bool) -> Reply:
        """POST /auth/authenticate: an access token for a legacy API key and its secret."""
        texts = _texts(body, "apiKey", "secret")
        for credential in self._credentials:
            if texts and texts == (credential.api_key, credential.api_secret) and not refuse:
                return self._legacy(credential)
        return text_reply(401, "Invalid request")

    def refresh(self, body: bytes, *, refuse: bool) -> Reply:
        """POST /auth/refreshToken: the next access token for a refresh token, which can be used once."""
        texts = _texts(body, "apiKey", "refreshToken")
        if not texts or refuse:
            return text_reply(401, "Invalid request")
        api_key, refresh_token = texts
        with self._lock:
            credential = self._refresh.get(refresh_token)
            if credential is None or credential.api_key != api_key:
                return text_reply(401, "Invalid request")
            del self._refresh[refresh_token]
        return self._legacy(credential)

    def _issue(self, environment: str, seconds: int) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._issued[token] = (environment, time.monotonic() + seconds)
        return token

    def _legacy(self, credential: Credential) -> Reply:
        refresh_token = secrets.token_urlsafe(32)
        with self._lock:
            self._refresh[refresh_token] = credential
        end = datetime.now(UTC) + timedelta(seconds=LEGACY_SECONDS)
        return json_reply(
            200,
            {
                "accessToken": self._issue(credential.environment, LEGACY_SECONDS),
                "expires": end.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "refreshToken": refresh_token,
            },
        )

    def _verified(self, assertion: str) -> Credential:
        """The credential whose private key signed the assertion. Raises _Refused."""
        credential = self._credential_of(assertion)
        try:
            key = RSAKey.import_key(credential.public_jwk or {})
            claims = jwt.decode(assertion, key, algorithms=["RS384"]).claims
        except (JoseError, ValueError) as error:
            raise _Refused("") from error
        for name, expected in (("sub", credential.client_id), ("aud", self._token_url)):
            if claims.get(name) != expected:
                raise _Refused(f"Unexpected {name} claim value")
        _check_times(claims)
        self._use_once(credential.client_id, claims.get("jti"))
        return credential

    def _credential_of(self, assertion: str) -> Credential:
        """The registered key that the unverified assertion names, by `iss` and `kid`. Raises _Refused."""
        try:
            unverified = extract_compact(assertion.encode())
            claims = json.loads(unverified.payload)
        except (JoseError, ValueError, RecursionError) as error:
            raise _Refused("") from error
        key_id = unverified.headers().get("kid")
        if not key_id:
            raise _Refused("JWT header kid property is required")
        for credential in self._credentials:
            known = (credential.client_id, (credential.public_jwk or {}).get("kid"))
            if isinstance(claims, dict) and credential.client_id and known == (claims.get("iss"), key_id):
                return credential
        raise _Refused(PUBLIC_KEY_NOT_FOUND)

    def _use_once(self, client_id: str, assertion_id: object) -> None:
        if not isinstance(assertion_id, str) or not assertion_id:
            raise _Refused("")
        with self._lock:
            if (client_id, assertion_id) in self._used_ids:
                raise _Refused("")
            self._used_ids.add((client_id, assertion_id))


def _assertion(content_type: str, body: bytes) -> str:
    """The assertion in a well-formed token request. Raises _Refused with the documented description."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise _Refused("x-www-form-urlencoded content-type required")
    try:
        form = {key: values[0] for key, values in parse_qs(body.decode("ascii"), errors="strict").items()}
    except ValueError as error:
        raise _Refused("") from error
    expectations: tuple[tuple[str, str, Callable[[str], bool], str], ...] = (
        (
            "grant_type",
            "Missing grant_type parameter",
            lambda value: value == "client_credentials",
            "The grant_type parameter should equal 'client_credentials'",
        ),
        (
            "client_assertion_type",
            "Missing client assertion type",
            lambda value: value == ASSERTION_TYPE,
            "Invalid client assertion type",
        ),
        ("client_assertion", "Missing client assertion", str.isascii, ""),
    )
    for name, missing, fits, otherwise in expectations:
        if name not in form:
            raise _Refused(missing)
        if not fits(form[name]):
            raise _Refused(otherwise)
    return form["client_assertion"]


def _check_times(claims: dict[str, Any]) -> None:
    """Refuse an assertion older than five minutes, or from a clock that differs by more than ten seconds.

    Like Redox, this gives no reason.
    """
    issued, end, now = claims.get("iat"), claims.get("exp"), time.time()
    if not (isinstance(issued, int | float) and isinstance(end, int | float)):
        raise _Refused("")
    if not now - ASSERTION_SECONDS - SKEW_SECONDS <= issued <= now + SKEW_SECONDS:
        raise _Refused("")
    if not now - SKEW_SECONDS < end <= now + ASSERTION_SECONDS + SKEW_SECONDS:
        raise _Refused("")


def _oauth_error(status: int, description: str) -> Reply:
    return json_reply(status, {"error": "invalid_request", "error_description": description, "error_uri": _ERRORS_PAGE})


def _texts(body: bytes, first: str, second: str) -> tuple[str, str] | None:
    """Two texts of a JSON object; None if either is missing or empty."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    values = (content.get(first), content.get(second)) if isinstance(content, dict) else (None, None)
    match values:
        case (str() as one, str() as other) if one and other:
            return one, other
    return None
