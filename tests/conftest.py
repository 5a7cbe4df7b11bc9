"""Settings for every test, and shared fixtures.

No network except this machine, no deadline for Hypothesis, and every table is restored.
"""

import gc
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection, transaction
from django.http import HttpRequest
from django.template.backends.jinja2 import Template
from django.test import Client, TransactionTestCase, override_settings
from django.test.signals import template_rendered
from hypothesis import settings as hypothesis_settings

from organizations.models import Installation, Organization, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor, system
from orgportal import middleware
from tests import databases, factories
from tests.connected import connected, redox

# Playwright leaves an event loop in the main thread, and Django then refuses to use the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# The machine may be busy: a slow example is not an error.
hypothesis_settings.register_profile(
    "orgportal", deadline=None, max_examples=30, derandomize=bool(os.environ.get("CI"))
)
hypothesis_settings.register_profile("quick", deadline=None, max_examples=15)
hypothesis_settings.load_profile("orgportal")


# Searching the imported modules for garbage takes a fifteenth of a run, and finds nothing: they stay in use.
gc.disable()

TESTS = Path(__file__).parent
DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


@pytest.fixture(autouse=True, scope="session")
def responses_have_the_context_of_their_page() -> Iterator[None]:
    """Django records the context of a template only for its own engine."""
    render = Template.render

    def signalled(self: Template, context: dict[str, Any] | None = None, request: HttpRequest | None = None) -> str:
        context = context or {}
        template_rendered.send(sender=self, template=self, context=context)
        return render(self, context, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "render", signalled)
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only what is worth running after each change")
    parser.addoption("--only-database", action="store_true", help="only tests that another database can fail")
    parser.addoption("--save-pages", metavar="FOLDER", help="write each page that a browser opens into this folder")


# Databases differ in how they claim, lock, settle, count, search, sort, and check constraints. Code that works on rows
# after they were read (pages, sentences, messages, answers) does the same for either database.
BOTH_DATABASES = ("faults", "races", "services")
"""The folders whose tests run on PostgreSQL as well, beside the files of `tests` itself. In them `one_database` marks
what does not differ; elsewhere `both_databases` marks what does."""

QUICK = ("forms", "pages", "queries", "redox", "services", "text")
"""The folders of the quick run, beside the files of `tests` itself. It leaves out what is marked `slow` or needs the
practice directory. If a test uses the database, only its first case runs."""

# Each test here sends several messages: the quick run takes only QUICK_DELIVERY of them.
LONG = {"delivery", "plan", "test_plans.py", "test_shown_tree.py", "test_above_and_below.py"}
QUICK_DELIVERY = "test_delivery.py"

# One of these at the end would keep the other cores waiting.
LONGEST = {"platform", "test_every_page.py"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests of the quick run, and those whose result depends on the database. The longest begin."""
    for option, is_wanted in (("--quick", _is_quick), ("--only-database", _differs_by_database)):
        if config.getoption(option):
            config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
            items[:] = filter(is_wanted, items)
    items.sort(key=lambda item: LONGEST.isdisjoint((item.path.name, item.path.parent.name)))


def _is_quick(item: pytest.Item) -> bool:
    if item.get_closest_marker("slow"):
        return False
    if "practice" in getattr(item, "fixturenames", ()) and item.path.name != QUICK_DELIVERY:
        return False
    case = getattr(item, "callspec", None)
    return case is None or not any(case.indices.values()) or not _uses_database(item)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import files from which the quick run or PostgreSQL runs no test."""
    if collection_path.suffix != ".py":
        return None
    if config.getoption("--quick"):
        return not _may_be_quick(collection_path) or None
    if not config.getoption("--only-database") or _is_for_both(collection_path):
        return None
    return "both_databases" not in collection_path.read_text() or None


def _may_be_quick(path: Path) -> bool:
    folder, *rest = path.relative_to(TESTS).parts
    return path.parent == TESTS or (folder in QUICK and (LONG.isdisjoint(rest) or path.name == QUICK_DELIVERY))


def _is_for_both(path: Path) -> bool:
    return path.parent == TESTS or path.relative_to(TESTS).parts[0] in BOTH_DATABASES


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None


def _differs_by_database(item: pytest.Item) -> bool:
    if not _uses_database(item):
        return False
    if _is_for_both(item.path):
        return item.get_closest_marker("one_database") is None
    return item.get_closest_marker("both_databases") is not None


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the processes of a run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any, run_folder: Path) -> Iterator[None]:
    """Create the database of this process. After a test that commits, restore the tables that it changed.

    Django would empty every table and let each app create its rows again, which takes longer than many tests.
    """
    with django_db_blocker.unblock():
        databases.begin(run_folder)
        made = Table.all()

    def put_back(*_: Any, **__: Any) -> list[str]:
        # Constraints between rows are checked when the transaction ends: the order of the tables does not matter.
        with transaction.atomic():
            for table in made:
                table.put_back()
            # Each test gets a new installation, so that no worker takes the emptied database for a restored backup.
            Installation.objects.all().delete()
            Installation.objects.create(pk=1)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", put_back)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        # Django would connect again for the next test. PostgreSQL then reads every definition of a table again.
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda _: False)
        yield
    with django_db_blocker.unblock():
        databases.end(run_folder)


