"""Bulk sending: a plan is made in one transaction, held, let go and stopped; what it holds stays in the database."""

from django.db import IntegrityError

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
from organizations.redox.outcome import Kind, Outcome
from organizations.services import locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker
from organizations.services.errors import ActionRefused, NumberMissing, OutOfDate, PlanMade, ReasonMissing, WarningsOpen
from organizations.services.outbox import submissions
from organizations.services.review.plan_draft import ChosenRecords, PlanDraft, draft
from organizations.services.review.reviews import Review

MOST_ALIKE = 3
LONGEST_QUOTE = 200

_FAILED = (State.REJECTED, State.NEEDS_PERSON)
_CHANGED = "A record was changed or sent after this page was made. Nothing was sent. Here is the new plan."


def make(
    chosen: ChosenRecords,
    *,
    sha256: str,
    ticked: frozenset[str] = frozenset(),
    reason: str = "",
    typed: str = "",
    actor: Actor,
) -> Plan:
    """Store all that was reviewed together for sending. `sha256` is that of the draft which the page showed.

    Raises:
        PlanMade: this very plan was made before.
        OutOfDate: what would be sent now is not what was reviewed.
        WarningsOpen, ReasonMissing, NumberMissing: something is still to be said.
        NotDone: something is in the way.
    """
    try:
        with audit.recorded(actor) as history:
            locks.lock_structure(chosen.environment)
            rows = Organization.objects.in_environment(chosen.environment).filter(pk__in=chosen.ids)
            # Locked by a statement of their own: what the next one reads beside them is then as new as they are.
            submissions.lock_with_parents(set(rows.values_list("pk", flat=True)))
            earlier = Plan.objects.filter(sha256=sha256).first()
            if earlier is not None:
                raise PlanMade(earlier)
            drawn = draft(chosen, actor=actor)
            _check(drawn, sha256, ticked, reason, typed)
            plan = _row(drawn, reason, actor)
            stored = _store(history, drawn, plan)
            _check_no_circle(drawn)
            _note(history, Action.PLAN_MADE, plan, reason=reason, **_counted(drawn, stored))
    except IntegrityError as error:
        raise OutOfDate(_CHANGED) from error
    return plan


def pause(plan_id: int, *, actor: Actor) -> Plan:
    """Hold everything of a plan that waits, until somebody lets it go on.

    Raises:
        NotDone: it is not going, or finished.
    """
    with audit.recorded(actor) as history:
        plan = _locked(plan_id)
        if plan.state != PlanState.GOING or not is_open(plan):
            raise ActionRefused(f"Plan {plan.pk} is not going any more. Nothing was changed.")
        _set(plan, PlanState.PAUSED, f"{actor.name} paused it")
        _note(history, Action.PLAN_PAUSED, plan)
    return plan


def go_on(plan_id: int, *, actor: Actor) -> Plan:
    """Let a paused plan go on.

    Raises:
        NotDone: it is not paused.
    """
    with audit.recorded(actor) as history:
        plan = _locked(plan_id)
        if plan.state != PlanState.PAUSED:
            raise ActionRefused(f"Plan {plan.pk} is not paused. Nothing was changed.")
        cause = plan.state_reason
        _set(plan, PlanState.GOING, "")
        _note(history, Action.PLAN_GONE_ON, plan, reason=cause)
    return plan


def stop(plan_id: int, *, actor: Actor) -> Plan:
    """End a plan for good: what was not attempted is cancelled, the rest goes on to its own end.

    Raises:
        NotDone: it is stopped already, or finished.
    """
    with audit.recorded(actor) as history:
        plan = _locked(plan_id)
        if plan.state == PlanState.STOPPED or not is_open(plan):
            raise ActionRefused(f"Plan {plan.pk} is finished already. Nothing was changed.")
        _set(plan, PlanState.STOPPED, f"{actor.name} stopped it")
        cancelled = _cancel_waiting(history, plan)
        _note(history, Action.PLAN_STOPPED, plan, cancelled=cancelled)
    return plan


def locked_to_follow(submission: Submission, outcome: Outcome) -> Plan | None:
    """The plan of a submission for `follow`, locked; None where this outcome pauses none."""
    if submission.plan_id is None or outcome.kind == Kind.ACCEPTED:
        return None
    return Plan.objects.select_for_update(of=("self",)).get(pk=submission.plan_id)


def follow(history: audit.History, submission: Submission, plan: Plan | None) -> None:
    """Pause the locked plan of a submission that was settled, when more of the same must not follow."""
    if plan is None:
        return
    cause = _why_pause(plan, submission) if plan.state == PlanState.GOING else ""
    if cause:
        _set(plan, PlanState.PAUSED, cause)
        _note(history, Action.PLAN_PAUSED, plan, reason=cause, by_itself=True)


def is_open(plan: Plan) -> bool:
    """Whether a plan is not finished: one of its submissions is open."""
    return Submission.objects.open().filter(plan=plan).exists()


