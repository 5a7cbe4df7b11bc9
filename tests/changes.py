"""Changes of a record without sending: an edit, an answer of the directory."""

from dataclasses import replace
from typing import Any

from django.db import transaction

from organizations.models import Organization, User, clock
from organizations.records import OrganizationRecord
from organizations.services.records import directory_state, organizations
from tests.factories import as_actor


def load(organization: Organization) -> Organization:
    """The current record, loaded as the pages load it."""
    organizations = Organization.objects
    related = ("last_submission", "last_submission__submitter", "edited_by", "staging_record")
    return organizations.select_related(*related).get(pk=organization.pk)


def save_edit(organization: Organization, user: User, **values: Any) -> Organization:
    """Save these values of the record, without sending them."""
    row = Organization.objects.get(pk=organization.pk)
    record = replace(row.record(), **values)
    organizations.edit(organization.pk, row.version, record, stands_for="", actor=as_actor(user))
    return load(organization)


def store_reading_with(organization: Organization, **values: Any) -> Organization:
    """Store a reading that shows the accepted or saved values, with these changed."""
    row = Organization.objects.get(pk=organization.pk)
    known_here = row.baseline_record() or row.record()
    return store_reading(organization, replace(known_here, destination_id="", destination_known=False, **values))


def store_empty_reading(organization: Organization) -> Organization:
    """Store a reading that does not show the OID."""
    return store_reading(organization, None)


def store_reading(organization: Organization, seen: OrganizationRecord | None) -> Organization:
    """Store a reading; None if the directory did not show the OID."""
    with transaction.atomic():
        directory_state.store_reading(organizations.lock_record(organization.pk), seen, clock.now())
    return load(organization)


def mark_foreign(organization: Organization, name: str = "Boston Harbor Hospital") -> Organization:
    """Decide that the OID of the record belongs to another organization."""
    with transaction.atomic():
        row = organizations.lock_record(organization.pk)
        directory_state.mark_foreign(row, replace(row.record(), name=name), clock.now())
    return load(organization)
