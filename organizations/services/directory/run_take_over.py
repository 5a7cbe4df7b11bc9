"""The worker's part of a take-over: ask the directory about each OID, and add the chosen ones as records.

The courier asks about the OIDs of lists, up to eight at once (`next_candidate`). A separate thread does the rest
(`advance`): it adds records, and asks for the pages and OIDs of a scan, at most two Queries a second. Each step is
small and leased, so that another worker continues if this one dies. Messages come first: while one is due, the
directory is not asked.
"""

import time
from dataclasses import replace
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from organizations.models import Action, Candidate, CandidateState, TakeOver, TakeOverState, clock
from organizations.models.take_over import PROBE
from organizations.permissions import Right, may
from organizations.services import actors, failpoints, locks
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker, lookup, redox_settings
from organizations.services.connection.lookup import DirectoryAnswer, Question
from organizations.services.delivery import query
from organizations.services.directory import candidates, lease, ownership_here, scan, scan_probes
from organizations.services.directory import take_over as take_over_acts
from organizations.services.errors import ActionRefused
from organizations.services.records import organizations
from organizations.services.timing import seconds, shortened

ADDED_AT_ONCE = 50
"""How many records are added in one transaction."""
SECONDS_UNTIL_ASKED_AGAIN = 5.0
"""Seconds until an OID is asked about again, if nothing was sent or Redox asked to wait."""


def advance(environment: str, *, actor: Actor) -> bool:
    """Add the next records, or do the next step of a scan. Returns whether there was anything to do."""
    if not TakeOver.objects.in_progress(environment).exists():
        return False  # a cheap check first: an idle worker calls this often
    if add_next(environment):
        return True
    take_over_acts.stop_without_right(environment, actor=actor)
    return scan.scan_next(environment, actor=actor) or ask_next_of_scan(environment, actor=actor)


def next_candidate(environment: str, *, actor: Actor) -> Question | None:
    """Lease the next OID of the oldest list. The answer is stored in its candidate.

    If no OID is left, a list whose OIDs were all asked about is ready for a person.
    """
    if not TakeOver.objects.asking_by_oid(environment).lists().exists():
        return None
    take_over_acts.stop_without_right(environment, actor=actor)
    candidate = lease.lease_candidate(environment, actor=actor)
    if candidate is None:
        _end_asking(environment, actor)
        return None
    failpoints.reach("before-asking-about-candidate")
    return Question(candidate.oid, partial(_store_answer, candidate, actor))


def ask_next_of_scan(environment: str, *, actor: Actor, pace: float = scan.PACE) -> bool:
    """Ask about the next OID of a scan that has read its pages, or add the next probes, or end the scan.

    There are at least `pace` seconds between two of its Queries, whichever worker sends them. Returns whether there was
    anything to do.
    """
    pace = shortened(pace)
    take_over = lease.lease_scan(environment, reads_pages=False, actor=actor)
    if take_over is None:
        return False
    candidate = lease.lease_candidate_of_scan(take_over, actor=actor)
    if candidate is None:
        return _add_probes_or_end(take_over, actor)
    failpoints.reach("before-asking-about-candidate")
    answer = lookup.look_up_oid(redox_settings.environment(environment), candidate.oid, pace=pace)
    _store_answer(candidate, actor, answer)
    time.sleep(pace)  # while the scan is leased, so that no other worker asks
    lease.release_scan(take_over)
    return True


def _add_probes_or_end(leased: TakeOver, actor: Actor) -> bool:
    """Add the next probes of a scan that waits for nothing, or end it. Returns False if it waits or was stopped."""
    with audit.atomic(actor) as history:
        # A stop changes the token as well.
        take_over = TakeOver.objects.filter(pk=leased.pk, token=leased.token).select_for_update().first()
        if take_over is None:
            return False
        is_waiting = take_over.candidates.waiting().exists()
        if not is_waiting and not scan_probes.add_next_probes(history, take_over):
            scan.log_run_and_delete_probes(history, take_over, take_over.end_reason)
            lease.move(take_over, TakeOverState.READY)
        lease.release_scan(take_over)
    return not is_waiting


def add_next(environment: str) -> bool:
    """Add the next chosen organizations as records, on behalf of the person who chose them.

    Returns whether there were any. The person's right is checked again each time: they may have lost it.
    """
    waiting = (
        TakeOver.objects.free(environment, TakeOverState.TAKING, clock.now())
        .select_related("taken_by", "made_by")
        .first()
    )
    if waiting is None:
        return False
    user = waiting.acts_for
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
            lease.move(take_over, TakeOverState.READY)
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
                    destination=candidates.known_destination(candidate),
                    endpoints=candidates.message_endpoints(candidate),
                    take_over=take_over.pk,
                    source=candidate.source,
                )
        except ActionRefused as refusal:
            reason = str(refusal)
    candidate.state = CandidateState.REFUSED if reason else CandidateState.TAKEN
    candidate.sentence = reason
    candidate.save(update_fields=["state", "sentence", "organization"])


