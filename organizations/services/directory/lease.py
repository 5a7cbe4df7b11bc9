"""Leases a scan (for its next page or OID), or one OID of a list, to a worker. After the lease another one asks."""

import datetime
from typing import Any

from django.conf import settings

from organizations.models import Candidate, Submission, TakeOver, TakeOverState, clock
from organizations.models.take_over import CandidateQuerySet, TakeOverQuerySet
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, redox_requests, redox_settings
from organizations.services.timing import seconds


def lease_scan(environment: str, *, reads_pages: bool = True, actor: Actor) -> TakeOver | None:
    """Lease the oldest scan for its next page, or for its next OID, if a Query may be sent now.

    A worker stores its answer only if no other worker has leased the scan since.
    """
    if not _free_scans(environment, reads_pages=reads_pages).exists() or not _may_ask(environment):
        return None  # checked first, so that an idle worker takes no lock
    with audit.atomic(actor):
        free = _free_scans(environment, reads_pages=reads_pages)
        take_over = free.select_for_update(skip_locked=True, of=("self",)).first()
        if take_over is not None:
            take_over.token += 1
            take_over.lease_until = clock.now() + seconds(settings.REDOX_LEASE)
            take_over.save(update_fields=["token", "lease_until"])
    return take_over


def release_scan(take_over: TakeOver, *, until: datetime.datetime | None = None, **values: Any) -> bool:
    """End the lease, or extend it to `until`, and store `values` in the take-over.

    Returns False and stores nothing if another worker has leased the take-over or the directory is not asked any more.
    """
    leased = TakeOver.objects.filter(pk=take_over.pk, token=take_over.token, state=TakeOverState.ASKING)
    return leased.update(lease_until=until, **values) == 1


def lease_candidate(environment: str, *, actor: Actor) -> Candidate | None:
    """Lease the next OID of the oldest list that has one, if a Query may be sent now.

    A worker stores its answer only if no other worker has leased the OID since.
    """
    if not Candidate.objects.to_ask(environment, clock.now()).exists() or not _may_ask(environment):
        return None
    with audit.atomic(actor):
        moment = clock.now()
        return _lease_first(Candidate.objects.to_ask(environment, moment), moment)


def lease_candidate_of_scan(take_over: TakeOver, *, actor: Actor) -> Candidate | None:
    """Lease the next OID of a scan that the caller has leased."""
    with audit.atomic(actor):
        moment = clock.now()
        return _lease_first(Candidate.objects.filter(take_over=take_over).free_to_ask(moment), moment)


def lock_leased(candidate: Candidate) -> Candidate | None:
    """The candidate, locked together with its take-over.

    None if another worker has leased it since, or if the directory is not asked any more.
    """
    asking = TakeOver.objects.filter(pk=candidate.take_over_id, state=TakeOverState.ASKING)
    take_over = asking.select_for_update().first()
    if take_over is None:
        return None
    waiting = take_over.candidates.waiting().filter(pk=candidate.pk, token=candidate.token)
    return waiting.select_for_update().first()


def move(take_over: TakeOver, state: TakeOverState) -> None:
    """Move a locked take-over to another state, and end its lease. A reason to end and who acts are saved, too."""
    take_over.state, take_over.state_at = state, clock.now()
    take_over.lease_until, take_over.token = None, take_over.token + 1
    take_over.save(update_fields=["state", "state_at", "lease_until", "token", "end_reason", "taken_by"])


def _lease_first(to_ask: CandidateQuerySet, moment: datetime.datetime) -> Candidate | None:
    locked = to_ask.select_related("take_over").select_for_update(skip_locked=True, of=("self",))
    candidate = locked.first()
    if candidate is not None:
        candidate.token += 1
        candidate.lease_until = moment + seconds(settings.REDOX_LEASE)
        candidate.save(update_fields=["token", "lease_until"])
    return candidate


def _free_scans(environment: str, *, reads_pages: bool) -> TakeOverQuerySet:
    free = TakeOver.objects.free(environment, TakeOverState.ASKING, clock.now()).scans()
    return free.reading_pages() if reads_pages else free.past_pages()


def _may_ask(environment: str) -> bool:
    """Whether a Query may be sent now: connected, the breaker is closed, and no message is due."""
    try:
        redox_requests.check_sending_allowed(redox_settings.environment(environment))
    except redox_requests.SendingBlocked:
        return False
    return breaker.can_send_now(environment) and not Submission.objects.due(environment, clock.now()).exists()
