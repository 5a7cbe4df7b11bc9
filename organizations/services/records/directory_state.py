"""Store what is known about a record in the directory: accepted, read, or taken from there. The row must be locked.

The functions that save the row also update DERIVED_COLUMNS: the counts of saved changes and of differences, and the
Active and PartOf that a later reading shows. `take_reading`, `forget_old_oid` and `set_earlier_answer` leave that to
their caller.
"""

import datetime

from organizations import knowledge
from organizations.models import AuditEntry, Basis, Event, Evidence, Organization, Presence, Submission, clock
from organizations.models.organization import NAME_LENGTH, OID_LENGTH
from organizations.records import OrganizationRecord, canonical, fingerprint
from organizations.redox import messages

DERIVED_COLUMNS = ("changes", "differs", "differs_since", "wanted_hash", "shown_active", "shown_part_of_oid")
"""The columns that `update_derived_columns` sets."""
_ACCEPTED_COLUMNS = (
    *("confirmed", "confirmed_at", "confirmed_active", "confirmed_part_of_oid", "confirmed_version"),
    *("confirmed_submission", "confirmed_evidence", "known_at", "taken", "not_visible_yet"),
    *("presence", "presence_basis", "presence_at"),
    *DERIVED_COLUMNS,
)
"""The columns that an acceptance changes. Saving all columns of a record takes twice as long."""


def mark_accepted(
    organization: Organization,
    record: OrganizationRecord,
    submission: Submission | None,
    *,
    evidence: Evidence,
    known_at: datetime.datetime,
) -> None:
    """Store the accepted record, which was read from the bytes of the submission, and the evidence for it.

    The caller may have set `confirmed_version`; it is saved too.
    `known_at`: a Query that is sent at this time or later counts as newer than the acceptance. If a reading is the
    evidence, it is the time of that reading, so that its other values still count.
    """
    organization.confirmed = canonical(record)
    organization.confirmed_at = clock.now()
    organization.confirmed_active = record.active
    organization.confirmed_part_of_oid = record.part_of_oid
    organization.confirmed_submission = submission
    organization.confirmed_evidence = evidence
    organization.known_at = known_at
    organization.taken = ""
    organization.presence = Presence.PRESENT
    organization.presence_basis = Basis.ACCEPTED
    organization.presence_at = organization.confirmed_at
    organization.not_visible_yet = _shows_earlier_content(organization)
    update_derived_columns(organization)
    organization.save(update_fields=_ACCEPTED_COLUMNS)


def store_reading(organization: Organization, record: OrganizationRecord | None, asked_at: datetime.datetime) -> None:
    """Store the answer to a Query, unless that of a later Query is stored. `record` is None without the OID."""
    if organization.seen_at is not None and asked_at < organization.seen_at:
        return
    # If another reading since the acceptance showed anything else, the directory does not lag behind: somebody restored
    # the old content.
    has_caught_up = organization.is_read_later and not organization.not_visible_yet
    organization.seen = canonical(record) if record else ""
    organization.seen_at = asked_at
    organization.not_visible_yet = not has_caught_up and _shows_earlier_content(organization)
    changed = _confirm_statement(organization, record, asked_at) if record else []
    update_derived_columns(organization)
    organization.save(update_fields=["seen", "seen_at", "not_visible_yet", *changed, *DERIVED_COLUMNS])


def _confirm_statement(organization: Organization, seen: OrganizationRecord, asked_at: datetime.datetime) -> list[str]:
    """If a person stated that the OID is registered, the directory is the evidence now. Returns the columns to save.

    From now on the carried keys are sent back, or an Update would remove them. Nothing changes while a message is open,
    because the reading may show that message.
    """
    last = organization.last_submission
    is_stated = organization.presence == Presence.PRESENT and organization.presence_basis == Basis.STATED
    if not is_stated or (last is not None and last.is_open):
        return []
    organization.presence_basis, organization.presence_at = Basis.SEEN, asked_at
    organization.carried = dict(seen.carried)
    return ["presence_basis", "presence_at", "carried"]


def forget_statement(organization: Organization) -> None:
    """Remove the statement of a person that the OID is registered. A later reading stays."""
    organization.presence, organization.presence_basis, organization.presence_at = Presence.NEVER, Basis.NONE, None
    organization.presence_reason, organization.carried = "", {}
    update_derived_columns(organization)
    organization.save()


def mark_absent(organization: Organization, asked_at: datetime.datetime) -> None:
    """Store that the OID is not in the directory. So it belongs to nobody, and nothing differs."""
    organization.presence, organization.presence_at = Presence.ABSENT, asked_at
    organization.foreign_since, organization.foreign_name = None, ""
    update_derived_columns(organization)
    organization.save(update_fields=["presence", "presence_at", "foreign_since", "foreign_name", *DERIVED_COLUMNS])


def take_reading(organization: Organization, seen: OrganizationRecord) -> None:
    """Store that the next message is compared with what the directory showed.

    The caller sets the saved values, updates the derived columns and saves the row.
    """
    baseline, wanted = organization.baseline_record(), organization.record()
    taken = knowledge.known_after_taking(baseline, seen, wanted)
    organization.taken = canonical(taken)
    organization.confirmed_active = taken.active
    organization.confirmed_part_of_oid = taken.part_of_oid
    organization.known_at = organization.seen_at
    organization.not_visible_yet = False