def _store_answer(candidate: Candidate, actor: Actor, answer: DirectoryAnswer) -> None:
    """Store the directory's answer about one OID. If another worker has leased it since, the answer is only logged.

    The answer to a probe is neither logged nor shared unless it shows an organization of ours.
    """
    failpoints.reach("after-asking-about-candidate")
    environment = candidate.take_over.environment
    with audit.atomic(actor) as history:
        gate = breaker.lock_gate(environment)
        locked = lease.lock_leased(candidate)
        is_hidden = candidate.source == PROBE and (locked is None or not scan_probes.shows_ours(locked, answer))
        if locked is not None and is_hidden and answer.record is not None:
            scan_probes.delete_probe(locked)
        elif locked is not None:
            _apply_answer(locked, replace(answer, is_unreadable=answer.is_unreadable and not is_hidden))
        if not is_hidden:
            _log_exchanges(history, candidate, answer, also=_share_answer(candidate, answer))
        breaker.apply_outcome(history, gate, answer.outcome)
        failpoints.reach("in-storing-candidate")


def _log_exchanges(history: audit.History, candidate: Candidate, answer: DirectoryAnswer, *, also: list[int]) -> None:
    """Log each exchange about a candidate. `also`: the other take-overs that share the answer."""
    for facts, exchange, cause in query.exchange_entries(answer):
        history.log(
            Action.DIRECTORY_ASKED,
            object={"type": "take_over", "id": str(candidate.take_over_id), "name": candidate.oid},
            environment=candidate.take_over.environment,
            oid=candidate.oid,
            detail=cause,
            details={"take_over": candidate.take_over_id, **facts, **({"also": also} if also else {})},
            **exchanges.exchange_body(exchange),
        )


def _share_answer(candidate: Candidate, answer: DirectoryAnswer) -> list[int]:
    """Store the answer for other take-overs that wait for the same OID since before the Query. Returns their ids.

    What another transaction has locked or leased is left out: its own Query follows, or is under way.
    """
    if not answer.is_answered:
        return []
    asking = TakeOver.objects.asking_by_oid(candidate.take_over.environment).filter(state_at__lte=answer.asked_at)
    others = asking.exclude(pk=candidate.take_over_id).select_for_update(skip_locked=True)
    waiting = Candidate.objects.waiting().exclude(source=PROBE).filter(oid=candidate.oid)
    free = waiting.filter(Q(lease_until=None) | Q(lease_until__lte=clock.now()))
    same_oid = free.filter(take_over__in=[other.pk for other in others]).select_for_update(skip_locked=True)
    shared = []
    for each in same_oid:
        _apply_answer(each, answer)
        shared.append(each.take_over_id)
    return shared


def _apply_answer(candidate: Candidate, answer: DirectoryAnswer) -> None:
    """Set the candidate's state from the answer and save it. If nothing was sent or Redox asks to wait, it waits."""
    if _is_asked_later(answer):
        candidate.lease_until = clock.now() + seconds(shortened(SECONDS_UNTIL_ASKED_AGAIN))
    else:
        candidate.lease_until = None
        candidate.asked_at, candidate.sentence = answer.asked_at, answer.cause
        if answer.is_unreadable:
            candidate.state = CandidateState.REFUSED
        elif not answer.is_answered:
            candidate.state = CandidateState.UNANSWERED
        elif answer.record is None:
            candidate.state = CandidateState.ABSENT
        else:
            candidates.set_seen(candidate, answer.record)
    candidate.save()


def _is_asked_later(answer: DirectoryAnswer) -> bool:
    """Whether the OID still waits, because nothing was asked, Redox asks to wait, or the worker was stopped."""
    outcome = answer.outcome
    if answer.is_answered or answer.exchange is None or outcome is None:
        return not answer.is_answered
    return outcome.hold_seconds is not None or (outcome.fault is not None and outcome.fault.is_ours)


def _end_asking(environment: str, actor: Actor) -> None:
    waiting = Candidate.objects.waiting().filter(take_over=OuterRef("pk"))
    all_asked = TakeOver.objects.asking_by_oid(environment).lists().exclude(Exists(waiting))
    if not all_asked.exists():
        return
    with audit.atomic(actor):
        take_over = all_asked.select_for_update(skip_locked=True, of=("self",)).first()
        # Before it was locked, somebody may have stopped it and asked again.
        if take_over is None or take_over.candidates.waiting().exists():
            return
        lease.move(take_over, TakeOverState.READY)
