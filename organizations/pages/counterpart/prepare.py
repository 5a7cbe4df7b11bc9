"""A form of PRODUCTION that is filled from a record of STAGING: its first values, and what it says about the source."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations import knowledge
from organizations.models import Environment, Organization
from organizations.pages.addresses import record_url
from organizations.pages.counterpart_box import page_url, prepare_url
from organizations.pages.record import summary, to_do
from organizations.queries.record_context import record_at
from organizations.records import Difference, OrganizationRecord, difference, labels_in_sentence
from organizations.services.errors import OidTaken
from organizations.services.records import organizations, prepare
from organizations.services.records.prepare import Doubt, SourceKind, StagingSource
from organizations.text import evidence, vocabulary
from organizations.text.markup import link, moment, plain, with_oids, written
from organizations.text.vocabulary import FOREIGN_OID, NOT_IN_DIRECTORY

DESTINATION_NOTE = "The portal never copies it from STAGING. Enter that of PRODUCTION, or leave the field empty."
NEVER_ACCEPTED = "STAGING has never accepted this. Redox's how-to asks to test there first."
ONLY_SHOWN = (
    "Redox has accepted no message of this record in STAGING from the portal; its directory showed these values."
    " Redox's how-to asks to test there first."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedNotes:
    """What the form says about its source.

    `changes` are the changes of the source since the form was filled. `is_unknown`: it is not known what the form was
    filled from. `new_doubt` is a warning that the form did not show before. `existing` is the counterpart, if there
    already is one.
    """

    origin: SafeString
    warnings: list[str]
    new_doubt: str
    notes: list[SafeString]
    changes: list[Difference]
    is_unknown: bool
    existing: Organization | None
    oid_note: SafeString
    source: Organization

    @property
    def is_stale(self) -> bool:
        return self.is_unknown or bool(self.changes) or bool(self.new_doubt)

    @property
    def destination_note(self) -> str:
        return DESTINATION_NOTE


def prepared_record(source: StagingSource) -> OrganizationRecord:
    """The first values of a form of PRODUCTION. OID and PartOf are empty if a person must enter them."""
    return replace(
        prepare.without_own_keys(source.record),
        active=True,
        oid=_free(prepare.proposed_oid(source.organization.oid)),
        part_of_oid=prepare.parent_of(source).oid,
    )


def prepared_notes(source: StagingSource, basis: OrganizationRecord | None, *, shown_doubt: str) -> PreparedNotes:
    """What the form says about its source. `basis` is what it was filled from; None if that is not known."""
    doubt = _doubt(source)
    is_new = source.doubt != shown_doubt
    return PreparedNotes(
        origin=_origin(source),
        warnings=[each for each in ("" if is_new else doubt, _untested(source)) if each],
        new_doubt=doubt if is_new else "",
        notes=list(_notes(source)),
        changes=list(difference(prepare.without_own_keys(basis), prepare.without_own_keys(source.record)))
        if basis
        else [],
        is_unknown=basis is None,
        existing=source.organization.counterpart,
        oid_note=_oid_note(source.organization.oid),
        source=source.organization,
    )


def _origin(source: StagingSource) -> SafeString:
    organization = source.organization
    name = link(record_url(organization), source.record.name)
    match source.kind:
        case SourceKind.ACCEPTED:
            by = evidence.beside_record_date(organization)
            day = moment(organization.confirmed_at, "day")
            return format_html(
                "From {} in STAGING, accepted {}{}{}.", name, day, by and f", {by}", _submission(organization)
            )
        case SourceKind.TAKEN:
            day = moment(organization.known_at, "day")
            return format_html("From {} in STAGING, as its directory showed it on {}.", name, day)
    return format_html("From {} in STAGING, as saved there on {}.", name, moment(organization.edited_at, "day"))


def _submission(organization: Organization) -> SafeString:
    number = organization.confirmed_submission_id
    if number is None:
        return SafeString()
    return format_html(" ({})", link(reverse("submission", args=["staging", number]), f"submission {number}"))


def _doubt(source: StagingSource) -> str:
    """Why STAGING may not have the record, in the words of the record's own page; "" if nothing suggests it."""
    organization, sentence = source.organization, ""
    match source.doubt:
        case Doubt.FOREIGN:
            sentence = FOREIGN_OID.format(name=plain(organization.foreign_name) or "not named")
        case Doubt.UNCLAIMED:
            sentence = to_do.unclaimed_meaning(organization)
        case Doubt.ABSENT:
            sentence = summary.absent_sentence(organization)
        case Doubt.UNKNOWN:
            sentence = vocabulary.STANDING["unknown"].sentence
        case Doubt.UNSEEN:
            sentence = (
                NOT_IN_DIRECTORY["query"].format(moment=written(organization.seen_at)) if organization.seen_at else ""
            )
    return f"In STAGING: {sentence}" if sentence else ""


