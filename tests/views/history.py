"""Entries of the history, and edits that leave some, for tests of its pages."""

from dataclasses import replace

from organizations.models import Action, Organization, User
from organizations.services.actors import Actor, system
from organizations.services.audit import audit
from organizations.services.records import organizations
from tests.factories import acting

PORTAL = system("Worker test")


def add(count: int = 1, *, actor: Actor = PORTAL, reason: str = "") -> None:
    """Entries about nothing in particular."""
    with audit.recorded(actor) as history:
        for _ in range(count):
            history.log(Action.SETTINGS_SEEN, object={"type": "settings", "id": ""}, reason=reason)


def edited(made: Organization, user: User, **values: object) -> Organization:
    made = Organization.objects.get(pk=made.pk)
    record = replace(made.record(), **values)  # type: ignore[arg-type]
    return organizations.edit(made.pk, made.version, record, stands_for="", actor=acting(user))
