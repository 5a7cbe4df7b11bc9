"""Going on after a stop: a person's act, after a check that succeeded."""

from organizations.models import Action, EnvironmentGate, State, Submission
from organizations.services import locks
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker
from organizations.services.delivery import settle
from organizations.services.errors import ActionRefused

MAYBE_SENT = (State.AWAITING, State.QUEUED, State.SENDING, State.UNKNOWN)


def resume(environment: str, *, actor: Actor) -> None:
    """Go on sending after a stop. In a database that was put back, everything open becomes unknown and is asked about.

    Raises:
        NotDone: no check succeeded since it was stopped.
    """
    with audit.recorded(actor) as history:
        locks.lock_structure(environment)
        gate = breaker.lock_gate(environment)
        if not gate.is_stopped:
            return
        if not can_resume(gate):
            raise ActionRefused("Check the connection first. Sending goes on only after a check that succeeded.")
        reason, was_put_back = gate.stopped_reason, gate.put_back
        # A wait that Redox asked for does not end because a person goes on.
        gate.stopped_at, gate.stopped_reason, gate.hold_until = None, "", gate.hold_asked_until
        gate.failures, gate.probing, gate.put_back = 0, False, False
        gate.save()
        breaker.log_environment(history, Action.ENVIRONMENT_RELEASED, gate, reason=reason)
        if was_put_back:
            _query_all_open(history, environment)


def can_resume(gate: EnvironmentGate) -> bool:
    """Whether a check succeeded since the gate was stopped."""
    return bool(
        gate.stopped_at and gate.check_succeeded and gate.checked_at is not None and gate.checked_at >= gate.stopped_at
    )


def _query_all_open(history: audit.History, environment: str) -> None:
    """What is open may have been sent after the backup was made: it is asked about, and never sent by itself again."""
    left = Submission.objects.in_environment(environment).filter(state__in=MAYBE_SENT)
    locks.lock_records(lambda: left.values_list("organization_id", flat=True))
    for submission in left.select_related("organization").order_by("id"):
        settle.mark_unknown_after_restore(history, submission, submission.organization)
