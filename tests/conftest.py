"""What holds for every test: no network but this machine, and no time limit for Hypothesis."""

import os
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection, transaction
from hypothesis import settings as hypothesis_settings

from organizations.models import Installation
from orgportal import middleware

# Playwright leaves an event loop in the main thread, for which Django would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# The machine of a run may be busy: a slow example is no fault.
hypothesis_settings.register_profile("orgportal", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis_settings.register_profile("quick", deadline=None, max_examples=15)
hypothesis_settings.load_profile("orgportal")


DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-database", action="store_true", help="only tests that use a database")
    parser.addoption("--save-pages", metavar="FOLDER", help="write each page that a browser opens into this folder")


# The straight way of delivery; every other test that sends over HTTP is left out of the quick run.
QUICK_DELIVERY = "test_delivery.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the quick run quick; leave out what a second database would not test differently."""
    for item in items:
        if "practice" in getattr(item, "fixturenames", ()) and item.path.name != QUICK_DELIVERY:
            item.add_marker(pytest.mark.slow)
    if config.getoption("--only-database"):
        wanted = [item for item in items if _differs_by_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if not _differs_by_database(item)])
        items[:] = wanted


def _differs_by_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("one_database"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """After a test that commits put back what migrating has made, row by row: to let each package make its own anew, as
    Django does, takes longer than many a test."""
    with django_db_blocker.unblock():
        tables = set(connection.introspection.django_table_names()) - {Installation._meta.db_table}
        made = [rows for table in sorted(tables) if (rows := _Rows.of(table)).values]

    def put_back(*_: Any, **__: Any) -> None:
        with transaction.atomic():
            for rows in made:
                rows.put_back()
            # To the worker the database of another test is another one, not the last one's put back from a backup.
            Installation.objects.create(pk=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", put_back)
        yield


class _Rows(NamedTuple):
    """All rows of a table, as the database gives and takes them."""

    table: str
    columns: tuple[str, ...]
    values: list[tuple[Any, ...]]

    @classmethod
    def of(cls, table: str) -> Self:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = tuple(connection.ops.quote_name(column[0]) for column in cursor.description)
            return cls(connection.ops.quote_name(table), columns, cursor.fetchall())

    def put_back(self) -> None:
        places = ", ".join(["%s"] * len(self.columns))
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES ({places})", self.values)


@pytest.fixture
def long_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let addresses of any length through: pages bear more than they can get."""
    monkeypatch.setattr(middleware, "LONGEST_ADDRESS", 10**6)


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
