"""Two records of one organization: linking them, removing the link, and withdrawing one of the two."""

import pytest

from organizations.models import Action, AuditEntry, Organization, User
from organizations.services.errors import ActionRefused, EditConflict, RecordWithdrawn
from organizations.services.records import counterparts, organizations
from tests import factories
from tests.factories import BASE, as_actor

pytestmark = pytest.mark.django_db

OTHER = f"{BASE}.9"


def pair(user: User) -> tuple[Organization, Organization]:
    """A record of each environment, not linked."""
    return factories.organization(user=user), factories.organization(OTHER, user=user, environment="production")


def linked(user: User) -> tuple[Organization, Organization]:
    staging, production = pair(user)
    counterparts.link(staging, production, actor=as_actor(user))
    return Organization.objects.get(pk=staging.pk), Organization.objects.get(pk=production.pk)


def entries(action: Action) -> dict[int, dict[str, object]]:
    """What the entries of this action say about the other record, by the record of the entry."""
    entries_found = AuditEntry.objects.filter(action=action)
    return {entry.organization_id or 0: entry.facts["details"] for entry in entries_found}


def test_a_link_is_in_the_history_of_both_records(editor: User) -> None:
    staging, production = linked(editor)
    assert (staging.counterpart, production.counterpart) == (production, staging)
    assert entries(Action.ORGANIZATION_LINKED) == {
        staging.pk: {"counterpart": counterparts.reference(production)},
        production.pk: {"counterpart": counterparts.reference(staging)},
    }


def test_a_link_leaves_version_and_values_as_they_are(editor: User) -> None:
    versions_before = [each.version for each in pair(editor)]
    Organization.objects.all().delete()
    assert [each.version for each in linked(editor)] == versions_before


def test_neither_side_gets_a_second_counterpart(editor: User) -> None:
    staging, production = linked(editor)
    third = factories.organization(f"{BASE}.1", user=editor)
    fourth = factories.organization(f"{BASE}.2", user=editor, environment="production")
    with pytest.raises(ActionRefused, match=rf"^Lakeside 1 .* already has a counterpart: Lakeside 9, {OTHER}\."):
        counterparts.link(staging, fourth, actor=as_actor(editor))
    with pytest.raises(ActionRefused, match=rf"^Lakeside 9 .* already has a counterpart: Lakeside 1, {BASE}\."):
        counterparts.link(third, production, actor=as_actor(editor))
    with pytest.raises(ActionRefused, match=r"^These two records are already counterparts\.$"):
        counterparts.link(staging, production, actor=as_actor(editor))
    assert AuditEntry.objects.filter(action=Action.ORGANIZATION_LINKED).count() == 2


def test_a_record_that_was_saved_since_it_was_compared_is_not_linked(editor: User) -> None:
    staging, production = pair(editor)
    record = factories.record(OTHER, name="Renamed")
    organizations.edit(production.pk, production.version, record, stands_for="", actor=as_actor(editor))
    with pytest.raises(EditConflict):
        counterparts.link(staging, production, actor=as_actor(editor))
    assert Organization.objects.get(pk=production.pk).counterpart is None


def test_several_pairs_are_linked_together_or_not_at_all(editor: User) -> None:
    pairs = [
        (factories.organization(f"{BASE}.{n}", user=editor), elsewhere)
        for n in (1, 2)
        for elsewhere in [factories.organization(f"{BASE}.{n}", user=editor, environment="production")]
    ]
    stale = counterparts.SeenVersion(pairs[1][1].pk, pairs[1][1].version + 1)
    with pytest.raises(EditConflict):
        counterparts.link_pairs([pairs[0], (pairs[1][0], stale)], actor=as_actor(editor))
    with pytest.raises(ActionRefused, match="already has a counterpart"):
        counterparts.link_pairs([pairs[0], (pairs[0][0], pairs[1][1])], actor=as_actor(editor))
    assert not AuditEntry.objects.filter(action=Action.ORGANIZATION_LINKED).exists()
    assert not Organization.objects.exclude(staging_record=None).exists()

    counterparts.link_pairs(pairs, actor=as_actor(editor))
    assert {each.pk: each.counterpart for each in Organization.objects.filter(environment="staging")} == {
        staging.pk: production for staging, production in pairs
    }
    assert AuditEntry.objects.filter(action=Action.ORGANIZATION_LINKED).count() == 4


def test_a_record_that_was_withdrawn_is_not_linked(editor: User) -> None:
    staging, production = pair(editor)
    organizations.withdraw(staging.pk, staging.version, actor=as_actor(editor))
    with pytest.raises(RecordWithdrawn):
        counterparts.link(staging, production, actor=as_actor(editor))


def test_a_removed_link_is_in_the_history_of_both_records(editor: User) -> None:
    staging, production = linked(editor)
    counterparts.unlink(staging.pk, production.pk, actor=as_actor(editor))
    assert Organization.objects.get(pk=production.pk).staging_record is None
    assert entries(Action.ORGANIZATION_UNLINKED) == {
        staging.pk: {"counterpart": counterparts.reference(production)},
        production.pk: {"counterpart": counterparts.reference(staging)},
    }
    with pytest.raises(ActionRefused, match=r"^These two records are no longer linked\. Nothing was changed\.$"):
        counterparts.unlink(production.pk, staging.pk, actor=as_actor(editor))


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_withdrawn_record_leaves_an_entry_on_its_counterpart(editor: User, environment: str) -> None:
    records = {each.environment: each for each in linked(editor)}
    withdrawn = records.pop(environment)
    (remaining,) = records.values()
    organizations.withdraw(withdrawn.pk, withdrawn.version, actor=as_actor(editor))
    assert Organization.objects.get(pk=remaining.pk).counterpart is None
    assert entries(Action.ORGANIZATION_UNLINKED) == {
        remaining.pk: {"counterpart": counterparts.reference(withdrawn), "is_withdrawn": True}
    }
