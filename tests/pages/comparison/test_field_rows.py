"""The fields of a record side by side: what each cell says, and that each difference is shown once."""

from dataclasses import replace

import pytest

from organizations.pages.comparison import field_rows
from organizations.pages.comparison.field_rows import FieldCell, Fields, RecordSides
from organizations.records import ContactRecord, IdentifierRecord, OrganizationRecord
from tests import factories

DESK = ContactRecord(purpose="Technical", name="Desk", email_addresses=("a@x.example",), work_phone="+16085550100")
OFFICE = ContactRecord(purpose="Operations", name="Office", work_phone="+16085550120")


def record(**values: object) -> OrganizationRecord:
    return factories.record(**({"name": "Lakeside", "contacts": (DESK, OFFICE)} | values))  # type: ignore[arg-type]


def differences(fields: Fields) -> dict[str, list[tuple[str, str, str]]]:
    """The cells of each field that differs: kind, lines, note."""
    return {
        row.label: [(cell.kind, "; ".join(cell.lines), cell.note) for cell in row.cells] for row in fields.differing
    }


def rows_of(fields: Fields, heading: str) -> list[str]:
    return [row.label for group in fields.groups if group.heading == heading for row in group.rows]


def cells(fields: Fields, label: str) -> list[FieldCell]:
    return [cell for group in fields.groups for row in group.rows if row.label == label for cell in row.cells]


def test_each_difference_is_shown_once_with_its_side():
    street = replace(record().address, street="51 Shore Rd, Suite 2")
    other = replace(record().address, street="51 Shore Rd")
    directory = record(name="Lakeside (Shore)", address=other, destination_known=False)
    fields = field_rows.field_rows(RecordSides(record(address=street), record(address=other), directory))
    assert differences(fields) == {
        "Name": [("", "Lakeside", ""), ("same", "", "same as saved"), ("adrift", "Lakeside (Shore)", "")],
        "Street": [("ahead", "51 Shore Rd, Suite 2", ""), ("", "51 Shore Rd", ""), ("same", "", "same as accepted")],
    }
    above = {group.heading: group.above for group in fields.groups}
    assert (above["Identity"], above["Address"], above["Routing"]) == ("Name", "Street", "")
    assert "Name" not in rows_of(fields, "Identity")


def test_an_equal_value_is_one_cell_across_all_columns():
    fields = field_rows.field_rows(RecordSides(record(), record(), record(destination_known=False)))
    assert fields.differing == ()
    assert [(cell.lines, cell.span) for cell in cells(fields, "City")] == [(("Madison",), 3)]
    alone = field_rows.field_rows(RecordSides(record()))
    assert [(cell.lines, cell.span) for cell in cells(alone, "City")] == [(("Madison",), 1)]
    assert field_rows.field_rows(RecordSides(record(), record())).differing == ()


def test_another_spelling_is_shown_and_is_not_a_difference():
    other = replace(record().address, country="US")
    fields = field_rows.field_rows(RecordSides(record(), record(), record(address=other, destination_known=False)))
    assert fields.differing == ()
    assert [(cell.lines, cell.note, cell.kind) for cell in cells(fields, "Country")] == [
        (("USA",), "", ""),
        (("US",), "equivalent", ""),
    ]
    edit = replace(record().address, country="Canada")
    fields = field_rows.field_rows(
        RecordSides(record(address=edit), record(), record(address=other, destination_known=False))
    )
    assert differences(fields)["Country"] == [("ahead", "Canada", ""), ("", "USA", ""), ("", "US", "equivalent")]


def test_a_value_in_a_heading_has_no_row():
    fields = field_rows.field_rows(RecordSides(record()))
    assert rows_of(fields, "Identity")[:2] == ["Name", "Aliases"]
    assert rows_of(fields, "Contact 1, Technical")[0] == "Name"


def test_a_purpose_that_differs_has_a_row():
    directory = record(contacts=(replace(DESK, purpose="Billing"), OFFICE), destination_known=False)
    assert "Contact 1, Purpose" in differences(field_rows.field_rows(RecordSides(record(), record(), directory)))


def test_an_edit_that_the_directory_already_shows_is_not_called_unsent():
    fields = field_rows.field_rows(
        RecordSides(record(name="New"), record(), record(name="New", destination_known=False))
    )
    assert differences(fields) == {"Name": [("", "New", ""), ("", "Lakeside", ""), ("adrift", "New", "same as saved")]}


