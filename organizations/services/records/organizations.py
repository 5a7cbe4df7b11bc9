"""Create, edit, discard and withdraw records. Sending is in submissions.py."""

from dataclasses import replace

from django.db import IntegrityError
from django.db.models import Subquery

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
from organizations.services.records import counterparts, known, row_limits


def create(record: OrganizationRecord, environment: str, *, stands_for: str, actor: Actor) -> Organization:
    """Add a record that was never sent.

    Raises:
        OidTaken: the OID is in use in this environment, or was sent earlier for another record.
    """
    try:
        with audit.recorded(actor) as history:
            locks.lock_structure(environment)
            check_oid_free(record.oid, environment)
            organization = Organization(environment=environment, created_at=clock.now(), version=0)
            save_wanted(organization, record, stands_for=stands_for, actor=actor)
            check_no_circle(organization)
            history.organization(Action.ORGANIZATION_CREATED, organization, changes=difference(None, record))
    except IntegrityError as error:
        raise ActionRefused("The record could not be saved. Nothing was saved.") from error
    return organization


def edit(
    organization_id: int, version: int, record: OrganizationRecord, *, stands_for: str, actor: Actor
) -> Organization:
    """Replace what is wanted of a record. Active is not edited here, and the OID only where `can_change_oid` says so.

    Raises:
        EditConflict: somebody saved the record after `version`.
        OidTaken: the new OID is in use.
        NotDone: the OID cannot change now.
    """
    try:
        with audit.recorded(actor) as history:
            organization = _locked_to_edit(organization_id, record.oid)
            if organization.version != version:
                raise EditConflict(organization, version)
            before = organization.record()
            if not organization.can_change_oid:
                record = replace(record, oid=organization.oid)
            elif record.oid != organization.oid:
                _change_oid(history, organization, record.oid)
            record = replace(record, active=before.active, carried=before.carried)
            changes = difference(before, record)
            if not changes and stands_for == organization.stands_for and record == before:
                return organization
            save_wanted(organization, record, stands_for=stands_for, actor=actor)
            check_no_circle(organization)
            history.organization(Action.ORGANIZATION_EDITED, organization, changes=changes)
    except IntegrityError as error:
        raise ActionRefused("The record could not be saved. Nothing was saved.") from error
    return organization


def discard(organization_id: int, version: int, *, actor: Actor) -> Organization:
    """Discard saved changes: the record goes back to what was last accepted, or taken from the directory since.

    Raises:
        EditConflict: somebody saved the record after `version`.
        NotDone: nothing of it was ever accepted or taken, a submission carries the changes, or it would be part of what
            was moved below it meanwhile.
    """
    with audit.recorded(actor) as history:
        organization = locked_for_person(organization_id)
        if organization.version != version:
            raise EditConflict(organization, version)
        error = why_not_discard(organization)
        baseline = organization.baseline_record()
        if error or baseline is None:
            raise ActionRefused(error)
        before = organization.record()
        baseline = replace(baseline, active=before.active, carried=before.carried)
        # Discarded edits do not make anyone an author of the next submission.
        confirmed_version = organization.version + 1
        if not baseline.destination_known:
            confirmed_version = organization.confirmed_version  # that edit stays
            known = (before.destination_id, before.destination_known)
            baseline = replace(baseline, destination_id=known[0], destination_known=known[1])
        organization.confirmed_version = confirmed_version
        save_wanted(organization, baseline, stands_for=organization.stands_for, actor=actor)
        check_no_circle(organization)
        history.organization(Action.ORGANIZATION_DISCARDED, organization, changes=difference(before, baseline))
    return organization


def withdraw(organization_id: int, version: int, *, actor: Actor) -> None:
    """Take away a record of which nothing was ever sent. Its history stays and its OID is free again.

    Raises:
        EditConflict: somebody saved the record after `version`.
        NotDone: something of it was sent, or records are part of it.
    """
    with audit.recorded(actor) as history:
        counterparts.lock_with_counterpart(organization_id)
        organization = locked(organization_id)
        if organization.version != version:
            raise EditConflict(organization, version)
        error = why_not_withdraw(organization)
        if error:
            raise ActionRefused(error)
        history.organization(Action.ORGANIZATION_WITHDRAWN, organization)
        counterparts.unlink_withdrawn(history, organization)
        organization.contacts.all().delete()
        organization.identifiers.all().delete()
        organization.delete()


