"""Resumes sending after a stop. Only a person does so, after a successful connection check."""

from organizations.models import Action, EnvironmentGate, State, Submission
from organizations.services import locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker
from organizations.services.delivery import settle
from organizations.services.errors import ActionRefused

MAYBE_SENT = (State.AWAITING, State.QUEUED, State.SENDING, State.UNKNOWN)
"""Open states in which a message may have been sent after the backup. NEEDS_PERSON is left out: a person decides."""


def resume(environment: str, *, actor: Actor) -> None:
    """Close the circuit breaker after a stop. After a restore each submission in MAYBE_SENT is queried.

    Raises:
        ActionRefused: no connection check succeeded since the stop.
    """
    with audit.atomic(actor) as history:
        locks.lock_structure(environment)
        gate = breaker.lock_gate(environment)
        if not gate.is_stopped:
            return
        if not can_resume(gate):
            raise ActionRefused("Check the connection first. You can resume sending after a successful check.")
        reason, is_restored = gate.stopped_reason, gate.is_restored
        # A pause that Redox asked for does not end when a person resumes.
        gate.stopped_at, gate.stopped_reason, gate.hold_until = None, "", gate.hold_asked_until
        gate.failures, gate.probing, gate.is_restored = 0, False, False
        gate.save()
        breaker.log_environment(history, Action.ENVIRONMENT_RESUMED, gate, reason=reason)
        if is_restored:
            _mark_maybe_sent_unknown(history, environment)


def can_resume(gate: EnvironmentGate) -> bool:
    """Whether a check succeeded since sending was stopped."""
    return bool(
        gate.stopped_at and gate.check_succeeded and gate.checked_at is not None and gate.checked_at >= gate.stopped_at
    )


def _mark_maybe_sent_unknown(history: audit.History, environment: str) -> None:
    """Mark submissions that may have been sent after the backup as unknown, so that they are queried."""
    maybe_sent = Submission.objects.in_environment(environment).filter(state__in=MAYBE_SENT)
    locks.lock_records(lambda: maybe_sent.values_list("organization_id", flat=True))
    for submission in maybe_sent.select_related("organization").order_by("id"):
        settle.mark_unknown_after_restore(history, submission, submission.organization)
