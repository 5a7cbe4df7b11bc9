"""Run a worker, which sends what is queued. Any number can run, on any machine that reaches the database."""

import signal
import threading
from typing import Any

from organizations.management.commands._programs import check_database
from organizations.services import workers
from orgportal import startup

from ._base import PortalCommand

FINISH_WITHIN = 25.0
"""Seconds that the current request gets after the signal. Then it is cut off, and its outcome is unknown."""


class Command(PortalCommand):
    help = "Sends what is queued, until it is stopped. Any number can run."

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        check_database()
        stopping = threading.Event()
        cut_off = threading.Timer(FINISH_WITHIN, workers.cut_off_exchanges)
        cut_off.daemon = True

        def stop(*_: object) -> None:
            if not stopping.is_set():
                stopping.set()
                cut_off.start()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, stop)
        workers.run(stopping)
