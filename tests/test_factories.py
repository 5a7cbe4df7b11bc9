"""The records that tests start from are those that the services make."""

from dataclasses import replace

import pytest

from organizations.models import Organization, User, clock
from organizations.services.review import reviews
from tests import factories
from tests.factories import BASE, as_actor

CASES = {
    "the first record": ({}, True),
    "below it": ({"oid": f"{BASE}.7", "name": "Quarry Road"}, True),
    "in PRODUCTION": ({"environment": "production"}, False),
    "a warning about its name": ({"name": "Test"}, False),
    "another value": ({"destination_id": "1234"}, False),
    "another parent": ({"part_of_oid": f"{BASE}.7"}, False),
    "an OID of somebody else": ({"oid": "2.16.840.1.113883.3.4"}, False),
}


@pytest.mark.parametrize(("values", "is_plain"), CASES.values(), ids=CASES)
def test_a_plain_record_is_reviewed_as_by_the_service(editor: User, values: dict[str, str], is_plain: bool) -> None:
    organization = factories.organization(user=editor, **values)
    row, actor = Organization.objects.get(pk=organization.pk), as_actor(editor)
    assert factories.is_plain(row, actor, None) == is_plain
    if is_plain:
        review = reviews.review(row, actor=actor)
        changes = tuple(replace(change, entry=None) for change in review.changes)
        assert factories.plain_review(row) == replace(review, changes=changes)
    factories.organization(f"{BASE}.8", user=editor)
    assert not factories.is_plain(row, actor, None)


def test_plain_records_are_submitted_as_by_the_service(editor: User) -> None:
    rows = [factories.organization(f"{BASE}.{number}", user=editor) for number in (1, 2, 17)]
    for row in rows:
        review = reviews.review(row, actor=as_actor(editor))
        changes = tuple(replace(change, entry=None) for change in review.changes)
        assert factories.plain_review(row) == replace(review, changes=changes)
    made = factories.plain_submissions(rows, user=editor)
    assert [each.organization for each in made] == rows
    with pytest.raises(AssertionError):
        factories.plain_submissions([factories.organization(f"{BASE}.3", user=editor, name="Test")], user=editor)


def test_a_record_that_was_edited_seen_or_sent_before_is_not_plain(editor: User, second: User) -> None:
    organization = factories.organization(user=editor)
    assert not factories.is_plain(organization, as_actor(second), None)
    organization.seen_at = clock.now()
    assert not factories.is_plain(organization, as_actor(editor), None)
    factories.submission(organization, user=editor)
    assert not factories.is_plain(Organization.objects.get(), as_actor(editor), None)
