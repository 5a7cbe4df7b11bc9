"""The review of a record: the bytes of the message, what they change, warnings and blockers.

A review is never stored. The person who sends confirms its SHA-256, so that only these bytes are sent.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from organizations import knowledge
from organizations.knowledge import ChangesByOrigin
from organizations.models import (
    AuditEntry,
    Environment,
    Event,
    Intent,
    Organization,
    Presence,
    Submission,
)
from organizations.records import Difference, FieldAsText, OrganizationRecord, difference, fields_as_text
from organizations.redox import messages
from organizations.redox.environment import RedoxEnvironment
from organizations.services.actors import Actor
from organizations.services.connection import redox_settings
from organizations.services.records.authors import edit_of, edit_of_ours
from organizations.services.review import first_messages, warnings
from organizations.services.review.blockers import Blocker, blockers_of, is_undecided, unreadable_message
from organizations.services.review.first_messages import ORDINARY_MESSAGE, FirstMessage
from organizations.services.review.warnings import ReviewWarning, WarningCase


class DirectoryKnowledge(NamedTuple):
    """The known content of a record in the directory. All three are None if the message is a New.

    `baseline`: the values last accepted by Redox or taken from the directory. `seen`: a later reading. `newest`: the
    newest known value of each field.
    """

    newest: OrganizationRecord | None = None
    baseline: OrganizationRecord | None = None
    seen: OrganizationRecord | None = None

    def changes_by(self, record: OrganizationRecord, *, on_purpose: tuple[str, ...]) -> ChangesByOrigin:
        """The changes that sending this record makes, as `knowledge.changes_by_origin`."""
        return knowledge.changes_by_origin(self.baseline, self.seen, record, on_purpose=on_purpose)


@dataclass(frozen=True, slots=True)
class ReviewChange:
    """A field that the message changes, and its last edit here, if there is one."""

    difference: Difference
    entry: AuditEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the review page shows and its button submits.

    `changes`: fields that somebody edited here. `overwrites`: values of the directory that nobody chose to replace,
    each with its own tick. `equivalent`: other spellings with the same meaning.
    """

    organization: Organization
    event: Event
    intent: Intent
    record: OrganizationRecord
    known: DirectoryKnowledge
    message: bytes
    sha256: str
    changes: tuple[ReviewChange, ...]
    overwrites: tuple[ReviewChange, ...]
    equivalent: tuple[Difference, ...]
    warnings: tuple[ReviewWarning, ...]
    blockers: tuple[Blocker, ...]
    parent: Organization | None
    waits_for: Submission | None
    first_message: FirstMessage = ORDINARY_MESSAGE

    @property
    def before(self) -> OrganizationRecord | None:
        """The record with which the message is compared."""
        return self.known.newest

    @property
    def environment_name(self) -> str:
        return Environment(self.organization.environment).label

    @property
    def fingerprint(self) -> str:
        return " ".join(self.sha256[start : start + 4] for start in (0, 4, 8))

    @property
    def nothing_differs(self) -> bool:
        """Whether the message changes at most the spelling of what is in the directory."""
        return not self.changes and not self.overwrites

    @property
    def needs_reason(self) -> bool:
        """Whether a reason is required: always in PRODUCTION, and if the same values are sent again."""
        return self.organization.environment == Environment.PRODUCTION or self.nothing_differs

    @property
    def open_warnings(self) -> tuple[ReviewWarning, ...]:
        """The warnings to tick now. The others were ticked before, for the same value."""
        return tuple(warning for warning in self.warnings if not warning.is_accepted)

    @property
    def settled_warnings(self) -> tuple[ReviewWarning, ...]:
        return tuple(warning for warning in self.warnings if warning.is_accepted)

    @property
    def unchanged(self) -> tuple[FieldAsText, ...]:
        """The filled fields that the message does not change."""
        return tuple(
            field for field in fields_as_text(self.record) if field.value and not self._is_changed(field.field)
        )

    @property
    def lines(self) -> tuple[tuple[messages.MessageLine, bool], ...]:
        """The lines of the message, each with its field, and whether this message changes that field."""
        lines = messages.annotated_lines(self.message) if self.message else ()
        return tuple((line, self.before is not None and self._is_changed(line.field)) for line in lines)

    def _is_changed(self, field: str) -> bool:
        # An added contact is one change, but each of its fields is a field.
        return any(
            field == change.difference.field or field.startswith(f"{change.difference.field}.")
            for change in (*self.changes, *self.overwrites)
        )

    @property
    def is_undecided(self) -> bool:
        """Whether the portal cannot tell if this is a New or an Update. Then there is no message."""
        return is_undecided(self.organization)

    @property
    def shows_message(self) -> bool:
        """Whether to show a message: not if New or Update is undecided, or the OID may be another organization's."""
        is_ours = not self.organization.is_foreign and not self.organization.is_there_unclaimed
        return is_ours and not self.is_undecided

    @property
    def registration(self) -> str:
        """Whether a New is the first registration, or the record was accepted before and has left the directory."""
        return "registration again" if self.organization.confirmed else "first registration"

    @property
    def has_active_already(self) -> bool:
        """Whether the directory already has the Active of this message, by the newest knowledge."""
        return self.before is not None and self.before.active == self.record.active

    @property
    def move_of_active(self) -> str:
        """How a deactivation or reactivation changes Active, in words."""
        wanted = self.record.active
        if self.has_active_already:
            return f"Active {str(wanted).lower()} as the directory shows it"
        return "Active false to true" if wanted else "Active true to false"

    @property
    def summary(self) -> str:
        """The summary line at the top of the page."""
        if not self.shows_message:
            return f"{self.environment_name}, {self.record.name}: not to be sent now"
        start = f"{self.environment_name}, {self.event.value}, 1 record"
        number = len(self.overwrites)
        overwritten = f", {number} directory value{'' if number == 1 else 's'} overwritten" if number else ""
        if self.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
            return f"{start}, {self.move_of_active}{overwritten}"
        if self.event == Event.NEW:
            return f"{start}, {self.registration}"
        count = len(self.changes)
        if overwritten and not count:
            return f"{start}{overwritten}"
        return f"{start}, {count} field{' changes' if count == 1 else 's change'}{overwritten}"