def _why_pause(plan: Plan, submission: Submission) -> str:
    if submission.event == Event.NEW and submission.state == State.UNKNOWN:
        return f"nobody knows yet what became of submission {submission.pk}, the New of {submission.organization.name}"
    if submission.state not in _FAILED:
        return ""
    same = {"known_answer": submission.known_answer}
    if not submission.known_answer:
        same["detail"] = submission.detail
    alike = plan.submissions.filter(state__in=_FAILED, state_at__gte=plan.state_at, **same).count()
    if alike < MOST_ALIKE:
        return ""
    return f'{alike} submissions had the same answer: "{submission.detail[:LONGEST_QUOTE]}"'


def _check(drawn: PlanDraft, sha256: str, ticked: frozenset[str], reason: str, typed: str) -> None:
    if not drawn.size:
        raise ActionRefused("Nothing of this can be sent.")
    if drawn.sha256 != sha256:
        raise OutOfDate(_CHANGED)
    missing = tuple(question.key for question in drawn.questions if question.key not in ticked)
    if missing:
        raise WarningsOpen(missing)
    if drawn.needs_reason and not reason.strip():
        raise ReasonMissing("Enter a reason.")
    if drawn.number_to_type and typed.strip() != str(drawn.number_to_type):
        raise NumberMissing(f"This is not the number. Type the number of records: {drawn.number_to_type}.")


def _row(drawn: PlanDraft, reason: str, actor: Actor) -> Plan:
    if actor.person is None:
        raise ActionRefused("Only a person sends.")
    moment = clock.now()
    return Plan.objects.create(
        environment=drawn.environment,
        kind=drawn.kind,
        sha256=drawn.sha256,
        reason=reason,
        made_by=actor.person,
        made_at=moment,
        state_at=moment,
    )


def _store(history: audit.History, drawn: PlanDraft, plan: Plan) -> list[Submission]:
    """The submissions in the order of the plan: what must be accepted before another is stored before it."""
    stored: dict[str, Submission] = {}
    below: dict[str, list[Submission]] = {}
    for made in drawn.reviews:
        organization = made.organization
        after = below.get(organization.oid, []) if drawn.deactivated else _new_parent(made, stored)
        submission = submissions.store(history, made, reason=plan.reason, plan=plan, after=after)
        stored[organization.oid] = submission
        for oid in {organization.part_of_oid, organization.confirmed_part_of_oid, organization.shown_part_of_oid}:
            below.setdefault(oid, []).append(submission)
    return list(stored.values())


def _new_parent(made: Review, stored: dict[str, Submission]) -> list[Submission]:
    parent = stored.get(made.record.part_of_oid)
    return [parent] if parent is not None and parent.event == Event.NEW else []


def _check_no_circle(drawn: PlanDraft) -> None:
    """Each was reviewed before any of them was on its way: asked once more now that all are."""
    for made in drawn.reviews:
        oid, part_of_oid = made.organization.oid, made.record.part_of_oid
        if tree.would_circle_in_directory(drawn.environment, oid, part_of_oid):
            name = made.organization.name
            raise ActionRefused(f"On the way {name} would be part of itself. Send what it moves below by itself first.")


def _counted(drawn: PlanDraft, stored: list[Submission]) -> dict[str, object]:
    return {
        "news": drawn.news,
        "updates": drawn.updates,
        "deactivated": drawn.deactivated,
        "submissions": [submission.pk for submission in stored],
        "warnings": [question.text for question in drawn.questions],
    }


def _cancel_waiting(history: audit.History, plan: Plan) -> int:
    """Cancel what was not attempted; how many. The last first, so that each has the plan's reason and no other's."""
    waiting = plan.submissions.filter(state__in=(State.AWAITING, State.QUEUED), attempt=0)
    locked = locks.lock_with_followers(lambda: waiting.values_list("pk", flat=True))
    cancelled = 0
    for submission in sorted(locked.by_id.values(), key=lambda each: -each.pk):
        if submission.plan_id == plan.pk and submission.can_be_cancelled:
            submissions.end_without_sending(history, submission, locked, reason=f"Plan {plan.pk} was stopped.")
            cancelled += 1
    return cancelled


def _locked(plan_id: int) -> Plan:
    """A plan for a person's act, after the locks that come before it."""
    environment = Plan.objects.values_list("environment", flat=True).get(pk=plan_id)
    locks.lock_structure(environment)
    breaker.locked_gate(environment)
    return Plan.objects.select_for_update(of=("self",)).get(pk=plan_id)


def _set(plan: Plan, state: PlanState, reason: str) -> None:
    plan.state, plan.state_reason, plan.state_at = state, reason, clock.now()
    plan.save(update_fields=["state", "state_reason", "state_at"])


def _note(history: audit.History, action: Action, plan: Plan, *, reason: str = "", **details: object) -> None:
    history.add(
        action,
        object={"type": "plan", "id": str(plan.pk), "name": f"plan {plan.pk}"},
        environment=plan.environment,
        plan=plan.pk,
        reason=reason,
        details=details,
    )
