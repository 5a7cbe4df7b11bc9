"""The web server of one process: waitress, with many threads and limits.

waitress reads a whole request before a thread works on it, and buffers the whole response. So a slow client does not
block a thread.
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
MOST_BODY = 8 * 1024 * 1024  # bytes; more than Django accepts, so that a page can explain the refusal
MOST_CONNECTIONS = 1000  # above this the oldest idle connection is closed for a new one
MOST_AHEAD = 8  # requests that a client may send before it has read the responses; browsers and proxies send one
LONGEST_REQUEST = 120.0  # seconds from the first byte of a request to its last one
GRACE = 10.0  # seconds that a request gets to finish after the signal to stop
_FILES = 4096  # sockets, database connections, and the temporary files of large answers

# The texts of waitress's own error responses, for requests that Django does not get.
_SENTENCES = {
    413: f"This request is too large: at most {MOST_BODY // 1024 // 1024} MB.",
    431: "The address or the headers of this request are too long.",
    500: "Something went wrong here, not at Redox. The log of the portal has the cause.",
}
_UNREADABLE = "This request could not be read."


class _PlainErrorTask(ErrorTask):
    """waitress's own error response: one sentence, and the headers of every other response."""

    def execute(self) -> None:
        self.channel.has_error = True
        error = self.request.error
        body = f"{_SENTENCES.get(error.code, _UNREADABLE)}\n".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "text/plain; charset=utf-8"))
        self.response_headers.extend(headers.complete_headers().items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):
    """Refuses a number with thousands of digits: Python raises ValueError, for which waitress would answer with 500."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("a number with too many digits") from None


class _Channel(HTTPChannel):
    """One connection. After an error response, it discards the rest of the request before it closes.

    Closing a connection with unread data resets it, and the client may lose the response.
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
        """Send "100 Continue", unless the headers were refused."""
        if self.request.error is None:
            super().send_continue()

    def _limit_requests(self) -> None:
        """Refuse more than `MOST_AHEAD` requests: the responses for a client that reads none would use memory."""
        with self.requests_lock:
            if len(self.requests) > MOST_AHEAD:
                for request in self.requests[MOST_AHEAD:]:
                    request.close()
                del self.requests[MOST_AHEAD:]
                self.requests[-1].error = BadRequest("too many requests at once")


class Server(TcpWSGIServer):
    """waitress on a listening socket, with separate threads for health checks. Ends after its open requests."""

    channel_class = _Channel

    def __init__(self, application: Callable[..., Any], listener: socket.socket, threads: int = THREADS) -> None:
        super().__init__(
            _clean_answers(application),
            _sock=listener,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            threads=threads,
            connection_limit=MOST_CONNECTIONS + 100,
            asyncore_use_poll=True,  # select() fails from file descriptor 1,024 on
            channel_timeout=30,
            cleanup_interval=2,
            max_request_header_size=64 * 1024,
            max_request_body_size=MOST_BODY,
            # Large answers go to a temporary file. With a watermark a slow reader would block a thread.
            outbuf_high_watermark=sys.maxsize,
            clear_untrusted_proxy_headers=False,  # Django reads them, and only with BEHIND_PROXY
            ident=None,
        )
        self._stop_at: float | None = None
        self._quick = ThreadedTaskDispatcher()
        self._quick.set_thread_count(4)

    def add_task(self, channel: HTTPChannel) -> None:
        """Give a request to a thread. Health checks have their own, so they do not wait for slow pages."""
        request = channel.requests[0]
        is_quick = request.error is not None or request.path in (health.LIVE, health.READY)
        (self._quick if is_quick else self.task_dispatcher).add_task(channel)

    def run(self) -> None:
        """Answer requests until `stop` is called and the open requests have ended."""
        super().run()
        self._quick.shutdown()
        self.close()

    def stop(self) -> None:
        """Accept no new connection, and let `run` return when all requests are answered or `GRACE` is over."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + GRACE
        with suppress(OSError):  # the server has just ended
            self.pull_trigger()

    def readable(self) -> bool:
        """Whether to accept connections. waitress calls this in each round of its loop. `SystemExit` ends the loop."""
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
        """Close idle connections, and those whose request takes longer than LONGEST_REQUEST to arrive."""
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


def serve(application: Callable[..., Any], listener: socket.socket, threads: int = THREADS) -> None:
    """Answer on this socket until SIGTERM. A process that `serve` started ignores Ctrl-C: `serve` stops it."""
    _allow_many_files()
    schema.known_migrations()  # read now, because the first health check has less than a second
    server = Server(application, listener, threads)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN if "ORGPORTAL_LISTEN" in os.environ else lambda *_: server.stop())
    server.run()


def _clean_answers(application: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the application, so that waitress sends its responses correctly.

    Static files are copied into the response: otherwise each stays open until a slow client has read it. The body of a
    response to HEAD is removed: waitress would send it, and a proxy would read it as the next response.
    """

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("wsgi.file_wrapper", None)
        answer = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return answer
        if hasattr(answer, "close"):
            answer.close()
        return []

    return wrapped


def inherited_listener() -> socket.socket | None:
    """The socket that `serve` or `demo` opened, named as fd://NUMBER."""
    variable = os.environ.get("ORGPORTAL_LISTEN", "")
    return socket.socket(fileno=int(variable.removeprefix("fd://"))) if variable else None


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
