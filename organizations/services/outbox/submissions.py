"""From a review to the outbox: submit and cancel. The message is stored here before anything is sent."""

import datetime
import hashlib
from collections.abc import Collection, Iterable, Sequence

from django.conf import settings
from django.db import IntegrityError
from django.db import connection as database
from django.db.models import F, QuerySet

from organizations.knowledge import in_form
from organizations.models import (
    Action,
    AuditEntry,
    Environment,
    Event,
    Intent,
    Organization,
    Plan,
    State,
    Submission,
    clock,
)
from organizations.models.submission import MOVES
from organizations.records import Difference, canonical, difference, from_canonical
from organizations.redox import messages, strict_json
from organizations.services import failpoints, locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.errors import ActionRefused, AlreadySent, OutOfDate, ReasonMissing, WarningsOpen
from organizations.services.locks import LockedSubmissions
from organizations.services.records import organizations
from organizations.services.review import first_messages, reviews
from organizations.services.review.reviews import Review
from organizations.services.review.warnings import ReviewWarning


def submit_record(
    organization_id: int,
    *,
    sha256: str,
    shown_submission: int,
    reason: str,
    ticked: frozenset[str] = frozenset(),
    intent: Intent | None = None,
    actor: Actor,
) -> Submission:
    """Store a reviewed message for sending.

    `sha256` is the hash of the reviewed bytes. `shown_submission` is the id of the record's last submission when the
    page was made (0: none). `ticked` holds the keys of the accepted warnings.

    Raises:
        AlreadySent: this review was submitted before.
        OutOfDate: the message is not the reviewed one any more.
        WarningsOpen: warnings are not ticked.
        ReasonMissing: this message needs a reason.
        ActionRefused: the record is blocked.
    """
    try:
        with audit.atomic(actor) as history:
            locks.lock_structure_of_record(organization_id)
            lock_records_with_parents([organization_id])
            organization = organizations.lock_record(organization_id)
            _check_not_sent_before(organization, sha256, shown_submission)
            review = reviews.review(organization, actor=actor, intent=intent)
            _check(review, sha256, ticked, reason)
            submission = store_submission(history, review, reason=reason)
            failpoints.reach("in-submitting")
    except IntegrityError as error:
        raise OutOfDate("Somebody else submitted this record a moment ago. This page submitted nothing.") from error
    failpoints.reach("after-submitting")
    return submission


def store_submission(
    history: audit.History,
    review: Review,
    *,
    reason: str,
    plan: Plan | None = None,
    waits_for: Iterable[Submission] = (),
) -> Submission:
    """Put the checked review of a locked record into the outbox. Those in `waits_for` must be accepted first.

    Raises:
        ActionRefused: the actor is not a person.
    """
    submission = _create_submission(review, reason, history.actor, plan)
    submission.waits_for.add(*waits_for, *filter(None, (review.waits_for, review.first_message.waits_for)))
    if review.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        _set_wanted_active(history, review, submission)
    review.organization.last_submission = submission
    review.organization.save(update_fields=["last_submission", *submission.mirror_on(review.organization)])
    _log_made(history, review, submission)
    return submission


def cancel_submission(submission_id: int, *, actor: Actor, reason: str = "") -> Submission:
    """Cancel a submission that was never attempted.

    Raises:
        ActionRefused: an attempt was made, or the submission has ended.
    """
    with audit.atomic(actor) as history:
        locked = lock_structure_and_followers(submission_id)
        submission = locked.by_id[submission_id]
        if submission.state == State.CANCELLED:
            raise ActionRefused(f"Submission {submission.pk} was cancelled already.")
        if not submission.can_be_cancelled:
            raise ActionRefused("You cannot cancel this any more, because it may have been sent.")
        cancel_locked(history, submission, locked, reason=reason)
    return submission


def lock_structure_and_followers(submission_id: int) -> LockedSubmissions:
    """Lock the structure, a submission, and every submission that its cancellation would cancel."""
    locks.lock_structure(Submission.objects.values_list("environment", flat=True).get(pk=submission_id))
    return locks.lock_with_followers(lambda: [submission_id])


def lock_records_with_parents(organization_ids: Collection[int]) -> None:
    """Lock records to be sent, and the parents that their submissions may wait for.

    So either a parent's rejection finds the submissions that wait for it, or the review finds the parent rejected. The
    same is true of the first message to a record that was registered outside the portal.
    """
    locks.lock_records(lambda: _ids_with_parents(organization_ids) | _ids_of_firsts(organization_ids))


