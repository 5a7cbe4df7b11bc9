"""One environment of Redox: its address, routing ID and credential, and Redox's table of routing IDs."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

STAGING = "staging"
PRODUCTION = "production"
ENVIRONMENTS = (STAGING, PRODUCTION)

BASE_URL = "https://api.redoxengine.com"
DIRECTORY = "Carequality"
GATEWAY_OID = "2.16.840.1.113883.3.6147.458.2"
GATEWAY_SELF_OID = "2.16.840.1.113883.3.6147.458.3"
"""The gateway for organizations that answer requests themselves, without Redox in between (Redox's documentation)."""


class Purpose(StrEnum):
    """What a request is for, in the words of the how-to's table of destination IDs."""

    ORGANIZATION = "Query for/create/update/delete an organization"
    RECORD_LOCATOR = "Search for a patient with record locator service"
    ONE_ORGANIZATION = "Search for a patient within a specific organization"
    DOCUMENT = "Search for a clinical summary/document"
    REPOSITORY = "Save patient details and documents to your repository"


ROUTING_TABLE: dict[Purpose, dict[str, str]] = {
    Purpose.ORGANIZATION: {
        STAGING: "a07afe3b-d247-4415-827f-6837707e1b8b",
        PRODUCTION: "5d0fd248-6c52-4ad9-b907-ae10bf2dcc39",
    },
    Purpose.RECORD_LOCATOR: {
        STAGING: "adf917b5-1496-4241-87e2-ed20434b1fdb",
        PRODUCTION: "97f2dc1d-c71b-43a7-a436-9b789d44c804",
    },
    Purpose.ONE_ORGANIZATION: {
        STAGING: "1ca254a8-8d42-4593-abb4-b21399d9de57",
        PRODUCTION: "6391b961-55ae-430b-a789-cf575f03fca0",
    },
    Purpose.DOCUMENT: {
        STAGING: "ec745338-8849-43ad-a7ce-4bc5bf1d8b89",
        PRODUCTION: "628cbf79-1156-4923-b9d0-285906160ed6",
    },
    Purpose.REPOSITORY: {},
}
"""The how-to's table. The last row has no fixed IDs: Redox gives each organization its own."""

ORGANIZATION_ROUTING = ROUTING_TABLE[Purpose.ORGANIZATION]

ROUTING_NAMES: dict[str, str] = {
    routing_id: f"{purpose}, {name.upper()}"
    for purpose, ids in ROUTING_TABLE.items()
    for name, routing_id in ids.items()
}
"""Each fixed routing ID with its purpose and environment: "Search for a clinical summary/document, STAGING"."""

EXAMPLE_VALUES = (
    "5e3dc12b-3a04-438e-880d-a690639e629e",
    "support@redoxengine.com",
    "+16085359501",
    "2020 Eastwood Dr",
)
"""Values of the how-to's example that belong to Redox: destination ID, e-mail address, phone, street."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthCredential:
    """An OAuth API key. The private key (PEM text) signs the assertion of each token request."""

    client_id: str
    key_id: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCredential:
    """A legacy API key with its secret."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCredential:
    """An access token from elsewhere. It cannot be renewed."""

    access_token: str = field(repr=False)


Credential = OAuthCredential | ApiKeyCredential | TokenCredential


@dataclass(frozen=True, slots=True, kw_only=True)
class RedoxEnvironment:
    """The settings of one environment. Without a credential it is not connected and nothing can be sent."""

    name: str
    routing_id: str
    label: str = ""
    base_url: str = BASE_URL
    gateway_oid: str = GATEWAY_OID
    source_id: str = ""
    base_oids: tuple[str, ...] = ()
    document_repository_id: str = ""
    credential: Credential | None = None


def routing_name(routing_id: str) -> str:
    """Purpose and environment of a routing ID in Redox's table ("Query for/..., STAGING"), or ""."""
    return ROUTING_NAMES.get(routing_id.strip().lower(), "")


def routing_use(routing_id: str) -> tuple[Purpose, str] | None:
    """Purpose and environment of a routing ID in Redox's table, or None."""
    for purpose, ids in ROUTING_TABLE.items():
        for name, fixed_id in ids.items():
            if fixed_id == routing_id.strip().lower():
                return purpose, name
    return None


def environment_fingerprint(environment: RedoxEnvironment) -> str:
    """A hash of the settings that decide what is sent, where and as whom. Secrets are hashed before.

    Two processes with the same fingerprint send the same bytes to the same address with the same credential.
    """
    facts = {
        "name": environment.name,
        "base_url": environment.base_url,
        "routing_id": environment.routing_id,
        "gateway_oid": environment.gateway_oid,
        "source_id": environment.source_id,
        "credential": _hashed(environment.credential),
    }
    return _sha256(json.dumps(facts, sort_keys=True))


def _hashed(credential: Credential | None) -> dict[str, str]:
    if credential is None:
        return {}
    parts = {name: _sha256(f"{name}:{value}") for name, value in asdict(credential).items()}
    return {"kind": type(credential).__name__, **parts}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
