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
    """Times that even a busy machine keeps; what must run into one has a shorter one of its own."""
    return Limits(deadline=60, connect=60, token_deadline=60, ca_file=str(pem))
