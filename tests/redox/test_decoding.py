"""Decompressing the body of an answer, and making its text safe to store and show."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox import client
from organizations.redox.client import Exchange, NotDecodable, decoded_body, plain_text


def kept(body: bytes, encoding: str) -> Exchange:
    return Exchange(request_sha256="", sent=True, status=200, body=body, headers={"content-encoding": encoding})


def compressed(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "gzip", gzip.compress(content)
    yield "X-GZip ", gzip.compress(content)
    yield "deflate", zlib.compress(content)
    yield "deflate", zlib.compress(content, wbits=-15)
    yield "identity", content
    yield "", content


@given(st.binary(max_size=300))
def test_a_compressed_body_is_decompressed(content: bytes) -> None:
    assert {decoded_body(kept(body, encoding)) for encoding, body in compressed(content)} == {content}


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "br", "gzip, deflate", "\u00e9"]))
def test_a_damaged_body_is_never_read_as_a_complete_one(body: bytes, encoding: str) -> None:
    try:
        assert len(decoded_body(kept(body, encoding))) <= client.MAX_BODY
    except NotDecodable:
        assert encoding


def test_a_body_that_decompresses_beyond_the_cap_or_is_cut_is_refused() -> None:
    for encoding, body in compressed(b"\0" * (client.MAX_BODY + 1)):
        if encoding not in {"", "identity"}:
            with pytest.raises(NotDecodable):
                decoded_body(kept(body, encoding))
    for encoding, body in compressed(b"0123456789" * 30):
        if encoding not in {"", "identity"}:
            with pytest.raises(NotDecodable):
                decoded_body(kept(body[:-1], encoding))


def test_bytes_after_the_compressed_body_are_not_ignored() -> None:
    for more in (gzip.compress(b"more"), b"more"):
        with pytest.raises(NotDecodable):
            decoded_body(kept(gzip.compress(b"content") + more, "gzip"))


@given(st.text())
def test_plain_text_can_be_stored_and_shown(text: str) -> None:
    cleaned = plain_text(text + "\0\u202e\ud800", 50)
    cleaned.encode()
    assert len(cleaned) <= 50
    assert not {"\0", "\u202e"} & set(cleaned)
