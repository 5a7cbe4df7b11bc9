"""Run a worker, which sends queued messages. Any number can run, on any machine that can reach the database."""

import signal
import threading
from typing import Any

from organizations.management.commands._programs import check_database
from organizations.services import workers
from orgportal import startup

from ._base import PortalCommand

FINISH_WITHIN = 25.0
"""Seconds that a request gets to finish after the signal. Then it is aborted, and its outcome is unknown."""


class Command(PortalCommand):
    help = "Sends queued messages until it is stopped. Any number can run."

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        check_database()
        stopping = threading.Event()
        abort_timer = threading.Timer(FINISH_WITHIN, workers.abort_exchanges)
        abort_timer.daemon = True

        def stop(*_: object) -> None:
            if not stopping.is_set():
                stopping.set()
                abort_timer.start()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, stop)
        workers.run(stopping)
