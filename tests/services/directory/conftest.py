"""Fixtures that several tests of the directory share."""

import pytest

from organizations.models import Organization, Presence, User
from tests import factories
from tests.services.directory.scanning import HERE


@pytest.fixture
def record_here(editor: User) -> Organization:
    """A record that the directory has and that is not below the base OID."""
    organization = factories.organization(HERE, user=editor)
    Organization.objects.filter(pk=organization.pk).update(presence=Presence.PRESENT)
    return organization
