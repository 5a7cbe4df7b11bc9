"""A fake Redox that gives the answers that a test lists for each address."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.test import override_settings

from tests.connected import redox
from tests.redox import servers

QUERIES = b'"EventType": "Query"'
API_KEY = {"REDOX_STAGING_AUTH": "api-key", "REDOX_STAGING_API_KEY": "legacy", "REDOX_STAGING_API_SECRET": "secret"}
EMPTY_QUERY_RESPONSE = {"Meta": {"DataModel": "Organization", "EventType": "QueryResponse"}, "Organizations": []}
ACCEPTED = servers.answer(
    200, {"Meta": {"Extensions": {"ResponseDetail": {"string": "New organization was added successfully."}}}}
)
TOO_MANY_REQUESTS = servers.answer(429, b"Too many requests", Retry_After="10")


class FakeRedox:
    """The answers to give, for each address. The last one of each list is repeated."""

    def __init__(self) -> None:
        self.tokens: list[servers.Behaviour] = [token_answer("token-1")]
        self.writes: list[servers.Behaviour] = [servers.answer(504, b"Gateway Time-out")]
        self.queries: list[servers.Behaviour] = [servers.answer(200, EMPTY_QUERY_RESPONSE)]
        self.arrived: list[str] = []

    def behave(self, connection: socket.socket, server: servers.Server) -> None:
        request = server.read(connection)
        kind = "token" if b"/auth/" in request[:60] else "query" if QUERIES in request else "write"
        self.arrived.append(kind)
        answers = {"token": self.tokens, "query": self.queries, "write": self.writes}[kind]
        (answers.pop(0) if len(answers) > 1 else answers[0])(_ReadConnection(connection), server)  # type: ignore[arg-type]


class _ReadConnection:
    """A connection whose request has been read."""

    def __init__(self, connection: socket.socket) -> None:
        self.sendall = connection.sendall

    def recv(self, _: int) -> bytes:
        return b""


def token_answer(text: str, seconds: float = 3600) -> servers.Behaviour:
    """An answer with an access token that is valid for this many seconds."""
    expires = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    return servers.answer(200, {"accessToken": text, "expires": expires, "refreshToken": ""})


@contextmanager
def fake_redox() -> Iterator[FakeRedox]:
    """Run a fake Redox, with settings that connect the portal to it. An API key signs in; its tokens expire."""
    server_answers = FakeRedox()
    with (
        servers.serving(server_answers.behave) as server,
        override_settings(
            REDOX=redox(server.url, **API_KEY),
            REDOX_DEADLINE=2.0,
            REDOX_LEASE=40.0,
            REDOX_SETTLE=0.5,
            REDOX_RATE=1000.0,
        ),
    ):
        yield server_answers