def mark_present(organization: Organization, seen: OrganizationRecord, asked_at: datetime.datetime) -> None:
    """Store that the OID is in the directory and is ours, although no message with these values was accepted.

    From now on the carried keys are sent back, or an Update would remove them.
    """
    organization.presence, organization.presence_at = Presence.PRESENT, asked_at
    if organization.presence_basis != Basis.ACCEPTED:
        organization.presence_basis = Basis.SEEN
    organization.carried = dict(seen.carried)
    organization.not_visible_yet = False  # a person decided by this reading
    organization.foreign_since, organization.foreign_name = None, ""
    update_derived_columns(organization)
    organization.save()


def mark_foreign(organization: Organization, seen: OrganizationRecord, decided_at: datetime.datetime) -> None:
    """Store that the OID belongs to another organization: our record is not in the directory; nothing is sent to it."""
    if organization.presence != Presence.NEVER:
        organization.presence, organization.presence_at = Presence.ABSENT, decided_at
    organization.carried = {}
    organization.foreign_since, organization.foreign_name = decided_at, seen.name[:NAME_LENGTH]
    update_derived_columns(organization)
    organization.save()


def forget_old_oid(organization: Organization) -> None:
    """Clear all knowledge, because the record gets another OID. The caller saves the row.

    The directory has nothing under the new OID that an Update could remove: a New sends only what is saved here.
    """
    organization.presence, organization.presence_basis, organization.presence_at = Presence.NEVER, Basis.NONE, None
    organization.presence_reason = ""
    organization.confirmed_version = 0
    organization.confirmed, organization.confirmed_at, organization.confirmed_active = "", None, None
    organization.confirmed_part_of_oid = ""
    organization.confirmed_submission, organization.confirmed_evidence = None, Evidence.NONE
    organization.taken, organization.known_at = "", None
    organization.seen, organization.seen_at, organization.not_visible_yet = "", None, False
    organization.foreign_since, organization.foreign_name = None, ""
    organization.carried, organization.added_as_other = {}, False
    organization.destination_known, organization.destination_source = True, ""


def set_earlier_answer(organization: Organization, oid: str) -> None:
    """Set the last answer about an OID that the record gets now as its reading, if it showed the OID.

    It blocks a New as a reading of the record does: Redox would reject it. The caller saves the row.
    """
    entry = AuditEntry.objects.last_answer_about(organization.environment, oid)
    details = entry.facts["details"] if entry else {}
    if details.get("seen"):
        organization.seen = canonical(OrganizationRecord.from_json(details["seen"]))
        organization.seen_at = datetime.datetime.fromisoformat(details["asked_at"])


def update_derived_columns(organization: Organization, record: OrganizationRecord | None = None) -> None:
    """Count saved changes and differences again, and set the Active and PartOf that a later reading shows.

    `record`: the saved values, if the row does not have them yet. The caller saves the row.
    """
    wanted = knowledge.sendable(record or organization.record())
    organization.wanted_hash = fingerprint(wanted)
    baseline, seen = organization.baseline_record(), organization.later_reading()
    baseline, compared = (each and knowledge.sendable(each) for each in (baseline, organization.compared_record()))
    organization.changes = len(knowledge.unsent(compared, seen, wanted))
    organization.differs = _differences(organization, baseline, seen)
    _set_shown(organization, seen)
    if not organization.differs:
        organization.differs_since = None
    elif organization.differs_since is None:
        organization.differs_since = organization.seen_at


def _set_shown(organization: Organization, seen: OrganizationRecord | None) -> None:
    organization.shown_active, organization.shown_part_of_oid = None, ""
    if seen is not None and seen.active != organization.confirmed_active:
        organization.shown_active = seen.active
    # A longer text is not an OID, and the column cannot hold it.
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
    return len(knowledge.changed_by_others(baseline, seen, record_in_flight(organization)))


def record_in_flight(organization: Organization) -> OrganizationRecord | None:
    """The record in our open message if that may have arrived; otherwise None."""
    last = organization.last_submission
    if last is None or not last.is_open or last.can_be_cancelled:
        return None
    return messages.record_from_message(bytes(last.message))


def _shows_earlier_content(organization: Organization) -> bool:
    """Whether a reading after the last acceptance shows the content from before it, because the directory lags behind.

    It does not lag behind an acceptance with equivalent values: no answer and no reading showed that change.
    """
    submission = organization.confirmed_submission
    if submission is None or organization.taken or not organization.is_read_later:
        return False
    if organization.confirmed_evidence == Evidence.EQUIVALENT:
        return False
    # Earlier releases also kept a record before a New, if the OID had been in the directory before.
    before = submission.before_record() if submission.event == Event.UPDATE else None
    seen, accepted = organization.seen_record(), organization.confirmed_record()
    if before is None or seen is None or accepted is None:
        return before is None and seen is None
    return bool(knowledge.seen_differences(accepted, seen)) and not knowledge.seen_differences(before, seen)
