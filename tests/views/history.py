"""Helpers that write history entries, for tests of the history pages."""

from dataclasses import replace

from organizations.models import Action, Organization, User
from organizations.services.actors import Actor, system
from organizations.services.audit import audit
from organizations.services.records import organizations
from tests.factories import as_actor

PORTAL = system("Worker test")


def add_entries(count: int = 1, *, actor: Actor = PORTAL, reason: str = "") -> None:
    """Add `count` entries of an arbitrary kind."""
    with audit.atomic(actor) as history:
        for _ in range(count):
            history.log(Action.SETTINGS_SEEN, object={"type": "settings", "id": ""}, reason=reason)


def save_edit(organization: Organization, user: User, **values: object) -> Organization:
    organization = Organization.objects.get(pk=organization.pk)
    record = replace(organization.record(), **values)  # type: ignore[arg-type]
    return organizations.edit(organization.pk, organization.version, record, stands_for="", actor=as_actor(user))
