"""The record whose pages the tests of this folder build."""

import pytest

from organizations.models import Organization, User
from tests import factories


@pytest.fixture
def organization(editor: User) -> Organization:
    """A record that was never sent."""
    return factories.organization(user=editor, name="Lakeside North")


@pytest.fixture
def accepted(editor: User) -> Organization:
    return factories.accepted_organization(user=editor, name="Lakeside North")
