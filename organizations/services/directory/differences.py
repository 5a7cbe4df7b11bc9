"""Act on a record that differs in the directory: take its values, or decide who owns the OID. Nothing is sent."""

import datetime
from collections.abc import Callable
from typing import NamedTuple

from organizations import knowledge
from organizations.models import Action, Organization, Presence, clock
from organizations.records import OrganizationRecord, difference
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.errors import ActionRefused, EditConflict, OutOfDate, ReasonMissing
from organizations.services.records import directory_state, organizations, row_limits
from organizations.services.timing import is_recent

ASK_FIRST = "Ask the directory first, then decide within 10 minutes."
ASK_AGAIN = "Ask the directory again, then decide within 10 minutes. Its last answer is older than the decision."


def take_directory_values(
    organization_id: int, version: int, *, reason: str, actor: Actor, asked_at: datetime.datetime | None = None
) -> Organization:
    """Save the directory's value of each field that differs. The next review compares with the directory's values.

    Saved changes of other fields stay. `asked_at`: the time of the Query whose values the person saw.

    Raises:
        EditConflict: somebody saved the record after `version`.
        OutOfDate: the directory was asked again after `asked_at`.
        ActionRefused: the directory shows no difference, or does not show the OID, or a submission of the record is
            open.
        ReasonMissing: there is no reason.
    """
    with audit.atomic(actor) as history:
        organization = organizations.lock_record_for_person(organization_id)
        if organization.version != version:
            raise EditConflict(organization)
        _check_not_asked_since(organization, asked_at)
        sentence = take_block_reason(organization)
        reading = differing_reading(organization)
        if sentence or reading is None:
            raise ActionRefused(sentence)
        if not reason.strip():
            raise ReasonMissing("Enter a reason.")
        before = organization.record()
        after = knowledge.taken_from(reading.baseline, reading.seen, before)
        directory_state.take_reading(organization, reading.seen)
        organizations.save_wanted(organization, after, stands_for=organization.stands_for, actor=actor)
        organizations.check_no_circle(organization)
        changes = difference(before, after)
        history.log_record(Action.ORGANIZATION_TAKEN, organization, changes=changes, reason=reason.strip())
    return organization


def take_block_reason(organization: Organization) -> str:
    """Why nothing can be taken from the directory now, as a sentence; "" if it can."""
    last = organization.last_submission
    if last is not None and last.is_open:
        return f"Submission {last.pk} of this record must end first."
    if organization.is_missing:
        return "The directory did not show this OID, so there is nothing to take."
    if organization.not_visible_yet:
        return "When it was last asked, the directory did not show the last acceptance yet. There is nothing to take."
    reading = differing_reading(organization)
    if reading is None:
        return _without_difference(organization)
    return row_limits.storage_block_reason(knowledge.taken_from(reading.baseline, reading.seen, organization.record()))


def _without_difference(organization: Organization) -> str:
    """Why no reading differs. Without a reading after the baseline, nothing is known about the directory's values."""
    if organization.later_reading() is not None:
        return "The directory shows only values that the portal knows."
    if organization.seen_at is None:
        return "The directory has not been asked about this record, so there is nothing to take."
    if not organization.is_read_later:
        return "The directory was last asked before the last acceptance, so there is nothing to take."
    return "The directory did not show this OID, so there is nothing to take."


def decide_ours(
    organization_id: int, *, reason: str, actor: Actor, asked_at: datetime.datetime | None = None
) -> Organization:
    """Decide that an OID is ours, by a recent answer of the directory.

    This is possible if Redox accepted no message for the OID, or if people decided before that it belongs to others.
    The next review compares with the values of the directory: each value that the message would overwrite needs a tick.
    `asked_at`: the time of the Query whose answer the person saw.

    Raises:
        OutOfDate: the directory was asked again after `asked_at`.
        ActionRefused: there is nothing to decide, or the last answer of the directory is too old.
        ReasonMissing: there is no reason.
    """
    with audit.atomic(actor) as history:
        organization = _lock_to_decide(organization_id, ours_block_reason, reason, asked_at)
        action = Action.ORGANIZATION_REOPENED if organization.is_foreign else Action.ORGANIZATION_CLAIMED
        seen = organization.seen_record()
        if seen is not None and organization.seen_at is not None:
            directory_state.mark_present(organization, seen, organization.seen_at)
        elif organization.seen_at is not None:
            directory_state.mark_absent(organization, organization.seen_at)
        history.log_record(action, organization, reason=reason.strip())
    return organization


