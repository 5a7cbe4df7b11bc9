"""Prepare a PRODUCTION record from a STAGING record: what the portal copies or proposes, and what a person enters."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from django.db import IntegrityError

from organizations.models import Action, AuditEntry, Environment, Organization, Presence, clock
from organizations.oid import Oid, OidError
from organizations.records import OrganizationRecord, difference
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import redox_settings
from organizations.services.errors import ActionRefused, CounterpartExists, SourceChanged
from organizations.services.records import counterparts, directory_state, organizations

EARLIER = "earlier"
"""The value in the history entry if the source changed after it filled the form."""


class SourceKind(StrEnum):
    """Where the values of a source come from."""

    ACCEPTED = "accepted"
    TAKEN = "taken"  # from the directory, since the last acceptance
    SAVED = "saved"  # nothing was ever accepted


class Doubt(StrEnum):
    """Why the STAGING directory may not have this record, although Redox may have accepted it before."""

    NONE = ""
    FOREIGN = "foreign"  # the OID belongs to another organization
    UNCLAIMED = "unclaimed"  # the directory shows the OID, and nobody has decided to whom it belongs
    ABSENT = "absent"
    UNKNOWN = "unknown"
    UNSEEN = "unseen"  # a later reading did not show it


@dataclass(frozen=True, slots=True)
class StagingSource:
    """A STAGING record, with the values that can be copied."""

    organization: Organization
    kind: SourceKind
    record: OrganizationRecord

    @property
    def doubt(self) -> Doubt:
        organization = self.organization
        reasons = {
            Doubt.FOREIGN: organization.is_foreign,
            Doubt.UNCLAIMED: organization.is_there_unclaimed,
            Doubt.ABSENT: organization.presence == Presence.ABSENT,
            Doubt.UNKNOWN: organization.presence == Presence.UNKNOWN,
            Doubt.UNSEEN: organization.is_missing,
        }
        return next((doubt for doubt, holds in reasons.items() if holds), Doubt.NONE)


@dataclass(frozen=True, slots=True)
class ProductionParent:
    """The parent in PRODUCTION. `oid` is "" if a person must choose it.

    `staging` is the parent in STAGING, if it is a record of ours.
    """

    oid: str
    staging: Organization | None = None


class FormBasis(NamedTuple):
    """The hidden fields of a form: the record that filled it, the record it showed last, and the doubt it showed.

    A record is None if it is not known.
    """

    filled: OrganizationRecord | None = None
    shown: OrganizationRecord | None = None
    doubt: str = ""


def source_of(staging: Organization) -> StagingSource:
    """The values that were accepted, or taken from the directory since; if there are none, the saved ones."""
    baseline = staging.baseline_record()
    if baseline is None:
        return StagingSource(staging, SourceKind.SAVED, staging.record())
    return StagingSource(staging, SourceKind.TAKEN if staging.taken else SourceKind.ACCEPTED, baseline)


def without_own_keys(record: OrganizationRecord) -> OrganizationRecord:
    """The record without OID, destination ID and carried keys: each environment has its own."""
    return replace(record, oid="", destination_id="", destination_known=True, carried=())


def parent_of(source: StagingSource) -> ProductionParent:
    """The gateway of PRODUCTION, or the counterpart of the parent in STAGING."""
    oid = source.record.part_of_oid
    if oid == redox_settings.environment(Environment.STAGING).gateway_oid:
        return ProductionParent(redox_settings.environment(Environment.PRODUCTION).gateway_oid)
    if oid in redox_settings.gateway_oids(Environment.PRODUCTION):
        return ProductionParent(oid)
    staging = Organization.objects.in_environment(Environment.STAGING).filter(oid=oid).first()
    counterpart = staging.counterpart if staging else None
    return ProductionParent(counterpart.oid if counterpart else "", staging)


def proposed_oid(staging_oid: str) -> str:
    """The OID with the PRODUCTION base instead of the STAGING base; "" if the bases do not correspond.

    A gateway of Redox is never proposed, because it is not an organization.
    """
    own, others = (redox_settings.environment(each).base_oids for each in (Environment.STAGING, Environment.PRODUCTION))
    pairs = dict(zip(own, others, strict=True)) if len(own) == len(others) else {}
    base = _longest_base(staging_oid, own)
    if base not in pairs or pairs[base] == base:
        return ""
    try:
        proposal = Oid(pairs[base] + staging_oid.removeprefix(base)).text
    except OidError:  # too long
        return ""
    return "" if proposal in redox_settings.gateway_oids(Environment.PRODUCTION) else proposal


def other_base_error(environment: Environment, oid: str) -> str:
    """A sentence if the OID belongs to the other environment by the base OIDs; else ""."""
    own = redox_settings.environment(environment).base_oids
    base = _longest_base(oid, redox_settings.environment(environment.other).base_oids)
    if not own or not base or _longest_base(oid, own):
        return ""
    other, environment_name = environment.other.label, environment.label
    return (
        f"{oid} belongs to {other}: it is below its base OID {base}."
        f" Enter the OID that Redox issued for {environment_name} (below {' or '.join(own)})."
    )


def prepare(
    record: OrganizationRecord,
    staging_id: int,
    *,
    basis: FormBasis,
    stands_for: str,
    actor: Actor,
) -> Organization:
    """Add a PRODUCTION record as the counterpart of a STAGING record.

    The history entry names the submission of the source only if that submission sent the values that filled the form.

    Raises:
        CounterpartExists: the STAGING record has a counterpart.
        SourceChanged: the STAGING record has other values now, or there is a doubt that the form did not show.
        OidTaken: the OID is in use in PRODUCTION, or was sent earlier for another record.
        Circle: PartOf would lead back to the record.
        RecordWithdrawn: the STAGING record was withdrawn.
    """
    try:
        with audit.atomic(actor) as history:
            counterparts.lock_with_counterpart(staging_id)
            staging = organizations.lock_record(staging_id)
            source = _check_source(staging, basis)
            organizations.check_oid_free(record.oid, Environment.PRODUCTION)
            organization = Organization(environment=Environment.PRODUCTION, created_at=clock.now(), version=0)
            directory_state.set_earlier_answer(organization, record.oid)
            organizations.save_wanted(organization, record, stands_for=stands_for, actor=actor)
            organizations.check_no_circle(organization)
            changes, prepared_from = difference(None, record), _source_reference(source, basis)
            history.log_record(Action.ORGANIZATION_CREATED, organization, changes=changes, prepared_from=prepared_from)
            counterparts.write_link(history, staging, organization)
    except IntegrityError as error:
        raise ActionRefused("The record could not be saved. Nothing was saved.") from error
    return organization


def prepared_before(
    record: OrganizationRecord, staging: Organization, *, stands_for: str, actor: Actor
) -> Organization | None:
    """The counterpart that the same person made with the same values, as by a second click; else None."""
    counterpart = staging.counterpart
    if counterpart is None or counterpart.version != 1 or counterpart.edited_by != actor.person:
        return None
    entries = AuditEntry.objects.of_organization(counterpart.pk).filter(action=Action.ORGANIZATION_CREATED)
    details = [entry.facts.get("details", {}) for entry in entries]
    is_from_it = any(detail.get("prepared_from", {}).get("id") == staging.pk for detail in details)
    return (
        counterpart if is_from_it and (counterpart.record(), counterpart.stands_for) == (record, stands_for) else None
    )


def _check_source(staging: Organization, basis: FormBasis) -> StagingSource:
    """The source of a locked record. Raises CounterpartExists, or SourceChanged if the form showed another one."""
    if staging.counterpart is not None:
        raise CounterpartExists(f"{staging.counterpart.name} is already the PRODUCTION counterpart.")
    source = source_of(staging)
    if not _is_same(basis.shown, source) or source.doubt not in (Doubt.NONE, basis.doubt):
        raise SourceChanged(f"{staging.name} was changed in STAGING after you opened this page. Nothing was saved.")
    return source


def _is_same(record: OrganizationRecord | None, source: StagingSource) -> bool:
    return record is not None and without_own_keys(record) == without_own_keys(source.record)


def _source_reference(source: StagingSource, basis: FormBasis) -> dict[str, object]:
    """How the history entry of the new record names the source."""
    organization = source.organization
    reference = counterparts.reference(organization)
    if not _is_same(basis.filled, source):
        return reference | {"values": EARLIER}
    submission = organization.confirmed_submission_id if source.kind is SourceKind.ACCEPTED else None
    return reference | {"values": source.kind.value} | ({"submission": submission} if submission else {})


def _longest_base(oid: str, bases: tuple[str, ...]) -> str:
    """The longest of these OIDs that the OID equals or is below; "" if there is none."""
    bases_above = [base for base in bases if oid == base or oid.startswith(f"{base}.")]
    return max(bases_above, key=len, default="")
