"""What blocks sending a record now, each with a sentence that says what to do first."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils.timezone import localtime

from organizations.fields import DESTINATION_NOT_KNOWN
from organizations.models import Environment, Event, Intent, Organization, Presence, State, Submission, tree
from organizations.models.submission import open_deactivation
from organizations.records import OrganizationRecord
from organizations.redox import messages, strict_json

MOST_CHILDREN = 20
"""How many children a blocker names."""

RESOLVE = "Resolve that difference first."


class BlockerKind(StrEnum):
    """The kind of reason why a record cannot be sent now."""

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
    NOTHING_TO_CHANGE = "nothing_to_change"
    ONLY_SHOWN = "only_shown"
    NOT_READ_BACK = "not_read_back"
    FOREIGN = "foreign"
    ALREADY_THERE = "already_there"
    SHOWN_BEFORE = "shown_before"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One blocker: a sentence for people, and the record or submission that it is about.

    With ACTIVE_CHILDREN, `children` are the first active records below it, and `more` is the number of the others.
    """

    kind: BlockerKind
    sentence: str
    organization: Organization | None = None
    submission: Submission | None = None
    children: tuple[Organization, ...] = ()
    more: int = 0


def blockers_of(
    organization: Organization,
    record: OrganizationRecord,
    parent: Organization | None,
    intent: Intent | None,
    together: frozenset[int],
) -> tuple[Blocker, ...]:
    """All blockers except `unreadable_message`.

    `together`: ids of records whose messages precede this one in the same plan.
    """
    blockers = [_open_submission(organization), _foreign(organization), _already_there(organization)]
    blockers.append(_shown_before(organization))
    blockers.append(_unknown(organization, record))
    if intent == Intent.DEACTIVATE:
        blockers.append(_deactivation_blocker(organization, together))
    else:
        blockers += [_circle(organization, parent), _parent_blocker(organization, record, parent, together)]
    if intent == Intent.REACTIVATE and organization.confirmed_active is not False:
        blockers.append(_reactivation_blocker(organization))
    return tuple(blocker for blocker in blockers if blocker)


def _awaits_new(organization: Organization) -> bool:
    last = organization.last_submission
    return last is not None and last.is_open and last.event == Event.NEW


def is_undecided(organization: Organization) -> bool:
    """Whether the portal cannot tell now if the next message is a New or an Update."""
    return _awaits_new(organization) or organization.presence == Presence.UNKNOWN


def _open_submission(organization: Organization) -> Blocker | None:
    last = organization.last_submission
    if last is None or not last.is_open:
        return None
    sentence = f"Submission {last.pk} must end first."
    if _awaits_new(organization):
        sentence += " Until then the portal cannot tell whether to send a New or an Update."
    return Blocker(BlockerKind.OPEN_SUBMISSION, sentence, submission=last)


def unreadable_message(message: bytes, record: OrganizationRecord) -> tuple[Blocker, ...]:
    """A blocker if the record cannot be read back from the message, as the portal reads it after an acceptance."""
    if not message:
        return ()
    try:
        error = "" if messages.record_from_message(message) == record else "it lacks a value of the record"
    except strict_json.AnswerNotUnderstood as not_understood:
        error = str(not_understood)
    if not error:
        return ()
    sentence = f"The message cannot be read back as this record: {error}. Edit the record first."
    return (Blocker(BlockerKind.NOT_READ_BACK, sentence),)


def _foreign(organization: Organization) -> Blocker | None:
    if not organization.is_foreign:
        return None
    name = f" ({organization.foreign_name})" if organization.foreign_name else ""
    sentence = f"Somebody decided that this OID belongs to another organization{name}. Nothing is sent to it."
    return Blocker(BlockerKind.FOREIGN, sentence, organization)


def _already_there(organization: Organization) -> Blocker | None:
    seen = organization.seen_record() if organization.is_there_unclaimed else None
    if seen is None:
        return None
    sentence = (
        f"The directory already shows this OID, as {seen.name}. Redox would reject a New. Decide whose it is first."
    )
    return Blocker(BlockerKind.ALREADY_THERE, sentence, organization)


