"""The record that replaces a deactivated one, found by what was typed."""

from collections.abc import Collection

from organizations.forms.deactivation import Replacement
from organizations.models import Organization
from organizations.presentation import choices


def other_record(environment: str, typed: str, *, without: Collection[int]) -> Replacement | None:
    """A record of this environment by its OID or name, but none of `without`."""
    oid = choices.record_called(environment, typed.replace("\x00", ""))
    ours = Organization.objects.in_environment(environment).exclude(pk__in=without)
    found = ours.filter(oid=oid).only("name", "oid").first()
    return Replacement(found.name, found.oid) if found else None
