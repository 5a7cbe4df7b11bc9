"""Copy the database while the portal runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from organizations.services import backups
from orgportal import startup

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Writes a copy of the SQLite database to FILE while the portal runs. For PostgreSQL use pg_dump."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        if connection.vendor != "sqlite":
            raise CommandError("This database is PostgreSQL: make the copy with pg_dump, as docs/operate.md says.")
        file: Path = options["file"]
        sequence = backups.write_backup(file)
        size = f"{file.stat().st_size:,} bytes"
        self.stdout.write(f"{file} holds the database up to entry {sequence:,} of the history ({size}).")
