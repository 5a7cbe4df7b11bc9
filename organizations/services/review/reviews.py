"""What would be sent, made from what is saved: the message's bytes, what they change, what stands against it.

A review is read, never stored. Who sends gives back its SHA-256, and nothing else than these bytes is sent.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from organizations import knowledge
from organizations.knowledge import Split
from organizations.models import (
    AuditEntry,
    Environment,
    Event,
    Intent,
    Organization,
    Presence,
    Submission,
)
from organizations.records import Difference, OrganizationRecord, PrintedField, difference, print_fields
from organizations.redox import messages
from organizations.redox.environment import RedoxEnvironment
from organizations.services.actors import Actor
from organizations.services.connection import gateway
from organizations.services.records.authors import edit_of, edit_of_ours
from organizations.services.review import warnings
from organizations.services.review.blockers import Blocker, blockers_of, is_undecided, unreadable_message
from organizations.services.review.warnings import ReviewWarning, WarningCase


class DirectoryKnowledge(NamedTuple):
    """What is known of a record in the directory; nothing before a New.

    `newest` is the newest knowledge of each field, from what was accepted or taken (`accepted`) and a later reading.
    """

    newest: OrganizationRecord | None = None
    accepted: OrganizationRecord | None = None
    seen: OrganizationRecord | None = None


@dataclass(frozen=True, slots=True)
class ReviewChange:
    """One field that this message changes, and the last edit here that changed it, if somebody edited it."""

    difference: Difference
    entry: AuditEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything the review page shows and the send button binds itself to.

    `changes` are the fields that somebody edited here, `overwrites` values of the directory that nobody chose to
    replace (each is ticked by itself), `equivalent` other spellings that mean the same.
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

    @property
    def before(self) -> OrganizationRecord | None:
        """What the message is compared with."""
        return self.known.newest

    @property
    def word(self) -> str:
        return Environment(self.organization.environment).label

    @property
    def fingerprint(self) -> str:
        return " ".join(self.sha256[start : start + 4] for start in (0, 4, 8))

    @property
    def nothing_differs(self) -> bool:
        """Whether the message changes nothing that is known of the directory but the spelling."""
        return not self.changes and not self.overwrites

    @property
    def needs_reason(self) -> bool:
        """Whether an auditor must be able to read why: always in PRODUCTION, and when the same values go out again."""
        return self.organization.environment == Environment.PRODUCTION or self.nothing_differs

    @property
    def open_warnings(self) -> tuple[ReviewWarning, ...]:
        """Those to tick now; the others were ticked before for the same value."""
        return tuple(warning for warning in self.warnings if not warning.is_accepted)

    @property
    def settled_warnings(self) -> tuple[ReviewWarning, ...]:
        return tuple(warning for warning in self.warnings if warning.is_accepted)

    @property
    def unchanged(self) -> tuple[PrintedField, ...]:
        """The filled fields that go along as they are."""
        return tuple(shown for shown in print_fields(self.record) if shown.value and not self._is_changed(shown.field))

    @property
    def lines(self) -> tuple[tuple[messages.MessageLine, bool], ...]:
        """The lines of the message, each with where it comes from, and whether this message changes it."""
        lines = messages.annotated_lines(self.message) if self.message else ()
        return tuple((line, self.before is not None and self._is_changed(line.field)) for line in lines)

    def _is_changed(self, field: str) -> bool:
        # An added contact is one change, and each of its fields a field of its own.
        return any(
            field == change.difference.field or field.startswith(f"{change.difference.field}.")
            for change in (*self.changes, *self.overwrites)
        )

    @property
    def is_undecided(self) -> bool:
        """Whether the portal cannot tell if this is a New or an Update, so that there is no message to show."""
        return is_undecided(self.organization)

    @property
    def shows_message(self) -> bool:
        """Whether there is a message that anybody could send: not while the OID may be another organization's."""
        is_ours = not self.organization.is_foreign and not self.organization.is_there_unclaimed
        return is_ours and not self.is_undecided

    @property
    def registration(self) -> str:
        """What a New is: the first one, or one of a record that had been accepted and is gone from the directory."""
        return "registration again" if self.organization.confirmed else "first registration"

    @property
    def has_active_already(self) -> bool:
        """Whether the directory has Active already as this message sends it, as far as anybody knows."""
        return self.before is not None and self.before.active == self.record.active

    @property
    def move_of_active(self) -> str:
        """What becomes of Active by a deactivation or reactivation, as far as the directory shows it."""
        wanted = self.record.active
        if self.has_active_already:
            return f"Active {str(wanted).lower()} as the directory shows it"
        return "Active false to true" if wanted else "Active true to false"

    @property
    def verdict(self) -> str:
        """The one line on top, in its exact words."""
        if not self.shows_message:
            return f"{self.word}, {self.record.name}: not to be sent now"
        start = f"{self.word}, {self.event.value}, 1 record"
        overwritten = f", {_values(len(self.overwrites))} overwritten" if self.overwrites else ""
        if self.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
            return f"{start}, {self.move_of_active}{overwritten}"
        if self.event == Event.NEW:
            return f"{start}, {self.registration}"
        count = len(self.changes)
        if overwritten and not count:
            return f"{start}{overwritten}"
        return f"{start}, {count} field{' changes' if count == 1 else 's change'}{overwritten}"


def _known_of(organization: Organization) -> DirectoryKnowledge:
    return DirectoryKnowledge(
        organization.newest_record(), organization.baseline_record(), organization.later_reading()
    )