def _shown_before(organization: Organization) -> Blocker | None:
    """Redox's answer and the last reading contradict each other. A Query after the answer decides."""
    is_gone = organization.presence == Presence.ABSENT and not organization.is_there_unclaimed
    if not is_gone or not organization.seen:
        return None
    sentence = (
        f"By Redox's answer this OID is not in the directory, but the directory showed it ({_asked(organization)}). "
        "Ask the directory first."
    )
    return Blocker(BlockerKind.SHOWN_BEFORE, sentence, organization)


def _unknown(organization: Organization, record: OrganizationRecord) -> Blocker | None:
    if organization.presence == Presence.UNKNOWN and not _awaits_new(organization):
        return Blocker(
            BlockerKind.PRESENCE_UNKNOWN,
            "The portal does not know whether this OID is in the directory. Ask the directory first.",
        )
    if not record.destination_known:
        return Blocker(BlockerKind.DESTINATION_NOT_KNOWN, DESTINATION_NOT_KNOWN)
    return None


def _circle(organization: Organization, parent: Organization | None) -> Blocker | None:
    sentence = circle_block_reason(organization, parent) if parent else ""
    return Blocker(BlockerKind.CIRCLE, sentence, parent) if sentence else None


def circle_block_reason(organization: Organization, parent: Organization) -> str:
    """Why the record cannot be below this parent in the directory, as a sentence; "" if it can."""
    environment, oid = organization.environment, organization.oid
    if not tree.would_circle_in_directory(environment, oid, parent.oid):
        return ""
    moved = tree.shown_on_the_circle(environment, oid, parent.oid)
    if moved is not None:
        above = Organization.objects.filter(environment=environment, oid=moved.shown_part_of_oid).first()
        parent_name = above.name if above else moved.shown_part_of_oid
        return f"The directory shows {moved.name} as part of {parent_name} ({_asked(moved)}). That would make a circle."
    return f"{parent.name} is below this record in the directory. That would make a circle."


def _parent_blocker(
    organization: Organization, record: OrganizationRecord, parent: Organization | None, together: frozenset[int]
) -> Blocker | None:
    if parent is None:
        return None
    if parent.presence == Presence.PRESENT:
        return _deactivated_parent(parent) if record.active else None
    if parent.pk in together:
        return None
    last = parent.last_submission
    if last is not None and last.is_open:
        return None
    if last is not None and last.state == State.REJECTED and last.oid == parent.oid:
        environment_name = Environment(organization.environment).label
        sentence = f"{parent.name} was rejected in {environment_name} (submission {last.pk}). Correct it first."
        return Blocker(BlockerKind.PARENT_REJECTED, sentence, parent, last)
    return Blocker(BlockerKind.PARENT_NEVER_SENT, f"Send {parent.name} first.", parent)


def _deactivated_parent(parent: Organization) -> Blocker | None:
    if parent.confirmed_active is False:
        sentence = f"Its parent {parent.name} is deactivated. Reactivate that first."
        if parent.shown_active:
            difference = f"the directory shows it as active ({_asked(parent)})"
            sentence = f"Its parent {parent.name} was deactivated, and {difference}. {RESOLVE}"
        return Blocker(BlockerKind.PARENT_DEACTIVATED, sentence, parent)
    deactivation = open_deactivation(parent)
    if deactivation is not None:
        sentence = f"Submission {deactivation.pk} of {parent.name} must end first."
        return Blocker(BlockerKind.PARENT_DEACTIVATING, sentence, parent, deactivation)
    sentence = parent_shown_deactivated(parent)
    return Blocker(BlockerKind.PARENT_DEACTIVATED, sentence, parent) if sentence else None


def parent_shown_deactivated(parent: Organization) -> str:
    """A sentence if a later reading of the directory shows this parent deactivated; else ""."""
    if parent.shown_active is not False:
        return ""
    return f"The directory shows its parent {parent.name} as deactivated ({_asked(parent)}). {RESOLVE}"


def _asked(organization: Organization) -> str:
    """When the directory was last asked about a record, such as "asked May 3, 14:02"."""
    if organization.seen_at is None:
        return ""
    at = localtime(organization.seen_at)
    return f"asked {at:%b} {at.day}, {at:%H:%M}"


