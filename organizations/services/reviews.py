"""What would be sent, made from what is saved: the message's bytes, what they change, what stands against it.

A review is read, never stored. Who sends gives back its SHA-256, and nothing else than these bytes is sent.
"""

import shlex
from dataclasses import dataclass, replace
from enum import StrEnum

from organizations.models import (
    AuditEntry,
    Environment,
    Event,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    tree,
)
from organizations.records import Difference, OrganizationRecord, Shown, canonical, difference, print_fields
from organizations.redox import messages, reading

from . import gateway, warnings
from .actors import Actor
from .organizations import sendable
from .warnings import Case, ReviewWarning


class Block(StrEnum):
    """Why this cannot be sent now."""

    OPEN_SUBMISSION = "open_submission"
    PRESENCE_UNKNOWN = "presence_unknown"
    DESTINATION_NOT_KNOWN = "destination_not_known"
    PARENT_NEVER_SENT = "parent_never_sent"
    PARENT_REJECTED = "parent_rejected"
    CIRCLE = "circle"
    PARENT_DEACTIVATED = "parent_deactivated"
    PARENT_DEACTIVATING = "parent_deactivating"
    NOTHING_TO_DEACTIVATE = "nothing_to_deactivate"
    ACTIVE_CHILDREN = "active_children"
    ALREADY_SO = "already_so"
    NOT_READ_BACK = "not_read_back"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing in the way: a sentence for people, and the record or submission that it is about."""

    kind: Block
    sentence: str
    organization: Organization | None = None
    submission: Submission | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field that this message changes, and the last edit that changed it."""

    difference: Difference
    entry: AuditEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything the review page shows and the send button binds itself to."""

    organization: Organization
    event: Event
    intent: Intent
    record: OrganizationRecord
    before: OrganizationRecord | None
    message: bytes
    sha256: str
    changes: tuple[Change, ...]
    warnings: tuple[ReviewWarning, ...]
    blockers: tuple[Blocker, ...]
    parent: Organization | None
    waits_for: Submission | None

    @property
    def word(self) -> str:
        return Environment(self.organization.environment).label

    @property
    def fingerprint(self) -> str:
        return " ".join(self.sha256[start : start + 4] for start in (0, 4, 8))

    @property
    def nothing_differs(self) -> bool:
        return self.event == Event.UPDATE and self.before is not None and not self.changes

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
    def unchanged(self) -> tuple[Shown, ...]:
        """The filled fields that go along as they are."""
        return tuple(shown for shown in print_fields(self.record) if shown.value and not self._is_changed(shown.field))

    @property
    def lines(self) -> tuple[tuple[messages.Line, bool], ...]:
        """The lines of the message, each with where it comes from, and whether this message changes it."""
        lines = messages.annotated(self.message) if self.message else ()
        is_compared = self.event == Event.UPDATE and self.before is not None
        return tuple((line, is_compared and self._is_changed(line.field)) for line in lines)

    def _is_changed(self, field: str) -> bool:
        # An added contact is one change, and each of its fields a field of its own.
        return any(
            field == change.difference.field or field.startswith(f"{change.difference.field}.")
            for change in self.changes
        )

    @property
    def is_undecided(self) -> bool:
        """Whether nobody can say now if this is a New or an Update, so that there is no message to show."""
        return _is_undecided(self.organization)

    @property
    def verdict(self) -> str:
        """The one line on top, in its exact words."""
        if self.is_undecided:
            return f"{self.word}, {self.record.name}: not to be sent now"
        start = f"{self.word}, {self.event.value}, 1 record"
        if self.intent == Intent.DEACTIVATE:
            return f"{start}, Active true to false"
        if self.intent == Intent.REACTIVATE:
            return f"{start}, Active false to true"
        if self.event == Event.NEW:
            return f"{start}, first registration"
        count = len(self.changes)
        return f"{start}, {count} field{' changes' if count == 1 else 's change'}"


def review(
    organization: Organization,
    *,
    actor: Actor | None = None,
    intent: Intent | None = None,
    together: frozenset[int] = frozenset(),
) -> Review:
    """The review of what is saved now.

    With the intent deactivate or reactivate: of what Redox last accepted, Active alone changed. `together` are ids of
    records whose messages go before this one in the same plan: what those bring about is not in its way.
    """
    redox = gateway.environment(organization.environment)
    before = organization.last_known_record()
    record = _record_for(organization, intent)
    event = Event.NEW if organization.presence in (Presence.NEVER, Presence.ABSENT) else Event.UPDATE
    # There is no message of a record that would lose the destination ID that nobody told us, and none of which nobody
    # knows what it must be.
    is_sayable = record.destination_known and not _is_undecided(organization)
    message = messages.message(record, event.value, redox) if is_sayable else b""
    parent = _parent_of(organization, record)
    changes = _changes(organization, before if event == Event.UPDATE else None, record)
    moved_alone = intent in (Intent.DEACTIVATE, Intent.REACTIVATE)
    case = Case(organization, record, before, redox, parent, () if moved_alone else _of_others(changes, actor))
    return Review(
        organization=organization,
        event=event,
        intent=intent or (Intent.CREATE if event == Event.NEW else Intent.UPDATE),
        record=record,
        before=before,
        message=message,
        sha256=messages.sha256(message),
        changes=changes,
        # Deactivating or reactivating sends values that were reviewed before; only Active is new.
        warnings=() if moved_alone else warnings.warnings_for(case),
        blockers=_blockers(organization, record, parent, intent, together) + _not_read_back(message, record),
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


def canonical_before(made: Review) -> str:
    """What the submission keeps of what the review compared with."""
    return canonical(made.before) if made.before else ""


def _record_for(organization: Organization, intent: Intent | None) -> OrganizationRecord:
    if intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
        return sendable(organization.record())
    known = organization.last_known_record()
    return replace(sendable(known or organization.record()), active=intent == Intent.REACTIVATE)


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
    organization: Organization, before: OrganizationRecord | None, record: OrganizationRecord
) -> tuple[Change, ...]:
    edits = list(AuditEntry.objects.edits_since(organization.pk, organization.confirmed_version))
    return tuple(Change(found, last_edit_of(found.field, edits)) for found in difference(before, record))


def _of_others(changes: tuple[Change, ...], actor: Actor | None) -> tuple[tuple[Difference, AuditEntry], ...]:
    mine = actor.id if actor else None
    return tuple(
        (change.difference, change.entry)
        for change in changes
        if change.entry and mine and change.entry.actor_id != mine
    )


def last_edit_of(field: str, edits: list[AuditEntry]) -> AuditEntry | None:
    """The newest edit that touched this field; places of contacts move, so for them any edit of contacts counts."""
    for entry in reversed(edits):
        touched = entry.facts.get("fields", [])
        if field in touched or (field.startswith("contacts") and any(name.startswith("contacts") for name in touched)):
            return entry
    return edits[-1] if edits else None


def _blockers(
    organization: Organization,
    record: OrganizationRecord,
    parent: Organization | None,
    intent: Intent | None,
    together: frozenset[int],
) -> tuple[Blocker, ...]:
    found = [_open_submission(organization), _unsure(organization, record)]
    if intent == Intent.DEACTIVATE:
        found.append(_not_to_deactivate(organization, together))
    else:
        found += [_circle(organization, parent), _parent_in_the_way(organization, record, parent, together)]
    if intent == Intent.REACTIVATE and organization.confirmed_active is not False:
        found.append(
            Blocker(Block.ALREADY_SO, "Redox accepted no deactivation of this record. There is nothing to reactivate.")
        )
    return tuple(blocker for blocker in found if blocker)


def _awaits_new(organization: Organization) -> bool:
    last = organization.last_submission
    return last is not None and last.is_open and last.event == Event.NEW


def _is_undecided(organization: Organization) -> bool:
    return _awaits_new(organization) or organization.presence == Presence.UNKNOWN


def _open_submission(organization: Organization) -> Blocker | None:
    last = organization.last_submission
    if last is None or not last.is_open:
        return None
    sentence = f"Submission {last.pk} must end first."
    if _awaits_new(organization):
        sentence = f"Submission {last.pk} must end first; until then nobody knows whether this is a New or an Update."
    return Blocker(Block.OPEN_SUBMISSION, sentence, submission=last)


def _not_read_back(message: bytes, record: OrganizationRecord) -> tuple[Blocker, ...]:
    """What Redox accepts is read from the message again: one that says anything else than the record never leaves."""
    if not message:
        return ()
    try:
        fault = "" if messages.record_from_message(message) == record else "something of the record is lost in it"
    except reading.AnswerNotUnderstood as not_understood:
        fault = str(not_understood)
    if not fault:
        return ()
    sentence = f"The message cannot be read back as this record: {fault}. Edit the record first."
    return (Blocker(Block.NOT_READ_BACK, sentence),)


def _unsure(organization: Organization, record: OrganizationRecord) -> Blocker | None:
    if organization.presence == Presence.UNKNOWN and not _awaits_new(organization):
        return Blocker(
            Block.PRESENCE_UNKNOWN, "Nobody knows whether this OID is in the directory. Ask the directory first."
        )
    if not record.destination_known:
        return Blocker(
            Block.DESTINATION_NOT_KNOWN,
            "Say which destination ID this record has today; it cannot be read from the directory and would be"
            " overwritten.",
        )
    return None


def _circle(organization: Organization, parent: Organization | None) -> Blocker | None:
    if parent is None or not tree.would_circle_in_directory(organization.environment, organization.oid, parent.oid):
        return None
    sentence = f"{parent.name} lies below this record in the directory; that would make a circle."
    return Blocker(Block.CIRCLE, sentence, parent)


def _parent_in_the_way(
    organization: Organization, record: OrganizationRecord, parent: Organization | None, together: frozenset[int]
) -> Blocker | None:
    if parent is None:
        return None
    if parent.presence == Presence.PRESENT:
        return _parent_out_of_use(parent) if record.active else None
    if parent.pk in together:
        return None
    last = parent.last_submission
    if last is not None and last.is_open:
        return None
    if last is not None and last.state == State.REJECTED:
        word = Environment(organization.environment).label
        sentence = f"{parent.name} was rejected in {word} (submission {last.pk}). Put it right first."
        return Blocker(Block.PARENT_REJECTED, sentence, parent, last)
    return Blocker(Block.PARENT_NEVER_SENT, f"Send {parent.name} first.", parent)


def _parent_out_of_use(parent: Organization) -> Blocker | None:
    if parent.confirmed_active is False:
        sentence = f"Its parent {parent.name} is deactivated. Reactivate that first."
        return Blocker(Block.PARENT_DEACTIVATED, sentence, parent)
    ending = parent.open_deactivation
    if ending is not None:
        sentence = f"Submission {ending.pk} of {parent.name} must end first."
        return Blocker(Block.PARENT_DEACTIVATING, sentence, parent, ending)
    return None


def _not_to_deactivate(organization: Organization, together: frozenset[int]) -> Blocker | None:
    if organization.presence != Presence.PRESENT:
        return Blocker(
            Block.NOTHING_TO_DEACTIVATE,
            "There is nothing to deactivate: Redox has accepted no message of this record.",
        )
    if organization.confirmed_active is False:
        return Blocker(Block.ALREADY_SO, "This record is deactivated already.")
    sentence = children_in_the_way(organization, together)
    return Blocker(Block.ACTIVE_CHILDREN, sentence) if sentence else None


def children_in_the_way(organization: Organization, together: frozenset[int] = frozenset()) -> str:
    """Why a record cannot be deactivated for what lies below it, as a sentence; empty when nothing active does.

    Records of `together` are deactivated before it.
    """
    count = tree.active_children_of(organization).exclude(pk__in=together).count()
    if not count:
        return ""
    noun = "1 active record is" if count == 1 else f"{count} active records are"
    return f"{noun} part of it. Move or deactivate them first."
