"""Repeat a record of STAGING in PRODUCTION: what is copied, what is proposed, and when it is refused."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from organizations.models import Action, AuditEntry, Environment, Organization, Presence, User, clock
from organizations.records import IdentifierRecord, OrganizationRecord, difference
from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services.directory import differences
from organizations.services.errors import Circle, CounterpartExists, RecordWithdrawn, SourceChanged
from organizations.services.records import counterparts, directory_state, organizations, prepare
from organizations.services.records.prepare import Doubt, FormBasis, SourceKind, StagingSource
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.services.sending import reload, store_record_answer

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OWN, THEIRS = BASE, "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
MOMENT = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)
DESTINATION = "5e3dc12b-0000-4f6e-8a6f-7a1b2c3d4e5f"


def prepared(staging: Organization, user: User, oid: str = THEIRS, **values: Any) -> Organization:
    basis = values.pop("basis", prepare.source_of(staging).record)
    part_of = values.pop("part_of_oid", GATEWAY_OID)
    record = replace(prepare.without_own_keys(basis or factories.record()), oid=oid, part_of_oid=part_of)
    goes_round = FormBasis(values.pop("filled", basis), basis, values.pop("doubt", ""))
    return prepare.prepare(record, staging.pk, basis=goes_round, stands_for="location", actor=as_actor(user))


def test_the_accepted_values_are_copied_and_not_the_saved_ones(editor: User) -> None:
    accepted = factories.accept(factories.organization(user=editor, name="Accepted"))
    record = replace(accepted.record(), name="Only saved")
    saved_record = organizations.edit(accepted.pk, accepted.version, record, stands_for="", actor=as_actor(editor))
    source = prepare.source_of(saved_record)
    assert (source.kind, source.record.name) == (SourceKind.ACCEPTED, "Accepted")


def test_without_an_acceptance_the_saved_values_are_copied(editor: User) -> None:
    source = prepare.source_of(factories.organization(user=editor, name="Saved"))
    assert (source.kind, source.record.name) == (SourceKind.SAVED, "Saved")


def test_values_taken_from_the_directory_are_copied(editor: User) -> None:
    organization = factories.seen_organization(factories.record(name="Seen"), user=editor)
    source = prepare.source_of(organization)
    assert (source.kind, source.record.name) == (SourceKind.TAKEN, "Seen")


def test_oid_destination_id_and_keys_of_the_directory_are_not_copied() -> None:
    identifiers = (IdentifierRecord(kind="FACID", value="7"),)
    whole = replace(
        factories.record(), identifiers=identifiers, destination_id=DESTINATION, carried=(("Endpoints", "[]"),)
    )
    assert prepare.without_own_keys(whole) == replace(whole, oid="", destination_id="", carried=())
    assert prepare.without_own_keys(OrganizationRecord(destination_known=False)) == OrganizationRecord()


def test_a_prepared_record_and_its_source_are_counterparts(editor: User) -> None:
    staging = factories.organization(user=editor)
    submission = factories.submission(staging, user=editor)
    staging = factories.accept(staging, submission=submission)
    production = prepared(staging, editor)
    assert (production.environment, production.oid, production.version) == ("production", THEIRS, 1)
    assert reload(staging).counterpart == production
    created, *linked = AuditEntry.objects.order_by("-sequence")[:3][::-1]
    assert (created.action, created.organization_id) == (Action.ORGANIZATION_CREATED, production.pk)
    source = counterparts.reference(staging) | {"values": "accepted", "submission": submission.pk}
    assert created.facts["details"] == {"prepared_from": source}
    assert created.facts["fields"] == [each.field for each in difference(None, production.record())]
    assert [(each.action, each.organization_id) for each in linked] == [
        (Action.ORGANIZATION_LINKED, production.pk),
        (Action.ORGANIZATION_LINKED, staging.pk),
    ]


def test_the_entry_names_no_submission_that_the_form_was_not_filled_from(editor: User) -> None:
    staging = factories.organization(user=editor)
    staging = factories.accept(staging, submission=factories.submission(staging, user=editor))
    production = prepared(staging, editor, filled=factories.record(name="As it was before"))
    created = AuditEntry.objects.get(action=Action.ORGANIZATION_CREATED, organization_id=production.pk)
    source = counterparts.reference(staging) | {"values": "earlier"}
    assert created.facts["details"] == {"prepared_from": source}


def test_the_entry_names_no_submission_for_values_taken_from_the_directory(editor: User) -> None:
    staging = factories.organization(user=editor)
    staging = factories.accept(staging, submission=factories.submission(staging, user=editor))
    store_record_answer(staging, replace(staging.record(), name="Seen"))
    staging = differences.take_directory_values(
        staging.pk, reload(staging).version, reason="Seen", actor=as_actor(editor)
    )
    production = prepared(staging, editor)
    created = AuditEntry.objects.get(action=Action.ORGANIZATION_CREATED, organization_id=production.pk)
    source = counterparts.reference(reload(staging)) | {"values": "taken"}
    assert created.facts["details"] == {"prepared_from": source}


def test_a_record_is_not_prepared_twice(editor: User) -> None:
    staging = factories.accept(factories.organization(user=editor))
    prepared(staging, editor)
    with pytest.raises(CounterpartExists):
        prepared(staging, editor, f"{THEIRS}.2")
    assert Organization.objects.in_environment("production").count() == 1


def test_a_new_acceptance_since_the_form_is_refused(editor: User) -> None:
    staging = factories.accept(factories.organization(user=editor))
    basis = prepare.source_of(staging).record
    factories.accept(staging, name="Accepted meanwhile")
    with pytest.raises(SourceChanged):
        prepared(staging, editor, basis=basis)
    with pytest.raises(SourceChanged):
        prepared(staging, editor, basis=None)
    assert not Organization.objects.in_environment("production").exists()
    prepared(reload(staging), editor)


def test_a_doubt_that_the_form_did_not_show_is_refused(editor: User) -> None:
    staging = factories.accept(factories.organization(user=editor))
    directory_state.mark_absent(staging, clock.now())
    basis = prepare.source_of(reload(staging)).record
    for doubt_shown in (Doubt.NONE, Doubt.UNKNOWN):
        with pytest.raises(SourceChanged):
            prepared(reload(staging), editor, basis=basis, doubt=doubt_shown)
    assert prepared(reload(staging), editor, basis=basis, doubt=Doubt.ABSENT).staging_record_id == staging.pk


def test_a_doubt_that_ended_after_the_form_showed_it_is_ignored(editor: User) -> None:
    staging = factories.accept(factories.organization(user=editor))
    assert prepared(staging, editor, doubt=Doubt.ABSENT).staging_record_id == staging.pk


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ({}, Doubt.NONE),
        ({"foreign_since": MOMENT, "presence": Presence.ABSENT}, Doubt.FOREIGN),
        ({"seen": "{}", "seen_at": MOMENT}, Doubt.UNCLAIMED),
        ({"presence": Presence.ABSENT}, Doubt.ABSENT),
        ({"presence": Presence.UNKNOWN}, Doubt.UNKNOWN),
        ({"presence": Presence.PRESENT}, Doubt.NONE),
        ({"presence": Presence.PRESENT, "seen_at": MOMENT}, Doubt.UNSEEN),
    ],
)
def test_each_doubt_about_the_record_of_staging_is_detected(values: dict[str, Any], doubt: Doubt) -> None:
    assert StagingSource(Organization(**values), SourceKind.SAVED, factories.record()).doubt == doubt


def test_only_a_second_press_with_the_same_values_by_the_same_person_finds_the_record(editor: User) -> None:
    staging = factories.accept(factories.organization(user=editor))
    record = factories.record(THEIRS, name=staging.name)

    def found(record: OrganizationRecord = record, stands_for: str = "location", user: User = editor) -> Any:
        return prepare.prepared_before(record, reload(staging), stands_for=stands_for, actor=as_actor(user))

    assert found() is None
    organization = prepared(staging, editor)
    assert found() == organization
    assert found(user=factories.UserFactory(role="editor")) is None
    assert found(stands_for="") is None
    renamed = replace(record, name="Renamed")
    assert found(renamed) is None
    organizations.edit(organization.pk, 1, renamed, stands_for="location", actor=as_actor(editor))
    assert found(renamed) is None  # a later editor did not press the button twice


def test_a_record_that_was_linked_by_hand_was_not_prepared(editor: User) -> None:
    staging = factories.organization(user=editor)
    other = factories.organization(THEIRS, user=editor, environment="production")
    counterparts.link(staging, other, actor=as_actor(editor))
    assert prepare.prepared_before(other.record(), reload(staging), stands_for="", actor=as_actor(editor)) is None


def test_a_prepared_record_cannot_close_a_circle(editor: User) -> None:
    below = factories.organization(f"{THEIRS}.1", user=editor, environment="production", part_of_oid=THEIRS)
    staging = factories.organization(user=editor)
    with pytest.raises(Circle):
        prepared(staging, editor, part_of_oid=below.oid)
    assert reload(staging).counterpart is None


def test_a_withdrawn_record_is_not_prepared(editor: User) -> None:
    staging = factories.organization(user=editor)
    organizations.withdraw(staging.pk, staging.version, actor=as_actor(editor))
    with pytest.raises(RecordWithdrawn):
        prepared(staging, editor)


@pytest.mark.parametrize(
    ("staging", "production", "oid", "proposal"),
    [
        (OWN, THEIRS, OWN, THEIRS),
        (OWN, THEIRS, f"{OWN}.5.1", f"{THEIRS}.5.1"),
        (f"1.2.3,{OWN},{OWN}.5", f"1.2.4,{THEIRS},1.2.5", f"{OWN}.5.1", "1.2.5.1"),  # the nearest base counts
        (OWN, THEIRS, f"{OWN}5", ""),  # beside the base, not below it
        (OWN, "", OWN, ""),
        ("", THEIRS, OWN, ""),
        (OWN, f"{THEIRS},1.2.3", OWN, ""),  # which of the two belongs to it?
        (OWN, OWN, f"{OWN}.5", ""),  # the same OID is never proposed
        ("1.2", f"1.2.{'3' * 55}", "1.2.4444.55555", ""),  # too long
        (OWN, GATEWAY_OID, OWN, ""),
        (OWN, GATEWAY_OID.rpartition(".")[0], f"{OWN}.{GATEWAY_OID.rpartition('.')[2]}", ""),
        (OWN, "1.2.4", f"{OWN}.5", ""),  # the gateway of PRODUCTION
        (OWN, "1.2.4", f"{OWN}.6", "1.2.4.6"),
    ],
)
def test_an_oid_is_proposed_by_exchanging_the_base(staging: str, production: str, oid: str, proposal: str) -> None:
    bases = {"REDOX_STAGING_BASE_OIDS": staging, "REDOX_PRODUCTION_BASE_OIDS": production}
    bases |= {"REDOX_PRODUCTION_GATEWAY_OID": "1.2.4.5"}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **bases)):
        assert prepare.proposed_oid(oid) == proposal


@pytest.mark.parametrize(
    ("staging", "production", "oid", "is_refused"),
    [
        (OWN, THEIRS, f"{OWN}.5", True),
        (OWN, THEIRS, f"{THEIRS}.5", False),
        (OWN, THEIRS, "1.2.3", False),  # outside both: a warning of the review
        (OWN, f"{OWN}.7", f"{OWN}.7.1", False),
        (OWN, "", f"{OWN}.5", False),  # the settings name no base OID of PRODUCTION
        (OWN, OWN, f"{OWN}.5", False),
    ],
)
def test_an_oid_below_the_base_of_the_other_environment(
    staging: str, production: str, oid: str, is_refused: bool
) -> None:
    bases = {"REDOX_STAGING_BASE_OIDS": staging, "REDOX_PRODUCTION_BASE_OIDS": production}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **bases)):
        assert bool(prepare.other_base_error(Environment.PRODUCTION, oid)) == is_refused


def test_the_parent_is_the_counterpart_of_the_parent(editor: User) -> None:
    above = factories.accept(factories.organization(user=editor))
    below = factories.accept(factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE))
    assert prepare.parent_of(prepare.source_of(below)) == prepare.ProductionParent("", above)
    production = prepared(above, editor)
    assert prepare.parent_of(prepare.source_of(below)) == prepare.ProductionParent(production.oid, above)


@pytest.mark.parametrize(
    ("part_of", "oid"),
    [
        ("1.2.3.4", "1.2.3.5"),
        ("1.2.3.5", "1.2.3.5"),
        (GATEWAY_OID, GATEWAY_OID),
        (GATEWAY_SELF_OID, GATEWAY_SELF_OID),
        ("1.2.9", ""),
    ],
)
def test_the_gateway_of_production_replaces_that_of_staging(editor: User, part_of: str, oid: str) -> None:
    own = {"REDOX_STAGING_GATEWAY_OID": "1.2.3.4", "REDOX_PRODUCTION_GATEWAY_OID": "1.2.3.5"}
    organization = factories.organization(user=editor, part_of_oid=part_of)
    with override_settings(REDOX=redox("http://127.0.0.1:9", **own)):
        assert prepare.parent_of(prepare.source_of(organization)) == prepare.ProductionParent(oid)
