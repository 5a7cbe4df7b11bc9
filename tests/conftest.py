"""What holds for every test: no network but this machine, and no time limit for Hypothesis."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from hypothesis import settings as hypothesis_settings

# Playwright leaves an event loop in the main thread, for which Django would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# The machine of a run may be busy: a slow example is no fault.
hypothesis_settings.register_profile("orgportal", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis_settings.register_profile("quick", deadline=None, max_examples=15)
hypothesis_settings.load_profile("orgportal")


DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-database", action="store_true", help="only tests that use a database")


# The straight way of delivery; every other test that sends over HTTP is left out of the quick run.
QUICK_DELIVERY = "test_delivery.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the quick run quick; leave out what a second database would not test differently."""
    for item in items:
        if "practice" in getattr(item, "fixturenames", ()) and item.path.name != QUICK_DELIVERY:
            item.add_marker(pytest.mark.slow)
    if config.getoption("--only-database"):
        wanted = [item for item in items if _uses_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if not _uses_database(item)])
        items[:] = wanted


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None


class NetworkClosed(Exception):
    """A test wanted to reach another machine."""


def _local(address: Any) -> bool:
    return not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1", "localhost") or address[0][:4] == "127."


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Give each test the settings of the run, whatever an earlier one in the same process left changed."""
    before = settings._wrapped
    yield
    settings._wrapped = before


@pytest.fixture(autouse=True, scope="session")
def closed_network() -> Iterator[None]:
    """Let no connection leave the machine, whatever library makes it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if not _local(address):
            raise NetworkClosed(f"a test tried to connect to {address!r}")
        return connect(self, address)

    return guarded
