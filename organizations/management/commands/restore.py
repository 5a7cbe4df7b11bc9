"""Puts a backup in the place of the database, while nothing of the portal runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from organizations.services import restore
from orgportal import database_file, startup
from orgportal.processes import Taken, only_one

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Puts a backup in the place of the SQLite database. PostgreSQL has pg_restore for that."
    requires_system_checks: list[str] = []  # noqa: RUF012 - they would open the database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that ./dev backup made")
        parser.add_argument(
            "--complete", action="store_true", help="the file was copied while the portal was stopped, so nothing lacks"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        if settings.DATABASES["default"]["ENGINE"] != "orgportal.sqlite3":
            raise CommandError(
                'This database is PostgreSQL: use pg_restore, as docs/operate.md says under "Backup and restore".'
            )
        database = Path(settings.DATABASES["default"]["NAME"]).resolve()
        try:
            with only_one(database_file.serve_lock(database)), database_file.alone(database):
                done = restore.restore(options["file"], database, is_complete=options["complete"])
        except Taken as taken:
            raise CommandError(f"{taken}. Stop it, then restore.") from None
        for line in _report(options["file"], database, done):
            self.stdout.write(line)


def _report(file: Path, database: Path, done: restore.Restored) -> list[str]:
    content = done.content
    newest = f"{content.newest:%Y-%m-%d %H:%M} UTC" if content.newest else "none"
    lines = [f"{database} now holds what {file} holds, up to entry {content.sequence:,} of the history ({newest})."]
    if done.kept:
        lines.append(f"The database before it is kept as {done.kept}.")
    if done.is_other_installation:
        lines.append("WARNING: the backup is of another installation than the database before it.")
    if content.is_older:
        lines.append("The backup is of an older release. Before you start the portal, run: ./dev migrate")
    if done.will_stop:
        lines.append(
            "Messages may have been sent after this backup was made. So the workers will stop both environments: after "
            'the start, open "Connection" of each, press "Check connection", then "Go on sending".'
        )
    else:
        lines.append("Nothing was sent after this backup was made: after the start, the workers go on.")
    return lines
