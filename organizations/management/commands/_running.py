"""The programs that `serve` and `demo` keep running, and what each of them needs first."""

import os
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from orgportal import schema, startup
from orgportal.processes import Program

# Of what Bootstrap and htmx bring the pages use one file each. To hash and compress all takes a second at each start.
_UNUSED = (
    "bootstrap-*",
    "bootstrap.css*",
    "bootstrap.rtl*",
    "js/bootstrap*",
    "django_htmx/ext/*",
    "django_htmx/htmax*",
)


def manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments)


def check_database() -> None:
    """Refuse a database that lacks migrations, was made by a newer release, or belongs to other settings."""
    error = schema.fault()
    if error == schema.NEWER:
        raise CommandError(
            "The database was made by a newer release. Install that release, or restore a backup of this one."
        )
    if error:
        raise CommandError(f"The database does not fit: {error}. Make a backup, then run: ./dev migrate")
    startup.verify_database()


def workers() -> list[Program]:
    # A worker finishes the request in hand for up to 25 s; what it must cut off is asked for, never sent again.
    return [Program("worker", manage("deliver"), stop_within=27)] * settings.DELIVERY_WORKERS


def web_servers(door: socket.socket) -> list[Program]:
    """The web processes, all behind one door that is open already."""
    os.environ["ORGPORTAL_LISTEN"] = f"fd://{door.fileno()}"
    # A process finishes its requests for up to 10 s, then ends its threads for up to 5 s.
    program = Program("web server", manage("webserver"), stop_within=17, inherit=(door.fileno(),))
    return [program] * settings.WEB_WORKERS


def collect_static_files() -> None:
    """Without them every page fails: their names carry hashes that only the collected list knows."""
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=[*_UNUSED])


def lock_file(name: str) -> Path:
    return Path(settings.VAR_DIR) / f"{name}.lock"