def _ids_of_firsts(organization_ids: Collection[int]) -> set[int]:
    """The record of the first open message that a submission of these records may wait for."""
    environments = Organization.objects.filter(pk__in=organization_ids).values_list("environment", flat=True).distinct()
    firsts = map(first_messages.first_open, environments)
    return {first.organization_id for first in firsts if first is not None}


def _ids_with_parents(organization_ids: Collection[int]) -> set[int]:
    rows = Organization.objects.filter(pk__in=organization_ids)
    environments_and_parents = rows.values_list("environment", "part_of_oid", "confirmed_part_of_oid")
    oids = {oid for _, *parents in environments_and_parents for oid in parents}
    # A message made from the record that was taken from the directory may name a third parent.
    taken_records = rows.exclude(taken="").values_list("taken", flat=True)
    oids |= {from_canonical(text).part_of_oid for text in taken_records}
    environments = {environment for environment, *_ in environments_and_parents}
    parents = Organization.objects.filter(environment__in=environments, oid__in=oids)
    return {*organization_ids, *parents.values_list("pk", flat=True)}


def cancel_locked(history: audit.History, submission: Submission, locked: LockedSubmissions, *, reason: str) -> None:
    """Cancel a locked submission and all that wait for it, and return the wanted Active."""
    by = history.actor.name if history.actor.person else ""
    move_submission(submission, State.CANCELLED, state_reason=reason, cancelled_by=by, ended_at=clock.now())
    history.log_submission(Action.SUBMISSION_CANCELLED, submission, reason=reason)
    return_wanted_active(history, submission)
    cancel_followers(
        history, submission, locked, f"Submission {submission.pk}, which this one waited for, was cancelled."
    )


def cancel_followers(history: audit.History, submission: Submission, locked: LockedSubmissions, reason: str) -> None:
    """Cancel the submissions that wait for one that will never be accepted."""
    for follower in locked.followers_of(submission):
        cancel_locked(history, follower, locked, reason=reason)


def return_wanted_active(history: audit.History, submission: Submission) -> None:
    """After a deactivation or reactivation that will not happen, set the wanted Active to the confirmed one.

    The caller has locked the record.
    """
    if submission.intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
        return
    organization = submission.organization
    before = organization.confirmed_active
    organizations.set_wanted_active(organization, submission.intent == Intent.DEACTIVATE if before is None else before)
    history.log_record(Action.ORGANIZATION_ACTIVE_RETURNED, organization, submission=submission)


def lock_claimable(due: QuerySet[Submission], most: int) -> list[Submission]:
    """Lock the first submissions of `due` together with their records. Skips those that another transaction locked."""
    candidates = due.select_related("organization")
    if database.features.has_select_for_update_skip_locked:
        candidates = candidates.select_for_update(skip_locked=True, of=("self", "organization"))
    return list(candidates[:most])


def move_submission(submission: Submission, state: State, **changes: object) -> None:
    """Change the state by compare-and-set on id, state and lease token, and mirror it on the record.

    Only this and `move_to_sending` change a state. The caller has locked the record.

    Raises:
        OutOfDate: another process moved the submission first; nothing was changed.
        ValueError: this change of state is not possible.
    """
    if state not in MOVES[submission.state]:
        raise ValueError(f"a submission cannot change from {submission.state} to {state}")
    since = submission.state_at if state == submission.state else clock.now()
    values = {"state": state, "state_at": since} | changes
    unmoved = Submission.objects.filter(pk=submission.pk, state=submission.state, token=submission.token)
    if unmoved.update(**values) != 1:
        raise OutOfDate(f"Submission {submission.pk} was moved by another process.")
    for name, value in values.items():
        setattr(submission, name, value)
    # The loaded record too: it may be saved as a whole later in this transaction.
    mirrored = submission.mirror_on(submission.organization)
    record = Organization.objects.filter(pk=submission.organization_id, last_submission=submission)
    record.update(**{name: getattr(submission.organization, name) for name in mirrored})


def move_to_sending(claimed: Sequence[Submission], moment: datetime.datetime, **changes: object) -> None:
    """Move locked, queued submissions to SENDING in one statement, each with its next attempt and lease token.

    The caller has locked their records too.

    Raises:
        OutOfDate: another process moved one of them first; nothing was changed.
    """
    values = {"state": State.SENDING, "state_at": moment, "sent_at": moment, "not_before": None, "state_reason": ""}
    values |= changes
    ids = [submission.pk for submission in claimed]
    queued = Submission.objects.filter(pk__in=ids, state=State.QUEUED)
    if queued.update(attempt=F("attempt") + 1, token=F("token") + 1, **values) != len(ids):
        raise OutOfDate("One of these submissions was moved by another process.")
    for submission in claimed:
        submission.attempt, submission.token = submission.attempt + 1, submission.token + 1
        for name, value in values.items():
            setattr(submission, name, value)
        submission.mirror_on(submission.organization)
    # The wanted hash of a submission does not change here.
    Organization.objects.filter(last_submission__in=ids).update(last_state=State.SENDING, last_state_at=moment)


