"""Real workers as separate processes, each with its own database and directory."""

from collections.abc import Iterator

import pytest

from tests.faults.portals import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    running = Nursery()
    yield running
    running.close()
