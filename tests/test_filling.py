"""The made-up records of the benchmarks are rows that the services would have written."""

import random
from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from benchmarks import filling
from benchmarks.made_up import COMPANY, has_counterpart, kind_of, place_of
from organizations.folding import name_key
from organizations.forms.check_records import read_by_form
from organizations.models import AuditEntry, Environment, Organization, State, Submission
from organizations.oid import Oid
from organizations.records import canonical
from organizations.redox import messages
from organizations.services import search_text
from organizations.services.audit import audit
from organizations.services.connection import redox_settings
from organizations.services.records import directory_state
from organizations.services.review import check_records

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]  # Python computes each value of these rows

ENTRIES = 4_000


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """More than a thousand records, of every kind, and the beginning of another company. No test changes them."""
    with django_db_blocker.unblock(), transaction.atomic():
        filling.create_people()
        filler = filling.Filler()
        filler.add(range(1_030), ENTRIES)
        filler.add(range(COMPANY, COMPANY + 30), 100)
        yield
        transaction.set_rollback(True)


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
def test_made_up_rows_are_those_that_the_services_would_have_written() -> None:
    organizations = Organization.objects.select_related("confirmed_submission", "last_submission")
    sample = random.Random(1).sample(list(organizations.prefetch_related("contacts", "identifiers")), 50)
    rare = organizations.filter(last_submission__state__in=[state for state in State if state != State.ACCEPTED])
    for organization in {*sample, *rare[:20]}:
        assert_consistent(organization)
    assert set(Submission.objects.values_list("state", flat=True)) == set(State)
    for environment in Environment:
        # A Query does not show the destination ID, so records that were only read have that gap.
        known = [each for each in sample if each.environment == environment and each.destination_known]
        ids = [each.pk for each in known]
        findings = check_records.check_stored_records(environment, ids, read_by_form)
        assert [each for each in findings if each.kind != "Warning"] == []


def assert_consistent(organization: Organization) -> None:
    record, stored = organization.record(), Organization.objects.get(pk=organization.pk)
    directory_state.update_derived_columns(organization)
    for column in directory_state.DERIVED_COLUMNS:
        assert getattr(organization, column) == getattr(stored, column), column
    assert stored.oid_key == Oid(record.oid).key
    assert stored.search_text == search_text.record_search_text(record)
    assert stored.name_key == name_key(record.name)
    assert stored.double_key == search_text.record_near_duplicate_key(record)
    if (submission := stored.confirmed_submission) is not None:
        accepted = messages.record_from_message(bytes(submission.message))
        assert stored.confirmed == canonical(accepted)
        assert (stored.confirmed_active, stored.confirmed_part_of_oid) == (accepted.active, accepted.part_of_oid)
    if (submission := stored.last_submission) is not None:
        sent = messages.record_from_message(bytes(submission.message))
        redox = redox_settings.environment(stored.environment)
        assert bytes(submission.message) == messages.build_message(sent, submission.event, redox)
        assert submission.message_sha256 == messages.sha256(bytes(submission.message))


@pytest.mark.usefixtures("filled")
def test_made_up_entries_are_chained_and_repeat_their_body_in_their_columns() -> None:
    before = audit.FIRST_HASH
    entries = list(AuditEntry.objects.order_by("sequence"))
    assert [entry.sequence for entry in entries] == list(range(1, ENTRIES + 101))
    for entry in entries:
        facts, body = entry.facts, bytes(entry.body)
        assert (entry.previous_hash, entry.hash) == (before, audit.hash_of(entry.sequence, before, body))
        before = entry.hash
        assert body == audit.canonical_json(facts)
        assert facts["sequence"] == entry.sequence
        assert facts["time"] == f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}"
        assert facts["organization_id"] == entry.organization_id
        assert facts.get("submission") == entry.submission_id
        assert (facts["actor"].get("id"), facts["actor"]["name"]) == (entry.actor_id, entry.actor_name)
        assert entry.search_text == audit._search_text(facts)
        if entry.raw is not None:
            assert audit._raw_facts(bytes(entry.raw)).items() <= facts.items()


@pytest.mark.usefixtures("filled")
def test_each_made_up_record_has_the_parent_and_the_state_of_its_number() -> None:
    numbers = [*range(1_030), *range(COMPANY, COMPANY + 30)]
    for environment in Environment:
        rows = {
            oid: row
            for oid, *row in Organization.objects.filter(environment=environment).values_list(
                "oid", "part_of_oid", "last_submission__state", "presence"
            )
        }
        expected = {}
        for number in numbers:
            if environment == Environment.STAGING or has_counterpart(number):
                place = place_of(number, environment)
                kind = kind_of(number, place.level)
                expected[place.oid] = [place.part_of_oid, kind.state, kind.presence]
        assert rows == expected
