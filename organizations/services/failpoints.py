"""Named places at which a test lets a process die, fail or freeze. Without a test's settings they do nothing.

`FAILPOINT = "after-intent:kill"` names the place and what happens there, once:

    kill        the process ends at once, as by kill -9 or a power cut
    exception   an exception nobody expects
    freeze:5    the process stands still for so many seconds
    database:5  the database is gone for so many seconds: the connection is cut and every statement fails

Settings in earnest know no FAILPOINT; those of the tests take it from `ORGPORTAL_FAILPOINT`.

Tests of races call a function of their own at a place, in every thread and every time: `calling()`.
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
    """What the action "exception" raises."""


def reach(name: str) -> None:
    """Do what the test wants to happen here; nothing outside tests, and nothing the second time."""
    if name in _calls:
        _calls[name]()
    wanted = getattr(settings, "FAILPOINT", "")
    if not wanted or wanted.partition(":")[0] != name or wanted in _done:
        return
    _done.add(wanted)
    log.warning("Failpoint %s", wanted)
    _act(wanted.partition(":")[2])


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
            raise ValueError(f"{action} is no action of a failpoint")


def _lose_database(seconds: float) -> None:
    """Cut this thread's connection, as a database server that ends does, and let none work until the time is over."""
    back_at = time.monotonic() + seconds

    def refuse(execute: Any, *arguments: Any) -> Any:
        if time.monotonic() < back_at:
            raise OperationalError("the database is gone")
        return execute(*arguments)

    connection.execute_wrappers.append(refuse)
    connection.close()
    raise OperationalError("the database is gone")
