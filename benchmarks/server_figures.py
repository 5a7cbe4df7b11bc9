"""Measures web servers in turn on one filled database. Import it after `prepare`."""

import statistics
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

from django.conf import settings
from django.test import Client
from django.urls import reverse

from benchmarks import attacks, filling, ground, load, made_up, servers
from organizations.management.commands._static_files import collect_static_files
from organizations.models import Environment
from orgportal.webserver import THREADS

_PAUSE = 0.2  # seconds between two requests of one thread
_LONGEST = 5.0  # seconds after which a request counts as failed


@dataclass(slots=True)
class Server:
    """One server and its figures.

    `processor`: milliseconds of processor time for one request. `worst`: seconds of the slowest
    answer of live, ready and a page, by attack.
    """

    title: str
    commands: servers.Commands
    rounds: dict[tuple[str, int], list[load.Figures]] = field(default_factory=dict)
    processor: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    memory: float = 0.0
    worst: dict[str, tuple[float, float, float]] = field(default_factory=dict)


def run(
    records: int, threads: list[int], clients: Sequence[int], *, rounds: int, seconds: float, attack: float
) -> None:
    """Fill the database, measure, and print the tables.

    Raises:
        NotMeasured: a page did not answer with 200, or a web server did not start.
    """
    collect_static_files(print)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(filling.create_people())
    filling.fill(0, records, records)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    workers = settings.WEB_WORKERS
    all_servers = [Server(f"gunicorn, {workers} x 4 threads (before)", servers.GUNICORN)]
    all_servers += [
        Server(f"waitress, {workers} x {each} threads", servers.waitress(each)) for each in threads or [THREADS]
    ]
    for number in range(1, rounds + 1):
        for server in all_servers:
            _say(f"round {number} of {rounds}: {server.title}")
            _measure_pages(server, cookie, seconds, clients)
    for server in all_servers if attack else ():
        _measure_attacks(server, cookie, attack)
    print(_report(all_servers))


def _pages() -> dict[str, str]:
    staging = Environment.STAGING
    return {
        "list": f"{reverse('organizations', args=[staging])}?view=list",
        "record": reverse("record", args=[staging, made_up.oid_of(2)]),
    }


def _measure_pages(server: Server, cookie: str, seconds: float, clients: Sequence[int]) -> None:
    with servers.serving(server.commands) as port:
        for page, path in _pages().items():
            for number in clients:
                began, processor_time = time.monotonic(), servers.processor()
                figures = load.measure(port, path, {"Cookie": cookie}, clients=number, seconds=seconds)
                requests = figures.per_second * (time.monotonic() - began)
                server.rounds.setdefault((page, number), []).append(figures)
                processor_time = (servers.processor() - processor_time) * 1000 / requests
                server.processor.setdefault((page, number), []).append(processor_time)
        server.memory = max(server.memory, servers.memory())


def _attacks(port: int, cookie: str) -> dict[str, list[AbstractContextManager[None]]]:
    export = reverse("organizations-export", args=[Environment.STAGING])
    return {
        "none": [],
        "200 silent connections": [attacks.silent(port, 200)],
        "200 dripping headers": [attacks.dripping_headers(port, 200)],
        "200 dripping bodies": [attacks.dripping_bodies(port, 200)],
        "20 slow pages": [attacks.asking(port, 20, "/slow/", cookie)],
        "40 slow readers of the CSV": [attacks.asking(port, 40, export, cookie)],
        "40 requests for a locked database": [attacks.locked_database(), attacks.asking(port, 40, "/locked/", cookie)],
        "all of these": [
            attacks.silent(port, 200),
            attacks.dripping_headers(port, 200),
            attacks.dripping_bodies(port, 200),
            attacks.asking(port, 20, "/slow/", cookie),
            attacks.locked_database(),
            attacks.asking(port, 40, "/locked/", cookie),
        ],
    }


def _measure_attacks(server: Server, cookie: str, seconds: float) -> None:
    for name in _attacks(0, ""):
        _say(f"{server.title}: {name}")
        # A new server for each attack, so that the attacks do not influence each other.
        with servers.serving(server.commands) as port, ExitStack() as stack:
            for each in _attacks(port, cookie)[name]:
                stack.enter_context(each)
            time.sleep(1)
            server.worst[name] = _worst_times(port, cookie, seconds)


def _worst_times(port: int, cookie: str, seconds: float) -> tuple[float, float, float]:
    paths = ("/health/live", "/health/ready", _pages()["list"])
    worst = [0.0, 0.0, 0.0]
    until = time.monotonic() + seconds

    def request_repeatedly(place: int) -> None:
        while time.monotonic() < until:
            worst[place] = max(worst[place], _time_of(port, paths[place], cookie))
            time.sleep(_PAUSE)

    threads = [threading.Thread(target=request_repeatedly, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return worst[0], worst[1], worst[2]


def _time_of(port: int, path: str, cookie: str) -> float:
    began = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", port, timeout=_LONGEST)
    try:
        connection.request("GET", path, headers={"Cookie": cookie})
        connection.getresponse().read()
    except (OSError, HTTPException):
        return float("inf")
    finally:
        connection.close()
    return time.perf_counter() - began


def _report(servers_with_figures: list[Server]) -> str:
    keys = list(servers_with_figures[0].rounds)
    headings = (
        "server",
        *(f"{page}, {clients} clients: a second (processor, ms)" for page, clients in keys),
        "memory, MB",
    )
    rows = [(each.title, *(_speed(each, key) for key in keys), f"{each.memory:.0f}") for each in servers_with_figures]
    parts = [ground.machine(), ground.table(headings, rows)]
    if servers_with_figures[0].worst:
        titles = [f"{each.title}: live, ready, list" for each in servers_with_figures]
        lines = [
            (name, *(_cell(each.worst[name]) for each in servers_with_figures))
            for name in servers_with_figures[0].worst
        ]
        parts.append(ground.table(("worst answer in seconds beside", *titles), lines))
    return "\n\n".join(parts)


def _speed(server: Server, key: tuple[str, int]) -> str:
    return f"{load.of_rounds(server.rounds[key]).per_second:.0f} ({statistics.median(server.processor[key]):.0f})"


def _cell(worst: tuple[float, float, float]) -> str:
    return ", ".join("failed" if each == float("inf") else f"{each:.2f}" for each in worst)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
