"""Which edit a review names for a change: only an edit that changed that value."""

from dataclasses import replace

import pytest

from organizations.models import Event, Organization, Presence, User
from organizations.pages.record import to_do
from organizations.pages.submission.state import submitted_changes
from organizations.records import ContactRecord
from organizations.services.directory import differences
from organizations.services.review import reviews
from tests import factories
from tests.factories import UserFactory, as_actor
from tests.services.sending import edit, store_reading

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

EXTRA = ContactRecord(purpose="Technical", name="Desk", work_phone="+16085550111")


@pytest.fixture
def accepted(editor: User) -> Organization:
    return factories.accept(factories.organization(user=editor))


@pytest.fixture
def second(db: None) -> User:
    return UserFactory(role="editor", first_name="Editor", last_name="Two")


def with_two_contacts(user: User) -> tuple[Organization, ContactRecord]:
    """An accepted record with its first contact and EXTRA, and that first contact."""
    organization = factories.organization(user=user)
    (first,) = organization.record().contacts
    return factories.accept(edit(organization, user, contacts=(first, EXTRA))), first


def named(organization: Organization) -> dict[str, int | None]:
    """The person that the next review names for each change."""
    review = reviews.review(Organization.objects.get(pk=organization.pk))
    return {each.difference.field: each.entry.actor_id if each.entry else None for each in review.changes}


def overwritten(organization: Organization) -> dict[str, int | None]:
    """The person that the next review names for each value of the directory that it overwrites."""
    review = reviews.review(Organization.objects.get(pk=organization.pk))
    return {each.difference.field: each.entry.actor_id if each.entry else None for each in review.overwrites}


@pytest.mark.parametrize("is_added", [True, False], ids=["added on both sides", "edited here, removed there"])
def test_the_editor_of_a_contact_is_named_for_the_values_it_overwrites(editor: User, is_added: bool) -> None:
    organization = factories.organization(user=editor)
    (first,) = organization.record().contacts
    other = replace(EXTRA, work_phone="+16085550122")
    organization = factories.accept(organization if is_added else edit(organization, editor, contacts=(first, EXTRA)))
    edit(organization, editor, contacts=(first, other), name="North")
    store_reading(organization, replace(organization.record(), contacts=(first, EXTRA) if is_added else (first,)))
    assert overwritten(organization) == {"contacts.1.work_phone" if is_added else "contacts.1": editor.pk}


def test_adding_a_contact_does_not_name_its_editor_for_the_contact_before_it(
    accepted: Organization, editor: User, second: User
) -> None:
    (contact,) = accepted.record().contacts
    contact = replace(contact, work_phone="+16085550199")
    edit(accepted, editor, contacts=(contact,))
    edit(accepted, second, contacts=(contact, EXTRA))
    assert named(accepted) == {"contacts.0.work_phone": editor.pk, "contacts.1": second.pk}


def test_adding_a_contact_in_front_names_its_editor_for_those_that_move(
    accepted: Organization, editor: User, second: User
) -> None:
    (contact,) = accepted.record().contacts
    contact = replace(contact, work_phone="+16085550199")
    edit(accepted, editor, contacts=(contact,))
    edit(accepted, second, contacts=(EXTRA, contact))
    assert named(accepted)["contacts.0"] == second.pk


def test_a_second_registration_names_nobody_for_unedited_fields(
    accepted: Organization, editor: User, second: User
) -> None:
    Organization.objects.filter(pk=accepted.pk).update(presence=Presence.ABSENT)
    edit(accepted, second, address=replace(accepted.record().address, street="2 Shore Rd"))
    assert reviews.review(Organization.objects.get(pk=accepted.pk)).event == Event.NEW
    assert {field for field, person in named(accepted).items() if person is not None} == {"address.street"}


@pytest.mark.parametrize("removes", [True, False], ids=["removed here", "only there"])
def test_record_and_review_name_the_same_person_for_each_value_of_a_claimed_record(editor: User, removes: bool) -> None:
    organization = factories.organization(user=editor)
    (contact,) = organization.record().contacts
    if removes:
        edit(organization, editor, contacts=(contact, EXTRA))
    store_reading(organization, replace(organization.record(), contacts=(contact, EXTRA)))
    edit(organization, editor, contacts=(replace(contact, work_phone="+16085550199"),))
    organization = differences.decide_ours(organization.pk, reason="Registered with curl", actor=as_actor(editor))

    by_review = {each.difference.field: each.entry for each in reviews.review(organization).overwrites}
    assert {each.difference.field: each.entry for each in to_do.unsent_changes(organization)} == by_review
    assert {field: entry is not None for field, entry in by_review.items()} == {
        "contacts.0.work_phone": True,
        "contacts.removed.1": removes,
    }