def _deactivation_blocker(organization: Organization, together: frozenset[int]) -> Blocker | None:
    if organization.presence != Presence.PRESENT:
        return Blocker(BlockerKind.NOTHING_TO_DEACTIVATE, _nothing_to_deactivate_reason(organization))
    if organization.confirmed_active is False and not organization.shown_active:
        return Blocker(BlockerKind.NOTHING_TO_CHANGE, "This record is already deactivated.")
    children = tree.active_children_of(organization).exclude(pk__in=together)
    sentence = _children_sentence(organization, children)
    if not sentence:
        return None
    first_children = tuple(children.only("environment", "oid", "name").order_by("oid_key")[:MOST_CHILDREN])
    return Blocker(
        BlockerKind.ACTIVE_CHILDREN, sentence, children=first_children, more=children.count() - len(first_children)
    )


def _reactivation_blocker(organization: Organization) -> Blocker:
    """Why there is nothing to reactivate: Active = false was neither accepted nor taken from the directory."""
    newest = organization.newest_record()
    if organization.presence == Presence.ABSENT:
        fact = "This record is not in the directory."
    elif newest is None or organization.presence != Presence.PRESENT:
        fact = "The portal does not know this record as deactivated."
    elif not newest.active:
        sentence = "The directory showed Active = false, which nobody accepted here. Review the record, and send it."
        return Blocker(BlockerKind.ONLY_SHOWN, sentence, organization)
    elif organization.confirmed_active is None:
        fact = "The directory showed this record as active."
    else:
        fact = "This record is already active."
    return Blocker(BlockerKind.NOTHING_TO_CHANGE, f"{fact} There is nothing to reactivate.")


def _nothing_to_deactivate_reason(organization: Organization) -> str:
    """Why there is nothing in the directory to deactivate, with the evidence."""
    if organization.presence == Presence.UNKNOWN:
        return "The portal does not know whether there is anything to deactivate."
    if organization.is_foreign:
        return "There is nothing to deactivate: this record is not in the directory."
    if organization.presence == Presence.ABSENT:
        return f"There is nothing to deactivate: {_absent_reason(organization)}"
    return "There is nothing to deactivate: Redox has accepted no message of this record with this OID."


def _absent_reason(organization: Organization) -> str:
    last = _rejected_as_absent(organization).order_by("-pk").first()
    if last is None:
        return "a Query did not show this OID in the directory."
    return f'Redox answered submission {last.pk} that this OID "is not valid", so it is not in the directory.'


def was_rejected_as_absent(organization: Organization) -> bool:
    """Whether Redox rejected a message because the OID is not in the directory. If not, a Query showed it."""
    return _rejected_as_absent(organization).exists()


def _rejected_as_absent(organization: Organization) -> QuerySet[Submission]:
    rejected = Submission.objects.filter(organization=organization, known_answer="is_not_valid", state=State.REJECTED)
    return rejected.filter(ended_at__gte=organization.presence_at)


def children_block_reason(organization: Organization) -> str:
    """Why active children block the deactivation of a record, as a sentence; "" if there are none."""
    return _children_sentence(organization, tree.active_children_of(organization))


def _children_sentence(organization: Organization, children: QuerySet[Organization]) -> str:
    count = children.count()
    if not count:
        return ""
    noun = "1 active record is" if count == 1 else f"{count} active records are"
    sentence = f"{noun} part of it. Move or deactivate them first."
    child = _first_shown_active(organization, children)
    return f"{sentence} The directory shows {child.name} there as active ({_asked(child)})." if child else sentence


def _first_shown_active(organization: Organization, children: QuerySet[Organization]) -> Organization | None:
    """The first child by OID that a later reading shows active below the record, unlike what Redox last accepted."""
    is_shown_here = Q(shown_active=True) | Q(shown_part_of_oid=organization.oid)
    for child in children.filter(is_shown_here).order_by("oid_key"):
        seen = child.later_reading()
        if seen is not None and seen.active and seen.part_of_oid == organization.oid:
            return child
    return None
