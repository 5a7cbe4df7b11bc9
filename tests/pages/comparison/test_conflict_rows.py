"""Merging two edited versions of a record by choices: no change of either side is lost."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import RecordKind
from organizations.pages.comparison.conflict_rows import (
    ConflictSide,
    FormVersion,
    conflict_rows,
    equal_labels,
    merge_versions,
)
from organizations.records import CONTACT_LABELS, ContactRecord
from tests import strategies
from tests.factories import record

versions = st.builds(FormVersion, strategies.records, st.sampled_from(RecordKind.values))
BASE = FormVersion(record(), "")


def changed(version=BASE, *, stands_for=None, **fields):
    address = {name: fields.pop(name) for name in ("city", "zip_code") if name in fields}
    changed_record = replace(version.record, **fields, address=replace(version.record.address, **address))
    return FormVersion(changed_record, version.stands_for if stands_for is None else stands_for)


def preselected(rows):
    return {row.key: row.chosen for row in rows if row.chosen}


def choose_all(side, rows):
    return {row.key: side for row in rows}


@settings(max_examples=40)
@given(versions, versions, versions)
def test_each_field_has_the_chosen_side(before, theirs, mine):
    rows = conflict_rows(before, theirs, mine)
    for side, expected in ((ConflictSide.THEIRS, theirs), (ConflictSide.MINE, mine)):
        merged = merge_versions(before, theirs, mine, choose_all(side, rows))
        assert merged.stands_for == expected.stands_for
        # A value that no form edits stays as it is saved.
        assert merged.record == replace(expected.record, active=theirs.record.active, carried=theirs.record.carried)


@settings(max_examples=40)
@given(versions, versions)
def test_the_side_that_changed_a_field_is_preselected(before, after):
    for theirs, mine in ((after, before), (before, after)):
        rows = conflict_rows(before, theirs, mine)
        assert all(row.chosen for row in rows)
        merged = merge_versions(before, theirs, mine, preselected(rows))
        edited = replace(after.record, active=theirs.record.active, carried=theirs.record.carried)
        assert merged == FormVersion(edited, after.stands_for)


@settings(max_examples=25)
@given(versions)
def test_equal_versions_have_nothing_to_choose(version):
    assert conflict_rows(version, version, version) == ()
    assert merge_versions(version, version, version, {}) == version


def test_only_a_field_that_both_changed_is_not_preselected():
    theirs = changed(name="Their name", city="Monona")
    mine = changed(name="My name", zip_code="53703", stands_for="location")
    rows = conflict_rows(BASE, theirs, mine)
    assert [(row.label, row.before, row.theirs, row.mine, row.chosen) for row in rows] == [
        ("Name", "Lakeside 1", "Their name", "My name", None),
        ("Kind of record", "Not said", "Not said", "Physical location", ConflictSide.MINE),
        ("City", "Madison", "Monona", "Madison", ConflictSide.THEIRS),
        ("ZIP", "53704", "53704", "53703", ConflictSide.MINE),
    ]
    merged = merge_versions(BASE, theirs, mine, preselected(rows) | {"name": ConflictSide.MINE})
    assert (merged.record.name, merged.record.address.city, merged.record.address.zip_code) == (
        "My name",
        "Monona",
        "53703",
    )
    assert "Street" in equal_labels(theirs, mine)
    assert "Contacts" in equal_labels(theirs, mine)
    assert "Name" not in equal_labels(theirs, mine)


def test_contacts_are_compared_one_by_one():
    first = BASE.record.contacts[0]
    second = ContactRecord(purpose="Operations", name="Front office", work_phone="+16085550120")
    both = changed(contacts=(first, second))
    night = ContactRecord(purpose="Technical", name="Night desk", work_phone="+16085550130")
    theirs = changed(both, contacts=(replace(first, name="Desk"), second, night))
    mine = changed(both, contacts=(first,))
    rows = conflict_rows(both, theirs, mine)
    assert [(row.label, row.theirs, row.mine, row.chosen) for row in rows] == [
        ("Contact 1, Contact name", "Desk", "Integration desk", ConflictSide.THEIRS),
        ("Contact 2", "Operations\nFront office\n+16085550120", "", ConflictSide.MINE),
        ("Contact added", "Technical\nNight desk\n+16085550130", "", ConflictSide.THEIRS),
    ]
    merged = merge_versions(both, theirs, mine, preselected(rows))
    assert merged.record.contacts == (replace(first, name="Desk"), night)


def test_a_contact_that_both_added_is_kept_once():
    night = ContactRecord(purpose="Technical", name="Night desk", work_phone="+16085550130")
    added = changed(contacts=(*BASE.record.contacts, night))
    assert conflict_rows(BASE, added, added) == ()
    assert merge_versions(BASE, added, added, {}).record.contacts == added.record.contacts


def desk(number):
    return ContactRecord(
        purpose="Technical", name=f"Desk {number}", email_addresses=(f"desk{number}@lakeside.example",)
    )


DESKS = tuple(map(desk, range(4)))
any_side = st.sampled_from([None, *ConflictSide])


def edited(by, side):
    """The desks after `side` changed its fields."""
    return [
        replace(each, **{name: _new(name, number) for name in CONTACT_LABELS if by.get((number, name)) is side})
        for number, each in enumerate(DESKS)
    ]


def _new(name, number):
    text = f"new{number}@lakeside.example" if name == "email_addresses" else f"New {name} {number}"
    return (text,) if name == "email_addresses" else text


@given(
    st.fixed_dictionaries({(number, name): any_side for number in range(3) for name in CONTACT_LABELS}),
    st.sets(st.sampled_from(ConflictSide)),
    st.sets(st.sampled_from(ConflictSide)),
    any_side,
)
def test_changes_to_different_fields_of_one_contact_are_all_kept(by, removes, adds, reverses):
    """At most one side changes each field. One side may reverse the order. The fourth desk is only ever removed."""
    sides = {side: edited(by, side) for side in ConflictSide}
    expected = [
        replace(each, **{name: _new(name, number) for name in CONTACT_LABELS if by.get((number, name))})
        for number, each in enumerate(DESKS)
    ]
    for side in removes:
        sides[side].pop()
    if removes:
        expected.pop()
    is_named = all(
        any(by.get((number, name)) is not reverses for name in ("name", "email_addresses")) for number in range(3)
    )
    if reverses and is_named:
        sides[reverses].reverse()
        expected.reverse()
    for side in adds if len(removes) < 2 else ():  # otherwise the added contact would count as the removed one, changed
        added = ContactRecord(purpose="Night", name=f"Added {side}")
        sides[side].append(added)
        expected.append(added)
    before, theirs, mine = (
        changed(contacts=tuple(each)) for each in (DESKS, sides[ConflictSide.THEIRS], sides[ConflictSide.MINE])
    )
    rows = conflict_rows(before, theirs, mine)
    assert all(row.chosen and row.theirs != row.mine for row in rows)
    merged = merge_versions(before, theirs, mine, preselected(rows)).record.contacts
    assert sorted(map(repr, merged)) == sorted(map(repr, expected))
    assert [each for each in merged if each.purpose != "Night"] == [
        each for each in expected if each.purpose != "Night"
    ]


def test_two_orders_of_contacts_are_a_choice():
    before = changed(contacts=DESKS)
    theirs, mine = changed(contacts=DESKS[::-1]), changed(contacts=(*DESKS[1:], DESKS[0]))
    (row,) = conflict_rows(before, theirs, mine)
    assert (row.label, row.theirs.split("\n"), row.chosen) == (
        "Order of contacts",
        [f"Desk {n}" for n in (3, 2, 1, 0)],
        None,
    )
    for side, expected in ((ConflictSide.THEIRS, theirs), (ConflictSide.MINE, mine)):
        assert merge_versions(before, theirs, mine, {row.key: side}) == expected


def test_a_contact_that_one_removed_and_the_other_changed_is_a_choice():
    before = changed(contacts=DESKS[:2])
    theirs, mine = (
        changed(contacts=DESKS[:1]),
        changed(contacts=(DESKS[0], replace(DESKS[1], work_phone="+16085550130"))),
    )
    (row,) = conflict_rows(before, theirs, mine)
    assert (row.label, row.theirs, row.mine, row.chosen) == (
        "Contact 2",
        "",
        "\n".join(("Technical", "Desk 1", "desk1@lakeside.example", "+16085550130")),
        None,
    )
