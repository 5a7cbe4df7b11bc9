"""What the differences page shows before the directory's values are taken."""

from dataclasses import replace

import pytest

from organizations.forms.differences import WhoseForm
from organizations.models import Organization, User
from organizations.pages.differences import difference_rows as shown
from organizations.pages.differences import page as differences_page
from organizations.records import ContactRecord
from organizations.services.directory import differences
from tests import factories
from tests.changes import load, save_edit, store_empty_reading
from tests.changes import store_reading_with as seen
from tests.factories import as_actor
from tests.page_text import controls_in, html_of_page, text_of_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization(editor: User) -> Organization:
    """An accepted record with a saved street, which the directory shows with another name and city."""
    organization = factories.accept(factories.organization(user=editor))
    address = organization.record().address
    save_edit(organization, editor, address=replace(address, street="2 Shore Rd", city="Verona"))
    return seen(organization, name="Lakeside (One)", address=replace(address, city="Middleton"))


def test_each_value_is_shown_three_times(organization):
    rows = [
        (row.label, row.saved, row.accepted, row.directory, row.is_edited)
        for row in shown.differences_content(organization).rows
    ]
    assert rows == [
        ("Name", "Lakeside 1", "Lakeside 1", "Lakeside (One)", False),
        ("City", "Verona", "Madison", "Middleton", True),
    ]


def test_the_page_says_which_values_are_taken_replaced_and_kept(organization, editor):
    page = shown.differences_content(organization)
    assert page.take_label == "Take these 2 values"
    assert page.replaced_words == "1 saved change is replaced by the directory's value: City."
    assert page.stays == ("Street",)
    after = differences.take_directory_values(
        organization.pk, organization.version, reason="Theirs", actor=as_actor(editor)
    )
    assert (after.name, after.city, after.street) == ("Lakeside (One)", "Middleton", "2 Shore Rd")
    assert (shown.differences_content(after).rows, after.changes) == ((), 1)


def test_an_edited_contact_that_the_directory_lacks_is_named_as_replaced(editor):
    first = factories.record().contacts[0]
    extra = ContactRecord(purpose="Technical", name="Desk", work_phone="+16085550111")
    organization = factories.accept(factories.organization(user=editor, contacts=(first, extra)))
    save_edit(organization, editor, contacts=(first, replace(extra, work_phone="+16085550122")))
    page = shown.differences_content(seen(organization, contacts=(first,)))
    assert [(row.is_edited, "+16085550122" in row.saved) for row in page.rows] == [(True, True)]
    assert page.replaced_words.endswith(": Contact 2.")


def test_a_type_that_the_directory_shows_is_taken_and_named(editor):
    organization = factories.accept(factories.organization(user=editor))
    assert "Type" not in shown.differences_content(seen(organization, name="By hand")).wanted_words
    page = shown.differences_content(seen(organization, name="By hand", carried=(("Type", '"prov"'),)))
    assert page.wanted_words.endswith("Type, which the form does not have, is taken as well.")


def test_an_oid_that_the_directory_did_not_show_can_be_sent_again(editor):
    page = shown.differences_content(store_empty_reading(factories.accept(factories.organization(user=editor))))
    assert page.heading == "Lakeside 1: the directory did not show its OID"
    assert page.way_on.startswith("If it was removed there and should be there, send it again.")


def test_without_a_reading_the_page_claims_nothing_about_the_directory(editor):
    organization = factories.accept(factories.organization(user=editor))
    page = shown.differences_content(organization)
    assert page.heading == "Lakeside 1: the directory has not been read"
    assert page.block_reason == "The directory has not been asked about this record, so there is nothing to take."
    seen(organization)
    accepted_since = factories.accept(Organization.objects.get(pk=organization.pk))
    page = shown.differences_content(accepted_since)
    assert page.heading == "Lakeside 1: the directory has not been read since the last acceptance"
    assert page.block_reason == "The directory was last asked before the last acceptance, so there is nothing to take."


def test_an_oid_that_was_never_registered_and_not_shown_is_not_compared(editor):
    page = shown.differences_content(store_empty_reading(factories.organization(user=editor)))
    assert page.heading == "Lakeside 1: the directory did not show its OID"
    assert page.block_reason == "The directory did not show this OID, so there is nothing to take."


def test_another_spelling_is_shown_and_is_not_a_difference(editor):
    organization = factories.accept(factories.organization(user=editor))
    page = shown.differences_content(seen(organization, address=replace(organization.record().address, country="US")))
    assert (page.rows, [row.label for row in page.spelled]) == ((), ["Country"])
    assert page.block_reason.startswith("The directory shows only values that the portal knows")


def test_the_owner_of_an_oid_is_decided_by_comparing_with_the_directory(editor, approver):
    organization = factories.organization(user=editor)
    seen(organization, name="Boston")
    for _ in ("before the decision", "after it"):
        page = shown.differences_content(Organization.objects.get(pk=organization.pk))
        assert [(row.label, row.sent, row.seen) for row in page.differing] == [("Name", "Lakeside 1", "Boston")]
        assert "City" in page.equal_labels
        if not page.is_foreign:
            differences.decide_foreign(organization.pk, reason="Ticket 9", actor=as_actor(approver))
    assert page.decided_by == as_actor(approver).name


def test_the_suspected_owner_of_an_oid_comes_with_its_reason(editor):
    organization = factories.organization(user=editor, destination_id="fcda220c-f449-534e-9ae4-3fd21f7b0fed")
    boston = replace(organization.record().address, city="Boston", state="MA")
    page = shown.differences_content(seen(organization, name="Harbor General", address=boston))
    assert page.compared_heading == f"3 of {len(page.compared) - 1} readable fields differ"  # except the destination ID
    assert page.suspicion.startswith("Name, City ")


# Permissions ------------------------------------------------------------------------------------------------


def test_an_editor_can_take_values_unless_a_submission_is_open(organization, editor, viewer):
    def page_html(user: User) -> str:
        return html_of_page(differences_page.build(load(organization), user, WhoseForm()))

    assert controls_in(page_html(editor))["Take these 2 values"] == ""
    assert controls_in(page_html(viewer))["Take these 2 values"] is None
    assert controls_in(page_html(viewer))["Ask again"] is None
    assert "You cannot take values from the directory in STAGING. Editors and Approvers can: Editor One." in page_html(
        viewer
    )
    submission = factories.submission(organization, user=editor)
    assert f"Submission {submission.pk} " in page_html(editor)
    assert "Take these 2 values" not in controls_in(page_html(editor))


def test_only_an_approver_decides_the_owner_of_an_oid(editor, approver):
    organization = factories.organization(user=editor)
    address = replace(organization.record().address, city="Boston", state="MA")
    seen(organization, name="Harbor General", address=address)
    for user, button, says, who in (
        (editor, None, "An approver decides.", "Approver One"),
        (approver, "", "You decide.", "You can decide."),
    ):
        page = differences_page.build(load(organization), user, WhoseForm())
        assert controls_in(html_of_page(page))["Confirm this decision"] == button
        assert says in text_of_page(page)
        assert who in page.who_decides
