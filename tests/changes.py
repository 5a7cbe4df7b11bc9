"""What becomes of a record after it was made, without sending: an edit, an answer of the directory."""

from dataclasses import replace
from typing import Any

from django.db import transaction

from organizations.models import Organization, User, clock
from organizations.records import OrganizationRecord
from organizations.services.records import directory_state, organizations
from tests.factories import acting


def loaded(made: Organization) -> Organization:
    """The record as it is now, read as the pages read it."""
    found = Organization.objects.with_standing()
    related = ("last_submission", "last_submission__submitter", "edited_by", "staging_record")
    return found.select_related(*related).get(pk=made.pk)


def edited(made: Organization, user: User, **values: Any) -> Organization:
    """The record with these values saved and not sent."""
    now = Organization.objects.get(pk=made.pk)
    wanted = replace(now.record(), **values)
    organizations.edit(made.pk, now.version, wanted, stands_for="", actor=acting(user))
    return loaded(made)


def shown(made: Organization, **values: Any) -> Organization:
    """The record after the directory showed it, with these values other than as they were accepted or are saved."""
    row = Organization.objects.get(pk=made.pk)
    known_here = row.baseline_record() or row.record()
    return read(made, replace(known_here, destination_id="", destination_known=False, **values))


def not_shown(made: Organization) -> Organization:
    """The record after the directory did not show its OID."""
    return read(made, None)


def read(made: Organization, seen: OrganizationRecord | None) -> Organization:
    with transaction.atomic():
        directory_state.keep_reading(organizations.locked(made.pk), seen, clock.now())
    return loaded(made)


def foreign(made: Organization, name: str = "Boston Harbor Hospital") -> Organization:
    """The record after somebody decided that its OID belongs to another organization."""
    with transaction.atomic():
        row = organizations.locked(made.pk)
        directory_state.mark_foreign(row, replace(row.record(), name=name), clock.now())
    return loaded(made)
