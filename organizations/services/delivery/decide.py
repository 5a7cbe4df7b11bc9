"""Stores a person's decision about a message: whether it took effect, by comparison with what the directory shows."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from organizations.models import Action, AuditEntry, Event, Evidence, Organization, State, Submission, Verdict, clock
from organizations.records import OrganizationRecord
from organizations.redox.client import is_meant_for
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import redox_settings
from organizations.services.delivery import settle
from organizations.services.errors import ActionRefused, ReasonMissing
from organizations.services.outbox import submissions
from organizations.services.records import directory_state
from organizations.services.timing import is_recent

ANSWER_SUPERSEDED = "The answer that you compared with is no longer the last one. Ask the directory and compare."
ANSWER_TOO_OLD = "The answer that you compared with is older than 10 minutes. Ask the directory and compare."


@dataclass(frozen=True, slots=True)
class ComparedAnswer:
    """The directory's last answer about a submission. `record` is None if it does not know the OID.

    `is_superseded`: the record was queried again since, so nobody may decide by this answer.
    """

    entry: AuditEntry
    asked_at: datetime.datetime
    record: OrganizationRecord | None
    is_recent: bool
    is_superseded: bool

    @property
    def allows_decision(self) -> bool:
        """Whether a person may decide by this answer."""
        return self.is_recent and not self.is_superseded


def last_answer(submission: Submission) -> ComparedAnswer | None:
    """The directory's last answer about a submission; None if nobody asked, or if the last Query failed."""
    entry = AuditEntry.objects.of_submission(submission.pk).filter(action=Action.SUBMISSION_ASKED).last()
    if entry is None or not entry.facts.get("details", {}).get("asked"):
        return None
    details = entry.facts["details"]
    seen, asked_at = details.get("seen"), details.get("asked_at")
    record = OrganizationRecord.from_json(seen) if seen else None
    moment = datetime.datetime.fromisoformat(asked_at) if asked_at else entry.at
    last_read = submission.organization.seen_at
    is_superseded = last_read is not None and last_read > moment
    return ComparedAnswer(entry, moment, record, is_recent(entry.at), is_superseded)


def allowed_verdicts(submission: Submission, answer: ComparedAnswer) -> tuple[Verdict, ...]:
    """The verdicts that do not contradict the directory's answer or Redox's late answers."""
    is_registered = answer.record is not None
    allowed = []
    if is_registered and may_have_arrived(submission):
        allowed.append(Verdict.ARRIVED)
    if not (is_registered and (submission.event == Event.NEW or _was_accepted_late(submission))):
        if is_meant_for(bytes(submission.message), redox_settings.environment(submission.environment)):
            allowed.append(Verdict.SEND_AGAIN)
        allowed.append(Verdict.GIVE_UP)
    if is_registered:
        allowed += [Verdict.OURS, Verdict.FOREIGN]
    return tuple(allowed)


def may_have_arrived(submission: Submission) -> bool:
    """Whether the message may have taken effect: an attempt ended unknown, or the database was restored since.

    A message did not arrive if it was never sent, or if Redox rejected it, even in a late answer.
    """
    entries = AuditEntry.objects.filter(submission_id=submission.pk)
    unknown = set(entries.filter(action=Action.ATTEMPT_OUTCOME, outcome=Kind.UNKNOWN).values_list("attempt", flat=True))
    late = entries.filter(action=Action.ATTEMPT_LATE)
    rejected_late = {entry.attempt for entry in late if _is_rejection(entry, submission)}
    return submission.is_restored or bool(unknown - rejected_late)


def _was_accepted_late(submission: Submission) -> bool:
    """Whether Redox accepted the message in an answer that came after the lease ended."""
    late = AuditEntry.objects.filter(submission_id=submission.pk, action=Action.ATTEMPT_LATE)
    return any(_classify_late(entry, submission).kind == Kind.ACCEPTED for entry in late)


def _classify_late(late: AuditEntry, submission: Submission) -> Outcome:
    return classify(exchanges.stored_exchange(late), event=submission.event, oid=submission.oid)


def _is_rejection(late: AuditEntry, submission: Submission) -> bool:
    outcome = _classify_late(late, submission)
    return outcome.kind == Kind.REJECTED or outcome.known == "already_exists"


