"""One exchange: what is sent, what is kept of the answer, and what is known without an answer."""

import json
import logging
import os
import socket
import ssl
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from organizations.redox import client, messages
from organizations.redox.client import Exchange, Fault, Limits, RedoxClient, decoded_body
from organizations.redox.environment import ORGANIZATION_ROUTING

from . import servers
from .answers import ENVIRONMENT, RECORD

pytestmark = pytest.mark.slow

TOKEN = "made-up-token-7f3a"
MESSAGE = messages.build_message(RECORD, "New", ENVIRONMENT)
DEADLINE = 0.3
GOOD = {"Meta": {"EventType": "New"}}


@pytest.fixture(scope="module")
def short(limits: Limits) -> Limits:
    """A short deadline, for tests that must reach it. All others have the time that a busy machine needs."""
    return replace(limits, deadline=DEADLINE)


def post(url: str, limits: Limits, message: bytes = MESSAGE) -> Exchange:
    return RedoxClient(replace(ENVIRONMENT, base_url=url), limits).post(message, TOKEN)


def test_the_reviewed_bytes_are_sent_with_the_token_and_ask_for_an_uncompressed_answer(limits: Limits) -> None:
    with servers.serving(servers.answer(200, GOOD)) as server:
        exchange = post(server.url, limits)
    assert server.body() == MESSAGE
    head = server.head().split("\r\n")
    assert head[0] == "POST /endpoint HTTP/1.1"
    assert f"Authorization: Bearer {TOKEN}" in head
    assert {"Content-Type: application/json", "Accept-Encoding: identity", "Connection: close"} <= set(head)
    assert (exchange.sent, exchange.fault, exchange.status) == (True, None, 200)
    assert exchange.request_sha256 == sha256(MESSAGE).hexdigest()
    assert exchange.body == b'{"Meta": {"EventType": "New"}}'


def test_only_allowed_headers_and_the_host_of_an_address_are_kept(limits: Limits) -> None:
    headers: dict[str, Any] = {
        "Date": "Mon, 03 May 2027 14:03:22 GMT",
        "Set_Cookie": "session=secret",
        "Server": "nginx",
        "X_Request_Id": "r-1",
        "Redox_Log_Id": "l-1",
        "Location": "https://elsewhere.example/path?token=secret",
        "Retry_After": "7",
        "X_RateLimit_Limit": "10000",
    }
    with servers.serving(servers.answer(302, b"", **headers)) as server:
        exchange = post(server.url, limits)
    assert exchange.headers == {
        "date": "Mon, 03 May 2027 14:03:22 GMT",
        "x-request-id": "r-1",
        "redox-log-id": "l-1",
        "location": "elsewhere.example",
        "retry-after": "7",
        "x-ratelimit-limit": "10000",
    }
    assert server.connections == 1


def test_exchanges_share_no_state(limits: Limits) -> None:
    with servers.serving(servers.answer(200, GOOD, Set_Cookie="session=secret; Path=/")) as server:
        redox = RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits)
        redox.post(MESSAGE, TOKEN)
        redox.post(MESSAGE, TOKEN)
    assert server.connections == 2
    assert "cookie" not in server.head().lower()


def test_the_process_environment_sets_no_proxy_and_no_password(
    limits: Limits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", os.fspath(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{servers.closed_port()}")
    with servers.serving(servers.answer(200, GOOD)) as server:
        assert post(server.url, limits).status == 200
    assert f"Authorization: Bearer {TOKEN}" in server.head()


FAULTS = [
    (servers.reset_after_reading, Fault.BROKEN),
    (servers.reset_in_the_answer, Fault.BROKEN),
    (servers.close_after_reading, Fault.PROTOCOL),
    (servers.answer(200, b"{}", length=50), Fault.PROTOCOL),
    (servers.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), Fault.PROTOCOL),
    (servers.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), Fault.PROTOCOL),
    (servers.raw(b"SSH-2.0-OpenSSH_9\r\n"), Fault.PROTOCOL),
    (servers.raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"), Fault.PROTOCOL),
    (servers.silent, Fault.DEADLINE),
    (servers.drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"), Fault.DEADLINE),
    (servers.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"a"), Fault.DEADLINE),
    (servers.drip(b"HTTP/1.1 200 OK\r\n\r\n", b"a"), Fault.DEADLINE),
    (servers.drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), Fault.DEADLINE),
    (servers.answer(200, b"x" * (client.MAX_BODY + 1)), Fault.SIZE),
    (servers.endless, Fault.SIZE),
]


@pytest.mark.parametrize(("behave", "fault"), FAULTS)
def test_a_fault_after_the_first_byte_counts_as_sent(
    behave: servers.Behaviour, fault: Fault, limits: Limits, short: Limits
) -> None:
    with servers.serving(behave) as server:
        exchange = post(server.url, short if fault is Fault.DEADLINE else limits)
    assert (exchange.sent, exchange.fault) == (True, fault)
    assert exchange.fault_text
    assert TOKEN not in repr(exchange)
    if fault is Fault.DEADLINE:
        assert exchange.duration_ms >= DEADLINE * 1000


