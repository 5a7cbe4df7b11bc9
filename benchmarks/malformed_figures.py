"""Sends malformed requests to the portal, in this process and over a socket, and prints the results.

Needs settings; import it after `prepare`.
"""

import io
import logging
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, connection, transaction

from benchmarks import ground, malformed_wire, malformed_world, servers
from benchmarks.malformed_judging import SESSIONS, Answer, Changes, answer_errors, changes_between, snapshot
from benchmarks.malformed_requests import Maker, Request
from organizations.management.commands._static_files import collect_static_files
from orgportal.middleware import clean_requests

_WRITES = ("INSERT", "UPDATE", "DELETE")
_MOST_SHOWN = 20
_SLOWEST = 5
_CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")


@dataclass(slots=True)
class Tally:
    """The results of the requests that were sent in one way."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: list[tuple[float, Request]] = field(default_factory=list)
    findings: list[tuple[Request, list[str], str]] = field(default_factory=list)

    def add(self, request: Request, answer: Answer, faults: list[str], seconds: float) -> None:
        self.statuses.setdefault(request.role, Counter())[answer.status // 100] += 1
        self.slowest = sorted([*self.slowest, (seconds, request)], key=lambda each: -each[0])[:_SLOWEST]
        if faults:
            self.findings.append((request, faults, answer.raised))


class Watch:
    """Records what happens while a request is answered: exceptions, errors in the log, writes."""

    def __init__(self) -> None:
        self.raised = self.logged = ""
        self.wrote = False
        got_request_exception.connect(self._exception)
        for handler in logging.getLogger().handlers:
            handler.addFilter(self._log)
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)  # it would close the connection whose transaction is rolled back

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.raised, self.logged, self.wrote = "", "", False
        with connection.execute_wrapper(self._sql):
            yield

    def _sql(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.wrote = self.wrote or sql.lstrip()[:6].upper() in _WRITES
        return execute(sql, *rest)

    def _exception(self, **_: Any) -> None:
        self.raised = traceback.format_exc()

    def _log(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR and getattr(record, "status_code", 500) >= 500:
            self.logged = record.getMessage()
        return False


class InProcess:
    """Calls the WSGI application. Writes are rolled back: each request finds the same rows and can be repeated."""

    def __init__(self, maker: Maker) -> None:
        self.maker, self.tally = maker, Tally()
        self.application = clean_requests(WSGIHandler())
        self.watch = Watch()
        self.before = snapshot()

    def ask(self, seed: int) -> None:
        request = self.maker.request(seed)
        began = time.perf_counter()
        with rolled_back(), self.watch.watching():
            answer = self._answer(request)
            elapsed = time.perf_counter() - began
            answer.raised, answer.logged = answer.raised or self.watch.raised, self.watch.logged
            try:
                changes = changes_between(self.before, snapshot()) if self.watch.wrote else {}
                faults = answer_errors(request, answer, changes)
            except transaction.TransactionManagementError:
                faults = [f"status {answer.status}, and the database refused something"]
        self.tally.add(request, answer, faults, elapsed)

    def _answer(self, request: Request) -> Answer:
        answer = Answer()

        def start(status: str, heads: list[tuple[str, str]], _: Any = None) -> None:
            answer.status, answer.heads = int(status[:3]), heads

        try:
            parts = self.application(environ_of(request), start)
            answer.body = b"".join(parts)
            getattr(parts, "close", lambda: None)()
        except Exception:
            answer.raised = traceback.format_exc()
        return answer


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back all that is written in the block."""
    outer = transaction.atomic()
    outer._from_testcase = True  # type: ignore[attr-defined] # so that a durable transaction may begin in it
    with outer:
        yield
        transaction.set_rollback(True)


def environ_of(request: Request) -> dict[str, Any]:
    """The WSGI environ of a request."""
    path, _, query = request.target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": malformed_world.HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
    }
    for name, value in request.heads:
        key, text = name.upper().replace("-", "_"), value.decode("latin-1")
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            environ[key] = text
        else:
            environ[f"HTTP_{key}"] = f"{environ[f'HTTP_{key}']},{text}" if f"HTTP_{key}" in environ else text
    return environ


