"""What a person can do if the directory differs from the accepted values: take values, or decide who owns the OID."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from organizations.models import Action, AuditEntry, Event, Intent, Organization, User
from organizations.records import ContactRecord, IdentifierRecord
from organizations.services.directory import differences
from organizations.services.errors import ActionRefused, EditConflict, OutOfDate, ReasonMissing
from organizations.services.records import directory_state, organizations
from organizations.services.review import reviews
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import accepted_with_difference, edit, store_reading

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_taking_directory_values_saves_them_as_the_baseline(editor: User) -> None:
    organization = accepted_with_difference(editor, name="By hand")
    assert (organization.differs, organization.changes) == (1, 0)
    after_taking = differences.take_directory_values(
        organization.pk, organization.version, reason="Renamed by the owner", actor=as_actor(editor)
    )

    assert (after_taking.name, after_taking.differs, after_taking.changes, after_taking.version) == (
        "By hand",
        0,
        0,
        organization.version + 1,
    )
    assert reviews.review(after_taking, actor=as_actor(editor)).nothing_differs
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.action, entry.facts["reason"], entry.facts["fields"]) == (
        Action.ORGANIZATION_TAKEN,
        "Renamed by the owner",
        ["name"],
    )


def test_after_taking_directory_values_a_later_edit_is_the_only_change(editor: User) -> None:
    organization = accepted_with_difference(editor, name="By hand")
    after_taking = differences.take_directory_values(
        organization.pk, organization.version, reason="Seen", actor=as_actor(editor)
    )
    edited = edit(after_taking, editor, aliases=("North",))
    review = reviews.review(edited, actor=as_actor(editor))
    assert ([each.difference.field for each in review.changes], review.overwrites) == (["aliases"], ())


def test_discarding_restores_the_values_taken(editor: User) -> None:
    organization = accepted_with_difference(editor, name="By hand")
    after_taking = differences.take_directory_values(
        organization.pk, organization.version, reason="Seen", actor=as_actor(editor)
    )
    edited = edit(after_taking, editor, aliases=("North",))
    discarded = organizations.discard(edited.pk, edited.version, actor=as_actor(editor))
    assert (discarded.name, discarded.aliases, discarded.changes) == ("By hand", [], 0)


def test_taking_values_needs_a_difference_a_reason_and_a_current_page(editor: User) -> None:
    organization = factories.accept(factories.organization(user=editor))
    with pytest.raises(ActionRefused, match="has not been asked about this record"):
        differences.take_directory_values(organization.pk, organization.version, reason="Seen", actor=as_actor(editor))
    organization = store_reading(organization, organization.record())
    with pytest.raises(ActionRefused, match="only values that the portal knows"):
        differences.take_directory_values(organization.pk, organization.version, reason="Seen", actor=as_actor(editor))
    organization = store_reading(organization, replace(organization.record(), name="By hand"))
    with pytest.raises(ReasonMissing):
        differences.take_directory_values(organization.pk, organization.version, reason=" ", actor=as_actor(editor))
    with pytest.raises(EditConflict):
        differences.take_directory_values(
            organization.pk, organization.version - 1, reason="Seen", actor=as_actor(editor)
        )
    organization = store_reading(organization, None)
    with pytest.raises(ActionRefused, match="did not show this OID"):
        differences.take_directory_values(organization.pk, organization.version, reason="Seen", actor=as_actor(editor))


def test_a_new_of_an_oid_that_the_directory_shows_waits_for_a_decision(editor: User) -> None:
    organization = factories.organization(user=editor)
    organization = store_reading(organization, replace(organization.record(), name="Theirs"))
    review = reviews.review(organization)
    assert ([blocker.kind for blocker in review.blockers], review.shows_message) == (["already_there"], False)

    claimed_record = differences.decide_ours(organization.pk, reason="Registered with curl", actor=as_actor(editor))
    review = reviews.review(claimed_record, actor=as_actor(editor))
    assert (review.event, [each.difference.field for each in review.overwrites]) == (Event.UPDATE, ["name"])
    assert AuditEntry.objects.latest("sequence").action == Action.ORGANIZATION_CLAIMED


def test_the_update_after_a_claim_sends_back_keys_that_only_the_directory_has(editor: User) -> None:
    organization = factories.organization(user=editor)
    carried = (("Endpoints", '[{"Name":"Search"}]'), ("Type", '{"Value":"Connection"}'))
    organization = store_reading(organization, replace(organization.record(), name="Theirs", carried=carried))
    differences.decide_ours(organization.pk, reason="Registered with curl", actor=as_actor(editor))

    update = factories.submission(organization, user=editor)
    (sent_record,) = json.loads(bytes(update.message))["Organizations"]
    assert update.event == Event.UPDATE
    assert (sent_record["Type"], sent_record["Endpoints"]) == ({"Value": "Connection"}, [{"Name": "Search"}])


def test_a_person_can_decide_that_the_oid_belongs_to_another_organization(editor: User) -> None:
    organization = factories.organization(user=editor)
    organization = store_reading(organization, replace(organization.record(), name="Theirs"))
    foreign = differences.decide_foreign(organization.pk, reason="Ticket 7", actor=as_actor(editor))
    assert (foreign.foreign_name, foreign.can_change_oid) == ("Theirs", True)
    assert [blocker.kind for blocker in reviews.review(foreign).blockers] == ["foreign"]


def test_only_a_recent_answer_decides_who_owns_an_oid(editor: User) -> None:
    organization = factories.organization(user=editor)
    with pytest.raises(ActionRefused, match="nothing to decide"):
        differences.decide_foreign(organization.pk, reason="Guessed", actor=as_actor(editor))
    organization = store_reading(organization, replace(organization.record(), name="Theirs"), minutes_ago=11)
    for decide in (differences.decide_ours, differences.decide_foreign):
        with pytest.raises(ActionRefused, match="Ask the directory first"):
            decide(organization.pk, reason="Old", actor=as_actor(editor))


@pytest.mark.parametrize(
    "values",
    [
        {"part_of_oid": ""},
        {"part_of_oid": BASE},
        {"part_of_oid": "1.2." + "3" * 80},
        {"name": "N" * 201},
        {"contacts": (ContactRecord(purpose="Technical", work_phone="+1 (608) 555-0100 extension 12345"),)},
        {"contacts": tuple(ContactRecord(purpose="Technical", name=f"Desk {place}") for place in range(21))},
        {"identifiers": (IdentifierRecord(kind="NPI", value="1" * 501),)},
    ],
)
def test_values_that_do_not_fit_a_record_are_not_taken(editor: User, values: dict[str, Any]) -> None:
    organization = accepted_with_difference(editor, **values)
    with pytest.raises(ActionRefused, match=r"The directory shows|in the directory"):
        differences.take_directory_values(organization.pk, organization.version, reason="Seen", actor=as_actor(editor))
    assert Organization.objects.get(pk=organization.pk).version == organization.version


def test_a_record_with_a_new_oid_does_not_keep_the_keys_of_another_organization(editor: User) -> None:
    organization = factories.organization(user=editor)
    directory_record = replace(
        organization.record(), name="Theirs", carried=(("Endpoints", '[{"Address": "https://boston.example"}]'),)
    )
    differences.decide_ours(store_reading(organization, directory_record).pk, reason="Ticket 9", actor=as_actor(editor))
    row = Organization.objects.get(pk=organization.pk)
    assert row.carried
    directory_state.mark_foreign(row, directory_record, timezone.now())
    assert Organization.objects.get(pk=organization.pk).carried == {}


@pytest.mark.parametrize("decide", [differences.decide_ours, differences.decide_foreign])
def test_only_the_answer_that_the_person_saw_decides_who_owns_an_oid(editor: User, decide: Any) -> None:
    organization = factories.organization(user=editor)
    seen_at = store_reading(organization, replace(organization.record(), name="Theirs"), minutes_ago=5).seen_at
    current = store_reading(organization, replace(organization.record(), name="Somebody else"))
    with pytest.raises(OutOfDate, match="asked again"):
        decide(organization.pk, reason="Ticket 9", actor=as_actor(editor), asked_at=seen_at)
    decide(organization.pk, reason="Ticket 9", actor=as_actor(editor), asked_at=current.seen_at)


def test_a_place_that_was_taken_counts_as_the_place_in_the_directory(editor: User) -> None:
    """Otherwise the new parent could be moved below the record, and the circle would not be detected."""
    other = factories.accept(factories.organization(f"{factories.BASE}.8", user=editor))
    organization = accepted_with_difference(editor, part_of_oid=other.oid)
    after_taking = differences.take_directory_values(
        organization.pk, organization.version, reason="Moved by the owner", actor=as_actor(editor)
    )
    edit(after_taking, editor, part_of_oid=factories.record().part_of_oid)
    other = edit(other, editor, part_of_oid=organization.oid)
    assert [blocker.kind for blocker in reviews.review(other).blockers] == ["circle"]


def test_a_claimed_record_is_deactivated_with_the_values_of_the_directory(editor: User) -> None:
    organization = factories.organization(user=editor, destination_id="d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10")
    directory_record = replace(
        organization.record(), name="By hand", destination_id="", carried=(("Type", '"Clinic"'),)
    )
    organization = store_reading(organization, directory_record)
    organization = differences.decide_ours(organization.pk, reason="Registered with curl", actor=as_actor(editor))
    organization = edit(organization, editor, name="Saved and not reviewed", aliases=("North",))
    Organization.objects.filter(pk=organization.pk).update(
        carried=organization.carried | {"Endpoints": '[{"Name":"Search"}]'}
    )

    submission = factories.submission(organization, user=editor, intent=Intent.DEACTIVATE)
    message = json.loads(bytes(submission.message))["Organizations"][0]
    assert (message["Name"], message["Active"], message["Type"]) == ("By hand", False, "Clinic")
    assert (message["DestinationID"], message["Endpoints"]) == (organization.destination_id, [{"Name": "Search"}])
    assert "Aliases" not in message

    organization = factories.accept(organization, submission=submission, active=False, name="By hand", aliases=())
    assert (organization.name, organization.changes) == ("Saved and not reviewed", 2)
