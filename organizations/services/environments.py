"""An environment's gate: stop it, let it wait, check the connection, go on sending."""

import datetime
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from organizations.models import (
    Action,
    Environment,
    EnvironmentGate,
    Installation,
    Organization,
    State,
    Submission,
    clock,
)
from organizations.redox import messages
from organizations.redox.auth import TokenAnswer
from organizations.redox.client import Exchange, NotDecodable, decoded
from organizations.redox.environment import Environment as RedoxEnvironment
from organizations.redox.errors import Context, explain
from organizations.redox.messages import AnswerNotUnderstood
from organizations.redox.outcome import Kind, Outcome, classify

from . import audit, gateway
from .actors import Actor
from .faults import NotDone


@dataclass(frozen=True, slots=True)
class Check:
    """What a connection check found. It read and wrote nothing."""

    succeeded: bool
    sentence: str
    facts: dict[str, str | int | bool]


def locked_gate(environment: str) -> EnvironmentGate:
    return EnvironmentGate.objects.select_for_update().get(pk=environment)


def stop(history: audit.History, gate: EnvironmentGate, reason: str, *, submission: Submission | None = None) -> None:
    """Stop a locked gate until a person says go on. What waits, waits; nothing is marked failed."""
    if gate.is_stopped:
        return
    gate.stopped_at = clock.now()
    gate.stopped_reason = reason
    gate.save(update_fields=["stopped_at", "stopped_reason"])
    _note(history, Action.ENVIRONMENT_STOPPED, gate, reason=reason, submission=submission.pk if submission else None)


def hold(history: audit.History, gate: EnvironmentGate, seconds: float, reason: str) -> None:
    """Let a locked gate wait; sending goes on by itself."""
    gate.hold_until = clock.now() + datetime.timedelta(seconds=seconds)
    gate.hold_reason = reason
    gate.save(update_fields=["hold_until", "hold_reason"])
    _note(history, Action.ENVIRONMENT_HELD, gate, reason=reason, details={"until": gate.hold_until.isoformat()})


def stop_now(environment: str, reason: str, *, actor: Actor) -> None:
    """Stop an environment outside any submission, such as when no token can be got."""
    with audit.recorded(actor) as history:
        stop(history, locked_gate(environment), reason)


def hold_now(environment: str, seconds: float, reason: str, *, actor: Actor) -> None:
    """Let an environment wait outside any submission, such as when the token endpoint says slow down."""
    with audit.recorded(actor) as history:
        hold(history, locked_gate(environment), seconds, reason)


def release(environment: str, *, actor: Actor) -> None:
    """Go on sending after a stop.

    Raises:
        NotDone: no check succeeded since it was stopped.
    """
    with audit.recorded(actor) as history:
        gate = locked_gate(environment)
        if not gate.is_stopped:
            return
        if not may_go_on(gate):
            raise NotDone("Check the connection first. Sending goes on only after a check that succeeded.")
        reason = gate.stopped_reason
        gate.stopped_at, gate.stopped_reason, gate.hold_until, gate.failures = None, "", None, 0
        gate.save()
        _note(history, Action.ENVIRONMENT_RELEASED, gate, reason=reason)


def may_go_on(gate: EnvironmentGate) -> bool:
    """Whether a check succeeded since the gate was stopped."""
    return bool(
        gate.stopped_at and gate.check_succeeded and gate.checked_at is not None and gate.checked_at >= gate.stopped_at
    )


def check(environment: str, *, actor: Actor) -> Check:
    """Get a token and make one Query. Never writes to the directory."""
    found, raw = _check(environment)
    with audit.recorded(actor) as history:
        gate = locked_gate(environment)
        gate.checked_at, gate.checked_by = clock.now(), actor.name
        gate.check_succeeded = found.succeeded
        gate.check_facts = {"sentence": found.sentence, **found.facts}
        gate.save(update_fields=["checked_at", "checked_by", "check_succeeded", "check_facts"])
        _note(history, Action.ENVIRONMENT_CHECKED, gate, raw=raw, detail=found.sentence, details=found.facts)
    return found