def test_a_reset_before_reading_still_counts_as_sent(limits: Limits) -> None:
    """The client cannot know whether the server read the request. It knows that it sent bytes."""
    with servers.serving(servers.reset_unread) as server:
        exchange = post(server.url, limits)
    assert (exchange.sent, exchange.status) == (True, None)
    assert exchange.fault in {Fault.BROKEN, Fault.PROTOCOL}


@pytest.mark.parametrize(
    "behave", [servers.silent, servers.drip(b"HTTP/1.1 200 OK\r\n\r\n", b"a")], ids=["silent", "drips"]
)
def test_the_deadline_holds_under_tls_as_well(behave: servers.Behaviour, short: Limits, pem: Path) -> None:
    with servers.serving(behave, servers.tls(pem)) as server:
        exchange = post(server.url, short)
    assert (exchange.sent, exchange.fault) == (True, Fault.DEADLINE)
    assert exchange.duration_ms >= DEADLINE * 1000


def test_a_slow_handshake_ends_at_the_deadline_with_nothing_sent(short: Limits) -> None:
    with servers.serving(servers.drip(b"\x16\x03\x03\x40\x00", b"\x02", reads=False)) as server:
        exchange = post(server.url.replace("http:", "https:"), short)
    # The connect timeout ends at the same moment; on a busy machine it may be reported first.
    assert (exchange.sent, exchange.fault in (Fault.DEADLINE, Fault.CONNECT_TIME)) == (False, True)


def test_the_part_of_the_answer_before_an_error_is_kept(limits: Limits) -> None:
    with servers.serving(servers.answer(500, b'{"Meta"', length=50)) as server:
        exchange = post(server.url, limits)
    assert (exchange.status, exchange.body, exchange.body_cut) == (500, b'{"Meta"', False)


def test_an_answer_beyond_the_limit_is_cut_and_marked_as_cut(limits: Limits) -> None:
    with servers.serving(servers.endless) as server:
        exchange = post(server.url, limits)
    assert (len(exchange.body), exchange.body_cut) == (client.MAX_BODY, True)
    with servers.serving(servers.answer(200, b"x" * client.MAX_BODY)) as server:
        exchange = post(server.url, limits)
    assert (len(exchange.body), exchange.body_cut, exchange.fault) == (client.MAX_BODY, False, None)


def test_a_refused_connection_sent_nothing(limits: Limits) -> None:
    exchange = post(f"http://127.0.0.1:{servers.closed_port()}", limits)
    assert (exchange.sent, exchange.fault, exchange.status) == (False, Fault.REFUSED, None)


def test_connecting_to_a_full_queue_ends_at_the_connect_timeout(limits: Limits) -> None:
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        exchange = post(f"http://127.0.0.1:{listener.getsockname()[1]}", replace(limits, connect=0.2))
    assert (exchange.sent, exchange.fault) == (False, Fault.CONNECT_TIME)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Fault.NAME),
        (OSError(101, "Network is unreachable"), Fault.ROUTE),
        (UnicodeError("label empty or too long"), Fault.ADDRESS),
    ],
)
def test_an_unknown_host_name_sends_nothing(
    error: Exception, fault: Fault, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: Any, **named: Any) -> Any:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    exchange = post("https://api.example.org", limits)
    assert (exchange.sent, exchange.fault) == (False, fault)


def test_an_untrusted_certificate_sends_nothing(pem: Path) -> None:
    with servers.serving(servers.answer(200, GOOD), servers.tls(pem)) as server:
        exchange = post(server.url, Limits())
    assert (exchange.sent, exchange.fault) == (False, Fault.CERTIFICATE)
    assert "certificate" in exchange.fault_text
    assert server.requests == []


def test_a_certificate_for_another_name_sends_nothing(limits: Limits, pem: Path) -> None:
    with servers.serving(servers.answer(200, GOOD), servers.tls(pem)) as server:
        exchange = post(server.url.replace("127.0.0.1", "localhost"), limits)
    assert (exchange.sent, exchange.fault) == (False, Fault.CERTIFICATE)


def test_an_expired_certificate_sends_nothing(tmp_path: Path) -> None:
    over = servers.certificate(tmp_path, ended_hours_ago=1)
    with servers.serving(servers.answer(200, GOOD), servers.tls(over)) as server:
        exchange = post(server.url, Limits(ca_file=str(over)))
    assert (exchange.sent, exchange.fault, exchange.fault_text) == (False, Fault.CERTIFICATE, "certificate has expired")
    assert server.requests == []


def test_a_trusted_certificate_is_used(limits: Limits, pem: Path) -> None:
    with servers.serving(servers.answer(200, GOOD), servers.tls(pem)) as server:
        exchange = post(server.url, limits)
    assert (exchange.sent, exchange.fault, exchange.status) == (True, None, 200)


