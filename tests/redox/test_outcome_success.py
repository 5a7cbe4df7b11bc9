"""What a 2xx must contain to count as accepted, and properties that hold for every answer."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox import outcome
from organizations.redox.client import MAX_BODY, Exchange, Fault, Limits, plain_text
from organizations.redox.outcome import Kind, classify

from . import servers
from .answers import NEW_SENTENCE, NO_SUBSCRIPTIONS, OID, OTHER, UPDATE_SENTENCE, ask, found_records, kept, success

# 2xx


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_the_documented_sentence_is_accepted(status: int, limits: Limits) -> None:
    result = ask(servers.answer(status, success(Message={"ID": 4606153124})), limits)
    assert (result.kind, result.message_id, result.warning) == (Kind.ACCEPTED, "4606153124", "")
    assert result.detail == NEW_SENTENCE
    updated = success(UPDATE_SENTENCE, "Update", Message={"ID": "9" * 64}, Logs=[{"ID": "a" * 64}])
    result = ask(servers.answer(status, updated), limits, "Update")
    assert (result.kind, result.message_id, result.log_id) == (Kind.ACCEPTED, "9" * 64, "a" * 64)
    assert (result.answered_oid, result.warning) == (OID, "")


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"Errors": []},
        {"Errors": None},
        {"EventType": None},
        {"Logs": []},
        {"Extensions": {"ResponseDetail": NEW_SENTENCE}},
    ],
)
def test_an_answer_without_errors_and_event_is_accepted(meta: dict[str, Any]) -> None:
    assert classify(kept(200, success(**meta)), event="New", oid=OID).kind is Kind.ACCEPTED


def test_an_acceptance_that_names_another_oid_has_a_warning(limits: Limits) -> None:
    """The how-to's own example does that."""
    body = success(f"Organization with id:{OTHER} has been updated successfully.", "Update")
    result = ask(servers.answer(200, body), limits, "Update")
    assert (result.kind, result.warning, result.answered_oid) == (Kind.ACCEPTED, outcome.OTHER_OID, OTHER)


def test_a_compressed_acceptance_counts_and_a_bomb_is_unknown(limits: Limits) -> None:
    body = json.dumps(success()).encode()
    assert ask(servers.gzipped(body), limits).kind is Kind.ACCEPTED
    assert ask(servers.gzipped(body + b" " * (MAX_BODY * 20)), limits).kind is Kind.UNKNOWN
    damaged = servers.answer(200, gzip.compress(body)[:-5], Content_Encoding="gzip")
    assert ask(damaged, limits).kind is Kind.UNKNOWN
    assert ask(servers.answer(200, body, Content_Encoding="br"), limits).kind is Kind.UNKNOWN


NESTED = b'{"Meta": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
NOT_UNDERSTOOD = [
    b"",
    b"OK",
    b"null",
    b"[]",
    b"{}",
    b'"New organization was added successfully."',
    NEW_SENTENCE.encode(),
    b"<html>New organization was added successfully.</html>",
    json.dumps(success()).encode()[:-1],
    json.dumps(success()).encode() + b"x",
    json.dumps(success()).encode("utf-16"),
    json.dumps([success()]).encode(),
    json.dumps(success() | {"x": float("nan")}).encode(),
    json.dumps(success() | {"x": float("-inf")}).encode(),
    json.dumps(success() | {"x": "\ud800"}).encode(),
    json.dumps(success()).encode()[:-1] + b', "x": "\xff"}',
    json.dumps(success()).encode()[:-1] + b', "Meta": {}}',
    json.dumps(success()).replace('"Extensions"', '"Extensions": {}, "Extensions"').encode(),
    json.dumps(success()).replace('"EventType"', '"Message": {"ID": ' + "9" * 5000 + '}, "EventType"').encode(),
    json.dumps(success()).replace('"EventType"', '"Logs": [{"ID": "' + "a" * 65 + '"}], "EventType"').encode(),
    NESTED,
    success("Organization was added."),
    success(NEW_SENTENCE.lower()),
    success(NEW_SENTENCE + " Not."),
    success(" " + NEW_SENTENCE),
    success("Not so: " + NEW_SENTENCE),
    success(UPDATE_SENTENCE),
    success(None),
    success([NEW_SENTENCE]),
    success(event="Update"),
    success(event="QueryResponse"),
    success(EventType=["New"]),
    success(Errors={}),
    success(Errors="bad"),
    success(Errors=[{}]),
    success(Errors=0),
    success() | {"errorDetail": "no"},
    success() | {"ErrorMessages": ["no"]},
    {"Meta": {"EventType": "New"}},
    {"Meta": [success()["Meta"]]},
]


