"""Create, edit, discard, withdraw: one transaction with its entry, or nothing."""

import json
from dataclasses import replace

import pytest
from django.db import transaction

from organizations.models import (
    Action,
    AuditEntry,
    Event,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    User,
    clock,
)
from organizations.services.errors import ActionRefused, Circle, EditConflict, OidTaken
from organizations.services.outbox import submissions
from organizations.services.records import directory_state, organizations, statements
from organizations.services.review import reviews
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import answer_next, edit, reload

pytestmark = pytest.mark.django_db


def test_a_created_record_and_its_entry_are_stored_together(editor: User) -> None:
    organization = factories.organization(user=editor, aliases=("Lakeside", "LC"))

    entry = AuditEntry.objects.get(organization_id=organization.pk)
    assert (entry.action, entry.actor_name, entry.version_after) == (Action.ORGANIZATION_CREATED, "Editor One", 1)
    assert (
        entry.facts["record"]
        == organization.record().to_json()
        == factories.record(aliases=("Lakeside", "LC")).to_json()
    )
    assert (organization.presence, organization.version, organization.wanted_hash != "") == (Presence.NEVER, 1, True)


def test_the_same_oid_is_free_in_the_other_environment_only(editor: User) -> None:
    factories.organization(user=editor)
    factories.organization(user=editor, environment="production")

    with pytest.raises(OidTaken, match=rf"{BASE} is already the record .* in STAGING\. Open it\."):
        factories.organization(user=editor)
    assert AuditEntry.objects.count() == 2


@pytest.mark.one_database
def test_an_edit_raises_the_version_and_names_what_changed(editor: User) -> None:
    organization = edit(factories.organization(user=editor), editor, name="Lakeside North")

    entry = AuditEntry.objects.get(action=Action.ORGANIZATION_EDITED)
    assert (organization.version, entry.facts["fields"]) == (2, ["name"])
    assert entry.facts["changes"][0]["after"] == "Lakeside North"


@pytest.mark.one_database
def test_saving_without_a_change_stores_nothing(editor: User) -> None:
    organization = factories.organization(user=editor)
    edit(organization, editor)

    assert Organization.objects.get().version == 1
    assert AuditEntry.objects.count() == 1


def test_a_second_editor_never_overwrites_the_first_silently(editor: User) -> None:
    organization = factories.organization(user=editor)
    edit(organization, editor, name="First")

    with pytest.raises(EditConflict):
        organizations.edit(
            organization.pk, 1, replace(organization.record(), name="Second"), stands_for="", actor=as_actor(editor)
        )
    assert Organization.objects.get().name == "First"
    base = organizations.record_at(organization, 1)
    assert base is not None
    assert base.name == organization.name


def test_the_oid_can_change_until_the_first_submission_and_child_records_follow(editor: User) -> None:
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    organization = edit(factories.organization(user=editor), editor, oid=f"{BASE}.7")
    child.refresh_from_db()
    assert (organization.oid, child.part_of_oid, child.version) == (f"{BASE}.7", f"{BASE}.7", 2)

    factories.submission(organization, user=editor)
    assert edit(organization, editor, oid=f"{BASE}.8", name="Other").oid == f"{BASE}.7"


@pytest.mark.one_database
def test_the_oid_cannot_change_while_a_child_record_is_being_sent(editor: User) -> None:
    organization = factories.organization(user=editor)
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    factories.plan([organization, child], user=editor)
    submissions.cancel_submission(
        organization.last_submission_id or Submission.objects.get(oid=BASE).pk, actor=as_actor(editor)
    )
    factories.change_submission(Submission.objects.get(oid=child.oid), state="queued")
    with pytest.raises(ActionRefused, match="must end first"):
        edit(organization, editor, oid=f"{BASE}.7")
    child.refresh_from_db()
    assert child.part_of_oid == BASE


