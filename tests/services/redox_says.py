"""A server in place of Redox that gives the answers a test lists for each address, and a portal connected to it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.test import override_settings

from tests.connected import redox
from tests.redox import servers

QUERIES = b'"EventType": "Query"'
API_KEY = {"REDOX_STAGING_AUTH": "api-key", "REDOX_STAGING_API_KEY": "legacy", "REDOX_STAGING_API_SECRET": "secret"}
EMPTY = {"Meta": {"DataModel": "Organization", "EventType": "QueryResponse"}, "Organizations": []}
YES = servers.answer(
    200, {"Meta": {"Extensions": {"ResponseDetail": {"string": "New organization was added successfully."}}}}
)
BUSY = servers.answer(429, b"Too many requests", Retry_After="10")


class Redox:
    """The answers to give, by address. The last one of each list is repeated."""

    def __init__(self) -> None:
        self.tokens: list[servers.Behaviour] = [token("token-1")]
        self.writes: list[servers.Behaviour] = [servers.answer(504, b"Gateway Time-out")]
        self.queries: list[servers.Behaviour] = [servers.answer(200, EMPTY)]
        self.arrived: list[str] = []

    def behave(self, connection: socket.socket, server: servers.Server) -> None:
        request = server.read(connection)
        kind = "token" if b"/auth/" in request[:60] else "query" if QUERIES in request else "write"
        self.arrived.append(kind)
        answers = {"token": self.tokens, "query": self.queries, "write": self.writes}[kind]
        (answers.pop(0) if len(answers) > 1 else answers[0])(_Read(connection), server)  # type: ignore[arg-type]


class _Read:
    """A connection whose request has been read."""

    def __init__(self, connection: socket.socket) -> None:
        self.sendall = connection.sendall

    def recv(self, _: int) -> bytes:
        return b""


def token(text: str, seconds: float = 3600) -> servers.Behaviour:
    """The grant of an access token with this lifetime."""
    expires = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    return servers.answer(200, {"accessToken": text, "expires": expires, "refreshToken": ""})


@contextmanager
def redox_says() -> Iterator[Redox]:
    """A portal that signs in with an API key, whose tokens expire."""
    running = Redox()
    with (
        servers.serving(running.behave) as server,
        override_settings(
            REDOX=redox(server.url, **API_KEY),
            REDOX_DEADLINE=2.0,
            REDOX_LEASE=40.0,
            REDOX_SETTLE=0.5,
            REDOX_RATE=1000.0,
        ),
    ):
        yield running
