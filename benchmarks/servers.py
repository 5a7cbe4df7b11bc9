"""The web servers to measure, and the memory and processor time of their processes."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

from benchmarks import ground, load
from orgportal.processes import open_listener
from orgportal.webserver import THREADS

type Commands = list[tuple[str, ...]]

GUNICORN: Commands = [
    (sys.executable, "-m", "gunicorn", "--config", "python:benchmarks.gunicorn_before", "benchmarks.wsgi")
]


def waitress(threads: int = THREADS) -> Commands:
    """The portal's own web server, in WEB_WORKERS processes."""
    return [(sys.executable, "-m", "benchmarks.webserver", str(threads))] * settings.WEB_WORKERS


@contextmanager
def serving(commands: Commands) -> Iterator[int]:
    """Run these processes on one socket, as `serve` does. Gives the port."""
    with ExitStack() as stack:
        listener = stack.enter_context(open_listener("127.0.0.1", 0, ""))
        port: int = listener.getsockname()[1]
        os.environ["ORGPORTAL_LISTEN"] = f"fd://{listener.fileno()}"
        for command in commands:
            stack.enter_context(ground.running("web server", command, inherit=(listener.fileno(),)))
        # The socket listens already: this request waits until a server is ready.
        load.measure(port, "/health/ready", {}, clients=1, seconds=0)
        yield port


def memory() -> float:
    """Megabytes (PSS) of all processes that this one started; NaN without /proc."""
    try:
        return sum(_pss(process) for process in _below(os.getpid())) / 1000
    except OSError:
        return float("nan")


def processor() -> float:
    """Seconds of processor time of all processes that this one started; NaN without /proc."""
    try:
        stats = [
            Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split() for process in _below(os.getpid())
        ]
    except OSError:
        return float("nan")
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _below(process: int) -> Iterator[int]:
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from _below(child)


def _pss(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
