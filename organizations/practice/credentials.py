"""The credentials of the practice directory, like those that are registered with Redox."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE_NAME = "credentials.json"

# The destination ID of each environment's directory (how-to, "Destination IDs": query for, create, update or delete an
# organization).
ROUTING_IDS = {
    "staging": "a07afe3b-d247-4415-827f-6837707e1b8b",
    "production": "5d0fd248-6c52-4ad9-b907-ae10bf2dcc39",
}
ENVIRONMENTS = tuple(ROUTING_IDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """The credential for one environment: an OAuth key (client ID and public JWK), a legacy API key (key and secret),
    or a fixed access token. Raises ValueError unless it is exactly one of them."""

    environment: str
    client_id: str = ""
    public_jwk: dict[str, Any] | None = None
    api_key: str = ""
    api_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.environment not in ROUTING_IDS:
            raise ValueError(f"a credential's environment is one of {', '.join(ROUTING_IDS)}, not {self.environment!r}")
        oauth = bool(self.client_id and self.public_jwk and self.public_jwk.get("kid"))
        if [oauth, bool(self.api_key and self.api_secret), bool(self.access_token)].count(True) != 1:
            raise ValueError(
                "a credential is a client_id with a public_jwk that has a kid, or an api_key with an api_secret, "
                "or an access_token"
            )


def write_credentials(folder: Path, credentials: Iterable[Credential]) -> None:
    """Register these credentials, and no others, in the folder. Only the owner can read the file: it has secrets."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.touch(mode=0o600)
    known = [{key: value for key, value in asdict(credential).items() if value} for credential in credentials]
    path.write_text(json.dumps(known, indent=2), encoding="utf-8")


def read_credentials(folder: Path) -> tuple[Credential, ...]:
    """The credentials registered in the folder. Raises OSError without the file, ValueError for a faulty one."""
    path = folder / FILE_NAME
    try:
        return tuple(Credential(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no list of credentials: {error}") from error
