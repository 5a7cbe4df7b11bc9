"""Real workers as processes of their own, on databases and directories of their own."""

from collections.abc import Iterator

import pytest

from tests.faults.portals import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    running = Nursery()
    yield running
    running.close()
