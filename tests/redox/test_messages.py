"""Messages: they equal the how-to's requests byte for byte and lose no value. Answers are read strictly."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redox.organization.new import New
from redox.organization.query import Query
from redox.organization.queryresponse import QueryResponse
from redox.organization.update import Update

from organizations.records import (
    AddressRecord,
    ContactRecord,
    IdentifierRecord,
    OrganizationRecord,
    fields_as_text,
    readable,
)
from organizations.redox.environment import ORGANIZATION_ROUTING, RedoxEnvironment
from organizations.redox.messages import (
    MessageLine,
    annotated_lines,
    build_message,
    build_query,
    read_query_answer,
    record_from_message,
    sha256,
)
from organizations.redox.strict_json import MOST_LEVELS, MOST_PARTS, AnswerNotUnderstood, read_json
from tests.strategies import records

GOLDEN = Path(__file__).parent / "golden"
STAGING = RedoxEnvironment(name="staging", routing_id=ORGANIZATION_ROUTING["staging"])
SEVERAL_SOURCES = replace(STAGING, source_id="7f296bb4-83fd-498d-92f3-a76960648788")
OID = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"

MY_COMPANY = OrganizationRecord(
    oid=OID,
    name="My Company",
    destination_id="5e3dc12b-3a04-438e-880d-a690639e629e",
    part_of_oid="2.16.840.1.113883.3.6147.458.2",
    aliases=("My Company, LLC", "MY"),
    contacts=(
        ContactRecord(
            purpose="Technical",
            name="Redox Carequality Support - Test",
            email_addresses=("support@redoxengine.com",),
            work_phone="+16085359501",
            mobile_phone="+16085359501",
        ),
    ),
    address=AddressRecord(
        street="2020 Eastwood Dr", city="Madison", state="WI", zip_code="53704", county="Dane", country="USA"
    ),
)
FACILITY = replace(MY_COMPANY, oid=f"{OID}.1", name="My Company Facility 1 Update", active=False, aliases=())


def query_response(*organizations, **changes):
    meta = {"DataModel": "Organization", "EventType": "QueryResponse"} | changes.pop("Meta", {})
    body = {"Meta": meta, "Directory": "Carequality", "Organizations": list(organizations)} | changes
    return json.dumps(body).encode()


def nested(levels):
    value: object = "1"
    for _ in range(levels):
        value = {"a": value}
    return value


def organization(**changes):
    return {"Active": True, "Name": "Lakeside Clinics", "Identifiers": [{"ID": OID, "IDType": "OID"}]} | changes


def record_in(body: bytes, oid: str = OID) -> OrganizationRecord:
    """The organization that an answer shows."""
    record = read_query_answer(body, oid)
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("golden", "record", "event"), [("create.json", MY_COMPANY, "New"), ("update.json", FACILITY, "Update")]
)
def test_the_requests_of_the_how_to_are_built_byte_for_byte(golden, record, event):
    """The golden files are the how-to's examples, with OIDs for the placeholders and without the comments."""
    content = (GOLDEN / golden).read_bytes()
    assert build_message(record, event, STAGING) == content
    assert record_from_message(content) == record


def test_the_source_is_sent_if_it_is_set():
    assert b"Source" not in build_message(MY_COMPANY, "New", STAGING)
    meta = json.loads(build_message(MY_COMPANY, "New", SEVERAL_SOURCES))["Meta"]
    assert list(meta) == ["DataModel", "EventType", "Source", "Destinations"]
    assert meta["Source"] == {"ID": "7f296bb4-83fd-498d-92f3-a76960648788"}


def test_only_filled_fields_are_sent():
    content = build_message(OrganizationRecord(oid=OID, name="Lakeside", part_of_oid="1.2"), "Update", STAGING)
    assert json.loads(content)["Organizations"] == [
        {
            "Name": "Lakeside",
            "DestinationID": None,
            "Active": True,
            "Identifiers": [{"ID": OID, "IDType": "OID"}],
            "PartOf": {"Identifier": {"Value": "1.2"}},
        }
    ]


def test_own_identifiers_follow_the_oid_and_carried_keys_come_last():
    record = replace(
        FACILITY,
        contacts=(),
        identifiers=(IdentifierRecord(kind="FACID", value="LSC-014"), IdentifierRecord(value="17")),
        carried=(("Endpoints", '[{"Name":"Search"}]'), ("ManagingOrg", '"Redox"'), ("Type", '{"Value":"Connection"}')),
    )
    (found,) = json.loads(build_message(record, "Update", STAGING))["Organizations"]
    assert found["Identifiers"][1:] == [{"ID": "LSC-014", "IDType": "FACID"}, {"ID": "17"}]
    assert list(found)[-3:] == ["Address", "Type", "Endpoints"]
    assert (found["Type"], found["Endpoints"]) == ({"Value": "Connection"}, [{"Name": "Search"}])


