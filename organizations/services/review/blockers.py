"""What is in the way of sending a record now, each with the sentence that says what to do first."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils.timezone import localtime

from organizations.models import Environment, Event, Intent, Organization, Presence, State, Submission, tree
from organizations.records import OrganizationRecord
from organizations.redox import messages, reading

MOST_CHILDREN = 20
"""How many children a blocker names."""

RESOLVE = "Resolve that difference first."


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
    ONLY_SHOWN = "only_shown"
    NOT_READ_BACK = "not_read_back"
    FOREIGN = "foreign"
    ALREADY_THERE = "already_there"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing in the way: a sentence for people, and the record or submission that it is about.

    ACTIVE_CHILDREN: `children` are the first records below it that stay active, `more` says how many others do.
    """

    kind: Block
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
    """Everything in the way. `together` are ids of records whose messages go before this one in the same plan."""
    found = [_open_submission(organization), _foreign(organization), _already_there(organization)]
    found.append(_unsure(organization, record))
    if intent == Intent.DEACTIVATE:
        found.append(_not_to_deactivate(organization, together))
    else:
        found += [_circle(organization, parent), _parent_in_the_way(organization, record, parent, together)]
    if intent == Intent.REACTIVATE and organization.confirmed_active is not False:
        found.append(_not_to_reactivate(organization))
    return tuple(blocker for blocker in found if blocker)


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
        sentence = f"Submission {last.pk} must end first; until then nobody knows whether this is a New or an Update."
    return Blocker(Block.OPEN_SUBMISSION, sentence, submission=last)


def not_read_back(message: bytes, record: OrganizationRecord) -> tuple[Blocker, ...]:
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


def _foreign(organization: Organization) -> Blocker | None:
    if not organization.is_foreign:
        return None
    named = f" ({organization.foreign_name})" if organization.foreign_name else ""
    sentence = f"Somebody decided that this OID belongs to another organization{named}. Nothing is sent to it."
    return Blocker(Block.FOREIGN, sentence, organization)


def _already_there(organization: Organization) -> Blocker | None:
    seen = organization.seen_record() if organization.is_there_unclaimed else None
    if seen is None:
        return None
    sentence = f"The directory shows this OID already, as {seen.name}. Redox would refuse a New. Say whose it is first."
    return Blocker(Block.ALREADY_THERE, sentence, organization)


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
    sentence = circle_in_the_way(organization, parent) if parent else ""
    return Blocker(Block.CIRCLE, sentence, parent) if sentence else None


def circle_in_the_way(organization: Organization, parent: Organization) -> str:
    """Why the directory cannot have a record below this parent, as a sentence; empty when it can."""
    environment, oid = organization.environment, organization.oid
    if not tree.would_circle_in_directory(environment, oid, parent.oid):
        return ""
    shown = tree.shown_on_the_circle(environment, oid, parent.oid)
    if shown is not None:
        above = Organization.objects.filter(environment=environment, oid=shown.shown_part_of_oid).first()
        place = above.name if above else shown.shown_part_of_oid
        return f"The directory shows {shown.name} as part of {place} ({_asked(shown)}); that would make a circle."
    return f"{parent.name} lies below this record in the directory; that would make a circle."


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
    if last is not None and last.state == State.REJECTED and last.oid == parent.oid:
        word = Environment(organization.environment).label
        sentence = f"{parent.name} was rejected in {word} (submission {last.pk}). Put it right first."
        return Blocker(Block.PARENT_REJECTED, sentence, parent, last)
    return Blocker(Block.PARENT_NEVER_SENT, f"Send {parent.name} first.", parent)


def _parent_out_of_use(parent: Organization) -> Blocker | None:
    if parent.confirmed_active is False:
        sentence = f"Its parent {parent.name} is deactivated. Reactivate that first."
        if parent.shown_active:
            shown = f"the directory shows it as active ({_asked(parent)})"
            sentence = f"Its parent {parent.name} was deactivated, and {shown}. {RESOLVE}"
        return Blocker(Block.PARENT_DEACTIVATED, sentence, parent)
    ending = parent.open_deactivation
    if ending is not None:
        sentence = f"Submission {ending.pk} of {parent.name} must end first."
        return Blocker(Block.PARENT_DEACTIVATING, sentence, parent, ending)
    sentence = parent_shown_deactivated(parent)
    return Blocker(Block.PARENT_DEACTIVATED, sentence, parent) if sentence else None


