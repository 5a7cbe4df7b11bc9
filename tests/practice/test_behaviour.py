"""Each behaviour of Redox that the practice directory imitates, as a client sees it."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from organizations.practice import BEHAVIOURS, Behaviour, Credential, PracticeDirectory
from organizations.services import demonstration
from tests.practice.helpers import OID, Portal, by_oid, errors, organization, success, write


def test_each_behaviour_has_its_own_key_and_label() -> None:
    assert [word for word, _ in BEHAVIOURS] == [behaviour.value for behaviour in Behaviour]
    assert len({label for _, label in BEHAVIOURS}) == len(BEHAVIOURS) == 31
    assert all(label for _, label in BEHAVIOURS)


def test_behaviours_about_queries_come_last_and_their_labels_say_so() -> None:
    showing = [behaviour.value.startswith("shows-") or behaviour == "spells-differently" for behaviour in Behaviour]
    assert showing == sorted(showing)
    assert showing == [label.startswith("Shows ") for _, label in BEHAVIOURS]


def test_the_demonstration_offers_exactly_these_behaviours() -> None:
    assert demonstration.BEHAVIOURS == BEHAVIOURS


def test_it_answers_by_default_and_with_an_unknown_behaviour(portal: Portal) -> None:
    assert portal.practice.behaviour is Behaviour.ANSWERS
    file = portal.practice.folder / "behaviour"
    file.write_text("too-many\n", encoding="utf-8")
    assert portal.post(by_oid()).status_code == 429
    file.write_text("no such word", encoding="utf-8")
    assert portal.post(by_oid()).status_code == 200
    file.write_bytes(b"\xff")
    assert portal.post(by_oid()).status_code == 200
    with pytest.raises(ValueError, match="no such word"):
        portal.practice.behaviour = "no such word"


@pytest.mark.parametrize(
    ("behaviour", "status", "text"),
    [
        ("says-no-exists", 403, f"{OID} already exists."),
        ("says-no-not-valid", 403, f"id: {OID} is not valid."),
        ("says-no-parse", 403, "Failed to parse request body as XML resource."),
        ("says-no-xml", 500, "Parsing XML request error!"),
        ("says-no-duplicate", 500, "Your Organization Source contains a duplicate business!"),
        (
            "says-no-subscriptions",
            500,
            "No subscriptions. Meta.Destinations needs to contain a destination from existing subscription.",
        ),
        (
            "says-no-destinations",
            400,
            "Invalid synchronous destination: more than one synchronous destination was specified",
        ),
    ],
)
def test_a_rejection_has_the_documented_text_and_changes_nothing(
    portal: Portal, behaviour: str, status: int, text: str
) -> None:
    portal.practice.behaviour = behaviour
    for event in ("New", "Update"):
        answer = portal.post(write(event))
        assert (answer.status_code, errors(answer)) == (status, [text])
    assert portal.practice.effects == []
    assert portal.post(by_oid()).json()["Organizations"] == []


def test_a_malformed_message_is_refused_in_every_behaviour(portal: Portal) -> None:
    portal.practice.behaviour = "says-no-exists"
    assert portal.post({**write(), "Unknown": 1}).status_code == 400


def test_slow_waits_before_it_applies_a_message(portal: Portal) -> None:
    portal.practice.behaviour = "slow"
    started = time.monotonic()
    success(portal.post(write()))
    assert time.monotonic() - started >= 0.3


def test_slow_ends_when_another_behaviour_is_set(
    tmp_path: Path, credentials: list[Credential], http: httpx.Client
) -> None:
    with PracticeDirectory(tmp_path, credentials, slow_seconds=600) as practice, ThreadPoolExecutor(1) as thread:
        practice.behaviour = "slow"
        waiting = thread.submit(Portal(practice, http).post, write())
        while not practice.requests:
            time.sleep(0.01)
        assert practice.effects == []
        practice.behaviour = "answers"
        success(waiting.result())
        assert [effect.oid for effect in practice.effects] == [OID]


def test_slow_waits_before_it_answers_a_query(portal: Portal) -> None:
    portal.practice.behaviour = "slow"
    started = time.monotonic()
    assert portal.post(by_oid()).json()["Organizations"] == []
    assert time.monotonic() - started >= 0.3


def test_a_slow_message_is_applied_although_its_sender_left(portal: Portal) -> None:
    portal.practice.behaviour = "slow"
    portal.http.timeout = httpx.Timeout(0.1)
    try:
        with pytest.raises(httpx.ReadTimeout):
            portal.post(write())
    finally:
        portal.http.timeout = httpx.Timeout(30)
    assert portal.practice.effects == []
    ended = time.monotonic() + 60
    while not portal.practice.effects and time.monotonic() < ended:
        time.sleep(0.02)
    assert [effect.oid for effect in portal.practice.effects] == [OID]


@pytest.mark.parametrize("message", [write(), by_oid()])
def test_too_many_requests_is_a_429_with_the_quota_for_every_request(portal: Portal, message: object) -> None:
    portal.practice.behaviour = "too-many"
    answer = portal.post(message)
    assert (answer.status_code, answer.headers["X-RateLimit-Limit"]) == (429, "10000")
    assert answer.headers["Retry-After"] == "10"
    assert portal.practice.effects == []


@pytest.mark.parametrize("message", [write(), by_oid()])
def test_a_gateway_error_is_a_page_and_applies_nothing(portal: Portal, message: object) -> None:
    portal.practice.behaviour = "gateway-error"
    answer = portal.post(message)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert "<html>" in answer.text
    assert portal.practice.effects == []


@pytest.mark.parametrize("message", [write(), by_oid()])
def test_never_answers_reads_the_message_and_holds_the_connection(portal: Portal, message: object) -> None:
    portal.practice.behaviour = "never-answers"
    portal.http.timeout = httpx.Timeout(0.2)
    try:
        with pytest.raises(httpx.ReadTimeout):
            portal.post(message)
    finally:
        portal.http.timeout = httpx.Timeout(30)
    assert [request.path for request in portal.practice.requests] == ["/endpoint"]
    assert portal.practice.effects == []
    portal.practice.behaviour = "answers"
    success(portal.post(write()))


def test_applies_then_breaks_stores_the_record_and_sends_no_answer(portal: Portal) -> None:
    portal.practice.behaviour = "applies-then-breaks"
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        portal.post(write())
    assert portal.practice.organizations("staging") == {OID: organization()}
    assert portal.post(by_oid()).json()["Paging"]["Count"] == 1


def test_applies_then_504_stores_the_record_and_sends_a_page(portal: Portal) -> None:
    portal.practice.behaviour = "applies-then-504"
    answer = portal.post(write())
    assert (answer.status_code, answer.headers["Content-Type"]) == (504, "text/html; charset=utf-8")
    assert portal.practice.organizations("staging") == {OID: organization()}


def test_an_undocumented_success_applies_the_message(portal: Portal) -> None:
    portal.practice.behaviour = "strange-yes"
    assert success(portal.post(write())) == "Accepted for processing."
    assert portal.practice.organizations("staging") == {OID: organization()}
    assert errors(portal.post(write())) == [f"{OID} already exists."]


@pytest.mark.parametrize("behaviour", [word for word, _ in BEHAVIOURS if word != "refuses-sign-in"])
def test_sign_in_works_in_every_other_behaviour(portal: Portal, behaviour: str) -> None:
    portal.practice.behaviour = behaviour
    answer = portal.http.post(
        f"{portal.practice.url}/auth/authenticate", json={"apiKey": "legacy-key", "secret": "legacy-secret"}
    )
    assert answer.status_code == 200
