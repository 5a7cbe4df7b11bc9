"""New, Update and Query, and the two directories."""

from datetime import UTC, datetime
from typing import Any

import pytest
from redox.organization.queryresponse import QueryResponse

from tests.practice.helpers import OID, ROUTING_IDS, Portal, by_oid, errors, organization, query, success, write

NO_SUBSCRIPTIONS = "No subscriptions. Meta.Destinations needs to contain a destination from existing subscription."


def test_a_new_organization_is_stored_and_confirmed_with_the_documented_text(portal: Portal) -> None:
    answer = portal.post(write())
    assert success(answer) == "New organization was added successfully."
    head = answer.json()["Meta"]
    assert (head["DataModel"], head["EventType"]) == ("Organization", "New")
    assert head["Message"]["ID"] > 2**31
    assert head["Destinations"] == [{"ID": ROUTING_IDS["staging"]}]
    assert head["Source"]["ID"]
    assert portal.practice.organizations("staging") == {OID: organization()}


def test_an_update_replaces_the_whole_record(portal: Portal) -> None:
    portal.post(write())
    changed = write("Update", Active=False)
    del changed["Organizations"][0]["Aliases"]
    assert success(portal.post(changed)) == f"Organization with id:{OID} has been updated successfully."
    stored = portal.practice.organizations("staging")[OID]
    assert stored["Active"] is False
    assert "Aliases" not in stored


def test_a_known_oid_cannot_be_new_again_even_when_inactive(portal: Portal) -> None:
    portal.post(write(Active=False))
    answer = portal.post(write(Name="Another"))
    assert (answer.status_code, errors(answer)) == (403, [f"{OID} already exists."])
    assert portal.practice.organizations("staging")[OID]["Name"] == "Lakeside Clinics"


def test_an_unknown_oid_cannot_be_updated(portal: Portal) -> None:
    answer = portal.post(write("Update"))
    assert (answer.status_code, errors(answer)) == (403, [f"id: {OID} is not valid."])
    assert portal.practice.organizations("staging") == {}


def test_a_refusal_has_the_documented_envelope(portal: Portal) -> None:
    head = portal.post(write("Update")).json()["Meta"]
    assert head.keys() == {"DataModel", "EventType", "Source", "Logs", "Errors"}
    assert head["Logs"][0].keys() == {"ID", "AttemptID"}
    assert head["Errors"][0].keys() == {"ID", "Text", "Type", "Module"}


def test_staging_and_production_are_two_directories(portal: Portal) -> None:
    success(portal.post(write()))
    success(portal.post(write(environment="production", Name="In production"), "production"))
    assert portal.practice.organizations("staging")[OID]["Name"] == "Lakeside Clinics"
    assert portal.practice.organizations("production")[OID]["Name"] == "In production"


@pytest.mark.parametrize(("environment", "routing"), [("staging", "production"), ("production", "staging")])
def test_a_credential_does_not_open_the_other_environment(portal: Portal, environment: str, routing: str) -> None:
    for message in (write(environment=routing), query(environment=routing)):
        answer = portal.post(message, environment)
        assert (answer.status_code, errors(answer)) == (500, [NO_SUBSCRIPTIONS])
    assert portal.practice.effects == []


def test_the_destination_of_another_purpose_has_no_subscription(portal: Portal) -> None:
    message = write()
    message["Meta"]["Destinations"] = [{"ID": "adf917b5-1496-4241-87e2-ed20434b1fdb"}]
    assert errors(portal.post(message)) == [NO_SUBSCRIPTIONS]


def test_the_source_of_the_message_is_echoed(portal: Portal) -> None:
    message = write()
    message["Meta"]["Source"] = {"ID": "7f296bb4-83fd-498d-92f3-a76960648788"}
    assert portal.post(message).json()["Meta"]["Source"] == message["Meta"]["Source"]


def test_effects_are_logged_in_order_with_the_hash_of_the_body(portal: Portal) -> None:
    portal.post(write())
    portal.post(write("Update", Name="One"))
    portal.post(write("Update", Name="One"))
    portal.post(write())  # refused: no effect
    effects = portal.practice.effects
    assert [(effect.sequence, effect.event, effect.oid) for effect in effects] == [
        (1, "New", OID),
        (2, "Update", OID),
        (3, "Update", OID),
    ]
    assert effects[1].body_sha256 == effects[2].body_sha256 != effects[0].body_sha256