@pytest.mark.one_database
def test_active_is_not_edited(editor: User) -> None:
    organization = edit(factories.organization(user=editor), editor, active=False, name="Other")
    assert organization.active


def test_contacts_are_replaced_as_a_whole_in_their_order(editor: User) -> None:
    contacts = tuple(factories.record().contacts[0].__class__(purpose="Technical", name=name) for name in "CAB")
    organization = edit(factories.organization(user=editor), editor, contacts=contacts)
    assert [contact.name for contact in Organization.objects.get(pk=organization.pk).contacts.all()] == ["C", "A", "B"]


def test_withdrawing_frees_the_oid_and_keeps_the_history(editor: User) -> None:
    organization = factories.organization(user=editor)
    organizations.withdraw(organization.pk, organization.version, actor=as_actor(editor))

    assert not Organization.objects.exists()
    assert AuditEntry.objects.get(action=Action.ORGANIZATION_WITHDRAWN).facts["record"]["oid"] == BASE
    factories.organization(user=editor)


@pytest.mark.one_database
def test_a_record_with_a_cancelled_submission_is_never_withdrawn(editor: User) -> None:
    organization = factories.organization(user=editor)
    submission = factories.submission(organization, user=editor)
    submissions.cancel_submission(submission.pk, actor=as_actor(editor))

    with pytest.raises(ActionRefused) as fault:
        organizations.withdraw(organization.pk, organization.version, actor=as_actor(editor))
    assert str(fault.value) == (
        "A submission of this record was cancelled before anything was sent. The record is kept, because its history"
        " names that submission."
    )


@pytest.mark.one_database
def test_a_record_was_only_cancelled_if_all_its_submissions_were_cancelled(editor: User) -> None:
    organization = factories.organization(user=editor)
    assert not organizations.was_only_cancelled(organization)
    for _ in range(2):
        submission = factories.submission(organization, user=editor)
        organization.refresh_from_db()
        assert not organizations.was_only_cancelled(organization)
        submissions.cancel_submission(submission.pk, actor=as_actor(editor))
        organization.refresh_from_db()
        assert organizations.was_only_cancelled(organization)
    factories.change_submission(submission, state=State.REJECTED, attempt=1)
    assert not organizations.was_only_cancelled(organization)


def test_a_record_with_children_is_not_withdrawn(editor: User) -> None:
    parent = factories.organization(user=editor)
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    with pytest.raises(ActionRefused, match="Records are part of this one"):
        organizations.withdraw(parent.pk, parent.version, actor=as_actor(editor))


@pytest.mark.parametrize(
    ("part_of_oid", "sentence"),
    [
        (BASE, "A record cannot be part of itself."),
        (f"{BASE}.1.1", "Lakeside 1 is below this record. That would make a circle."),
        ("2.16.840.1.113883.3.6147.458.2", ""),
    ],
)
def test_part_of_never_forms_a_circle(editor: User, part_of_oid: str, sentence: str) -> None:
    factories.organization(user=editor)
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    factories.organization(f"{BASE}.1.1", user=editor, part_of_oid=f"{BASE}.1")
    assert organizations.parent_error("staging", BASE, part_of_oid) == sentence


def test_no_save_closes_a_circle(editor: User) -> None:
    organization = factories.organization(user=editor)
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    with pytest.raises(Circle):
        edit(organization, editor, part_of_oid=f"{BASE}.1")
    with pytest.raises(ActionRefused):
        edit(organization, editor, part_of_oid=BASE)
    # The OID of the first record's parent becomes a record of ours later.
    factories.organization(f"{BASE}.8", user=editor, part_of_oid=f"{BASE}.9")
    with pytest.raises(Circle):
        factories.organization(f"{BASE}.9", user=editor, part_of_oid=f"{BASE}.8")
    assert Organization.objects.get(pk=organization.pk).version == 1
    assert not Organization.objects.filter(oid=f"{BASE}.9").exists()


