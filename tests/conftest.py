"""What holds for every test, and whom and what tests share.

No network but this machine, no time limit for Hypothesis, every table put back.
"""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection, transaction
from django.test import Client, override_settings
from hypothesis import settings as hypothesis_settings

from organizations.models import Installation, Organization, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor, system
from orgportal import middleware
from tests import factories
from tests.connected import connected, redox

# Playwright leaves an event loop in the main thread, for which Django would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# The machine of a run may be busy: a slow example is no fault.
hypothesis_settings.register_profile(
    "orgportal", deadline=None, max_examples=50, derandomize=bool(os.environ.get("CI"))
)
hypothesis_settings.register_profile("quick", deadline=None, max_examples=15)
hypothesis_settings.load_profile("orgportal")


# What is imported stays: looking through it for garbage again and again takes a fifteenth of a run.
gc.disable()

TESTS = Path(__file__).parent
DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-database", action="store_true", help="only tests that another database can fail")
    parser.addoption("--save-pages", metavar="FOLDER", help="write each page that a browser opens into this folder")


# A database has a say in what is claimed, locked, settled, counted, searched, sorted and refused by a constraint. What
# is made of rows after they were read (pages, sentences, messages, answers) is the same from either database.
BOTH_DATABASES = ("faults", "races", "services")
"""The folders whose tests run on PostgreSQL as well, beside the files of `tests` itself. In them `one_database` marks
what does not differ; elsewhere `both_databases` marks what does."""

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


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import, once a process, the files of which PostgreSQL runs nothing."""
    if not config.getoption("--only-database") or collection_path.suffix != ".py" or _is_for_both(collection_path):
        return None
    return "both_databases" not in collection_path.read_text() or None


def _is_for_both(path: Path) -> bool:
    return path.parent == TESTS or path.relative_to(TESTS).parts[0] in BOTH_DATABASES


def _differs_by_database(item: pytest.Item) -> bool:
    if not set(getattr(item, "fixturenames", ())) & DATABASE_FIXTURES and item.get_closest_marker("django_db") is None:
        return False
    if _is_for_both(item.path):
        return item.get_closest_marker("one_database") is None
    return item.get_closest_marker("both_databases") is not None


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """After a test that commits put each table back as migrating has left it, and touch none but those that changed.

    Django empties every table and lets each package make its own rows anew; that takes longer than many a test.
    """
    with django_db_blocker.unblock():
        made = Table.all()

    def put_back(*_: Any, **__: Any) -> list[str]:
        # Constraints between rows are checked when the transaction ends: the order of the tables does not matter.
        with transaction.atomic():
            for table in made:
                table.put_back()
            # To the worker the database of another test is another one, not the last one's put back from a backup.
            Installation.objects.all().delete()
            Installation.objects.create(pk=1)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", put_back)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield


class Table(NamedTuple):
    """A table with the rows that it had at some time, as the database gives and takes them."""

    name: str
    columns: str
    rows: list[tuple[Any, ...]]

    @classmethod
    def all(cls) -> list[Self]:
        return [cls.of(name) for name in sorted(connection.introspection.django_table_names())]

    @classmethod
    def of(cls, name: str) -> Self:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            rows = sorted(cursor.fetchall(), key=repr)
            return cls(name, ", ".join(connection.ops.quote_name(column[0]) for column in cursor.description), rows)

    def put_back(self) -> None:
        if self.rows and self == Table.of(self.name):
            return
        table = connection.ops.quote_name(self.name)
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
            if self.rows:
                places = ", ".join(["%s"] * len(self.rows[0]))
                cursor.executemany(f"INSERT INTO {table} ({self.columns}) VALUES ({places})", self.rows)


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


# People and what they work with -----------------------------------------------------------------------------


@pytest.fixture
def editor(db: None) -> User:
    return factories.editor()


@pytest.fixture
def second(db: None) -> User:
    return factories.UserFactory(role="editor", first_name="Editor", last_name="Two")


@pytest.fixture
def approver(db: None) -> User:
    return factories.UserFactory(role="approver", first_name="Approver", last_name="One")


@pytest.fixture
def viewer(db: None) -> User:
    return factories.UserFactory(role="viewer", first_name="Viewer", last_name="One")


@pytest.fixture
def worker() -> Actor:
    return system("Worker test")


@pytest.fixture
def made(editor: User) -> Organization:
    """A record that was never sent."""
    return factories.organization(user=editor)


@pytest.fixture
def accepted(editor: User) -> Organization:
    """A record that Redox accepted."""
    return factories.accepted(user=editor)


@pytest.fixture
def queued(editor: User) -> Submission:
    return factories.submission(factories.organization(user=editor), user=editor, reason="New site, ticket 118")


@pytest.fixture
def family(editor: User) -> dict[str, Organization]:
    """A company with two regions, and two locations below the first."""
    names = {
        "": "Lakeside Clinics",
        ".1": "North Region",
        ".2": "Harbor Region",
        ".1.1": "Lakeside North",
        ".1.2": "Quarry Road",
    }
    made = {}
    for end, name in names.items():
        parent = {"part_of_oid": factories.BASE + end.rpartition(".")[0]} if end else {}
        aliases = ("Old Harbor Pediatrics",) if name == "Quarry Road" else ()
        made[name] = factories.organization(factories.BASE + end, user=editor, name=name, aliases=aliases, **parent)
    return made


@pytest.fixture
def practice(tmp_path: Path, transactional_db: None) -> Iterator[PracticeDirectory]:
    """The practice directory over real HTTP, with settings that lead both environments to it."""
    with connected(tmp_path) as running:
        yield running


@pytest.fixture
def unreachable_redox() -> Iterator[None]:
    """Settings as of a portal that is connected; nothing answers there."""
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        yield


@pytest.fixture
def client_of(db: None) -> Callable[..., Client]:
    """A browser in which a person with that role is signed in; `user` gives the person instead."""

    def signed_in(role: str = "", user: User | None = None) -> Client:
        client = Client()
        client.force_login(user or factories.UserFactory(role=role))
        return client

    return signed_in


@pytest.fixture
def client(editor: User) -> Client:
    """A browser in which Editor One is signed in."""
    client = Client()
    client.force_login(editor)
    return client


@pytest.fixture
def visitor() -> Client:
    """A browser in which nobody is signed in."""
    return Client()
