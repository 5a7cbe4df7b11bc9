"""Create, edit, discard and withdraw records. `services/outbox/submissions.py` sends them."""

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from django.db import IntegrityError
from django.db.models import Subquery

from organizations.folding import name_key
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
from organizations.models.organization import OrganizationQuerySet
from organizations.oid import Oid, next_free_child
from organizations.records import OrganizationRecord, canonical, difference
from organizations.services import locks, search_text
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.errors import ActionRefused, Circle, EditConflict, OidTaken, RecordWithdrawn
from organizations.services.records import counterparts, directory_state, row_limits


class KnownDestination(NamedTuple):
    """The destination ID that a record has in the directory, as a person entered it, and how they know it.

    `source` is a `DestinationSource`. With NONE `destination_id` is "".
    """

    destination_id: str
    source: str


def create(record: OrganizationRecord, environment: str, *, stands_for: str, actor: Actor) -> Organization:
    """Add a record.

    Raises:
        OidTaken: the OID is in use in this environment, or was sent earlier for another record.
        Circle: PartOf would lead back to the record.
        ActionRefused: another transaction saved a record with this OID first.
    """
    try:
        with audit.atomic(actor) as history:
            locks.lock_structure(environment)
            check_oid_free(record.oid, environment)
            organization = Organization(environment=environment, created_at=clock.now(), version=0)
            directory_state.set_earlier_answer(organization, record.oid)
            save_wanted(organization, record, stands_for=stands_for, actor=actor)
            check_no_circle(organization)
            history.log_record(Action.ORGANIZATION_CREATED, organization, changes=difference(None, record))
    except IntegrityError as error:
        raise ActionRefused("The record could not be saved. Nothing was saved.") from error
    return organization


def edit(
    organization_id: int,
    version: int,
    record: OrganizationRecord,
    *,
    stands_for: str,
    destination_source: str = "",
    actor: Actor,
) -> Organization:
    """Replace the saved values of a record. Active does not change, and the OID only if `can_change_oid`.

    `destination_source`: how the person knows the destination ID. It counts if that ID was not known before.

    Raises:
        EditConflict: somebody saved the record after `version`.
        OidTaken: the new OID is in use.
        Circle: PartOf would lead back to the record.
        ActionRefused: the OID cannot change now, or another transaction saved a record with the new OID first.
    """
    try:
        with audit.atomic(actor) as history:
            organization = _lock_to_edit(organization_id, record.oid)
            if organization.version != version:
                raise EditConflict(organization)
            before = known = organization.record()
            if not organization.can_change_oid:
                record = replace(record, oid=organization.oid)
            elif record.oid != organization.oid:
                known = _change_oid(history, organization, record.oid)
                record = replace(record, destination_known=True)
            record = replace(record, active=known.active, carried=known.carried)
            details = _set_destination_source(organization, known, record, destination_source)
            if record == before and stands_for == organization.stands_for:
                return organization
            save_wanted(organization, record, stands_for=stands_for, actor=actor)
            check_no_circle(organization)
            history.log_record(Action.ORGANIZATION_EDITED, organization, changes=difference(before, record), **details)
    except IntegrityError as error:
        raise ActionRefused("The record could not be saved. Nothing was saved.") from error
    return organization


def _set_destination_source(
    organization: Organization, before: OrganizationRecord, record: OrganizationRecord, source: str
) -> dict[str, Any]:
    """Set the source of the destination ID if an edit changes that ID. Returns the details for the history entry.

    If the destination ID was known before, the new one is a change to send, and has no source.
    """
    if (record.destination_id, record.destination_known) == (before.destination_id, before.destination_known):
        return {}
    organization.destination_source = "" if before.destination_known else source
    return {"destination_source": source} if organization.destination_source else {}


