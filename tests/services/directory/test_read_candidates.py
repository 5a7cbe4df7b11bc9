"""What a person enters to take over: which OIDs and old messages it holds, and what is wrong with it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict
from django.test import override_settings

from organizations.models import TakeOverKind
from organizations.redox.environment import GATEWAY_OID, ROUTING_NAMES
from organizations.services.directory import read_candidates
from organizations.services.directory.read_candidates import Entered, Unread
from tests.connected import redox
from tests.factories import BASE

ONE, TWO = f"{BASE}.1", f"{BASE}.2"
DESTINATION, OTHER = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10", "0b1d6f9c-6a58-4e5b-9a0e-0d6a7b8c9d10"
SOURCE_ID = "7f296bb4-83fd-498d-92f3-a76960648788"
ROUTING_ID = "a07afe3b-d247-4415-827f-6837707e1b8b"


@pytest.fixture(autouse=True)
def connected() -> Iterator[None]:
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_SOURCE_ID=SOURCE_ID)):
        yield


def message(oid: str = ONE, **values: Any) -> str:
    """An old message for STAGING."""
    organization = {
        "Name": "By curl",
        "DestinationID": DESTINATION,
        "Active": True,
        "Identifiers": [{"ID": oid, "IDType": "OID"}],
        "PartOf": {"Identifier": {"Value": GATEWAY_OID}},
    } | values
    meta = {"DataModel": "Organization", "EventType": "New", "Destinations": [{"ID": ROUTING_ID}]}
    return json.dumps({"Meta": meta, "Directory": "Carequality", "Action": "Create", "Organizations": [organization]})


def read(oids: str = "", old_messages: str = "", *, list_source: str = "", **files: str) -> Entered:
    contents = {name: text.encode() for name, text in files.items()}
    return read_candidates.read("staging", oids, old_messages, contents, list_source=list_source)


def said(entered: Entered) -> list[tuple[str, str, str, str]]:
    """OID, source, destination ID and who said it, of each candidate."""
    return [(each.oid, each.source, each.destination_id, each.destination_source) for each in entered.candidates]


@pytest.mark.parametrize("list_source", ["dashboard", "message", "memory"])
def test_a_list_of_oids_with_destination_ids_and_where_they_come_from(list_source: str) -> None:
    entered = read(f"{ONE}\n\n{TWO}, {DESTINATION.upper()}\n{ONE}", list_source=list_source)
    assert said(entered) == [(ONE, "line 1", "", ""), (TWO, "line 3", DESTINATION, list_source)]
    assert (entered.kind, entered.errors) == (TakeOverKind.OIDS, [])
    (remark,) = entered.problems
    assert (remark.source, "line 1 too" in remark.sentence) == ("Line 4", True)


@pytest.mark.parametrize("list_source", ["", "none", "hearsay"])
def test_a_destination_id_in_a_list_without_its_source_is_an_error(list_source: str) -> None:
    assert read(f"{ONE}\n{TWO}, {DESTINATION}", list_source=list_source).errors == [
        ("list_source", "Choose where the destination IDs of the list come from.")
    ]
    assert read(f"{ONE}\n{TWO}", message(), list_source=list_source).errors == []


def test_errors_of_the_list_come_in_the_order_of_its_lines() -> None:
    entered = read(f"{ONE}, {SOURCE_ID}\nnonsense\n{TWO}, {ROUTING_ID}", list_source="memory")
    assert [(field, text[:7]) for field, text in entered.errors] == [
        ("oids", "Line 1:"),
        ("oids", "Line 2:"),
        ("oids", "Line 3:"),
    ]
    assert "source ID" in entered.errors[0][1]


def test_only_the_first_errors_of_a_field_are_named_and_the_others_counted() -> None:
    errors = read("\n".join(["nonsense"] * 30), "x").errors
    listed = [sentence for field, sentence in errors if field == "oids"]
    assert [len(listed), listed[19][:8], listed[20]] == [21, "Line 20:", "And 10 more."]
    assert [field for field, _ in errors].count("old_messages") == 1


def test_an_error_of_the_whole_list_names_no_line() -> None:
    ((field, sentence),) = read("\n".join(f"{BASE}.{number}" for number in range(1, 1002))).errors
    assert (field, sentence[:17]) == ("oids", "You entered 1,001")


def test_an_old_message_brings_its_record_and_its_destination_id() -> None:
    entered = read(old_messages=message())
    ((oid, source, *destination),) = said(entered)
    assert (oid, bool(source), destination) == (ONE, True, [DESTINATION, "message"])
    assert (entered.kind, entered.problems, entered.errors) == (TakeOverKind.MESSAGES, [], [])
    (candidate,) = entered.candidates
    assert candidate.message is not None
    assert candidate.message.name == "By curl"


def test_an_old_message_without_a_destination_id_says_nothing_of_it() -> None:
    entered = read(old_messages=message(DestinationID=""))
    assert [row[2:] for row in said(entered)] == [("", "")]
    assert not any("DestinationID is not taken over" in each.sentence for each in entered.problems)


@pytest.mark.parametrize("wrong", [*list(ROUTING_NAMES)[:1], SOURCE_ID, "my destination"])
def test_a_destination_id_that_is_none_is_named_and_the_organization_is_taken(wrong: str) -> None:
    entered = read(old_messages=message(DestinationID=wrong))
    assert [row[2:] for row in said(entered)] == [("", "")]
    (problem,) = (each for each in entered.problems if each.sentence.startswith("Its DestinationID is not taken over."))
    assert problem.source == entered.candidates[0].source
    assert entered.errors == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("", (DESTINATION, "message")), (f", {OTHER}", (OTHER, "memory"))],
    ids=["none typed", "typed"],
)
def test_an_old_message_about_a_listed_oid_adds_what_it_knows(typed: str, expected: tuple[str, str]) -> None:
    """A destination ID that the person typed counts more than that of the message."""
    entered = read(f"{ONE}{typed}\n{TWO}", message(), list_source="memory")
    assert [row[0] for row in said(entered)] == [ONE, TWO]
    assert said(entered)[0][2:] == expected
    assert [each.message is not None for each in entered.candidates] == [True, False]
    assert entered.kind == TakeOverKind.MESSAGES
    remark = "This OID is in line 1 too, with another destination ID. The one in the list is taken over."
    assert [each.sentence for each in entered.problems] == ([remark] if typed else [])


def test_what_is_odd_about_a_message_that_is_taken_is_named() -> None:
    entered = read(old_messages=message(PartOf=None))
    (candidate,) = entered.candidates
    assert entered.problems == [Unread(candidate.source, "The organization names no parent (PartOf).")]


def test_equal_remarks_on_many_messages_are_one_with_their_number() -> None:
    headers = [{"key": "Authorization", "value": "very-secret"}, {"key": "Authorization", "value": "very-secret"}]
    bodies = [message(f"{BASE}.{number}", PartOf=None, Endpoints=[{"token": "a"}]) for number in range(1, 41)]
    bodies += ['{"Meta": {"DataModel": "Organization", "EventType": "Query"}}'] * 2
    bodies += [message(TWO, Identifiers=[])] * 2
    items = [
        {
            "name": f"Send {number}",
            "request": {"header": headers if number == 5 else headers[:1], "body": {"raw": body}},
        }
        for number, body in enumerate(bodies, 1)
    ]
    collection = {"info": {}, "auth": {"type": "bearer"}, "item": items}
    entered = read(old_messages=json.dumps(collection))
    no_oid = "The organization has no OID: no identifier with the IDType OID."
    assert entered.problems == [
        Unread("Send 43", no_oid),
        Unread("Send 44", no_oid),
        Unread("Send 41; Send 42", "This is a Query, which registers nothing. It was skipped."),
        Unread("", "The value of 'token' was left out of 40 messages."),
        Unread("Send 1; Send 2; Send 3 and 37 others", "The organization names no parent (PartOf)."),
        Unread("", "The authorization of the Postman request was left out of 40 messages."),
        Unread("", "The Authorization header was left out of 40 messages."),
    ]


def test_a_message_that_cannot_be_read_beside_one_that_can_is_a_problem() -> None:
    entered = read(old_messages=f"{message()}\n{message(TWO, Identifiers=[])}")
    assert [row[0] for row in said(entered)] == [ONE]
    assert entered.errors == []
    assert [each.source != "" for each in entered.problems] == [True]


def test_old_messages_without_any_that_can_be_read_are_an_error() -> None:
    entered = read(old_messages=message(Identifiers=[]))
    ((field, sentence),) = entered.errors
    assert (field, entered.candidates, entered.problems) == ("old_messages", [], [])
    assert sentence.partition(":")[0][0].isupper()
    assert ": " in sentence


def test_an_error_without_a_place_is_its_sentence() -> None:
    assert read_candidates._with_source(Unread("", "There is nothing.")) == "There is nothing."
    assert read_candidates._with_source(Unread("message 1", "It is wrong.")) == "Message 1: It is wrong."


@pytest.mark.parametrize("name", ["ok.sh", "my OLD.sh", "message.json"])
def test_the_name_of_a_file_begins_an_error_unchanged(name: str) -> None:
    ((_, sentence),) = read(**{name: message(Identifiers=[])}).errors
    assert sentence.startswith(name)


@pytest.mark.parametrize("option", ["-u", "--user", "-U", "--proxy-user", "--oauth2-bearer", "-b", "--cookie"])
def test_the_sentence_about_a_secret_option_is_whole_and_the_secret_is_not_in_it(option: str) -> None:
    entered = read(old_messages=f"curl {option} very-secret -d '{message()}' https://example.org")
    assert [row[0] for row in said(entered)] == [ONE]
    (problem,) = entered.problems
    assert problem.sentence.endswith("left out.")
    assert "[left out]" not in problem.sentence
    assert "very-secret" not in str(entered)


def test_files_are_read_beside_what_was_pasted() -> None:
    entered = read("", message(ONE), old=message(TWO))
    assert {oid: "old" in source for oid, source, *_ in said(entered)} == {ONE: False, TWO: True}


def test_blank_old_messages_are_none() -> None:
    entered = read(ONE, " \n")
    assert (entered.kind, entered.problems, entered.errors) == (TakeOverKind.OIDS, [], [])


@pytest.mark.parametrize(("text", "stored"), [("Lakeside", "Lakeside"), ("a\ud800", "a?"), ("a\0b", "ab")])
def test_what_no_database_stores_is_not_in_a_source(text: str, stored: str) -> None:
    assert read_candidates._storable(text) == stored


def test_a_secret_is_not_in_a_source() -> None:
    assert "very-secret" not in read_candidates._storable("token=very-secret")


def test_posted_fields_are_shown_again_without_secrets() -> None:
    posted = QueryDict(mutable=True)
    posted.setlist("old_messages", ["curl -H 'Authorization: Bearer very-secret'", "x"])
    posted["oids"] = ONE
    shown = read_candidates.without_secrets(posted)
    assert (shown["oids"], shown.getlist("old_messages")[1]) == (ONE, "x")
    assert "very-secret" not in str(shown)
    assert "very-secret" in posted.getlist("old_messages")[0]
    plain = QueryDict("oids=1")
    assert read_candidates.without_secrets(plain) is plain


@pytest.mark.parametrize(
    ("typed", "base_oid", "error"),
    [
        (f" {BASE} ", BASE, ""),
        (" ", "", "Enter the OID below which"),
        ("nonsense", "", "is not an OID"),
        (GATEWAY_OID, "", "Redox's own organization"),
        (GATEWAY_OID.rpartition(".")[0], "", "Redox's own organization"),
        ("2.16.840.1.113883.3.6147.45", "2.16.840.1.113883.3.6147.45", ""),
        (f"{GATEWAY_OID}.7", f"{GATEWAY_OID}.7", ""),
    ],
)
def test_a_base_oid_is_ours_and_not_above_redoxs_own_organization(typed: str, base_oid: str, error: str) -> None:
    read_oid, sentence = read_candidates.read_base_oid("staging", typed)
    assert read_oid == base_oid
    assert error in sentence
    assert bool(sentence) == (base_oid == "")