def _knowledge_of(organization: Organization) -> DirectoryKnowledge:
    return DirectoryKnowledge(
        organization.newest_record(), organization.compared_record(), organization.later_reading()
    )


def review(
    organization: Organization,
    *,
    actor: Actor | None = None,
    intent: Intent | None = None,
    together: frozenset[int] = frozenset(),
) -> Review:
    """Review the saved values.

    To deactivate or reactivate, review the values last accepted or taken, or else shown by the directory, with only
    Active changed. `together`: ids of records whose messages precede this one in the same plan and do not block it.
    """
    record, event = _record_for(organization, intent), _event_for(organization)
    known = _knowledge_of(organization) if event == Event.UPDATE else DirectoryKnowledge()
    redox = redox_settings.environment(organization.environment)
    message = _message(organization, record, event, redox)
    parent = _parent_of(organization, record)
    changes_active = intent in (Intent.DEACTIVATE, Intent.REACTIVATE)
    split = known.changes_by(record, on_purpose=("active",) if changes_active else ())
    changes, overwrites = _changes(organization, split, known.baseline, record)
    others = _changes_by_others(changes, actor)
    case = WarningCase(organization, record, known.newest, redox, parent, others, split.overwritten, together)
    return Review(
        organization=organization,
        event=event,
        intent=intent or (Intent.CREATE if event == Event.NEW else Intent.UPDATE),
        record=record,
        known=known,
        message=message,
        sha256=messages.sha256(message),
        changes=changes,
        overwrites=overwrites,
        equivalent=split.equivalent,
        # A deactivation or reactivation sends values that were reviewed before: only overwritten values are new.
        warnings=warnings.directory_warnings(case) if changes_active else warnings.all_warnings(case),
        blockers=blockers_of(organization, record, parent, intent, together) + unreadable_message(message, record),
        parent=parent,
        waits_for=_waits_for(parent),
        first_message=first_messages.first_message_of(organization),
    )


def as_curl(review: Review) -> str:
    """The message as a command for a shell, with a placeholder for the access token.

    `--data-raw` sends the exact bytes. `--data` would remove the line breaks.
    """
    redox = redox_settings.environment(review.organization.environment)
    return "\n".join(
        (
            "# Sent by hand, this bypasses the portal: no history, and no protection against sending twice.",
            f"curl -X POST {shlex.quote(redox.base_url + '/endpoint')} \\",
            '  -H "Content-Type: application/json" \\',
            '  -H "Authorization: Bearer [access token]" \\',
            f"  --data-raw {shlex.quote(review.message.decode())}",
        )
    )


