"""An access token in an answer is neither stored nor shown, whatever its form is."""

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox import messages, redaction
from organizations.redox.client import MAX_BODY, Exchange, Fault, Limits, RedoxClient, decoded_body
from organizations.redox.outcome import classify

from . import servers
from .answers import ENVIRONMENT, OID, RECORD, failure

TOKEN = "made-up/token+7f3a=="
BARE = TOKEN.encode()
MESSAGE = messages.build_message(RECORD, "New", ENVIRONMENT)


def answered(content: bytes, limits: Limits) -> Exchange:
    with servers.serving(servers.raw(content)) as server:
        return RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits).post(MESSAGE, TOKEN)


@pytest.mark.parametrize(
    "written",
    [TOKEN, json.dumps(TOKEN)[1:-1], TOKEN.replace("/", "\\/"), TOKEN.replace("+", "\\u002B").replace("=", "\\u003d")],
)
def test_a_token_in_the_body_is_redacted_before_anything_is_kept(written: str, limits: Limits) -> None:
    body = f'{{"Meta": {{"Errors": [{{"Text": "Bearer {written} was refused"}}]}}}}'.encode()
    exchange = answered(servers.response(403, body), limits)
    assert exchange.body == body.replace(written.encode(), b"[secret]")
    assert exchange.redacted
    assert classify(exchange, event="New", oid=OID).detail == "Bearer [secret] was refused"


def test_a_token_in_the_headers_is_redacted(limits: Limits) -> None:
    headers: dict[str, Any] = {
        "X_Request_Id": f"for {TOKEN}",
        "Location": f"https://{TOKEN.replace('/', '.')}/",
        "Date": "today",
    }
    exchange = answered(servers.response(403, b"no", **headers), limits)
    assert (exchange.headers["x-request-id"], exchange.redacted) == ("for [secret]", True)
    token = "MadeUpToken"
    with servers.serving(servers.answer(302, b"", Location=f"https://{token}.example/")) as server:
        exchange = RedoxClient(replace(ENVIRONMENT, base_url=server.url), limits).post(MESSAGE, token)
    assert exchange.headers["location"] == "[secret].example"


def test_a_token_in_a_line_that_is_not_http_is_redacted(limits: Limits) -> None:
    exchange = answered(f"HTTP/9.9 {TOKEN}\r\n\r\n".encode(), limits)
    assert exchange.fault is Fault.PROTOCOL
    assert "[secret]" in exchange.fault_text
    assert TOKEN not in exchange.fault_text


def test_a_compressed_answer_with_the_token_is_kept_decompressed(limits: Limits) -> None:
    content = json.dumps(failure(f"no {TOKEN}")).encode()
    exchange = answered(servers.response(403, gzip.compress(content), Content_Encoding="gzip"), limits)
    assert decoded_body(exchange) == exchange.body == content.replace(BARE, b"[secret]")
    assert exchange.redacted


def test_the_beginning_of_a_token_at_a_cut_end_is_redacted(limits: Limits) -> None:
    cut = servers.response(200, b"not allowed: " + BARE[:12], length=100)
    assert answered(cut, limits).body == b"not allowed: [secret]"
    start = b"x" * (MAX_BODY - 10)
    exchange = answered(servers.response(200, start + BARE + b"x" * 100), limits)
    assert (exchange.body[-10:], exchange.body_cut) == (b"xx[secret]", True)


def test_content_without_the_token_is_kept_byte_for_byte(limits: Limits) -> None:
    exchange = answered(servers.response(200, b'{"a": "made-up/"}\xff'), limits)
    assert (exchange.body, exchange.redacted) == (b'{"a": "made-up/"}\xff', False)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40), st.binary())
def test_no_token_is_left_in_any_content(token: str, around: bytes) -> None:
    for written in (token, json.dumps(token)[1:-1]):
        found = redaction.redact(token, around + b" " + written.encode() + b" " + around)
        assert found == around + b" [secret] " + around or token.encode() in around
