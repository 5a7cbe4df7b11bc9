"""What the form of a new record begins with."""

from typing import NamedTuple

from organizations.forms.typed import GATEWAY, OURS, Typed
from organizations.models import Organization
from organizations.pages.counterpart.prepare import beginning
from organizations.pages.record_form import notices as known
from organizations.pages.record_form.editing import Editing
from organizations.services.records import prepare


class Beginning(NamedTuple):
    """Its texts, what is to be said of the OID in them, and of what else is filled in."""

    typed: Typed
    oid_note: str
    notes: list[str]


def blank(editing: Editing) -> Beginning:
    """Nothing but where most records are; the first record of an environment is at the gateway."""
    typed, oid_note = Typed(fields={"country": "USA", "stands_for": ""}), ""
    if Organization.objects.in_environment(editing.environment).exists():
        typed = typed.having(place=OURS)
    else:
        typed, oid_note = editing.with_suggested_oid(typed.having(place=GATEWAY))
    return _noted(editing, typed, oid_note)


def below(editing: Editing, parent: Organization) -> Beginning:
    """What can be known of a record below this one."""
    record = known.beginning_below(parent)
    typed, oid_note = editing.with_suggested_oid(editing.typed(record, ""))
    return _noted(editing, typed, oid_note, known.filled_sentence(record, parent))


def like(editing: Editing, other: Organization) -> Beginning:
    """What can be known of another record beside this one."""
    record = known.beginning_like(other)
    typed, oid_note = editing.with_suggested_oid(editing.typed(record, other.stands_for))
    return _noted(editing, typed, oid_note, known.filled_sentence(record, other))


def prepared(editing: Editing, staging: Organization) -> Beginning:
    """What is known of a record of STAGING, for its counterpart in PRODUCTION."""
    record = beginning(prepare.source_of(staging))
    typed = editing.typed(record, staging.stands_for)
    return _noted(editing, typed if record.part_of_oid else typed.having(place=OURS))


def _noted(editing: Editing, typed: Typed, oid_note: str = "", filled: str = "") -> Beginning:
    return Beginning(typed, oid_note, [*editing.parent_notes(typed), *filter(None, [filled])])
