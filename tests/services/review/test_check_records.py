"""What today's rules find in stored records."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.forms.check_records import read_by_form
from organizations.models import AuditEntry, Contact, Environment, Identifier, Organization, State, Submission, User
from organizations.redox.environment import EXAMPLE_VALUES
from organizations.services import search_text
from organizations.services.review import check_records
from tests import bulk, factories
from tests.factories import BASE

pytestmark = pytest.mark.django_db

STAGING = Environment.STAGING
SHORE = factories.record().address


def stored(user: User, oid: str = BASE, **columns: Any) -> Organization:
    """A record with these values in its columns, as an earlier release or a directory could leave them there."""
    number = Organization.objects.count()
    address = replace(SHORE, street=f"{number} Shore Rd")
    organization = factories.organization(oid, user=user, name=f"Lakeside {number}", address=address)
    if columns:
        Organization.objects.filter(pk=organization.pk).update(**columns)
    return Organization.objects.get(pk=organization.pk)


def findings(environment: Environment = STAGING) -> list[tuple[str, str, str]]:
    parts = [
        check_records.check_stored_records(environment, ids, read_by_form)
        for ids in check_records.id_batches(environment)
    ]
    return [(each.kind, each.field, each.text) for part in parts for each in part]


def test_a_stored_status_that_differs_from_the_last_submission_is_found(editor: User) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    assert findings() == []
    Submission.objects.filter(pk=submission.pk).update(state=State.REJECTED)
    assert [(kind, field) for kind, field, _ in findings()] == [("Status", "To do")]
    factories.mirror_last_submissions()
    assert findings() == []
    Organization.objects.update(last_submission=None)
    assert [(kind, field) for kind, field, _ in findings()] == [("Status", "To do")]


def test_valid_records_have_no_findings(editor: User) -> None:
    stored(editor)
    stored(editor, f"{BASE}.1", part_of_oid=BASE)
    assert findings() == []


@pytest.mark.parametrize(
    ("columns", "kind", "field", "said"),
    [
        ({"zip_code": "5370"}, "The form would refuse it", "ZIP", "'5370' is not a ZIP code."),
        ({"zip_code": "537041234"}, "The form would change it", "ZIP", "53704-1234"),
        ({"name": "Lakeside\u200b North"}, "The form would change it", "Name", "invisible characters removed"),
        ({"name": ""}, "The form would refuse it", "Name", "Enter the name"),
        ({"destination_id": "here"}, "The form would refuse it", "Destination ID", "Enter a UUID"),
        ({"aliases": ["North\u202e"]}, "The form would refuse it", "Aliases", "U+202E"),
        ({"part_of_oid": "1.02"}, "The form would refuse it", "PartOf", "Remove the leading zero."),
        ({"street": EXAMPLE_VALUES[3]}, "Warning", "", "is from Redox's example page"),
        ({"zip_code": "60601"}, "Warning", "", "ZIP 60601 is in IL"),
    ],
)
def test_a_stored_value_is_checked_as_if_it_was_typed_today(
    editor: User, columns: dict[str, Any], kind: str, field: str, said: str
) -> None:
    stored(editor, **columns)
    texts = [text for found_kind, found_field, text in findings() if (found_kind, found_field) == (kind, field)]
    assert len(texts) == 1
    assert said in texts[0]


def test_the_lines_of_both_lists_are_read_and_counted_from_one(editor: User) -> None:
    organization = stored(editor)
    Contact.objects.create(organization=organization, position=1, purpose="Technical", work_phone="12")
    Identifier.objects.create(organization=organization, position=0, kind="FACID", value="")
    assert {(kind, field) for kind, field, _ in findings()} == {
        ("The form would refuse it", "Contact 2, Work phone"),
        ("The form would refuse it", "Own identifier 1, Own identifier"),
    }


def place_faults() -> dict[str, str]:
    parts = (
        check_records.check_stored_records(STAGING, ids, read_by_form) for ids in check_records.id_batches(STAGING)
    )
    return {each.oid.removeprefix(BASE): each.text for part in parts for each in part if each.kind == "Place"}


def test_the_parent_is_a_record_of_ours_in_the_directory_and_active(editor: User) -> None:
    stored(editor, part_of_oid="1.2.3")
    deactivated = factories.accept(stored(editor, f"{BASE}.1", part_of_oid=BASE), active=False)
    missing = factories.accept(stored(editor, f"{BASE}.2", part_of_oid=BASE))
    Organization.objects.filter(pk=missing.pk).update(seen="", seen_at=timezone.now())
    for parent in (deactivated, missing):
        stored(editor, f"{parent.oid}.1", part_of_oid=parent.oid)
        stored(editor, f"{parent.oid}.2", part_of_oid=parent.oid, active=False)
    not_shown = f"The directory of STAGING did not show {missing.name} when it was last read."
    assert place_faults() == {
        "": "1.2.3 is not a record of ours in STAGING.",
        ".1.1": f"{deactivated.name} is deactivated, and this record is active.",
        ".2.1": not_shown,
        ".2.2": not_shown,
    }


def test_a_record_on_a_circle_is_named_and_one_below_it_is_not(editor: User) -> None:
    for oid, part_of_oid in (("", ".2"), (".1", ""), (".2", ".1"), (".3", ".2"), (".4", ".3")):
        stored(editor, f"{BASE}{oid}", part_of_oid=f"{BASE}{part_of_oid}")
    assert place_faults().keys() == {"", ".1", ".2"}


def test_a_near_duplicate_names_the_other_record(editor: User) -> None:
    for number, name in enumerate(("Clínica Peñón", "CLINICA PENON", "Clinica Peñon’", "Clinica Norte")):
        factories.organization(f"{BASE}.{number}", user=editor, name=name)
    factories.organization(f"{BASE}.9", user=editor, name="Clinica Norte", environment="production")
    assert findings() == [
        ("Near-duplicate", "Name, address", f"{BASE}.2 and 1 more have the same name and address."),
        ("Near-duplicate", "Name, address", f"{BASE}.0 and 1 more have the same name and address."),
        ("Near-duplicate", "Name, address", f"{BASE}.0 and 1 more have the same name and address."),
    ]


def test_an_edit_updates_the_duplicate_key(editor: User) -> None:
    organization = factories.organization(user=editor)
    assert organization.double_key == search_text.record_near_duplicate_key(factories.record()) != ""


def test_nothing_is_written(editor: User) -> None:
    stored(editor, zip_code="537041234")
    rows_before = (list(Organization.objects.values()), AuditEntry.objects.count())
    assert findings()
    assert (list(Organization.objects.values()), AuditEntry.objects.count()) == rows_before


@pytest.mark.one_database
def test_records_are_read_once_in_batches_by_oid(db: None) -> None:
    bulk.records(check_records.BATCH_SIZE + 1)
    parts = list(check_records.id_batches(STAGING))
    assert [len(part) for part in parts] == [check_records.BATCH_SIZE, 1]
    assert [identity for part in parts for identity in part] == list(
        Organization.objects.order_by("oid_key").values_list("pk", flat=True)
    )


def test_the_number_of_queries_does_not_grow(db: None) -> None:
    def queries(count: int) -> int:
        bulk.records(count, base=f"{BASE}.{count}")
        (ids,) = check_records.id_batches(STAGING)
        with CaptureQueriesContext(connection) as captured:
            check_records.check_stored_records(STAGING, ids, read_by_form)
        return len(captured)

    assert queries(3) == queries(60)
