"""Starts workers fast: Django is loaded once, and each worker is a process forked off, as real as one of its own.

Reads one JSON object a line from standard input, answers each with the number of the process.
"""

import functools
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
import httpx
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from tests.faults.settings import own


def main() -> None:
    django.setup()
    _load()
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become_worker(json.loads(line))
        print(child, flush=True)


def _reap(*_: object) -> None:
    """Let who ended be gone."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _load() -> None:
    """What every worker loads, once."""
    from organizations.management.commands import deliver  # noqa: F401, PLC0415
    from orgportal import schema  # noqa: PLC0415

    schema._known_migrations()
    httpx.create_ssl_context = functools.cache(httpx.create_ssl_context)
    httpx.create_ssl_context(trust_env=False)
    connection.close()


def _become_worker(given: dict[str, Any]) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(Path(given["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _set(given)
        call_command("deliver")
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _set(given: dict[str, Any]) -> None:
    from organizations.management.commands import deliver  # noqa: PLC0415
    from organizations.services import workers  # noqa: PLC0415

    for name, value in own(given).items():
        setattr(settings, name, value)
    connection.settings_dict["NAME"] = given["database"]
    workers.POLL, workers.HEARTBEAT = 0.25, 1.0
    deliver.FINISH_WITHIN = 0.5


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
    main()
