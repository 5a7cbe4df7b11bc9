"""How strict the practice directory is about the shape of a message."""

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.practice.helpers import OID, Portal, by_oid, errors, organization, query, success, write

type Path = tuple[str | int, ...]
FIRST: Path = ("Organizations", 0)
CONTACT: Path = (*FIRST, "Contacts", 0)


def changed(message: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """The message with another value at the path."""
    result = copy.deepcopy(message)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return result


def without(message: dict[str, Any], path: Path) -> dict[str, Any]:
    result = copy.deepcopy(message)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return result


REFUSED = [
    (("Meta", "DataModel"), "PatientAdmin", "Meta.DataModel is not Organization"),
    (("Meta", "EventType"), "Delete", "Meta.EventType is not New or Update or Query"),
    (("Meta", "EventType"), ["New"], "Meta.EventType is not New or Update or Query"),
    (("Meta", "Destinations"), [], "Meta.Destinations has 0 entries instead of one"),
    (("Meta", "Destinations"), [{"ID": "a07afe3b"}], "Meta.Destinations[0].ID is not a UUID"),
    (("Meta", "Unknown"), "x", "Meta.Unknown is not known"),
    (("Meta",), "x", "Meta is not an object"),
    (("Directory",), "CommonWell", "Directory is not Carequality"),
    (("Action",), "Update", "Action is not Create"),
    (("Organizations",), [], "Organizations has 0 entries instead of one"),
    (("Organizations",), [organization(), organization(f"{OID}.1")], "Organizations has 2 entries instead of one"),
    (("Organizations",), organization(), "Organizations is not a list"),
    ((*FIRST, "Active"), "true", "Organizations[0].Active is neither true nor false"),
    ((*FIRST, "Active"), 1, "Organizations[0].Active is neither true nor false"),
    ((*FIRST, "Name"), "", "Organizations[0].Name is empty"),
    ((*FIRST, "Name"), None, "Organizations[0].Name is null"),
    ((*FIRST, "Name"), "Bell \x07", "Organizations[0].Name holds a character that XML cannot carry"),
    ((*FIRST, "Name"), "Half \ud800", "Organizations[0].Name holds a character that XML cannot carry"),
    ((*FIRST, "DestinationID"), "lakeside", "Organizations[0].DestinationID is not a UUID"),
    ((*FIRST, "Unknown"), "x", "Organizations[0].Unknown is not known"),
    ((*FIRST, "Aliases"), ["", "x"], "Organizations[0].Aliases[0] is empty"),
    ((*FIRST, "Identifiers"), [], "Organizations[0].Identifiers has 0 OIDs instead of one"),
    (
        (*FIRST, "Identifiers"),
        [{"ID": OID, "IDType": "OID"}, {"ID": f"{OID}.1", "IDType": "OID"}],
        "Organizations[0].Identifiers has 2 OIDs instead of one",
    ),
    ((*FIRST, "Identifiers", 0, "ID"), "2.016.1", "Organizations[0].Identifiers: the OID is not an OID"),
    ((*FIRST, "Identifiers", 0, "ID"), f"urn:oid:{OID}", "Organizations[0].Identifiers: the OID is not an OID"),
    ((*FIRST, "PartOf", "Identifier", "Value"), "x", "Organizations[0].PartOf.Identifier.Value is not an OID"),
    ((*FIRST, "Address", "Zip"), "53704", "Organizations[0].Address.Zip is not known"),
    ((*FIRST, "Address", "ZIP"), 53704, "Organizations[0].Address.ZIP is not a text"),
    ((*FIRST, "Address", "ZIP"), None, "Organizations[0].Address.ZIP is null"),
    ((*CONTACT, "EmailAddresses"), "it@lakeside.example", "Organizations[0].Contacts[0].EmailAddresses is not a list"),
    (
        (*CONTACT, "PhoneNumber", "Work"),
        "(608) 555-0100",
        "Organizations[0].Contacts[0].PhoneNumber.Work is not a phone number such as +16085550100",
    ),
    (
        (*CONTACT, "PhoneNumber", "Office"),
        "+16085550100",
        "Organizations[0].Contacts[0].PhoneNumber.Office is not known",
    ),
]


@pytest.mark.parametrize(("path", "value", "fault"), REFUSED)
def test_a_wrong_value_is_refused_with_its_place(portal: Portal, path: Path, value: object, fault: str) -> None:
    answer = portal.post(changed(write(), path, value))
    assert answer.status_code == 400
    assert fault in errors(answer)
    assert portal.practice.effects == []


@pytest.mark.parametrize(
    "path",
    [
        ("Meta",),
        ("Meta", "DataModel"),
        ("Meta", "EventType"),
        ("Meta", "Destinations"),
        ("Directory",),
        ("Action",),
        ("Organizations",),
        *[(*FIRST, key) for key in ("Name", "Active", "DestinationID", "Identifiers", "PartOf")],
        (*FIRST, "PartOf", "Identifier", "Value"),
    ],
)
def test_the_fields_that_the_how_to_always_sends_are_required(portal: Portal, path: Path) -> None:
    answer = portal.post(without(write(), path))
    assert answer.status_code == 400
    assert any(fault.endswith(f"{path[-1]} is missing") for fault in errors(answer))


def test_two_destinations_are_refused_with_the_documented_text(portal: Portal) -> None:
    message = write()
    message["Meta"]["Destinations"] *= 2
    answer = portal.post(message)
    assert answer.status_code == 400
    assert errors(answer) == ["Invalid synchronous destination: more than one synchronous destination was specified"]


def test_a_minimal_record_is_accepted(portal: Portal) -> None:
    message = write()
    for key in ("Aliases", "Contacts", "Address"):
        del message["Organizations"][0][key]
    success(portal.post(message))


def test_fields_that_redox_allows_beyond_the_how_to_are_accepted(portal: Portal) -> None:
    message = write(
        Type={"System": "http://hl7.org/fhir/organization-type", "Value": "Connection"},
        Endpoints=[{"Name": "Main", "Address": "https://lakeside.example/xcpd"}],
        Extensions={"anything": [1, True]},
    )
    message["Organizations"][0]["Identifiers"].append({"ID": "FAC-1", "IDType": "FACID"})
    message["Organizations"][0]["Contacts"][0]["PhoneNumber"]["Home"] = "+16085550102"
    success(portal.post(message))
    assert portal.practice.organizations("staging") == {OID: message["Organizations"][0]}


@pytest.mark.parametrize(
    "message",
    [
        query(Identifier={"ID": "x", "IDType": "OID"}),
        query(Identifier={"ID": OID, "IDType": "FACID"}),
        query(Limit=20),
        query(Limit="many"),
        query(Active="true"),
        query(State=""),
        query(RadiusSearch={"ZipCode": "53704", "Radius": 10}),
        query(RadiusSearch={"ZipCode": "53704"}),
        query(RadiusSearch={"Radius": "10"}),
        query(RadiusSearch={"ZipCode": "5370", "Radius": "10"}),
        query(RadiusSearch={"ZipCode": "53704", "Radius": "10", "Unit": "miles"}),
        query(LastUpdated="yesterday"),
        query(LastUpdated="2026-02-30"),
        query(LastUpdated="2026-01-31 10:00"),
        query(LastUpdated=1_700_000_000),
        query(PartOf={"Identifier": {"Value": OID}}),
        query(ManagingOrg="Redox"),
        {**by_oid(), "Action": "Create"},
        {**by_oid(), "Directory": "Other"},
    ],
)
def test_a_faulty_query_is_refused(portal: Portal, message: dict[str, Any]) -> None:
    assert portal.post(message).status_code == 400


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Identifier", {"ID": OID, "IDType": "OID"}),
        ("NameSearch", {"Value": "Lakeside"}),
        ("NameSearch", {"Value": "Lakeside", "SearchType": "any"}),
        ("RadiusSearch", {"ZipCode": "53704", "Radius": "10"}),
        ("RadiusSearch", {"ZipCode": "53704-1234", "Radius": "0"}),
        ("State", "WI"),
        ("Active", False),
        ("LastUpdated", "2026-01-31"),
        ("LastUpdated", "2026-01-31T10:00:00.000Z"),
        ("LastUpdated", "0001-01-01T00:00+14:00"),
        ("Index", "0"),
        ("Limit", "20"),
    ],
)
def test_each_documented_key_of_a_query_is_accepted(portal: Portal, key: str, value: Any) -> None:
    answer = portal.post(query(**{key: value}))
    assert (answer.status_code, answer.json()["Organizations"]) == (200, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"Meta": {}, "Meta": {}}',
        b'{"Meta": NaN}',
        b"[" * 100_000,
        b"[" * 100 + b"]" * 100,
        b'{"Meta": ' + b"9" * 5_000 + b"}",
        b'{"Extensions": 1e999}',
        b'{"Meta": {"EventType": "New", "Source": {"ID": 1e999}}}',
        b'{"\\ud800": 1}',
    ],
)
def test_a_hostile_body_is_a_400_in_json(portal: Portal, body: bytes) -> None:
    answer = portal.send(body)
    assert answer.status_code == 400
    assert errors(answer)


