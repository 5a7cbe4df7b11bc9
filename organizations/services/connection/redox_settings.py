"""Converts the settings to `RedoxEnvironment`s. No other module reads the Redox settings."""

import dataclasses
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from organizations.models import Environment, Organization
from organizations.oid import Oid, OidError
from organizations.redox import auth
from organizations.redox.client import is_loopback_host
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
from orgportal.start_errors import SettingsError
from orgportal.variables import RedoxSettings

REQUIRED = {
    "oauth": ("client_id", "key_id", "private_key"),
    "api-key": ("api_key", "api_secret"),
    "token": ("access_token",),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """The settings of one environment. With neither `error` nor `missing` they are complete.

    `missing` names variables that are not set. `error` is the first error. With an error `environment` has no
    credential, and defaults in place of `invalid_variables`.
    """

    environment: RedoxEnvironment
    missing: tuple[str, ...] = ()
    error: str = ""
    invalid_variables: frozenset[str] = frozenset()

    @property
    def is_connected(self) -> bool:
        return self.environment.credential is not None


def connection(name: str) -> Connection:
    """The settings in force for one environment. An error in them leaves it "not connected"."""
    raw: RedoxSettings = settings.REDOX[name]
    redox, errors = _without_credential(name, raw)
    try:
        if errors:
            raise errors[0]
        return Connection(_with_credential(redox, raw), missing=_missing(name, raw))
    except SettingsError as error:
        return Connection(
            redox, error=str(error), invalid_variables=frozenset(each.variable for each in (error, *errors))
        )


def environment(name: str) -> RedoxEnvironment:
    """The settings of one environment in the form that the package `redox` uses."""
    return connection(name).environment


def verify_settings() -> None:
    """Refuse settings that could mix up the two environments.

    Raises:
        SettingsError: both have the same credential or routing ID, or a routing ID belongs to another environment or
            purpose in Redox's table.
    """
    for name, raw in settings.REDOX.items():
        _check_routing_use(name, raw.routing_id)
    if environment(Environment.STAGING).routing_id == environment(Environment.PRODUCTION).routing_id:
        raise SettingsError(
            "REDOX_PRODUCTION_ROUTING_ID", "is the routing ID of STAGING as well; each directory has its own"
        )
    for name in ("client_id", "private_key", "api_key", "api_secret", "access_token"):
        values = [_normalized(name, settings.REDOX[each]) for each in Environment.values]
        if values[0] and values[0] == values[1]:
            raise SettingsError(
                f"REDOX_PRODUCTION_{name.upper()}", "is the same as for STAGING; credentials are never shared"
            )


def verify_routing_ids_unused() -> None:
    """Check that no routing ID is the destination ID of a record.

    Raises:
        SettingsError: a record has one.
    """
    for name in Environment.values:
        routing_id = environment(name).routing_id
        if Organization.objects.filter(destination_id=routing_id).exists():
            raise SettingsError(f"REDOX_{name.upper()}_ROUTING_ID", "is the destination ID of a record of ours")


def gateway_oids(name: str) -> frozenset[str]:
    """The OIDs of Redox's own organizations. Each may be a parent, but is never a record of ours."""
    return frozenset({GATEWAY_OID, GATEWAY_SELF_OID, environment(name).gateway_oid})


def routing_names() -> dict[str, str]:
    """Each routing ID of Redox's table and of the settings, with its purpose and environment.

    None of them may be the destination ID of a record.
    """
    names = dict(ROUTING_NAMES)
    for name in Environment.values:
        ids_in_settings = {
            Purpose.ORGANIZATION: (environment(name).routing_id, raw_settings(name).routing_id),
            Purpose.REPOSITORY: (raw_settings(name).document_repository_id,),
        }
        for purpose, ids in ids_in_settings.items():
            names = {_plain_uuid(each): f"{purpose}, {name.upper()}" for each in ids if each} | names
    return names


def source_and_client_ids() -> dict[str, str]:
    """The source and client IDs of both environments, each with its kind. None may be a record's destination ID."""
    return {
        _plain_uuid(value): kind
        for name in Environment.values
        for value, kind in (
            (raw_settings(name).source_id, "source ID"),
            (raw_settings(name).client_id, "client ID"),
        )
        if value
    }


def _plain_uuid(text: str) -> str:
    """A UUID in the form of a destination ID: lower case, with hyphens."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text.strip().lower()


def raw_settings(name: str) -> RedoxSettings:
    """The settings of one environment as they were given. They hold secrets that no page may show."""
    raw: RedoxSettings = settings.REDOX[name]
    return raw


def label(name: str) -> str:
    """The name that Redox now uses for this environment."""
    return raw_settings(name).label


def fingerprint(name: str) -> str:
    """A hash of the settings. Two processes with the same hash send the same bytes to the same address."""
    return environment_fingerprint(environment(name))


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    return is_loopback_host(urlsplit(url).hostname or "")


def _missing(name: str, raw: RedoxSettings) -> tuple[str, ...]:
    prefix = f"REDOX_{name.upper()}_"
    if not raw.auth:
        return (f"{prefix}AUTH",)
    return tuple(prefix + field.upper() for field in REQUIRED[raw.auth] if not getattr(raw, field))


def _without_credential(name: str, raw: RedoxSettings) -> tuple[RedoxEnvironment, list[SettingsError]]:
    """An environment without its credential, and the errors in its settings. Unusable values become the defaults."""
    prefix, errors = f"REDOX_{name.upper()}_", list(raw.errors)
    if raw.auth not in ("", *REQUIRED):
        errors.append(SettingsError(f"{prefix}AUTH", "must be oauth, api-key or token"))
    redox = RedoxEnvironment(name=name, label=raw.label, routing_id=ORGANIZATION_ROUTING[name], gateway_oid=GATEWAY_OID)
    for field, read in _READERS.items():
        try:
            if text := getattr(raw, field):
                redox = dataclasses.replace(redox, **{field: read(f"{prefix}{field.upper()}", text)})
        except SettingsError as error:
            errors.append(error)
    return redox, errors


def _with_credential(redox: RedoxEnvironment, raw: RedoxSettings) -> RedoxEnvironment:
    if not raw.auth or _missing(redox.name, raw):
        return redox
    return dataclasses.replace(redox, credential=_credential(f"REDOX_{redox.name.upper()}_", raw))


@cache  # reading a private key takes long, and every page checks whether an environment is connected
def _credential(prefix: str, raw: RedoxSettings) -> Credential:
    if raw.auth == "api-key":
        return ApiKeyCredential(api_key=raw.api_key, api_secret=raw.api_secret)
    if raw.auth == "token":
        return TokenCredential(access_token=raw.access_token)
    credential = OAuthCredential(client_id=raw.client_id, key_id=raw.key_id, private_key=raw.private_key)
    try:
        auth.public_jwk(credential)
    except ValueError as error:
        variable = "PRIVATE_KEY_FILE" if raw.private_key_file else "PRIVATE_KEY"
        raise SettingsError(prefix + variable, f"cannot be used: {error}") from error
    return credential


def _base_url(variable: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(variable, "is not an address such as https://api.redoxengine.com") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or port == 0:
        raise SettingsError(variable, "is not an address such as https://api.redoxengine.com")
    if parts.scheme == "http" and not is_loopback(url):
        raise SettingsError(variable, "is http; that is allowed to this machine only, use https")
    return url.rstrip("/")


def _normalized(name: str, raw: RedoxSettings) -> str:
    """One part of a credential in a normal form, so that two ways to write the same value compare equal."""
    value = str(getattr(raw, name)).strip()
    try:
        if name == "client_id":
            return str(uuid.UUID(value))
        if name == "private_key" and value:
            return auth.thumbprint(OAuthCredential(client_id="", key_id="", private_key=value))
    except ValueError:
        pass  # neither a UUID nor a readable key: compare its text
    return value.casefold() if name == "client_id" else value


def _uuid(variable: str, text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise SettingsError(variable, "is not a UUID (36 characters with four hyphens)") from None


def _oid(variable: str, text: str) -> str:
    try:
        return Oid(text).text
    except OidError as error:
        raise SettingsError(variable, str(error)) from None


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
        raise SettingsError(
            f"REDOX_{name.upper()}_ROUTING_ID", f"is the routing ID '{purpose}, {where.upper()}' of Redox's table"
        )
