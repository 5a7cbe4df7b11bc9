"""Repeat a record of STAGING in PRODUCTION: what is copied, what can be proposed, and what a person must say anew."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from django.db import IntegrityError

from organizations.models import Action, AuditEntry, Environment, Organization, Presence, clock
from organizations.oid import Oid, OidError
from organizations.records import OrganizationRecord, difference
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import gateway
from organizations.services.errors import ActionRefused, CounterpartExists, SourceChanged
from organizations.services.records import counterparts, organizations

EARLIER = "earlier"
"""What the entry says if the source got other values after the form was filled."""


class SourceKind(StrEnum):
    """What the values of a source rest on."""

    ACCEPTED = "accepted"
    TAKEN = "taken"  # from the directory, since the last acceptance
    SAVED = "saved"  # nothing was ever accepted


class Doubt(StrEnum):
    """Why the directory of STAGING may not have this record, whatever Redox accepted before."""

    NONE = ""
    FOREIGN = "foreign"  # the OID belongs to another organization
    UNCLAIMED = "unclaimed"  # the directory shows the OID, and nobody decided whose it is
    ABSENT = "absent"
    UNKNOWN = "unknown"
    UNSEEN = "unseen"  # a later reading did not show it


@dataclass(frozen=True, slots=True)
class StagingSource:
    """A record of STAGING with the values that can be repeated."""

    organization: Organization
    kind: SourceKind
    record: OrganizationRecord

    @property
    def doubt(self) -> Doubt:
        made = self.organization
        reasons = {
            Doubt.FOREIGN: made.is_foreign,
            Doubt.UNCLAIMED: made.is_there_unclaimed,
            Doubt.ABSENT: made.presence == Presence.ABSENT,
            Doubt.UNKNOWN: made.presence == Presence.UNKNOWN,
            Doubt.UNSEEN: made.is_missing,
        }
        return next((doubt for doubt, holds in reasons.items() if holds), Doubt.NONE)


@dataclass(frozen=True, slots=True)
class ProductionParent:
    """Where a record belongs in PRODUCTION. `oid` is "" if a person must say it.

    `staging` is the parent in STAGING if it is a record of ours.
    """

    oid: str
    staging: Organization | None = None


class FormBasis(NamedTuple):
    """What goes round with a form: from which values it was filled, and which ones it showed last; None: not known.

    `doubt` is the one that it showed.
    """

    filled: OrganizationRecord | None = None
    shown: OrganizationRecord | None = None
    doubt: str = ""


def source_of(staging: Organization) -> StagingSource:
    """What was accepted, or taken from the directory since; if nothing was, what is saved."""
    baseline = staging.baseline_record()
    if baseline is None:
        return StagingSource(staging, SourceKind.SAVED, staging.record())
    return StagingSource(staging, SourceKind.TAKEN if staging.taken else SourceKind.ACCEPTED, baseline)


def copied(record: OrganizationRecord) -> OrganizationRecord:
    """The record without what each environment has of its own: OID, destination ID and keys of its directory."""
    return replace(record, oid="", destination_id="", destination_known=True, carried=())


def parent_of(source: StagingSource) -> ProductionParent:
    """The gateway of PRODUCTION, or the counterpart of the parent in STAGING."""
    oid = source.record.part_of_oid
    if oid == gateway.environment(Environment.STAGING).gateway_oid:
        return ProductionParent(gateway.environment(Environment.PRODUCTION).gateway_oid)
    if oid in gateway.gateways(Environment.PRODUCTION):
        return ProductionParent(oid)
    staging = Organization.objects.in_environment(Environment.STAGING).filter(oid=oid).first()
    counterpart = staging.counterpart if staging else None
    return ProductionParent(counterpart.oid if counterpart else "", staging)


def proposed_oid(staging_oid: str) -> str:
    """The OID with the base of STAGING exchanged for that of PRODUCTION; "" without two bases that belong together.

    A gateway of Redox is never proposed: it is not an organization.
    """
    own, others = (gateway.environment(each).base_oids for each in (Environment.STAGING, Environment.PRODUCTION))
    pairs = dict(zip(own, others, strict=True)) if len(own) == len(others) else {}
    base = _longest_base(staging_oid, own)
    if base not in pairs or pairs[base] == base:
        return ""
    try:
        proposal = Oid(pairs[base] + staging_oid.removeprefix(base)).text
    except OidError:  # too long
        return ""
    return "" if proposal in gateway.gateways(Environment.PRODUCTION) else proposal


def other_base_error(environment: Environment, oid: str) -> str:
    """Why a new OID cannot be one of this environment, as a sentence: by the base OIDs it belongs to the other one."""
    own = gateway.environment(environment).base_oids
    base = _longest_base(oid, gateway.environment(environment.other).base_oids)
    if not own or not base or _longest_base(oid, own):
        return ""
    other, word = environment.other.label, environment.label
    return (
        f"{oid} belongs to {other}: it lies below its base OID {base}. Enter the OID that Redox issued for {word}"
        f" (below {' or '.join(own)})."
    )


def prepare(
    record: OrganizationRecord,
    staging_id: int,
    *,
    basis: FormBasis,
    stands_for: str,
    actor: Actor,
) -> Organization:
    """Add a record of PRODUCTION and make it the counterpart of a record of STAGING.

    The entry names the submission of the source only if the form was filled from what that submission sent.

    Raises:
        CounterpartExists: the record of STAGING has a counterpart.
        SourceChanged: other values can be repeated of it now, or there is a doubt that the form did not show.
        OidTaken: the OID is in use in PRODUCTION, or was sent earlier for another record.
        Circle: PartOf would lead back to the record.
        Gone: the record of STAGING was withdrawn.
    """
    try:
        with audit.recorded(actor) as history:
            counterparts.lock_with_counterpart(staging_id)
            staging = organizations.locked(staging_id)
            source = _unchanged(staging, basis)
            organizations.check_oid_free(record.oid, Environment.PRODUCTION)
            made = Organization(environment=Environment.PRODUCTION, created_at=clock.now(), version=0)
            organizations.save_wanted(made, record, stands_for=stands_for, actor=actor)
            organizations.check_no_circle(made)
            changes, named = difference(None, record), _named(source, basis)
            history.organization(Action.ORGANIZATION_CREATED, made, changes=changes, prepared_from=named)
            counterparts.write_link(history, staging, made)
    except IntegrityError as error:
        raise ActionRefused("The record could not be saved. Nothing was saved.") from error
    return made


def prepared_before(
    record: OrganizationRecord, staging: Organization, *, stands_for: str, actor: Actor
) -> Organization | None:
    """The counterpart that the same person made with these very values: a second press of the button.

    None if it is a first press.
    """
    made = staging.counterpart
    if made is None or made.version != 1 or made.edited_by != actor.person:
        return None
    entries = AuditEntry.objects.of_organization(made.pk).filter(action=Action.ORGANIZATION_CREATED)
    details = [entry.facts.get("details", {}) for entry in entries]
    is_from_it = any(each.get("prepared_from", {}).get("id") == staging.pk for each in details)
    return made if is_from_it and (made.record(), made.stands_for) == (record, stands_for) else None


def _unchanged(staging: Organization, basis: FormBasis) -> StagingSource:
    """The source of a locked record that can be repeated as the form shows it."""
    if staging.counterpart is not None:
        raise CounterpartExists(f"{staging.counterpart.name} is already the PRODUCTION counterpart.")
    source = source_of(staging)
    if not _is_same(basis.shown, source) or source.doubt not in (Doubt.NONE, basis.doubt):
        raise SourceChanged(f"{staging.name} was changed in STAGING meanwhile. Nothing was saved.")
    return source


def _is_same(record: OrganizationRecord | None, source: StagingSource) -> bool:
    return record is not None and copied(record) == copied(source.record)


def _named(source: StagingSource, basis: FormBasis) -> dict[str, object]:
    """The source as the entry of the new record names it."""
    organization = source.organization
    named = counterparts.reference(organization)
    if not _is_same(basis.filled, source):
        return named | {"values": EARLIER}
    submission = organization.confirmed_submission_id if source.kind is SourceKind.ACCEPTED else None
    return named | {"values": source.kind.value} | ({"submission": submission} if submission else {})


def _longest_base(oid: str, bases: tuple[str, ...]) -> str:
    """The nearest of these OIDs that this one equals or lies below; "" if there is none."""
    above = [base for base in bases if oid == base or oid.startswith(f"{base}.")]
    return max(above, key=len, default="")