def discard(organization_id: int, version: int, *, actor: Actor) -> Organization:
    """Discard saved changes. The record gets the values that were last accepted, or taken from the directory since.

    Raises:
        EditConflict: somebody saved the record after `version`.
        ActionRefused: nothing was ever accepted or taken, or a submission of the record is open.
        Circle: its parent was moved below it.
    """
    with audit.atomic(actor) as history:
        organization = lock_record_for_person(organization_id)
        if organization.version != version:
            raise EditConflict(organization)
        error = discard_block_reason(organization)
        baseline = organization.baseline_record()
        if error or baseline is None:
            raise ActionRefused(error)
        before = organization.record()
        baseline = replace(baseline, active=before.active, carried=before.carried)
        if baseline.destination_known:
            # Nothing is left to send, and nobody is an author of discarded edits.
            organization.confirmed_version = organization.version + 1
        else:
            # Who entered the destination ID stays an author, because it is kept.
            baseline = replace(
                baseline, destination_id=before.destination_id, destination_known=before.destination_known
            )
        save_wanted(organization, baseline, stands_for=organization.stands_for, actor=actor)
        check_no_circle(organization)
        history.log_record(Action.ORGANIZATION_DISCARDED, organization, changes=difference(before, baseline))
    return organization


def withdraw(organization_id: int, version: int, *, actor: Actor) -> None:
    """Delete a record that was never sent. Its history stays, and its OID is free again.

    Raises:
        EditConflict: somebody saved the record after `version`.
        ActionRefused: a message of the record was made, or records are part of it.
    """
    with audit.atomic(actor) as history:
        counterparts.lock_with_counterpart(organization_id)
        organization = lock_record(organization_id)
        if organization.version != version:
            raise EditConflict(organization)
        error = withdraw_block_reason(organization)
        if error:
            raise ActionRefused(error)
        history.log_record(Action.ORGANIZATION_WITHDRAWN, organization)
        counterparts.unlink_withdrawn(history, organization)
        organization.contacts.all().delete()
        organization.identifiers.all().delete()
        organization.delete()


def discard_block_reason(organization: Organization) -> str:
    """Why saved changes cannot be discarded now, as a sentence; "" if they can."""
    if organization.baseline_record() is None:
        return "This record was never accepted, so there is nothing to go back to."
    last = organization.last_submission
    if last is not None and last.is_open:
        return f"Submission {last.pk} of this record is not finished. Wait for it or cancel it first."
    return ""


def withdraw_block_reason(organization: Organization) -> str:
    """Why the record cannot be withdrawn, as a sentence; "" if it can."""
    if was_only_cancelled(organization):
        return (
            "A submission of this record was cancelled before anything was sent. The record is kept, because its"
            " history names that submission."
        )
    if organization.has_submission:
        return "A submission of this record was made, so it cannot be withdrawn."
    if organization.presence != Presence.NEVER:
        return "The directory showed this OID, or a person stated it. The record cannot be withdrawn."
    if Organization.objects.filter(environment=organization.environment, part_of_oid=organization.oid).exists():
        return "Records are part of this one. Withdraw or move them first."
    return ""


def was_only_cancelled(organization: Organization) -> bool:
    """Whether all submissions of a record were cancelled before anything was sent."""
    never_there = organization.has_submission and organization.presence == Presence.NEVER
    return never_there and nothing_was_sent(organization)


def nothing_was_sent(organization: Organization) -> bool:
    """Whether no message was made, or each was cancelled before it was sent."""
    if not organization.has_submission:
        return True
    submissions = Submission.objects.filter(organization=organization)
    return not submissions.exclude(state=State.CANCELLED, may_have_been_sent=False).exists()


def add_seen(
    history: audit.History,
    record: OrganizationRecord,
    environment: str,
    *,
    seen_at: datetime.datetime,
    destination: KnownDestination | None = None,
    endpoints: Mapping[str, str] | None = None,
    reason: str = "",
    **details: Any,
) -> Organization:
    """Add a record that the directory showed at `seen_at`. The caller has locked the structure.

    `destination`: the destination ID that a person entered; without it the record cannot be sent. `endpoints`: the
    carried keys about endpoints in an old message. A Query shows neither.

    Raises:
        OidTaken: the OID is in use here.
        Circle: its parent is below it here.
        ActionRefused: a record here cannot hold what the directory shows.
    """
    sentence = row_limits.storage_block_reason(record)
    if sentence:
        raise ActionRefused(sentence)
    check_oid_free(record.oid, environment)
    organization = _row_of_seen(record, environment, seen_at)
    if destination is not None:
        organization.destination_source = destination.source
        record = replace(record, destination_id=destination.destination_id, destination_known=True)
    if endpoints:
        record = replace(record, carried=tuple(sorted({**dict(record.carried), **endpoints}.items())))
    save_wanted(organization, record, stands_for="", actor=history.actor)
    check_no_circle(organization)
    details["destination_source"] = organization.destination_source
    history.log_record(Action.ORGANIZATION_SEEN, organization, reason=reason, **details)
    return organization


