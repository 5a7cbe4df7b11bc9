"""Named places at which a test lets a process die, fail or freeze. Without a test's settings they do nothing.

`ORGPORTAL_FAILPOINT=after-intent:kill` names the place and what happens there, once:

    kill        the process ends at once, as by kill -9 or a power cut
    exception   an exception nobody expects
    freeze:5    the process stands still for so many seconds
    database    the database is gone: every further statement of this process fails
"""

import os
import signal
import time

from django.conf import settings
from django.db import OperationalError, connection

_done: set[str] = set()


class Failpoint(Exception):
    """What the action "exception" raises."""


def reach(name: str) -> None:
    """Do what the test wants to happen here; nothing outside tests, and nothing the second time."""
    wanted = getattr(settings, "FAILPOINT", "")
    if not wanted or wanted.partition(":")[0] != name or wanted in _done:
        return
    _done.add(wanted)
    _act(wanted.partition(":")[2])


def _act(action: str) -> None:
    kind, _, value = action.partition(":")
    match kind:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exception":
            raise Failpoint(action)
        case "freeze":
            time.sleep(float(value))
        case "database":
            _lose_database()
        case _:
            raise ValueError(f"{action} is no action of a failpoint")


def _lose_database() -> None:
    """Cut the connection under Django's feet, as a database server that ends does."""
    connection.close()
    raise OperationalError("the database is gone")