class OverSocket:
    """Sends to the running web server. What is written stays, but people and their sessions are restored."""

    KEPT = (SESSIONS, "organizations_user", "organizations_user_groups")

    def __init__(self, maker: Maker, port: int) -> None:
        self.maker, self.port, self.tally = maker, port, Tally()
        self.before = snapshot()

    def ask(self, seed: int) -> None:
        request = self.maker.request(seed)
        data, is_http = malformed_wire.wire(request)
        began = time.perf_counter()
        try:
            status, received = malformed_wire.ask(self.port, data)
            answer = Answer(status, body=received)
        except TimeoutError:
            answer = Answer(raised="no answer in time")
        elapsed = time.perf_counter() - began
        after = snapshot()
        changes = changes_between(self.before, after)
        faults = answer_errors(request, answer, changes) if is_http or answer.status >= 500 else []
        if is_http and not answer.status and not answer.raised:
            faults.append("no answer")
        self.tally.add(request, answer, faults, elapsed)
        self._restore_people(changes)
        self.before = snapshot() if set(self.KEPT) & set(changes) else after

    def _restore_people(self, changes: Changes) -> None:
        tables = [table for table in self.KEPT if table in changes]
        with transaction.atomic(), connection.cursor() as cursor:
            for table in reversed(tables):
                key = next(iter(next(iter(self.before[table].values()))))
                ids = [(change.key,) for change in changes[table]]
                cursor.executemany(f"DELETE FROM {table} WHERE {key} = %s", ids)
            for table in tables:
                for row in (change.before for change in changes[table] if change.before):
                    places = ", ".join(["%s"] * len(row))
                    cursor.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))


def run(seeds: Sequence[int], over_socket: Sequence[int], pages: int | None) -> int:
    """Send the requests, print the tables, and return the number of findings."""
    # A fast hasher: the time for a password is not measured.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ROOT_URLCONF = "orgportal.urls"
    logging.disable(logging.CRITICAL)
    collect_static_files(print)
    maker = Maker(malformed_world.make(pages))
    logging.disable(logging.NOTSET)
    print(f"{ground.machine()}\n")
    findings = _judge_all("in this process", InProcess(maker), seeds)
    if over_socket:
        with servers.serving(servers.waitress()) as port:
            findings += _judge_all("over a socket", OverSocket(maker, port), over_socket)
    return findings


def _judge_all(name: str, way: InProcess | OverSocket, seeds: Sequence[int]) -> int:
    began = last_report = time.monotonic()
    for number, seed in enumerate(seeds, start=1):
        way.ask(seed)
        if time.monotonic() - last_report > 60:
            last_report = time.monotonic()
            print(f"{number:,} of {len(seeds):,}, {len(way.tally.findings)} findings", file=sys.stderr, flush=True)
    way.tally.seconds = time.monotonic() - began
    print(_report(name, way.tally), flush=True)
    return len(way.tally.findings)


def _report(name: str, tally: Tally) -> str:
    total: Counter[int] = sum(tally.statuses.values(), Counter())
    rows = [_row(role, counts) for role, counts in sorted(tally.statuses.items())]
    rows.append(_row(f"all {name}", total))
    lines = [ground.table(("who", "requests", *_CLASSES), rows)]
    slowest = ", ".join(_slow_request(each, seconds) for seconds, each in tally.slowest)
    lines.append(f"\n{tally.seconds:.0f} s. Slowest: {slowest}")
    lines.append(f"Findings: {len(tally.findings)}")
    for request, faults, raised in tally.findings[:_MOST_SHOWN]:
        lines.append(
            f"--only {request.seed}: {request.role} {request.method} {request.target[:200]!r}: {'; '.join(faults)}"
        )
        lines += raised.splitlines()[-8:]
    return "\n".join([*lines, ""])


def _row(title: str, counts: Counter[int]) -> tuple[str, ...]:
    return (title, f"{counts.total():,}", *(f"{counts[number]:,}" for number in range(len(_CLASSES))))


def _slow_request(request: Request, seconds: float) -> str:
    return f"{seconds:.2f} s --only {request.seed} ({request.name})"
