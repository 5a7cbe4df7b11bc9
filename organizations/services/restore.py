"""Replaces the SQLite database by a backup, or changes nothing.

A checked copy of the backup gets the name of the database in one step, while the database has no `-wal` file: SQLite
would apply the changes in that file to the backup.
"""

import datetime
import os
import shutil
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session

from organizations.models import AuditEntry, Installation
from organizations.services.backups import sync_to_disk
from organizations.services.delivery import restore_guard
from organizations.services.errors import ActionRefused
from orgportal import database_file, schema

_ADVICE = "Name a file that ./dev backup made."
_RESERVE = 10_000_000


@dataclass(frozen=True, slots=True)
class Content:
    """Facts about a database of the portal.

    `sequence` and `newest` are those of its last history entry, `key` names its installation. `is_older` and
    `is_newer`: its tables are those of an older or a newer release.
    """

    sequence: int
    newest: datetime.datetime | None
    key: uuid.UUID
    is_demonstration: bool
    is_older: bool
    is_newer: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore. `kept` is the file with the previous database, if there was one.

    `will_stop`: workers will stop every environment, since messages may have been sent after the backup.
    """

    content: Content
    kept: Path | None
    is_other_installation: bool
    will_stop: bool


def restore(file: Path, database: Path, *, is_complete: bool = False) -> Restored:
    """Replace the database by a copy of the backup. No other program may use the database at the same time.

    `is_complete`: the person confirms that a copy without its `-wal` file was made while the portal was stopped.

    Raises:
        ActionRefused: the file cannot be used, or another program has the database open. Nothing was changed.
        OSError: a disk error. Nothing was changed.
    """
    _check_file(file, database, is_complete=is_complete)
    scratch = database.with_name(f"{database.name}.restoring")
    _clean(database, scratch)
    try:
        _check_space(file, database)
        _copy(file, scratch, database)
        content = _examine(scratch, file)
        _end_sessions(scratch)
        old_key = _merge_wal(database)
        stops = _will_stop(scratch, content)
        kept = _put_in_place(scratch, database)
    finally:
        _remove(scratch)
    return Restored(content, kept, old_key not in (None, content.key), stops)


def _check_file(file: Path, database: Path, *, is_complete: bool) -> None:
    if not file.exists():
        raise ActionRefused(f"There is no file {file}. {_ADVICE}")
    if not file.is_file():
        raise ActionRefused(f"{file} is not a file. {_ADVICE}")
    if database.exists() and file.samefile(database):
        raise ActionRefused(f"{file} is the database itself. {_ADVICE}")
    with file.open("rb") as stream:
        head = stream.read(20)
    if not head.startswith(b"SQLite format 3\0"):
        raise ActionRefused(f"{file} is not an SQLite database. {_ADVICE} If it is compressed, unpack it first.")
    wal = file.with_name(f"{file.name}-wal")
    if head[18:19] == b"\2" and not wal.exists() and not is_complete:
        raise ActionRefused(
            f"{file} was copied without {wal.name}, which held its newest changes if the portal was running. Restore a "
            "file that ./dev backup made. If the portal was stopped when the file was copied, add --complete."
        )


def _clean(database: Path, scratch: Path) -> None:
    """Remove the files of a killed restore: its copy, and a second name of the database in use."""
    _remove(scratch)
    database_file.remove_second_names(database)


def _remove(scratch: Path) -> None:
    for part in database_file.parts(scratch):
        part.unlink(missing_ok=True)


def _check_space(file: Path, database: Path) -> None:
    """Check the free space for the copy and for the changes in both `-wal` files."""
    files = [*database_file.parts(file), *database_file.parts(database)[1:]]
    needed = sum(each.stat().st_size for each in files if each.exists()) + _RESERVE
    free = shutil.disk_usage(database.parent).free
    if free < needed:
        raise ActionRefused(
            f"The disk of {database.parent} has {free / 1e6:,.0f} MB free and needs {needed / 1e6:,.0f} MB. "
            "Nothing was changed."
        )


def _copy(file: Path, scratch: Path, database: Path) -> None:
    for part, target in zip(database_file.parts(file), database_file.parts(scratch), strict=True):
        if part.exists() and not part.name.endswith("-shm"):
            with part.open("rb") as source, target.open("xb") as copy:
                os.chmod(copy.fileno(), 0o600)
                shutil.copyfileobj(source, copy, 1 << 20)
            database_file.give_to_owner(target, database)


def _examine(scratch: Path, file: Path) -> Content:
    """Check the whole copy, and refuse a database that this portal must not use."""
    is_whole, content = False, None
    try:
        with closing(sqlite3.connect(scratch)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE")  # writes the changes of a -wal file into the database
            is_whole = copy.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
            content = _content(copy) if is_whole else None
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        if not _is_damage(error):
            raise
    if content is None:
        reason = "is an SQLite database, but not one of this portal" if is_whole else "is damaged or cut short"
        raise ActionRefused(f"{file} {reason}. Nothing was changed. {_ADVICE}")
    if content.is_newer:
        raise ActionRefused(f"{file} was made by a newer release of the portal. Install that release, then restore.")
    if content.is_demonstration and not settings.DEMO:
        raise ActionRefused(
            f"{file} is a backup of the demonstration and cannot replace a real database. Nothing was changed."
        )
    if settings.DEMO and not content.is_demonstration:
        raise ActionRefused(f"{file} is a backup of a real database, not of a demonstration. Nothing was changed.")
    return content


def _end_sessions(scratch: Path) -> None:
    """Delete the sessions in the backup: they may belong to people whose accounts were closed since."""
    _change(scratch, f"DELETE FROM {Session._meta.db_table}")  # noqa: S608


def _change(scratch: Path, statement: str) -> None:
    with closing(sqlite3.connect(scratch)) as copy:
        copy.execute(statement)
        copy.commit()


def _is_damage(error: Exception) -> bool:
    """Whether the cause of an error is the content of a database: damage, a missing column, an unreadable value.

    An error that is not from SQLite counts too: reading a value fails if its bytes are not text.
    """
    names = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")
    return not isinstance(error, sqlite3.Error) or error.sqlite_errorname in names


def _content(connection: sqlite3.Connection) -> Content | None:
    """Read the facts about a database; None if it is not a database of this portal."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not names >= {"django_migrations", Installation._meta.db_table, AuditEntry._meta.db_table}:
        return None
    applied = connection.execute("SELECT app, name FROM django_migrations").fetchall()
    installation = connection.execute(f"SELECT demonstration, key FROM {Installation._meta.db_table}").fetchone()  # noqa: S608
    if installation is None:
        return None
    entries = f"SELECT sequence, at FROM {AuditEntry._meta.db_table} ORDER BY sequence DESC LIMIT 1"  # noqa: S608
    sequence, at = connection.execute(entries).fetchone() or (0, None)
    return Content(
        sequence=sequence,
        newest=datetime.datetime.fromisoformat(at).replace(tzinfo=datetime.UTC) if at else None,
        key=uuid.UUID(installation[1]),
        is_demonstration=bool(installation[0]),
        is_older=bool(schema.missing(applied)),
        is_newer=bool(schema.unknown(applied)),
    )


