"""Submissions of unknown fate: after the settle time the directory is asked, and only its answer decides.

Nothing is guessed and nothing is sent again blindly: a New goes out once more after the directory twice did not know
the OID, an Update where no Query can prove it; in both cases the very same bytes.
"""

import datetime
import random
from contextlib import suppress

from django.conf import settings

from organizations.models import Event, Evidence, Organization, State, Submission, clock
from organizations.redox import messages
from organizations.redox.outcome import OTHER_SUCCESS
from organizations.redox.resolution import Finding, find
from organizations.services import failpoints
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, gateway
from organizations.services.connection.lookup import Answer
from organizations.services.delivery import query, settle
from organizations.services.errors import OutOfDate
from organizations.services.outbox import answers, submissions
from organizations.services.records import known, organizations
from organizations.services.timing import seconds, shortened

APART = 30.0
"""Seconds between two answers that the directory does not know an OID, before a New goes out once more."""
FIRST_WAIT = 5.0
LONGEST_WAIT = 300.0
LONGEST_UNKNOWN = datetime.timedelta(hours=24)

SHOWN = "The directory shows what was sent."
CONFIRMED = "Redox answered with a success in words that it does not document, and the directory shows what was sent."
NO_ANSWER = "24 hours without an answer of the directory."
OTHER_VALUES = "The directory shows other values than were sent."
UNCHANGED = "The directory shows no change: what was there before means the same as this message."
ALREADY_THERE = "Redox said that the OID already exists, and the directory does not show what was sent."
PUT_BACK = "The database was put back from a backup, so nobody knows whether this message was sent before."


def resolve_next(environment: str, *, actor: Actor) -> bool:
    """Ask about the submission that waited longest, if one is due, and do what the answer says. Whether one was."""
    if not _may_ask(environment):
        return False
    submission = _claim(environment, actor)
    if submission is None:
        return False
    failpoints.reach("before-asking")
    answer = query.look_up(environment, submission.oid)
    failpoints.reach("after-asking")
    with suppress(OutOfDate):
        _decide(submission, answer, actor)
    failpoints.reach("after-deciding")
    return True


def read_back_next(environment: str, *, actor: Actor) -> bool:
    """Read one record once more that was accepted after an attempt of it was lost: its message may have come late.

    A difference is shown as drift and never repaired by the portal.
    """
    if not _may_ask(environment):
        return False
    moment = clock.now()
    submission = Submission.objects.to_read_back(environment, moment).select_related("organization").first()
    if submission is None:
        return False
    due = Submission.objects.filter(pk=submission.pk, read_back_at=submission.read_back_at)
    if due.update(read_back_at=moment + seconds(settings.REDOX_LEASE)) != 1:
        return False
    answer = query.look_up(environment, submission.oid)
    with audit.recorded(actor) as history:
        gate = breaker.locked_gate(environment)
        organization = organizations.locked(submission.organization_id)
        query.note(history, submission, organization, answer, reads_back=True)
        later = None if answer.was_asked else clock.now() + seconds(shortened(LONGEST_WAIT))
        Submission.objects.filter(pk=submission.pk).update(read_back_at=later)
        breaker.follow(history, gate, answer.outcome)
    return True


def _may_ask(environment: str) -> bool:
    """Whether a Query may leave now: what was done in the same round may have closed the gate."""
    return gateway.environment(environment).credential is not None and breaker.is_open_now(environment)


def _claim(environment: str, actor: Actor) -> Submission | None:
    """Own the submission while it is asked about: a later lease makes this worker's answer too late."""
    if not Submission.objects.to_ask(environment, clock.now()).exists():
        return None  # an idle worker takes no lock
    with audit.recorded(actor):
        moment = clock.now()
        submission = settle.next_claimable(Submission.objects.to_ask(environment, moment))
        if submission is None:
            return None
        submissions.move(
            submission,
            State.UNKNOWN,
            token=submission.token + 1,
            lease_until=moment + seconds(settings.REDOX_LEASE),
            lease_worker=actor.name[:100],
            asks=submission.asks + 1,
        )
    return submission


def _decide(submission: Submission, answer: Answer, actor: Actor) -> None:
    with audit.recorded(actor) as history:
        gate = breaker.locked_gate(submission.environment)
        organization = organizations.locked(submission.organization_id)
        submission.organization = organization
        query.note(history, submission, organization, answer)
        if not answer.was_asked:
            _no_answer(history, submission)
        else:
            sent = messages.record_from_message(bytes(submission.message))
            was_told_success = submission.answer_warning == OTHER_SUCCESS
            before = answers.before_of(submission)
            finding = find(submission.event, sent, before, answer.record, was_told_success=was_told_success)
            _FOUND[finding](history, submission, organization, answer)
        failpoints.reach("in-deciding")
        breaker.follow(history, gate, answer.outcome)


def _no_answer(history: audit.History, submission: Submission) -> None:
    moment = clock.now()
    if moment - (submission.unknown_since or moment) > LONGEST_UNKNOWN:
        settle.needs_person(history, submission, NO_ANSWER)
        return
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(submission.asks - 1, 10))
    _ask_later(submission, random.uniform(FIRST_WAIT, max(longest, FIRST_WAIT)))  # noqa: S311


def _ask_later(submission: Submission, wait: float, **changes: object) -> None:
    not_before = clock.now() + seconds(shortened(wait))
    submissions.move(submission, State.UNKNOWN, not_before=not_before, lease_until=None, **changes)


def _shown(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    settle.accept_as_found(
        history, submission, organization, evidence=Evidence.QUERY, asked_at=answer.asked_at, reason=SHOWN
    )


def _confirmed(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    settle.accept_as_found(
        history, submission, organization, evidence=Evidence.BOTH, asked_at=answer.asked_at, reason=CONFIRMED
    )


def _other(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    already = submission.known_answer == "already_exists"
    settle.needs_person(history, submission, ALREADY_THERE if already else OTHER_VALUES)


def _absent(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    moment = clock.now()
    if submission.absent_at is None:
        _ask_later(submission, APART, absent_at=moment)
    elif moment - submission.absent_at < seconds(shortened(APART)):
        _ask_later(submission, APART)
    elif submission.known_answer == "already_exists":
        settle.needs_person(history, submission, ALREADY_THERE)
    else:
        known.mark_absent(organization, moment)
        _again(history, submission, organization, answer)


def _unproved(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    """An Update goes out again; a New of an OID that is there would only be refused."""
    if submission.event == Event.NEW:
        settle.needs_person(history, submission, UNCHANGED)
    else:
        _again(history, submission, organization, answer)


def _again(history: audit.History, submission: Submission, organization: Organization, answer: Answer) -> None:
    """The very same bytes once more; their answer decides."""
    if submission.only_ask:
        settle.needs_person(history, submission, PUT_BACK)
    elif submission.tries + 1 >= settle.MOST_TRIES:
        settle.needs_person(history, submission, f"{settle.MOST_TRIES} tries brought no clear answer.")
    else:
        settle.send_again(history, submission, reason="What became of the last attempt could not be proved.")


_FOUND = {
    Finding.SHOWN: _shown,
    Finding.CONFIRMED: _confirmed,
    Finding.OTHER: _other,
    Finding.ABSENT: _absent,
    Finding.UNPROVED: _unproved,
}