def parent_shown_deactivated(parent: Organization) -> str:
    """A sentence if a later reading of the directory shows this parent deactivated; else empty."""
    if parent.shown_active is not False:
        return ""
    return f"The directory shows its parent {parent.name} as deactivated ({_asked(parent)}). {RESOLVE}"


def _asked(organization: Organization) -> str:
    """When the directory was asked for what it shows of a record."""
    if organization.seen_at is None:
        return ""
    at = localtime(organization.seen_at)
    return f"asked {at:%b} {at.day}, {at:%H:%M}"


def _not_to_deactivate(organization: Organization, together: frozenset[int]) -> Blocker | None:
    if organization.presence != Presence.PRESENT:
        return Blocker(Block.NOTHING_TO_DEACTIVATE, _why_nothing_there(organization))
    if organization.confirmed_active is False and not organization.shown_active:
        return Blocker(Block.ALREADY_SO, "This record is deactivated already.")
    children = tree.active_children_of(organization).exclude(pk__in=together)
    sentence = _children_sentence(organization, children)
    if not sentence:
        return None
    named = tuple(children.only("environment", "oid", "name").order_by("oid_key")[:MOST_CHILDREN])
    return Blocker(Block.ACTIVE_CHILDREN, sentence, children=named, more=children.count() - len(named))


def _not_to_reactivate(organization: Organization) -> Blocker:
    """What is known of a record that neither a message nor a value taken from the directory made inactive."""
    newest = organization.newest_record()
    if organization.presence == Presence.ABSENT:
        known = "This record is not in the directory."
    elif newest is None or organization.presence != Presence.PRESENT:
        known = "The portal does not know this record as deactivated."
    elif not newest.active:
        sentence = "The directory showed Active = false, which nobody accepted here. Review the record, and send it."
        return Blocker(Block.ONLY_SHOWN, sentence, organization)
    elif organization.confirmed_active is None:
        known = "The directory showed this record as active."
    else:
        known = "This record is active already."
    return Blocker(Block.ALREADY_SO, f"{known} There is nothing to reactivate.")


def _why_nothing_there(organization: Organization) -> str:
    """Why there is nothing in the directory to deactivate, and on which evidence."""
    if organization.presence == Presence.UNKNOWN:
        return "Whether there is anything to deactivate is not known."
    if organization.is_foreign:
        return "There is nothing to deactivate: nothing of this record is in the directory."
    if organization.presence == Presence.ABSENT:
        return f"There is nothing to deactivate: {_why_absent(organization)}"
    return "There is nothing to deactivate: Redox has accepted no message of this record with this OID."


def _why_absent(organization: Organization) -> str:
    last = _refused_as_absent(organization).order_by("-pk").first()
    if last is None:
        return "a Query did not show this OID in the directory."
    return f'Redox answered submission {last.pk} that this OID "is not valid", so it is not in the directory.'


def was_refused_as_absent(organization: Organization) -> bool:
    """Whether an answer to a message said that the OID is not there; if not, a Query said so."""
    return _refused_as_absent(organization).exists()


def _refused_as_absent(organization: Organization) -> QuerySet[Submission]:
    said = Submission.objects.filter(organization=organization, known_answer="is_not_valid", state=State.REJECTED)
    return said.filter(ended_at__gte=organization.presence_at)


def children_in_the_way(organization: Organization) -> str:
    """Why a record cannot be deactivated for what lies below it, as a sentence; empty when nothing active does."""
    return _children_sentence(organization, tree.active_children_of(organization))


def _children_sentence(organization: Organization, children: QuerySet[Organization]) -> str:
    count = children.count()
    if not count:
        return ""
    noun = "1 active record is" if count == 1 else f"{count} active records are"
    sentence = f"{noun} part of it. Move or deactivate them first."
    is_shown = Q(confirmed_active=False, shown_active=True) | Q(shown_part_of_oid=organization.oid)
    shown = children.filter(is_shown).exclude(shown_active=False).order_by("oid_key").first()
    if shown is None:
        return sentence
    return f"{sentence} The directory shows {shown.name} there as active ({_asked(shown)})."
