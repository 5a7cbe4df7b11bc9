"""A directory that fails in many ways. A seed decides which exchanges fail, and how.

It stores what took effect, in order. A message whose answer was lost may be applied late, whatever the directory holds
by then. So a New can register a record twice, and an old Update can overwrite a newer one.
"""

import bisect
import gzip
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from organizations.practice.spelling import spelled_differently

YES = {
    "New": "New organization was added successfully.",
    "Update": "Organization with id:{oid} has been updated successfully.",
}
QUOTA_SECONDS = 300.0
FOREIGN = {"Name": "Not ours", "Active": True, "Identifiers": [{"ID": "1.2.3.4", "IDType": "OID"}]}


@dataclass(frozen=True, slots=True)
class Effect:
    """One New or Update that took effect: its OID, event, and the organization as it then was."""

    oid: str
    event: str
    organization: dict[str, Any]


@dataclass(slots=True)
class Records:
    """What is in the directory, and every message that took effect."""

    organizations: dict[str, dict[str, Any]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def apply(self, message: dict[str, Any], *, late: bool = False) -> str:
        """Apply a message and return the success text, or return "" to reject it. A late message is always applied."""
        event, organization = message["Meta"]["EventType"], message["Organizations"][0]
        oid = oid_of(message)
        with self.lock:
            is_there = oid in self.organizations
            if not late and is_there == (event == "New"):
                return ""
            self.organizations[oid] = organization
            self.effects.append(Effect(oid, event, organization))
        return YES[event].format(oid=oid)


def oid_of(message: dict[str, Any]) -> str:
    oid: str = message["Organizations"][0]["Identifiers"][0]["ID"]
    return oid


class Faulty:
    """The running directory, as a context manager.

    `rate`: the share of exchanges that fail. `late`: the most seconds before a message whose answer was lost takes
    effect. `hang`: seconds of silence, longer than the portal waits. `delay`: seconds before each answer. `quota`: the
    requests in 5 minutes above which it answers 429, as Redox does. `spelling`: a Query shows another spelling than was
    sent.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        rate: float = 0.0,
        late: float = 0.0,
        hang: float = 1.0,
        delay: float = 0.0,
        quota: int = 0,
        spelling: bool = False,
    ) -> None:
        self.records = Records()
        self.counts: dict[str, int] = {}
        self.rate, self.late, self.hang, self.delay = rate, late, hang, delay
        self.quota, self.spelling = quota, spelling
        self.arrivals: list[float] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []

    def __enter__(self) -> "Faulty":
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.faulty = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for timer in self._timers:
            timer.join()

    def is_above_quota(self) -> bool:
        """Count a request. Returns whether there were too many in the last 5 minutes."""
        with self._lock:
            now = time.monotonic()
            self.arrivals.append(now)
            recent = len(self.arrivals) - bisect.bisect_left(self.arrivals, now - QUOTA_SECONDS)
            above = bool(self.quota) and recent > self.quota
            self.counts["429"] = self.counts.get("429", 0) + above
        return above

    def choose(self, faults: dict[str, "Fault"]) -> str:
        """The name of the fault of this exchange; "none" for most."""
        with self._lock:
            name = self._random.choice(sorted(faults)) if self._random.random() < self.rate else "none"
            self.counts[name] = self.counts.get(name, 0) + 1
        return name

    def apply_late(self, message: dict[str, Any]) -> None:
        """Apply a message some time after its answer was lost, if the directory would have accepted it when it came."""
        with self.records.lock:
            is_there = oid_of(message) in self.records.organizations
        if is_there == (message["Meta"]["EventType"] == "New"):
            return
        with self._lock:
            wait = self._random.uniform(0, self.late)
            timer = threading.Timer(wait, self.records.apply, args=(message,), kwargs={"late": True})
            self._timers.append(timer)
        timer.start()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256
    faulty: Faulty


class _Handler(StreamRequestHandler):
    """One exchange for each connection, as the portal sends them."""

    server: _Server

    def handle(self) -> None:
        with suppress(OSError):
            headers = self._head()
            length = int(headers.get("content-length", "0"))
            body = self.rfile.read(length)
            if length and len(body) == length:  # less if the worker was killed while it sent
                self._exchange(json.loads(body))

    def _head(self) -> dict[str, str]:
        self.rfile.readline()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def _exchange(self, message: dict[str, Any]) -> None:
        faulty = self.server.faulty
        if faulty.is_above_quota():
            self.send(429, b"Too many requests", "X-RateLimit-Limit: 10000")
            return
        time.sleep(faulty.delay)
        if message["Meta"]["EventType"] == "Query":
            QUERY_FAULTS.get(faulty.choose(QUERY_FAULTS), _answer_query)(self, message)
        else:
            FAULTS.get(faulty.choose(FAULTS), _answer_message)(self, message)

    def send(self, status: int, body: bytes, *headers: str, length: int | None = None) -> None:
        head = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body) if length is None else length}"]
        head += ["Content-Type: application/json", "Connection: close", *headers]
        self.wfile.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    def reset(self) -> None:
        """Reset the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def hold(self) -> None:
        """Send nothing for longer than the portal waits."""
        self.connection.settimeout(self.server.faulty.hang)
        with suppress(OSError):
            self.connection.recv(1)


type Fault = Callable[[_Handler, dict[str, Any]], None]


def _answer(message: dict[str, Any], success: str) -> bytes:
    event = message["Meta"]["EventType"]
    head: dict[str, Any] = {"DataModel": "Organization", "EventType": event, "Message": {"ID": 4_606_153_124}}
    if success:
        head["Extensions"] = {"ResponseDetail": {"string": success}}
        return json.dumps({"Meta": head}).encode()
    oid = oid_of(message)
    head["Errors"] = [{"ID": 1, "Text": f"{oid} already exists." if event == "New" else f"id: {oid} is not valid."}]
    return json.dumps({"Meta": head}).encode()


def _answer_message(handler: _Handler, message: dict[str, Any]) -> None:
    success = handler.server.faulty.records.apply(message)
    handler.send(200 if success else 403, _answer(message, success))


def _answer_query(handler: _Handler, message: dict[str, Any]) -> None:
    organization = handler.server.faulty.records.organizations.get(message["Identifier"]["ID"])
    is_asked_for = organization is not None and message.get("Active", organization["Active"]) == organization["Active"]
    _show(handler, [organization] if organization and is_asked_for else [])


def _show(handler: _Handler, organizations: list[dict[str, Any]]) -> None:
    parts = [{key: value for key, value in each.items() if key != "DestinationID"} for each in organizations]
    if handler.server.faulty.spelling:
        parts = [spelled_differently(each) for each in parts]
    head = {"DataModel": "Organization", "EventType": "QueryResponse"}
    answer = {"Meta": head, "Directory": "Carequality", "Organizations": parts}
    handler.send(200, json.dumps(answer).encode())


def _after(then: Callable[[_Handler], None], *, applies: bool) -> Fault:
    """A fault, after the message was applied if `applies`."""

    def fault(handler: _Handler, message: dict[str, Any]) -> None:
        if applies:
            handler.server.faulty.records.apply(message)
        then(handler)

    return fault


def _late(then: Callable[[_Handler], None]) -> Fault:
    """The answer is lost, and the message is applied later."""

    def fault(handler: _Handler, message: dict[str, Any]) -> None:
        handler.server.faulty.apply_late(message)
        then(handler)

    return fault


def _status(code: int, body: bytes = b"<html>Gateway</html>", *headers: str) -> Callable[[_Handler], None]:
    return lambda handler: handler.send(code, body, *headers)


def _cut_short(handler: _Handler) -> None:
    handler.send(200, b'{"Meta": {"DataModel"', length=5000)


def _drip(handler: _Handler) -> None:
    """Send a byte now and then, so that no read times out."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    until = time.monotonic() + handler.server.faulty.hang
    while time.monotonic() < until:
        handler.wfile.write(b" ")
        time.sleep(0.1)


def _no_http(handler: _Handler) -> None:
    handler.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n")


_BOMB = gzip.compress(b" " * 20_000_000)
_STRANGE = json.dumps({"Meta": {"Extensions": {"ResponseDetail": {"string": "Accepted for processing."}}}}).encode()

FAULTS: dict[str, Fault] = {
    "reset before it takes effect": _after(_Handler.reset, applies=False),
    "reset after it took effect": _after(_Handler.reset, applies=True),
    "reset, and it takes effect later": _late(_Handler.reset),
    "504 without effect": _after(_status(504), applies=False),
    "504 after the effect": _after(_status(504), applies=True),
    "504, and it takes effect later": _late(_status(504)),
    "502 without effect": _after(_status(502), applies=False),
    "503 without effect": _after(_status(503), applies=False),
    "500 with unknown words, after the effect": _after(_status(500, b"Internal error 7"), applies=True),
    "408 after the effect": _after(_status(408), applies=True),
    "429 without effect": _after(_status(429, b"slow down", "Retry-After: 1"), applies=False),
    "silence without effect": _after(_Handler.hold, applies=False),
    "silence after the effect": _after(_Handler.hold, applies=True),
    "silence, and it takes effect later": _late(_Handler.hold),
    "dripping after the effect": _after(_drip, applies=True),
    "cut short after the effect": _after(_cut_short, applies=True),
    "200 without a word, without effect": _after(_status(200, b""), applies=False),
    "200 with other words, after the effect": _after(_status(200, _STRANGE), applies=True),
    "200 that is not JSON, after the effect": _after(_status(200, b"{]"), applies=True),
    "no HTTP, after the effect": _after(_no_http, applies=True),
    "gzip bomb after the effect": _after(_status(200, _BOMB, "Content-Encoding: gzip"), applies=True),
}

QUERY_FAULTS: dict[str, Fault] = {
    "Query: 504": lambda handler, _: handler.send(504, b"<html>Gateway</html>"),
    "Query: reset": lambda handler, _: handler.reset(),
    "Query: silence": lambda handler, _: handler.hold(),
    "Query: no JSON": lambda handler, _: handler.send(200, b"{]"),
    "Query: nothing of ours": lambda handler, _: _show(handler, [FOREIGN]),
    "Query: cut short": lambda handler, _: _cut_short(handler),
}
