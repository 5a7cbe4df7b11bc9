"""A record that was never accepted and then claimed as ours: its baseline, its warnings and its authors."""

from dataclasses import replace

import pytest

from organizations.models import Environment, Event, Intent, Organization, PlanKind, User
from organizations.pages.differences import difference_rows as differences_page
from organizations.pages.record import summary as record_page
from organizations.pages.review import message as review_page
from organizations.records import ContactRecord
from organizations.services.directory import differences
from organizations.services.records import organizations, statements
from organizations.services.review import plan_draft, reviews
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import as_actor
from tests.services.sending import accepted_with_difference, edit, reload, store_reading

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"


def claimed(user: User, *, destination: str = DESTINATION, **values: object) -> Organization:
    organization = factories.organization(user=user, destination_id=destination)
    directory_record = replace(organization.record(), **({"name": "By hand"} | values))  # type: ignore[arg-type]
    organization = store_reading(organization, directory_record)
    return reload(differences.decide_ours(organization.pk, reason="Registered with curl", actor=as_actor(user)))


def taken(organization: Organization, user: User) -> Organization:
    return reload(
        differences.take_directory_values(organization.pk, organization.version, reason="Theirs", actor=as_actor(user))
    )


def edited(organization: Organization, user: User) -> Organization:
    return reload(edit(organization, user, aliases=("North",)))


def warnings(organization: Organization) -> set[str]:
    return {warning.key for warning in reviews.review(organization).warnings}


def test_after_taking_values_the_unreadable_destination_id_still_needs_a_tick(editor: User) -> None:
    organization = claimed(editor, destination="")
    assert "destination-unseen" in warnings(organization)
    assert "destination-unseen" in warnings(edited(taken(organization, editor), editor))


def test_after_taking_values_a_record_is_deactivated_with_the_saved_destination_id(editor: User) -> None:
    organization = taken(claimed(editor), editor)
    review = reviews.review(organization, intent=Intent.DEACTIVATE)
    assert (review.blockers, review.record.destination_id) == ((), DESTINATION)
    selection = ChosenRecords(Environment.STAGING, PlanKind.DEACTIVATE, (organization.pk,))
    assert plan_draft.draft_plan(selection, actor=as_actor(editor)).size == 1


def test_discarding_after_taking_keeps_the_saved_destination(editor: User) -> None:
    organization = edited(taken(claimed(editor), editor), editor)
    organization = organizations.discard(organization.pk, organization.version, actor=as_actor(editor))
    assert (organization.destination_id, organization.destination_known) == (DESTINATION, True)


def test_other_keys_that_are_taken_are_named_and_not_called_accepted(editor: User) -> None:
    organization = claimed(editor)
    directory_record = replace(organization.record(), name="By hand", carried=(("Type", '"B"'),))
    page = differences_page.differences_content(store_reading(organization, directory_record))
    assert page.wanted_words.endswith("Type, which the form does not have, is taken as well.")
    organization = taken(organization, editor)
    organization = store_reading(organization, replace(organization.record(), name="By hand again"))
    rows = [row for group in record_page.record_values(organization).fields.groups for row in group.rows]
    assert {row.same_note for row in rows} == {"same as taken"}
    assert (
        review_page.review_content(reviews.review(edited(organization, editor))).rows[0].directory.note
        == "same as taken"
    )


def test_the_review_of_a_missing_record_warns(editor: User) -> None:
    organization = store_reading(factories.accept(factories.organization(user=editor)), None)
    (sentence,) = review_page.review_content(reviews.review(organization)).sentences
    assert sentence.startswith("No change is saved here, and the directory did not show this OID.")


def test_taking_the_first_contact_leaves_no_unsent_change(editor: User) -> None:
    first = ContactRecord(purpose="Technical", name="First", work_phone="+16085550199")
    organization = factories.accept(factories.organization(user=editor))
    organization = store_reading(
        organization, replace(organization.record(), contacts=(first, *organization.record().contacts))
    )
    assert taken(organization, editor).changes == 0