def test_the_suggested_oid_is_free_and_is_not_a_patient_or_document_oid(editor: User) -> None:
    factories.organization(user=editor)
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    assert str(organizations.suggest_oid("staging", BASE)) == f"{BASE}.2"
    # ...99999.1.1.2 and .3 would be the branches of patient and document OIDs.
    site = BASE.removesuffix(".1.1")
    assert not str(organizations.suggest_oid("staging", site)).endswith((".2", ".3"))


def test_an_oid_that_was_sent_is_never_suggested(editor: User) -> None:
    organization = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    factories.submission(organization, user=editor, reason="Test")
    Organization.objects.filter(pk=organization.pk).update(oid=f"{BASE}.7")
    assert str(organizations.suggest_oid("staging", BASE)) == f"{BASE}.2"


@pytest.mark.one_database
class TestAfterAcceptance:
    def test_discarded_edits_do_not_make_anyone_an_author_of_the_next_message(self, editor: User) -> None:
        organization = edit(
            factories.accepted_organization(user=editor), factories.UserFactory(role="editor"), name="Not to be sent"
        )
        organization = organizations.discard(organization.pk, organization.version, actor=as_actor(editor))
        organization = edit(organization, editor, name="Lakeside North")
        assert factories.submission(organization, user=editor).authors == [editor.pk]

    def test_edits_that_a_deactivation_leaves_out_keep_their_editor(self, editor: User) -> None:
        other = factories.UserFactory(role="editor")
        organization = edit(factories.accepted_organization(user=editor), other, name="Saved, not sent")
        factories.submission(organization, user=editor, intent=Intent.DEACTIVATE)
        answer_next()
        assert factories.submission(organization, user=editor).authors == sorted([editor.pk, other.pk])

    def test_discarding_restores_the_accepted_values(self, editor: User) -> None:
        organization = edit(factories.accepted_organization(user=editor), editor, name="Not to be sent")
        assert reload(organization).open_work == "changes_not_sent"
        organization_after = reload(
            organizations.discard(organization.pk, organization.version, actor=as_actor(editor))
        )
        assert (organization_after.name, organization_after.changes, organization_after.open_work) == (
            "Lakeside 1",
            0,
            "",
        )

    def test_nothing_is_discarded_while_a_submission_is_open(self, editor: User) -> None:
        organization = edit(factories.accepted_organization(user=editor), editor, name="Sent soon")
        factories.submission(organization, user=editor)
        with pytest.raises(ActionRefused, match="is not finished"):
            organizations.discard(organization.pk, organization.version, actor=as_actor(editor))

    def test_two_editors_start_from_what_was_saved_not_from_what_a_deactivation_sends(self, editor: User) -> None:
        organization = factories.accepted_organization(user=editor)
        record = replace(organization.record(), name="Saved, not sent")
        saved_record = organizations.edit(
            organization.pk, organization.version, record, stands_for="location", actor=as_actor(editor)
        )
        factories.submission(saved_record, user=editor, intent=Intent.DEACTIVATE)

        edit(saved_record, editor, name="Later")

        base = organizations.record_at(saved_record, saved_record.version)
        assert base == replace(record, active=False)
        assert organizations.stands_for_at(saved_record, saved_record.version) == "location"


@pytest.mark.one_database
def test_a_record_with_a_queued_new_cannot_be_stated_as_registered(editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor).organization
    with pytest.raises(ActionRefused, match="was already made"):
        statements.state_registered(submission.pk, reason="Registered with curl.", actor=as_actor(editor))
    assert reload(submission).presence == Presence.NEVER


DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"