def _check_not_sent_before(organization: Organization, sha256: str, shown_submission: int) -> None:
    last = organization.last_submission
    if last is not None and last.pk != shown_submission:
        if last.message_sha256 == sha256:
            raise AlreadySent(last)
        raise OutOfDate(f"Submission {last.pk} of this record was made since. This page submitted nothing.")


def _check(review: Review, sha256: str, ticked: frozenset[str], reason: str) -> None:
    if review.blockers:
        raise ActionRefused(" ".join(blocker.sentence for blocker in review.blockers))
    if review.sha256 != sha256:
        raise OutOfDate("The record was saved after this page was made. Nothing was sent. Here is the new review.")
    open_keys = tuple(warning_key(warning) for warning in review.open_warnings)
    missing = tuple(key for key in open_keys if key not in ticked)
    if missing:
        raise WarningsOpen(missing)
    if review.needs_reason and not reason.strip():
        raise ReasonMissing("Enter a reason.")


def warning_key(warning: ReviewWarning) -> str:
    """The key of a warning in a form. It depends on the value, so accepting one value does not accept another."""
    return f"{warning.key}-{hashlib.sha256(warning.value.encode()).hexdigest()[:12]}"


def _create_submission(review: Review, reason: str, actor: Actor, plan: Plan | None) -> Submission:
    if actor.person is None:
        raise ActionRefused("Only a person can send.")
    organization = review.organization
    moment = clock.now()
    return Submission.objects.create(
        organization=organization,
        plan=plan,
        environment=organization.environment,
        oid=organization.oid,
        part_of_oid=review.record.part_of_oid,
        event=review.event,
        intent=review.intent,
        message=review.message,
        message_sha256=review.sha256,
        record_version=organization.version,
        before=canonical(review.before) if review.before else "",
        reason=reason,
        warnings=[each.to_json() for each in review.warnings],
        authors=_authors(organization, actor),
        submitter=actor.person,
        state=State.QUEUED,
        state_at=moment,
        created_at=moment,
    )


def _authors(organization: Organization, actor: Actor) -> list[int]:
    """Ids of everyone who edited the record since it was last confirmed, and of the submitter. None may approve."""
    edits = AuditEntry.objects.edits_since(organization.pk, organization.confirmed_version)
    people = {*edits.values_list("actor_id", flat=True), actor.id}
    return sorted(each for each in people if each is not None)


def _set_wanted_active(history: audit.History, review: Review, submission: Submission) -> None:
    organizations.set_wanted_active(review.organization, review.record.active)
    action = (
        Action.ORGANIZATION_REACTIVATION_WANTED if review.record.active else Action.ORGANIZATION_DEACTIVATION_WANTED
    )
    history.log_record(action, review.organization, submission=submission, reason=submission.reason)


def _log_made(history: audit.History, review: Review, submission: Submission) -> None:
    history.log_submission(
        Action.SUBMISSION_MADE,
        submission,
        raw=review.message,
        version=review.organization.version,
        reason=submission.reason,
        changes=[audit.change_facts(change.difference) for change in (*review.changes, *review.overwrites)],
        record=review.record.to_json(),
        warnings=submission.warnings,
        plan=submission.plan_id,
        details={"approval": _approval(submission.environment)},
    )


def _approval(environment: str) -> str:
    """Why nobody had to approve, with the setting in force. Stored for auditors."""
    if environment == Environment.STAGING:
        return "No approval was required (STAGING)."
    four_eyes = "true" if settings.PRODUCTION_FOUR_EYES else "false"
    because = "approvers send themselves in this release"
    return f"No approval was required: {because}; PRODUCTION_FOUR_EYES was {four_eyes}."


def sent_changes(submission: Submission) -> tuple[Difference, ...]:
    """The changes in a submission, from its own bytes and the record that the review compared with.

    Empty if the message cannot be read: then it was not sent, and its state says why.
    """
    before = from_canonical(submission.before) if submission.before and submission.event == Event.UPDATE else None
    try:
        return in_form(difference(before, messages.record_from_message(bytes(submission.message))))
    except strict_json.AnswerNotUnderstood:
        return ()