def _merge_wal(database: Path) -> uuid.UUID | None:
    """Write the changes in the `-wal` file into the database, so that the database file is complete.

    Returns the installation's key; None if the database is missing, empty or damaged.

    Raises:
        ActionRefused: another program has the database open.
    """
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")  # fails while a program without a -wal file reads or writes
            content = _content(connection)
            return content.key if content else None
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        if _is_damage(error):
            return None
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise ActionRefused(f"Another program has {database} open. Close it, then restore.") from None
        raise


def _will_stop(scratch: Path, content: Content) -> bool:
    def has_entry(sequence: int, digest: str) -> bool:
        query = f"SELECT 1 FROM {AuditEntry._meta.db_table} WHERE sequence = ? AND hash = ?"  # noqa: S608
        with closing(sqlite3.connect(scratch)) as copy:
            return copy.execute(query, (sequence, digest)).fetchone() is not None

    return restore_guard.prepare_stop_after_restore(
        content.key, has_entry, lambda number: _change(scratch, f"PRAGMA user_version = {number}")
    )


def _put_in_place(scratch: Path, database: Path) -> Path | None:
    """Give the copy the name of the database, and keep the database under another name."""
    sync_to_disk(scratch)
    kept = _free_name(database)
    parts = [part for part in database_file.parts(database) if part.exists()]
    for part in parts:
        os.link(part, kept.with_name(part.name.replace(database.name, kept.name, 1)))
    sync_to_disk(database.parent)
    if parts not in ([], [database]):
        # The database is damaged, so its -wal file is still there. Without a database the portal does not start.
        for part in parts:
            part.unlink()
    scratch.replace(database)
    sync_to_disk(database.parent)
    return kept if database in parts else None


def _free_name(database: Path) -> Path:
    start = database.with_name(f"{database.name}.replaced-{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}")
    names = (start, *(start.with_name(f"{start.name}-{number}") for number in range(2, 100)))
    return next(name for name in names if not any(part.exists() for part in database_file.parts(name)))
