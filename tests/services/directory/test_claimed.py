"""A record that was never accepted but found to be ours: what it is compared with afterwards."""

from dataclasses import replace

import pytest

from organizations.models import Environment, Event, Intent, Organization, PlanKind, User
from organizations.pages.differences import difference_rows as differences_page
from organizations.pages.record import summary as record_page
from organizations.pages.review import message as review_page
from organizations.records import ContactRecord
from organizations.services.directory import differences
from organizations.services.records import organizations
from organizations.services.review import plan_draft, reviews
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import acting
from tests.services.sending import differing, edit, fresh, read

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"


def claimed(user: User, *, destination: str = DESTINATION, **shown: object) -> Organization:
    made = factories.organization(user=user, destination_id=destination)
    made = read(made, replace(made.record(), **({"name": "By hand"} | shown)))  # type: ignore[arg-type]
    return fresh(differences.claim(made.pk, reason="Registered with curl", actor=acting(user)))


def taken(made: Organization, user: User) -> Organization:
    return fresh(differences.take_theirs(made.pk, made.version, reason="Theirs", actor=acting(user)))


def edited(made: Organization, user: User) -> Organization:
    return fresh(edit(made, user, aliases=("North",)))


def warnings(made: Organization) -> set[str]:
    return {warning.key for warning in reviews.review(made).warnings}


def test_after_taking_the_destination_that_nobody_can_read_is_still_ticked(editor: User) -> None:
    made = claimed(editor, destination="")
    assert "destination-unseen" in warnings(made)
    assert "destination-unseen" in warnings(edited(taken(made, editor), editor))


def test_after_taking_it_can_be_deactivated_with_the_saved_destination(editor: User) -> None:
    made = taken(claimed(editor), editor)
    review = reviews.review(made, intent=Intent.DEACTIVATE)
    assert (review.blockers, review.record.destination_id) == ((), DESTINATION)
    chosen = ChosenRecords(Environment.STAGING, PlanKind.DEACTIVATE, (made.pk,))
    assert plan_draft.draft_plan(chosen, actor=acting(editor)).size == 1


def test_discarding_after_taking_keeps_the_saved_destination(editor: User) -> None:
    made = edited(taken(claimed(editor), editor), editor)
    made = organizations.discard(made.pk, made.version, actor=acting(editor))
    assert (made.destination_id, made.destination_known) == (DESTINATION, True)


def test_the_type_that_the_directory_shows_is_taken_and_sent_back(editor: User) -> None:
    made = claimed(editor, carried=(("Type", '"A"'),))
    again = replace(made.record(), name="By hand", carried=(("Type", '"B"'),))
    made = taken(read(made, again), editor)
    assert dict(reviews.review(made).record.carried)["Type"] == '"B"'


def test_what_is_taken_beside_the_fields_is_named_and_nothing_is_called_accepted(editor: User) -> None:
    made = claimed(editor)
    shown = replace(made.record(), name="By hand", carried=(("Type", '"B"'),))
    page = differences_page.differences_content(read(made, shown))
    assert page.wanted_words.endswith("Type, which the form does not have, is taken as well.")
    made = taken(made, editor)
    made = read(made, replace(made.record(), name="By hand again"))
    rows = [row for group in record_page.record_values(made).fields.groups for row in group.rows]
    assert {row.same_note for row in rows} == {"same as taken"}
    assert review_page.review_content(reviews.review(edited(made, editor))).rows[0].directory.note == "same as taken"


def test_the_review_of_a_record_that_is_missing_says_so(editor: User) -> None:
    made = read(factories.confirmed(factories.organization(user=editor)), None)
    (sentence,) = review_page.review_content(reviews.review(made)).sentences
    assert sentence.startswith("No change is saved here, and the directory did not show this OID.")


def test_the_type_of_an_accepted_record_is_sent_back_once_it_was_taken(editor: User) -> None:
    made = edited(taken(differing(editor, name="By hand", carried=(("Type", '"B"'),)), editor), editor)
    assert dict(reviews.review(made).record.carried)["Type"] == '"B"'


def test_taking_a_contact_that_is_listed_first_leaves_no_saved_change(editor: User) -> None:
    first = ContactRecord(purpose="Technical", name="First", work_phone="+16085550199")
    made = factories.confirmed(factories.organization(user=editor))
    made = read(made, replace(made.record(), contacts=(first, *made.record().contacts)))
    assert taken(made, editor).changes == 0


