"""The programs that `serve` and `demo` run, and what they need before they start."""

import os
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from orgportal import schema, startup
from orgportal.processes import Program


def manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments)


def check_database() -> None:
    """Refuse a database that lacks migrations, was made by a newer release, or belongs to other settings."""
    error = schema.mismatch()
    if error == schema.NEWER:
        raise CommandError(
            "The database was made by a newer release. Install that release, or restore a backup of this one."
        )
    if error:
        raise CommandError(f"The database does not match this release: {error}. Make a backup, then run: ./dev migrate")
    startup.verify_database()


def workers() -> list[Program]:
    # A worker gets up to 25 s to finish its requests. Then they are aborted, and Queries show whether they arrived.
    # After that, it stores the outcomes of up to 80 messages of each environment.
    return [Program("worker", manage("deliver"), stop_within=40)] * settings.DELIVERY_WORKERS


def web_servers(listener: socket.socket) -> list[Program]:
    """The web processes, which share one listening socket."""
    os.environ["ORGPORTAL_LISTEN"] = f"fd://{listener.fileno()}"
    # A process gets up to 10 s to finish its requests, and up to 5 s to end its threads.
    program = Program("web server", manage("webserver"), stop_within=17, inherit=(listener.fileno(),))
    return [program] * settings.WEB_WORKERS


def lock_file(name: str) -> Path:
    return Path(settings.VAR_DIR) / f"{name}.lock"
