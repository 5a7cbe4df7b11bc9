"""From a review to the outbox: submit and cancel. What is sent is stored here, before anything leaves."""

import hashlib
from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import IntegrityError

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
from organizations.redox import messages, reading
from organizations.services import failpoints, locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.errors import ActionRefused, AlreadySent, OutOfDate, ReasonMissing, WarningsOpen
from organizations.services.locks import LockedSubmissions
from organizations.services.records import organizations
from organizations.services.review import reviews
from organizations.services.review.reviews import Review
from organizations.services.review.warnings import ReviewWarning


def submit(
    organization_id: int,
    *,
    sha256: str,
    seen_submission: int,
    reason: str,
    ticked: frozenset[str] = frozenset(),
    intent: Intent | None = None,
    actor: Actor,
) -> Submission:
    """Store a reviewed message for sending.

    `sha256` names the bytes that were reviewed; `seen_submission` is the record's last submission when the page was
    made (0: none).

    Raises:
        AlreadySent: these bytes went out from this very review before.
        OutOfDate: what would be sent now is not what was reviewed.
        WarningsOpen: warnings are not ticked.
        ReasonMissing: this message needs a reason.
        NotDone: something is in the way.
    """
    try:
        with audit.recorded(actor) as history:
            locks.lock_structure_of_record(organization_id)
            lock_with_parents([organization_id])
            organization = organizations.locked(organization_id)
            _check_not_sent_before(organization, sha256, seen_submission)
            made = reviews.review(organization, actor=actor, intent=intent)
            _check(made, sha256, ticked, reason)
            submission = store(history, made, reason=reason)
            failpoints.reach("in-submitting")
    except IntegrityError as error:
        raise OutOfDate("Somebody else sent this record a moment ago. Nothing was sent by this page.") from error
    failpoints.reach("after-submitting")
    return submission


def store(
    history: audit.History,
    made: Review,
    *,
    reason: str,
    plan: Plan | None = None,
    after: Iterable[Submission] = (),
) -> Submission:
    """Put the checked review of a locked record into the outbox; of a plan `after` those that must be accepted first.

    Raises:
        NotDone: no person does it.
    """
    submission = _row(made, reason, history.actor, plan)
    submission.after.add(*after, *([made.waits_for] if made.waits_for else ()))
    if made.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        _want_active(history, made, submission)
    _point_at(made.organization, submission)
    _note_made(history, made, submission)
    return submission


def cancel(submission_id: int, *, actor: Actor, reason: str = "") -> Submission:
    """Take back a submission of which no attempt was made.

    Raises:
        NotDone: an attempt was made, or it is at its end.
    """
    with audit.recorded(actor) as history:
        locked = lock_to_end(submission_id)
        submission = locked.by_id[submission_id]
        if submission.state == State.CANCELLED:
            raise ActionRefused(f"Submission {submission.pk} was cancelled already.")
        if not submission.can_be_cancelled:
            raise ActionRefused(
                "An attempt was made, so nobody can know that nothing was sent. It cannot be cancelled any more."
            )
        end_without_sending(history, submission, locked, reason=reason)
    return submission


def lock_to_end(submission_id: int) -> LockedSubmissions:
    """Lock the structure, a submission, and everything that its end would cancel."""
    locks.lock_structure(Submission.objects.values_list("environment", flat=True).get(pk=submission_id))
    return locks.lock_with_followers(lambda: [submission_id])


def lock_with_parents(organization_ids: Collection[int]) -> None:
    """Lock records that are to be sent, and the parents that their submissions may wait for.

    A parent's rejection then finds what waits for it, or the review finds the parent rejected.
    """
    locks.lock_records(lambda: _with_parents(organization_ids))


def _with_parents(organization_ids: Collection[int]) -> set[int]:
    rows = Organization.objects.filter(pk__in=organization_ids)
    named = rows.values_list("environment", "part_of_oid", "confirmed_part_of_oid")
    oids = {oid for _, *both in named for oid in both}
    # A message made from what was taken from the directory may name a third parent.
    taken = rows.exclude(taken="").values_list("taken", flat=True)
    oids |= {from_canonical(text).part_of_oid for text in taken}
    environments = {environment for environment, *_ in named}
    parents = Organization.objects.filter(environment__in=environments, oid__in=oids)
    return {*organization_ids, *parents.values_list("pk", flat=True)}


def end_without_sending(
    history: audit.History, submission: Submission, locked: LockedSubmissions, *, reason: str
) -> None:
    """Cancel a locked submission, give the wanted Active back, and cancel what waits for it."""
    by = history.actor.name if history.actor.person else ""
    move(submission, State.CANCELLED, state_reason=reason, cancelled_by=by, ended_at=clock.now())
    history.submission(Action.SUBMISSION_CANCELLED, submission, reason=reason)
    return_active(history, submission)
    cancel_followers(
        history, submission, locked, f"Submission {submission.pk}, which this one waited for, was cancelled."
    )


def cancel_followers(history: audit.History, submission: Submission, locked: LockedSubmissions, reason: str) -> None:
    """What waited for a submission that will never be accepted is cancelled, with that reason."""
    for follower in locked.followers_of(submission):
        end_without_sending(history, follower, locked, reason=reason)


