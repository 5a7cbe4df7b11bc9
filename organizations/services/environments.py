"""An environment's gate: stop it, let it wait, check the connection, go on sending."""

import datetime
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings

from organizations.models import (
    Action,
    Environment,
    EnvironmentGate,
    Organization,
    State,
    Submission,
    clock,
)
from organizations.redox import messages
from organizations.redox.client import Exchange
from organizations.redox.environment import Environment as RedoxEnvironment
from organizations.redox.errors import Context, explain
from organizations.redox.outcome import Kind, Outcome, classify

from . import audit, directory, exchanges, gateway
from .actors import Actor
from .timing import lease_margin, shortened

MOST_FAILURES = 5
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 600.0


@dataclass(frozen=True, slots=True)
class Check:
    """What a connection check found. It read and wrote nothing."""

    succeeded: bool
    sentence: str
    facts: dict[str, str | int | bool]


def locked_gate(environment: str) -> EnvironmentGate:
    return EnvironmentGate.objects.select_for_update().get(pk=environment)


def gate_to_follow(environment: str, outcome: Outcome) -> EnvironmentGate:
    """The gate for `follow`, locked where the outcome changes it: what changes nothing settles side by side."""
    gate = EnvironmentGate.objects.get(pk=environment)
    is_quiet = not outcome.stops and outcome.hold_seconds is None and not is_failure(outcome)
    return gate if is_quiet and not gate.failures and not gate.probing else locked_gate(environment)


def stop(history: audit.History, gate: EnvironmentGate, reason: str, *, submission: Submission | None = None) -> None:
    """Stop a locked gate until a person says go on. What waits, waits; nothing is marked failed."""
    if gate.is_stopped:
        return
    gate.stopped_at = clock.now()
    gate.stopped_reason = reason
    gate.save(update_fields=["stopped_at", "stopped_reason"])
    note(history, Action.ENVIRONMENT_STOPPED, gate, reason=reason, submission=submission.pk if submission else None)


def hold(
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
        note(history, Action.ENVIRONMENT_HELD, gate, reason=reason, details={"until": until.isoformat()})


def wait_if_asked(history: audit.History, environment: str, outcome: Outcome | None) -> None:
    """Let an environment wait where the answer to a person's Query asks for it: workers send nothing then, either."""
    if outcome is not None and outcome.hold_seconds is not None:
        follow(history, locked_gate(environment), outcome)


def count(history: audit.History, gate: EnvironmentGate, *, failed: bool) -> None:
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
    pause = shortened(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(gate.failures - MOST_FAILURES, 10)))
    hold(history, gate, pause, f"Redox gave no clear answer {gate.failures} times in a row")


def count_now(environment: str, *, failed: bool, actor: Actor) -> None:
    """Count an exchange outside any submission, such as a token request or a Query."""
    with audit.recorded(actor) as history:
        count(history, locked_gate(environment), failed=failed)


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


def is_open_now(environment: str) -> bool:
    """The same of the gate as it is in the database now."""
    return EnvironmentGate.objects.get(pk=environment).is_open(clock.now())


def pass_gate(environment: str, *, actor: Actor) -> bool:
    """Whether sending may go on now. After a pause one worker finds out first, by a Query, while the others wait."""
    gate = EnvironmentGate.objects.get(pk=environment)
    moment = clock.now()
    if not gate.probing or gate.is_stopped or gate.is_held(moment):
        return is_open(gate, moment)
    with audit.recorded(actor):
        gate = locked_gate(environment)
        if not gate.probing or gate.is_held(moment):
            return False
        # Should this worker end while it asks, another one asks when this time is over.
        gate.hold_until = moment + datetime.timedelta(seconds=settings.REDOX_DEADLINE + lease_margin())
        gate.save(update_fields=["hold_until"])
    return _probe(environment, actor)


def _probe(environment: str, actor: Actor) -> bool:
    redox = gateway.environment(environment)
    oid = query_oid(environment)
    try:
        token, exchange, _, closed = gateway.ask(redox, messages.query(oid, redox))
    except gateway.DoorClosed:
        return False
    if closed:
        return False
    outcome = token.outcome
    if exchange is not None and outcome is None:
        outcome = classify(exchange, event=messages.QUERY, oid=oid)
    with audit.recorded(actor) as history:
        gate = locked_gate(environment)
        gate.hold_until = gate.hold_asked_until
        gate.save(update_fields=["hold_until"])
        follow(history, gate, outcome)
    return outcome is None or outcome.kind == Kind.ACCEPTED


def follow(
    history: audit.History, gate: EnvironmentGate, outcome: Outcome | None, *, submission: Submission | None = None
) -> None:
    """Do to a locked gate what one exchange says of its environment: stop, wait, or count it.

    Nothing follows where nothing left (None), or where a worker of ours is why no answer came.
    """
    if outcome is None or (outcome.fault is not None and outcome.fault.is_ours):
        return
    if outcome.stops:
        stop(history, gate, outcome.stops, submission=submission)
    elif outcome.hold_seconds is not None:
        hold(history, gate, outcome.hold_seconds, "too many requests", is_asked_for=True)
    else:
        count(history, gate, failed=is_failure(outcome))