def _event_for(organization: Organization) -> Event:
    return Event.NEW if organization.presence in (Presence.NEVER, Presence.ABSENT) else Event.UPDATE


def _message(organization: Organization, record: OrganizationRecord, event: Event, redox: RedoxEnvironment) -> bytes:
    """No message while the destination ID is unknown (an Update would erase it) or New or Update is undecided."""
    can_build = record.destination_known and not is_undecided(organization)
    return messages.build_message(record, event.value, redox) if can_build else b""


def _record_for(organization: Organization, intent: Intent | None) -> OrganizationRecord:
    if intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
        return _with_type_shown(organization, knowledge.sendable(organization.record()))
    record = organization.baseline_record() or _record_shown(organization) or organization.record()
    if not record.destination_known:  # no reading shows it, so the saved value is the only one
        destination, is_known = organization.destination_id, organization.destination_known
        record = replace(record, destination_id=destination, destination_known=is_known)
    record = _with_type_shown(organization, knowledge.sendable(record))
    return replace(record, active=intent == Intent.REACTIVATE)


def _with_type_shown(organization: Organization, record: OrganizationRecord) -> OrganizationRecord:
    """The record, with Type from a later reading if Type is sent back: nobody edits Type here."""
    seen = organization.later_reading()
    if seen is None or "Type" not in dict(record.carried):
        return record
    return replace(record, carried=knowledge.carried_from(record, seen))


def _record_shown(organization: Organization) -> OrganizationRecord | None:
    """A record that was never accepted, as the directory showed it; None if there is no reading.

    A reading shows neither the destination ID nor all carried keys, so these come from the row. Saved edits are left
    out.
    """
    seen = organization.later_reading()
    if seen is None:
        return None
    return replace(
        seen,
        oid=organization.oid,
        destination_id=organization.destination_id,
        destination_known=organization.destination_known,
        carried=tuple(sorted(organization.carried.items())),
    )


def _parent_of(organization: Organization, record: OrganizationRecord) -> Organization | None:
    here = Organization.objects.in_environment(organization.environment)
    return here.select_related("last_submission").with_oid(record.part_of_oid)


def _waits_for(parent: Organization | None) -> Submission | None:
    """The open New of the parent, which must be accepted before this message is sent."""
    if parent is None or parent.presence == Presence.PRESENT or parent.last_submission is None:
        return None
    return parent.last_submission if parent.last_submission.is_open else None


def _changes(
    organization: Organization, split: ChangesByOrigin, baseline: OrganizationRecord | None, record: OrganizationRecord
) -> tuple[tuple[ReviewChange, ...], tuple[ReviewChange, ...]]:
    """The changes edited here, each with its last edit; and the overwritten values, with their edit if there is one."""
    edits = list(AuditEntry.objects.edits_since(organization.pk, organization.confirmed_version))
    changes = tuple(ReviewChange(difference, edit_of_ours(difference, edits, baseline)) for difference in split.chosen)
    return changes, with_edits(split.overwritten, edits, baseline, record)


def with_edits(
    differences: Iterable[Difference],
    edits: list[AuditEntry],
    baseline: OrganizationRecord | None,
    record: OrganizationRecord,
) -> tuple[ReviewChange, ...]:
    """Each difference with its last edit, if there is one.

    A field with the value of the baseline has no edit, even if somebody edited another contact.
    """
    edited_fields = {each.field for each in difference(baseline, record)}
    return tuple(
        ReviewChange(each, edit_of(each, edits, baseline) if _is_edited(each.field, edited_fields) else None)
        for each in differences
    )


def _is_edited(field: str, edited: set[str]) -> bool:
    """Whether the field, its whole contact, or a part of the field was edited. A removed contact always counts."""
    if field.startswith("contacts.removed."):
        return True  # its number differs between comparisons, so `edit_of` finds the edit by the text
    of_contact = field.rpartition(".")[0]
    return field in edited or of_contact in edited or any(part.startswith(f"{field}.") for part in edited)


def _changes_by_others(
    changes: tuple[ReviewChange, ...], actor: Actor | None
) -> tuple[tuple[Difference, AuditEntry], ...]:
    """The changes that other people made, without the overwritten values: each of these has its own tick."""
    mine = actor.id if actor else None
    return tuple(
        (change.difference, change.entry)
        for change in changes
        if change.entry and mine and change.entry.actor_id != mine
    )