def why_not_discard(organization: Organization) -> str:
    """Why saved changes cannot be thrown away now, as a sentence; empty when they can."""
    if organization.baseline_record() is None:
        return "Nothing of this record was ever accepted, so there is nothing to go back to."
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
        NotDone: a record here cannot hold what the directory shows.
    """
    sentence = row_limits.why_not_storable(record)
    if sentence:
        raise ActionRefused(sentence)
    moment = clock.now()
    organization = Organization(environment=environment, created_at=moment, version=0)
    organization.presence, organization.presence_basis = Presence.PRESENT, Basis.SEEN
    organization.presence_at = organization.seen_at = organization.known_at = moment
    organization.seen = organization.taken = canonical(record)
    organization.confirmed_active, organization.confirmed_part_of_oid = record.active, record.part_of_oid
    with audit.recorded(actor) as history:
        locks.lock_structure(environment)
        check_oid_free(record.oid, environment)
        save_wanted(organization, record, stands_for="", actor=actor)
        check_no_circle(organization)
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
            raise ActionRefused("A message of this record was made already; what became of it stands on its page.")
        if not reason.strip():
            raise ActionRefused("Say how you know that it is registered.")
        organization.presence, organization.presence_basis = Presence.PRESENT, Basis.STATED
        organization.presence_at, organization.presence_reason = clock.now(), reason
        organization.save()
        history.organization(Action.ORGANIZATION_STATED, organization, reason=reason)
    return organization


def check_oid_free(oid: str, environment: str, *, of: Organization | None = None) -> None:
    """Raises OidTaken, with the sentence for the form, when the OID is in use here or was ever sent for a record.

    `of`: a record that gets this OID; it may get one back that was its own.
    """
    word = Environment(environment).label
    # In most cases there is none; building the query for a whole row takes longer than its answer.
    here = Organization.objects.filter(environment=environment, oid=oid)
    if here.exists() and (holder := here.first()):
        raise OidTaken(f"{oid} is already the record {holder.name} in {word}. Open it.", holder)
    earlier = Submission.objects.filter(environment=environment, oid=oid).exclude(organization=of)
    if earlier.exists() and (sent := earlier.select_related("organization").first()):
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


def parent_error(environment: str, oid: str, part_of_oid: str) -> str:
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


def _locked_to_edit(organization_id: int, oid: str) -> Organization:
    """The row, locked for a person; with it the records below, where another OID is wanted that these follow."""
    locks.lock_structure_of_record(organization_id)
    if not Organization.objects.filter(pk=organization_id, oid=oid).exists():
        locks.lock_records(lambda: [organization_id, *_below(organization_id).values_list("pk", flat=True)])
    return locked(organization_id)


def _below(organization_id: int) -> OrganizationQuerySet:
    parent = Organization.objects.filter(pk=organization_id)
    here = Organization.objects.filter(
        environment=Subquery(parent.values("environment")[:1]), part_of_oid=Subquery(parent.values("oid")[:1])
    )
    return here.exclude(pk=organization_id).order_by("pk")


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
        raise RecordWithdrawn from error


def record_at(organization: Organization, version: int) -> OrganizationRecord | None:
    """The record as it was at a version, from the history: what two editors both started from."""
    entry = AuditEntry.objects.wanted_at(organization.pk, version)
    return OrganizationRecord.from_json(entry.facts["record"]) if entry else None


def stands_for_at(organization: Organization, version: int) -> str:
    """What the record stood for at a version, from the history."""
    entry = AuditEntry.objects.wanted_at(organization.pk, version)
    return str(entry.facts.get("stands_for", "")) if entry else ""


def set_wanted_active(organization: Organization, active: bool) -> None:
    """Set the wanted Active of a locked row; saved changes stay as they are."""
    _save_row(organization, replace(organization.record(), active=active))


def check_no_circle(organization: Organization) -> None:
    """Asked of the saved row, so that it holds however the values came together; raising takes the row back."""
    environment, oid, part_of_oid = organization.environment, organization.oid, organization.part_of_oid
    if tree.would_circle(environment, oid, part_of_oid):
        parent = Organization.objects.get(environment=environment, oid=part_of_oid)
        raise Circle(f"{parent.name} lies below this record; that would make a circle.")


def _change_oid(history: audit.History, organization: Organization, oid: str) -> None:
    """Give a locked record another OID, of which nothing is known. Records below follow, each an edit by the same
    person.

    Raises:
        OidTaken: the OID is in use, or was sent for another record.
        NotDone: a submission of a record below is open, and names the old OID.
    """
    check_oid_free(oid, organization.environment, of=organization)
    for child in _below(organization.pk):
        last = child.last_submission
        if last is not None and last.is_open:
            raise ActionRefused(f"Submission {last.pk} of {child.name}, which is part of this record, must end first.")
        before = child.record()
        after = replace(before, part_of_oid=oid)
        save_wanted(child, after, stands_for=child.stands_for, actor=history.actor)
        history.organization(Action.ORGANIZATION_EDITED, child, changes=difference(before, after))
    known.clear(organization)
    decided = AuditEntry.objects.decided_foreign(organization.pk, oid)
    if decided is not None:
        organization.foreign_since = decided.at


def save_wanted(organization: Organization, record: OrganizationRecord, *, stands_for: str, actor: Actor) -> None:
    """Save what is wanted of a locked row as the next version."""
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
        "search_text": search_text.search_text(record),
        "double_key": search_text.double_key(record),
    }
    for name, value in values.items():
        setattr(organization, name, value)
    # The parts of a new record have no rows yet.
    known.update_counts(organization, record)
    organization.save()


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
