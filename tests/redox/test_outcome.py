"""The rules from an answer to its outcome. Successes are in test_outcome_success.py."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from organizations.redox import outcome
from organizations.redox.client import MAX_BODY, Fault, Limits
from organizations.redox.outcome import Kind, classify, hold_seconds

from . import servers
from .answers import NO_SUBSCRIPTIONS, OID, ask, failure, kept, success

# Not sent


@pytest.mark.parametrize("fault", list(Fault))
def test_an_exchange_that_was_not_sent_is_never_unknown(fault: Fault) -> None:
    exchange = replace(kept(None, fault=fault), sent=False)
    kind = Kind.NEEDS_PERSON if fault is Fault.SETTINGS else Kind.NOT_SENT
    result = classify(exchange, event="New", oid=OID)
    assert result.kind is kind
    assert bool(result.stops) == (fault in {Fault.CERTIFICATE, Fault.ADDRESS})


# Sent, and no whole answer


@pytest.mark.parametrize("fault", list(Fault))
def test_an_error_after_the_first_byte_is_unknown(fault: Fault) -> None:
    for status in (None, 200, 401, 429, 302, 403, 500):
        exchange = replace(kept(status, failure(f"{OID} already exists."), fault), fault_text="It broke.")
        result = classify(exchange, event="New", oid=OID)
        assert (result.kind, result.fault, result.detail) == (Kind.UNKNOWN, fault, "It broke."), status
        assert (result.known, result.stops) == ("", ""), status


def test_a_cut_answer_is_unknown_even_if_its_beginning_accepts() -> None:
    exchange = replace(kept(200, success()), body_cut=True)
    assert classify(exchange, event="New", oid=OID).kind is Kind.UNKNOWN


# Not executed


@pytest.mark.parametrize("body", [success(), failure(f"{OID} already exists."), b"", b"\xff", b"<html>"])
def test_a_401_with_any_body_is_about_the_connection(body: object, limits: Limits) -> None:
    result = ask(servers.answer(401, body), limits)
    assert (result.kind, result.renew_token, result.stops) == (Kind.NOT_EXECUTED, True, outcome.STOP_CREDENTIAL)
    assert result.known == ""


@pytest.mark.parametrize("status", [425, 429, 300, 399])
@pytest.mark.parametrize("body", [success(), failure(f"{OID} already exists.")])
def test_a_conclusive_status_decides_whatever_the_body_is(status: int, body: object) -> None:
    result = classify(kept(status, body), event="New", oid=OID)
    assert (result.kind, result.known) == (Kind.NOT_EXECUTED, "")


@pytest.mark.parametrize("status", [401, 429, 302])
def test_a_conclusive_status_decides_with_an_unreadable_body(status: int, limits: Limits) -> None:
    bomb = servers.gzipped(b"\0" * (MAX_BODY * 20), status)
    assert ask(bomb, limits).kind is Kind.NOT_EXECUTED


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500])
def test_a_4xx_in_an_unknown_encoding_is_unknown(status: int, limits: Limits) -> None:
    assert ask(servers.gzipped(b"\0" * (MAX_BODY * 20), status), limits).kind is Kind.UNKNOWN
    assert ask(servers.answer(status, failure("no"), Content_Encoding="br"), limits).kind is Kind.UNKNOWN


@pytest.mark.parametrize("status", [425, 429])
def test_too_many_requests_pause_the_environment(status: int, limits: Limits) -> None:
    result = ask(servers.answer(status, success(), Retry_After="17"), limits)
    assert (result.kind, result.hold_seconds, result.names_wait, result.stops) == (Kind.NOT_EXECUTED, 17.0, True, "")
    unsaid = ask(servers.answer(status), limits)
    assert (unsaid.hold_seconds, unsaid.names_wait) == (300.0, False)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_not_followed_and_stops_the_environment(status: int, limits: Limits) -> None:
    result = ask(servers.answer(status, success(), Location="https://elsewhere.example/endpoint"), limits)
    assert (result.kind, result.stops) == (Kind.NOT_EXECUTED, outcome.STOP_REDIRECT)
    if status != 304:
        assert result.detail == "elsewhere.example"
    assert classify(kept(status), event="New", oid=OID).detail == "another address"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("1", 1.0),
        ("0", 1.0),
        ("90", 90.0),
        (" 90 ", 90.0),
        ("3601", 3600.0),
        ("9" * 5000, 3600.0),
        ("-5", 300.0),
        ("1.5", 300.0),
        ("soon", 300.0),
        ("", 300.0),
        ("\u0663", 300.0),
        ("Mon, 03 May 2027 14:05:02 GMT", 100.0),
        ("Mon, 03 May 2027 14:05:02 -0000", 100.0),
        ("Mon, 03 May 2027 16:05:02 +0200", 100.0),
        ("Mon, 03 May 2027 13:00:00 GMT", 1.0),
        ("Tue, 04 May 2027 14:03:22 GMT", 3600.0),
        ("Mon, 99 May 2027 14:05:02 GMT", 300.0),
    ],
)
def test_retry_after_is_read_in_both_formats_and_limited(said: str, seconds: float) -> None:
    assert hold_seconds({"retry-after": said, "date": "Mon, 03 May 2027 14:03:22 GMT"}) == seconds


def test_a_retry_after_date_counts_from_now_if_the_answer_has_no_date() -> None:
    assert hold_seconds({"retry-after": formatdate(time.time() + 60, usegmt=True)}) == pytest.approx(60, abs=2)


@given(st.text(), st.text())
@example("0 0 0 0 0", "99999999999999999999")
def test_every_retry_after_stays_within_its_limits(said: str, date: str) -> None:
    assert 1.0 <= hold_seconds({"retry-after": said, "date": date}) <= 3600.0


# Documented texts

DOCUMENTED = [
    ("is_not_valid", f"id: {OID} is not valid."),
    ("is_not_valid", "ID:abc-123 is  not valid"),
    ("parse_failed", "Failed to parse request body as XML resource."),
    ("xml_error", "Parsing XML request error!"),
    ("xml_error", "  parsing xml\nREQUEST error ! "),
    ("duplicate_business", "Your Organization Source contains a duplicate business!"),
    ("no_subscriptions", f"{NO_SUBSCRIPTIONS}."),
    ("no_subscriptions", f"{NO_SUBSCRIPTIONS}s\nhttps://dashboard.example/#/subscriptions"),
    ("several_destinations", "Invalid synchronous destination: more than one synchronous destination was specified"),
    ("repository_required", "Repository URL and certificate are required for this request."),
]
ENVELOPES: list[Callable[[str], object]] = [
    failure,
    lambda text: failure("Something went before.", text),
    lambda text: {"Meta": {"Errors": [text]}},
    lambda text: {"errorDetail": text},
    lambda text: {"MessageID": 1, "TransmissionID": 2, "ErrorIDs": [3], "ErrorMessages": [text]},
    lambda text: text.encode(),
    success,
]


@pytest.mark.parametrize(("known", "text"), DOCUMENTED)
def test_a_documented_text_decides_in_each_body_and_with_each_status(known: str, text: str) -> None:
    stops = outcome.STOP_SUBSCRIPTION if known == "no_subscriptions" else ""
    for envelope in ENVELOPES:
        for status in (400, 403, 404, 408, 409, 422, 500, 502, 503, 504):
            result = classify(kept(status, envelope(text)), event="New", oid=OID)
            assert (result.kind, result.known, result.stops) == (Kind.REJECTED, known, stops)
            assert " ".join(text.split()).lower() in " ".join(result.detail.split()).lower()


@pytest.mark.parametrize("status", [200, 403, 500])
def test_the_known_refusals_over_a_real_connection(status: int, limits: Limits) -> None:
    exists = failure(f"{OID} already exists.")
    first = ask(servers.answer(status, exists), limits)
    assert (first.kind, first.known, first.log_id) == (Kind.NEEDS_PERSON, "already_exists", "d9f5d293")
    assert first.detail == f"{OID} already exists."
    again = ask(servers.answer(status, exists), limits, after_unknown=True)
    assert (again.kind, again.known) == (Kind.UNKNOWN, "already_exists")
    on_update = ask(servers.answer(status, exists), limits, "Update")
    assert (on_update.kind, on_update.known) == (Kind.REJECTED, "already_exists")

    absent = failure(f"id: {OID} is not valid.")
    on_update = ask(servers.answer(status, absent), limits, "Update")
    assert (on_update.kind, on_update.known, on_update.presence) == (Kind.REJECTED, "is_not_valid", outcome.ABSENT)
    on_new = ask(servers.answer(status, absent), limits)
    assert (on_new.kind, on_new.presence) == (Kind.REJECTED, "")


@pytest.mark.parametrize("text", [text for known, text in DOCUMENTED if known != "is_not_valid"])
def test_no_other_refusal_of_an_update_proves_that_the_oid_is_absent(text: str) -> None:
    result = classify(kept(403, failure(text)), event="Update", oid=OID)
    assert (result.kind, result.presence) == (Kind.REJECTED, "")


@pytest.mark.parametrize(
    "text",
    [
        f"Perhaps {OID} already exists.",
        f"{OID} already exists. Or not.",
        "Patient already exists.",
        "your id: x y is not valid.",
        "No subscriptions.",
        "Parsing XML request error! Retrying.",
        "",
    ],
)
def test_a_part_of_a_documented_text_does_not_count(text: str) -> None:
    assert classify(kept(403, failure(text)), event="New", oid=OID).known == ""
    assert classify(kept(500, failure(text)), event="New", oid=OID).kind is Kind.UNKNOWN
    assert classify(kept(200, failure(text)), event="New", oid=OID).kind is Kind.UNKNOWN


def test_an_error_beside_the_success_sentence_counts() -> None:
    both = success(Errors=failure("Parsing XML request error!")["Meta"]["Errors"])
    assert classify(kept(200, both), event="New", oid=OID).kind is Kind.REJECTED
    both = success(Errors=[{"ID": 1}])
    assert classify(kept(200, both), event="New", oid=OID).kind is Kind.UNKNOWN


# Server faults and refusals


OTHER_BODIES = [b"", b"<html><h1>502 Bad Gateway</h1></html>", failure("We do not like it."), success()]


@pytest.mark.parametrize("status", [408, 409, 500, 501, 502, 503, 504, 599])
def test_a_server_fault_without_a_documented_text_is_unknown(status: int) -> None:
    for body in OTHER_BODIES:
        result = classify(kept(status, body), event="New", oid=OID)
        assert (result.kind, result.known, result.warning) == (Kind.UNKNOWN, "", "")


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 413, 415, 422, 451, 499])
def test_any_other_4xx_is_a_rejection(status: int) -> None:
    for body in OTHER_BODIES:
        result = classify(kept(status, body), event="New", oid=OID)
        assert (result.kind, result.known, result.status) == (Kind.REJECTED, "", status)
    assert classify(kept(status, failure("We do not like it.")), event="New", oid=OID).detail == "We do not like it."


def test_an_outcome_claims_only_what_its_answer_proves() -> None:
    result = classify(kept(404, b"no"), event="New", oid=OID)
    assert {name: value for name, value in asdict(result).items() if value or value == 0} == {
        "kind": Kind.REJECTED,
        "detail": "no",
        "names_wait": False,
        "renew_token": False,
        "status": 404,
    }


def test_stored_words_do_not_change() -> None:
    kinds = ["accepted", "rejected", "not_sent", "not_executed", "unknown", "needs_person"]
    assert [kind.value for kind in Kind] == kinds
    assert [row.key for row in outcome.DOCUMENTED] == [
        "already_exists",
        "is_not_valid",
        "parse_failed",
        "xml_error",
        "duplicate_business",
        "no_subscriptions",
        "several_destinations",
        "repository_required",
    ]
    words = (outcome.OTHER_OID, outcome.OTHER_SUCCESS, outcome.ABSENT)
    assert words == ("other OID in the answer", "new success text", "absent")


@pytest.mark.parametrize("status", [None, 0, 100, 101, 199, 600, 999])
def test_any_other_status_is_unknown(status: int | None) -> None:
    assert classify(kept(status, success()), event="New", oid=OID).kind is Kind.UNKNOWN
