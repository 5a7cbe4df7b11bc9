"""Sends malformed requests over a socket, as bytes that no client library would send."""

import random
import socket
from contextlib import suppress

from benchmarks.malformed_requests import Request

_LONGEST = 30.0  # seconds that an answer may take
_MOST = 10_000_000


def wire(request: Request) -> tuple[bytes, bool]:
    """The bytes of a request, and whether they are valid HTTP, so that there must be an answer."""
    rng = random.Random(request.seed)
    heads = [(name.encode(), value) for name, value in request.heads]
    if request.body and not any(name == b"Content-Length" for name, _ in heads):
        heads.append((b"Content-Length", str(len(request.body)).encode()))
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("latin-1"), request.target)]
    lines += [name + b": " + value for name, value in heads]
    lines.append(b"Connection: close")
    if rng.random() < 0.7:
        is_http = not any(name == b"Content-Length" and not value.isdigit() for name, value in heads)
        return b"\r\n".join([*lines, b"", request.body]), is_http
    return _spoiled(rng, lines, request.body), False


def _spoiled(rng: random.Random, lines: list[bytes], body: bytes) -> bytes:
    """The bytes of the request, malformed in one way."""
    place = rng.randrange(len(lines))
    wrong = rng.choice(_WRONG_LINES)
    ways = (
        lambda: b"\n".join([*lines, b"", body]),
        lambda: b"\r\n".join([lines[0].replace(b" HTTP/1.1", rng.choice(_VERSIONS)), *lines[1:], b"", body]),
        lambda: b"\r\n".join([*lines[: place + 1], wrong, *lines[place + 1 :], b"", body]),
        lambda: b"\r\n".join([*lines, b"", body])[: rng.randint(1, 400)],
        lambda: b"\r\n".join([*_without_length(lines), b"Transfer-Encoding: chunked", b"", _chunked(rng, body)]),
        lambda: b"\r\n".join([*lines, b"", body]) + b"\r\n".join([*lines, b"", body]),
        lambda: b"\r\n" * 3 + b"\r\n".join([*lines, b"", body]),
        lambda: bytes(rng.choices(range(256), k=rng.randint(1, 2000))),
    )
    return rng.choice(ways)()


_VERSIONS = (
    b" HTTP/1.0",
    b" HTTP/2.0",
    b" HTTP/0.9",
    b"",
    b" http/1.1",
    b" HTTP/1.1 x",
    b"\tHTTP/1.1",
    b" HTTP/9999.1",
)
_WRONG_LINES = (
    b"no colon", b": no name", b"Host: evil.example", b"X: \x00", b"X: \xff\xfe", b" folded", b"Content-Length: 3",
    b"Content-Length: -1", b"Content-Length: +3", b"Content-Length: 0x3", b"Content-Length: 99999999999999999999",
    b"X y: z", b"X-Long: " + b"x" * 20_000, b"\r\n".join(b"X-%d: y" % number for number in range(300)),
    b"Expect: 100-continue", b"Expect: x", b"Upgrade: h2c", b"Connection: keep-alive, x", b"Content_Length: 3",
)  # fmt: skip


def _without_length(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if not line.startswith(b"Content-Length")]


def _chunked(rng: random.Random, body: bytes) -> bytes:
    size = rng.choice((b"%x" % len(body), b"-1", b"zz", b"FFFFFFFFFFFFFFFFF", b"%x;ext=1" % len(body), b"0x5", b""))
    return size + b"\r\n" + body + rng.choice((b"\r\n0\r\n\r\n", b"\r\n", b"0\r\n\r\n", b"\r\n0\r\nX: y\r\n\r\n"))


def ask(port: int, data: bytes) -> tuple[int, bytes]:
    """Status and all bytes of the answer; 0 if the connection was closed without one."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=_LONGEST) as connection:
        with suppress(OSError):  # a server may close before it has read everything; its answer counts
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while len(received) < _MOST and (part := connection.recv(65_536)):
                received += part
    words = bytes(received[:40]).split(b" ", 2)
    is_answer = words[0].startswith(b"HTTP/1.") and len(words) > 1 and words[1][:3].isdigit()
    return (int(words[1][:3]) if is_answer else 0), bytes(received)