def test_the_destination_is_not_compared_with_the_directory():
    first, second = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41", "1c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"
    directory = record(destination_known=False)
    same = field_rows.field_rows(RecordSides(record(destination_id=first), record(destination_id=first), directory))
    assert [(cell.lines, cell.note, cell.span) for cell in cells(same, "Destination ID")] == [
        ((first,), "", 2),
        ((), "Redox cannot show this field", 1),
    ]
    edited = field_rows.field_rows(RecordSides(record(destination_id=second), record(destination_id=first), directory))
    assert differences(edited)["Destination ID"] == [
        ("ahead", second, ""),
        ("", first, ""),
        ("same", "", "Redox cannot show this field"),
    ]


def test_fields_of_contacts_are_compared_on_all_sides():
    mine = (replace(DESK, work_phone="+16085550151"), OFFICE)
    theirs = (OFFICE, replace(DESK, mobile_phone="+16085550199"))
    fields = field_rows.field_rows(
        RecordSides(record(contacts=mine), record(), record(contacts=theirs, destination_known=False))
    )
    assert differences(fields) == {
        "Contact 1, Work phone": [
            ("ahead", "+16085550151", ""),
            ("", "+16085550100", ""),
            ("same", "", "same as accepted"),
        ],
        "Contact 1, Mobile phone": [("", "", ""), ("same", "", "same as saved"), ("adrift", "+16085550199", "")],
    }


@pytest.mark.parametrize(
    ("saved", "accepted", "directory", "expected"),
    [
        ((DESK, OFFICE), (DESK,), (DESK,), {"Contact 2": ["ahead", "", "same"]}),
        ((DESK,), (DESK, OFFICE), (DESK, OFFICE), {"Contact 2": ["ahead", "", "same"]}),
        ((DESK,), (DESK,), (DESK, OFFICE), {"Contact 2 in the directory": ["", "same", "adrift"]}),
        ((DESK, OFFICE), (DESK, OFFICE), (DESK,), {"Contact 2": ["", "same", "adrift"]}),
        ((DESK, OFFICE), (DESK,), (DESK, OFFICE), {"Contact 2": ["", "", "adrift"]}),
        ((OFFICE, DESK), (DESK, OFFICE), (DESK, OFFICE), {"Order of contacts": ["ahead", "", "same"]}),
    ],
)
def test_an_added_or_removed_contact_is_one_field(saved, accepted, directory, expected):
    fields = field_rows.field_rows(
        RecordSides(
            record(contacts=saved), record(contacts=accepted), record(contacts=directory, destination_known=False)
        )
    )
    assert {row.label: [cell.kind for cell in row.cells] for row in fields.differing} == expected


def test_contacts_in_another_order_are_matched_and_keep_their_spelling():
    spelled = (replace(OFFICE, work_phone="(608) 555-0120"), replace(DESK, work_phone="(608) 555-0100"))
    fields = field_rows.field_rows(RecordSides(record(), record(), record(contacts=spelled, destination_known=False)))
    assert fields.differing == ()
    assert [cell.lines for cell in cells(fields, "Work phone")] == [
        ("+16085550100",),
        ("(608) 555-0100",),
        ("+16085550120",),
        ("(608) 555-0120",),
    ]


def test_a_record_that_was_only_read_has_no_accepted_side():
    directory = record(name="By hand", destination_known=False, contacts=(DESK,))
    fields = field_rows.field_rows(RecordSides(record(), None, directory))
    assert differences(fields) == {
        "Name": [("ahead", "Lakeside", ""), ("", "By hand", "")],
        "Contact 2": [("ahead", "Operations; Office; +16085550120", ""), ("", "", "")],
    }


def test_each_value_of_a_list_has_its_own_line():
    identifiers = (IdentifierRecord(kind="FACID", value="LSC-1"), IdentifierRecord(value="2"))
    fields = field_rows.field_rows(RecordSides(record(aliases=("Alpha; Beta", "Gamma"), identifiers=identifiers)))
    assert cells(fields, "Aliases")[0].lines == ("Alpha; Beta", "Gamma")
    assert cells(fields, "Own identifiers")[0].lines == ("LSC-1 (FACID)", "2")


def test_keys_without_a_field_are_named_and_are_not_an_edit():
    ours = record(carried=(("Endpoints", "[]"), ("Type", '"prov"'), ("ManagingOrg", '"x"')))
    directory = record(carried=(("ManagingOrg", '"x"'), ("PartOf.System", '"y"')), destination_known=False)
    assert field_rows.field_rows(RecordSides(ours, record(), directory)).differing == ()
    assert field_rows.keys_without_field(ours, directory) == (
        ("Endpoints", "from an old message and sent back: a Query does not show it"),
        ("ManagingOrg", "not sent back"),
        ("PartOf.System", "not sent back"),
        ("Type", "sent back"),
    )
    assert field_rows.keys_without_field(record(), None) == ()
