"""A hostile or broken server: exchanges that break off at any byte, and answers that would fill the memory."""

import gzip
import itertools
import resource
import socket
import sys
from dataclasses import replace

import pytest

from organizations.redox import messages
from organizations.redox.client import Limits, RedoxClient
from organizations.redox.outcome import Kind, classify

from . import servers
from .answers import ENVIRONMENT, OID, RECORD, success

pytestmark = pytest.mark.slow

MESSAGE = messages.build_message(RECORD, "New", ENVIRONMENT)
YES = servers.response(200, success())
MOST_GROWTH = 4 * 1024 * 1024


def kind_of(client: RedoxClient) -> tuple[Kind, bytes]:
    exchange = client.post(MESSAGE, "made-up-token")
    return classify(exchange, event="New", oid=OID).kind, exchange.body


@pytest.mark.parametrize("ends", ["reset", "closed"])
def test_an_answer_that_breaks_off_at_any_byte_is_unknown_and_its_part_is_kept(limits: Limits, ends: str) -> None:
    """Only the complete answer is an acceptance. A part of it is neither an acceptance nor a rejection."""
    places = itertools.count()

    def break_off(connection: socket.socket, server: servers.Server) -> None:
        server.read(connection)
        connection.sendall(YES[: next(places)])
        if ends == "reset":
            servers.reset(connection)

    head = YES.index(b"\r\n\r\n") + 4
    with servers.serving(break_off) as server:
        client = RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits)
        for place in range(len(YES)):
            kind, body = kind_of(client)
            assert kind is Kind.UNKNOWN, place
            assert YES[head:].startswith(body), place
        assert server.connections == len(YES)
    with servers.serving(servers.raw(YES)) as server:
        assert kind_of(RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits))[0] is Kind.ACCEPTED


def test_hostile_answers_do_not_use_up_memory(limits: Limits) -> None:
    bomb = servers.response(200, gzip.compress(b" " * 5_000_000), Content_Encoding="gzip")
    large = servers.response(200, b"x" * 1_200_000)
    deep = servers.response(200, b"[" * 100_000)
    number = servers.response(200, b'{"Meta": ' + b"9" * 100_000 + b"}")
    lines = b"".join(b"X-%d: %s\r\n" % (place, b"y" * 900) for place in range(60))
    heads = b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n{}"
    answers = itertools.cycle([bomb, large, deep, number, heads, YES[:100]])

    def hostile(connection: socket.socket, server: servers.Server) -> None:
        server.read(connection)
        connection.sendall(next(answers))

    with servers.serving(hostile) as server:
        client = RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits)
        for _ in range(12):
            assert kind_of(client)[0] is Kind.UNKNOWN
        before = _most_memory()
        for _ in range(60):
            assert kind_of(client)[0] is Kind.UNKNOWN
        assert _most_memory() - before <= MOST_GROWTH


def _most_memory() -> int:
    """The peak memory of this process in bytes. Linux reports KiB, macOS bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
