"""Services against a real database and, where something is sent, the practice directory over real HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor, system
from tests import factories
from tests.connected import connected


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
