"""The databases of tests: migrated once a run, then copied for each process and for each separate portal."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


def copy(source: str, target: str) -> None:
    """Copy the whole database. Nothing may write to it or, on PostgreSQL, be connected to it."""
    if connection.vendor == "sqlite":
        shutil.copyfile(source, target)
    else:
        _in_server(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')


def drop(name: str) -> None:
    if connection.vendor == "sqlite":
        for file in Path(name).parent.glob(f"{Path(name).name}*"):
            file.unlink()
    else:
        _in_server(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def empty() -> Iterator[None]:
    """Connect to a database without tables. It is deleted at the end."""
    before = str(connection.settings_dict["NAME"])
    own = f"{before}_empty"
    if connection.vendor == "sqlite":
        Path(own).touch()
    else:
        _in_server(f'CREATE DATABASE "{own}"')
    connection.close()
    connection.settings_dict["NAME"] = own
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        drop(own)


def _in_server(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def migrated(run: Path) -> Iterator[str]:
    """A migrated database, to be copied. All processes of the run share it, one at a time; the first one makes it."""
    with _note(run) as note:
        if not note.exists():
            note.write_text(_migrate(run))
        yield note.read_text()


@contextmanager
def _note(run: Path) -> Iterator[Path]:
    """The file with the name of the migrated database, for one process at a time."""
    with (run / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield run / "migrated"


def _migrate(run: Path) -> str:
    name = str(run / "migrated.sqlite3") if connection.vendor == "sqlite" else f"test_migrated_{os.getpid()}"
    settings = connection.settings_dict
    before = settings["NAME"], settings["TEST"]["NAME"]
    settings["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    connection.close()  # SQLite: everything is in the file then
    settings["NAME"], settings["TEST"]["NAME"] = before
    return name


def begin(run: Path) -> None:
    """Give the tests of this process their own migrated database."""
    own = str(connection.settings_dict["TEST"]["NAME"])
    with migrated(run) as template:
        copy(template, own)
    connection.settings_dict["NAME"] = own


def end(run: Path) -> None:
    """Delete the databases. A later process creates another migrated one."""
    connection.close()
    drop(connection.settings_dict["NAME"])
    with _note(run) as note:
        if note.exists():  # otherwise the first process that ended has deleted it
            drop(note.read_text())
            note.unlink()
