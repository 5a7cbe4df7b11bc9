"""A whole copy of the database, made while the portal runs."""

import os
import sqlite3
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from organizations.models import AuditHead
from orgportal import startup

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Writes a copy of the SQLite database to FILE while the portal runs. PostgreSQL has pg_dump for that."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        if connection.vendor != "sqlite":
            raise CommandError("This database is PostgreSQL: make the copy with pg_dump, as docs/operate.md says.")
        file: Path = options["file"]
        _make_private(file)
        try:
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(file)])
            sequence = _checked(file)
        except Exception:
            file.unlink()
            raise
        size = f"{file.stat().st_size:,} bytes"
        self.stdout.write(f"{file} holds the database up to entry {sequence:,} of the history ({size}).")


def _make_private(file: Path) -> None:
    """An empty file that only its owner can read, which SQLite fills; nothing is ever overwritten."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise CommandError(f"{file} cannot be made: {error.strerror}. Name a file that does not exist yet.") from None


def _checked(file: Path) -> int:
    """The newest entry of the history in the copy, which is read as a whole once."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise CommandError(f"The copy is damaged: {verdict}")
        (sequence,) = copy.execute(f"SELECT sequence FROM {AuditHead._meta.db_table}").fetchone()  # noqa: S608
    return int(sequence)
