"""Records for the tests of hostile input."""

import pytest

from tests import factories
from tests.factories import BASE


@pytest.fixture
def organization(organization, editor):
    """A record with a child, because an empty list runs fewer queries."""
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="Lakeside North")
    return organization
