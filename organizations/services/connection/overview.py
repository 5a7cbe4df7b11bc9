"""The settings of one environment without secrets, for people who set up or repair a connection."""

import datetime
import json
from dataclasses import dataclass

from django.conf import settings

from organizations.models import Environment, EnvironmentGate, Organization
from organizations.redox import auth
from organizations.redox.environment import BASE_URL, GATEWAY_OID, ORGANIZATION_ROUTING, ROUTING_TABLE, OAuthCredential
from organizations.redox.outcome import read_http_date
from organizations.services.connection import redox_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """The settings in force. `auth` is how the portal signs in; `public_key` is JSON for Redox's dashboard.

    `defaults` names the settings with their default value, `invalid_variables` those whose value cannot be used.
    `key_warning` says why a private key that works should be replaced.
    """

    prefix: str
    is_connected: bool
    error: str
    invalid_variables: frozenset[str]
    missing: tuple[str, ...]
    auth: str
    client_id: str
    key_id: str
    private_key_file: str
    thumbprint: str
    key_warning: str
    loaded_at: datetime.datetime
    public_key: str
    base_url: str
    source_id: str
    routing_id: str
    routing_name: str
    gateway_oid: str
    base_oids: tuple[str, ...]
    document_repository_id: str
    defaults: frozenset[str]

    @property
    def private_key_variable(self) -> str:
        return f"{self.prefix}PRIVATE_KEY{'_FILE' if self.private_key_file else ''}"


def connection_facts(name: str) -> ConnectionFacts:
    """The settings of an environment that a page may show."""
    connection, raw = redox_settings.connection(name), redox_settings.raw_settings(name)
    redox, prefix = connection.environment, f"REDOX_{name.upper()}_"
    credential = redox.credential if isinstance(redox.credential, OAuthCredential) else None
    in_force = {
        "base_url": (redox.base_url, BASE_URL),
        "routing_id": (redox.routing_id, ORGANIZATION_ROUTING[name]),
        "gateway_oid": (redox.gateway_oid, GATEWAY_OID),
    }
    return ConnectionFacts(
        prefix=prefix,
        is_connected=connection.is_connected,
        error=connection.error,
        invalid_variables=connection.invalid_variables,
        missing=_missing(prefix, raw.auth, connection.missing),
        auth=raw.auth,
        client_id=raw.client_id,
        key_id=raw.key_id,
        private_key_file=raw.private_key_file,
        loaded_at=settings.STARTED_AT,
        thumbprint=auth.thumbprint(credential) if credential else "",
        key_warning=_key_warning(credential) if credential else "",
        public_key=json.dumps(auth.public_jwk(credential), indent=2) if credential else "",
        base_url=redox.base_url,
        source_id=redox.source_id,
        routing_id=redox.routing_id,
        routing_name=redox_settings.routing_names().get(redox.routing_id, ""),
        gateway_oid=redox.gateway_oid,
        base_oids=redox.base_oids,
        document_repository_id=redox.document_repository_id,
        defaults=frozenset(key for key, (value, default) in in_force.items() if value == default),
    )


def weak_key_warnings() -> list[str]:
    """A sentence for each private key that works but should be replaced. It begins with the variable."""
    all_facts = [connection_facts(name) for name in Environment.values]
    return [f"{facts.private_key_variable}: {facts.key_warning}" for facts in all_facts if facts.key_warning]


def routing_table() -> tuple[tuple[str, str, str], ...]:
    """Redox's table: purpose, routing ID in STAGING, in PRODUCTION; "" if each organization has its own."""
    return tuple(
        (str(purpose), ids.get("staging", ""), ids.get("production", "")) for purpose, ids in ROUTING_TABLE.items()
    )


def clock_difference(gate: EnvironmentGate) -> float | None:
    """Seconds by which Redox's clock was ahead of ours at the last check (exact to about 1 s); None if unknown."""
    redox_time = read_http_date(str(gate.check_facts.get("redox_date", "")))
    return redox_time - gate.checked_at.timestamp() if redox_time is not None and gate.checked_at else None


def describe_checked_oid(name: str, oid: str) -> str:
    """Whose OID a check queried: "your base OID", "the Redox gateway", "a record of yours", or ""."""
    redox = redox_settings.environment(name)
    if oid in redox.base_oids:
        return "your base OID"
    if oid == redox.gateway_oid:
        return "the Redox gateway"
    return "a record of yours" if Organization.objects.in_environment(name).filter(oid=oid).exists() else ""


def _key_warning(credential: OAuthCredential) -> str:
    bits = auth.key_bits(credential)
    if bits >= auth.RECOMMENDED_BITS:
        return ""
    return f"This key has {bits:,} bits. It works, but {auth.RECOMMENDED_BITS:,} bits or more are recommended."


def _missing(prefix: str, auth: str, missing: tuple[str, ...]) -> tuple[str, ...]:
    """The variables to set, in the order of the example file. A new connection signs in by OAuth."""
    if not auth:
        return tuple(prefix + name for name in ("AUTH", "CLIENT_ID", "KEY_ID", "PRIVATE_KEY_FILE"))
    return tuple(f"{name}_FILE" if name.endswith("PRIVATE_KEY") else name for name in missing)
