"""Bulk sending: make a plan in one transaction, pause it, resume it, stop it."""

from collections.abc import Collection, Iterable

from django.db import IntegrityError
from django.db import connection as database

from organizations.models import (
    Action,
    Event,
    Organization,
    Plan,
    PlanState,
    State,
    Submission,
    clock,
    tree,
)
from organizations.services import locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker
from organizations.services.errors import ActionRefused, NumberMissing, OutOfDate, PlanMade, ReasonMissing, WarningsOpen
from organizations.services.outbox import submissions
from organizations.services.review.plan_draft import ChosenRecords, PlanDraft, draft_plan
from organizations.services.review.reviews import Review

MOST_ALIKE = 3
LONGEST_QUOTE = 200

_FAILED = (State.REJECTED, State.NEEDS_PERSON)
_CHANGED = "A record was changed or sent after this page was made. Nothing was sent. Here is the new plan."


def make_plan(
    chosen: ChosenRecords,
    *,
    sha256: str,
    ticked: frozenset[str] = frozenset(),
    reason: str = "",
    typed: str = "",
    actor: Actor,
) -> Plan:
    """Store the submissions of all records that were reviewed together. `sha256` is the hash of the reviewed draft.

    `ticked` holds the keys of the accepted warnings, `typed` the number of records as the person typed it.

    Raises:
        PlanMade: this plan was made before.
        OutOfDate: the draft is not the reviewed one any more.
        WarningsOpen, ReasonMissing, NumberMissing: the person has not given this yet.
        ActionRefused: a record is blocked, or the actor is not a person.
    """
    try:
        with audit.atomic(actor) as history:
            locks.lock_structure(chosen.environment)
            rows = Organization.objects.in_environment(chosen.environment).filter(pk__in=chosen.ids)
            # Locked by a separate statement, so that the next statements read nothing older than the locked records.
            submissions.lock_records_with_parents(set(rows.values_list("pk", flat=True)))
            earlier = Plan.objects.filter(sha256=sha256).first()
            if earlier is not None:
                raise PlanMade(earlier)
            plan_draft = draft_plan(chosen, actor=actor)
            _check(plan_draft, sha256, ticked, reason, typed)
            plan = _create_plan(plan_draft, reason, actor)
            plan_submissions = _store_submissions(history, plan_draft, plan)
            _check_no_circle(plan_draft)
            _log_plan(history, Action.PLAN_MADE, plan, reason=reason, **_plan_details(plan_draft, plan_submissions))
    except IntegrityError as error:
        raise OutOfDate(_CHANGED) from error
    return plan


def pause_plan(plan_id: int, *, actor: Actor) -> Plan:
    """Keep the waiting submissions of a plan in the queue until somebody resumes it.

    Raises:
        ActionRefused: the plan is paused, stopped or finished.
    """
    with audit.atomic(actor) as history:
        plan = _lock_plan(plan_id)
        if plan.state != PlanState.GOING or not is_open(plan):
            raise ActionRefused(f"Plan {plan.pk} is paused, stopped or finished already. Nothing was changed.")
        sending = _being_sent(plan, "message")
        _set_state(plan, PlanState.PAUSED, f"{actor.name} paused it{f' while {sending}' if sending else ''}")
        _log_plan(history, Action.PLAN_PAUSED, plan)
    return plan


def resume_plan(plan_id: int, *, actor: Actor) -> Plan:
    """Resume a paused plan.

    Raises:
        ActionRefused: the plan is not paused.
    """
    with audit.atomic(actor) as history:
        plan = _lock_plan(plan_id)
        if plan.state != PlanState.PAUSED:
            raise ActionRefused(f"Plan {plan.pk} is not paused. Nothing was changed.")
        cause = plan.state_reason
        _set_state(plan, PlanState.GOING, "")
        _log_plan(history, Action.PLAN_RESUMED, plan, reason=cause)
    return plan