def decide_foreign(
    organization_id: int, *, reason: str, actor: Actor, asked_at: datetime.datetime | None = None
) -> Organization:
    """Decide that the OID is foreign: it belongs to another organization, so nothing is sent to it from here.

    The record can then get another OID.

    `asked_at`: the time of the Query whose answer the person saw.

    Raises:
        OutOfDate: the directory was asked again after `asked_at`.
        ActionRefused: there is nothing to decide, or the last answer of the directory is too old.
        ReasonMissing: there is no reason.
    """
    with audit.atomic(actor) as history:
        organization = _lock_to_decide(organization_id, foreign_block_reason, reason, asked_at)
        seen = organization.seen_record()
        if seen is not None:
            directory_state.mark_foreign(organization, seen, clock.now())
        history.log_record(Action.ORGANIZATION_DISCLAIMED, organization, reason=reason.strip())
    return organization


def ours_block_reason(organization: Organization) -> str:
    """Why nobody can decide now that the OID is ours, as a sentence; "" if somebody can."""
    if not organization.is_foreign:
        return foreign_block_reason(organization)
    asked_at, decided_at = organization.seen_at, organization.foreign_since
    is_newer = asked_at is not None and decided_at is not None and asked_at >= decided_at
    if asked_at is not None and not is_newer:
        return ASK_AGAIN
    return "" if is_newer and _is_fresh(organization) else ASK_FIRST


def foreign_block_reason(organization: Organization) -> str:
    """Why nobody can decide now that the OID is foreign, as a sentence; "" if somebody can."""
    last = organization.last_submission
    if last is not None and last.is_open:
        return f"Submission {last.pk} of this record must end first."
    if not organization.is_there_unclaimed:
        return "There is nothing to decide about this OID."
    return "" if _is_fresh(organization) else ASK_FIRST


def _is_fresh(organization: Organization) -> bool:
    return organization.seen_at is not None and is_recent(organization.seen_at)


def _lock_to_decide(
    organization_id: int, block_reason: Callable[[Organization], str], reason: str, asked_at: datetime.datetime | None
) -> Organization:
    organization = organizations.lock_record_for_person(organization_id)
    _check_not_asked_since(organization, asked_at)
    sentence = block_reason(organization)
    if sentence:
        raise ActionRefused(sentence)
    if not reason.strip():
        raise ReasonMissing("Enter a reason.")
    return organization


def _check_not_asked_since(organization: Organization, asked_at: datetime.datetime | None) -> None:
    if asked_at is not None and organization.seen_at != asked_at:
        raise OutOfDate("The directory was asked again after you opened this page. Nothing was changed.")


class DifferingReading(NamedTuple):
    """A reading that differs from the baseline; from what is saved here if there is no baseline."""

    baseline: OrganizationRecord | None
    seen: OrganizationRecord


def differing_reading(organization: Organization) -> DifferingReading | None:
    """The reading after the baseline, if it differs from it; otherwise None.

    Without a baseline, it is compared with the saved values.
    """
    baseline, seen = organization.baseline_record(), organization.later_reading()
    if baseline is not None or seen is None:
        return DifferingReading(baseline, seen) if organization.differs and seen else None
    if organization.presence != Presence.PRESENT:
        return None
    wanted = knowledge.sendable(organization.record())
    return DifferingReading(None, seen) if knowledge.changes_by_origin(None, seen, wanted).overwritten else None