@pytest.mark.parametrize("body", NOT_UNDERSTOOD, ids=range(len(NOT_UNDERSTOOD)))
def test_any_other_2xx_is_unknown(body: object) -> None:
    assert classify(kept(200, body), event="New", oid=OID).kind is Kind.UNKNOWN


def test_an_undocumented_success_text_has_a_warning(limits: Limits) -> None:
    result = ask(servers.answer(200, success("The organization is there now.")), limits)
    assert (result.kind, result.warning) == (Kind.UNKNOWN, outcome.OTHER_SUCCESS)
    assert result.detail == "The organization is there now."
    assert ask(servers.answer(200, b""), limits).warning == ""


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        (success("It is there.", EventType=None), outcome.OTHER_SUCCESS),
        (success("Parsing XML request error!"), outcome.OTHER_SUCCESS),
        (success("It is there.", "Update"), ""),
        (success("It is there.", Errors=[{"Text": "Or not."}]), ""),
        (success("It is there.") | {"errorDetail": "no"}, ""),
    ],
)
def test_an_undocumented_success_needs_our_event_and_no_errors(body: object, warning: str) -> None:
    result = classify(kept(200, body), event="New", oid=OID)
    assert (result.kind, result.known, result.warning) == (Kind.UNKNOWN, "", warning)


def test_the_sentence_of_the_other_event_is_not_an_acceptance(limits: Limits) -> None:
    assert ask(servers.answer(200, success(NEW_SENTENCE, "Update")), limits, "Update").kind is Kind.UNKNOWN


# A Query


def test_a_query_is_answered_by_records_that_can_be_read(limits: Limits) -> None:
    assert ask(servers.answer(200, found_records()), limits, "Query").kind is Kind.ACCEPTED
    assert ask(servers.answer(200, found_records() | {"Organizations": []}), limits, "Query").kind is Kind.ACCEPTED
    assert ask(servers.gzipped(json.dumps(found_records()).encode()), limits, "Query").kind is Kind.ACCEPTED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        NESTED,
        success(),
        success(event="QueryResponse"),
        found_records(EventType="New"),
        found_records(Errors=[{"Text": "no"}]),
        found_records(Message={"ID": "9" * 65}),
        found_records() | {"Organizations": {}},
        found_records() | {"Organizations": [{}]},
        found_records() | {"Organizations": ["x"]},
    ],
    ids=range(12),
)
def test_any_other_2xx_to_a_query_is_unknown(body: object) -> None:
    result = classify(kept(200, body), event="Query", oid=OID)
    assert (result.kind, result.warning) == (Kind.UNKNOWN, "")


@pytest.mark.parametrize("depth", [10, 100, 300, 900, 3000])
def test_an_answer_of_any_depth_gets_an_outcome(depth: int) -> None:
    deep = b'{"x": [' * depth + b"1" + b"]}" * depth
    body = json.dumps(found_records()).encode().replace(b'"Active"', b'"Deep": ' + deep + b', "Active"')
    assert classify(kept(200, body), event="Query", oid=OID).kind in {Kind.ACCEPTED, Kind.UNKNOWN}