def review(
    organization: Organization,
    *,
    actor: Actor | None = None,
    intent: Intent | None = None,
    together: frozenset[int] = frozenset(),
) -> Review:
    """The review of what is saved now.

    With the intent deactivate or reactivate: of what was last accepted or taken, else of what the directory showed,
    Active alone changed. `together` are ids of records whose messages go before this one in the same plan: what those
    bring about is not in its way.
    """
    record, event = _record_for(organization, intent), _event_for(organization)
    known = _known_of(organization) if event == Event.UPDATE else DirectoryKnowledge()
    redox = gateway.environment(organization.environment)
    message = _message(organization, record, event, redox)
    parent = _parent_of(organization, record)
    moved_alone = intent in (Intent.DEACTIVATE, Intent.REACTIVATE)
    split = knowledge.split(known.accepted, known.seen, record, on_purpose=("active",) if moved_alone else ())
    changes, overwrites = _changes(organization, split, known.accepted, record)
    others = _of_others(changes, actor)
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
        # Deactivating or reactivating sends values that were reviewed before; new is what they would overwrite.
        warnings=warnings.directory_warnings_for(case) if moved_alone else warnings.warnings_for(case),
        blockers=blockers_of(organization, record, parent, intent, together) + unreadable_message(message, record),
        parent=parent,
        waits_for=_waits_for(parent),
    )


def as_curl(made: Review) -> str:
    """The message as a command for a shell, with a placeholder for the access token.

    `--data-raw` sends the bytes as they are; `--data` would leave the line breaks out.
    """
    redox = gateway.environment(made.organization.environment)
    return "\n".join(
        (
            "# Sent by hand it passes the portal by: no history, no protection against doubles.",
            f"curl -X POST {shlex.quote(redox.base_url + '/endpoint')} \\",
            '  -H "Content-Type: application/json" \\',
            '  -H "Authorization: Bearer [access token]" \\',
            f"  --data-raw {shlex.quote(made.message.decode())}",
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
    known = organization.baseline_record() or _as_shown(organization) or organization.record()
    if not known.destination_known:  # no reading shows it: what is saved is all that anybody knows
        destination, is_known = organization.destination_id, organization.destination_known
        known = replace(known, destination_id=destination, destination_known=is_known)
    known = _with_type_shown(organization, knowledge.sendable(known))
    return replace(known, active=intent == Intent.REACTIVATE)


def _with_type_shown(organization: Organization, record: OrganizationRecord) -> OrganizationRecord:
    """The record with Type as a later reading shows it, where it is sent back: nobody edits it here."""
    seen = organization.later_reading()
    if seen is None or "Type" not in dict(record.carried):
        return record
    return replace(record, carried=knowledge.carried_from(record, seen))


def _as_shown(organization: Organization) -> OrganizationRecord | None:
    """A record of ours that was never accepted, as the directory showed it; None if it did not.

    A reading shows neither destination ID nor the keys to send back: both are from the row. Saved edits stay behind.
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
    return (
        Organization.objects.filter(environment=organization.environment, oid=record.part_of_oid)
        .select_related("last_submission")
        .first()
    )


def _waits_for(parent: Organization | None) -> Submission | None:
    """The parent's open New: this message is taken only after it was accepted."""
    if parent is None or parent.presence == Presence.PRESENT or parent.last_submission is None:
        return None
    return parent.last_submission if parent.last_submission.is_open else None


def _changes(
    organization: Organization, split: Split, accepted: OrganizationRecord | None, record: OrganizationRecord
) -> tuple[tuple[ReviewChange, ...], tuple[ReviewChange, ...]]:
    """What is edited here, each with its last edit, and what would be overwritten, with an edit if there was one."""
    edits = list(AuditEntry.objects.edits_since(organization.pk, organization.confirmed_version))
    chosen = tuple(ReviewChange(found, edit_of_ours(found, edits, accepted)) for found in split.chosen)
    return chosen, with_edits(split.overwritten, edits, accepted, record)


def with_edits(
    differences: Iterable[Difference],
    edits: list[AuditEntry],
    accepted: OrganizationRecord | None,
    record: OrganizationRecord,
) -> tuple[ReviewChange, ...]:
    """Each difference with the last of these edits of it, if there was one.

    Nobody edited a field that is wanted as it was accepted, whoever edited another contact.
    """
    edited = {found.field for found in difference(accepted, record)}
    return tuple(
        ReviewChange(found, edit_of(found, edits, accepted) if _is_edited(found.field, edited) else None)
        for found in differences
    )


def _is_edited(field: str, edited: set[str]) -> bool:
    """Whether the field is among the edited ones, a contact of which some part is, or one that may be taken away."""
    if field.startswith("contacts.removed."):
        return True  # its number differs between two comparisons: the edit that took it away is found by its text
    of_contact = field.rpartition(".")[0]
    return field in edited or of_contact in edited or any(each.startswith(f"{field}.") for each in edited)


def _of_others(changes: tuple[ReviewChange, ...], actor: Actor | None) -> tuple[tuple[Difference, AuditEntry], ...]:
    """The changes by others. What overwrites a value of the directory is ticked by itself, with its person beside."""
    mine = actor.id if actor else None
    return tuple(
        (change.difference, change.entry)
        for change in changes
        if change.entry and mine and change.entry.actor_id != mine
    )


def _values(number: int) -> str:
    return f"{number} directory value{'' if number == 1 else 's'}"
