"""The practice directory over HTTP, on the loopback address."""

import re
import select
import socket
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self

from organizations.practice.behaviour import Behaviour, read_behaviour, write_behaviour
from organizations.practice.credentials import Credential, read_credentials, write_credentials
from organizations.practice.directory import Directory
from organizations.practice.others import others
from organizations.practice.replies import NoReply, Reply, error_detail, gateway_reply, too_many
from organizations.practice.shape import oid_of
from organizations.practice.sign_in import SignIn
from organizations.practice.store import Effect, Store

HOST = "127.0.0.1"
MOST_BYTES = 10 * 1024 * 1024  # above it Redox answers 413
REQUESTS_KEPT = 10_000
_LENGTH = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived; header names in lower case, without the authorization."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class PracticeDirectory:
    """A running practice directory, as a context manager. Its records stay in the folder.

    `credentials` are registered in the folder. None uses those that are in the folder. Port 0 chooses a free port.
    `slow_seconds` is how long the behaviour `slow` waits before it applies a message or answers a Query, and how long
    `shows-late` shows a record as it was before.
    `__enter__` raises OSError if the port is taken or the folder has no credentials, and ValueError for invalid ones.
    """

    def __init__(
        self,
        folder: Path | str,
        credentials: Sequence[Credential] | None = None,
        *,
        slow_seconds: float = 5.0,
        port: int = 0,
    ) -> None:
        self.folder = Path(folder)
        self._credentials = credentials
        self._slow_seconds = slow_seconds
        self._port = port
        self._slow_ends = threading.Event()
        self._requests: deque[ReceivedRequest] = deque(maxlen=REQUESTS_KEPT)

    def __enter__(self) -> Self:
        if self._credentials is not None:
            write_credentials(self.folder, self._credentials)
        credentials = read_credentials(self.folder)
        with ExitStack() as stack:
            server = stack.enter_context(_Server((HOST, self._port), _Handler))
            self._store = stack.enter_context(closing(Store(self.folder)))
            self.url = f"http://{HOST}:{server.server_port}"
            self._sign_in = SignIn(credentials, f"{self.url}/v2/auth/token")
            self._directory = Directory(self._store, self._slow_seconds, self._slow_ends, server.stopping)
            server.practice = self
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="practice directory")
            thread.start()
            stack.callback(server.stop, thread)
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def behaviour(self) -> Behaviour:
        """The current behaviour. Set it to a word of `BEHAVIOURS`. Each except `slow` sends slow answers at once."""
        return read_behaviour(self.folder)

    @behaviour.setter
    def behaviour(self, word: str) -> None:
        if word == Behaviour.SLOW:
            self._slow_ends.clear()
        write_behaviour(self.folder, word)
        if word != Behaviour.SLOW:
            self.end_slow_answers()

    def end_slow_answers(self) -> None:
        """Send at once the answers that the behaviour `slow` delays."""
        self._slow_ends.set()

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The last requests received, oldest first."""
        return list(self._requests)

    @property
    def effects(self) -> list[Effect]:
        """Every New and Update ever applied, in order."""
        return self._store.effects()

    def organizations(self, environment: str) -> dict[str, dict[str, Any]]:
        """The records of an environment by OID, each as the last message gave it."""
        return {oid_of(organization): organization for organization in self._store.find(environment)}

    def register(self, environment: str, organization: dict[str, Any], *, changed_at: datetime | None = None) -> None:
        """Add or replace a record without a message. It needs an OID (else ValueError) and may have any shape.

        `changed_at` is when somebody wrote it; by default now.
        """
        seconds = changed_at.timestamp() if changed_at else None
        self._store.put(environment, oid_of(organization), organization, changed_at=seconds)

    def register_others(self, environment: str, number: int, *, seed: int = 1) -> None:
        """Add this many made-up organizations of others, except those whose OID is there. `seed`: as in `others`."""
        self._store.add_missing(environment, others(number, seed=seed))

    def forget(self, environment: str, oid: str) -> None:
        """Remove a record without a message."""
        self._store.remove(environment, oid)

    def expire_tokens(self) -> None:
        """Expire every access token that was issued."""
        self._sign_in.expire_tokens()

    def reply(self, request: ReceivedRequest, authorization: str) -> Reply | NoReply:
        """The reply to a POST."""
        self._requests.append(request)
        behaviour = self.behaviour
        refuse = behaviour is Behaviour.REFUSES_SIGN_IN
        match request.path:
            case "/endpoint":
                return self._message(request, authorization, behaviour)
            case "/v2/auth/token":
                return self._sign_in.oauth(request.headers.get("content-type", ""), request.body, refuse=refuse)
            case "/auth/authenticate":
                return self._sign_in.authenticate(request.body, refuse=refuse)
            case "/auth/refreshToken":
                return self._sign_in.refresh(request.body, refuse=refuse)
        return error_detail(404, "There is nothing at this address.")

    def _message(self, request: ReceivedRequest, authorization: str, behaviour: Behaviour) -> Reply | NoReply:
        if behaviour is Behaviour.NEVER_ANSWERS:
            return NoReply.HOLD
        if behaviour is Behaviour.TOO_MANY:
            return too_many()
        if behaviour is Behaviour.GATEWAY_ERROR:
            return gateway_reply(502, "Bad Gateway")
        environment = self._sign_in.environment_of(authorization)
        if environment is None or behaviour is Behaviour.REFUSES_SIGN_IN:
            return error_detail(401, "The access token is missing, unknown or over.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return error_detail(400, "The content type is not application/json.")
        return self._directory.answer(request.body, environment, behaviour)


class _Server(ThreadingHTTPServer):
    """Has one thread for each connection. Stopping ends all threads and waits for them."""

    daemon_threads = False
    request_queue_size = 128
    practice: PracticeDirectory

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer.server_bind looks up the host's name, which can take seconds
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def stop(self, thread: threading.Thread) -> None:
        """Accept no more requests, end slow answers, finish those being sent, and wait for the threads."""
        self.stopping.set()
        self.practice.end_slow_answers()
        self.shutdown()
        thread.join()
        with self._open_lock:
            for connection in self._open:
                with suppress(OSError):  # the client may have left
                    connection.shutdown(socket.SHUT_RD)  # a thread that waits for the next request reads its end
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that leaves is normal
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # buffered, so that head and body go in one packet; a second packet could be delayed
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        if (body := self._body()) is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() != "authorization"}
        request = ReceivedRequest(self.path, headers, body)
        match self.server.practice.reply(request, self.headers.get("Authorization", "")):
            case NoReply.BREAK_OFF:
                self.close_connection = True
            case NoReply.HOLD:
                self._hold()
            case Reply() as reply:
                self._send(reply)

    def do_GET(self) -> None:
        if self._body() is not None:
            self._send(error_detail(404, "Only POST is answered."))

    do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_PUT = do_GET  # noqa: N815 - names of the base class

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as in the base class
        """Log nothing: `requests` and `effects` hold what was received and applied."""

    def _body(self) -> bytes | None:
        """The body of the request; None if it cannot be used, after an answer was sent."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length):
            self.close_connection = True  # the start of the next request is unknown
            self._send(error_detail(400, "The length of the body is not given."))
            return None
        left, pieces = int(length), []
        while left and (piece := self.rfile.read(min(left, 1024 * 1024))):
            left -= len(piece)
            if int(length) <= MOST_BYTES:
                pieces.append(piece)
        if left:
            self.close_connection = True  # the client left in the middle
            return None
        if int(length) > MOST_BYTES:
            self._send(error_detail(413, "The request is larger than 10 MB."))
            return None
        return b"".join(pieces)

    def _send(self, reply: Reply) -> None:
        self.close_connection |= reply.is_cut
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.is_cut else reply.body)

    def _hold(self) -> None:
        """Keep the connection open without an answer until the client leaves or the directory stops."""
        self.close_connection = True
        while not self.server.stopping.wait(0.05):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1):
                return