@pytest.mark.one_database
@pytest.mark.parametrize("destination", [("", "none"), (DESTINATION, "dashboard")])
def test_a_destination_id_that_an_edit_enters_first_has_its_source_and_is_not_a_change(
    editor: User, destination: tuple[str, str]
) -> None:
    unknown = replace(factories.record(), destination_known=False)
    organization = factories.seen_organization(unknown, user=editor)
    said = replace(unknown, destination_id=destination[0], destination_known=True)
    organization = organizations.edit(
        organization.pk, 1, said, stands_for="", destination_source=destination[1], actor=as_actor(editor)
    )
    assert (organization.destination_id, organization.destination_source) == destination
    assert organization.changes == 0
    assert AuditEntry.objects.latest("sequence").facts["details"] == {"destination_source": destination[1]}
    other_name = replace(said, name="By hand")
    organization = organizations.edit(organization.pk, 2, other_name, stands_for="", actor=as_actor(editor))
    assert organization.destination_source == destination[1]


@pytest.mark.one_database
def test_a_destination_id_that_was_known_and_changes_has_no_source(editor: User) -> None:
    unknown = replace(factories.record(), destination_known=False)
    organization = factories.seen_organization(unknown, user=editor)
    none = replace(unknown, destination_known=True)
    edits = [(none, "none"), (replace(none, destination_id=DESTINATION), "dashboard")]
    for version, (record, source) in enumerate(edits, start=1):
        organization = organizations.edit(
            organization.pk, version, record, stands_for="", destination_source=source, actor=as_actor(editor)
        )
    assert (organization.destination_id, organization.destination_source) == (DESTINATION, "")
    assert organization.changes == 1


@pytest.mark.one_database
def test_carried_keys_survive_an_edit_and_are_sent(editor: User) -> None:
    carried = (("Endpoints", '[{"Name":"XCPD"}]'), ("ManagingOrg", '"Redox"'), ("Type", '{"Value":"Connection"}'))
    record = replace(factories.record(), destination_known=False, carried=carried)
    organization = factories.seen_organization(record, user=editor)
    typed = factories.record(name="Lakeside North")
    organization = organizations.edit(
        organization.pk, organization.version, typed, stands_for="", actor=as_actor(editor)
    )

    goes = json.loads(reviews.review(organization).message)["Organizations"][0]
    assert (goes["Endpoints"], goes["Type"]) == ([{"Name": "XCPD"}], {"Value": "Connection"})
    assert "ManagingOrg" not in goes


@pytest.mark.one_database
@pytest.mark.parametrize("destination_id", ["", DESTINATION])
def test_nothing_that_the_directory_had_under_the_old_oid_is_sent_with_a_new_one(
    editor: User, destination_id: str
) -> None:
    carried = (("Endpoints", '[{"Name":"XCPD"}]'), ("Type", '{"Value":"Connection"}'))
    shown = replace(factories.record(), destination_known=False, carried=carried)
    organization = factories.seen_organization(shown, user=editor)
    with transaction.atomic():
        directory_state.mark_absent(organization, clock.now())
    typed = replace(
        shown, oid=f"{BASE}.7", destination_id=destination_id, destination_known=destination_id != "", carried=()
    )
    organization = organizations.edit(
        organization.pk, 1, typed, stands_for="", destination_source="memory", actor=as_actor(editor)
    )

    entry = AuditEntry.objects.latest("sequence")
    assert (reload(organization).destination_source, entry.facts.get("details")) == ("", None)
    submission = factories.submission(organization, user=editor)
    (sent,) = json.loads(bytes(submission.message))["Organizations"]
    assert (submission.event, sent["DestinationID"]) == (Event.NEW, destination_id or None)
    assert sent.keys().isdisjoint({"Endpoints", "Type"})


@pytest.mark.one_database
def test_an_oid_that_was_sent_for_another_record_is_never_used_again(editor: User) -> None:
    """A record never loses an OID that was sent. If its row loses it, the outbox still has it."""
    organization = factories.organization(user=editor)
    factories.submission(organization, user=editor)
    Organization.objects.filter(pk=organization.pk).update(oid=f"{BASE}.7")
    sentence = rf"^{BASE} was sent earlier for Lakeside 1\. An OID is never used again\.$"
    with pytest.raises(OidTaken, match=sentence):
        factories.organization(user=editor)
