"""A server that answers as each test says."""

from collections.abc import Iterator

import pytest

from tests.services.fake_redox import FakeRedox, fake_redox


@pytest.fixture
def redox_server(transactional_db: None) -> Iterator[FakeRedox]:
    with fake_redox() as server:
        yield server
