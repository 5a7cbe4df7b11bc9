"""Limits for exchanges with servers on this machine."""

from pathlib import Path

import pytest

from organizations.redox.client import Limits

from . import servers


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of a server on this machine. Only `limits` trusts the certificate."""
    return servers.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def limits(pem: Path) -> Limits:
    """Time limits that are long enough for a busy machine. A test of a limit sets a shorter one."""
    return Limits(deadline=60, connect=60, token_deadline=60, ca_file=str(pem))
