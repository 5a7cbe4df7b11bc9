"""The circuit breaker of an environment. Its state is the row `EnvironmentGate`.

Closed: messages are sent. Open: nothing is sent; sending is stopped until a person resumes it, or paused until a time.
Half-open: after a pause for failures one worker sends a Query as a probe, whose answer closes or opens the breaker.
"""

import datetime
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings

from organizations.models import (
    Action,
    Environment,
    EnvironmentGate,
    State,
    Submission,
    clock,
)
from organizations.redox.outcome import Kind, Outcome
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection.lookup import DirectoryAnswer, Question, oid_to_check
from organizations.services.timing import lease_margin, shortened

MOST_FAILURES = 5
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0
"""Seconds."""


def lock_gate(environment: str) -> EnvironmentGate:
    """Lock the row of the breaker until the transaction ends."""
    return EnvironmentGate.objects.select_for_update().get(pk=environment)


def gate_for_outcomes(environment: str, outcomes: Iterable[Outcome]) -> EnvironmentGate:
    """The gate for `apply_outcome`, locked only if an outcome changes it, so that attempts settle in parallel."""
    gate = EnvironmentGate.objects.get(pk=environment)
    changes_nothing = not any(
        outcome.stops or outcome.hold_seconds is not None or counts_as_failure(outcome) for outcome in outcomes
    )
    return gate if changes_nothing and not gate.failures and not gate.probing else lock_gate(environment)


def stop_sending(
    history: audit.History, gate: EnvironmentGate, reason: str, *, submission: Submission | None = None
) -> None:
    """Open the breaker until a person resumes sending. The gate is locked. Submissions stay in the queue."""
    if gate.is_stopped:
        return
    gate.stopped_at = clock.now()
    gate.stopped_reason = reason
    gate.save(update_fields=["stopped_at", "stopped_reason"])
    log_environment(
        history, Action.ENVIRONMENT_STOPPED, gate, reason=reason, submission=submission.pk if submission else None
    )


def pause_sending(
    history: audit.History, gate: EnvironmentGate, seconds: float, reason: str, *, is_asked_for: bool = False
) -> None:
    """Open the breaker for some seconds. The gate is locked. A shorter pause does not end a longer one.

    `is_asked_for`: Redox asked for the pause, so not even a Query or a token request is sent.
    """
    until = clock.now() + datetime.timedelta(seconds=seconds)
    is_longest = gate.hold_until is None or gate.hold_until <= until
    is_longest_asked_for = is_asked_for and (gate.hold_asked_until is None or gate.hold_asked_until <= until)
    if is_longest:
        gate.hold_until, gate.hold_reason = until, reason
    if is_longest_asked_for:
        gate.hold_asked_until = until
    if is_longest or is_longest_asked_for:
        gate.save()
        log_environment(history, Action.ENVIRONMENT_PAUSED, gate, reason=reason, details={"until": until.isoformat()})


def pause_if_asked(history: audit.History, environment: str, outcome: Outcome | None) -> None:
    """Pause an environment, also for its workers, if the answer to a person's Query asks to wait."""
    if outcome is not None and outcome.hold_seconds is not None:
        apply_outcome(history, lock_gate(environment), outcome)


def count_exchange(history: audit.History, gate: EnvironmentGate, *, failed: bool) -> None:
    """Count an exchange on a locked gate. Five failures in a row pause it, for 30 s at first, doubling to 10 min.

    Exchanges of other workers that end during the pause do not make it longer.
    """
    if not failed:
        if gate.failures or gate.probing:
            gate.failures, gate.probing = 0, False
            gate.save(update_fields=["failures", "probing"])
        return
    if gate.is_paused(clock.now()):
        return
    gate.failures += 1
    if gate.failures < MOST_FAILURES:
        gate.save(update_fields=["failures"])
        return
    gate.probing = True
    length = shortened(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(gate.failures - MOST_FAILURES, 10)))
    pause_sending(history, gate, length, f"Redox gave no clear answer {gate.failures} times in a row")


def counts_as_failure(outcome: Outcome) -> bool:
    """Whether Redox gave no complete answer, or a server error (5xx) that neither accepts nor rejects.

    An exchange that our own worker delayed or stopped is not a failure.
    """
    if outcome.kind not in (Kind.NOT_SENT, Kind.UNKNOWN) or (outcome.fault and outcome.fault.is_ours):
        return False
    return outcome.fault is not None or outcome.status is None or outcome.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def can_send_now(environment: str) -> bool:
    """Whether the breaker is closed in the database now."""
    return EnvironmentGate.objects.get(pk=environment).can_send(clock.now())


def next_probe(environment: str, *, actor: Actor) -> Question | None:
    """The Query to send as a probe if the breaker is half-open, or None. One worker gets it; the others wait."""
    gate = EnvironmentGate.objects.get(pk=environment)
    moment = clock.now()
    if not gate.probing or gate.is_stopped or gate.is_paused(moment):
        return None
    with audit.atomic(actor):
        gate = lock_gate(environment)
        if not gate.probing or gate.is_paused(moment):
            return None
        # If this worker ends during its probe, another one probes after this time.
        gate.hold_until = moment + datetime.timedelta(seconds=settings.REDOX_DEADLINE + lease_margin())
        gate.save(update_fields=["hold_until"])
    return Question(oid_to_check(environment), partial(_store_probe, environment, actor), is_probe=True)


def _store_probe(environment: str, actor: Actor, answer: DirectoryAnswer) -> None:
    """Close or open the breaker by the answer to a probe. Without an outcome nothing was sent."""
    if answer.outcome is None:
        return
    with audit.atomic(actor) as history:
        gate = lock_gate(environment)
        gate.hold_until = gate.hold_asked_until
        gate.save(update_fields=["hold_until"])
        apply_outcome(history, gate, answer.outcome)


def apply_outcome(
    history: audit.History, gate: EnvironmentGate, outcome: Outcome | None, *, submission: Submission | None = None
) -> None:
    """Stop or pause a locked gate if the outcome requires it; otherwise count the outcome.

    Nothing changes if nothing was sent (None), or if our own worker is the reason why there is no answer.
    """
    if outcome is None or (outcome.fault is not None and outcome.fault.is_ours):
        return
    if outcome.stops:
        stop_sending(history, gate, outcome.stops, submission=submission)
    elif outcome.hold_seconds is not None:
        pause_sending(history, gate, outcome.hold_seconds, "too many requests", is_asked_for=True)
    else:
        count_exchange(history, gate, failed=counts_as_failure(outcome))


def count_waiting(environment: str) -> int:
    """How many submissions wait to be sent or to be queried."""
    return Submission.objects.filter(environment=environment, state__in=(State.QUEUED, State.UNKNOWN)).count()


def log_environment(history: audit.History, action: Action, gate: EnvironmentGate, **body: Any) -> None:
    """Add an entry about an environment to the history."""
    history.log(
        action,
        object={"type": "environment", "id": gate.environment, "name": Environment(gate.environment).label},
        environment=gate.environment,
        **body,
    )
