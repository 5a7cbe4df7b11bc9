"""A running practice directory with every kind of credential."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import RSAKey

from organizations.practice import Credential, PracticeDirectory
from tests.practice.helpers import Portal


@pytest.fixture(scope="session")
def private_key() -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": "key-1", "use": "sig", "alg": "RS384"})


@pytest.fixture
def credentials(private_key: RSAKey) -> list[Credential]:
    return [
        Credential(environment="staging", client_id="client-1", public_jwk=dict(private_key.as_dict(private=False))),
        Credential(environment="production", api_key="legacy-key", api_secret="legacy-secret"),
        Credential(environment="staging", access_token="staging-token"),
        Credential(environment="production", access_token="production-token"),
    ]


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    # Making a TLS context for every test takes longer than the tests.
    with httpx.Client(trust_env=False, timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        yield client


@pytest.fixture
def practice(tmp_path: Path, credentials: list[Credential]) -> Iterator[PracticeDirectory]:
    with PracticeDirectory(tmp_path / "practice", credentials, slow_seconds=0.3) as running:
        yield running


@pytest.fixture
def portal(practice: PracticeDirectory, http: httpx.Client) -> Portal:
    return Portal(practice, http)
