"""One exchange with Redox: sends a message once and returns the answer with evidence of what was sent.

It never retries, and it does not judge the answer; `outcome.py` does.
"""

import hashlib
import ipaddress
import math
import re
import socket
import ssl
import threading
import time
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from organizations.redox.environment import RedoxEnvironment

from . import numbers, redaction

MAX_BODY = 1024 * 1024
"""The most bytes of an answer that are read, and the most that a compressed answer may decompress to."""

_ALLOWED_HEADER = re.compile(
    r"date|content-type|content-encoding|retry-after|x-ratelimit-limit|x-request-id|redox-([a-z0-9-]+-)?id"
)
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_WINDOW_BITS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}


class Fault(StrEnum):
    """Why an exchange got no complete answer. Only `Exchange.sent` says whether a byte may have been sent."""

    ADDRESS = "address"
    NAME = "name"
    REFUSED = "refused"
    ROUTE = "route"
    CONNECT_TIME = "connect_time"
    CERTIFICATE = "certificate"
    TLS = "tls"
    SETTINGS = "settings"
    DEADLINE = "deadline"
    BROKEN = "broken"
    HELD_UP = "held_up"
    STOPPED = "stopped"
    BLOCKED = "closed"  # sending was stopped or paused. Releases that stored "closed" called the circuit breaker a gate
    PROTOCOL = "protocol"
    SIZE = "size"

    @property
    def is_ours(self) -> bool:
        """Whether our own worker is the cause, so that the fault says nothing about Redox."""
        return self in {Fault.HELD_UP, Fault.STOPPED, Fault.BLOCKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most seconds for an exchange, its connection and a token request. Redox ends an exchange after 120 s.

    `ca_file` holds the certificate authorities to trust instead of the public ones.
    """

    deadline: float = 135.0
    connect: float = 5.0
    token_deadline: float = 30.0
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as far as they are known.

    `sent`: a byte of the request may have been sent. `headers` are those that may be stored (names in lower case; of
    `location` only the host). `body` is as received, not decoded; `body_cut`: the body was longer.
    `redacted`: the answer repeated the access token, which was removed, so `body` is not exactly what was received.
    """

    request_sha256: str
    sent: bool
    fault: Fault | None = None
    fault_text: str = ""
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    body_cut: bool = False
    redacted: bool = False
    duration_ms: int = 0


class NotDecodable(ValueError):
    """The body's content encoding cannot be undone."""


class _TimeUp(Exception):
    """The deadline passed before anything was sent."""


def plain_text(text: str, limit: int = 2000) -> str:
    """The text, cut to `limit` characters, without control characters, direction characters and lone surrogates."""
    if text.isascii() and text.isprintable():  # nearly every answer, and ten times as fast
        return text[:limit].strip()
    return "".join(char if _is_plain(char) else "\N{REPLACEMENT CHARACTER}" for char in text[:limit]).strip()


def _is_plain(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}


def fits_in_header(token: str) -> bool:
    """Whether a header can hold the access token: visible ASCII only."""
    return _VISIBLE.fullmatch(token) is not None


def checked_url(base_url: str, path: str) -> str:
    """The URL of a path below the environment's address.

    Raises ValueError if it is not http or https, or if it has a user name. Also for http to another machine, because
    others could read the access token on the way.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("the address must be https://host, without a user name")
    if parts.scheme == "http" and not is_loopback_host(parts.hostname):
        raise ValueError("http is only for this machine; give an https address")
    return base_url.rstrip("/") + path


def decoded_body(exchange: Exchange) -> bytes:
    """The body with its content encoding undone. Raises NotDecodable if that is not possible."""
    encoding = exchange.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return exchange.body
    for bits in _WINDOW_BITS.get(encoding, ()):
        with suppress(zlib.error):
            return _inflated(exchange.body, bits)
    raise NotDecodable("the content encoding is unknown or the body is damaged")


def _inflated(body: bytes, bits: int) -> bytes:
    stream = zlib.decompressobj(bits)
    content = stream.decompress(body, MAX_BODY + 1)
    if len(content) > MAX_BODY or not stream.eof or stream.unused_data:
        raise NotDecodable("the compressed body is too large, cut short, or followed by other bytes")
    return content


def is_loopback_host(host: str) -> bool:
    """Whether a host name or IP address is that of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Watch:
    """Ends the connection at the deadline, and records whether a byte may have been sent.

    httpx has no deadline for a whole exchange: its read timeout begins again with each piece of the answer. So a second
    handle on the same connection is shut down; unlike the first it stays valid after the change to TLS.
    """

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self.sent = False
        self.expired = False
        self.is_aborted = False
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        _deadlines.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _deadlines.remove(self)
        if self._socket is not None:
            self._socket.close()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Called by httpcore at each step. Raises _TimeUp if the first byte would be sent after the deadline."""
        if event == "connection.connect_tcp.complete":
            self._socket = info["return_value"].get_extra_info("socket").dup()
        elif event == "http11.send_request_headers.started":
            if self.expired:
                raise _TimeUp
            self.sent = True

    def abort(self) -> None:
        """End the connection now, because the process ends."""
        self.is_aborted = True
        self.expire()

    def expire(self) -> None:
        self.expired = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Deadlines:
    """One thread that ends every exchange of this process at its deadline. It starts with the first exchange."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[_Watch] = set()
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    def add(self, watch: _Watch) -> None:
        with self._changed:
            self._watches.add(watch)
            if self._thread is None or not self._thread.is_alive():  # not started, or not copied by a fork
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif watch.ends < self._wakes:
                self._changed.notify()

    def remove(self, watch: _Watch) -> None:
        """After this the exchange does not expire any more."""
        with self._changed:
            self._watches.discard(watch)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for watch in [watch for watch in self._watches if watch.ends <= now]:
                    self._watches.discard(watch)
                    watch.expire()
                self._wakes = min((watch.ends for watch in self._watches), default=math.inf)
                self._changed.wait(min(self._wakes - now, threading.TIMEOUT_MAX))


_deadlines = _Deadlines()


@dataclass(slots=True)
class _PartialReply:
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def read(self, response: httpx.Response) -> None:
        """Read until the end, or just past MAX_BODY. After a fault the part that was read stays."""
        self.status = response.status_code
        self.headers = _kept_headers(response.headers)
        for chunk in response.iter_raw():
            self.body += chunk
            if len(self.body) > MAX_BODY:
                return


@cache  # reading the trusted certificates takes longer than sending a message
def _trusting(ca_file: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context(trust_env=False)


class HttpsSender:
    """Sends requests: with certificate checks, without redirects, proxies or cookies, each on a new connection."""

    def __init__(self, limits: Limits, before_request: Callable[[], None] = lambda: None) -> None:
        """`before_request` is called before each request and may wait; the deadline starts after it."""
        self.limits = limits
        self._before_request = before_request
        self._under_way: set[_Watch] = set()
        self._is_aborted = False
        self._transport = httpx.HTTPTransport(
            verify=_trusting(limits.ca_file),
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    def post(self, url: str, content: bytes, headers: dict[str, str], deadline: float) -> Exchange:
        """Send once and read the answer, in `deadline` seconds. A fault is part of the result, not an exception."""
        self._before_request()
        started = time.monotonic()
        reply, fault, text = _PartialReply(), None, ""
        with _Watch(deadline) as watch:
            self._under_way.add(watch)
            try:
                if self._is_aborted:
                    watch.abort()
                else:
                    self._exchange(self._request(url, content, headers, watch, deadline), reply)
            except Exception as error:  # the evidence of what was sent must survive any exception of a library
                fault, text = _fault_of(error)
            self._under_way.discard(watch)
            if watch.is_aborted:
                before = "answer came" if watch.sent else "message left"
                fault, text = Fault.STOPPED, f"the worker was stopped before the {before}"
            elif watch.expired:
                fault, text = Fault.DEADLINE, f"no whole answer within {deadline:g} seconds"
        cut = len(reply.body) > MAX_BODY
        if cut and fault is None:
            fault, text = Fault.SIZE, f"the answer has more than {MAX_BODY} bytes"
        return Exchange(
            request_sha256=hashlib.sha256(content).hexdigest(),
            sent=watch.sent,
            fault=fault,
            fault_text=text,
            status=reply.status,
            headers=reply.headers,
            body=bytes(reply.body[:MAX_BODY]),
            body_cut=cut,
            duration_ms=round((time.monotonic() - started) * 1000),
        )

    def abort(self) -> None:
        """End all exchanges, also later ones, with the fault STOPPED. For another thread or a signal handler."""
        self._is_aborted = True
        for watch in tuple(self._under_way):
            watch.abort()

    def _request(
        self, url: str, content: bytes, headers: dict[str, str], watch: _Watch, deadline: float
    ) -> httpx.Request:
        timeout = httpx.Timeout(deadline, connect=min(self.limits.connect, deadline))
        return httpx.Request(
            "POST",
            url,
            content=content,
            headers=headers | {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "orgportal"},
            extensions={"trace": watch.trace, "timeout": timeout.as_dict()},
        )

    def _exchange(self, request: httpx.Request, reply: _PartialReply) -> None:
        # A transport follows no redirects and keeps no cookies. An httpx.Client for each request doubles the cost.
        response = self._transport.handle_request(request)
        try:
            reply.read(response)
        finally:
            response.close()


class RedoxClient:
    """Sends messages to one environment of Redox."""

    def __init__(self, environment: RedoxEnvironment, limits: Limits) -> None:
        """Raises ValueError if the environment's address cannot be used."""
        self.environment = environment
        self._url = checked_url(environment.base_url, "/endpoint")
        self._sender = HttpsSender(limits)

    def post(self, message: bytes, access_token: str) -> Exchange:
        """Send these bytes once. Raises ValueError for a token that no header can hold.

        A message with another routing ID or source ID than the environment's is not sent: the fault is SETTINGS.
        """
        if not fits_in_header(access_token):
            raise ValueError("the access token is empty or has characters that a header cannot contain")
        if not is_meant_for(message, self.environment):
            return Exchange(
                request_sha256=hashlib.sha256(message).hexdigest(),
                sent=False,
                fault=Fault.SETTINGS,
                fault_text="the message's routing ID or source ID is not the one in the settings",
            )
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {access_token}",
            "Content-Type": "application/json",
        }
        return _redacted(access_token, self._sender.post(self._url, message, headers, self._sender.limits.deadline))

    def abort(self) -> None:
        """End the exchanges in progress. Nothing is sent after this."""
        self._sender.abort()


def is_meant_for(message: bytes, environment: RedoxEnvironment) -> bool:
    """Whether the message names the environment's routing ID, no other one, and its source ID."""
    meta = numbers.parse_json(message.decode())["Meta"]
    routing_ids = [destination["ID"] for destination in meta["Destinations"]]
    return routing_ids == [environment.routing_id] and meta.get("Source", {}).get("ID", "") == environment.source_id


def _redacted(token: str, exchange: Exchange) -> Exchange:
    """The exchange without the access token, in case the answer repeats it.

    A compressed body with the token is kept decompressed.
    """
    headers, body = exchange.headers, exchange.body
    with suppress(NotDecodable):
        decoded = decoded_body(exchange)
        if redaction.redact(token, decoded) != decoded:
            body = decoded
            headers = {name: value for name, value in headers.items() if name != "content-encoding"}
    body = redaction.redact(token, body)
    redacted = replace(
        exchange,
        headers={name: redaction.redact(token, value.encode()).decode() for name, value in headers.items()},
        body=body[:MAX_BODY],
        body_cut=exchange.body_cut or len(body) > MAX_BODY,
        fault_text=redaction.redact(token, exchange.fault_text.encode()).decode(),
    )
    return exchange if redacted == exchange else replace(redacted, redacted=True)


def _kept_headers(headers: httpx.Headers) -> dict[str, str]:
    storable = {name: plain_text(value, 500) for name, value in headers.items() if _ALLOWED_HEADER.fullmatch(name)}
    if "location" in headers:
        with suppress(ValueError):
            storable["location"] = plain_text(urlsplit(headers["location"]).hostname or "", 255)
    return storable


_FAULTS: tuple[tuple[type[Exception], Fault], ...] = (
    (ssl.SSLCertVerificationError, Fault.CERTIFICATE),
    (ssl.SSLError, Fault.TLS),
    (socket.gaierror, Fault.NAME),
    (ConnectionRefusedError, Fault.REFUSED),
    (httpx.ConnectTimeout, Fault.CONNECT_TIME),
    (httpx.ConnectError, Fault.ROUTE),
    (httpx.TimeoutException, Fault.DEADLINE),
    (httpx.RemoteProtocolError, Fault.PROTOCOL),
    (httpx.UnsupportedProtocol, Fault.ADDRESS),
    (httpx.InvalidURL, Fault.ADDRESS),
    (UnicodeError, Fault.ADDRESS),
)


def _fault_of(error: Exception) -> tuple[Fault, str]:
    """The fault for the error or one of its causes, and the innermost cause in words, which never contain a header."""
    causes = list(_causes(error))
    fault = next((fault for kind, fault in _FAULTS if any(isinstance(cause, kind) for cause in causes)), Fault.BROKEN)
    root = causes[-1]
    words = getattr(root, "verify_message", "") or getattr(root, "strerror", "")
    if not words and fault is Fault.PROTOCOL:
        words = str(root)
    return fault, plain_text(words or type(root).__name__, 300)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes. httpcore keeps the cause only as the first argument."""
    yield error
    inner = error.__cause__ or next(iter(error.args), None)
    if isinstance(inner, BaseException):
        yield from _causes(inner)
