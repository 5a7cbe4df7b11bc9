"""A worker: sends what is in the outbox. Any number of them may run, on any machine that reaches the database."""

import signal
import threading
from typing import Any

from organizations.services.delivery import workers
from orgportal import startup

from ._base import PortalCommand
from ._running import check_database

FINISH_WITHIN = 25.0
"""Seconds that the request in hand gets after the signal; then it is cut off and its fate is unknown at once."""


class Command(PortalCommand):
    help = "Sends what was reviewed, until it is told to stop. Any number may run."

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