def stop_plan(plan_id: int, *, actor: Actor) -> Plan:
    """Stop a plan for good. Submissions that were certainly not sent are cancelled; the others continue to their end.

    Raises:
        ActionRefused: the plan is stopped or finished.
    """
    with audit.atomic(actor) as history:
        plan = _lock_plan(plan_id)
        if plan.state == PlanState.STOPPED or not is_open(plan):
            raise ActionRefused(f"Plan {plan.pk} is stopped or finished already. Nothing was changed.")
        _set_state(plan, PlanState.STOPPED, f"{actor.name} stopped it")
        cancelled = _cancel_waiting(history, plan)
        _log_plan(history, Action.PLAN_STOPPED, plan, cancelled=cancelled)
    return plan


def lock_plans(plan_ids: Iterable[int]) -> dict[int, Plan]:
    """Lock plans for `pause_if_failing`, in the order of their ids. Returns them by id."""
    ids = set(plan_ids)
    if not ids:
        return {}
    rows = Plan.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    return {plan.pk: plan for plan in rows}


def lock_plans_to_claim(plan_ids: Collection[int]) -> set[int]:
    """Lock the plans whose New messages a worker claims, so that two workers do not claim too many. Returns their ids.

    Never waits: a plan that another transaction has locked is left out.
    """
    if not plan_ids or not database.features.has_select_for_update_skip_locked:
        return set(plan_ids)
    rows = Plan.objects.filter(pk__in=plan_ids).select_for_update(skip_locked=True, no_key=True)
    return set(rows.values_list("pk", flat=True))


def pause_if_failing(history: audit.History, submission: Submission, plan: Plan | None) -> None:
    """Pause the locked plan of a submission that was just settled, if its next submissions would probably fail too."""
    if plan is None or plan.state != PlanState.GOING:
        return
    reason = _pause_reason(plan, submission)
    if reason:
        sending = _being_sent(plan, "other message")
        reason += f"; {sending} at that moment" if sending else ""
        _set_state(plan, PlanState.PAUSED, reason)
        _log_plan(history, Action.PLAN_PAUSED, plan, reason=reason, by_itself=True)


def _being_sent(plan: Plan, noun: str) -> str:
    """How many messages of a plan a pause cannot stop any more: "3 messages were being sent"; "" if none."""
    count = plan.submissions.filter(state=State.SENDING).count()
    return f"{count} {noun}{' was' if count == 1 else 's were'} being sent" if count else ""


def is_open(plan: Plan) -> bool:
    """Whether a submission of the plan is still open."""
    return Submission.objects.open().filter(plan=plan).exists()


def _pause_reason(plan: Plan, submission: Submission) -> str:
    if submission.event == Event.NEW and submission.state == State.UNKNOWN:
        return f"the outcome of submission {submission.pk}, the New of {submission.organization.name}, is unknown"
    if submission.state not in _FAILED:
        return ""
    same_answer = {"known_answer": submission.known_answer}
    if not submission.known_answer:
        same_answer["detail"] = submission.detail
    count = plan.submissions.filter(state__in=_FAILED, state_at__gte=plan.state_at, **same_answer).count()
    if count < MOST_ALIKE:
        return ""
    return f'{count} submissions had the same answer: "{submission.detail[:LONGEST_QUOTE]}"'


def _check(plan_draft: PlanDraft, sha256: str, ticked: frozenset[str], reason: str, typed: str) -> None:
    if not plan_draft.size:
        raise ActionRefused("None of these records can be sent.")
    if plan_draft.sha256 != sha256:
        raise OutOfDate(_CHANGED)
    missing = tuple(question.key for question in plan_draft.questions if question.key not in ticked)
    if missing:
        raise WarningsOpen(missing)
    if plan_draft.needs_reason and not reason.strip():
        raise ReasonMissing("Enter a reason.")
    if plan_draft.number_to_type and typed.strip() != str(plan_draft.number_to_type):
        raise NumberMissing(f"This is not the number. Type the number of records: {plan_draft.number_to_type}.")


def _create_plan(plan_draft: PlanDraft, reason: str, actor: Actor) -> Plan:
    if actor.person is None:
        raise ActionRefused("Only a person can send.")
    moment = clock.now()
    return Plan.objects.create(
        environment=plan_draft.environment,
        kind=plan_draft.kind,
        sha256=plan_draft.sha256,
        reason=reason,
        made_by=actor.person,
        made_at=moment,
        state_at=moment,
    )


