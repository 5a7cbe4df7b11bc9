"""What the page of the differences tells before the directory's values are taken."""

from dataclasses import replace

import pytest

from organizations.models import Organization, User, clock
from organizations.presentation import differences as shown
from organizations.records import AddressRecord, ContactRecord
from organizations.services import differences, known, organizations
from organizations.services.actors import Actor
from organizations.services.faults import OutOfDate
from tests import factories
from tests.factories import acting

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(editor: User) -> Organization:
    """An accepted record with a saved street, of which the directory shows another name and city."""
    made = factories.confirmed(factories.organization(user=editor))
    record = replace(made.record(), address=replace(made.record().address, street="2 Shore Rd", city="Verona"))
    organizations.edit(made.pk, made.version, record, stands_for="", actor=acting(editor))
    return read(made, name="Lakeside (One)", address=replace(made.record().address, city="Middleton"))


def read(made: Organization, **values: object) -> Organization:
    row = Organization.objects.get(pk=made.pk)
    accepted = row.baseline_record()
    assert accepted is not None
    known.keep_reading(row, replace(accepted, **values), clock.now())  # type: ignore[arg-type]
    return Organization.objects.get(pk=made.pk)


def test_each_value_is_shown_three_times(made: Organization) -> None:
    rows = [(row.label, row.saved, row.accepted, row.directory, row.is_edited) for row in shown.page(made).rows]
    assert rows == [
        ("Name", "Lakeside 1", "Lakeside 1", "Lakeside (One)", False),
        ("City", "Verona", "Madison", "Middleton", True),
    ]


def test_it_says_what_is_taken_what_is_replaced_and_what_stays(made: Organization, editor: User) -> None:
    page = shown.page(made)
    assert page.take_label == "Take these 2 values"
    assert page.replaced_words == "1 saved change is replaced by the directory's value: City."
    assert page.stays == ("Street",)
    after = differences.take_theirs(made.pk, made.version, reason="Theirs", actor=acting(editor))
    assert (after.name, after.city, after.street) == ("Lakeside (One)", "Middleton", "2 Shore Rd")
    assert (shown.page(after).rows, after.changes) == ((), 1)


def test_an_edit_of_a_contact_that_the_directory_lacks_is_named_before_it_is_replaced(editor: User) -> None:
    extra = ContactRecord(purpose="Technical", name="Desk", work_phone="+16085550111")
    made = factories.organization(user=editor)
    both = replace(made.record(), contacts=(*made.record().contacts, extra))
    organizations.edit(made.pk, made.version, both, stands_for="", actor=acting(editor))
    made = factories.confirmed(Organization.objects.get(pk=made.pk))
    edited = replace(both, contacts=(*both.contacts[:1], replace(extra, work_phone="+16085550122")))
    organizations.edit(made.pk, made.version, edited, stands_for="", actor=acting(editor))
    page = shown.page(read(made, contacts=both.contacts[:1]))
    assert [(row.is_edited, "+16085550122" in row.saved) for row in page.rows] == [(True, True)]
    assert page.replaced_words == "1 saved change is replaced by the directory's value: Contact 2."


def test_values_that_were_not_shown_are_not_taken(made: Organization, editor: User) -> None:
    shown_at = made.seen_at
    read(made, name="Lakeside (Two)")
    with pytest.raises(OutOfDate, match="Nothing was changed"):
        differences.take_theirs(made.pk, made.version, reason="Theirs", actor=acting(editor), asked_at=shown_at)


def test_another_spelling_is_shown_and_is_no_difference(editor: User) -> None:
    made = factories.confirmed(factories.organization(user=editor))
    address = AddressRecord(**{name: getattr(made, name) for name in ("street", "city", "state", "zip_code", "county")})
    page = shown.page(read(made, address=replace(address, country="US")))
    assert (page.rows, [row.label for row in page.spelled]) == ((), ["Country"])
    assert page.why_not.startswith("The directory shows no other values")


def test_whose_an_oid_is_is_decided_by_comparing_with_the_directory(editor: User, approver: Actor) -> None:
    made = factories.organization(user=editor)
    known.keep_reading(made, replace(made.record(), name="Boston", contacts=made.record().contacts), clock.now())
    for _ in ("before the decision", "after it"):
        page = shown.page(Organization.objects.get(pk=made.pk))
        assert [(row.label, row.sent, row.seen) for row in page.differing] == [("Name", "Lakeside 1", "Boston")]
        assert "City" in page.equal_labels
        if not page.is_foreign:
            differences.disclaim(made.pk, reason="Ticket 9", actor=approver)
    assert page.decided_by == approver.name


def test_what_the_portal_suspects_of_an_oid_comes_with_its_reason(editor: User) -> None:
    made = factories.organization(user=editor, destination_id="fcda220c-f449-534e-9ae4-3fd21f7b0fed")
    boston = replace(made.record().address, city="Boston", state="MA")
    known.keep_reading(made, replace(made.record(), name="Harbor General", address=boston), clock.now())
    page = shown.page(Organization.objects.get(pk=made.pk))
    assert page.compared_heading == f"3 of {len(page.compared) - 1} readable fields differ"  # but the destination ID
    assert page.suspicion == "Name, City and State all differ: probably another organization."