def test_a_query_fails_like_any_message(limits: Limits) -> None:
    assert ask(servers.answer(401), limits, "Query").kind is Kind.NOT_EXECUTED
    assert ask(servers.answer(503), limits, "Query").kind is Kind.UNKNOWN
    assert ask(servers.answer(400), limits, "Query").kind is Kind.REJECTED
    assert ask(servers.close_after_reading, limits, "Query").kind is Kind.UNKNOWN


# Properties of every answer

SENTENCES = (NEW_SENTENCE, UPDATE_SENTENCE, f"{OID} already exists.", f"id: {OID} is not valid.", NO_SUBSCRIPTIONS)
KEYS = ("Meta", "EventType", "Errors", "Text", "Extensions", "ResponseDetail", "string", "Message", "Logs", "ID")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(SENTENCES)
JSON = st.recursive(
    SCALARS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), parts, max_size=4),
    max_leaves=12,
)
BODIES = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
STATUSES = st.none() | st.integers(0, 999) | st.sampled_from([200, 201, 401, 403, 429, 500])
ENCODINGS = st.sampled_from(["", "identity", "gzip", "deflate", "br"])
EXCHANGES = st.builds(
    Exchange,
    request_sha256=st.just(""),
    sent=st.booleans(),
    fault=st.none() | st.sampled_from(Fault),
    fault_text=st.text(max_size=10).map(plain_text),
    status=STATUSES,
    headers=st.builds(lambda encoding, said: {"content-encoding": encoding, "retry-after": said}, ENCODINGS, st.text()),
    body=BODIES,
    body_cut=st.booleans(),
)
EVENTS = st.sampled_from(["New", "Update", "Query"])


def is_yes(exchange: Exchange, event: str) -> bool:
    """Whether the documented sentence is in its documented place. This reader shares no code with the portal."""
    try:
        said = json.loads(exchange.body)["Meta"]["Extensions"]["ResponseDetail"]
    except (ValueError, LookupError, TypeError):
        return False
    sentence = said.get("string") if isinstance(said, dict) else said
    return sentence == {"New": NEW_SENTENCE, "Update": UPDATE_SENTENCE}[event]


@given(EXCHANGES, EVENTS, st.booleans())
def test_every_exchange_has_an_outcome_and_is_accepted_only_with_the_documented_sentence(
    exchange: Exchange, event: str, after_unknown: bool
) -> None:
    result = classify(exchange, event=event, oid=OID, after_unknown=after_unknown)
    assert not exchange.sent or result.kind is not Kind.NOT_SENT
    if result.kind is Kind.ACCEPTED and event != "Query":
        assert exchange.status in range(200, 300)
        assert is_yes(exchange, event)
    if result.kind is Kind.REJECTED and not result.known:
        assert exchange.status in range(400, 500)
    for text in (result.detail, result.message_id, result.log_id):
        text.encode()
        assert "\0" not in text
        assert len(text) <= 2000


@given(st.binary(max_size=300), ENCODINGS, EVENTS)
def test_a_2xx_of_any_bytes_is_unknown(body: bytes, encoding: str, event: str) -> None:
    exchange = kept(200, body, None, **{"content-encoding": encoding})
    assert classify(exchange, event=event, oid=OID).kind is Kind.UNKNOWN


@given(st.data())
def test_a_mutated_acceptance_counts_only_with_the_documented_text(data: st.DataObject) -> None:
    body = json.dumps(success()).encode()
    place = data.draw(st.integers(0, len(body) - 1))
    piece = data.draw(st.binary(max_size=3))
    changed = body[:place] + piece + body[place + data.draw(st.integers(0, 3)) :]
    result = classify(kept(200, changed), event="New", oid=OID)
    assert result.kind in {Kind.ACCEPTED, Kind.UNKNOWN}
    assert (result.kind is Kind.ACCEPTED) <= is_yes(kept(200, changed), "New")
