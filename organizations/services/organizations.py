"""Create, edit, discard and withdraw records. Sending is in submissions.py."""

import datetime
from dataclasses import replace

from django.db import IntegrityError

from organizations.models import (
    Action,
    AuditEntry,
    Basis,
    Contact,
    Environment,
    Identifier,
    Organization,
    Presence,
    State,
    Submission,
    clock,
    tree,
)
from organizations.oid import Oid, next_free_child
from organizations.records import OrganizationRecord, canonical, difference, fingerprint, readable_fingerprint

from . import audit, locks, searching
from .actors import Actor
from .faults import Circle, EditConflict, Gone, NotDone, OidTaken


def create(
    record: OrganizationRecord,
    environment: str,
    *,
    stands_for: str,
    actor: Actor,
    staging_record: Organization | None = None,
) -> Organization:
    """Add a record that was never sent.

    Raises:
        OidTaken: the OID is in use in this environment, or was sent earlier for another record.
    """
    try:
        with audit.recorded(actor) as history:
            locks.lock_structure(environment)
            check_oid_free(record.oid, environment)
            organization = Organization(
                environment=environment, created_at=clock.now(), version=0, staging_record=staging_record
            )
            _save_wanted(organization, record, stands_for=stands_for, actor=actor)
            _check_no_circle(organization)
            history.organization(Action.ORGANIZATION_CREATED, organization, changes=difference(None, record))
    except IntegrityError as error:
        raise NotDone("The record could not be saved. Nothing was saved.") from error
    return organization


def edit(
    organization_id: int, version: int, record: OrganizationRecord, *, stands_for: str, actor: Actor
) -> Organization:
    """Replace what is wanted of a record. Active is not edited here, and the OID only while nothing was ever sent.

    Raises:
        EditConflict: somebody saved the record after `version`.
        OidTaken: the new OID is in use.
    """
    try:
        with audit.recorded(actor) as history:
            organization = locked_for_person(organization_id)
            if organization.version != version:
                raise EditConflict(organization, version)
            before = organization.record()
            if organization.was_sent or organization.presence != Presence.NEVER:
                record = replace(record, oid=organization.oid)
            elif record.oid != organization.oid:
                check_oid_free(record.oid, organization.environment)
                _check_nothing_below(organization)
            record = replace(record, active=before.active, carried=before.carried)
            changes = difference(before, record)
            if not changes and stands_for == organization.stands_for and record == before:
                return organization
            _save_wanted(organization, record, stands_for=stands_for, actor=actor)
            _check_no_circle(organization)
            history.organization(Action.ORGANIZATION_EDITED, organization, changes=changes)
    except IntegrityError as error:
        raise NotDone("The record could not be saved. Nothing was saved.") from error
    return organization


def discard(organization_id: int, version: int, *, actor: Actor) -> Organization:
    """Throw away saved changes: the record goes back to what Redox last accepted.

    Raises:
        EditConflict: somebody saved the record after `version`.
        NotDone: Redox never accepted anything of it, a submission carries the changes, or it would be part of what was
            moved below it meanwhile.
    """
    with audit.recorded(actor) as history:
        organization = locked_for_person(organization_id)
        if organization.version != version:
            raise EditConflict(organization, version)
        fault = why_not_discard(organization)
        confirmed = organization.confirmed_record()
        if fault or confirmed is None:
            raise NotDone(fault)
        before = organization.record()
        # What was thrown away is nobody's work on the next message.
        organization.confirmed_version = organization.version + 1
        _save_wanted(organization, confirmed, stands_for=organization.stands_for, actor=actor)
        _check_no_circle(organization)
        history.organization(Action.ORGANIZATION_DISCARDED, organization, changes=difference(before, confirmed))
    return organization


def withdraw(organization_id: int, version: int, *, actor: Actor) -> None:
    """Take away a record of which nothing was ever sent. Its history stays and its OID is free again.

    Raises:
        EditConflict: somebody saved the record after `version`.
        NotDone: something of it was sent, or records are part of it.
    """
    with audit.recorded(actor) as history:
        organization = locked_for_person(organization_id)
        if organization.version != version:
            raise EditConflict(organization, version)
        fault = why_not_withdraw(organization)
        if fault:
            raise NotDone(fault)
        history.organization(Action.ORGANIZATION_WITHDRAWN, organization)
        organization.contacts.all().delete()
        organization.identifiers.all().delete()
        organization.delete()


def why_not_discard(organization: Organization) -> str:
    """Why saved changes cannot be thrown away now, as a sentence; empty when they can."""
    if not organization.confirmed:
        return "Redox has accepted no message of this record, so there is nothing to go back to."
    last = organization.last_submission
    if last is not None and last.is_open:
        return f"Submission {last.pk} of this record is not at its end. Wait for it or cancel it first."
    return ""


