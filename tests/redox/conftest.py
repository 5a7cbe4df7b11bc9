"""Limits for exchanges with servers on this machine."""

from pathlib import Path

import pytest

from organizations.redox.client import Limits

from . import servers


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of this machine, trusted by `limits` and by nobody else."""
    return servers.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def limits(pem: Path) -> Limits:
    return Limits(deadline=5, connect=5, token_deadline=5, ca_file=str(pem))
