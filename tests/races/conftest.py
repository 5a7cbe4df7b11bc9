"""Races on real database connections, with settings that reach no server."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import override_settings

from organizations.models import User
from tests import factories
from tests.connected import redox
from tests.races.racing import AFTER_READING, BEFORE_LOCKING, Racers, Rounds


@pytest.fixture
def user(transactional_db: None) -> Iterator[User]:
    with override_settings(REDOX=redox("http://127.0.0.1:9"), REDOX_RATE=1000.0):
        yield factories.editor()


PLACES = {"before locking": BEFORE_LOCKING, "after reading": AFTER_READING, "free": ()}
if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
    # SQLite lets one transaction write at a time, so that free rounds test nothing more.
    del PLACES["free"]


@pytest.fixture(scope="module")
def racers(django_db_setup: None) -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


@pytest.fixture(params=list(PLACES.values()), ids=list(PLACES))
def rounds(request: pytest.FixtureRequest, racers: Racers) -> Rounds:
    return Rounds(racers, request.param)