def _row_of_seen(record: OrganizationRecord, environment: str, seen_at: datetime.datetime) -> Organization:
    organization = Organization(environment=environment, created_at=clock.now(), version=0)
    organization.presence, organization.presence_basis = Presence.PRESENT, Basis.SEEN
    organization.presence_at = organization.seen_at = organization.known_at = seen_at
    organization.seen = organization.taken = canonical(record)
    organization.confirmed_active, organization.confirmed_part_of_oid = record.active, record.part_of_oid
    return organization


def check_oid_free(oid: str, environment: str, *, of: Organization | None = None) -> None:
    """Raise OidTaken, with the sentence for the form, if the OID is in use here or was ever sent for another record.

    `of`: the record that gets this OID. It can get back an OID that it had before.
    """
    environment_name = Environment(environment).label
    # Usually there is no such row, and `exists` is much cheaper than reading whole rows.
    here = Organization.objects.filter(environment=environment, oid=oid)
    if here.exists() and (holder := here.first()):
        raise OidTaken(f"{oid} is already the record {holder.name} in {environment_name}. Open it.", holder)
    earlier = Submission.objects.filter(environment=environment, oid=oid).exclude(organization=of)
    if earlier.exists() and (submission := earlier.select_related("organization").first()):
        raise OidTaken(
            f"{oid} was sent earlier for {submission.organization.name}. An OID is never used again.",
            submission.organization,
        )


def suggest_oid(environment: str, parent_oid: str) -> Oid:
    """The lowest OID below the parent that was never used and does not look like a patient or document OID."""
    below = parent_oid + "."
    used_oids = set(
        Organization.objects.filter(environment=environment, oid__startswith=below).values_list("oid", flat=True)
    )
    used_oids |= set(
        Submission.objects.filter(environment=environment, oid__startswith=below).values_list("oid", flat=True)
    )
    return next_free_child(Oid(parent_oid), used_oids)


def parent_error(environment: str, oid: str, part_of_oid: str) -> str:
    """Why this record cannot be part of that OID, as the sentence for the form; "" if it can."""
    if oid and oid == part_of_oid:
        return "A record cannot be part of itself."
    parent = Organization.objects.in_environment(environment).filter(oid=part_of_oid).first()
    if parent is None:
        return ""
    if oid and tree.would_circle(environment, oid, part_of_oid):
        return f"{parent.name} is below this record. That would make a circle."
    if parent.confirmed_active is False and parent.presence == Presence.PRESENT:
        return f"{parent.name} is deactivated. Reactivate it first or choose another."
    return ""


def _lock_to_edit(organization_id: int, oid: str) -> Organization:
    """The row, locked for a person's action. If the OID changes, its children are locked too: their PartOf changes."""
    locks.lock_structure_of_record(organization_id)
    if not Organization.objects.filter(pk=organization_id, oid=oid).exists():
        locks.lock_records(lambda: [organization_id, *_children(organization_id).values_list("pk", flat=True)])
    return lock_record(organization_id)


def _children(organization_id: int) -> OrganizationQuerySet:
    parent = Organization.objects.filter(pk=organization_id)
    here = Organization.objects.filter(
        environment=Subquery(parent.values("environment")[:1]), part_of_oid=Subquery(parent.values("oid")[:1])
    )
    return here.exclude(pk=organization_id).order_by("pk")