class Table(NamedTuple):
    """A table and the rows to restore, as the database returns and accepts them."""

    name: str
    columns: str
    rows: list[tuple[Any, ...]]

    @classmethod
    def all(cls) -> list[Self]:
        models = apps.get_models(include_auto_created=True)
        fields = {model._meta.db_table: model._meta.concrete_fields for model in models if model._meta.managed}
        # The database computes the generated columns itself.
        return [
            cls.of(table, [field.column for field in of_table if field.column and not field.generated])
            for table, of_table in sorted(fields.items())
        ]

    @classmethod
    def of(cls, name: str, columns: Iterable[str]) -> Self:
        return cls(name, ", ".join(map(connection.ops.quote_name, columns)), []).read()

    def read(self) -> Self:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {self.columns} FROM {connection.ops.quote_name(self.name)}")
            return self._replace(rows=sorted(cursor.fetchall(), key=repr))

    def put_back(self) -> None:
        if self.rows and self == self.read():
            return
        table = connection.ops.quote_name(self.name)
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
            if self.rows:
                places = ", ".join(["%s"] * len(self.rows[0]))
                cursor.executemany(f"INSERT INTO {table} ({self.columns}) VALUES ({places})", self.rows)


@pytest.fixture
def long_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow addresses of any length: pages are tested with more than a browser sends."""
    monkeypatch.setattr(middleware, "LONGEST_ADDRESS", 10**6)


class NetworkClosed(Exception):
    """A test tried to connect to another machine."""


def _local(address: Any) -> bool:
    return not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1", "localhost") or address[0][:4] == "127."


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Give each test the settings of the run, even if an earlier test changed them."""
    before = settings._wrapped
    yield
    settings._wrapped = before


@pytest.fixture(autouse=True, scope="session")
def closed_network() -> Iterator[None]:
    """Block connections to other machines, from any library."""
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
def organization(editor: User) -> Organization:
    """A record that was never sent."""
    return factories.organization(user=editor)


@pytest.fixture
def north(editor: User) -> Organization:
    return factories.organization(f"{factories.BASE}.1", user=editor, name="Lakeside North")


@pytest.fixture
def accepted(editor: User) -> Organization:
    """A record that Redox accepted."""
    return factories.accepted_organization(user=editor)


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
    organizations = {}
    for end, name in names.items():
        parent = {"part_of_oid": factories.BASE + end.rpartition(".")[0]} if end else {}
        aliases = ("Old Harbor Pediatrics",) if name == "Quarry Road" else ()
        organizations[name] = factories.organization(
            factories.BASE + end, user=editor, name=name, aliases=aliases, **parent
        )
    return organizations


@pytest.fixture
def practice(tmp_path: Path, transactional_db: None) -> Iterator[PracticeDirectory]:
    """The practice directory over real HTTP, with settings that connect both environments to it."""
    with connected(tmp_path) as running:
        yield running


@pytest.fixture
def with_base(practice: PracticeDirectory) -> Iterator[PracticeDirectory]:
    """The practice directory, with an OID of ours in the settings."""
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_BASE_OIDS=factories.BASE)):
        yield practice


@pytest.fixture
def unreachable_redox() -> Iterator[None]:
    """Settings of a connected portal, with an address where no server answers."""
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        yield


@pytest.fixture
def demo(settings: Any, tmp_path: Path) -> None:
    """Settings of a demonstration."""
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")


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
