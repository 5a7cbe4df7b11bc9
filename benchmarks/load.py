"""Requests one page from a web server on this machine, again and again, and measures the time."""

import math
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection

from benchmarks.ground import NotMeasured

_LONGEST = 60.0  # seconds that one answer may take


@dataclass(frozen=True, slots=True)
class Figures:
    """Latency of one request in milliseconds, and requests a second of all clients together."""

    median: float
    percentile_95: float
    per_second: float


def measure(port: int, path: str, headers: Mapping[str, str], *, clients: int, seconds: float) -> Figures:
    """Request the page for `seconds` with `clients` clients, each over one connection and at least once.

    Raises:
        NotMeasured: there was no answer, or one with another status than 200.
    """
    times: list[float] = []
    errors: list[Exception] = []
    started = time.perf_counter()

    def ask() -> None:
        try:
            times.extend(_ask(port, path, headers, started + seconds))
        except (NotMeasured, OSError) as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise NotMeasured(f"{path}: {errors[0]}")
    elapsed = time.perf_counter() - started
    return Figures(statistics.median(times) * 1000, percentile_95(times) * 1000, len(times) / elapsed)


def percentile_95(times: Sequence[float]) -> float:
    """The time within which 95 of 100 requests are answered."""
    return sorted(times)[math.ceil(len(times) * 0.95) - 1]


def of_rounds(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure over several rounds, so that one disturbed round does not count."""
    return Figures(
        statistics.median(each.median for each in rounds),
        statistics.median(each.percentile_95 for each in rounds),
        statistics.median(each.per_second for each in rounds),
    )


def _ask(port: int, path: str, headers: Mapping[str, str], until: float) -> list[float]:
    times: list[float] = []
    connection = HTTPConnection("127.0.0.1", port, timeout=_LONGEST)
    try:
        while not times or time.perf_counter() < until:
            began = time.perf_counter()
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - began)
            if answer.status != 200:
                raise NotMeasured(f"the answer was {answer.status}")
    finally:
        connection.close()
    return times
