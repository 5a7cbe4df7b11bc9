"""Pages of a record for which the directory shows another Active, or another value of a key without a field."""

from dataclasses import replace

import pytest

from organizations.models import Environment, Intent, Organization, PlanKind, User
from organizations.pages.record import summary
from organizations.pages.review import values
from organizations.queries.record_entries import is_active_taken
from organizations.services.directory import differences
from organizations.services.review import plan_draft, reviews
from organizations.text import evidence
from tests import factories
from tests.changes import load, store_reading, store_reading_with
from tests.factories import BASE, as_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def inactive_there(editor: User) -> Organization:
    """An accepted record that the directory shows with Active = false."""
    return store_reading_with(factories.accept(factories.organization(user=editor)), active=False)


def test_a_key_is_not_called_sent_back_if_another_value_is_sent(editor):
    organization = factories.organization(user=editor)
    Organization.objects.filter(pk=organization.pk).update(carried={"Type": '"Clinic"'})
    organization = factories.accept(organization)
    organization = store_reading(organization, replace(organization.record(), carried=(("Type", '"Hospital"'),)))
    review = reviews.review(organization, actor=as_actor(editor))
    (row,) = values.key_rows(review)
    assert dict(review.record.carried)["Type"] == row.directory or not row.is_sent_back


def test_a_record_is_not_called_active_after_active_false_was_taken(inactive_there, editor):
    version = inactive_there.version
    differences.take_directory_values(inactive_there.pk, version, reason="Closed", actor=as_actor(editor))
    organization = load(inactive_there)
    assert organization.standing == "deactivated"
    assert evidence.status_sentence(organization, is_taken=is_active_taken(organization)).startswith(
        "The directory showed this record when the portal asked"
    )
    assert summary.status_basis(organization).startswith("Taken from the directory, asked ")
    assert reviews.review(organization, actor=as_actor(editor), intent=Intent.REACTIVATE).blockers == ()


def test_a_deactivation_does_not_claim_to_change_active_if_the_directory_shows_false(inactive_there, editor):
    review = reviews.review(inactive_there, actor=as_actor(editor), intent=Intent.DEACTIVATE)
    assert review.nothing_differs
    assert [each.difference.field for each in reviews.review(inactive_there).overwrites] == ["active"]
    assert "true to false" not in review.summary


def test_a_branch_can_be_deactivated_if_the_directory_shows_one_record_inactive(editor):
    top = factories.accept(factories.organization(user=editor))
    below = factories.accept(factories.organization(f"{BASE}.8", user=editor, part_of_oid=BASE))
    store_reading(below, replace(below.record(), active=False))
    draft = plan_draft.draft_plan(plan_draft.choose_branch(top, PlanKind.DEACTIVATE), actor=as_actor(editor))
    assert draft.environment == Environment.STAGING
    assert top in [review.organization for review in draft.reviews]
