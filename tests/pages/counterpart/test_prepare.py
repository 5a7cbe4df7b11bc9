"""What the form in PRODUCTION says about the STAGING record that it was filled from."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings
from django.utils.html import strip_tags

from organizations.models import Evidence, Organization, Presence, User
from organizations.pages.counterpart import prepare
from organizations.pages.counterpart.prepare import PreparedNotes
from organizations.records import IdentifierRecord
from organizations.services.records import counterparts
from organizations.services.records.prepare import source_of
from organizations.text.markup import written
from tests import factories
from tests.changes import load, mark_foreign, save_edit, store_empty_reading, store_reading_with
from tests.connected import redox
from tests.factories import BASE, as_actor

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

THEIRS = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
BASES = {"REDOX_STAGING_BASE_OIDS": BASE, "REDOX_PRODUCTION_BASE_OIDS": THEIRS}


def notes_of(staging: Organization) -> PreparedNotes:
    source = source_of(load(staging))
    return prepare.prepared_notes(source, source.record, shown_doubt=source.doubt)


def notes(staging: Organization) -> list[str]:
    return [strip_tags(note) for note in notes_of(staging).notes]


def day(moment: Any) -> str:
    return written(moment, "day")


def create_in_production(user: User, oid: str = THEIRS, **values: Any) -> Organization:
    return factories.organization(oid, user=user, environment="production", **values)


@override_settings(REDOX=redox("http://127.0.0.1:9", **BASES))
def test_the_form_begins_with_what_was_accepted(editor):
    identifiers = (IdentifierRecord(kind="FACID", value="7"),)
    values: dict[str, Any] = {
        "aliases": ("Lakeside",),
        "identifiers": identifiers,
        "destination_id": "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41",
    }
    staging = factories.accepted_organization(user=editor, **values)
    expected = replace(factories.record(THEIRS, **values), destination_id="")
    assert prepare.prepared_record(source_of(staging)) == expected


@override_settings(REDOX=redox("http://127.0.0.1:9", **BASES))
def test_a_taken_oid_is_not_suggested(editor):
    staging = factories.accepted_organization(user=editor)
    holder = create_in_production(editor, name="Lakeside by hand")
    assert prepare.prepared_record(source_of(staging)).oid == ""
    (note,) = notes_of(staging).notes
    assert f"/staging/organizations/{BASE}/counterpart/?counterpart={THEIRS}" in note
    assert strip_tags(note) == (
        f"{THEIRS} is already in PRODUCTION: Lakeside by hand. If it is the same organization, link it."
    )
    counterparts.link(factories.accepted_organization(f"{BASE}.1", user=editor), holder, actor=as_actor(editor))
    assert notes_of(staging).notes == []


def test_the_note_at_the_oid_names_the_staging_oid(editor):
    staging = factories.accepted_organization(user=editor)
    usual = "Redox usually issues another OID for PRODUCTION."
    assert strip_tags(notes_of(staging).oid_note) == f"{usual} STAGING has {BASE}."
    with override_settings(REDOX=redox("http://127.0.0.1:9", **BASES)):
        assert strip_tags(notes_of(staging).oid_note) == (
            f"{THEIRS} is a proposal: the base OID of PRODUCTION in place of that of STAGING. Check it. {usual} STAGING"
            f" has {BASE}."
        )


def test_the_note_above_names_the_acceptance_and_its_evidence(editor):
    staging = factories.accepted_organization(user=editor)
    number, when = staging.confirmed_submission_id, day(staging.confirmed_at)
    for evidence, by in ((Evidence.ANSWER, ""), (Evidence.QUERY, ", by Query"), (Evidence.PERSON, ", decided")):
        Organization.objects.update(confirmed_evidence=evidence)
        prepared_notes = notes_of(staging)
        assert (
            strip_tags(prepared_notes.origin)
            == f"From Lakeside 1 in STAGING, accepted {when}{by} (submission {number})."
        )
    assert f'<a href="/staging/submissions/{number}/">' in prepared_notes.origin
    assert prepared_notes.warnings == []


def test_a_record_that_was_never_accepted_has_a_warning(editor):
    staging = factories.organization(user=editor)
    prepared_notes = notes_of(staging)
    assert (
        strip_tags(prepared_notes.origin) == f"From Lakeside 1 in STAGING, as saved there on {day(staging.edited_at)}."
    )
    (warning,) = prepared_notes.warnings
    assert warning.startswith("STAGING has never")


def test_the_note_has_the_same_words_for_the_status_as_the_records_page(editor):
    staging = factories.accepted_organization(user=editor)
    decided = "Somebody decided that this OID belongs to another organization (Boston General). Nothing is sent to it."
    assert notes_of(mark_foreign(staging, "Boston General")).warnings == [f"In STAGING: {decided}"]
    Organization.objects.update(foreign_since=None)
    store_reading_with(staging, name="Boston General")
    asked_at = written(store_empty_reading(staging).seen_at)  # type: ignore[arg-type]
    not_there = [f"In STAGING: The directory did not show this OID when asked on {asked_at}."]
    assert notes_of(staging).warnings == not_there
    Organization.objects.update(presence=Presence.ABSENT, presence_at=load(staging).seen_at)
    assert notes_of(staging).warnings == not_there
    Organization.objects.update(presence=Presence.UNKNOWN)
    [warning] = notes_of(staging).warnings
    assert warning.startswith("In STAGING: The first message of this record may or may not have taken effect. Its sub")
    never_accepted = store_reading_with(factories.organization(f"{BASE}.1", user=editor), name="Boston General")
    assert notes_of(never_accepted).warnings[0] == (
        "In STAGING: The directory already shows this OID, as Boston General, and no message of this record was ever"
        " accepted."
    )


def test_values_of_the_directory_are_not_called_accepted(editor):
    carried = (("ManagingOrg", '"1.2.3"'), ("Type", '"prov"'))
    staging = factories.seen_organization(replace(factories.record(), carried=carried), user=editor)
    prepared_notes = notes_of(staging)
    sentence = f"From Lakeside 1 in STAGING, as its directory showed it on {day(staging.known_at)}."
    assert strip_tags(prepared_notes.origin) == sentence
    (warning,) = prepared_notes.warnings
    assert " in STAGING from the portal" in warning
    assert notes(staging) == ["Not copied, because this portal does not edit it: Type."]


def test_unsent_changes_are_left_out_and_named(editor):
    staging = factories.accepted_organization(user=editor)
    address = replace(staging.record().address, zip_code="53703", city="Middleton")
    save_edit(staging, editor, name="Lakeside Nord", address=address)
    assert notes(staging) == ["3 saved changes of STAGING are not part of this: Name, City, ZIP."]
    assert strip_tags(notes_of(staging).origin).startswith("From Lakeside 1 in STAGING, accepted ")
    assert prepare.prepared_record(source_of(staging)).address.city == "Madison"


def test_a_later_value_of_the_directory_is_named(editor):
    staging = factories.accepted_organization(user=editor)
    Organization.objects.filter(pk=staging.pk).update(differs=1)
    assert notes(staging) == [
        "The directory of STAGING showed other values later in 1 field. They are not part of this."
    ]


def test_a_deactivated_record_is_prepared_as_active(editor):
    staging = factories.accept(factories.organization(user=editor), active=False)
    assert notes(staging)[-1] == "This record is deactivated in STAGING. The record of PRODUCTION begins active."
    assert prepare.prepared_record(source_of(staging)).active


def test_a_parent_without_counterpart_must_be_prepared_first(editor):
    above = factories.accepted_organization(user=editor, name="Lakeside Clinics")
    below = factories.accepted_organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    (note,) = notes_of(below).notes
    assert f'<a href="/production/organizations/new/?from={BASE}">' in note
    assert strip_tags(note) == (
        "Lakeside Clinics is not in PRODUCTION yet. Prepare Lakeside Clinics first, or choose another parent."
    )
    assert prepare.prepared_record(source_of(below)).part_of_oid == ""
    counterparts.link(above, create_in_production(editor), actor=as_actor(editor))
    assert notes(below) == []
    assert prepare.prepared_record(source_of(below)).part_of_oid == THEIRS


def test_a_parent_that_is_not_ours_must_be_entered(editor):
    staging = factories.accepted_organization(user=editor, part_of_oid="1.2.3.4.5.6")
    assert notes(staging) == [
        "In STAGING it is part of 1.2.3.4.5.6, which is not a record of ours. Choose another parent."
    ]
    assert prepare.prepared_record(source_of(staging)).part_of_oid == ""


def test_changes_since_the_form_was_filled_are_shown(editor):
    staging = factories.accepted_organization(user=editor)
    basis = source_of(staging).record
    assert not notes_of(staging).is_stale
    now = source_of(factories.accept(staging, name="Lakeside Nord", destination_id=""))
    prepared_notes = prepare.prepared_notes(now, basis, shown_doubt="")
    assert prepared_notes.is_stale
    assert [(each.label, each.before, each.after) for each in prepared_notes.changes] == [
        ("Name", "Lakeside 1", "Lakeside Nord")
    ]
    assert prepare.prepared_notes(now, None, shown_doubt="").is_stale
    doubtful = source_of(mark_foreign(staging, "Boston"))
    prepared_notes = prepare.prepared_notes(doubtful, doubtful.record, shown_doubt="")
    assert (
        "(Boston)" in prepared_notes.new_doubt,
        prepared_notes.is_stale,
        prepared_notes.changes,
        prepared_notes.warnings,
    ) == (True, True, [], [])


def test_an_existing_counterpart_is_named(editor):
    staging = factories.accepted_organization(user=editor)
    assert notes_of(staging).existing is None
    production = create_in_production(editor)
    counterparts.link(staging, production, actor=as_actor(editor))
    assert notes_of(staging).existing == production
