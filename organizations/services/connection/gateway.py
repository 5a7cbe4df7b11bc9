"""Settings to Redox: the only place where the two meet, and the only door through which a message leaves."""

import dataclasses
import ipaddress
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection as database

from organizations.models import Environment, EnvironmentGate, Installation, Organization, clock
from organizations.oid import Oid, OidError
from organizations.redox import auth
from organizations.redox.client import Exchange, Limits, RedoxClient
from organizations.redox.environment import (
    GATEWAY_OID,
    GATEWAY_SELF_OID,
    ORGANIZATION_ROUTING,
    ROUTING_NAMES,
    ApiKeyCredential,
    Credential,
    OAuthCredential,
    Purpose,
    RedoxEnvironment,
    TokenCredential,
    environment_fingerprint,
    routing_use,
)
from organizations.services.connection import rate_limit
from organizations.services.connection.rate_limit import SendSlot
from organizations.services.timing import clock_time, time_left
from orgportal.faults import SettingsFault
from orgportal.variables import RedoxSettings

REQUIRED = {
    "oauth": ("client_id", "key_id", "private_key"),
    "api-key": ("api_key", "api_secret"),
    "token": ("access_token",),
}


class SendingBlocked(Exception):
    """The message must not leave: nothing was sent. Its text says why."""


class RedoxAskedToWait(SendingBlocked):
    """Redox asked the environment to wait, and the time is not over. Its text says how long."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What is set for one environment. Without `fault` and `missing` it is connected as far as settings go.

    With a fault `environment` holds what can be used, without a credential, and defaults for the variables `faulty`.
    """

    environment: RedoxEnvironment
    missing: tuple[str, ...] = ()
    fault: str = ""
    faulty: frozenset[str] = frozenset()

    @property
    def is_connected(self) -> bool:
        return self.environment.credential is not None


def connection(name: str) -> Connection:
    """The settings in force for one environment; a fault in them makes it "not connected" and says which variable."""
    given: RedoxSettings = settings.REDOX[name]
    made, faults = _without_credential(name, given)
    try:
        if faults:
            raise faults[0]
        return Connection(_with_credential(made, given), missing=_missing(name, given))
    except SettingsFault as fault:
        return Connection(made, fault=str(fault), faulty=frozenset(each.variable for each in (fault, *faults)))


def environment(name: str) -> RedoxEnvironment:
    """The fixed facts of one environment."""
    return connection(name).environment


def verify_settings() -> None:
    """Refuse settings with which the two environments could be mixed up.

    Raises:
        SettingsFault: the same credential or routing ID in both; a routing ID that Redox's table gives to another
            environment or purpose.
    """
    made = {name: connection(name).environment for name in Environment.values}
    for name, given in settings.REDOX.items():
        _check_routing_use(name, given.routing_id)
    staging, production = made[Environment.STAGING], made[Environment.PRODUCTION]
    if staging.routing_id == production.routing_id:
        raise SettingsFault(
            "REDOX_PRODUCTION_ROUTING_ID", "is the routing ID of STAGING as well; each directory has its own"
        )
    for name in ("client_id", "private_key", "api_key", "api_secret", "access_token"):
        values = [_normalized(name, settings.REDOX[each]) for each in Environment.values]
        if values[0] and values[0] == values[1]:
            raise SettingsFault(
                f"REDOX_PRODUCTION_{name.upper()}", "is the same as for STAGING; credentials are never shared"
            )


def verify_routing_ids_unused() -> None:
    """Refuse a routing ID that is the destination ID of a record.

    Raises:
        SettingsFault: naming the variable.
    """
    for name in Environment.values:
        routing_id = environment(name).routing_id
        if Organization.objects.filter(destination_id=routing_id).exists():
            raise SettingsFault(f"REDOX_{name.upper()}_ROUTING_ID", "is the destination ID of a record of ours")


def gateway_oids(name: str) -> frozenset[str]:
    """The OIDs of Redox's own organizations: a record can be part of one of them, and is none of them."""
    return frozenset({GATEWAY_OID, GATEWAY_SELF_OID, environment(name).gateway_oid})


def routing_names() -> dict[str, str]:
    """Every routing ID, fixed or set, with its purpose and environment: none of them is a destination of ours."""
    named = dict(ROUTING_NAMES)
    for name in Environment.values:
        set_here = {
            Purpose.ORGANIZATION: (environment(name).routing_id, settings_as_text(name).routing_id),
            Purpose.REPOSITORY: (settings_as_text(name).document_repository_id,),
        }
        for purpose, ids in set_here.items():
            named = {_plain_uuid(each): f"{purpose}, {name.upper()}" for each in ids if each} | named
    return named


