"""Run the portal on one machine: web server and workers."""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from organizations.management.commands._programs import check_database, lock_file, manage, web_servers, workers
from organizations.management.commands._static_files import collect_static_files
from organizations.services.connection import overview
from orgportal import database_file, startup
from orgportal.processes import Supervisor, Taken, only_one, open_listener

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Runs web server and workers until Ctrl-C or SIGTERM. Never changes the tables of the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="check settings and database, start nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        if options["check"]:
            check_database()
            if options["verbosity"]:
                self.stdout.write("Settings and database are ready to serve.")
                for warning in overview.weak_key_warnings():
                    self.stdout.write(f"Warning: {warning}")
            return
        if settings.DATABASES["default"]["ENGINE"] == "orgportal.sqlite3":
            # Check first, because the lock file is made beside the database.
            database_file.check_exists(Path(settings.DATABASES["default"]["NAME"]))
        try:
            self._serve()
        except Taken as taken:
            raise CommandError(str(taken)) from None

    def _serve(self) -> None:
        supervisor = Supervisor(self.say)
        supervisor.listen_to_signals()
        host, port = startup.split_bind(settings.BIND)
        with only_one(_lock_of_database()) as lock, open_listener(host, port, "Set another in BIND.") as listener:
            supervisor.inherit = (lock,)
            # In a separate process, because children of this process must not share a database connection.
            is_ready = supervisor.run_once(manage("serve", "--check", "--verbosity=0")) == 0
            if supervisor.stopping:
                return
            if not is_ready:
                raise CommandError("Nothing was started.")
            collect_static_files(self.say)
            self.say(f"orgportal answers at {_address(host, port)}. Stop it with Ctrl-C.")
            supervisor.run([*workers(), *web_servers(listener)])


def _lock_of_database() -> Path:
    """The lock file: beside an SQLite database. With PostgreSQL one `serve` can run on each machine."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "orgportal.sqlite3":
        return database_file.serve_lock(Path(database["NAME"]))
    identity = "|".join(str(database[key]) for key in ("ENGINE", "HOST", "PORT", "NAME"))
    return lock_file(f"serve-{hashlib.sha256(identity.encode()).hexdigest()[:12]}")


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
