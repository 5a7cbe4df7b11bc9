"""People for the tests of what pages tell."""

import pytest

from organizations.models import User
from tests import factories


@pytest.fixture
def editor(db: None) -> User:
    return factories.editor()