def _untested(source: StagingSource) -> str:
    if source.kind is SourceKind.SAVED:
        return NEVER_ACCEPTED
    return "" if source.organization.confirmed_at else ONLY_SHOWN


def _notes(source: StagingSource) -> Iterator[SafeString]:
    organization = source.organization
    yield from _parent_note(source)
    yield from _proposal_note(organization)
    baseline = organization.baseline_record()
    unsent = knowledge.in_form(difference(baseline, knowledge.sendable(organization.record()))) if baseline else ()
    if unsent:
        what, are = vocabulary.count(len(unsent), "saved change"), "is" if len(unsent) == 1 else "are"
        labels = labels_in_sentence(each.label for each in unsent)
        yield format_html("{} of STAGING {} not part of this: {}.", what, are, labels)
    if organization.differs:
        fields = vocabulary.count(organization.differs, "field")
        yield format_html(
            "The directory of STAGING showed other values later in {}. They are not part of this.", fields
        )
    if not source.record.active:
        yield SafeString("This record is deactivated in STAGING. The record of PRODUCTION begins active.")
    if carried := knowledge.sendable(source.record).carried:
        keys = labels_in_sentence(key for key, _ in carried)
        yield format_html("Not copied, because this portal does not edit it: {}.", plain(keys))


def _parent_note(source: StagingSource) -> Iterator[SafeString]:
    parent = prepare.parent_of(source)
    if parent.oid:
        return
    if parent.staging is not None:
        name, url = plain(parent.staging.name), prepare_url(parent.staging)
        first = format_html("{}, or choose", link(url, f"Prepare {name} first")) if url else "Choose"
        yield format_html("{} is not in PRODUCTION yet. {} another parent.", name, first)
    else:
        oid = with_oids(source.record.part_of_oid)
        yield format_html("In STAGING it is part of {}, which is not a record of ours. Choose another parent.", oid)


def _proposal_note(organization: Organization) -> Iterator[SafeString]:
    """A record of PRODUCTION has the OID that would be proposed, so it is probably the counterpart."""
    oid = prepare.proposed_oid(organization.oid)
    holder = record_at(Environment.PRODUCTION, oid)
    if holder is not None and holder.counterpart is None:
        url = f"{page_url(organization)}?counterpart={oid}"
        text = "{} is already in PRODUCTION: {}. If it is the same organization, {}."
        yield format_html(text, with_oids(oid), plain(holder.name), link(url, "link it"))


def _oid_note(staging_oid: str) -> SafeString:
    usual = "Redox usually issues another OID for PRODUCTION."
    proposal = _free(prepare.proposed_oid(staging_oid))
    if not proposal:
        return format_html("{} STAGING has {}.", usual, with_oids(staging_oid))
    text = "{} is a proposal: the base OID of PRODUCTION in place of that of STAGING. Check it. {} STAGING has {}."
    return format_html(text, with_oids(proposal), usual, with_oids(staging_oid))


def _free(oid: str) -> str:
    """The proposed OID; "" if PRODUCTION cannot use it any more."""
    if not oid:
        return ""
    try:
        organizations.check_oid_free(oid, Environment.PRODUCTION)
    except OidTaken:
        return ""
    return oid
