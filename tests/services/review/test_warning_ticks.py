"""A tick belongs to the subject of its warning, no matter which other records exist when the button is pressed."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.test import override_settings

from organizations.models import Environment, Intent, Organization, PlanKind, Submission, User
from organizations.services.errors import WarningsOpen
from organizations.services.outbox import plans, submissions
from organizations.services.records import organizations
from organizations.services.review import plan_draft, reviews
from organizations.services.review.plan_draft import ChosenRecords
from organizations.services.review.warnings import ReviewWarning
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.services.sending import store_reading
from tests.services.warning_records import warnings_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

CHILD = f"{BASE}.1"
SITE = BASE.removesuffix(".1.1")
FOREIGN = "2.16.840.1.113883.3.1"


@pytest.fixture(autouse=True)
def bases() -> Iterator[None]:
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=f"{SITE}, 1.2.3")):
        yield


class TestOtherRecordsChange:
    def top(self, user: User, oid: str) -> Organization:
        return factories.accept(factories.organization(oid, user=user))

    def pressed(self, organization: Organization, user: User, others: Callable[[], object]) -> Submission:
        """Press the button of a page whose boxes are all ticked, after other records changed."""
        review = reviews.review(organization, actor=as_actor(user))
        texts = [warning.text for warning in review.warnings]
        others()
        assert [warning.text for warning in warnings_of(organization, user)] != texts
        return factories.press(review, user=user)

    def test_another_new_top_level_record_does_not_outdate_the_tick(self, editor: User) -> None:
        earlier = [factories.organization(f"{SITE}.1.{number}", user=editor) for number in (7, 8)]
        self.top(editor, f"{SITE}.1.9")
        new = factories.organization(user=editor)

        def accept() -> None:
            for each in earlier:
                factories.accept(each)

        assert self.pressed(new, editor, accept).warnings[0]["key"] == "second-top"

    def test_a_record_with_an_open_submission_is_at_the_top_already(self, editor: User) -> None:
        first = factories.organization(user=editor)
        second = factories.organization(f"{SITE}.1.2", user=editor)
        assert warnings_of(second, editor) == []
        submission = factories.submission(first, user=editor)
        assert [warning.key for warning in warnings_of(second, editor)] == ["second-top"]
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))
        assert warnings_of(second, editor) == []

    def test_another_near_duplicate_is_another_warning(self, editor: User) -> None:
        earlier = factories.organization(f"{BASE}.8", user=editor)
        factories.organization(f"{BASE}.9", user=editor, name="Twin")
        new = factories.organization(f"{BASE}.1", user=editor, name="Twin")
        rename = replace(earlier.record(), name="Twin")

        def edit() -> None:
            organizations.edit(earlier.pk, 1, rename, stands_for="", actor=as_actor(editor))

        with pytest.raises(WarningsOpen):
            self.pressed(new, editor, edit)

    def test_another_nearest_record_by_its_oid_is_another_warning(self, editor: User) -> None:
        factories.organization(user=editor)
        new = factories.organization(f"{BASE}.1.1", user=editor, part_of_oid=FOREIGN)
        with pytest.raises(WarningsOpen):
            self.pressed(new, editor, lambda: factories.organization(CHILD, user=editor, name="Nearer"))

    def test_a_tick_in_a_plan_stays_valid_too(self, editor: User) -> None:
        earlier = factories.organization(f"{SITE}.1.7", user=editor)
        self.top(editor, f"{SITE}.1.9")
        new = factories.organization(user=editor)
        selection = ChosenRecords(Environment.STAGING, PlanKind.SEND, (new.pk,))
        draft_before = plan_draft.draft_plan(selection, actor=as_actor(editor))
        factories.accept(earlier)
        draft_after = plan_draft.draft_plan(selection, actor=as_actor(editor))
        assert [question.text for question in draft_before.questions] != [
            question.text for question in draft_after.questions
        ]
        ticked = frozenset(question.key for question in draft_before.questions)
        plan = plans.make_plan(selection, sha256=draft_before.sha256, ticked=ticked, actor=as_actor(editor))
        assert plan.submissions.count() == 1


@pytest.mark.parametrize("key", ["second-top", "destination-elsewhere", "other-environment"])
def test_a_tick_in_a_plan_is_valid_for_each_record_that_the_warning_may_name(key: str) -> None:
    keys = {plan_draft._key(ReviewWarning(key, "value", f"{name} is there already."), 0) for name in ("Pier", "Quay")}
    assert len(keys) == 1


def test_a_tick_in_a_plan_does_not_cover_another_text_with_the_same_value() -> None:
    keys = {plan_draft._key(ReviewWarning("double", "value", f"{name} is there already."), 0) for name in ("A", "B")}
    assert len(keys) == 2


def test_the_second_new_top_level_record_of_a_plan_warns_about_the_first(editor: User) -> None:
    second, first = (factories.organization(f"{SITE}.1.{place}", user=editor) for place in (2, 1))
    selection = ChosenRecords(Environment.STAGING, PlanKind.SEND, (second.pk, first.pk))
    (question,) = plan_draft.draft_plan(selection, actor=as_actor(editor)).questions
    assert (question.key.rpartition("-")[0], question.records) == ("second-top", (second,))
    assert first.name in question.text


@pytest.mark.parametrize("intent", [Intent.DEACTIVATE, Intent.REACTIVATE])
def test_the_active_that_an_intent_changes_needs_no_tick_but_another_value_does(editor: User, intent: Intent) -> None:
    active = intent == Intent.REACTIVATE
    organization = factories.accept(factories.organization(user=editor, contacts=()), active=active)
    organization = store_reading(organization, replace(organization.record(), active=not active, name="By hand"))
    alone = reviews.review(organization, actor=as_actor(editor), intent=intent)
    assert [each.difference.field for each in alone.overwrites] == ["name"]
    assert [warning.value.split()[0] for warning in alone.open_warnings] == ["name"]


def test_the_active_that_an_update_would_overwrite_needs_a_tick(editor: User) -> None:
    organization = factories.accept(factories.organization(user=editor))
    organization = store_reading(organization, replace(organization.record(), active=False))
    update = reviews.review(organization, actor=as_actor(editor))
    assert [each.difference.field for each in update.overwrites] == ["active"]
    assert [warning.value.split()[0] for warning in update.open_warnings] == ["active"]
