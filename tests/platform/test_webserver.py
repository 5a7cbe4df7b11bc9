"""The web server: slow clients use no thread, health has its own threads, and stopping loses no request."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from orgportal import health, webserver
from orgportal.processes import open_listener
from orgportal.webserver import MOST_AHEAD, MOST_BODY, Server

LARGE = 64  # megabytes: more than sockets take, and more than waitress keeps by default before a thread must wait
PATIENCE = 60
SOON = 15  # seconds until waitress closes an idle connection


class RunningServer:
    """A server with one thread for pages. `/wait` sets `waits` and responds when `go_on` is set."""

    def __init__(self) -> None:
        self.waits, self.go_on = threading.Event(), threading.Event()
        self.listener = open_listener("127.0.0.1", 0, "")
        self.port: int = self.listener.getsockname()[1]
        self.server = Server(self._answer, self.listener, threads=1)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path == "/wait":
            self.waits.set()
            assert self.go_on.wait(PATIENCE)
        if path == "/fault":
            raise RuntimeError("secret words")
        body = [b"x" * 1024 * 1024] * LARGE if path == "/large" else [repr(environ).encode()]
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(sum(map(len, body))))])
        return body

    def get(self, path: str, **headers: str) -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    @contextmanager
    def sending(self, sent: bytes) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as client:
            client.sendall(sent)
            yield client

    def end(self) -> None:
        self.go_on.set()
        if self.thread.is_alive():
            self.server.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        self.listener.close()


@pytest.fixture
def running() -> Iterator[RunningServer]:
    running = RunningServer()
    yield running
    running.end()


def request(path: str, *lines: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", "")).encode()


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def is_closed_by_server(client: socket.socket) -> bool:
    """Whether the server closes the connection. Unread bytes of the request turn that into a reset."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nX-Slow: a", request("/", "Content-Length: 100") + b"a", request("/large")],
    ids=["silent", "half of the headers", "half of the body", "reads nothing of a large answer"],
)
def test_a_slow_client_uses_no_thread(running, sent):
    with ExitStack() as stack:
        for _ in range(1 if b"large" in sent else 50):
            stack.enter_context(running.sending(sent))
        assert "PATH_INFO" in running.get("/")


@pytest.mark.parametrize("path", [health.LIVE, health.READY])
def test_health_is_answered_while_every_thread_is_busy(running, path):
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(running.sending(request("/wait")))
        assert running.waits.wait(PATIENCE)
        assert f"'PATH_INFO': '{path}'" in running.get(path)


def test_a_started_request_is_finished_before_the_stop_and_no_new_one_starts(running):
    with running.sending(request("/wait")) as client, running.sending(b"") as idle:
        assert running.waits.wait(PATIENCE)
        running.server.stop()
        assert is_closed_by_server(idle)
        running.go_on.set()
        assert b"'PATH_INFO': '/wait'" in read_all(client)
    running.thread.join(PATIENCE)
    assert not running.thread.is_alive()


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        (b"rubbish\r\n\r\n", 400, "This request could not be read."),
        (request("/", "Content-Length: -1"), 400, "This request could not be read."),
        (request("/", f"Content-Length: {'9' * 5000}"), 400, "This request could not be read."),
        (request("/", f"Content-Length: {MOST_BODY + 1}", "Expect: 100-continue"), 413, "This request is too large"),
        (request("/", "Transfer-Encoding: gzip"), 501, "This request could not be read."),
        (
            request("/", f"Content-Length: {MOST_BODY + 1}") + b"a" * MOST_BODY,
            413,
            "This request is too large: at most 8 MB.",
        ),
        (request("/" + "a" * 70_000), 431, "The address or the headers of this request are too long."),
        (request("/fault"), 500, "Something went wrong here, not at Redox."),
    ],
)
def test_a_request_that_reaches_no_page_gets_one_sentence_with_every_header(running, settings, sent, status, sentence):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 60, True
    with running.sending(sent) as client:
        head, _, body = read_all(client).decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first.split()[1] == str(status)
    assert body.startswith(sentence)
    assert len(body.splitlines()) == 1
    assert "Server" not in headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"] == "max-age=60; includeSubDomains"


def test_a_client_that_pipelines_many_requests_is_refused_after_some(running):
    with running.sending(request("/") * (3 * MOST_AHEAD)) as client:
        answers = read_all(client)
    assert 0 < answers.count(b"HTTP/1.1 200") < 2 * MOST_AHEAD
    assert answers.count(b"HTTP/1.1 400") == 1


def test_with_many_connections_the_oldest_waiting_one_is_closed(running, monkeypatch):
    monkeypatch.setattr(webserver, "MOST_CONNECTIONS", 3)
    with ExitStack() as stack:
        waiting = [stack.enter_context(running.sending(b"GET / HTTP/1.1\r\nX-Slow: a")) for _ in range(6)]
        assert "PATH_INFO" in running.get("/")
        waiting[0].settimeout(SOON)
        assert is_closed_by_server(waiting[0])


def test_an_incomplete_request_is_closed(running, monkeypatch):
    with running.sending(b"GET / HTTP/1.1\r\nX-Slow: a") as client:
        while not any(channel.began for channel in list(running.server.active_channels.values())):
            client.sendall(b"a")
        monkeypatch.setattr(webserver, "LONGEST_REQUEST", 0.0)
        running.server.next_channel_cleanup = 0
        running.server.pull_trigger()
        client.settimeout(SOON)
        assert is_closed_by_server(client)


def test_a_response_to_head_has_no_body(running):
    with running.sending(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n") as client:
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"Content-Length: " in head
    assert body == b""


def test_no_file_stays_open_for_a_slow_client(running):
    assert "wsgi.file_wrapper" not in running.get("/")


def test_proxy_headers_reach_django_and_do_not_affect_the_web_server(running):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"}
    response = running.get("/", **headers)
    assert "'HTTP_X_FORWARDED_PROTO': 'https'" in response
    assert "'HTTP_X_FORWARDED_FOR': '203.0.113.9'" in response
    assert "'wsgi.url_scheme': 'http'" in response
    assert "'REMOTE_ADDR': '127.0.0.1'" in response
    assert f"'HTTP_HOST': '127.0.0.1:{running.port}'" in response
