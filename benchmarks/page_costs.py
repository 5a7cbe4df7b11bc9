"""Measures one page in this process: size, statements and processor time. Needs settings; import it after them."""

import statistics
import time
from collections.abc import Mapping
from typing import NamedTuple

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.ground import NotMeasured


class Cost(NamedTuple):
    """The cost of one request. `processor` is in milliseconds, without web server and without PostgreSQL's part."""

    kilobytes: float
    statements: int
    processor: float


def cost_of(client: Client, path: str, headers: Mapping[str, str], rounds: int) -> Cost:
    """The cost of a page: the median of the rounds, after one request that warms up.

    Raises:
        NotMeasured: the answer was not 200.
    """
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path, headers=dict(headers))
    statements = len(captured)  # the next request forgets them
    if answer.status_code != 200:
        raise NotMeasured(f"{path}: the answer was {answer.status_code}")
    times = []
    for _ in range(rounds):
        began = time.process_time()
        client.get(path, headers=dict(headers))
        times.append(time.process_time() - began)
    return Cost(len(answer.content) / 1000, statements, statistics.median(times) * 1000)