def test_a_record_with_an_unknown_destination_id_is_never_sent():
    with pytest.raises(ValueError, match="destination ID is not known"):
        build_message(replace(MY_COMPANY, destination_id="", destination_known=False), "Update", STAGING)


def test_only_new_and_update_hold_a_record():
    with pytest.raises(KeyError):
        build_message(MY_COMPANY, "Query", STAGING)


@given(records, st.sampled_from(["New", "Update"]), st.sampled_from([STAGING, SEVERAL_SOURCES]))
def test_a_record_is_read_back_from_its_message_without_loss(record, event, environment):
    assert record_from_message(build_message(record, event, environment)) == record


def _empty_parts(value, path=""):
    if value in ("", [], {}, None):
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from _empty_parts(part, f"{path}.{key}")


@given(records.filter(lambda record: record.name), st.sampled_from(["New", "Update"]))
def test_only_an_empty_destination_id_is_sent_and_as_null(record, event):
    content = build_message(record, event, STAGING)
    expected = [] if record.destination_id else [".Organizations.0.DestinationID"]
    assert list(_empty_parts(json.loads(content))) == expected
    assert not content.endswith(b"\n")
    assert record.name in json.loads(content.decode())["Organizations"][0].values()


def test_non_ascii_letters_are_sent_unescaped():
    assert "Klinik Überlingen 🏥".encode() in build_message(
        replace(MY_COMPANY, name="Klinik Überlingen 🏥"), "New", STAGING
    )


@given(records, st.sampled_from(["New", "Update"]), st.sampled_from([STAGING, SEVERAL_SOURCES]))
def test_messages_match_the_public_models_of_redox_schemas(record, event, environment):
    """The public models have no Action in a New, but the how-to sends it."""
    content = json.loads(build_message(record, event, environment))
    if event == "New":
        del content["Action"]
    model = {"New": New, "Update": Update}[event](**content)
    dumped = model.model_dump(exclude_none=False)
    assert dumped == content


def test_a_query_asks_for_one_oid():
    content = build_query(OID, SEVERAL_SOURCES)
    assert json.loads(content) == {
        "Meta": {
            "DataModel": "Organization",
            "EventType": "Query",
            "Source": {"ID": "7f296bb4-83fd-498d-92f3-a76960648788"},
            "Destinations": [{"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"}],
        },
        "Directory": "Carequality",
        "Identifier": {"ID": OID, "IDType": "OID"},
    }
    assert Query(**json.loads(content)).model_dump() == json.loads(content)


@pytest.mark.parametrize("active", [True, False])
def test_a_query_asks_only_for_active_or_only_for_deactivated_ones(active):
    content = json.loads(build_query(OID, STAGING, active=active))
    assert list(content)[-2:] == ["Identifier", "Active"]
    assert content == json.loads(build_query(OID, STAGING)) | {"Active": active}
    assert Query(**content).model_dump() == content


def test_an_answer_gives_the_record_without_fields_that_a_query_cannot_show():
    body = query_response(
        organization(
            Aliases=[],
            Type={"System": "http://hl7.org/fhir/organization-type", "Value": "Connection"},
            PartOf={"Identifier": {"Type": "HCID", "System": "http://www.hl7.org/oid/", "Value": "urn:oid:2.16.840.1"}},
            Contacts=[{"Purpose": None, "Name": "Desk", "PhoneNumber": {"Work": "+16085550100", "Office": "12"}}],
            Address={"StreetAddress": "1 Shore Rd", "City": "Madison", "State": "WI", "ZIP": "53704", "Country": "USA"},
            ManagingOrg="Redox",
        ),
        Paging={"Count": 1, "Index": 0},
    )
    QueryResponse.model_validate(json.loads(body.replace(b', "Office": "12"', b"")))
    record = record_in(body)
    assert record == OrganizationRecord(
        oid=OID,
        name="Lakeside Clinics",
        destination_known=False,
        part_of_oid="2.16.840.1",
        contacts=(ContactRecord(name="Desk", work_phone="+16085550100"),),
        address=AddressRecord(street="1 Shore Rd", city="Madison", state="WI", zip_code="53704", country="USA"),
        carried=(
            ("Contacts.0.PhoneNumber.Office", '"12"'),
            ("ManagingOrg", '"Redox"'),
            ("PartOf.Identifier.System", '"http://www.hl7.org/oid/"'),
            ("PartOf.Identifier.Type", '"HCID"'),
            ("Type", '{"System":"http://hl7.org/fhir/organization-type","Value":"Connection"}'),
        ),
    )


