"""The Query that searches the directory with filters, and its pages, whose organizations are read one by one."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redox.organization.query import Query

from organizations.oid import Oid
from organizations.records import IdentifierRecord, readable
from organizations.redox.directory_query import (
    MOST_ENTRIES,
    Listing,
    SearchFilters,
    build_search,
    oids_of,
    read_listing,
    under_oid,
)
from organizations.redox.messages import OTHER_OIDS, build_message, build_query, read_query_answer
from organizations.redox.strict_json import MOST_LEVELS, MOST_PARTS, AnswerNotUnderstood
from tests.redox.test_messages import OID, SEVERAL_SOURCES, STAGING, nested, organization, query_response
from tests.strategies import json_values, oid_texts, records, texts

ALL_FILTERS = SearchFilters(
    oid=OID,
    name="Lakeside",
    zip_code="53704",
    radius="10",
    state="WI",
    active=False,
    changed_since="2026-11-01T00:00:00Z",
)


def numbered(number, **changes):
    return organization(Name=f"Number {number}", Identifiers=[{"ID": f"{OID}.{number}", "IDType": "OID"}], **changes)


def names(listing: Listing) -> list[str]:
    return [record.name for record in listing.records]


def test_a_search_sends_every_filter():
    content = build_search(ALL_FILTERS, SEVERAL_SOURCES, index=200, limit=50)
    assert json.loads(content) == {
        "Meta": {
            "DataModel": "Organization",
            "EventType": "Query",
            "Source": {"ID": "7f296bb4-83fd-498d-92f3-a76960648788"},
            "Destinations": [{"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"}],
        },
        "Directory": "Carequality",
        "Identifier": {"ID": OID, "IDType": "OID"},
        "NameSearch": {"Value": "Lakeside"},
        "RadiusSearch": {"ZipCode": "53704", "Radius": "10"},
        "State": "WI",
        "Active": False,
        "LastUpdated": "2026-11-01T00:00:00Z",
        "Index": "200",
        "Limit": "50",
    }
    assert Query(**json.loads(content)).model_dump() == json.loads(content)


def test_an_empty_filter_is_not_sent():
    content = json.loads(build_search(SearchFilters(), STAGING, index=0, limit=100))
    assert list(content) == ["Meta", "Directory", "Index", "Limit"]
    assert (content["Index"], content["Limit"]) == ("0", "100")


def test_a_search_for_an_oid_is_its_query_with_index_and_limit():
    content = json.loads(build_search(SearchFilters(oid=OID, active=True), STAGING, index=0, limit=1))
    assert content == json.loads(build_query(OID, STAGING, active=True)) | {"Index": "0", "Limit": "1"}


filters = st.builds(
    SearchFilters,
    oid=st.just("") | oid_texts(),
    name=texts,
    zip_code=texts,
    radius=texts,
    state=texts,
    active=st.none() | st.booleans(),
    changed_since=texts,
)


@given(filters, st.integers(0, 10**8), st.integers(1, 100))
def test_every_search_matches_the_public_model_of_redox_schemas(wanted, index, limit):
    content = json.loads(build_search(wanted, STAGING, index=index, limit=limit))
    assert Query(**content).model_dump() == content


def test_a_page_gives_each_organization_in_its_order():
    listing = read_listing(query_response(*map(numbered, range(3)), Paging={"Count": 40, "Index": 0}))
    assert names(listing) == ["Number 0", "Number 1", "Number 2"]
    assert (listing.received, listing.total, listing.unreadable, listing.doubled) == (3, 40, (), ())


@given(st.lists(records.filter(lambda record: record.name.strip()), max_size=4, unique_by=lambda record: record.oid))
def test_a_page_gives_what_a_query_for_each_oid_gives(listed):
    entries = [json.loads(build_message(record, "New", STAGING))["Organizations"][0] for record in listed]
    shown = read_listing(query_response(*entries)).records
    assert list(map(readable, shown)) == list(map(readable, listed))
    assert list(shown) == [
        read_query_answer(query_response(entry), record.oid) for entry, record in zip(entries, listed, strict=True)
    ]


def test_an_empty_page_has_nothing():
    listing = read_listing(query_response())
    assert (listing.records, listing.received, listing.total) == ((), 0, None)


UNREADABLE = {
    "null": (None, "Organization 2 of the page cannot be read: it is not an object."),
    "a text": ("secret", "Organization 2 of the page cannot be read: it is not an object."),
    "a list": ([organization()], "Organization 2 of the page cannot be read: it is not an object."),
    "no OID": (organization(Identifiers=[]), "Organization 2 of the page cannot be read: it has no OID."),
    "another kind": (
        organization(Identifiers=[{"ID": OID, "IDType": "FACID"}]),
        "Organization 2 of the page cannot be read: it has no OID.",
    ),
    "not an OID": (
        organization(Identifiers=[{"ID": "secret", "IDType": "OID"}]),
        "Organization 2 of the page cannot be read: it has no OID.",
    ),
    "identifiers in another shape": (
        organization(Identifiers={"ID": OID}),
        "Organization 2 of the page cannot be read: Identifiers is not a list.",
    ),
    "an identifier in another shape": (
        organization(Identifiers=["secret", {"ID": OID, "IDType": "OID"}]),
        f"The directory shows {OID}, but its Identifiers.0 cannot be read.",
    ),
    "an identifier without a text": (
        organization(Identifiers=[{"ID": ["secret"], "IDType": "OID"}, {"ID": OID, "IDType": "OID"}]),
        f"The directory shows {OID}, but its Identifiers.0.ID cannot be read.",
    ),
    "no name": (organization(Name=" "), f"{OID} cannot be read: it has no name."),
    "Active in words": (organization(Active="secret"), f"The directory shows {OID}, but its Active cannot be read."),
    "Name is a list": (organization(Name=["secret"]), f"The directory shows {OID}, but its Name cannot be read."),
    "NUL": (organization(Name="secret\x00"), f"{OID} cannot be read: a text holds NUL."),
    "a lone surrogate": (
        organization(Name="secret\ud800"),
        f"{OID} cannot be read: not a JSON text that can be read: UnicodeEncodeError.",
    ),
    "deep": (
        organization(Other=nested(MOST_LEVELS - 2)),
        f"{OID} cannot be read: it is nested more than {MOST_LEVELS} levels deep.",
    ),
    "many aliases": (
        organization(Aliases=["secret"] * (MOST_PARTS + 1)),
        f"The directory shows {OID}, but its Aliases cannot be read.",
    ),
}


@pytest.mark.parametrize(("entry", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_organization_is_named_and_the_others_are_read(entry, sentence):
    listing = read_listing(query_response(numbered(1), entry, numbered(2)))
    assert names(listing) == ["Number 1", "Number 2"]
    assert [each.sentence for each in listing.unreadable] == [sentence]
    assert [each.oid for each in listing.unreadable] == [OID if OID in sentence else ""]
    assert listing.received == 3


def test_an_organization_that_repeats_a_key_cannot_be_read():
    body = query_response(numbered(1), organization(Name="Second", Active=False)).replace(
        b'"Name": "Second"', b'"Name": "Second", "Active": true'
    )
    listing = read_listing(body)
    assert names(listing) == ["Number 1"]
    assert [each.sentence for each in listing.unreadable] == [f"{OID} cannot be read: an object in it repeats a key."]


@given(st.lists(json_values, max_size=4))
def test_no_organization_makes_the_others_unreadable(entries):
    listing = read_listing(query_response(numbered(1), *entries, numbered(2)))
    assert {"Number 1", "Number 2"} <= set(names(listing))
    assert len(listing.records) + len(listing.unreadable) + len(listing.doubled) == listing.received == len(entries) + 2


known_keys = st.sampled_from(["Active", "Name", "Identifiers", "PartOf", "Contacts", "Address", "Aliases", OTHER_OIDS])


@given(st.dictionaries(known_keys, json_values))
def test_wrong_values_of_known_fields_make_only_their_organization_unreadable(changes):
    listing = read_listing(query_response(organization(**changes), numbered(2)))
    assert names(listing)[-1] == "Number 2"
    assert listing.received == 2
    for record in listing.records:
        assert Oid(record.oid).text == oids_of(record)[0]
    for each in listing.unreadable:
        assert each.sentence.endswith(".")
        assert each.oid in ("", OID)


def test_a_repeated_oid_is_kept_once_and_counted():
    listing = read_listing(query_response(organization(), numbered(1), organization(Name="Again"), organization()))
    assert names(listing) == ["Lakeside Clinics", "Number 1"]
    assert (listing.doubled, listing.received) == ((OID, OID), 4)
    assert [record.name for record in listing.repeated] == ["Again", "Lakeside Clinics"]


@pytest.mark.parametrize(
    ("paging", "total"),
    [
        ({"Count": 250, "Index": 100}, 250),
        ({"Count": "250"}, 250),
        ({"Count": 0}, 0),
        ({"Count": -1}, None),
        ({"Count": 2.5}, None),
        ({"Count": 10**9}, None),
        ({"Count": "about 250"}, None),
        ({"Count": "\u0662"}, None),
        ({"Count": None}, None),
        ({"Count": [250]}, None),
        ({"Count": True}, None),
        ({}, None),
        ([250], None),
        ("250", None),
        (None, None),
        ({"Count": 250, "Other": nested(MOST_LEVELS)}, 250),
    ],
    ids=str,
)
def test_a_total_is_a_number_or_not_known(paging, total):
    listing = read_listing(query_response(organization(), Paging=paging))
    assert (listing.total, names(listing)) == (total, ["Lakeside Clinics"])


def test_a_repeated_total_is_not_known():
    body = query_response(organization(), Paging={"Count": 1}).replace(b'{"Count": 1}', b'{"Count": 1, "Count": 2}')
    assert read_listing(body).total is None


def test_pages_with_the_same_organizations_have_the_same_fingerprint():
    first = query_response(numbered(1), numbered(2), Meta={"Logs": [{"ID": "1"}]}, Paging={"Count": 2, "Index": 0})
    again = query_response(numbered(1), numbered(2), Meta={"Logs": [{"ID": "2"}]}, Paging={"Count": 2, "Index": 2})
    others = [
        query_response(),
        query_response(numbered(1)),
        query_response(numbered(2), numbered(1)),
        query_response(numbered(1), numbered(3)),
        query_response(numbered(1), numbered(2, Aliases=["Two"])),
    ]
    reordered = query_response(dict(reversed(numbered(1).items())), numbered(2))
    fingerprint = read_listing(first).fingerprint
    assert read_listing(again).fingerprint == read_listing(reordered).fingerprint == fingerprint
    assert len({fingerprint, *(read_listing(other).fingerprint for other in others)}) == 1 + len(others)


NO_PAGE = {
    "nothing": b"",
    "HTML": b"<html>Bad gateway</html>",
    "cut short": query_response(organization())[:-1],
    "no UTF-8": b'{"Meta": "\xff"}',
    "null": b"null",
    "a list": b"[]",
    "no Meta": b'{"Directory": "Carequality", "Organizations": []}',
    "Meta is a list": b'{"Meta": [], "Organizations": []}',
    "another event": query_response(Meta={"EventType": "New"}),
    "another data model": query_response(Meta={"DataModel": "Patient"}),
    "errors": query_response(organization(), Meta={"Errors": [{"ID": 1, "Text": "No subscriptions."}]}),
    "no Organizations": b'{"Meta": {"DataModel": "Organization", "EventType": "QueryResponse"}}',
    "Organizations is null": query_response(Organizations=None),
    "Organizations is one": query_response(Organizations=organization()),
    "as many as the most and one more": query_response(*([0] * (MOST_ENTRIES + 1))),
    "another place": query_response(Organizations=None, Data={"Organizations": [organization()]}),
    "an empty list and one in another place": query_response(Data={"Organizations": [organization()]}),
    "an empty list beside an error": query_response(Error="The directory cannot be reached."),
    "NaN": query_response(organization(Name=float("nan"))),
    "a key twice": query_response(organization()).replace(b'"Directory"', b'"Organizations"'),
    "a key twice in Meta": query_response().replace(b'"DataModel"', b'"EventType": "New", "DataModel"'),
    "NUL in Meta": query_response(organization(), Meta={"Source": {"Name": "\x00"}}),
    "lists without end": b"[" * 200_000,
    "deep lists": b"[" * 200_000 + b"]" * 200_000,
}


@pytest.mark.parametrize("body", NO_PAGE.values(), ids=NO_PAGE)
def test_an_answer_that_is_not_clearly_a_page_is_refused(body):
    with pytest.raises(AnswerNotUnderstood):
        read_listing(body)


def test_the_largest_page_is_read_and_may_hold_other_keys():
    listing = read_listing(query_response(*([0] * MOST_ENTRIES), Other="more"))
    assert (listing.received, len(listing.unreadable)) == (MOST_ENTRIES, MOST_ENTRIES)


def test_values_can_be_nested_as_deeply_as_in_the_answer_to_a_query():
    listing = read_listing(query_response(organization(Type=nested(MOST_LEVELS - 3))))
    assert names(listing) == ["Lakeside Clinics"]


TWO_OIDS = organization(
    Identifiers=[
        {"ID": "2.999.x", "IDType": "OID"},
        {"ID": "urn:oid:2.999.1", "IDType": "oid"},
        {"ID": "LSC-014", "IDType": "FACID"},
        {"ID": OID, "IDType": "OID"},
    ]
)


def test_an_organization_is_listed_under_its_first_oid_and_recognized_by_all():
    (record,) = read_listing(query_response(TWO_OIDS)).records
    assert (record.oid, record.identifiers) == ("2.999.1", (IdentifierRecord(kind="FACID", value="LSC-014"),))
    assert oids_of(record) == ("2.999.1", "2.999.x", OID)


def test_an_organization_can_be_taken_under_another_of_its_oids():
    (record,) = read_listing(query_response(TWO_OIDS | {"ManagingOrg": "Redox"})).records
    ours = under_oid(record, OID)
    assert oids_of(ours) == (OID, "2.999.1", "2.999.x")
    assert ours.carried == ((OTHER_OIDS, '["2.999.1","2.999.x"]'), ("ManagingOrg", '"Redox"'))
    assert under_oid(record, record.oid) == record
    assert replace(ours, oid=record.oid, carried=record.carried) == record


@pytest.mark.parametrize(
    "changes", [{}, {OTHER_OIDS: {"2.999.1": "x"}}, {OTHER_OIDS: 17}, {OTHER_OIDS: [17.5, ["2.999.1"]]}], ids=str
)
def test_an_organization_with_one_oid_has_no_other_oids(changes):
    (record,) = read_listing(query_response(organization(**changes))).records
    assert oids_of(record)[0] == OID
    assert "2.999.1" not in oids_of(record)
    assert under_oid(record, OID) is record
