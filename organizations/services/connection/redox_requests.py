"""Sends every request to Redox. No other module sends a message."""

from http import HTTPStatus
from typing import NamedTuple

from django.conf import settings
from django.db import connection as database

from organizations.models import EnvironmentGate, Installation, clock
from organizations.redox import auth
from organizations.redox.client import Exchange, Limits, RedoxClient
from organizations.redox.environment import RedoxEnvironment
from organizations.services.connection import rate_limit
from organizations.services.connection.redox_settings import is_loopback
from organizations.services.timing import clock_time, time_left


class SendingBlocked(Exception):
    """Nothing was sent, because nothing may be sent now. The text says why."""


class RedoxAskedToWait(SendingBlocked):
    """Redox asked the environment to wait, and the wait is not over. The text says until when."""


def _limits() -> Limits:
    return Limits(deadline=settings.REDOX_DEADLINE)


def access_token(redox: RedoxEnvironment) -> auth.TokenAnswer:
    """An access token, renewed shortly before it expires. Get it before a claim, so that an error means "not sent".

    Raises:
        SendingBlocked: nothing may be sent now, not even a token request.
    """
    check_sending_allowed(redox)
    return _tokens(redox, _limits()).get()


def ready_token(redox: RedoxEnvironment) -> auth.TokenAnswer | None:
    """The token or refusal that is known without a request, or None. Never waits."""
    return _tokens(redox, _limits()).ready()


def is_token_due(redox: RedoxEnvironment) -> bool:
    """Whether `access_token` would request a token."""
    return _tokens(redox, _limits()).is_due()


def discard_token(redox: RedoxEnvironment, token: str) -> bool:
    """Forget a token that Redox refused. Returns whether a new one can be requested."""
    source = _tokens(redox, _limits())
    source.discard(token)
    return source.can_renew


def send_message(redox: RedoxEnvironment, message: bytes, token: str) -> Exchange:
    """Send one message once. Uses no database: the caller has checked that it may be sent now."""
    return _client(redox, _limits()).post(message, token)


class QueryReply(NamedTuple):
    """The result of one Query. `exchange` is the last one, or None if nothing was sent.

    If `token` has an outcome, there is no token, and that outcome counts instead of the exchange. `refused` is an
    earlier exchange in which Redox refused the token. `blocked` says why the Query was not repeated after it.
    """

    token: auth.TokenAnswer
    exchange: Exchange | None = None
    refused: Exchange | None = None
    blocked: str = ""


def send_query(redox: RedoxEnvironment, query: bytes) -> QueryReply:
    """Send one Query. It has no effect in the directory, so it is repeated if Redox refuses the access token.

    Raises:
        SendingBlocked: as in `check_sending_allowed`. Nothing was sent.
    """
    answer = access_token(redox)
    if not answer.token:
        return QueryReply(answer)
    first = _send_query_once(redox, query, answer.token)
    if first.status != HTTPStatus.UNAUTHORIZED or not discard_token(redox, answer.token):
        return QueryReply(answer, first)
    try:
        renewed = access_token(redox)
        if not renewed.token:
            return QueryReply(renewed, first)
        second = _send_query_once(redox, query, renewed.token)
        return QueryReply(renewed, second, refused=first)
    except SendingBlocked as blocked:
        return QueryReply(answer, first, blocked=str(blocked))


def _send_query_once(redox: RedoxEnvironment, query: bytes, token: str) -> Exchange:
    rate_limit.wait_for_slot()
    check_sending_allowed(redox)
    return send_message(redox, query, token)


def check_sending_allowed(redox: RedoxEnvironment, *, is_write: bool = False) -> None:
    """Check by the database whether a request may be sent now. `is_write`: a New or an Update.

    Queries and token requests are also sent while the circuit breaker is open, because a connection check needs them.

    Raises:
        RedoxAskedToWait: Redox asked the environment to wait.
        SendingBlocked: a transaction is open, the environment is not connected, a demonstration database would send to
            another machine, or the circuit breaker is open for a write.
    """
    if database.in_atomic_block:
        raise SendingBlocked("A database transaction is open. No message is sent inside one.")
    if redox.credential is None:
        raise SendingBlocked(f"{redox.name.upper()} is not connected.")
    if Installation.objects.filter(demonstration=True).exists() and not is_loopback(redox.base_url):
        raise SendingBlocked("This database holds demonstration records; they are never sent to another machine.")
    gate = EnvironmentGate.objects.get(pk=redox.name)
    moment = clock.now()
    if gate.hold_asked_until is not None and gate.is_asked_to_wait(moment):
        until, remaining = clock_time(gate.hold_asked_until), time_left(gate.hold_asked_until - moment)
        sentence = f"Nothing is sent to {redox.name.upper()} until {until}, for another {remaining}."
        raise RedoxAskedToWait(f"Redox asked the portal to wait. {sentence}")
    if is_write and not gate.can_send(moment):
        raise SendingBlocked(f"{redox.name.upper()} was stopped or paused before the message was sent.")


# All clients and token sources of this process, so that `abort_exchanges` can end every exchange in flight.
_clients: dict[tuple[RedoxEnvironment, Limits], RedoxClient] = {}
_token_sources: dict[tuple[RedoxEnvironment, Limits], auth.TokenSource] = {}


def abort_exchanges() -> None:
    """End every exchange in flight, because this process ends. Queries find out later whether they took effect."""
    under_way: tuple[RedoxClient | auth.TokenSource, ...] = (*_clients.values(), *_token_sources.values())
    for each in under_way:
        each.abort()


def _client(redox: RedoxEnvironment, limits: Limits) -> RedoxClient:
    client = _clients.get((redox, limits))
    return client or _clients.setdefault((redox, limits), RedoxClient(redox, limits))


def _tokens(redox: RedoxEnvironment, limits: Limits) -> auth.TokenSource:
    def before_request() -> None:
        rate_limit.wait_for_slot()
        check_sending_allowed(redox)

    source = _token_sources.get((redox, limits))
    return source or _token_sources.setdefault((redox, limits), auth.token_source(redox, limits, before_request))
