"""What the portal cannot decide alone: a person compares what was sent with what the directory shows, and decides."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from organizations.models import Action, AuditEntry, Event, Evidence, Organization, State, Submission, clock
from organizations.records import OrganizationRecord
from organizations.redox.client import is_meant_for
from organizations.redox.outcome import Kind, classify
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import gateway
from organizations.services.delivery import settle
from organizations.services.errors import ActionRefused, ReasonMissing
from organizations.services.outbox import submissions
from organizations.services.records import known

FRESH = datetime.timedelta(minutes=10)
"""How old an answer of the directory may be to decide by it."""

OVERTAKEN = "The answer that you compared with is no longer the last one. Ask the directory and compare."


class Verdict(StrEnum):
    """What a person can decide.

    ARRIVED: the message took effect. SEND_AGAIN, GIVE_UP: it did not; the same bytes go out again, or never. OURS: the
    OID is our organization with other values. FOREIGN: the OID belongs to another organization.
    """

    ARRIVED = "arrived"
    SEND_AGAIN = "send_again"
    GIVE_UP = "give_up"
    OURS = "ours"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Shown:
    """The last answer of the directory about a submission. `record` is None where it does not know the OID.

    `is_overtaken`: the directory was asked about the record again since, so that nothing can be decided by this answer.
    """

    entry: AuditEntry
    asked_at: datetime.datetime
    record: OrganizationRecord | None
    is_fresh: bool
    is_overtaken: bool

    @property
    def counts(self) -> bool:
        """Whether a decision may rest on it."""
        return self.is_fresh and not self.is_overtaken


def last_answer(submission: Submission) -> Shown | None:
    """What the directory last answered about it; None where it never did, or where the last question failed."""
    entry = AuditEntry.objects.of_submission(submission.pk).filter(action=Action.SUBMISSION_ASKED).last()
    if entry is None or not entry.facts.get("details", {}).get("asked"):
        return None
    details = entry.facts["details"]
    seen, asked_at = details.get("seen"), details.get("asked_at")
    record = OrganizationRecord.from_json(seen) if seen else None
    moment = datetime.datetime.fromisoformat(asked_at) if asked_at else entry.at
    last_read = submission.organization.seen_at
    is_overtaken = last_read is not None and last_read > moment
    return Shown(entry, moment, record, is_fresh(entry.at), is_overtaken)


def is_fresh(asked_at: datetime.datetime) -> bool:
    """Whether an answer of that time may still decide."""
    return clock.now() - asked_at <= FRESH


def choices(submission: Submission, shown: Shown) -> tuple[Verdict, ...]:
    """What can be decided in the light of an answer: each fact only where it can be one."""
    is_there = shown.record is not None
    offered = []
    if is_there and may_have_arrived(submission):
        offered.append(Verdict.ARRIVED)
    if not (is_there and (submission.event == Event.NEW or _was_accepted_late(submission))):
        if is_meant_for(bytes(submission.message), gateway.environment(submission.environment)):
            offered.append(Verdict.SEND_AGAIN)
        offered.append(Verdict.GIVE_UP)
    if is_there:
        offered += [Verdict.OURS, Verdict.FOREIGN]
    return tuple(offered)


def may_have_arrived(submission: Submission) -> bool:
    """Whether the message may have taken effect: an attempt ended unknown, or is not in a database that was put back.

    A message that Redox refused, also by an answer that came too late to be settled by, or that never left, did not
    arrive.
    """
    entries = AuditEntry.objects.filter(submission_id=submission.pk)
    unknown = set(entries.filter(action=Action.ATTEMPT_OUTCOME, outcome=Kind.UNKNOWN).values_list("attempt", flat=True))
    late = {entry.attempt for entry in entries.filter(action=Action.ATTEMPT_LATE) if _refuses(entry, submission)}
    return submission.only_ask or bool(unknown - late)


def _was_accepted_late(submission: Submission) -> bool:
    """Whether Redox accepted the message in an answer that came too late to be settled by."""
    late = AuditEntry.objects.filter(submission_id=submission.pk, action=Action.ATTEMPT_LATE)
    found = (classify(exchanges.stored(each), event=submission.event, oid=submission.oid) for each in late)
    return any(outcome.kind == Kind.ACCEPTED for outcome in found)


def _refuses(late: AuditEntry, submission: Submission) -> bool:
    outcome = classify(exchanges.stored(late), event=submission.event, oid=submission.oid)
    return outcome.kind == Kind.REJECTED or outcome.known == "already_exists"


def verdict_in(entry: AuditEntry) -> Verdict | None:
    """What a person decided with this entry; None where nobody did, or an earlier release did not keep it."""
    verdict = entry.facts.get("details", {}).get("verdict")
    return Verdict(verdict) if verdict else None


def verdicts(submissions: Iterable[Submission]) -> dict[int, Verdict]:
    """What a person decided last about each of these, by its id, in one query."""
    numbers = [each.pk for each in submissions if each.decided_by]
    if not numbers:
        return {}
    settled = AuditEntry.objects.filter(submission_id__in=numbers, action=Action.SUBMISSION_SETTLED)
    last = {entry.submission_id: verdict_in(entry) for entry in settled.defer("raw").order_by("sequence")}
    return {number: verdict for number, verdict in last.items() if number is not None and verdict is not None}


def decide(submission_id: int, verdict: Verdict, *, sequence: int, reason: str, actor: Actor) -> Submission:
    """End what needs a person. `sequence` is the entry of the answer that the person compared with.

    Raises:
        NotDone: somebody else decided, the directory was asked again since or too long ago, or it cannot be decided so.
        ReasonMissing: no reason is given.
    """
    with audit.recorded(actor) as history:
        submission = submissions.lock_to_end(submission_id).by_id[submission_id]
        organization = submission.organization
        if submission.state != State.NEEDS_PERSON:
            raise ActionRefused(f"Submission {submission_id} was decided already.")
        shown = last_answer(submission)
        if shown is None or not shown.counts or shown.entry.sequence != sequence:
            raise ActionRefused(OVERTAKEN)
        if verdict not in choices(submission, shown):
            raise ActionRefused("What the directory shows does not allow this decision. Choose another one.")
        if not reason.strip():
            raise ReasonMissing("Enter a reason.")
        _DO[verdict](history, submission, organization, shown, reason.strip())
    return submission


def _arrived(
    history: audit.History, submission: Submission, organization: Organization, shown: Shown, reason: str
) -> None:
    settle.accept_as_found(
        history,
        submission,
        organization,
        evidence=Evidence.PERSON,
        asked_at=shown.asked_at,
        reason=reason,
        verdict=Verdict.ARRIVED.value,
    )


def _send_again(
    history: audit.History, submission: Submission, organization: Organization, shown: Shown, reason: str
) -> None:
    _keep_absence(organization, shown)
    verdict = Verdict.SEND_AGAIN.value
    settle.send_again(history, submission, reason=reason, verdict=verdict, tries=0, unknown_since=None, only_ask=False)


def _give_up(
    history: audit.History, submission: Submission, organization: Organization, shown: Shown, reason: str
) -> None:
    _keep_absence(organization, shown)
    settle.reject_as_found(history, submission, organization, reason, verdict=Verdict.GIVE_UP.value)


def _ours(
    history: audit.History, submission: Submission, organization: Organization, shown: Shown, reason: str
) -> None:
    if shown.record is not None:
        known.mark_present(organization, shown.record, shown.asked_at)
    settle.reject_as_found(history, submission, organization, reason, verdict=Verdict.OURS.value)


def _foreign(
    history: audit.History, submission: Submission, organization: Organization, shown: Shown, reason: str
) -> None:
    if shown.record is not None:
        known.mark_foreign(organization, shown.record, clock.now())
    settle.reject_as_found(history, submission, organization, reason, verdict=Verdict.FOREIGN.value)


def _keep_absence(organization: Organization, shown: Shown) -> None:
    if shown.record is None:
        known.mark_absent(organization, shown.asked_at)


_DO = {
    Verdict.ARRIVED: _arrived,
    Verdict.SEND_AGAIN: _send_again,
    Verdict.GIVE_UP: _give_up,
    Verdict.OURS: _ours,
    Verdict.FOREIGN: _foreign,
}
