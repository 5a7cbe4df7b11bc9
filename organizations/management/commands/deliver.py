"""A worker: sends what is in the outbox. Any number of them may run, on any machine that reaches the database."""

import signal
import threading
from typing import Any

from organizations.services import workers
from orgportal import startup

from ._base import PortalCommand
from ._running import check_database


class Command(PortalCommand):
    help = "Sends what was reviewed, until it is told to stop. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        check_database()
        stopping = threading.Event()
        # The request in hand is finished; the supervisor waits for that.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stopping.set())
        workers.run(stopping)
