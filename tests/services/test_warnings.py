"""Warnings: each with its exact words where it is right, silent where it is not, and ticked for one value only."""

from dataclasses import replace

import pytest

from organizations.models import Organization, User
from organizations.records import ContactRecord
from organizations.services import organizations, reviews, submissions
from organizations.services.warnings import ReviewWarning
from tests import factories
from tests.factories import BASE, acting

pytestmark = pytest.mark.django_db

SHORE = factories.record().address
NOBODY = ContactRecord(purpose="Technical", name="Integration desk")


def of(made: Organization, user: User) -> list[ReviewWarning]:
    return list(reviews.review(Organization.objects.get(pk=made.pk), actor=acting(user)).warnings)


class TestTicks:
    def ticked(self, user: User, **values: object) -> Organization:
        """A record all of whose warnings were ticked."""
        made = factories.organization(f"{BASE}.1", user=user, **values)
        submissions.cancel(factories.submission(made, user=user).pk, actor=acting(user))
        assert of(made, user)
        assert all(warning.is_accepted for warning in of(made, user))
        return made

    def opened(self, made: Organization, user: User, **values: object) -> list[str]:
        """What is asked again after an edit."""
        now = Organization.objects.get(pk=made.pk)
        record = replace(now.record(), **values)  # type: ignore[arg-type]
        organizations.edit(now.pk, now.version, record, stands_for="", actor=acting(user))
        return [warning.key for warning in of(made, user) if not warning.is_accepted]

    def test_a_text_that_holds_the_same_character_is_asked_for_anew(self, editor: User) -> None:
        made = self.ticked(editor, name="A & B")
        assert self.opened(made, editor, aliases=("Lakeside",)) == []
        assert self.opened(made, editor, name="Cats & Dogs") == ["character"]

    def test_another_person_whom_nobody_can_reach_is_asked_for_anew(self, editor: User) -> None:
        made = self.ticked(editor, contacts=(NOBODY,))
        assert self.opened(made, editor, name="Lakeside North") == []
        assert self.opened(made, editor, contacts=(replace(NOBODY, name="Front office"),)) == ["contact"]

    def test_another_name_shared_with_the_same_record_is_asked_for_anew(self, editor: User) -> None:
        twin = factories.organization(user=editor, name="Lakeside Twin")
        made = self.ticked(editor, name="Lakeside Twin")
        assert self.opened(made, editor, aliases=("Lakeside",)) == []
        Organization.objects.filter(pk=twin.pk).update(name="Lakeside South")
        assert self.opened(made, editor, name="Lakeside South") == ["double"]

    def test_what_is_kept_of_a_long_value_is_short(self, editor: User) -> None:
        made = factories.organization(user=editor, name="&" * 200, contacts=(NOBODY,) * 20)
        assert all(len(warning.value) < 100 for warning in of(made, editor))