@given(records.filter(lambda record: record.name.strip()))
def test_a_sent_record_equals_the_record_that_the_directory_shows(record):
    """A directory shows what was sent, but neither destination ID nor endpoints."""
    (sent,) = json.loads(build_message(record, "New", STAGING))["Organizations"]
    visible = {key: value for key, value in sent.items() if key not in ("DestinationID", "Endpoints")}
    seen = record_in(query_response(visible | {"ManagingOrg": "Redox"}), record.oid)
    assert readable(seen) == readable(record)


def test_an_empty_list_means_that_the_directory_has_none():
    assert read_query_answer(query_response(), OID) is None


def test_numbers_are_read_as_text_however_long():
    long_number = b'{"ID": ' + b"9" * 5_000 + b', "Fraction": 1.0e5}'
    assert read_json(long_number) == {"ID": "9" * 5_000, "Fraction": "1.0e5"}
    assert record_in(query_response(organization(Name=17))).name == "17"


NOT_UNDERSTOOD = {
    "nothing": b"",
    "HTML": b"<html>Bad gateway</html>",
    "cut short": query_response(organization())[:-1],
    "UTF-16": query_response().decode().encode("utf-16"),
    "no UTF-8": b'{"Meta": "\xff"}',
    "null": b"null",
    "a list": b"[]",
    "a text": b'"Organizations"',
    "no Meta": b'{"Directory": "Carequality", "Organizations": []}',
    "Meta is a list": b'{"Meta": [], "Organizations": []}',
    "another event": query_response(Meta={"EventType": "New"}),
    "another data model": query_response(Meta={"DataModel": "Patient"}),
    "event is no text": query_response(Meta={"EventType": ["QueryResponse"]}),
    "errors": query_response(Meta={"Errors": [{"ID": 1, "Text": "No subscriptions."}]}),
    "no Organizations": b'{"Meta": {"DataModel": "Organization", "EventType": "QueryResponse"}}',
    "Organizations is null": query_response(Organizations=None),
    "Organizations is one": query_response(Organizations=organization()),
    "an organization is null": query_response(None),
    "no OID": query_response(organization(Identifiers=[{"ID": "LSC-014", "IDType": "FACID"}])),
    "our OID as another kind of identifier": query_response(organization(Identifiers=[{"ID": OID, "IDType": "FACID"}])),
    "our OID with a dot": query_response(organization(Identifiers=[{"ID": f"{OID}.", "IDType": "OID"}])),
    "no name": query_response(organization(Name="")),
    "a name of blanks": query_response(organization(Name="  ")),
    "a list in another place": query_response(Organizations=None, Data={"Organizations": [organization()]}),
    "an empty list and one in another place": query_response(Data={"Organizations": [organization()]}),
    "an empty list that counts one": query_response(Paging={"Count": 1, "Index": 0}),
    "an empty list of another page": query_response(Paging={"Count": 0, "Index": 20}),
    "an empty list beside a total": query_response(Paging={"Count": 0, "Total": 3}),
    "an empty list beside an error": query_response(Error="The directory cannot be reached."),
    "an empty list beside a sentence": query_response(Message="Try again later."),
    "a text that is not an OID": query_response(organization(Identifiers=[{"ID": "2.16.x", "IDType": "OID"}])),
    "Active in words": query_response(organization(Active="true")),
    "Active as number": query_response(organization(Active=1)),
    "Active missing": query_response({"Identifiers": [{"ID": OID, "IDType": "OID"}]}),
    "Name is a list": query_response(organization(Name=["Lakeside"])),
    "Aliases hold objects": query_response(organization(Aliases=[{"Name": "Lakeside"}])),
    "Contacts is an object": query_response(organization(Contacts={"Name": "Desk"})),
    "Address is a text": query_response(organization(Address="1 Shore Rd")),
    "NaN": b'{"Meta": NaN}',
    "Infinity": b'{"Meta": -Infinity}',
    "a key twice": query_response().replace(b'"Directory"', b'"Organizations"'),
    "a lone surrogate": query_response(organization(Name="\ud800")),
    "NUL": query_response(organization(Name="a\x00b")),
    "NUL after a backslash": query_response(organization(Name="\\\x00")),
    "NUL in a key": query_response(organization(**{"\x00": "x"})),
    "lists without end": b"[" * 200_000,
    "deep lists": b"[" * 200_000 + b"]" * 200_000,
    "a deep key that is carried": query_response(organization(Other=nested(MOST_LEVELS))),
    "more parts than anybody has": query_response(organization(Aliases=["x"] * (MOST_PARTS + 1))),
    "deep objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
}