def _store_submissions(history: audit.History, plan_draft: PlanDraft, plan: Plan) -> list[Submission]:
    """Store the submissions in the order of the plan: a submission comes after those that it waits for."""
    by_oid: dict[str, Submission] = {}
    children: dict[str, list[Submission]] = {}
    for review in plan_draft.reviews:
        organization = review.organization
        nearest = children.get(organization.oid, []) if plan_draft.deactivation_count else _new_parent(review, by_oid)
        submission = submissions.store_submission(
            history, review, reason=plan.reason, plan=plan, waits_for=[*nearest, *_first(review, plan_draft, by_oid)]
        )
        by_oid[organization.oid] = submission
        for oid in {organization.part_of_oid, organization.confirmed_part_of_oid, organization.shown_part_of_oid}:
            children.setdefault(oid, []).append(submission)
    return list(by_oid.values())


def _first(review: Review, plan_draft: PlanDraft, by_oid: dict[str, Submission]) -> list[Submission]:
    """The first message to a record registered outside the portal, if this one waits for it."""
    first = plan_draft.first
    waits = review.first_message.is_unproved and first is not None and first.organization != review.organization
    return [by_oid[first.organization.oid]] if waits and first is not None else []


def _new_parent(review: Review, by_oid: dict[str, Submission]) -> list[Submission]:
    parent = by_oid.get(review.record.part_of_oid)
    return [parent] if parent is not None and parent.event == Event.NEW else []


def _check_no_circle(plan_draft: PlanDraft) -> None:
    """Check for circles again now that all submissions are open: the reviews could not take them into account."""
    for review in plan_draft.reviews:
        oid, part_of_oid = review.organization.oid, review.record.part_of_oid
        if tree.would_circle_in_directory(plan_draft.environment, oid, part_of_oid):
            name = review.organization.name
            raise ActionRefused(
                f"While these are sent, {name} would be part of itself. First send the record that it moves below."
            )


def _plan_details(plan_draft: PlanDraft, plan_submissions: list[Submission]) -> dict[str, object]:
    return {
        "news": plan_draft.new_count,
        "updates": plan_draft.update_count,
        "deactivated": plan_draft.deactivation_count,
        "submissions": [submission.pk for submission in plan_submissions],
        "warnings": [question.text for question in plan_draft.questions],
    }


def _cancel_waiting(history: audit.History, plan: Plan) -> int:
    """Cancel the submissions that were certainly not sent. Returns how many.

    The last is cancelled first. Otherwise a cancelled submission would cancel its followers with another reason.
    """
    waiting = plan.submissions.filter(state__in=(State.AWAITING, State.QUEUED), may_have_been_sent=False)
    locked = locks.lock_with_followers(lambda: waiting.values_list("pk", flat=True))
    cancelled = 0
    for submission in sorted(locked.by_id.values(), key=lambda each: -each.pk):
        if submission.plan_id == plan.pk and submission.can_be_cancelled:
            submissions.cancel_locked(history, submission, locked, reason=stop_sentence(plan))
            cancelled += 1
    return cancelled


def stop_sentence(plan: Plan) -> str:
    """The reason of a submission that a stop of its plan cancels."""
    return f"Plan {plan.pk} was stopped."


def _lock_plan(plan_id: int) -> Plan:
    """Lock a plan for a person's action, after the locks that come before it in the order of `locks.py`."""
    environment = Plan.objects.values_list("environment", flat=True).get(pk=plan_id)
    locks.lock_structure(environment)
    breaker.lock_gate(environment)
    return Plan.objects.select_for_update(of=("self",)).get(pk=plan_id)


def _set_state(plan: Plan, state: PlanState, reason: str) -> None:
    plan.state, plan.state_reason, plan.state_at = state, reason, clock.now()
    plan.save(update_fields=["state", "state_reason", "state_at"])


def _log_plan(history: audit.History, action: Action, plan: Plan, *, reason: str = "", **details: object) -> None:
    history.log(
        action,
        object={"type": "plan", "id": str(plan.pk), "name": f"plan {plan.pk}"},
        environment=plan.environment,
        plan=plan.pk,
        reason=reason,
        details=details,
    )