def take_turn(moment: datetime.datetime, rate: float) -> bool:
    """Whether a request may leave now: one minimum distance for the whole installation. Takes the turn when it may."""
    installation = Installation.objects.select_for_update().get(pk=1)
    if installation.next_send_at is not None and installation.next_send_at > moment:
        return False
    installation.next_send_at = moment + datetime.timedelta(seconds=1 / rate)
    installation.save(update_fields=["next_send_at"])
    return True


def waiting(environment: str) -> int:
    """How many submissions wait to be sent."""
    return Submission.objects.filter(environment=environment, state=State.QUEUED).count()


def query_oid(environment: str) -> str:
    """The OID that a check asks for: our base OID, else our first record, else the gateway."""
    redox = gateway.environment(environment)
    if redox.base_oids:
        return redox.base_oids[0]
    first = Organization.objects.in_environment(environment).order_by("oid_key").values_list("oid", flat=True).first()
    return first or redox.gateway_oid


def _check(environment: str) -> tuple[Check, bytes | None]:
    word = Environment(environment).label
    redox = gateway.environment(environment)
    oid = query_oid(environment)
    try:
        answer, exchange = gateway.ask(redox, messages.query(oid, redox))
    except gateway.DoorClosed as closed:
        return Check(False, str(closed), {}), None
    if exchange is None:
        said = _explained(answer.outcome, redox, answer.clock_difference)
        cause = token_cause(answer)
        return Check(False, f"No token for {word}: {cause}", {"token_ms": answer.duration_ms, **said}), None
    facts: dict[str, str | int | bool] = {
        "token_ms": answer.duration_ms,
        "query_ms": exchange.duration_ms,
        "oid": oid,
        "redox_date": exchange.headers.get("date", ""),
        **_explained(classify(exchange, event=messages.QUERY, oid=oid, expects="query"), redox),
    }
    return _read_check(exchange, oid, facts), exchange.body


def _read_check(exchange: Exchange, oid: str, facts: dict[str, str | int | bool]) -> Check:
    if exchange.status is None:
        return Check(False, f"The Query got no answer: {exchange.fault_text}", facts)
    if exchange.status == HTTPStatus.UNAUTHORIZED:
        return Check(False, "Redox did not accept the credential for the Query.", facts)
    try:
        found = messages.read_query_answer(decoded(exchange))
    except (AnswerNotUnderstood, NotDecodable):
        return Check(False, f"The answer to the Query was not understood (HTTP {exchange.status}).", facts)
    record = next((each for each in found if each.oid == oid), None)
    facts |= {
        "known": record is not None,
        "name": record.name if record else "",
        "active": bool(record and record.active),
    }
    return Check(True, "Got a token and an answer to a Query. It did not write.", facts)


def _explained(
    outcome: Outcome | None, redox: RedoxEnvironment, clock_difference: float | None = None
) -> dict[str, str]:
    """Headline and cause in plain words. A Query that got no clear answer needs none: it has no effect."""
    if outcome is None or outcome.kind in (Kind.ACCEPTED, Kind.UNKNOWN):
        return {}
    said = explain(outcome, Context(environment=redox, clock_difference=clock_difference))
    return {"headline": said.headline, "cause": said.cause}


def token_cause(answer: TokenAnswer) -> str:
    """Why there is no token, in Redox's words where it gave any."""
    detail = answer.outcome.detail if answer.outcome else ""
    return answer.error_description or answer.error or detail or "Redox gives no reason."


def _note(
    history: audit.History, action: Action, gate: EnvironmentGate, *, raw: bytes | None = None, **body: Any
) -> None:
    history.add(
        action,
        raw=raw,
        object={"type": "environment", "id": gate.environment, "name": Environment(gate.environment).label},
        environment=gate.environment,
        **body,
    )
