"""Helpers that read and change the files of a portal."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any


def open_to_others(folder: Path) -> set[str]:
    """The files that other accounts can read, except static files, which have no secrets."""
    paths = [path for path in folder.rglob("*") if "static" not in path.relative_to(folder).parts[:-1]]
    return {str(path.relative_to(folder)) for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077}


def change(file: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement, values)


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def add_person(file: Path, name: str) -> None:
    columns = "username, password, first_name, last_name, email, is_staff, is_active, is_superuser, date_joined"
    values = "'', '', '', '', 0, 1, 0, '2027-01-01'"
    change(file, f"INSERT INTO organizations_user ({columns}) VALUES (?, {values})", name)


def people(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [name for (name,) in connection.execute("SELECT username FROM organizations_user ORDER BY id")]


def files_beside(database: Path) -> set[str]:
    """The files beside the database, without locks."""
    return {path.name for path in database.parent.glob(f"{database.name}?*") if path.suffix != ".lock"}
