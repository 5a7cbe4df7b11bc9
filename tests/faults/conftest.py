"""Real workers as processes of their own, on databases and directories of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from organizations.practice import PracticeDirectory
from tests.connected import connected
from tests.faults.portals import Nursery


@pytest.fixture
def practice(tmp_path: Path, transactional_db: None) -> Iterator[PracticeDirectory]:
    """No test here waits for an answer itself, so none is lost because the machine is busy."""
    with connected(tmp_path, deadline=20.0) as running:
        yield running


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    running = Nursery()
    yield running
    running.close()
