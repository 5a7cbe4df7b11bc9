"""Real workers as processes of their own, on databases and directories of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor, system
from tests import factories
from tests.connected import connected
from tests.faults.portals import Nursery


@pytest.fixture
def practice(tmp_path: Path, transactional_db: None) -> Iterator[PracticeDirectory]:
    with connected(tmp_path) as running:
        yield running


@pytest.fixture
def editor() -> User:
    return factories.editor()


@pytest.fixture
def worker() -> Actor:
    return system("Worker test")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    running = Nursery()
    yield running
    running.close()