@pytest.mark.parametrize("body", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_an_unreadable_answer_is_refused(body):
    with pytest.raises(AnswerNotUnderstood):
        read_query_answer(body, OID)


def test_the_largest_readable_values_can_be_sent_back():
    # The body, its list of organizations and the organization are the first three levels.
    answer = organization(Type=nested(MOST_LEVELS - 3), Aliases=["x"] * MOST_PARTS)
    record = record_in(query_response(answer))
    known = replace(record, destination_known=True)
    assert record_from_message(build_message(known, "Update", STAGING)) == known


def test_an_escaped_backslash_before_u0000_is_not_a_null_character():
    assert record_in(query_response(organization(Name="\\u0000"))).name == "\\u0000"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
known_keys = st.sampled_from(
    ["Active", "Name", "Identifiers", "PartOf", "Contacts", "Address", "Aliases", "Type", "DestinationID"]
)


@given(st.dictionaries(known_keys, json_values, max_size=4), json_values)
def test_mutated_answers_are_read_or_refused(changes, instead):
    bodies = [
        query_response(organization(**changes)),
        query_response(Organizations=instead),
        json.dumps(instead).encode(),
    ]
    for body in bodies:
        try:
            record = read_query_answer(body, OID)
        except AnswerNotUnderstood:
            continue
        # In these bodies nothing is empty unless the list of organizations itself was replaced by an empty one.
        assert record is not None or json.loads(body)["Organizations"] == []
        assert record is None or (record.oid, record.destination_known, bool(record.name.strip())) == (OID, False, True)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(body):
    with pytest.raises(AnswerNotUnderstood):
        read_query_answer(body, OID)


@pytest.mark.parametrize("count", [0, 2])
def test_a_message_has_exactly_one_organization(count):
    with pytest.raises(AnswerNotUnderstood, match=f"contains {count} organizations"):
        record_from_message(query_response(*[organization()] * count))


def test_the_hash_is_computed_from_the_bytes():
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(records, st.sampled_from([STAGING, SEVERAL_SOURCES]))
def test_the_annotated_lines_are_the_bytes_and_name_every_filled_field(record, environment):
    content = build_message(record, "Update", environment)
    lines = annotated_lines(content)
    assert "\n".join(line.text for line in lines).encode() == content
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    labels = {line.field: line.field_label for line in reversed(lines) if line.field_label}
    expected = {
        visible.field: visible.label for visible in fields_as_text(record) if visible.value or visible.field == "name"
    }
    contacts = {f"contacts.{place}": f"Contact {place + 1}" for place in range(len(record.contacts))}
    nameless = {"identifiers": labels.get("identifiers")} if record.identifiers else {}
    assert labels == expected | contacts | nameless | {"": labels[""], "destination_id": "Destination ID"}


def test_a_line_says_where_it_comes_from_and_what_redox_wants_there():
    record = replace(MY_COMPANY, identifiers=(IdentifierRecord(kind="FACID", value="LSC-014"),))
    lines = {line.text.strip(): line for line in annotated_lines(build_message(record, "New", SEVERAL_SOURCES))}
    routing = lines['"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"']
    assert (routing.field_label, routing.field) == ("routing ID", "")
    assert routing.rule == "Query for/create/update/delete an organization, STAGING"
    assert lines['"EventType": "New",'].field_label == "New or Update"
    assert lines['"ID": "7f296bb4-83fd-498d-92f3-a76960648788"'].field_label == "source ID"
    assert lines[f'"ID": "{OID}",'].field_label == "OID"
    part_of = next(line for line in lines.values() if line.field_label == "PartOf")
    assert part_of.rule == "The OID of the parent: the gateway or another organization."
    assert lines['"ID": "LSC-014",'].field_label == "Own identifiers"
    assert lines['"IDType": "FACID"'].field_label == "Its kind"
    assert lines['"Work": "+16085359501",'].field == "contacts.0.work_phone"
    assert lines['"MY"'] == MessageLine(lines['"MY"'].number, '        "MY"', "", "", "aliases")


def test_only_the_endpoints_are_from_an_old_message():
    record = replace(MY_COMPANY, carried=(("Endpoints", '[{"Name":"XCPD"}]'), ("Type", '{"Value":"prov"}')))
    rules = {line.field_label: line.rule for line in annotated_lines(build_message(record, "Update", STAGING))}
    assert rules["Endpoints"] == "From an old message, sent back except for secrets. A Query does not show them."
    assert rules["Type"] == "Read from the directory, sent back unchanged."


def test_a_routing_id_that_redox_does_not_list_is_called_that():
    line = annotated_lines(build_message(MY_COMPANY, "New", replace(STAGING, routing_id="another")))[6]
    assert (line.text.strip(), line.rule) == ('"ID": "another"', "Not in Redox's table.")
