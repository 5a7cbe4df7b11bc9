"""The form of the directory page: what it searches for, and what it refuses beside which field."""

import datetime

import pytest
from django.utils import timezone

from organizations.forms.directory import FIELDS, DirectorySearchForm
from tests.factories import BASE

EMPTY = dict.fromkeys(FIELDS, "")
NOTHING = dict.fromkeys(FIELDS, "") | {"active": None}


def form(**typed: str) -> DirectorySearchForm:
    return DirectorySearchForm(EMPTY | typed)


def errors(**typed: str) -> dict[str, list[str]]:
    return {name: [str(error) for error in each] for name, each in form(**typed).errors.items()}


@pytest.mark.parametrize(
    ("typed", "filters"),
    [
        ({"name": "  Lakeside  North "}, {"name": "Lakeside North"}),
        ({"oid": f"urn:oid:{BASE}."}, {"oid": BASE}),
        ({"zip_code": "53704", "radius": " 10 "}, {"zip_code": "53704", "radius": "10"}),
        ({"state": "WI"}, {"state": "WI"}),
        ({"active": "true"}, {"active": True}),
        ({"active": "false"}, {"active": False}),
        ({"changed_since": "2026-11-01"}, {"changed_since": "2026-11-01T05:00:00Z"}),
        ({"changed_since": " 2000-01-01 "}, {"changed_since": "2000-01-01T06:00:00Z"}),
        ({"changed_since": "2026-11-02"}, {"changed_since": "2026-11-02T06:00:00Z"}),
    ],
    ids=str,
)
def test_each_field_is_a_filter(typed, filters):
    searched = form(**typed)
    assert searched.is_valid()
    assert searched.filters == NOTHING | filters
    assert searched.typed == EMPTY | typed


def test_a_correction_of_the_input_is_reported():
    searched = form(oid=f"urn:oid:{BASE}")
    assert searched.is_valid()
    assert searched.changed == ["OID: 'urn:oid:' removed"]


@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({}, "name", "Enter something to search for: a name, an OID, or any other field."),
        ({"name": "  ", "oid": " "}, "name", "Enter something to search for: a name, an OID, or any other field."),
        ({"oid": "2.16.x"}, "oid", "'2.16.x' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ({"zip_code": "53704"}, "radius", "Enter how far around the ZIP to search."),
        ({"radius": "10"}, "zip_code", "Enter the ZIP from which to measure."),
        ({"zip_code": "53704", "radius": "0"}, "radius", "Enter a whole number from 1 to 9999, such as 10."),
        ({"zip_code": "53704", "radius": "10 km"}, "radius", "Enter a whole number from 1 to 9999, such as 10."),
        ({"zip_code": "53704", "radius": "\u0661"}, "radius", "Enter a whole number from 1 to 9999, such as 10."),
        ({"state": "Wisconsin"}, "state", "Choose a state from the list."),
        ({"active": "maybe"}, "active", "Choose yes, no or any."),
        ({"changed_since": "11/01/2026"}, "changed_since", "Enter a date, such as 2026-11-01."),
        ({"changed_since": "1999-12-31"}, "changed_since", "Enter a day from 2000 on."),
        ({"changed_since": "9999-12-31"}, "changed_since", "This day is in the future. Enter an earlier one."),
    ],
    ids=str,
)
def test_an_invalid_filter_is_refused_beside_its_field(typed, name, sentence):
    assert errors(**typed) == {name: [sentence]}


def test_a_wrong_zip_is_refused_once():
    assert {name: len(each) for name, each in errors(zip_code="5370", radius="10").items()} == {"zip_code": 1}


def test_changed_since_accepts_today_and_refuses_tomorrow():
    today = timezone.localdate()
    assert form(changed_since=today.isoformat()).is_valid()
    assert list(errors(changed_since=(today + datetime.timedelta(days=1)).isoformat())) == ["changed_since"]


def test_a_field_that_was_not_sent_is_empty():
    assert DirectorySearchForm({"name": "Lakeside"}).is_valid()
