"""Three versions of a record become one by choice, and nothing of either side is lost on the way."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import StandsFor
from organizations.presentation.merging import Side, Version, compare, equal_fields, merge
from organizations.records import ContactRecord
from tests import strategies
from tests.factories import record

versions = st.builds(Version, strategies.records, st.sampled_from(StandsFor.values))
BASE = Version(record(), "")


def changed(version=BASE, *, stands_for=None, **fields):
    address = {name: fields.pop(name) for name in ("city", "zip_code") if name in fields}
    made = replace(version.record, **fields, address=replace(version.record.address, **address))
    return Version(made, version.stands_for if stands_for is None else stands_for)


def beforehand(rows):
    return {row.key: row.chosen for row in rows if row.chosen}


def all_of(side, rows):
    return {row.key: side for row in rows}


@settings(max_examples=40)
@given(versions, versions, versions)
def test_each_field_is_theirs_or_mine_as_chosen(before, theirs, mine):
    rows = compare(before, theirs, mine)
    for side, wanted in ((Side.THEIRS, theirs), (Side.MINE, mine)):
        merged = merge(before, theirs, mine, all_of(side, rows))
        assert merged.stands_for == wanted.stands_for
        assert sorted(map(repr, merged.record.contacts)) == sorted(map(repr, wanted.record.contacts))
        # What no form edits stays as it is saved.
        expected = replace(wanted.record, active=theirs.record.active, carried=theirs.record.carried, contacts=())
        assert replace(merged.record, contacts=()) == expected


@given(versions, versions)
def test_where_one_side_changed_nothing_the_other_is_chosen_beforehand(before, after):
    after = Version(replace(after.record, contacts=before.record.contacts), after.stands_for)
    for theirs, mine in ((after, before), (before, after)):
        rows = compare(before, theirs, mine)
        assert all(row.chosen for row in rows)
        merged = merge(before, theirs, mine, beforehand(rows))
        edited = replace(after.record, active=theirs.record.active, carried=theirs.record.carried)
        assert merged == Version(edited, after.stands_for)


@given(versions)
def test_equal_versions_have_nothing_to_choose(version):
    assert compare(version, version, version) == ()
    assert merge(version, version, version, {}) == version


def test_only_a_field_that_both_changed_is_left_open():
    theirs = changed(name="Their name", city="Monona")
    mine = changed(name="My name", zip_code="53703", stands_for="location")
    rows = compare(BASE, theirs, mine)
    assert [(row.label, row.before, row.theirs, row.mine, row.chosen) for row in rows] == [
        ("Name", "Lakeside 1", "Their name", "My name", None),
        ("Stands for", "Not said", "Not said", "Physical location", Side.MINE),
        ("City", "Madison", "Monona", "Madison", Side.THEIRS),
        ("ZIP", "53704", "53704", "53703", Side.MINE),
    ]
    merged = merge(BASE, theirs, mine, beforehand(rows) | {"name": Side.MINE})
    assert (merged.record.name, merged.record.address.city, merged.record.address.zip_code) == (
        "My name",
        "Monona",
        "53703",
    )
    assert "Street" in equal_fields(theirs, mine)
    assert "Contacts" in equal_fields(theirs, mine)
    assert "Name" not in equal_fields(theirs, mine)


def test_contacts_are_compared_one_by_one():
    first = BASE.record.contacts[0]
    second = ContactRecord(purpose="Operations", name="Front office", work_phone="+16085550120")
    both = changed(contacts=(first, second))
    night = ContactRecord(purpose="Technical", name="Night desk", work_phone="+16085550130")
    theirs = changed(both, contacts=(replace(first, name="Desk"), second, night))
    mine = changed(both, contacts=(first,))
    rows = compare(both, theirs, mine)
    assert [(row.label, row.theirs, row.mine, row.chosen) for row in rows] == [
        (
            "Contact 1",
            "Technical\nDesk\ndesk@lakeside.example\n+16085550100",
            "Technical\nIntegration desk\ndesk@lakeside.example\n+16085550100",
            Side.THEIRS,
        ),
        ("Contact 2", "Operations\nFront office\n+16085550120", "", Side.MINE),
        ("Contact added", "Technical\nNight desk\n+16085550130", "", Side.THEIRS),
    ]
    merged = merge(both, theirs, mine, beforehand(rows))
    assert merged.record.contacts == (replace(first, name="Desk"), night)


def test_a_contact_that_both_added_alike_is_kept_once():
    night = ContactRecord(purpose="Technical", name="Night desk", work_phone="+16085550130")
    added = changed(contacts=(*BASE.record.contacts, night))
    assert compare(BASE, added, added) == ()
    assert merge(BASE, added, added, {}).record.contacts == added.record.contacts
