"""Named places where a test makes a process die, fail or freeze. Without test settings they do nothing.

`FAILPOINT = "after-intent:kill"` names the place and what happens there the first time:

    kill        the process ends at once, as by kill -9 or a power cut
    exception   an unexpected exception is raised
    freeze:5    the process sleeps for 5 seconds
    database:5  for 5 seconds the database cannot be reached: the connection is cut and every statement fails

Only the test settings have FAILPOINT; they take it from `ORGPORTAL_FAILPOINT`.

Tests of races use `calling()`: it calls their function at a place, in every thread and every time.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection

log = logging.getLogger("orgportal.failpoints")

_done: set[str] = set()
_calls: dict[str, Callable[[], object]] = {}


class Failpoint(Exception):
    """Raised by the action "exception"."""


def reach(name: str) -> None:
    """Do what FAILPOINT names for this place, if the process reaches it for the first time."""
    if name in _calls:
        _calls[name]()
    failpoint = getattr(settings, "FAILPOINT", "")
    if not failpoint or failpoint.partition(":")[0] != name or failpoint in _done:
        return
    _done.add(failpoint)
    log.warning("Failpoint %s", failpoint)
    _act(failpoint.partition(":")[2])


@contextmanager
def calling(act: Callable[[], object], *names: str) -> Iterator[None]:
    """Call `act` whenever a thread of this process reaches one of these places. For tests only."""
    _calls.update(dict.fromkeys(names, act))
    try:
        yield
    finally:
        for name in names:
            del _calls[name]


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
            _lose_database(float(value))
        case _:
            raise ValueError(f"{action} is not an action of a failpoint")


def _lose_database(seconds: float) -> None:
    """Cut this thread's connection, as when a database server ends, and refuse every statement until the time is up."""
    back_at = time.monotonic() + seconds

    def refuse(execute: Any, *arguments: Any) -> Any:
        if time.monotonic() < back_at:
            raise OperationalError("the database is gone")
        return execute(*arguments)

    connection.execute_wrappers.append(refuse)
    connection.close()
    raise OperationalError("the database is gone")
