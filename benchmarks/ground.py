"""Sets up each measurement: its own settings, an empty database, and programs that are stopped at its end."""

import os
import platform
import secrets
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from orgportal import database_file
from orgportal.demonstration import var_dir
from orgportal.processes import Program, Supervisor
from tests import cluster

ROOT = Path(__file__).resolve().parent.parent


class NotMeasured(Exception):
    """The measurement cannot be made; the text says why."""


@contextmanager
def exit_if_not_measured() -> Iterator[None]:
    """End the process with code 2 and the reason if something could not be measured."""
    try:
        yield
    except NotMeasured as error:
        print(f"Not measured: {error}", file=sys.stderr)
        sys.exit(2)


def new_sqlite_url(name: str) -> str:
    """The URL of a new SQLite file with this name in `var/`. Files of an earlier measurement are deleted."""
    folder = var_dir(os.environ)
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob(f"{name}.sqlite3*"):
        file.unlink()
    return f"sqlite:///{folder}/{name}.sqlite3"


@contextmanager
def database(name: str, file: str) -> Iterator[str]:
    """The URL of the database to measure: `name`, a separate PostgreSQL server, or a new SQLite file in `var/`.

    Raises:
        NotMeasured: there is no PostgreSQL server on this machine.
    """
    if name != "postgresql":
        yield new_sqlite_url(file) if name in ("", "sqlite") else name
        return
    with cluster.cluster(_postgresql()) as address:
        yield address


@contextmanager
def server() -> Iterator[cluster.Server]:
    """A separate PostgreSQL server that can be stopped and started again.

    Raises:
        NotMeasured: there is no PostgreSQL server on this machine.
    """
    with cluster.server(_postgresql()) as running:
        yield running


def _postgresql() -> Path:
    programs = cluster.binaries()
    if programs is None:
        raise NotMeasured("There is no PostgreSQL server on this machine.")
    return programs


def prepare(database: str, *, filled: bool = False, **variables: str) -> None:
    """Set up Django with the values here and WEB_WORKERS alone, also for started programs, and create all tables.

    `filled`: the database is used as it is, even if an earlier measurement filled it.

    Raises:
        NotMeasured: the database is in use.
    """
    for name in [name for name in os.environ if name.startswith("REDOX_")]:
        del os.environ[name]
    os.environ.pop("ORGPORTAL_DEMO", None)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="benchmarks.settings",
        ORGPORTAL_ENV_FILE="",
        DATABASE_URL=database,
        SECRET_KEY=secrets.token_urlsafe(50),
        ALLOWED_HOSTS="127.0.0.1",
        HTTPS="false",
        DEBUG="false",
        TIME_ZONE="America/Chicago",
        WEB_WORKERS=os.environ.get("WEB_WORKERS", "2"),
        **{"LOG_LEVEL": "WARNING", **variables},
    )
    django.setup()
    if connection.vendor == "sqlite":
        database_file.make(Path(connection.settings_dict["NAME"]))
    if not filled and _is_in_use():
        raise NotMeasured("The database is in use. Name an empty one: it is filled with made-up records.")
    call_command("migrate", verbosity=0)


def _is_in_use() -> bool:
    """Whether the database has tables of another program, or people. Without people there are no records."""
    tables, user = connection.introspection.table_names(), get_user_model()
    return bool(tables) and (user._meta.db_table not in tables or user._default_manager.exists())


@contextmanager
def running(name: str, command: tuple[str, ...], inherit: tuple[int, ...] = ()) -> Iterator[None]:
    """Run another program during the block. A signal that ends this process stops the program too."""
    supervisor = Supervisor(print)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # through the `finally` below
    supervisor.start(Program(name, command, stop_within=30, inherit=inherit))
    try:
        yield
    finally:
        supervisor.stop()


def machine() -> str:
    """The machine, the versions and the database of the measurement, in one line."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        version = str(cursor.fetchone()[0]).split(" (", maxsplit=1)[0]
    database = version if connection.vendor == "postgresql" else f"SQLite {version}"
    python = f"Python {platform.python_version()}, Django {django.get_version()}"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores; {python}; {database}"


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown; the first column is text, the others are figures."""
    lines = [headings, ("---", *["---:"] * (len(headings) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
