"""What a list of organizations in the answer to a Query means for an OID."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox.messages import OTHER_OIDS as OTHER_OIDS_KEY
from organizations.redox.messages import read_query_answer
from organizations.redox.strict_json import AnswerNotUnderstood, UnexpectedOrganizations, UnreadableOrganization
from tests.redox.test_messages import OID, organization, query_response, record_in
from tests.strategies import oid_texts


def identified(*oids, **changes):
    return organization(Identifiers=[{"ID": oid, "IDType": "OID"} for oid in oids], **changes)


OTHER_OIDS = ("2.999.1", "2.999.2")
ANOTHER = "The directory answered with another organization and not with this OID."
TWICE = "The directory answered with 2 organizations that have this OID."


@pytest.mark.parametrize(
    "listed",
    [
        [identified(OTHER_OIDS[0], OID)],
        [identified(OTHER_OIDS[0], f"URN:OID:{OID}")],
        [identified(OTHER_OIDS[0], f" {OID}")],
        [identified(OTHER_OIDS[1], Name="Another"), identified(OTHER_OIDS[0], OID)],
        [organization(Identifiers=[], Name="No OID"), identified(OTHER_OIDS[0], OID)],
        [identified(OTHER_OIDS[1], Name=""), identified(OTHER_OIDS[0], OID)],
    ],
    ids=[
        "second",
        "second as URN",
        "second after a blank",
        "beside another",
        "beside one without",
        "beside a nameless",
    ],
)
def test_the_organization_with_our_oid_is_found_at_any_identifier(listed):
    record = record_in(query_response(*listed))
    assert (record.oid, record.name) == (OID, "Lakeside Clinics")
    assert (record.identifiers, dict(record.carried)[OTHER_OIDS_KEY]) == ((), json.dumps([OTHER_OIDS[0]]))


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ([identified(OTHER_OIDS[0])], ANOTHER),
        (
            [identified(oid) for oid in OTHER_OIDS],
            "The directory answered with 2 other organizations and not with this OID.",
        ),
        ([identified(f"{OID}.1")], ANOTHER),
        ([organization(Identifiers=[{"ID": OID, "IDType": "FACID"}])], ANOTHER),
        ([organization()] * 2, "The directory answered with 2 organizations that have this OID."),
        (
            [organization(), identified("2.999.1", OID)],
            "The directory answered with 2 organizations that have this OID.",
        ),
        ([organization(Name=" ")], "The directory answered with this OID, but without a name."),
    ],
    ids=["another", "others", "one below", "another kind of identifier", "twice", "twice, once second", "no name"],
)
def test_any_other_list_is_unreadable_with_one_sentence(listed, sentence):
    with pytest.raises(UnexpectedOrganizations) as raised:
        read_query_answer(query_response(*listed), OID)
    assert raised.value.sentence == sentence


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"Name": ["secret"]}, "Name"),
        ({"Active": "yes"}, "Active"),
        ({"Address": {"City": ["secret"]}}, "Address.City"),
        ({"Contacts": ["secret"]}, "Contacts.0"),
    ],
)
def test_an_organization_with_a_value_of_a_wrong_type_is_shown_and_the_value_is_named(changes, field):
    with pytest.raises(UnreadableOrganization) as raised:
        read_query_answer(query_response(organization(**changes)), OID)
    assert raised.value.sentence == f"The directory shows this OID, but its {field} cannot be read."


def test_an_unreadable_value_is_explained_in_one_sentence():
    with pytest.raises(AnswerNotUnderstood) as raised:
        read_query_answer(query_response(Organizations=organization()), OID)
    assert raised.value.sentence == "The directory's answer was not understood: Organizations is not a list."


@given(st.lists(st.lists(oid_texts(), max_size=3, unique=True), max_size=4), oid_texts())
def test_a_list_means_absent_one_record_or_unreadable(listed, oid):
    body = query_response(*(identified(*oids) for oids in listed))
    ours = sum(oid in oids for oids in listed)
    if listed and ours != 1:
        with pytest.raises(UnexpectedOrganizations):
            read_query_answer(body, oid)
        return
    record = read_query_answer(body, oid)
    assert (record is None) == (not listed)
    if record is not None:
        (others,) = ([each for each in oids if each != oid] for oids in listed if oid in oids)
        carried = json.loads(dict(record.carried).get(OTHER_OIDS_KEY, "[]"))
        assert (record.identifiers, carried) == ((), others)


@pytest.mark.parametrize(
    "text", ["2.16.840.1", " 2.16.840.1", "URN:OID:2.16.840.1", "urn:oid:2.16.840.1 ", "\u00a0Urn:Oid: 2.16.840.1\n"]
)
def test_a_parent_is_the_same_oid_in_any_spelling(text):
    body = query_response(organization(PartOf={"Identifier": {"Value": text}}))
    assert record_in(body).part_of_oid == "2.16.840.1"


@pytest.mark.parametrize(
    "text", ["the gateway", "2.16.840.1.", "2.16.84 0.1", "2.16. 840.1", "2.16.840\u200b.1", "urn:uuid:2.16.840.1"]
)
def test_a_parent_that_is_not_an_oid_is_kept_as_text(text):
    body = query_response(organization(PartOf={"Identifier": {"Value": text}}))
    assert record_in(body).part_of_oid == text


@pytest.mark.parametrize("text", [f"{OID}.", f"{OID[:-1]} {OID[-1]}", f"\u200b{OID}"])
def test_an_identifier_that_is_not_an_oid_is_not_ours(text):
    with pytest.raises(UnexpectedOrganizations):
        read_query_answer(query_response(identified(text)), OID)