def test_a_server_without_tls_is_not_a_certificate_error(limits: Limits) -> None:
    with servers.serving(servers.drip(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x", reads=False)) as server:
        exchange = post(server.url.replace("http:", "https:"), limits)
    assert (exchange.sent, exchange.fault) == (False, Fault.TLS)


def test_httpcore_uses_the_expected_event_names(pem: Path, limits: Limits) -> None:
    """Another release of httpcore may use other names. Then nothing would count as sent, and nothing would time out."""
    events: list[str] = []
    sockets: list[socket.socket] = []

    def trace(event: str, info: dict[str, Any]) -> None:
        events.append(event)
        if event == "connection.connect_tcp.complete":
            sockets.append(info["return_value"].get_extra_info("socket"))

    with servers.serving(servers.answer(200, GOOD), servers.tls(pem)) as server:
        request = httpx.Request("POST", server.url, content=b"x", extensions={"trace": trace})
        context = ssl.create_default_context(cafile=limits.ca_file)
        with httpx.Client(verify=context, trust_env=False) as plain_client:
            plain_client.send(request)
    expected = [
        "connection.connect_tcp.complete",
        "connection.start_tls.started",
        "connection.start_tls.complete",
        "http11.send_request_headers.started",
        "http11.send_request_headers.complete",
    ]
    assert [event for event in events if event in expected] == expected
    assert isinstance(sockets[0], socket.socket)


def test_nothing_is_sent_after_a_deadline_that_passed_while_connecting(
    short: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup = socket.getaddrinfo

    def slow(*arguments: Any, **named: Any) -> Any:
        time.sleep(DEADLINE + 0.1)
        return lookup(*arguments, **named)

    with servers.serving(servers.answer(200, GOOD)) as server:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        exchange = post(server.url, short)
    assert (exchange.sent, exchange.fault, server.requests) == (False, Fault.DEADLINE, [])


def test_nothing_is_sent_after_the_exchange_was_cancelled(limits: Limits) -> None:
    with servers.serving(servers.answer(200, GOOD)) as server:
        redox = RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits)
        redox.abort()
        exchange = redox.post(MESSAGE, TOKEN)
    assert (exchange.sent, exchange.fault, server.requests) == (False, Fault.STOPPED, [])
    assert exchange.fault_text == "the worker was stopped before the message left"


def test_a_message_for_other_settings_is_not_sent(limits: Limits) -> None:
    with servers.serving(servers.answer(200, GOOD)) as server:
        here = replace(ENVIRONMENT, base_url=server.url)
        for other in (replace(here, routing_id=ORGANIZATION_ROUTING["production"]), replace(here, source_id="s-1")):
            exchange = RedoxClient(other, limits).post(MESSAGE, TOKEN)
            assert (exchange.sent, exchange.fault) == (False, Fault.SETTINGS)
        with_source = replace(here, source_id="7f296bb4-83fd-498d-92f3-a76960648788")
        exchange = RedoxClient(with_source, limits).post(messages.build_message(RECORD, "New", with_source), TOKEN)
    assert exchange.status == 200
    assert server.connections == 1


def test_a_message_with_a_second_destination_is_not_sent(limits: Limits) -> None:
    message = json.loads(MESSAGE)
    message["Meta"]["Destinations"].append({"ID": ORGANIZATION_ROUTING["production"]})
    with servers.serving(servers.answer(200, GOOD)) as server:
        redox = RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits)
        exchange = redox.post(json.dumps(message).encode(), TOKEN)
    assert (exchange.sent, exchange.fault, server.connections) == (False, Fault.SETTINGS, 0)


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Injected: 1", "gr\u00fc\u00df", "nul\0"])
def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(token: str, limits: Limits) -> None:
    redox = RedoxClient(replace(ENVIRONMENT, base_url=f"http://127.0.0.1:{servers.closed_port()}"), limits)
    with pytest.raises(ValueError, match="the access token is empty or has characters") as caught:
        redox.post(MESSAGE, token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.example.org",
        "http://10.0.0.1",
        "http://localhost.example.org",
        "ftp://127.0.0.1",
        "api.example.org",
        "https://",
        "https://someone:secret@api.example.org",
        "https://@api.example.org",
        "",
    ],
)
def test_only_https_and_this_machine_are_addresses(base_url: str, limits: Limits) -> None:
    with pytest.raises(ValueError, match="address"):
        RedoxClient(replace(ENVIRONMENT, base_url=base_url), limits)


@pytest.mark.parametrize(
    "base_url", ["https://api.example.org", "http://127.0.0.1:8001/", "http://[::1]:8001", "http://localhost:1"]
)
def test_the_path_is_put_after_the_address(base_url: str) -> None:
    assert client.checked_url(base_url, "/endpoint") == base_url.rstrip("/") + "/endpoint"


def test_no_log_line_holds_the_token(limits: Limits, caplog: pytest.LogCaptureFixture) -> None:
    for library in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=library)
    with servers.serving(servers.answer(401, GOOD)) as server:
        post(server.url, limits)
    assert caplog.records
    assert TOKEN not in caplog.text


def test_a_compressed_answer_is_kept_unchanged(limits: Limits) -> None:
    with servers.serving(servers.gzipped(b'{"Meta": {}}')) as server:
        exchange = post(server.url, limits)
    assert exchange.body.startswith(b"\x1f\x8b")
    assert decoded_body(exchange) == b'{"Meta": {}}'
