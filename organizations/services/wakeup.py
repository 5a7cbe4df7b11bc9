"""Wakes workers at once when a person's action may have made something due.

On PostgreSQL a NOTIFY does so, in the transaction of the action. On SQLite the workers check whether the database
changed. Both only save time: workers also look for due submissions every half second, or every 2 seconds after a minute
without work, since a connection pooler may lose notifications.
"""

import logging
import threading
from collections.abc import Callable

from django.db import connection

_CHANNEL = "orgportal_outbox"
_PATIENCE = 0.5
"""Seconds after which a listener checks whether it must end."""

log = logging.getLogger("orgportal.delivery")


def wake_workers() -> None:
    """Wake every worker when the caller's transaction is committed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {_CHANNEL}")


def listen(stopping: threading.Event, on_wake: Callable[[], None]) -> None:
    """Call `on_wake` after each notification, until `stopping` is set. Returns at once on SQLite."""
    while connection.vendor == "postgresql" and not stopping.is_set():
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {_CHANNEL}")
            while not stopping.is_set():
                for _ in connection.connection.notifies(timeout=_PATIENCE, stop_after=1):
                    on_wake()
        except Exception:
            log.exception("Waiting for notifications of the database failed")
            stopping.wait(_PATIENCE)
        finally:
            connection.close()
