"""Whom hostile input meets: people who are signed in, and records that are there."""

import pytest
from django.test import Client

from organizations.models import Organization, User
from tests import factories
from tests.factories import BASE


@pytest.fixture
def editor(db: None) -> User:
    return factories.editor()


@pytest.fixture
def client(editor: User) -> Client:
    """A browser in which an editor is signed in; what fails in the portal fails the test."""
    client = Client()
    client.force_login(editor)
    return client


@pytest.fixture
def made(editor: User) -> Organization:
    """A record, and one below it: a list that finds nothing asks less of the database."""
    made = factories.organization(user=editor)
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="Lakeside North")
    return made
