"""Fixtures that several tests of the directory share."""

from collections.abc import Iterator

import pytest

from organizations.models import Organization, Presence, User
from tests import factories
from tests.services.directory.scanning import HERE
from tests.services.fake_redox import FakeRedox, fake_redox


@pytest.fixture
def record_here(editor: User) -> Organization:
    """A record that the directory has and that is not below the base OID."""
    organization = factories.organization(HERE, user=editor)
    Organization.objects.filter(pk=organization.pk).update(presence=Presence.PRESENT)
    return organization


@pytest.fixture
def redox_server(transactional_db: None) -> Iterator[FakeRedox]:
    with fake_redox() as server:
        yield server
