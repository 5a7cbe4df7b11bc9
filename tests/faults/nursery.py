"""Starts workers fast. Each line of the input is a JSON object with the settings of one worker."""

import functools
import json
import os
from pathlib import Path
from typing import Any

import django
import httpx
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks.nursery import raise_workers
from tests.faults.settings import own


def main() -> None:
    django.setup()
    _load()
    raise_workers(_become_worker)


def _load() -> None:
    """Load the modules that every worker needs, once."""
    from organizations.management.commands import deliver  # noqa: F401, PLC0415
    from orgportal import schema  # noqa: PLC0415

    schema.known_migrations()
    httpx.create_ssl_context = functools.cache(httpx.create_ssl_context)
    httpx.create_ssl_context(trust_env=False)
    connection.close()


def _become_worker(line: str) -> None:
    given = json.loads(line)
    log = os.open(Path(given["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    _set(given)
    call_command("deliver")


def _set(given: dict[str, Any]) -> None:
    from organizations.management.commands import deliver  # noqa: PLC0415
    from organizations.services.delivery import heartbeat, sender  # noqa: PLC0415

    for name, value in own(given).items():
        setattr(settings, name, value)
    connection.settings_dict["NAME"] = given["database"]
    heartbeat.HEARTBEAT = 1.0
    deliver.FINISH_WITHIN = given["finish_within"]
    sender.FIRST_WINDOW = given["first_window"]


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
    main()
