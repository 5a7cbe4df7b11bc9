"""The entries in the history of one record that its pages need: who edited, stated, took or decided something."""

import datetime
from collections.abc import Collection

from organizations.models import Action, AuditEntry, Organization
from organizations.models.audit import EDITS, AuditQuerySet


def entries_of(organization: Organization) -> AuditQuerySet:
    """The whole history of a record, the newest first."""
    return AuditEntry.objects.of_organization(organization.pk)


def entry_count(organization: Organization) -> int:
    return AuditEntry.objects.filter(organization_id=organization.pk).count()


def newest_entries(organization: Organization, number: int, *, without: Collection[Action]) -> list[AuditEntry]:
    """The newest entries, without those of these actions."""
    return list(entries_of(organization).exclude(action__in=without).defer("raw")[:number])


def edits_since_acceptance(organization: Organization) -> list[AuditEntry]:
    """The edits since the last acceptance, oldest first."""
    return list(AuditEntry.objects.edits_since(organization.pk, organization.confirmed_version))


def last_edit_since(organization: Organization, version: int) -> AuditEntry | None:
    """The newest edit after that version of the record."""
    return AuditEntry.objects.edits_since(organization.pk, version).last()


def last_touched(organization: Organization) -> dict[str, datetime.datetime]:
    """When each field, by its key, was last edited."""
    edits = AuditEntry.objects.filter(organization_id=organization.pk, action__in=EDITS).defer("raw")
    edited_at: dict[str, datetime.datetime] = {}
    for entry in edits.order_by("sequence"):
        edited_at |= dict.fromkeys(entry.facts.get("fields", []), entry.at)
    return edited_at


def stated_by(organization: Organization) -> str:
    """Who last stated that the record is registered; "" if nobody did."""
    entry = last_statement(organization)
    return entry.actor_name if entry else ""


def last_statement(organization: Organization) -> AuditEntry | None:
    """The last statement that the record is registered, also if it was withdrawn; None if nobody stated it."""
    return entries_of(organization).filter(action=Action.ORGANIZATION_STATED).first()


def last_answer_about(environment: str, oid: str) -> AuditEntry | None:
    """The last answer of the directory about an OID that was not a record here yet; None if nobody asked."""
    return AuditEntry.objects.last_answer_about(environment, oid)


def foreign_decided_by(organization: Organization) -> str:
    """Who decided that the OID belongs to another organization; "" if nobody did."""
    if not organization.is_foreign:
        return ""
    entry = AuditEntry.objects.decided_foreign(organization.pk, organization.oid)
    return entry.actor_name if entry else ""


def taken_by(organization: Organization) -> str:
    """Who last took values from the directory; "" if nobody did. No query if nothing is taken."""
    if not organization.taken:
        return ""
    entry = entries_of(organization).filter(action=Action.ORGANIZATION_TAKEN).defer("raw").first()
    return entry.actor_name if entry else ""


def is_active_taken(organization: Organization) -> bool:
    """Whether somebody took the value of Active from the directory after the last acceptance."""
    if not organization.taken:
        return False
    accepted = organization.confirmed_record()
    if accepted is None or accepted.active != organization.confirmed_active:
        return True
    entries = entries_of(organization).filter(action=Action.ORGANIZATION_TAKEN)
    since = entries.filter(at__gte=organization.confirmed_at) if organization.confirmed_at else entries
    return any("active" in entry.facts.get("fields", []) for entry in since.defer("raw"))
