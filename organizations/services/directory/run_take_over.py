"""The worker's part of a take-over: ask the directory about each OID, and add the chosen ones as records.

Each step is small and leased, so that another worker continues if this one dies. Messages come first: while one is due,
the directory is not asked.
"""

from django.db import transaction

from organizations.models import Action, Candidate, CandidateState, TakeOver, TakeOverKind, TakeOverState, clock
from organizations.permissions import Right, may
from organizations.services import actors, failpoints, locks
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.delivery import query
from organizations.services.directory import candidates, lease, ownership_here, scan, scan_probes
from organizations.services.errors import ActionRefused
from organizations.services.records import organizations

ADDED_AT_ONCE = 50
"""How many records are added in one transaction."""


def advance(environment: str, *, actor: Actor) -> bool:
    """Do the next step of a take-over in this environment. Returns whether there was one."""
    if not TakeOver.objects.in_progress(environment).exists():
        return False  # a cheap check first: an idle worker calls this often
    return add_next(environment) or scan.scan_next(environment, actor=actor) or ask_next(environment, actor=actor)


def ask_next(environment: str, *, actor: Actor) -> bool:
    """Ask the directory about the next OID of the oldest take-over. Returns whether it was asked."""
    take_over = lease.lease(environment, is_scan=False, actor=actor)
    if take_over is None:
        return False
    candidate = take_over.candidates.waiting().first()
    if candidate is None:
        _end_asking(take_over, actor)
        return True
    failpoints.reach("before-asking-about-candidate")
    answer = query.query_oid(environment, candidate.oid)
    failpoints.reach("after-asking-about-candidate")
    _store_answer(take_over, candidate, answer, actor)
    return answer.exchange is not None


def add_next(environment: str) -> bool:
    """Add the next chosen organizations as records, on behalf of the person who chose them.

    Returns whether there were any. The person's right is checked again each time: they may have lost it.
    """
    waiting = TakeOver.objects.free(environment, TakeOverState.TAKING, clock.now()).select_related("taken_by").first()
    user = waiting.taken_by if waiting else None
    if waiting is None or user is None:
        return False
    with audit.atomic(actors.person(user, signed_in_by="")) as history:
        locks.lock_structure(environment)
        take_over = TakeOver.objects.select_for_update().get(pk=waiting.pk)
        if take_over.state != TakeOverState.TAKING:
            return True
        if may(user, Right.EDIT):
            chosen = list(take_over.candidates.chosen()[:ADDED_AT_ONCE])
            reasons = ownership_here.take_block_reasons(take_over, chosen)
            for candidate in chosen:
                _add(history, take_over, candidate, reasons.get(candidate.oid, ""))
        else:
            take_over.candidates.chosen().update(state=CandidateState.FOUND)
            take_over.end_reason = f"{user.display_name} cannot edit records any more, so no further record was added."
        failpoints.reach("in-adding-candidates")
        if not take_over.candidates.chosen().exists():
            _move(take_over, TakeOverState.READY)
    return True


def _add(history: audit.History, take_over: TakeOver, candidate: Candidate, reason: str) -> None:
    record = candidate.seen_record()
    if record is None or candidate.asked_at is None:
        reason = reason or "The directory did not show it."
    if not reason and record is not None and candidate.asked_at is not None:
        try:
            with transaction.atomic():
                candidate.organization = organizations.add_seen(
                    history,
                    record,
                    take_over.environment,
                    seen_at=candidate.asked_at,
                    destination=ownership_here.known_destination(candidate),
                    endpoints=ownership_here.endpoints(candidate),
                    take_over=take_over.pk,
                    source=candidate.source,
                )
        except ActionRefused as refusal:
            reason = str(refusal)
    candidate.state = CandidateState.REFUSED if reason else CandidateState.TAKEN
    candidate.sentence = reason
    candidate.save(update_fields=["state", "sentence", "organization"])


def _store_answer(take_over: TakeOver, candidate: Candidate, answer: DirectoryAnswer, actor: Actor) -> None:
    """Store the directory's answer about one OID. If another worker leased the take-over since, it is only logged.

    The answer to a probe that found nothing of ours is not logged: it may show an organization of others.
    """
    with audit.atomic(actor) as history:
        gate = breaker.lock_gate(take_over.environment)
        if lease.release(take_over) and not scan_probes.leave_out_others(take_over, candidate, answer):
            _apply_answer(candidate, answer)
        for facts, exchange, cause in () if scan_probes.is_left_out(candidate) else query.exchange_entries(answer):
            history.log(
                Action.DIRECTORY_ASKED,
                object={"type": "take_over", "id": str(take_over.pk), "name": candidate.oid},
                environment=take_over.environment,
                oid=candidate.oid,
                detail=cause,
                details={"take_over": take_over.pk, **facts},
                **exchanges.exchange_body(exchange),
            )
        breaker.apply_outcome(history, gate, answer.outcome)


def _apply_answer(candidate: Candidate, answer: DirectoryAnswer) -> None:
    """Set the candidate's state from the answer and save it. If nothing was sent or Redox asks to wait, it stays."""
    is_paused = answer.outcome is not None and answer.outcome.hold_seconds is not None
    if not answer.is_answered and (answer.exchange is None or is_paused):
        return
    candidate.asked_at, candidate.sentence = answer.asked_at, answer.cause
    if not answer.is_answered:
        candidate.state = CandidateState.UNANSWERED
    elif answer.record is None:
        candidate.state = CandidateState.ABSENT
    else:
        candidates.set_seen(candidate, answer.record)
    candidate.save()


def _end_asking(take_over: TakeOver, actor: Actor) -> None:
    with audit.atomic(actor) as history:
        is_ended = lease.release(take_over, state=TakeOverState.READY, state_at=clock.now())
        if is_ended and take_over.kind == TakeOverKind.SCAN:
            scan.end_run(history, take_over, take_over.end_reason)


def _move(take_over: TakeOver, state: TakeOverState) -> None:
    take_over.state, take_over.state_at, take_over.lease_until = state, clock.now(), None
    take_over.save(update_fields=["state", "state_at", "lease_until", "end_reason"])
