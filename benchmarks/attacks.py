"""Clients that could stop a web server: silent ones, dripping ones, slow readers, and requests that take long.

Each is a context manager: the attack runs while its body runs. A client that the server drops connects again.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import transaction

from organizations.models import EnvironmentGate

type Attack = Callable[[], AbstractContextManager[None]]

_HEAD = b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@contextmanager
def clients(port: int, count: int, first: bytes, drip: bytes = b"", read: int = 0) -> Iterator[None]:
    """`count` sockets. Each sends `first` once, and every second it sends `drip` and reads `read` bytes."""
    stopping = threading.Event()
    sockets = [_connect(port, first, read) for _ in range(count)]

    def keep_attacking() -> None:
        while not stopping.wait(1):
            for place, each in enumerate(sockets):
                try:
                    if drip:
                        each.send(drip)
                    if read and not each.recv(read):
                        raise ConnectionError
                except BlockingIOError:
                    continue
                except OSError:
                    each.close()
                    sockets[place] = _connect(port, first, read)

    thread = threading.Thread(target=keep_attacking)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        for each in sockets:
            each.close()


def _connect(port: int, first: bytes, read: int) -> socket.socket:
    client = socket.socket()
    if read:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    if first:
        client.sendall(first)
    client.setblocking(False)
    return client


def silent(port: int, count: int) -> AbstractContextManager[None]:
    return clients(port, count, b"")


def dripping_headers(port: int, count: int) -> AbstractContextManager[None]:
    return clients(port, count, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", drip=b"a")


def dripping_bodies(port: int, count: int) -> AbstractContextManager[None]:
    return clients(port, count, _HEAD + b"Content-Length: 100000\r\n\r\nusername=", drip=b"a")


def asking(port: int, count: int, path: str, cookie: str, read: int = 1024) -> AbstractContextManager[None]:
    """`count` whole requests for a page, whose answers are read slowly."""
    return clients(
        port, count, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode(), read=read
    )


@contextmanager
def locked_database() -> Iterator[None]:
    """SQLite: the lock for writing. PostgreSQL: the row that `/locked/` changes."""
    with transaction.atomic():
        EnvironmentGate.objects.select_for_update().get(pk="staging")
        yield
