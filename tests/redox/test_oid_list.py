"""A list of OIDs, with or without destination IDs."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox.environment import ROUTING_NAMES
from organizations.redox.oid_list import MOST_OIDS, LineError, OidList, OidRow, read_oid_list
from tests.strategies import oid_texts

OID = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"
UUID = "fcda220c-f449-534e-9ae4-3fd21f7b0fed"
OTHER = "5e3dc12b-3a04-438e-880d-a690639e629e"
ROUTING = "a07afe3b-d247-4415-827f-6837707e1b8b"


@pytest.mark.parametrize(
    "line",
    [
        f"{OID}\t{UUID}",
        f"{OID},{UUID}",
        f"{OID} ; {UUID}",
        f"  {OID}   {UUID}  ",
        f"urn:oid:{OID},{UUID.upper()}",
        f'"{OID}","{UUID}"',
        f"{OID},{UUID},,",
        f"\ufeff{OID}\t{UUID}",
        f"{OID}. {UUID}",
    ],
)
def test_a_line_can_have_a_destination_id(line):
    assert read_oid_list(f"\n{line}\n") == OidList((OidRow(2, OID, UUID),))


@pytest.mark.parametrize("line", [OID, f"URN:OID:{OID}", f" {OID}\t", f"{OID},", f"'{OID}'"])
def test_a_line_can_have_an_oid_alone(line):
    assert read_oid_list(line) == OidList((OidRow(1, OID),))


@pytest.mark.parametrize(
    "header", ["OID", "oid\tdestination ID", "OID;DestinationID", "Organization OID, Destination", '"OIDs"']
)
def test_a_header_is_skipped(header):
    assert read_oid_list(f"{header}\r\n\r\n{OID}\r\n") == OidList((OidRow(3, OID),))


def test_a_header_is_a_first_line():
    assert read_oid_list(f"{OID}\nOID").errors[0].line == 2


TWO = (
    "There is a blank or a line break inside. Enter one OID: if these are two, delete one; if a dot is missing, add it."
)
ERRORS = {
    "nonsense": ("Lakeside", "'Lakeside' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
    "a blank between digits": ("2.16.840 1.5", TWO),
    "two OIDs": (f"{OID} {OID}", TWO),
    "a leading zero": ("2.16.01", "Part 3 of the OID begins with 0. Remove the leading zero."),
    "a destination alone": (UUID, "This is a UUID, not an OID."),
    "no OID": (f",{UUID}", "The OID is missing before the destination ID."),
    "no UUID": (f"{OID},7", "Enter a UUID (36 characters with four hyphens), or leave it empty."),
    "three columns": ("1.2,,x", "'1.2,,x' has more than two columns: give the OID and the destination ID."),
}


@pytest.mark.parametrize(("line", "sentence"), ERRORS.values(), ids=ERRORS)
def test_a_line_that_cannot_be_read_has_its_sentence_and_number(line, sentence):
    assert read_oid_list(f"1.2.3\n\n{line}\n1.2.4") == OidList(
        (OidRow(1, "1.2.3"), OidRow(4, "1.2.4")), (LineError(3, sentence),)
    )


def test_a_routing_id_is_not_a_destination():
    ((line, sentence),) = read_oid_list(f"{OID} {ROUTING}").errors
    assert (line, ROUTING_NAMES[ROUTING] in sentence) == (1, True)


def test_a_repeated_oid_is_read_once():
    result = read_oid_list(f"{OID}\nurn:oid:{OID}\n{OID},{UUID}\n{OID};{UUID}\n{OID};{OTHER}")
    assert result.rows == (OidRow(3, OID, UUID),)
    assert result.remarks == (
        (2, "This OID is in line 1 too. It is read once."),
        (3, "This OID is in line 1 too. The destination ID of this line is read."),
        (4, "This OID is in line 3 too. It is read once."),
    )
    assert result.errors == ((5, "This OID is in line 3 too, with another destination ID."),)


def test_a_list_of_more_than_a_thousand_oids_is_refused_completely():
    lines = ["OID", *(f"1.2.{number}" for number in range(MOST_OIDS))]
    assert len(read_oid_list("\n".join(lines)).rows) == MOST_OIDS
    assert read_oid_list("\n".join([*lines, "1.3"])) == OidList(
        errors=(LineError(0, "You entered 1,001 OIDs. Enter at most 1,000 at a time."),)
    )


@pytest.mark.parametrize("text", ["1." * 300_000, "a " * 240_000, " \t" * 240_000, "1.2.3 " * 80_000, "OID " * 120_000])
def test_a_long_text_is_read_fast(text):
    start = time.process_time()
    result = read_oid_list(text)
    assert time.process_time() - start < 3
    assert not result.rows


@given(st.lists(st.tuples(oid_texts(), st.just("") | st.uuids().map(str)), unique_by=lambda pair: pair[0], max_size=20))
def test_written_lines_are_read_back(pairs):
    text = "\n".join("\t".join(pair) for pair in pairs)
    assert read_oid_list(text).rows == tuple(OidRow(number, *pair) for number, pair in enumerate(pairs, start=1))


@given(st.text(st.sampled_from("0123456789. \t,;\nOIDabc-"), max_size=60) | st.text(max_size=60))
def test_each_filled_line_is_a_row_or_has_an_error(text):
    result = read_oid_list(text)
    assert all(sentence for _, sentence in (*result.errors, *result.remarks))
    assert len(result.rows) + len(result.errors) + len(result.remarks) <= len(text.splitlines())
