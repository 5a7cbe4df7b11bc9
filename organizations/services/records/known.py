"""What is known of a record in the directory: accepted, read, or taken from there. All on a locked row.

Every function leaves the counts of the row, of saved changes and of differences, and the place that a later reading
shows, as the new knowledge has them.
"""

import datetime

from organizations import knowledge
from organizations.models import Basis, Event, Evidence, Organization, Presence, Submission, clock
from organizations.models.organization import NAME_LENGTH, OID_LENGTH
from organizations.records import OrganizationRecord, canonical, fingerprint
from organizations.redox import messages

COUNTED = ("changes", "differs", "differs_since", "wanted_hash", "shown_active", "shown_part_of_oid")
"""The columns that `count` sets."""


def mark_accepted(
    organization: Organization,
    record: OrganizationRecord,
    submission: Submission | None,
    *,
    evidence: Evidence,
    known_at: datetime.datetime,
) -> None:
    """Set what was accepted, from the submission's own bytes, and what that rests on.

    `known_at`: a reading asked for from then on is newer. It is the time of the reading where the acceptance rests on
    one, so that what this showed beside the message is not forgotten.
    """
    organization.confirmed = canonical(record)
    organization.confirmed_at = clock.now()
    organization.confirmed_active = record.active
    organization.confirmed_part_of_oid = record.part_of_oid
    organization.confirmed_submission = submission
    organization.confirmed_evidence = evidence
    organization.confirmed_hash = fingerprint(record)
    organization.known_at = known_at
    organization.taken = ""
    organization.presence = Presence.PRESENT
    organization.presence_basis = Basis.ACCEPTED
    organization.presence_at = organization.confirmed_at
    organization.not_visible_yet = _shows_what_was_before(organization)
    update_counts(organization)
    organization.save()


def keep_reading(organization: Organization, record: OrganizationRecord | None, asked_at: datetime.datetime) -> None:
    """Keep what the directory showed (None: it did not show the OID), unless a Query asked later was kept already."""
    if organization.seen_at is not None and asked_at < organization.seen_at:
        return
    # What showed anything else since the acceptance does not lag behind any more: the old content was put back there.
    has_moved_on = organization.is_read_later and not organization.not_visible_yet
    organization.seen = canonical(record) if record else ""
    organization.seen_at = asked_at
    organization.not_visible_yet = not has_moved_on and _shows_what_was_before(organization)
    update_counts(organization)
    organization.save(update_fields=["seen", "seen_at", "not_visible_yet", *COUNTED])


def mark_absent(organization: Organization, asked_at: datetime.datetime) -> None:
    """The OID is not in the directory: it is nobody's, and nothing of it differs there."""
    organization.presence, organization.presence_at = Presence.ABSENT, asked_at
    organization.foreign_since, organization.foreign_name = None, ""
    update_counts(organization)
    organization.save(update_fields=["presence", "presence_at", "foreign_since", "foreign_name", *COUNTED])


def take_reading(organization: Organization, seen: OrganizationRecord) -> None:
    """Compare the next message with what the directory showed. What is wanted is set by the caller, and saved."""
    baseline, wanted = organization.baseline_record(), organization.record()
    taken = knowledge.known_after_taking(baseline, seen, wanted)
    organization.taken = canonical(taken)
    organization.confirmed_active = taken.active
    organization.confirmed_part_of_oid = taken.part_of_oid
    organization.known_at = organization.seen_at
    organization.not_visible_yet = False


def mark_present(organization: Organization, seen: OrganizationRecord, asked_at: datetime.datetime) -> None:
    """The OID is in the directory and it is ours, although no message of ours was accepted with these values.

    Keys that the form does not have are sent back from now on, or an Update would remove them.
    """
    organization.presence, organization.presence_at = Presence.PRESENT, asked_at
    organization.presence_basis = organization.presence_basis or Basis.SEEN
    organization.carried = dict(seen.carried)
    organization.not_visible_yet = False  # a person decided by this reading
    organization.foreign_since, organization.foreign_name = None, ""
    update_counts(organization)
    organization.save()