@pytest.mark.parametrize("how", ["claimed", "stated"])
def test_what_is_gone_again_is_a_difference_and_asks_for_a_tick(editor: User, how: str) -> None:
    if how == "claimed":
        made = claimed(editor)
    else:
        new = factories.organization(user=editor)
        made = organizations.state_registered(new.pk, reason="Sent with curl", actor=acting(editor))
    made = read(made, None)
    assert (made.is_missing, made.differs, reviews.review(made).event) == (True, 1, Event.UPDATE)
    assert "missing" in warnings(made)
    assert "Active =" not in record_page.status_basis(made)


def test_a_phone_with_letters_is_the_same_only_as_itself(editor: User) -> None:
    def with_phone(phone: str) -> tuple[ContactRecord, ...]:
        return (ContactRecord(purpose="Technical", name="Desk", work_phone=phone),)

    made = taken(differing(editor, contacts=with_phone("1-800-FLOWERS")), editor)
    assert read(made, replace(made.record(), contacts=with_phone("1-800-HELPNOW"))).differs == 1


def test_a_record_that_the_directory_does_not_show_is_not_said_to_have_other_values(editor: User) -> None:
    made = read(factories.confirmed(factories.organization(user=editor)), None)
    draft = plan_draft.draft_plan(ChosenRecords(Environment.STAGING, PlanKind.SEND, (made.pk,)), actor=acting(editor))
    assert [left.why for left in draft.left_out] == [plan_draft.DIRECTORY_DIFFERS]
    assert "shows" not in plan_draft.DIRECTORY_DIFFERS


def test_a_foreign_record_shows_its_newest_reading(editor: User) -> None:
    made = factories.organization(user=editor)
    made = read(made, replace(made.record(), name="Theirs"))
    differences.disclaim(made.pk, reason="Boston's", actor=acting(editor))
    assert "the directory showed it as Theirs." in record_page.record_values(fresh(made)).note
    assert "the directory did not show it." in record_page.record_values(read(made, None)).note


def test_who_worked_on_a_record_before_it_got_another_oid_is_an_author(editor: User) -> None:
    second = factories.UserFactory(role="editor")
    made = factories.confirmed(edited(factories.organization(user=editor), editor))
    made = read(made, replace(made.record(), name="Theirs"))
    Organization.objects.filter(pk=made.pk).update(presence="absent", presence_at=made.known_at)
    differences.disclaim(made.pk, reason="Boston's", actor=acting(editor))
    made = edit(made, second, oid="2.999.77")
    assert editor.pk in factories.submission(fresh(made), user=second).authors


def test_a_stated_record_that_the_directory_showed_has_no_warning_about_comparing(editor: User) -> None:
    new = factories.organization(user=editor)
    made = organizations.state_registered(new.pk, reason="Sent with curl", actor=acting(editor))
    assert "stated" in warnings(made)
    found = warnings(read(made, replace(made.record(), name="By hand")))
    assert ("overwrite" in found, "stated" in found) == (True, False)


@pytest.mark.parametrize("intent", [None, Intent.DEACTIVATE])
def test_the_type_that_the_directory_shows_now_is_sent_back(editor: User, intent: Intent | None) -> None:
    shown = replace(factories.record("2.999.3"), destination_id="", destination_known=False, carried=(("Type", '"A"'),))
    made = organizations.take_over(shown, "staging", actor=acting(editor))
    record = replace(made.record(), destination_known=True)
    made = organizations.edit(made.pk, made.version, record, stands_for="", actor=acting(editor))
    made = read(factories.confirmed(fresh(made)), replace(shown, carried=(("Type", '"B"'),)))
    assert dict(reviews.review(made, intent=intent).record.carried)["Type"] == '"B"'


def test_who_entered_a_destination_that_a_discard_keeps_stays_an_author(editor: User) -> None:
    second = factories.UserFactory(role="editor")
    shown = replace(factories.record("2.999.3"), destination_id="", destination_known=False)
    made = organizations.take_over(shown, "staging", actor=acting(editor))
    record = replace(made.record(), destination_id=DESTINATION, destination_known=True)
    made = organizations.edit(made.pk, made.version, record, stands_for="", actor=acting(editor))
    made = organizations.discard(made.pk, made.version, actor=acting(second))
    assert editor.pk in factories.submission(fresh(made), user=second).authors
