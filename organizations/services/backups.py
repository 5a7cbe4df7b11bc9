"""Makes a full copy of the SQLite database while the portal runs."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection

from organizations.models import AuditHead
from organizations.services.errors import ActionRefused


def write_backup(file: Path) -> int:
    """Write a copy and check it. Returns the sequence of the newest history entry in it. Never overwrites a file.

    Raises:
        ActionRefused: the file cannot be created, or the copy is damaged and was deleted.
    """
    _make_private(file)
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(file)])
        sequence = _checked(file)
        sync_to_disk(file)
        sync_to_disk(file.absolute().parent)
        return sequence
    except BaseException:
        file.unlink()
        raise


def sync_to_disk(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk, so that a power cut cannot lose it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_private(file: Path) -> None:
    """Create an empty file that only its owner can read. SQLite fills it."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileNotFoundError:
        raise ActionRefused(f"There is no folder {file.parent}. Make it, or name a file in another folder.") from None
    except OSError as error:
        raise ActionRefused(f"{file} cannot be made: {error.strerror}. Name a file that does not exist yet.") from None


def _checked(file: Path) -> int:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise ActionRefused(f"The copy is damaged: {verdict}")
        head = copy.execute(f"SELECT sequence FROM {AuditHead._meta.db_table}").fetchone()  # noqa: S608
    return int(head[0]) if head else 0  # no row if the first migration was interrupted
