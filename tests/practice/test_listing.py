"""Each behaviour in which a Query gets an answer that Redox does not document, as a client sees it."""

from typing import Any

import pytest

from organizations.practice import BEHAVIOURS
from organizations.practice.listing import ANOTHER_OID
from organizations.practice.spelling import spelled_differently
from tests.practice.helpers import OID, ORGANIZATION, Portal, by_oid, organization, query, success, write

SHOWING = [word for word, label in BEHAVIOURS if label.startswith("Shows ")]


def shown(portal: Portal, message: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    organizations: list[dict[str, Any]] = portal.post(message or by_oid()).json()["Organizations"]
    return organizations


def oids(record: dict[str, Any]) -> list[str]:
    return [identifier["ID"] for identifier in record["Identifiers"] if identifier["IDType"] == "OID"]


@pytest.mark.parametrize("behaviour", SHOWING)
def test_messages_are_applied_and_answered_as_usual_in_each_way_of_listing(portal: Portal, behaviour: str) -> None:
    portal.practice.behaviour = behaviour
    success(portal.post(write()))
    success(portal.post(write("Update", Active=False)))
    assert portal.practice.organizations("staging") == {OID: organization(Active=False)}


def test_deactivated_records_are_shown_only_to_a_query_that_asks_for_them(portal: Portal) -> None:
    portal.practice.behaviour = "shows-active-only"
    portal.practice.register("staging", organization(Active=False))
    message = by_oid()
    assert shown(portal) == shown(portal, message | {"Active": True}) == []
    assert [oids(record) for record in shown(portal, message | {"Active": False})] == [[OID]]
    portal.practice.register("staging", organization(Active=True))
    assert len(shown(portal)) == 1


def test_another_organization_is_listed_whether_or_not_the_oid_is_known(portal: Portal) -> None:
    portal.practice.behaviour = "shows-another"
    assert [oids(record) for record in shown(portal)] == [[ANOTHER_OID]]
    success(portal.post(write()))
    assert [oids(record) for record in shown(portal)] == [[ANOTHER_OID]]


@pytest.mark.parametrize("behaviour", ["shows-two-oids", "shows-twice", "shows-no-name"])
def test_an_absent_record_is_not_listed(portal: Portal, behaviour: str) -> None:
    portal.practice.behaviour = behaviour
    assert shown(portal) == []


def test_another_oid_is_listed_before_its_own(portal: Portal) -> None:
    success(portal.post(write()))
    portal.practice.behaviour = "shows-two-oids"
    assert [oids(record) for record in shown(portal)] == [[ANOTHER_OID, OID]]


def test_a_record_is_listed_twice(portal: Portal) -> None:
    success(portal.post(write()))
    portal.practice.behaviour = "shows-twice"
    first, second = shown(portal)
    assert first == second
    assert portal.post(by_oid()).json()["Paging"]["Count"] == 2


def test_a_record_is_listed_without_its_name(portal: Portal) -> None:
    success(portal.post(write()))
    portal.practice.behaviour = "shows-no-name"
    (record,) = shown(portal)
    assert (oids(record), "Name" in record) == ([OID], False)


def test_the_list_is_in_another_place(portal: Portal) -> None:
    success(portal.post(write()))
    portal.practice.behaviour = "shows-another-shape"
    answer = portal.post(query()).json()
    assert "Organizations" not in answer
    assert [oids(record) for record in answer["Results"]["Organizations"]] == [[OID]]


def test_a_query_shows_the_other_spelling_and_the_directory_keeps_what_was_sent(portal: Portal) -> None:
    success(portal.post(write()))
    usual = shown(portal)[0]
    portal.practice.behaviour = "spells-differently"
    (record,) = shown(portal)
    assert record == spelled_differently(usual) != usual
    assert portal.practice.organizations("staging") == {OID: ORGANIZATION}


@pytest.mark.parametrize(
    ("address", "spelled"),
    [
        ({"Country": "USA", "State": "WI", "ZIP": "53704"}, {"Country": "US", "State": "wi", "ZIP": "53704-0001"}),
        ({"Country": "US", "ZIP": "53704-1234"}, {"Country": "USA", "ZIP": "53704"}),
        ({"ZIP": "53704"}, {"ZIP": "53704-0001"}),
        ({"City": "Madison"}, {"City": "Madison"}),
        ({"Country": "Germany", "State": "BY", "ZIP": "80331"}, {"Country": "Germany", "State": "BY", "ZIP": "80331"}),
    ],
    ids=["American", "the other way round", "without a country", "without what is spelled", "elsewhere"],
)
def test_an_address_is_spelled_differently(address: dict[str, str], spelled: dict[str, str]) -> None:
    assert spelled_differently({"Address": address}) == {"Address": spelled}


@pytest.mark.parametrize(
    ("number", "spelled"), [("+16085550100", "+1 (608) 555-0100"), ("+442079460018", "+442079460018")]
)
def test_a_phone_number_gets_punctuation(number: str, spelled: str) -> None:
    contact = {"Name": "Desk", "PhoneNumber": {"Work": number}}
    assert spelled_differently({"Contacts": [contact]}) == {
        "Contacts": [{"Name": "Desk", "PhoneNumber": {"Work": spelled}}]
    }


def test_lists_are_reversed() -> None:
    identifiers = [{"ID": OID, "IDType": "OID"}, {"ID": "17", "IDType": "FACID"}]
    record: dict[str, Any] = {
        "Aliases": ["A", "B"],
        "Contacts": [{"Name": "A"}, {"Name": "B"}],
        "Identifiers": identifiers,
    }
    assert spelled_differently(record) == {key: values[::-1] for key, values in record.items()}