def stop_now(environment: str, reason: str, *, actor: Actor) -> None:
    """Stop an environment outside any submission, such as when no token can be got."""
    with audit.recorded(actor) as history:
        stop(history, locked_gate(environment), reason)


def hold_now(environment: str, seconds: float, reason: str, *, actor: Actor) -> None:
    """Let an environment wait outside any submission, such as when the token endpoint says slow down."""
    with audit.recorded(actor) as history:
        hold(history, locked_gate(environment), seconds, reason, is_asked_for=True)


def check(environment: str, *, actor: Actor) -> Check:
    """Get a token and look one OID up. Never writes to the directory.

    While Redox asked to wait nothing is asked and nothing recorded: the check only says until when.
    """
    try:
        gateway.check_door(gateway.environment(environment))
    except gateway.AskedToWait as wait:
        return Check(False, str(wait), {})
    except gateway.DoorClosed:
        pass  # recorded below, as a check that failed
    found, answer = _check(environment)
    with audit.recorded(actor) as history:
        gate = locked_gate(environment)
        if answer.outcome is not None and answer.outcome.hold_seconds is not None:
            follow(history, gate, answer.outcome)
        gate.checked_at, gate.checked_by = clock.now(), actor.name
        gate.check_succeeded = found.succeeded
        gate.check_facts = {"sentence": found.sentence, **found.facts}
        gate.save(update_fields=["checked_at", "checked_by", "check_succeeded", "check_facts"])
        for earlier in answer.earlier:
            detail = earlier.cause or "one of three Queries, answered by an empty list"
            note(history, Action.ENVIRONMENT_CHECKED, gate, detail=detail, **exchanges.body(earlier.exchange))
        details = {"detail": found.sentence, "details": found.facts}
        note(history, Action.ENVIRONMENT_CHECKED, gate, **details, **exchanges.body(answer.exchange))
    return found


def waiting(environment: str) -> int:
    """How many submissions wait to be sent, or for the directory to be asked about them."""
    return Submission.objects.filter(environment=environment, state__in=(State.QUEUED, State.UNKNOWN)).count()


def query_oid(environment: str) -> str:
    """The OID that a check asks for: our base OID, else our first record, else the gateway."""
    redox = gateway.environment(environment)
    if redox.base_oids:
        return redox.base_oids[0]
    first = Organization.objects.in_environment(environment).order_by("oid_key").values_list("oid", flat=True).first()
    return first or redox.gateway_oid


def _check(environment: str) -> tuple[Check, directory.Answer]:
    redox = gateway.environment(environment)
    oid = query_oid(environment)
    answer = directory.look_up(redox, oid)
    return _judge(answer, redox, oid), answer


def _judge(answer: directory.Answer, redox: RedoxEnvironment, oid: str) -> Check:
    exchange, token = answer.exchange, answer.token
    if answer.outcome is None:
        return Check(False, answer.cause, {})
    if exchange is None or token.outcome is not None:
        said = _explained(answer, redox)
        word = Environment(redox.name).label
        return Check(False, f"No token for {word}: {answer.cause}", {"token_ms": token.duration_ms, **said})
    facts: dict[str, str | int | bool] = {
        "token_ms": token.duration_ms,
        "query_ms": exchange.duration_ms,
        "oid": oid,
        "redox_date": exchange.headers.get("date", ""),
        # A check says nothing of other settings than those it was made with.
        "fingerprint": gateway.settings_fingerprint(redox.name),
        **_explained(answer, redox),
    }
    if not answer.was_asked:
        return Check(False, _why_no_check(exchange, answer), facts)
    facts |= {
        "known": answer.record is not None,
        "name": answer.record.name if answer.record else "",
        "active": bool(answer.record and answer.record.active),
    }
    return Check(True, "Got a token and an answer to a Query. It did not write.", facts)


def _why_no_check(exchange: Exchange, answer: directory.Answer) -> str:
    if exchange.fault is not None:
        return f"The Query got no whole answer: {exchange.fault_text}"
    if exchange.status == HTTPStatus.UNAUTHORIZED:
        return "Redox did not accept the credential for the Query."
    if exchange.status == HTTPStatus.OK:
        return answer.cause
    if answer.wait_until:
        return f"The Query was not processed: {answer.cause}"
    return f"The answer to the Query was not understood (HTTP {exchange.status})."


def _explained(answer: directory.Answer, redox: RedoxEnvironment) -> dict[str, str]:
    """Headline and cause in plain words. A Query that got no clear answer needs none: it has no effect."""
    outcome = answer.outcome
    if outcome is None or outcome.kind in (Kind.ACCEPTED, Kind.UNKNOWN):
        return {}
    difference = answer.token.clock_difference if answer.token.outcome is not None else None
    said = explain(outcome, Context(environment=redox, clock_difference=difference, at=answer.wait_until))
    return {"headline": said.headline, "cause": said.cause, "step": said.step, "step_key": said.step_key}


def note(history: audit.History, action: Action, gate: EnvironmentGate, **body: Any) -> None:
    """Write down a fact about an environment."""
    history.add(
        action,
        object={"type": "environment", "id": gate.environment, "name": Environment(gate.environment).label},
        environment=gate.environment,
        **body,
    )
