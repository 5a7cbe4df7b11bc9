"""The practice directory and people, for tests of pages without a client."""

import pytest

from organizations.services.actors import Actor
from tests.factories import UserFactory, acting


@pytest.fixture
def approver(db: None) -> Actor:
    return acting(UserFactory(role="approver", first_name="Approver", last_name="One"))
