"""Resolves unknown submissions: after the settle time the directory is queried, and only its answer decides.

The portal sends again only after an answer of the directory. A New is sent again after two answers of the directory did
not show its OID; an Update is sent again if no Query can prove it. In both cases the same bytes are sent.
"""

import datetime
import random
from contextlib import suppress
from functools import partial

from django.conf import settings

from organizations.models import Event, Evidence, Organization, State, Submission, clock
from organizations.redox import messages
from organizations.redox.resolution import Proof, judge_directory_answer
from organizations.services import failpoints
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer, Question
from organizations.services.delivery import query, settle
from organizations.services.errors import OutOfDate
from organizations.services.outbox import answers, submissions
from organizations.services.records import directory_state, organizations
from organizations.services.timing import seconds, shortened

SECONDS_BETWEEN_ABSENT_ANSWERS = 30.0
"""The least time between the two answers without the OID after which a New is sent again."""
FIRST_WAIT_SECONDS = 5.0
"""The shortest wait after a Query that got no answer."""
LONGEST_WAIT_SECONDS = 300.0
"""The longest wait after a Query that got no answer."""
LONGEST_UNKNOWN = datetime.timedelta(hours=24)
"""After this time without an answer of the directory a person must decide."""

SHOWN_REASON = "The directory shows what was sent."
UNDOCUMENTED_SUCCESS_REASON = (
    "Redox answered with a success in words that it does not document, and the directory shows what was sent."
)
NO_ANSWER_REASON = "The directory did not answer for 24 hours."
OTHER_VALUES_REASON = "The directory shows other values than were sent."
UNCHANGED_REASON = "The directory shows no change: its values before this message had the same meaning."
ALREADY_THERE_REASON = "Redox said that the OID already exists, and the directory does not show what was sent."
RESTORED_REASON = "The database was restored from a backup, so this message may have been sent before."


def next_unknown(environment: str, *, actor: Actor) -> Question | None:
    """Lease the unknown submission that has waited longest. The answer about its OID is applied to it."""
    submission = _claim_next(environment, actor) if _may_query(environment) else None
    if submission is None:
        return None
    failpoints.reach("before-asking")
    return Question(submission.oid, partial(_take_answer, submission, actor))


def _take_answer(submission: Submission, actor: Actor, answer: DirectoryAnswer) -> None:
    failpoints.reach("after-asking")
    with suppress(OutOfDate):
        _apply_answer(submission, answer, actor)
    failpoints.reach("after-deciding")


def next_read_back(environment: str, *, actor: Actor) -> Question | None:
    """Read a record again that was accepted after a lost attempt, because the lost message may take effect late.

    A difference is shown on pages; the portal never repairs it.
    """
    if not _may_query(environment):
        return None
    moment = clock.now()
    submission = Submission.objects.to_read_back(environment, moment).select_related("organization").first()
    if submission is None:
        return None
    unclaimed = Submission.objects.filter(pk=submission.pk, read_back_at=submission.read_back_at)
    if unclaimed.update(read_back_at=moment + seconds(settings.REDOX_LEASE)) != 1:
        return None
    return Question(submission.oid, partial(_store_read_back, submission, actor))


def _store_read_back(submission: Submission, actor: Actor, answer: DirectoryAnswer) -> None:
    with audit.atomic(actor) as history:
        gate = breaker.lock_gate(submission.environment)
        organization = organizations.lock_record(submission.organization_id)
        query.store_submission_answer(history, submission, organization, answer, after_acceptance=True)
        read_back_at = None if answer.is_answered else clock.now() + seconds(shortened(LONGEST_WAIT_SECONDS))
        Submission.objects.filter(pk=submission.pk).update(read_back_at=read_back_at)
        breaker.apply_outcome(history, gate, answer.outcome)


def _may_query(environment: str) -> bool:
    """Whether a worker may query now. While the circuit breaker is half-open, only its probe may."""
    return redox_settings.environment(environment).credential is not None and breaker.can_send_now(environment)


def _claim_next(environment: str, actor: Actor) -> Submission | None:
    """Lease the next due submission to this worker. If another worker leases it later, this one applies no answer."""
    if not Submission.objects.to_query(environment, clock.now()).exists():
        return None  # checked first, so that an idle worker takes no lock
    with audit.atomic(actor):
        moment = clock.now()
        claimable = submissions.lock_claimable(Submission.objects.to_query(environment, moment), 1)
        if not claimable:
            return None
        (submission,) = claimable
        submissions.move_submission(
            submission,
            State.UNKNOWN,
            token=submission.token + 1,
            lease_until=moment + seconds(settings.REDOX_LEASE),
            lease_worker=actor.name[:100],
            asks=submission.asks + 1,
        )
    return submission


