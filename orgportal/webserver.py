"""The web server of one process: waitress, with many threads and limits.

A request occupies a thread only from its last byte in to its last byte out of the program: waitress reads whole
requests first and buffers whole answers, so that slow clients cost no thread.
"""

import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest

from orgportal import headers, health, schema

THREADS = 32
MOST_BODY = 2 * 1024 * 1024  # bytes; above what Django itself takes, so that a page can explain the refusal
MOST_CONNECTIONS = 1000  # from then on the oldest that waits for its visitor makes room for a new one
MOST_AHEAD = 8  # requests that a connection may send before it has read the answers; browsers and proxies send one
LONGEST_REQUEST = 120.0  # seconds from the first byte of a request to its last one
GRACE = 10.0  # seconds that a request may still take after the signal to stop
_FILES = 4096  # sockets, database connections, and the temporary files of large answers

# What waitress answers itself, before Django sees the request.
_SENTENCES = {
    413: f"This request is too large: at most {MOST_BODY // 1024 // 1024} MB.",
    431: "The address or the headers of this request are too long.",
    500: "Something went wrong here, not at Redox. The log of the portal has the cause.",
}
_UNREADABLE = "This request could not be read."


class _PlainErrorTask(ErrorTask):
    """An error of waitress itself: one sentence, and the headers of every other answer."""

    def execute(self) -> None:
        self.channel.has_error = True
        error = self.request.error
        body = f"{_SENTENCES.get(error.code, _UNREADABLE)}\n".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "text/plain; charset=utf-8"))
        self.response_headers.extend(headers.of_server_error().items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):
    """Python refuses to read a number of thousands of digits, which waitress takes for a fault of the program."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("a number with too many digits") from None


class _Channel(HTTPChannel):
    """One connection. After an error it throws away what the client still sends, so that the client reads the answer.

    To close while something is unread resets the connection, and the answer is lost on the way.
    """

    parser_class = _Parser
    error_task_class = _PlainErrorTask
    has_error = False
    began: float | None = None
    close_when_flushed = False
    discards_until: float | None = None

    def handle_write(self) -> None:
        if self.has_error and self.close_when_flushed and not self.total_outbufs_len:
            self.close_when_flushed = False
            self.discards_until = time.monotonic() + GRACE
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_write()

    def readable(self) -> bool:
        return self.discards_until is not None or bool(super().readable())

    def received(self, data: bytes) -> bool:
        if self.discards_until is None:
            is_taken = bool(super().received(data))
            self._limit_requests()
            self.began = None if self.request is None else self.began or time.monotonic()
            return is_taken
        self.will_close = time.monotonic() > self.discards_until
        return False

    def send_continue(self) -> None:
        """Ask for the body, unless the head was refused already."""
        if self.request.error is None:
            super().send_continue()

    def _limit_requests(self) -> None:
        """Refuse the rest of what was sent ahead: its answers would wait here for a visitor who reads nothing."""
        with self.requests_lock:
            if len(self.requests) > MOST_AHEAD:
                for request in self.requests[MOST_AHEAD:]:
                    request.close()
                del self.requests[MOST_AHEAD:]
                self.requests[-1].error = BadRequest("too many requests at once")


class Server(TcpWSGIServer):
    """waitress on a socket that is open already, with threads of their own for health, and an end without losses."""

    channel_class = _Channel

    def __init__(self, application: Callable[..., Any], door: socket.socket, threads: int = THREADS) -> None:
        super().__init__(
            _as_served(application),
            _sock=door,
            bind_socket=False,
            sockinfo=(door.family, door.type, door.proto, door.getsockname()),
            threads=threads,
            connection_limit=MOST_CONNECTIONS + 100,
            asyncore_use_poll=True,  # select() fails from file descriptor 1,024 on
            channel_timeout=30,
            cleanup_interval=2,
            max_request_header_size=64 * 1024,
            max_request_body_size=MOST_BODY,
            # An answer of any size goes to a temporary file; at the watermark a slow reader would stop a thread.
            outbuf_high_watermark=sys.maxsize,
            clear_untrusted_proxy_headers=False,  # Django reads them, and only with BEHIND_PROXY
            ident=None,
        )
        self._stop_at: float | None = None
        self._quick = ThreadedTaskDispatcher()
        self._quick.set_thread_count(4)

    def add_task(self, channel: HTTPChannel) -> None:
        """Give a whole request to a thread; health never queues behind pages that wait for the database."""
        request = channel.requests[0]
        is_quick = request.error is not None or request.path in (health.LIVE, health.READY)
        (self._quick if is_quick else self.task_dispatcher).add_task(channel)

    def run(self) -> None:
        """Answer until `stop` was called and has had its effect."""
        super().run()
        self._quick.shutdown()
        self.close()

    def stop(self) -> None:
        """Accept nothing new, and let `run` return when all begun requests are answered, or when `GRACE` is over."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + GRACE
        with suppress(OSError):  # it has ended in this moment
            self.pull_trigger()

    def readable(self) -> bool:
        """Whether to accept connections. waitress asks in each round of its loop, which `SystemExit` ends."""
        if self._stop_at is None:
            self._make_room()
            accepts: bool = super().readable()
            return accepts
        for channel in self.active_channels.values():
            if not channel.requests and not channel.total_outbufs_len:
                channel.will_close = True
        if not self.active_channels or time.monotonic() > self._stop_at:
            raise SystemExit
        return False

    def maintenance(self, now: float) -> None:
        """Close connections on which nothing moves, and those whose request does not come to its end."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.began is not None and time.monotonic() - channel.began > LONGEST_REQUEST:
                channel.will_close = True

    def _make_room(self) -> None:
        too_many = len(self.active_channels) - MOST_CONNECTIONS
        if too_many >= 0:
            waiting = (channel for channel in self.active_channels.values() if not channel.requests)
            for channel in islice(waiting, too_many + 1):
                channel.will_close = True


def serve(application: Callable[..., Any], door: socket.socket, threads: int = THREADS) -> None:
    """Answer on that socket until SIGTERM; below `serve` a Ctrl-C in the terminal is not for this process."""
    _allow_many_files()
    schema.known_migrations()  # the first look at health has less than a second
    server = Server(application, door, threads)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN if "ORGPORTAL_LISTEN" in os.environ else lambda *_: server.stop())
    server.run()


def _as_served(application: Callable[..., Any]) -> Callable[..., Any]:
    """The application without what waitress would do wrong with its answers.

    Static files are copied into the answer: otherwise each stays open until a slow visitor has read it. An answer to
    HEAD has no body: waitress sends what it is given, and a proxy would take that for the next answer.
    """

    def called(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("wsgi.file_wrapper", None)
        answer = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return answer
        if hasattr(answer, "close"):
            answer.close()
        return []

    return called


def inherited_door() -> socket.socket | None:
    """The socket that `serve` or `demo` opened, named as fd://NUMBER."""
    variable = os.environ.get("ORGPORTAL_LISTEN", "")
    return socket.socket(fileno=int(variable.removeprefix("fd://"))) if variable else None


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