def test_removing_a_contact_names_its_editor(editor: User, second: User) -> None:
    third = replace(EXTRA, name="Bills", work_phone="+16085550122")
    organization, _ = with_two_contacts(editor)
    edit(organization, editor, contacts=(EXTRA,))
    edit(organization, second, contacts=(EXTRA, third))
    assert named(organization)["contacts.removed.0"] == editor.pk


def test_the_editor_of_a_contact_is_named_after_somebody_else_moved_it(editor: User, second: User) -> None:
    organization, first = with_two_contacts(editor)
    edit(organization, editor, contacts=(first, replace(EXTRA, work_phone="+16085550122")))
    edit(organization, second, contacts=(replace(EXTRA, work_phone="+16085550122"),))
    assert named(organization)["contacts.0.work_phone"] == editor.pk


def test_a_submission_names_nobody_for_a_reverted_edit(editor: User, second: User) -> None:
    organization = factories.accepted_organization(user=editor)
    edit(organization, second, name="Other")
    edit(organization, editor, name=organization.name)
    edit(organization, editor, aliases=("North",))
    store_reading(organization, replace(organization.record(), name="Theirs"))
    assert overwritten(organization) == {"name": None}
    submission = factories.submission(Organization.objects.get(pk=organization.pk), user=editor)
    by = {change.field: change.by for change in submitted_changes(submission)}
    assert (by["name"], by["aliases"].partition(",")[0]) == ("not changed here", editor.get_full_name())


def test_removing_an_edited_contact_names_the_remover(editor: User, second: User) -> None:
    organization, first = with_two_contacts(editor)
    edit(organization, editor, contacts=(first, replace(EXTRA, work_phone="+16085550199")))
    edit(organization, second, contacts=(first,))
    assert named(organization) == {"contacts.removed.1": second.pk}


def test_an_edit_of_one_contact_is_not_an_edit_of_another_with_the_same_value(editor: User, second: User) -> None:
    organization, first = with_two_contacts(editor)
    billed = replace(EXTRA, purpose="Billing")
    edit(organization, editor, contacts=(replace(first, purpose="Billing"), EXTRA))
    edit(organization, second, contacts=(replace(first, purpose="Billing"), billed))
    edit(organization, editor, contacts=(billed,))
    assert named(organization) == {"contacts.removed.0": editor.pk, "contacts.0.purpose": second.pk}


def test_an_edit_after_taking_is_named_on_the_submission_too(editor: User, second: User) -> None:
    organization = factories.accepted_organization(user=editor)
    old = organization.name
    organization = store_reading(organization, replace(organization.record(), name="By hand"))
    differences.take_directory_values(organization.pk, organization.version, reason="Theirs", actor=as_actor(second))
    edit(organization, editor, name=old)
    submission = factories.submission(Organization.objects.get(pk=organization.pk), user=editor)
    assert [change.by.partition(",")[0] for change in submitted_changes(submission)] == [editor.get_full_name()]


def test_contact_changes_by_others_are_never_sent_without_a_tick(editor: User, second: User) -> None:
    organization, first = with_two_contacts(editor)
    edit(organization, editor, contacts=(first,))
    edit(organization, editor, contacts=(EXTRA,))  # replaces the contact that was kept
    review = reviews.review(Organization.objects.get(pk=organization.pk), actor=as_actor(second))
    assert named(organization) == {"contacts.removed.0": editor.pk}
    assert "others" in {warning.key for warning in review.warnings}


def test_removing_a_contact_that_was_taken_names_the_remover(editor: User, second: User) -> None:
    organization = factories.accept(factories.organization(user=editor))
    (first,) = organization.record().contacts
    edit(organization, editor, aliases=("North",))
    organization = store_reading(organization, replace(organization.record(), aliases=(), contacts=(first, EXTRA)))
    differences.take_directory_values(organization.pk, organization.version, reason="Theirs", actor=as_actor(editor))
    edit(organization, second, contacts=(first,))
    assert named(organization)["contacts.removed.1"] == second.pk


def test_a_contact_that_both_sides_added_is_a_saved_change(editor: User) -> None:
    organization = factories.organization(user=editor)
    organization = factories.accept(edit(organization, editor, contacts=()))
    edit(organization, editor, contacts=(EXTRA,))
    contact_there = replace(EXTRA, purpose="Billing", name="Bea", work_phone="+16085550122")
    organization = store_reading(organization, replace(organization.record(), contacts=(contact_there,)))
    assert (organization.changes > 0, bool(to_do.unsent_changes(organization))) == (True, True)