def _apply_answer(submission: Submission, answer: DirectoryAnswer, actor: Actor) -> None:
    with audit.atomic(actor) as history:
        gate = breaker.lock_gate(submission.environment)
        organization = organizations.lock_record(submission.organization_id)
        submission.organization = organization
        query.store_submission_answer(history, submission, organization, answer)
        if not answer.is_answered:
            _settle_unanswered(history, submission)
        else:
            sent = messages.record_from_message(bytes(submission.message))
            proof = judge_directory_answer(
                submission.event,
                sent,
                answers.record_before(submission),
                answer.record,
                has_undocumented_success=answers.has_undocumented_success(submission),
            )
            _APPLY[proof](history, submission, organization, answer)
        failpoints.reach("in-deciding")
        breaker.apply_outcome(history, gate, answer.outcome)


def _settle_unanswered(history: audit.History, submission: Submission) -> None:
    moment = clock.now()
    if moment - (submission.unknown_since or moment) > LONGEST_UNKNOWN:
        settle.require_decision(history, submission, NO_ANSWER_REASON)
        return
    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(submission.asks - 1, 10))
    _query_later(submission, random.uniform(FIRST_WAIT_SECONDS, max(longest, FIRST_WAIT_SECONDS)))  # noqa: S311


def _query_later(submission: Submission, wait: float, **changes: object) -> None:
    not_before = clock.now() + seconds(shortened(wait))
    submissions.move_submission(submission, State.UNKNOWN, not_before=not_before, lease_until=None, **changes)


def _accept_shown(
    history: audit.History, submission: Submission, organization: Organization, answer: DirectoryAnswer
) -> None:
    settle.accept_by_evidence(
        history, submission, organization, evidence=Evidence.QUERY, asked_at=answer.asked_at, reason=SHOWN_REASON
    )


def _accept_confirmed(
    history: audit.History, submission: Submission, organization: Organization, answer: DirectoryAnswer
) -> None:
    settle.accept_by_evidence(
        history,
        submission,
        organization,
        evidence=Evidence.BOTH,
        asked_at=answer.asked_at,
        reason=UNDOCUMENTED_SUCCESS_REASON,
    )


def _require_decision_on_other_values(
    history: audit.History, submission: Submission, organization: Organization, answer: DirectoryAnswer
) -> None:
    already = submission.known_answer == "already_exists"
    settle.require_decision(history, submission, ALREADY_THERE_REASON if already else OTHER_VALUES_REASON)


def _settle_absent(
    history: audit.History, submission: Submission, organization: Organization, answer: DirectoryAnswer
) -> None:
    moment = clock.now()
    if submission.absent_at is None:
        _query_later(submission, SECONDS_BETWEEN_ABSENT_ANSWERS, absent_at=moment)
    elif moment - submission.absent_at < seconds(shortened(SECONDS_BETWEEN_ABSENT_ANSWERS)):
        _query_later(submission, SECONDS_BETWEEN_ABSENT_ANSWERS)
    elif submission.known_answer == "already_exists":
        settle.require_decision(history, submission, ALREADY_THERE_REASON)
    else:
        directory_state.mark_absent(organization, moment)
        _send_same_bytes(history, submission, organization, answer)


def _settle_unproved(
    history: audit.History, submission: Submission, organization: Organization, answer: DirectoryAnswer
) -> None:
    """Send an Update again. A New would only be rejected, because the directory has the OID."""
    if submission.event == Event.NEW:
        settle.require_decision(history, submission, UNCHANGED_REASON)
    else:
        _send_same_bytes(history, submission, organization, answer)


def _send_same_bytes(
    history: audit.History, submission: Submission, organization: Organization, answer: DirectoryAnswer
) -> None:
    """Send the same bytes again, unless the limit of attempts is reached. The next answer decides."""
    if submission.is_restored:
        settle.require_decision(history, submission, RESTORED_REASON)
    elif submission.counted_attempts + 1 >= settle.MOST_COUNTED_ATTEMPTS:
        settle.require_decision(history, submission, f"{settle.MOST_COUNTED_ATTEMPTS} tries got no clear answer.")
    else:
        settle.requeue_submission(history, submission, reason="Nothing proves whether the last attempt took effect.")


_APPLY = {
    Proof.SHOWN: _accept_shown,
    Proof.CONFIRMED: _accept_confirmed,
    Proof.OTHER: _require_decision_on_other_values,
    Proof.ABSENT: _settle_absent,
    Proof.UNPROVED: _settle_unproved,
}
