"""Whom hostile input meets: people who are signed in, and records that are there."""

import pytest

from tests import factories
from tests.factories import BASE


@pytest.fixture
def made(made, editor):
    """A record, and one below it: a list that finds nothing asks less of the database."""
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="Lakeside North")
    return made
