"""What the portal cannot decide alone: a person compares what was sent with what the directory shows, and decides."""

import datetime
from dataclasses import dataclass
from enum import StrEnum

from organizations.models import Action, AuditEntry, Event, Organization, Presence, State, Submission, clock
from organizations.records import OrganizationRecord, readable_fingerprint
from organizations.redox import messages

from . import audit, organizations, settling, submissions
from .actors import Actor
from .faults import NotDone, ReasonMissing

FRESH = datetime.timedelta(minutes=10)
"""How old an answer of the directory may be to decide by it."""


class Verdict(StrEnum):
    """LANDED: the directory has what we sent. NOT_LANDED: it goes out again. OTHERS: in part, or somebody else's."""

    LANDED = "landed"
    NOT_LANDED = "not_landed"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The last answer of the directory about a submission. `record` is None where it does not know the OID."""

    entry: AuditEntry
    record: OrganizationRecord | None
    is_fresh: bool


def evidence(submission: Submission) -> Evidence | None:
    """What the directory last answered about it; None where it never did, or where the last question failed."""
    entry = AuditEntry.objects.of_submission(submission.pk).filter(action=Action.SUBMISSION_ASKED).last()
    if entry is None or not entry.facts.get("details", {}).get("asked"):
        return None
    seen = entry.facts["details"].get("seen")
    record = OrganizationRecord.from_json(seen) if seen else None
    return Evidence(entry, record, is_fresh(entry.at))


def is_fresh(asked_at: datetime.datetime) -> bool:
    """Whether an answer of that time may still decide."""
    return clock.now() - asked_at <= FRESH


def choices(submission: Submission, found: Evidence) -> tuple[Verdict, ...]:
    """What can be decided in the light of an answer; the first is what the portal proposes."""
    sent = messages.record_from_message(bytes(submission.message))
    if found.record is None:
        return Verdict.NOT_LANDED, Verdict.OTHERS
    shown = readable_fingerprint(found.record)
    if shown == readable_fingerprint(sent):
        return (Verdict.LANDED, *_once_more(submission), Verdict.OTHERS)
    before = submission.before_record()
    if before is not None and submission.event == Event.UPDATE and shown == readable_fingerprint(before):
        return Verdict.NOT_LANDED, Verdict.OTHERS, Verdict.LANDED
    return (Verdict.OTHERS, *_once_more(submission), Verdict.LANDED)


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
            raise NotDone(f"Submission {submission_id} was decided already.")
        found = evidence(submission)
        if found is None or not found.is_fresh or found.entry.sequence != sequence:
            raise NotDone("The answer that you compared with is no longer the last one. Ask the directory and compare.")
        if verdict not in choices(submission, found):
            raise NotDone("What the directory shows does not allow this decision. Choose another one.")
        if not reason.strip():
            raise ReasonMissing("Enter a reason.")
        _DO[verdict](history, submission, organization, found, reason.strip())
    return submission


def _once_more(submission: Submission) -> tuple[Verdict, ...]:
    """A New of an OID that is there would only be refused again."""
    return () if submission.event == Event.NEW else (Verdict.NOT_LANDED,)


def _landed(
    history: audit.History, submission: Submission, organization: Organization, found: Evidence, reason: str
) -> None:
    settling.accept_as_found(history, submission, organization, reason)


def _not_landed(
    history: audit.History, submission: Submission, organization: Organization, found: Evidence, reason: str
) -> None:
    if found.record is None:
        organization.presence, organization.presence_at = Presence.ABSENT, found.entry.at
        organization.save(update_fields=["presence", "presence_at"])
    settling.send_again(history, submission, reason=reason, tries=0, unknown_since=None, only_ask=False)


def _others(
    history: audit.History, submission: Submission, organization: Organization, found: Evidence, reason: str
) -> None:
    organizations.compare_with_seen(organization, found.record, found.entry.at)
    settling.reject_as_found(history, submission, organization, reason)


_DO = {Verdict.LANDED: _landed, Verdict.NOT_LANDED: _not_landed, Verdict.OTHERS: _others}
