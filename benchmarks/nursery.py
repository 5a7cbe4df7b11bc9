"""Starts workers fast: Django is loaded once, and each worker is forked from this process.

Reads a line from standard input for each worker, and prints its process id. Ends when its input has ended and no worker
runs.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

import django


def main() -> None:
    django.setup()

    from django.db import connection  # noqa: PLC0415

    # Loaded once for all workers, as are the trusted certificates below.
    from organizations.management.commands import deliver  # noqa: F401, PLC0415
    from organizations.redox.client import HttpsSender, Limits  # noqa: PLC0415

    HttpsSender(Limits(deadline=1))
    connection.close()
    raise_workers(_deliver)


def raise_workers(become: Callable[[str], None]) -> None:
    """Fork a process for each line. It calls `become` with the line, and ends when that returns."""
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(become, line)
        print(child, flush=True)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _reap(*_: object) -> None:
    """Reap ended processes, so that no zombies stay."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _live(become: Callable[[str], None], line: str) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        become(line)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _deliver(_: str) -> None:
    from django.core.management import call_command  # noqa: PLC0415

    call_command("deliver")


if __name__ == "__main__":
    main()