def test_a_body_with_countless_errors_gets_a_bounded_answer(portal: Portal) -> None:
    answer = portal.post([None] * 10_000)
    assert answer.status_code == 400
    assert len(errors(answer)) == 20


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of everything in a message."""
    if path:
        yield path
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*path, step))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
MUTATIONS: list[Callable[[dict[str, Any], Path, Any], dict[str, Any]]] = [
    changed,
    lambda message, path, value: without(message, path),
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    event=st.sampled_from(["New", "Update"]),
    where=st.sampled_from(sorted(places(write()), key=str)),
    mutation=st.sampled_from(MUTATIONS),
    value=ANYTHING,
)
def test_a_mutated_message_is_refused_or_stored_whole(
    portal: Portal, event: str, where: Path, mutation: Callable[..., dict[str, Any]], value: object
) -> None:
    oid = f"2.25.{uuid.uuid4().int}"
    if event == "Update":
        portal.practice.register("staging", organization(oid))
    message = mutation(write(event, Identifiers=[{"ID": oid, "IDType": "OID"}]), where, value)
    answer = portal.send(json.dumps(message).encode())
    if answer.status_code == 200:
        success(answer)
        assert message["Organizations"][0] in portal.practice.organizations("staging").values()
    else:
        assert answer.status_code in (400, 403, 500)
        assert errors(answer)
        assert answer.status_code != 500 or errors(answer)[0].startswith("No subscriptions.")