def source_and_client_ids() -> dict[str, str]:
    """Our source and client IDs in both environments, each with what it is: UUIDs as well, and none a destination."""
    return {
        _plain_uuid(value): what
        for name in Environment.values
        for value, what in (
            (settings_as_text(name).source_id, "source ID"),
            (settings_as_text(name).client_id, "client ID"),
        )
        if value
    }


def _plain_uuid(text: str) -> str:
    """A UUID as a destination ID is read, whether it was set with hyphens or without, in small letters or large."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text.strip().lower()


def settings_as_text(name: str) -> RedoxSettings:
    """What was set for one environment, as text; its secrets are for no page."""
    found: RedoxSettings = settings.REDOX[name]
    return found


def label(name: str) -> str:
    """What Redox calls this environment today."""
    return settings_as_text(name).label


def settings_fingerprint(name: str) -> str:
    """One hash over all that decides what is sent where; equal in two processes that send alike."""
    return environment_fingerprint(environment(name))


def exchange_limits() -> Limits:
    return Limits(deadline=settings.REDOX_DEADLINE)


def access_token(redox: RedoxEnvironment) -> auth.TokenAnswer:
    """An access token, renewed shortly before its end. Fetched before a claim, so that a fault here is "not sent".

    Raises:
        DoorClosed: nothing may leave now, not even a token request.
    """
    check_sending_allowed(redox)
    return _tokens(redox, exchange_limits()).get()


def discard_token(redox: RedoxEnvironment, token: str) -> bool:
    """Forget a token that Redox refused; whether a new one can be got."""
    kept = _tokens(redox, exchange_limits())
    kept.discard(token)
    return kept.can_renew


def send_message(
    redox: RedoxEnvironment, message: bytes, token: str, turn: SendSlot, *, is_query: bool = False
) -> Exchange:
    """One exchange with Redox, when its turn has come. Whether it may leave is looked up at that moment.

    Raises:
        DoorClosed: a transaction is open, a marked database would send to another machine, Redox asked to wait, or
            the gate is closed to a New or an Update. Nothing left.
    """
    turn.wait()
    check_sending_allowed(redox, is_write=not is_query)
    return _client(redox, exchange_limits()).post(message, token)


class QueryReply(NamedTuple):
    """What one Query brought: the last exchange made, None without any, and one before it that refused the token.

    Where the token has an outcome there was none to be had, or none any more: it counts, and not the exchange. `closed`
    says why nothing more could leave after that refusal.
    """

    token: auth.TokenAnswer
    exchange: Exchange | None = None
    refused: Exchange | None = None
    closed: str = ""


def send_query(redox: RedoxEnvironment, query: bytes) -> QueryReply:
    """One Query. It has no effect, so it goes out again with a new token when the one at hand was taken back.

    Raises:
        DoorClosed: as `exchange`.
    """
    answer = access_token(redox)
    if not answer.token:
        return QueryReply(answer)
    found = send_message(redox, query, answer.token, rate_limit.reserve_slot(), is_query=True)
    if found.status == HTTPStatus.UNAUTHORIZED and discard_token(redox, answer.token):
        try:
            renewed = access_token(redox)
            if not renewed.token:
                return QueryReply(renewed, found)
            return QueryReply(
                renewed,
                send_message(redox, query, renewed.token, rate_limit.reserve_slot(), is_query=True),
                refused=found,
            )
        except SendingBlocked as closed:
            return QueryReply(answer, found, closed=str(closed))
    return QueryReply(answer, found)


def check_sending_allowed(redox: RedoxEnvironment, *, is_write: bool = False) -> None:
    """Raises DoorClosed when nothing may leave now, read from the database at this moment.

    A Query and a token request may also leave while the environment is stopped or paused: that is how it is checked.
    """
    if database.in_atomic_block:
        raise SendingBlocked("A database transaction is open; no message leaves inside one.")
    if redox.credential is None:
        raise SendingBlocked(f"{redox.name.upper()} is not connected.")
    if Installation.objects.filter(demonstration=True).exists() and not is_loopback(redox.base_url):
        raise SendingBlocked("This database holds demonstration records; they are never sent to another machine.")
    gate = EnvironmentGate.objects.get(pk=redox.name)
    moment = clock.now()
    if gate.hold_asked_until is not None and gate.is_asked_to_wait(moment):
        until, left = clock_time(gate.hold_asked_until), time_left(gate.hold_asked_until - moment)
        nothing = f"Nothing is sent to {redox.name.upper()} until {until}, for another {left}."
        raise RedoxAskedToWait(f"Redox asked the portal to wait. {nothing}")
    if is_write and not gate.is_open(moment):
        raise SendingBlocked(f"{redox.name.upper()} was stopped or paused before the message left.")


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# Kept so that whatever is under way can be cut off.
_clients: dict[tuple[RedoxEnvironment, Limits], RedoxClient] = {}


def cut_off_exchanges() -> None:
    """End every exchange of this process that is under way: its process is about to end."""
    for client in tuple(_clients.values()):
        client.cut()


def _client(redox: RedoxEnvironment, bounds: Limits) -> RedoxClient:
    made = _clients.get((redox, bounds))
    return made or _clients.setdefault((redox, bounds), RedoxClient(redox, bounds))


@cache
def _tokens(redox: RedoxEnvironment, bounds: Limits) -> auth.TokenSource:
    def before_request() -> None:
        rate_limit.wait_for_slot()
        check_sending_allowed(redox)

    return auth.token_source(redox, bounds, before_request)


def _missing(name: str, given: RedoxSettings) -> tuple[str, ...]:
    prefix = f"REDOX_{name.upper()}_"
    if not given.auth:
        return (f"{prefix}AUTH",)
    return tuple(prefix + field.upper() for field in REQUIRED[given.auth] if not getattr(given, field))


def _without_credential(name: str, given: RedoxSettings) -> tuple[RedoxEnvironment, list[SettingsFault]]:
    """An environment without its credential, with defaults for what cannot be used, and what is wrong with that."""
    prefix, faults = f"REDOX_{name.upper()}_", list(given.faults)
    if given.auth not in ("", *REQUIRED):
        faults.append(SettingsFault(f"{prefix}AUTH", "must be one of oauth, api-key, token"))
    made = RedoxEnvironment(
        name=name, label=given.label, routing_id=ORGANIZATION_ROUTING[name], gateway_oid=GATEWAY_OID
    )
    for field, read in _READERS.items():
        try:
            if text := getattr(given, field):
                made = dataclasses.replace(made, **{field: read(f"{prefix}{field.upper()}", text)})
        except SettingsFault as fault:
            faults.append(fault)
    return made, faults


def _with_credential(made: RedoxEnvironment, given: RedoxSettings) -> RedoxEnvironment:
    if not given.auth or _missing(made.name, given):
        return made
    return dataclasses.replace(made, credential=_credential(f"REDOX_{made.name.upper()}_", given))


@cache  # reading a private key takes long, and every page asks whether an environment is connected
def _credential(prefix: str, given: RedoxSettings) -> Credential:
    if given.auth == "api-key":
        return ApiKeyCredential(api_key=given.api_key, api_secret=given.api_secret)
    if given.auth == "token":
        return TokenCredential(access_token=given.access_token)
    credential = OAuthCredential(client_id=given.client_id, key_id=given.key_id, private_key=given.private_key)
    try:
        auth.public_jwk(credential)
    except ValueError as error:
        variable = "PRIVATE_KEY_FILE" if given.private_key_file else "PRIVATE_KEY"
        raise SettingsFault(prefix + variable, f"cannot be used: {error}") from error
    return credential


def _base_url(variable: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsFault(variable, "is not an address such as https://api.redoxengine.com") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or port == 0:
        raise SettingsFault(variable, "is not an address such as https://api.redoxengine.com")
    if parts.scheme == "http" and not is_loopback(url):
        raise SettingsFault(variable, "is http; that is allowed to this machine only, use https")
    return url.rstrip("/")


def _normalized(name: str, given: RedoxSettings) -> str:
    """One part of a credential in the one form that all ways to write it come to."""
    value = str(getattr(given, name)).strip()
    try:
        if name == "client_id":
            return str(uuid.UUID(value))
        if name == "private_key" and value:
            return auth.thumbprint(OAuthCredential(client_id="", key_id="", private_key=value))
    except ValueError:
        pass  # neither a UUID nor a key that can be read: its text is all there is to compare
    return value.casefold() if name == "client_id" else value


def _uuid(variable: str, text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise SettingsFault(variable, "is not a UUID (36 characters with four hyphens)") from None


def _oid(variable: str, text: str) -> str:
    try:
        return Oid(text).text
    except OidError as error:
        raise SettingsFault(variable, str(error)) from None


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "base_url": _base_url,
    "routing_id": _uuid,
    "gateway_oid": _oid,
    "source_id": _uuid,
    "base_oids": lambda variable, oids: tuple(_oid(variable, oid) for oid in oids),
    "document_repository_id": _uuid,
}


def _check_routing_use(name: str, routing_id: str) -> None:
    use = routing_use(routing_id) if routing_id else None
    if use is not None and ORGANIZATION_ROUTING[name] != routing_id.strip().lower():
        purpose, where = use
        raise SettingsFault(
            f"REDOX_{name.upper()}_ROUTING_ID", f"is the routing ID '{purpose}, {where.upper()}' of Redox's table"
        )