@pytest.mark.parametrize("how", ["claimed", "stated"])
def test_a_taken_value_that_the_directory_no_longer_shows_differs_and_needs_a_tick(editor: User, how: str) -> None:
    if how == "claimed":
        organization = claimed(editor)
    else:
        new = factories.organization(user=editor)
        organization = statements.state_registered(new.pk, reason="Sent with curl", actor=as_actor(editor))
    organization = store_reading(organization, None)
    assert (organization.is_missing, organization.differs, reviews.review(organization).event) == (
        True,
        1,
        Event.UPDATE,
    )
    assert "missing" in warnings(organization)
    assert "Active =" not in record_page.status_basis(organization)


def test_a_phone_number_with_letters_equals_only_itself(editor: User) -> None:
    def with_phone(phone: str) -> tuple[ContactRecord, ...]:
        return (ContactRecord(purpose="Technical", name="Desk", work_phone=phone),)

    organization = taken(accepted_with_difference(editor, contacts=with_phone("1-800-FLOWERS")), editor)
    assert (
        store_reading(organization, replace(organization.record(), contacts=with_phone("1-800-HELPNOW"))).differs == 1
    )


def test_a_missing_record_is_not_described_as_changed(editor: User) -> None:
    organization = store_reading(factories.accept(factories.organization(user=editor)), None)
    draft = plan_draft.draft_plan(
        ChosenRecords(Environment.STAGING, PlanKind.SEND, (organization.pk,)), actor=as_actor(editor)
    )
    assert [skipped.why for skipped in draft.left_out] == [plan_draft.DIRECTORY_DIFFERS]
    assert "shows" not in plan_draft.DIRECTORY_DIFFERS


def test_a_foreign_record_shows_its_newest_reading(editor: User) -> None:
    organization = factories.organization(user=editor)
    organization = store_reading(organization, replace(organization.record(), name="Theirs"))
    differences.decide_foreign(organization.pk, reason="Boston's", actor=as_actor(editor))
    assert "the directory showed it as Theirs." in record_page.record_values(reload(organization)).note
    assert "the directory did not show it." in record_page.record_values(store_reading(organization, None)).note


def test_a_person_who_edited_before_the_oid_changed_is_an_author(editor: User) -> None:
    second = factories.UserFactory(role="editor")
    organization = factories.accept(edited(factories.organization(user=editor), editor))
    organization = store_reading(organization, replace(organization.record(), name="Theirs"))
    Organization.objects.filter(pk=organization.pk).update(presence="absent", presence_at=organization.known_at)
    differences.decide_foreign(organization.pk, reason="Boston's", actor=as_actor(editor))
    organization = edit(organization, second, oid="2.999.77")
    assert editor.pk in factories.submission(reload(organization), user=second).authors


def test_a_stated_record_that_the_directory_showed_has_no_warning_about_comparing(editor: User) -> None:
    new = factories.organization(user=editor)
    organization = statements.state_registered(new.pk, reason="Sent with curl", actor=as_actor(editor))
    assert "stated" in warnings(organization)
    keys = warnings(store_reading(organization, replace(organization.record(), name="By hand")))
    assert ("overwrite" in keys, "stated" in keys) == (True, False)


@pytest.mark.parametrize("intent", [None, Intent.DEACTIVATE])
def test_the_type_that_the_directory_shows_now_is_sent_back(editor: User, intent: Intent | None) -> None:
    directory_record = replace(
        factories.record("2.999.3"), destination_id="", destination_known=False, carried=(("Type", '"A"'),)
    )
    organization = factories.seen_organization(directory_record, user=editor)
    record = replace(organization.record(), destination_known=True)
    organization = organizations.edit(
        organization.pk, organization.version, record, stands_for="", actor=as_actor(editor)
    )
    organization = store_reading(
        factories.accept(reload(organization)), replace(directory_record, carried=(("Type", '"B"'),))
    )
    assert dict(reviews.review(organization, intent=intent).record.carried)["Type"] == '"B"'


def test_the_editor_of_a_destination_id_that_a_discard_keeps_is_an_author(editor: User) -> None:
    second = factories.UserFactory(role="editor")
    directory_record = replace(factories.record("2.999.3"), destination_id="", destination_known=False)
    organization = factories.seen_organization(directory_record, user=editor)
    record = replace(organization.record(), destination_id=DESTINATION, destination_known=True)
    organization = organizations.edit(
        organization.pk, organization.version, record, stands_for="", actor=as_actor(editor)
    )
    organization = organizations.discard(organization.pk, organization.version, actor=as_actor(second))
    assert editor.pk in factories.submission(reload(organization), user=second).authors