def lock_record_for_person(organization_id: int) -> Organization:
    """Like `lock_record`, for a person's action that reads other records too: takes the structure lock first."""
    locks.lock_structure_of_record(organization_id)
    return lock_record(organization_id)


def lock_record(organization_id: int) -> Organization:
    """The row, locked until the end of the transaction.

    Raises:
        RecordWithdrawn: the record was withdrawn.
    """
    try:
        return Organization.objects.select_for_update(of=("self",)).get(pk=organization_id)
    except Organization.DoesNotExist as error:
        raise RecordWithdrawn from error


def record_at(organization: Organization, version: int) -> OrganizationRecord | None:
    """The saved record at this version, from the history: both editors of a conflict started from it."""
    entry = AuditEntry.objects.wanted_at(organization.pk, version)
    return OrganizationRecord.from_json(entry.facts["record"]) if entry else None


def stands_for_at(organization: Organization, version: int) -> str:
    """The kind of record at this version, from the history."""
    entry = AuditEntry.objects.wanted_at(organization.pk, version)
    return str(entry.facts.get("stands_for", "")) if entry else ""


def set_wanted_active(organization: Organization, active: bool) -> None:
    """Set the saved Active of a locked row. Other saved changes stay."""
    _save_row(organization, replace(organization.record(), active=active))


def check_no_circle(organization: Organization) -> None:
    """Raise Circle if PartOf of the saved row leads back to it. The exception rolls the row back."""
    environment, oid, part_of_oid = organization.environment, organization.oid, organization.part_of_oid
    if tree.would_circle(environment, oid, part_of_oid):
        parent = Organization.objects.get(environment=environment, oid=part_of_oid)
        raise Circle(f"{parent.name} is below this record. That would make a circle.")


def _change_oid(history: audit.History, organization: Organization, oid: str) -> OrganizationRecord:
    """Give a locked record another OID. PartOf of its children changes too, as edits by the same person.

    Returns the saved values without what the directory had under the old OID.

    Raises:
        OidTaken: the OID is in use, or was sent for another record.
        ActionRefused: an open submission of a record below names the old OID.
    """
    check_oid_free(oid, organization.environment, of=organization)
    for child in _children(organization.pk):
        last = child.last_submission
        if last is not None and last.is_open:
            raise ActionRefused(f"Submission {last.pk} of {child.name}, which is part of this record, must end first.")
        before = child.record()
        after = replace(before, part_of_oid=oid)
        save_wanted(child, after, stands_for=child.stands_for, actor=history.actor)
        history.log_record(Action.ORGANIZATION_EDITED, child, changes=difference(before, after))
    directory_state.forget_old_oid(organization)
    directory_state.set_earlier_answer(organization, oid)
    decision = AuditEntry.objects.decided_foreign(organization.pk, oid)
    if decision is not None:
        organization.foreign_since = decision.at
    return organization.record()


def save_wanted(organization: Organization, record: OrganizationRecord, *, stands_for: str, actor: Actor) -> None:
    """Save the values of a locked row as its next version."""
    organization.stands_for = stands_for
    organization.version += 1
    organization.edited_at = clock.now()
    organization.edited_by = actor.person
    _save_row(organization, record)
    _replace_parts(organization, record)


def _save_row(organization: Organization, record: OrganizationRecord) -> None:
    organization.fill_columns(record)
    organization.search_text = search_text.record_search_text(record)
    organization.name_key = name_key(record.name)
    organization.double_key = search_text.record_near_duplicate_key(record)
    # A new record has no rows of contacts and identifiers yet.
    directory_state.update_derived_columns(organization, record)
    organization.save()


def _replace_parts(organization: Organization, record: OrganizationRecord) -> None:
    if organization.version > 1:  # a new record has none
        organization.contacts.all().delete()
        organization.identifiers.all().delete()
    Contact.objects.bulk_create(
        Contact(organization=organization, position=position, **Contact.columns_of(contact))
        for position, contact in enumerate(record.contacts)
    )
    Identifier.objects.bulk_create(
        Identifier(organization=organization, position=position, **Identifier.columns_of(identifier))
        for position, identifier in enumerate(record.identifiers)
    )
