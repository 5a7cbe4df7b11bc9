"""The first values of the form of a new record."""

from typing import NamedTuple

from organizations.forms.typed import GATEWAY, OURS, Typed
from organizations.models import Organization
from organizations.pages.counterpart.prepare import prepared_record
from organizations.pages.record_form.editing import Editing
from organizations.pages.record_form.notices import filled_sentence, record_below, record_like
from organizations.queries.record_context import has_records
from organizations.services.records import prepare


class FormStart(NamedTuple):
    """The first texts of the form, a note on the OID, and notes on what else is filled in."""

    typed: Typed
    oid_note: str
    notes: list[str]


def start_blank(editing: Editing) -> FormStart:
    """A nearly empty form: most records are part of one of ours, the first one is part of the gateway."""
    typed, oid_note = Typed(fields={"country": "USA", "stands_for": ""}), ""
    if has_records(editing.environment):
        typed = typed.having(place=OURS)
    else:
        typed, oid_note = editing.with_suggested_oid(typed.having(place=GATEWAY))
    return _noted(editing, typed, oid_note)


def start_below(editing: Editing, parent: Organization) -> FormStart:
    """A form filled for a record below this one."""
    record = record_below(parent)
    typed, oid_note = editing.with_suggested_oid(editing.texts_of(record, ""))
    return _noted(editing, typed, oid_note, filled_sentence(record, parent))


def start_like(editing: Editing, other: Organization) -> FormStart:
    """A form filled for a record that is like this one."""
    record = record_like(other)
    typed, oid_note = editing.with_suggested_oid(editing.texts_of(record, other.stands_for))
    return _noted(editing, typed, oid_note, filled_sentence(record, other))


def start_prepared(editing: Editing, staging: Organization) -> FormStart:
    """A form of PRODUCTION filled from a record of STAGING."""
    record = prepared_record(prepare.source_of(staging))
    typed = editing.texts_of(record, staging.stands_for)
    return _noted(editing, typed if record.part_of_oid else typed.having(place=OURS))


def _noted(editing: Editing, typed: Typed, oid_note: str = "", filled: str = "") -> FormStart:
    return FormStart(typed, oid_note, [*editing.parent_notes(typed), *filter(None, [filled])])