def return_active(history: audit.History, submission: Submission) -> None:
    """When a deactivation or reactivation will not happen, the wanted Active is again what was accepted or taken.

    The submission's record is locked already.
    """
    if submission.intent not in (Intent.DEACTIVATE, Intent.REACTIVATE):
        return
    organization = submission.organization
    before = organization.confirmed_active
    organizations.set_wanted_active(organization, submission.intent == Intent.DEACTIVATE if before is None else before)
    history.organization(Action.ORGANIZATION_ACTIVE_RETURNED, organization, submission=submission)


def move(submission: Submission, state: State, **changes: object) -> None:
    """The only way a state changes: compare-and-set on id, state and lease token.

    Raises:
        OutOfDate: another process moved it first; nothing was changed.
        ValueError: there is no such move.
    """
    if state not in MOVES[submission.state]:
        raise ValueError(f"a submission does not go from {submission.state} to {state}")
    since = submission.state_at if state == submission.state else clock.now()
    values = {"state": state, "state_at": since} | changes
    found = Submission.objects.filter(pk=submission.pk, state=submission.state, token=submission.token)
    if found.update(**values) != 1:
        raise OutOfDate(f"Submission {submission.pk} was moved by somebody else.")
    for name, value in values.items():
        setattr(submission, name, value)


def _check_not_sent_before(organization: Organization, sha256: str, seen_submission: int) -> None:
    last = organization.last_submission
    if last is not None and last.pk != seen_submission:
        if last.message_sha256 == sha256:
            raise AlreadySent(last)
        raise OutOfDate(f"Submission {last.pk} of this record was made meanwhile. Nothing was sent by this page.")


def _check(made: Review, sha256: str, ticked: frozenset[str], reason: str) -> None:
    if made.blockers:
        raise ActionRefused(" ".join(blocker.sentence for blocker in made.blockers))
    if made.sha256 != sha256:
        raise OutOfDate("The record was saved after this page was made. Nothing was sent. Here is the new review.")
    open_keys = tuple(warning_key(warning) for warning in made.open_warnings)
    missing = tuple(key for key in open_keys if key not in ticked)
    if missing:
        raise WarningsOpen(missing)
    if made.needs_reason and not reason.strip():
        raise ReasonMissing("Enter a reason.")


def warning_key(warning: ReviewWarning) -> str:
    """Names one warning with its value in a form: a tick for one value is no tick for another."""
    return f"{warning.key}-{hashlib.sha256(warning.value.encode()).hexdigest()[:12]}"


def _row(made: Review, reason: str, actor: Actor, plan: Plan | None) -> Submission:
    if actor.person is None:
        raise ActionRefused("Only a person sends.")
    organization = made.organization
    moment = clock.now()
    return Submission.objects.create(
        organization=organization,
        plan=plan,
        environment=organization.environment,
        oid=organization.oid,
        part_of_oid=made.record.part_of_oid,
        event=made.event,
        intent=made.intent,
        message=made.message,
        message_sha256=made.sha256,
        record_version=organization.version,
        before=canonical(made.before) if made.before else "",
        reason=reason,
        warnings=[each.to_json() for each in made.warnings],
        authors=_authors(organization, actor),
        submitter=actor.person,
        state=State.QUEUED,
        state_at=moment,
        created_at=moment,
    )


def _authors(organization: Organization, actor: Actor) -> list[int]:
    """Everyone who edited the record since it was last confirmed, and the submitter: none of them may approve."""
    edits = AuditEntry.objects.edits_since(organization.pk, organization.confirmed_version)
    people = set(edits.exclude(actor_id=None).values_list("actor_id", flat=True))
    return sorted(each for each in people | {actor.id} if each is not None)


def _want_active(history: audit.History, made: Review, submission: Submission) -> None:
    organizations.set_wanted_active(made.organization, made.record.active)
    action = Action.ORGANIZATION_REACTIVATION_WANTED if made.record.active else Action.ORGANIZATION_DEACTIVATION_WANTED
    history.organization(action, made.organization, submission=submission, reason=submission.reason)


def _point_at(organization: Organization, submission: Submission) -> None:
    organization.last_submission = submission
    organization.save(update_fields=["last_submission"])


def _note_made(history: audit.History, made: Review, submission: Submission) -> None:
    history.submission(
        Action.SUBMISSION_MADE,
        submission,
        raw=made.message,
        version=made.organization.version,
        reason=submission.reason,
        changes=[_change(change) for change in (*made.changes, *made.overwrites)],
        record=made.record.to_json(),
        warnings=submission.warnings,
        plan=submission.plan_id,
        details={"approval": _approval(submission.environment)},
    )


def _approval(environment: str) -> str:
    """Why nobody had to approve, with the setting in force: an auditor asks years later."""
    if environment == Environment.STAGING:
        return "No approval was required (STAGING)."
    four_eyes = "true" if settings.PRODUCTION_FOUR_EYES else "false"
    because = "approvers send themselves in this release"
    return f"No approval was required: {because}; PRODUCTION_FOUR_EYES was {four_eyes}."


def _change(change: reviews.ReviewChange) -> dict[str, str]:
    found = change.difference
    return {"field": found.field, "label": found.label, "before": found.before, "after": found.after}


def what_it_changed(submission: Submission) -> tuple[Difference, ...]:
    """The differences that a submission carried, from its own bytes and what the review compared with.

    Empty where the message cannot be read: such a one was not sent, and its state says why.
    """
    before = from_canonical(submission.before) if submission.before and submission.event == Event.UPDATE else None
    try:
        return in_form(difference(before, messages.record_from_message(bytes(submission.message))))
    except reading.AnswerNotUnderstood:
        return ()
