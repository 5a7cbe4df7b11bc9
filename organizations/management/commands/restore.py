"""Replace the database by a backup, while the portal is stopped."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from organizations.management.commands._programs import check_database
from organizations.services import restore
from organizations.services.accounts import sessions
from organizations.services.actors import system
from organizations.services.delivery import restore_guard
from orgportal import database_file, startup
from orgportal.processes import Taken, only_one

from ._base import PortalCommand

RESUME_ADVICE = (
    'Then open "Connection" of each environment, press "Check connection", and then "Resume sending to STAGING" or '
    '"Resume sending to PRODUCTION".'
)


class Command(PortalCommand):
    help = "Replaces the SQLite database by a backup. For PostgreSQL use pg_restore."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="a file made by ./dev backup")
        parser.add_argument(
            "--complete",
            action="store_true",
            help="the file was copied while the portal was stopped: nothing is missing",
        )
        parser.add_argument(
            "--by-hand",
            action="store_true",
            help="the database was already restored, by pg_restore or from a snapshot: only stop all sending",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        if (options["file"] is None) is not options["by_hand"] or (options["by_hand"] and options["complete"]):
            raise CommandError("Name the backup: ./dev restore FILE. After pg_restore or a snapshot: --by-hand alone.")
        if options["by_hand"]:
            check_database()
            sessions.end_all()
            restore_guard.stop_all_environments(actor=system("Command restore"))
            lines = [f"Both environments are stopped, and everybody must sign in again. {RESUME_ADVICE}"]
        else:
            lines = self._restore(options["file"], is_complete=options["complete"])
        for line in lines:
            self.stdout.write(line)

    def _restore(self, file: Path, *, is_complete: bool) -> list[str]:
        if settings.DATABASES["default"]["ENGINE"] != "orgportal.sqlite3":
            raise CommandError(
                'This database is PostgreSQL: use pg_restore, as docs/operate.md says under "Backup and restore".'
            )
        database = Path(settings.DATABASES["default"]["NAME"]).resolve()
        try:
            lock = database_file.serve_lock(database)
            with only_one(lock), database_file.alone(database):
                database_file.give_to_owner(lock, database)
                result = restore.restore(file, database, is_complete=is_complete)
        except Taken as taken:
            raise CommandError(f"{taken}. Stop it, then restore.") from None
        return _report(file, database, result)


def _report(file: Path, database: Path, result: restore.Restored) -> list[str]:
    content = result.content
    newest = f"{content.newest:%Y-%m-%d %H:%M} UTC" if content.newest else "none"
    lines = [f"{database} is now a copy of {file}, up to entry {content.sequence:,} of the history ({newest})."]
    lines.append("Everybody must sign in again.")
    if result.kept:
        lines.append(f"The previous database is kept as {result.kept}.")
    if result.is_other_installation:
        lines.append("WARNING: the backup is from another installation than the previous database.")
    if content.is_older:
        lines.append("The backup is of an older release. Before you start the portal, run: ./dev migrate")
    if result.will_stop:
        lines.append(
            "Messages may have been sent after this backup was made, so the workers stop both environments when they "
            f"start. {RESUME_ADVICE}"
        )
    else:
        lines.append("Nothing was sent after this backup was made. When you start the portal, the workers continue.")
    return lines