def test_a_query_shows_what_redox_shows_and_nothing_else(portal: Portal) -> None:
    portal.post(write(DestinationID="5e3dc12b-3a04-438e-880d-a690639e629e", Endpoints=[{"Name": "Main"}]))
    answer = portal.post(by_oid())
    assert answer.status_code == 200
    content = answer.json()
    QueryResponse.model_validate(content)  # the schema that Redox publishes
    assert content["Meta"]["EventType"] == "QueryResponse"
    assert content["Paging"] == {"Count": 1, "Index": 0}
    (shown,) = content["Organizations"]
    assert "DestinationID" not in shown
    assert "Endpoints" not in shown
    assert shown["ManagingOrg"] == "Redox"
    assert shown["Type"] == {"System": "http://hl7.org/fhir/organization-type", "Value": "Connection"}
    assert shown["PartOf"]["Identifier"] == {
        "Type": "HCID",
        "System": "http://www.hl7.org/oid/",
        "Value": "2.16.840.1.113883.3.6147.458.2",
    }
    for key in ("Name", "Active", "Aliases", "Identifiers", "Contacts", "Address"):
        assert shown[key] == organization()[key]


def test_a_query_for_an_unknown_oid_finds_nothing(portal: Portal) -> None:
    portal.practice.register("production", organization())
    content = portal.post(by_oid()).json()
    assert (content["Organizations"], content["Paging"]["Count"]) == ([], 0)


def test_a_query_filters_and_pages_in_the_order_of_oids(portal: Portal) -> None:
    for arc, state in ((10, "WI"), (9, "WI"), (2, "MN"), (1, "WI")):
        address = {"State": state, "City": "Madison"}
        record = organization(f"{OID}.{arc}", Name=f"Lakeside {arc}", Address=address, Active=arc != 1)
        portal.practice.register("staging", record)

    def names(**filters: Any) -> list[str]:
        return [shown["Name"] for shown in portal.post(query(**filters)).json()["Organizations"]]

    assert names() == ["Lakeside 1", "Lakeside 2", "Lakeside 9", "Lakeside 10"]
    assert names(State="WI", Active=True) == ["Lakeside 9", "Lakeside 10"]
    assert names(Active=False) == ["Lakeside 1"]
    assert names(NameSearch={"Value": "lakeside 1"}) == ["Lakeside 1", "Lakeside 10"]
    assert names(Index="1", Limit="2") == ["Lakeside 2", "Lakeside 9"]
    assert portal.post(query(Index="3", Limit="2")).json()["Paging"] == {"Count": 1, "Index": 3}


@pytest.mark.parametrize(
    ("zip_code", "radius", "expected"),
    [
        ("53704", "0", ["537"]),
        ("53799-1234", "9", ["537"]),
        ("53704", "10", ["537", "538"]),
        ("53904", "10", ["538"]),
        ("53504", "20", ["537"]),
        ("53704", "999999999", ["001", "537", "538", "999"]),
        ("00001", "10", ["001"]),
    ],
)
def test_a_query_finds_organizations_within_a_radius_by_a_made_up_distance(
    portal: Portal, zip_code: str, radius: str, expected: list[str]
) -> None:
    addresses = {
        "001": "00101",
        "537": "53703",
        "538": "53801-0001",
        "999": "99999",
        "abroad": "K1A 0B1",
        "short": "54",
        "none": "",
    }
    for arc, (name, code) in enumerate(addresses.items(), start=1):
        address = {"City": "Madison", **({"ZIP": code} if code else {})}
        portal.practice.register("staging", organization(f"{OID}.{arc}", Name=name, Address=address))
    answer = portal.post(query(RadiusSearch={"ZipCode": zip_code, "Radius": radius}))
    assert [shown["Name"] for shown in answer.json()["Organizations"]] == expected


def test_a_query_finds_what_was_changed_since_a_time(portal: Portal) -> None:
    for day in (1, 2, 3):
        at = datetime(2026, 1, day, tzinfo=UTC)
        portal.practice.register("staging", organization(f"{OID}.{day}", Name=f"January {day}"), changed_at=at)

    def names(since: str) -> list[str]:
        return [shown["Name"] for shown in portal.post(query(LastUpdated=since)).json()["Organizations"]]

    assert names("2026-01-02") == names("2026-01-02T02:00:00+02:00") == ["January 2", "January 3"]
    assert names("2026-01-03T00:00:00.001Z") == []
    before = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    success(portal.post(write(Name="New")))
    success(portal.post(write("Update", Identifiers=[{"ID": f"{OID}.2", "IDType": "OID"}], Name="Updated")))
    assert names(before) == ["New", "Updated"]


def test_a_record_that_was_registered_directly_is_found_and_is_not_an_effect(portal: Portal) -> None:
    portal.practice.register("staging", {"Name": "By hand", "Identifiers": [{"ID": OID, "IDType": "OID"}]})
    assert portal.post(by_oid()).json()["Organizations"][0]["Name"] == "By hand"
    assert portal.practice.effects == []
    success(portal.post(write("Update")))
    with pytest.raises(ValueError, match="OID"):
        portal.practice.register("staging", {"Name": "Without an OID"})
