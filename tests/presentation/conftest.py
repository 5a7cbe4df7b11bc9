"""The practice directory and people, for tests of pages without a client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from tests import factories
from tests.connected import connected, redox
from tests.factories import UserFactory, acting


@pytest.fixture
def practice(tmp_path: Path, transactional_db: None) -> Iterator[PracticeDirectory]:
    with connected(tmp_path) as running:
        yield running


@pytest.fixture
def unreachable_redox() -> Iterator[None]:
    """Settings as of a portal that is connected; nothing answers there."""
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        yield


@pytest.fixture
def editor(db: None) -> User:
    return factories.editor()


@pytest.fixture
def approver(db: None) -> Actor:
    return acting(UserFactory(role="approver", first_name="Approver", last_name="One"))