def why_not_withdraw(organization: Organization) -> str:
    """Why the record cannot be taken away, as a sentence; empty when it can."""
    if was_only_cancelled(organization):
        return (
            "A submission of this record was made and cancelled before anything was sent; the record is kept because"
            " its history names that submission."
        )
    if organization.was_sent or organization.presence != Presence.NEVER:
        return "Something of this record was sent. It cannot be withdrawn; deactivate it instead."
    if Organization.objects.filter(environment=organization.environment, part_of_oid=organization.oid).exists():
        return "Records are part of this one. Withdraw or move them first."
    return ""


def was_only_cancelled(organization: Organization) -> bool:
    """Whether submissions of a record were made, and each was cancelled before anything was sent."""
    made = Submission.objects.filter(organization=organization)
    never_there = organization.was_sent and organization.presence == Presence.NEVER
    return never_there and not made.exclude(state=State.CANCELLED, attempt=0).exists()


def take_over(record: OrganizationRecord, environment: str, *, actor: Actor) -> Organization:
    """Add a record that the directory showed. Its destination ID is not known: a Query does not show it.

    Raises:
        OidTaken: the OID is in use here.
        Circle: its parent lies below it here.
    """
    moment = clock.now()
    organization = Organization(environment=environment, created_at=moment, version=0)
    organization.presence, organization.presence_basis = Presence.PRESENT, Basis.SEEN
    organization.presence_at = organization.seen_at = moment
    organization.seen, organization.seen_hash = canonical(record), readable_fingerprint(record)
    organization.confirmed_part_of_oid = record.part_of_oid
    with audit.recorded(actor) as history:
        locks.lock_structure(environment)
        check_oid_free(record.oid, environment)
        _save_wanted(organization, record, stands_for="", actor=actor)
        _check_no_circle(organization)
        history.organization(Action.ORGANIZATION_SEEN, organization)
    return organization


def state_registered(organization_id: int, *, reason: str, actor: Actor) -> Organization:
    """A person says that the OID was registered outside the portal. Redox has not confirmed it to the portal.

    Raises:
        NotDone: a message of it was made for sending, or no reason is given.
    """
    with audit.recorded(actor) as history:
        organization = locked_for_person(organization_id)
        if organization.was_sent or organization.presence != Presence.NEVER:
            raise NotDone("A message of this record was made already; what became of it stands on its page.")
        if not reason.strip():
            raise NotDone("Say how you know that it is registered.")
        organization.presence, organization.presence_basis = Presence.PRESENT, Basis.STATED
        organization.presence_at, organization.presence_reason = clock.now(), reason
        organization.save()
        history.organization(Action.ORGANIZATION_STATED, organization, reason=reason)
    return organization


def check_oid_free(oid: str, environment: str) -> None:
    """Raises OidTaken, with the sentence for the form, when the OID is in use here or was ever sent for a record."""
    word = Environment(environment).label
    holder = Organization.objects.filter(environment=environment, oid=oid).first()
    if holder:
        raise OidTaken(f"{oid} is already the record {holder.name} in {word}. Open it.", holder)
    sent = Submission.objects.filter(environment=environment, oid=oid).select_related("organization").first()
    if sent:
        raise OidTaken(
            f"{oid} was sent earlier for {sent.organization.name}. An OID is never used again.", sent.organization
        )


def suggest_oid(environment: str, parent_oid: str) -> Oid:
    """The lowest free OID below the parent: never sent, and not of the shape of a patient or document OID."""
    below = parent_oid + "."
    taken = set(
        Organization.objects.filter(environment=environment, oid__startswith=below).values_list("oid", flat=True)
    )
    taken |= set(
        Submission.objects.filter(environment=environment, oid__startswith=below).values_list("oid", flat=True)
    )
    return next_free_child(Oid(parent_oid), taken)


def parent_faults(environment: str, oid: str, part_of_oid: str) -> str:
    """Why this record cannot be part of that OID, as the sentence for the form; empty when it can."""
    if oid and oid == part_of_oid:
        return "A record cannot be part of itself."
    parent = Organization.objects.in_environment(environment).filter(oid=part_of_oid).first()
    if parent is None:
        return ""
    if oid and tree.would_circle(environment, oid, part_of_oid):
        return f"{parent.name} lies below this record; that would make a circle."
    if parent.confirmed_active is False and parent.presence == Presence.PRESENT:
        return f"{parent.name} is deactivated. Reactivate it first or choose another."
    return ""


def locked_for_person(organization_id: int) -> Organization:
    """As `locked`, for a person's act that looks at other records too: after the structure lock."""
    locks.lock_structure_of_record(organization_id)
    return locked(organization_id)


def locked(organization_id: int) -> Organization:
    """The row, locked until the end of the transaction.

    Raises:
        Gone: the record was withdrawn.
    """
    try:
        return Organization.objects.select_for_update(of=("self",)).get(pk=organization_id)
    except Organization.DoesNotExist as error:
        raise Gone from error


