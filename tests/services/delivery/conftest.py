"""A portal that is connected to an address where nothing answers."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from tests.connected import redox


@pytest.fixture
def connected() -> Iterator[None]:
    """Settings of an environment at whose address nothing answers."""
    with override_settings(REDOX=redox("http://127.0.0.1:9"), REDOX_LEASE=400.0, REDOX_RATE=1000.0, REDOX_SETTLE=120.0):
        yield