def mark_foreign(organization: Organization, seen: OrganizationRecord, decided_at: datetime.datetime) -> None:
    """The OID is another organization's: nothing of this record is in the directory, and nothing may be sent there."""
    if organization.presence != Presence.NEVER:
        organization.presence, organization.presence_at = Presence.ABSENT, decided_at
    organization.carried = {}
    organization.foreign_since, organization.foreign_name = decided_at, seen.name[:NAME_LENGTH]
    update_counts(organization)
    organization.save()


def clear(organization: Organization) -> None:
    """The record gets another OID, of which nothing is known."""
    organization.presence, organization.presence_basis, organization.presence_at = Presence.NEVER, Basis.NONE, None
    organization.confirmed_version = 0
    organization.confirmed, organization.confirmed_at, organization.confirmed_active = "", None, None
    organization.confirmed_part_of_oid, organization.confirmed_hash = "", ""
    organization.confirmed_submission, organization.confirmed_evidence = None, Evidence.NONE
    organization.taken, organization.known_at = "", None
    organization.seen, organization.seen_at, organization.not_visible_yet = "", None, False
    organization.foreign_since, organization.foreign_name = None, ""


def update_counts(organization: Organization, record: OrganizationRecord | None = None) -> None:
    """Count saved changes and differences anew, by what is known now and what is wanted (`record`, else as saved).

    With them the Active and PartOf that a later reading shows, for questions about the tree. The row is saved by the
    caller.
    """
    wanted = knowledge.sendable(record or organization.record())
    organization.wanted_hash = fingerprint(wanted)
    baseline, seen = organization.baseline_record(), organization.later_reading()
    baseline = knowledge.sendable(baseline) if baseline else None
    organization.changes = len(knowledge.unsent(baseline, seen, wanted))
    organization.differs = _differences(organization, baseline, seen)
    _set_shown_place(organization, seen)
    if not organization.differs:
        organization.differs_since = None
    elif organization.differs_since is None:
        organization.differs_since = organization.seen_at


def _set_shown_place(organization: Organization, seen: OrganizationRecord | None) -> None:
    organization.shown_active, organization.shown_part_of_oid = None, ""
    if seen is not None and seen.active != organization.confirmed_active:
        organization.shown_active = seen.active
    # A longer PartOf is not an OID.
    is_moved = seen is not None and seen.part_of_oid != organization.confirmed_part_of_oid
    if seen is not None and is_moved and len(seen.part_of_oid) <= OID_LENGTH:
        organization.shown_part_of_oid = seen.part_of_oid


def _differences(
    organization: Organization, baseline: OrganizationRecord | None, seen: OrganizationRecord | None
) -> int:
    if organization.presence == Presence.ABSENT:
        return 0
    if organization.is_missing:
        return 1
    if baseline is None or seen is None:
        return 0
    return len(knowledge.changed_by_others(baseline, seen, _under_way(organization)))


def _under_way(organization: Organization) -> OrganizationRecord | None:
    """What a message of ours carries that may have arrived by now and is not settled."""
    last = organization.last_submission
    if last is None or not last.is_open or last.attempt == 0:
        return None
    return messages.record_from_message(bytes(last.message))


def _shows_what_was_before(organization: Organization) -> bool:
    """Whether a reading after the last acceptance shows the content from before it: the directory lags behind.

    Nothing lags behind an acceptance by something equivalent: no answer and no reading showed that message's change.
    """
    submission = organization.confirmed_submission
    if submission is None or organization.taken or not organization.is_read_later:
        return False
    if organization.confirmed_evidence == Evidence.EQUIVALENT:
        return False
    # Earlier releases kept a record also before a New, when the OID had been there and was gone.
    before = submission.before_record() if submission.event == Event.UPDATE else None
    seen, accepted = organization.seen_record(), organization.confirmed_record()
    if before is None or seen is None or accepted is None:
        return before is None and seen is None
    return bool(knowledge.seen_differences(accepted, seen)) and not knowledge.seen_differences(before, seen)