def base_of(organization: Organization, version: int) -> OrganizationRecord | None:
    """The record as it was at a version, from the history: what two editors both started from."""
    entry = AuditEntry.objects.wanted_at(organization.pk, version)
    return OrganizationRecord.from_json(entry.facts["record"]) if entry else None


def base_stands_for(organization: Organization, version: int) -> str:
    """What the record stood for at a version, from the history."""
    entry = AuditEntry.objects.wanted_at(organization.pk, version)
    return str(entry.facts.get("stands_for", "")) if entry else ""


def set_wanted_active(organization: Organization, active: bool) -> None:
    """Set the wanted Active of a locked row; saved changes stay as they are."""
    _save_row(organization, replace(organization.record(), active=active))


def confirm(organization: Organization, record: OrganizationRecord, submission: Submission) -> None:
    """Set what Redox accepted, on a locked row, from the submission's own bytes."""
    organization.confirmed = canonical(record)
    organization.confirmed_at = clock.now()
    organization.confirmed_active = record.active
    organization.confirmed_part_of_oid = record.part_of_oid
    organization.confirmed_submission = submission
    organization.seen_counts = False
    organization.confirmed_hash = fingerprint(record)
    organization.confirmed_readable_hash = readable_fingerprint(record)
    organization.presence = Presence.PRESENT
    organization.presence_basis = Basis.ACCEPTED
    organization.presence_at = organization.confirmed_at
    _count_changes(organization, organization.record())
    organization.save()


def compare_with_seen(organization: Organization, seen: OrganizationRecord | None, seen_at: datetime.datetime) -> None:
    """On a locked row: the next message is compared with what the directory showed. None: it does not know the OID."""
    organization.presence_at = seen_at
    if seen is None:
        organization.presence = Presence.ABSENT
    else:
        organization.presence = Presence.PRESENT
        organization.presence_basis = organization.presence_basis or Basis.SEEN
        organization.seen, organization.seen_hash = canonical(seen), readable_fingerprint(seen)
        organization.seen_at, organization.seen_counts = seen_at, True
    _count_changes(organization, organization.record())
    organization.save()


def _check_no_circle(organization: Organization) -> None:
    """Asked of the saved row, so that it holds however the values came together; raising takes the row back."""
    environment, oid, part_of_oid = organization.environment, organization.oid, organization.part_of_oid
    if tree.would_circle(environment, oid, part_of_oid):
        parent = Organization.objects.get(environment=environment, oid=part_of_oid)
        raise Circle(f"{parent.name} lies below this record; that would make a circle.")


def _check_nothing_below(organization: Organization) -> None:
    if Organization.objects.filter(environment=organization.environment, part_of_oid=organization.oid).exists():
        raise NotDone(f"Records are part of {organization.oid}. Move them first, then change the OID.")


def _save_wanted(organization: Organization, record: OrganizationRecord, *, stands_for: str, actor: Actor) -> None:
    organization.stands_for = stands_for
    organization.version += 1
    organization.edited_at = clock.now()
    organization.edited_by = actor.person
    _save_row(organization, record)
    _replace_rows(organization, record)


def _save_row(organization: Organization, record: OrganizationRecord) -> None:
    address = record.address
    values = {
        "oid": record.oid,
        "oid_key": Oid(record.oid).key,
        "name": record.name,
        "active": record.active,
        "destination_id": record.destination_id,
        "destination_known": record.destination_known,
        "part_of_oid": record.part_of_oid,
        "aliases": list(record.aliases),
        "street": address.street,
        "city": address.city,
        "state": address.state,
        "zip_code": address.zip_code,
        "county": address.county,
        "country": address.country,
        "carried": dict(record.carried),
        "search_text": searching.search_text(record),
    }
    for name, value in values.items():
        setattr(organization, name, value)
    _count_changes(organization, record)
    organization.save()


def sendable(record: OrganizationRecord) -> OrganizationRecord:
    """The record as a message holds it: of what was carried from the directory only what Redox takes back."""
    return replace(record, carried=tuple(item for item in record.carried if item[0] in ("Type", "Endpoints")))


def _count_changes(organization: Organization, record: OrganizationRecord) -> None:
    record = sendable(record)
    organization.wanted_hash = fingerprint(record)
    known = organization.last_known_record()
    organization.changes = len(difference(sendable(known) if known else None, record))


def _replace_rows(organization: Organization, record: OrganizationRecord) -> None:
    organization.contacts.all().delete()
    organization.identifiers.all().delete()
    Contact.objects.bulk_create(
        Contact(
            organization=organization,
            position=position,
            purpose=contact.purpose,
            name=contact.name,
            email_addresses=list(contact.email_addresses),
            work_phone=contact.work_phone,
            mobile_phone=contact.mobile_phone,
            home_phone=contact.home_phone,
        )
        for position, contact in enumerate(record.contacts)
    )
    Identifier.objects.bulk_create(
        Identifier(organization=organization, position=position, kind=identifier.kind, value=identifier.value)
        for position, identifier in enumerate(record.identifiers)
    )
