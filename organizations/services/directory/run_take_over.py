"""The worker's part of a take-over: ask the directory about each OID, and add the chosen ones as records.

Each step is small and leased, so that another worker goes on if this one ends. Messages come first: while one is due,
the directory is not asked.
"""

from django.conf import settings
from django.db import transaction

from organizations.models import (
    Action,
    Candidate,
    CandidateState,
    Submission,
    TakeOver,
    TakeOverState,
    clock,
)
from organizations.models.organization import NAME_LENGTH, OID_LENGTH
from organizations.permissions import Right, may
from organizations.records import OrganizationRecord, canonical
from organizations.services import actors, failpoints, locks
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.delivery import query
from organizations.services.directory import ownership_here
from organizations.services.errors import ActionRefused
from organizations.services.records import organizations, row_limits
from organizations.services.timing import seconds

ADDED_AT_ONCE = 50
"""How many records are added in one transaction."""


def advance(environment: str, *, actor: Actor) -> bool:
    """Do the next step of a take-over in this environment. Returns whether there was one."""
    return add_next(environment) or ask_next(environment, actor=actor)


def ask_next(environment: str, *, actor: Actor) -> bool:
    """Ask the directory about the next OID of the oldest take-over. Returns whether it was asked."""
    if not _may_ask(environment):
        return False
    take_over = _lease(environment, TakeOverState.ASKING, actor)
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
    """Add the next chosen organizations as records, for the person who chose them. Returns whether there were any.

    The person's right is read again each time: they may have lost it.
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
                    destination=ownership_here.said_destination(candidate),
                    endpoints=ownership_here.endpoints(candidate),
                    take_over=take_over.pk,
                    source=candidate.source,
                )
        except ActionRefused as refusal:
            reason = str(refusal)
    candidate.state = CandidateState.REFUSED if reason else CandidateState.TAKEN
    candidate.sentence = reason
    candidate.save(update_fields=["state", "sentence", "organization"])


def _may_ask(environment: str) -> bool:
    """Whether a Query may be sent now: connected, the breaker is closed, and no message is due."""
    if redox_settings.environment(environment).credential is None or not breaker.can_send_now(environment):
        return False
    return not Submission.objects.due(environment, clock.now()).exists()


def _lease(environment: str, state: TakeOverState, actor: Actor) -> TakeOver | None:
    """Lease the oldest take-over in this state, or None. If another worker leases it later, this one stores nothing."""
    moment = clock.now()
    if not TakeOver.objects.free(environment, state, moment).exists():
        return None  # so that an idle worker takes no lock
    with audit.atomic(actor):
        free = TakeOver.objects.free(environment, state, clock.now())
        take_over = free.select_for_update(skip_locked=True, of=("self",)).first()
        if take_over is not None:
            take_over.token += 1
            take_over.lease_until = clock.now() + seconds(settings.REDOX_LEASE)
            take_over.save(update_fields=["token", "lease_until"])
    return take_over


def _store_answer(take_over: TakeOver, candidate: Candidate, answer: DirectoryAnswer, actor: Actor) -> None:
    """Store what the directory showed of one OID. After a later lease the answer is only logged."""
    with audit.atomic(actor) as history:
        gate = breaker.lock_gate(take_over.environment)
        if _release(take_over):
            _apply_answer(candidate, answer)
        for facts, exchange, cause in query.exchange_entries(answer):
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
    """Nothing was asked without an exchange, and Redox asks to wait with a pause: then the OID waits."""
    is_paused = answer.outcome is not None and answer.outcome.hold_seconds is not None
    if not answer.is_answered and (answer.exchange is None or is_paused):
        return
    candidate.asked_at, candidate.sentence = answer.asked_at, answer.cause
    if not answer.is_answered:
        candidate.state = CandidateState.UNANSWERED
    elif answer.record is None:
        candidate.state = CandidateState.ABSENT
    else:
        show(candidate, answer.record)
    candidate.save()


def show(candidate: Candidate, record: OrganizationRecord) -> None:
    """Put what the directory showed into the candidate, without saving: found, or refused if no row can hold it."""
    candidate.sentence = row_limits.storage_block_reason(record)
    candidate.state = CandidateState.REFUSED if candidate.sentence else CandidateState.FOUND
    candidate.seen = canonical(record)
    candidate.name, candidate.active = record.name[:NAME_LENGTH], record.active
    # A longer PartOf is not an OID.
    candidate.part_of_oid = record.part_of_oid if len(record.part_of_oid) <= OID_LENGTH else ""


def _release(take_over: TakeOver) -> bool:
    """End the lease. Returns whether it was still this worker's and the take-over still asks."""
    still = TakeOver.objects.filter(pk=take_over.pk, token=take_over.token, state=TakeOverState.ASKING)
    return still.update(lease_until=None) == 1


def _end_asking(take_over: TakeOver, actor: Actor) -> None:
    with audit.atomic(actor):
        still = TakeOver.objects.filter(pk=take_over.pk, token=take_over.token, state=TakeOverState.ASKING)
        still.update(state=TakeOverState.READY, state_at=clock.now(), lease_until=None)


def _move(take_over: TakeOver, state: TakeOverState) -> None:
    take_over.state, take_over.state_at, take_over.lease_until = state, clock.now(), None
    take_over.save(update_fields=["state", "state_at", "lease_until", "end_reason"])
