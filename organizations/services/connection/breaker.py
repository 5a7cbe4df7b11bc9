"""An environment's gate: stop it, let it wait, check the connection, go on sending."""

import datetime
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
from organizations.redox import messages
from organizations.redox.outcome import Kind, Outcome, classify
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import gateway
from organizations.services.connection.lookup import oid_to_check
from organizations.services.timing import lease_margin, shortened

MOST_FAILURES = 5
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 600.0


def lock_gate(environment: str) -> EnvironmentGate:
    return EnvironmentGate.objects.select_for_update().get(pk=environment)


def gate_for_outcome(environment: str, outcome: Outcome) -> EnvironmentGate:
    """The gate for `follow`, locked where the outcome changes it: what changes nothing settles side by side."""
    gate = EnvironmentGate.objects.get(pk=environment)
    is_quiet = not outcome.stops and outcome.hold_seconds is None and not is_failure(outcome)
    return gate if is_quiet and not gate.failures and not gate.probing else lock_gate(environment)


def stop_sending(
    history: audit.History, gate: EnvironmentGate, reason: str, *, submission: Submission | None = None
) -> None:
    """Stop a locked gate until a person says go on. What waits, waits; nothing is marked failed."""
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
    """Let a locked gate wait; sending goes on by itself. `is_asked_for`: by Redox, so that nothing at all may leave.

    A shorter wait does not end a longer one.
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
        log_environment(history, Action.ENVIRONMENT_HELD, gate, reason=reason, details={"until": until.isoformat()})


def pause_if_asked(history: audit.History, environment: str, outcome: Outcome | None) -> None:
    """Let an environment wait where the answer to a person's Query asks for it: workers send nothing then, either."""
    if outcome is not None and outcome.hold_seconds is not None:
        apply_outcome(history, lock_gate(environment), outcome)


def count_exchange(history: audit.History, gate: EnvironmentGate, *, failed: bool) -> None:
    """Count an exchange on a locked gate: five failures in a row pause it, for 30 s at first, doubling to 10 min.

    A failure is an exchange that Redox did not answer, or answered with a server fault of unknown meaning. What other
    workers had under way when the pause began does not make it longer.
    """
    if not failed:
        if gate.failures or gate.probing:
            gate.failures, gate.probing = 0, False
            gate.save(update_fields=["failures", "probing"])
        return
    if gate.is_held(clock.now()):
        return
    gate.failures += 1
    if gate.failures < MOST_FAILURES:
        gate.save(update_fields=["failures"])
        return
    gate.probing = True
    length = shortened(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(gate.failures - MOST_FAILURES, 10)))
    pause_sending(history, gate, length, f"Redox gave no clear answer {gate.failures} times in a row")


def count_now(environment: str, *, failed: bool, actor: Actor) -> None:
    """Count an exchange outside any submission, such as a token request or a Query."""
    with audit.recorded(actor) as history:
        count_exchange(history, lock_gate(environment), failed=failed)


def is_failure(outcome: Outcome) -> bool:
    """Whether an exchange counts as not answered: no whole answer, or a server fault that says neither yes nor no.

    A worker of ours that was held up or stopped says nothing of Redox.
    """
    if outcome.kind not in (Kind.NOT_SENT, Kind.UNKNOWN) or (outcome.fault and outcome.fault.is_ours):
        return False
    return outcome.fault is not None or outcome.status is None or outcome.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def is_open(gate: EnvironmentGate, moment: datetime.datetime) -> bool:
    """Whether anything may leave: neither stopped nor waiting nor paused."""
    return gate.is_open(moment)


def can_send_now(environment: str) -> bool:
    """The same of the gate as it is in the database now."""
    return EnvironmentGate.objects.get(pk=environment).is_open(clock.now())


def pass_breaker(environment: str, *, actor: Actor) -> bool:
    """Whether sending may go on now. After a pause one worker finds out first, by a Query, while the others wait."""
    gate = EnvironmentGate.objects.get(pk=environment)
    moment = clock.now()
    if not gate.probing or gate.is_stopped or gate.is_held(moment):
        return is_open(gate, moment)
    with audit.recorded(actor):
        gate = lock_gate(environment)
        if not gate.probing or gate.is_held(moment):
            return False
        # Should this worker end while it asks, another one asks when this time is over.
        gate.hold_until = moment + datetime.timedelta(seconds=settings.REDOX_DEADLINE + lease_margin())
        gate.save(update_fields=["hold_until"])
    return _probe_redox(environment, actor)


def _probe_redox(environment: str, actor: Actor) -> bool:
    redox = gateway.environment(environment)
    oid = oid_to_check(environment)
    try:
        token, exchange, _, closed = gateway.send_query(redox, messages.build_query(oid, redox))
    except gateway.SendingBlocked:
        return False
    if closed:
        return False
    outcome = token.outcome
    if exchange is not None and outcome is None:
        outcome = classify(exchange, event=messages.QUERY, oid=oid)
    with audit.recorded(actor) as history:
        gate = lock_gate(environment)
        gate.hold_until = gate.hold_asked_until
        gate.save(update_fields=["hold_until"])
        apply_outcome(history, gate, outcome)
    return outcome is None or outcome.kind == Kind.ACCEPTED


def apply_outcome(
    history: audit.History, gate: EnvironmentGate, outcome: Outcome | None, *, submission: Submission | None = None
) -> None:
    """Do to a locked gate what one exchange says of its environment: stop, wait, or count it.

    Nothing follows where nothing left (None), or where a worker of ours is why no answer came.
    """
    if outcome is None or (outcome.fault is not None and outcome.fault.is_ours):
        return
    if outcome.stops:
        stop_sending(history, gate, outcome.stops, submission=submission)
    elif outcome.hold_seconds is not None:
        pause_sending(history, gate, outcome.hold_seconds, "too many requests", is_asked_for=True)
    else:
        count_exchange(history, gate, failed=is_failure(outcome))


def stop_now(environment: str, reason: str, *, actor: Actor) -> None:
    """Stop an environment outside any submission, such as when no token can be got."""
    with audit.recorded(actor) as history:
        stop_sending(history, lock_gate(environment), reason)


def pause_now(environment: str, seconds: float, reason: str, *, actor: Actor) -> None:
    """Let an environment wait outside any submission, such as when the token endpoint says slow down."""
    with audit.recorded(actor) as history:
        pause_sending(history, lock_gate(environment), seconds, reason, is_asked_for=True)


def count_waiting(environment: str) -> int:
    """How many submissions wait to be sent, or for the directory to be asked about them."""
    return Submission.objects.filter(environment=environment, state__in=(State.QUEUED, State.UNKNOWN)).count()


def log_environment(history: audit.History, action: Action, gate: EnvironmentGate, **body: Any) -> None:
    """Write down a fact about an environment."""
    history.log(
        action,
        object={"type": "environment", "id": gate.environment, "name": Environment(gate.environment).label},
        environment=gate.environment,
        **body,
    )