def entry_verdict(entry: AuditEntry) -> Verdict | None:
    """The verdict in this entry; None if nobody decided, or if an earlier release did not store it."""
    verdict = entry.facts.get("details", {}).get("verdict")
    return Verdict(verdict) if verdict else None


def last_verdicts(submissions: Iterable[Submission]) -> dict[int, Verdict]:
    """The last verdict on each of these submissions, by submission id. One query."""
    ids = [submission.pk for submission in submissions if submission.decided_by]
    if not ids:
        return {}
    settled = AuditEntry.objects.filter(submission_id__in=ids, action=Action.SUBMISSION_SETTLED)
    last = {entry.submission_id: entry_verdict(entry) for entry in settled.defer("raw").order_by("sequence")}
    return {pk: verdict for pk, verdict in last.items() if pk is not None and verdict is not None}


def decide_submission(submission_id: int, verdict: Verdict, *, sequence: int, reason: str, actor: Actor) -> Submission:
    """Decide a submission that needs a decision. `sequence` is the entry of the answer that the person compared with.

    Raises:
        ActionRefused: no decision is needed any more, the answer is not the last one or too old, or it contradicts the
            verdict.
        ReasonMissing: no reason is given.
    """
    with audit.atomic(actor) as history:
        submission = submissions.lock_structure_and_followers(submission_id).by_id[submission_id]
        organization = submission.organization
        if submission.state != State.NEEDS_PERSON:
            raise ActionRefused(f"Submission {submission_id} does not need a decision any more.")
        answer = last_answer(submission)
        if answer is None or answer.is_superseded or answer.entry.sequence != sequence:
            raise ActionRefused(ANSWER_SUPERSEDED)
        if not answer.is_recent:
            raise ActionRefused(ANSWER_TOO_OLD)
        if verdict not in allowed_verdicts(submission, answer):
            raise ActionRefused("What the directory shows does not allow this decision. Choose another one.")
        if not reason.strip():
            raise ReasonMissing("Enter a reason.")
        _APPLY[verdict](history, submission, organization, answer, reason.strip())
    return submission


def _accept_arrived(
    history: audit.History, submission: Submission, organization: Organization, answer: ComparedAnswer, reason: str
) -> None:
    settle.accept_by_evidence(
        history,
        submission,
        organization,
        evidence=Evidence.PERSON,
        asked_at=answer.asked_at,
        reason=reason,
        verdict=Verdict.ARRIVED.value,
    )


def _requeue(
    history: audit.History, submission: Submission, organization: Organization, answer: ComparedAnswer, reason: str
) -> None:
    _store_absence(organization, answer)
    verdict = Verdict.SEND_AGAIN.value
    settle.requeue_submission(
        history, submission, reason=reason, verdict=verdict, counted_attempts=0, unknown_since=None, is_restored=False
    )


def _reject_given_up(
    history: audit.History, submission: Submission, organization: Organization, answer: ComparedAnswer, reason: str
) -> None:
    _store_absence(organization, answer)
    settle.reject_by_decision(history, submission, organization, reason, verdict=Verdict.GIVE_UP.value)


def _reject_ours(
    history: audit.History, submission: Submission, organization: Organization, answer: ComparedAnswer, reason: str
) -> None:
    if answer.record is not None:
        directory_state.mark_present(organization, answer.record, answer.asked_at)
    settle.reject_by_decision(history, submission, organization, reason, verdict=Verdict.OURS.value)


def _reject_foreign(
    history: audit.History, submission: Submission, organization: Organization, answer: ComparedAnswer, reason: str
) -> None:
    if answer.record is not None:
        directory_state.mark_foreign(organization, answer.record, clock.now())
    settle.reject_by_decision(history, submission, organization, reason, verdict=Verdict.FOREIGN.value)


def _store_absence(organization: Organization, answer: ComparedAnswer) -> None:
    if answer.record is None:
        directory_state.mark_absent(organization, answer.asked_at)


_APPLY = {
    Verdict.ARRIVED: _accept_arrived,
    Verdict.SEND_AGAIN: _requeue,
    Verdict.GIVE_UP: _reject_given_up,
    Verdict.OURS: _reject_ours,
    Verdict.FOREIGN: _reject_foreign,
}
