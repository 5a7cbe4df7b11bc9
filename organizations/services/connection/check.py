"""The connection check: gets a token and looks up one OID. It never writes to the directory."""

from dataclasses import dataclass
from http import HTTPStatus

from organizations.models import Action, Environment, clock
from organizations.redox.client import Exchange
from organizations.redox.environment import RedoxEnvironment
from organizations.redox.errors import ExplanationContext, explain
from organizations.redox.outcome import Kind
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import lookup, redox_requests, redox_settings
from organizations.services.connection.breaker import apply_outcome, lock_gate, log_environment
from organizations.services.connection.lookup import oid_to_check


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """The result of a connection check. `facts` are stored and shown beside the sentence."""

    succeeded: bool
    sentence: str
    facts: dict[str, str | int | bool]


def check_connection(environment: str, *, actor: Actor) -> ConnectionCheck:
    """Get a token, look up one OID, and store the result with the gate and in the history.

    While Redox asks the portal to wait, nothing is sent or stored; the result says until when.
    """
    try:
        redox_requests.check_sending_allowed(redox_settings.environment(environment))
    except redox_requests.RedoxAskedToWait as wait:
        return ConnectionCheck(False, str(wait), {})
    except redox_requests.SendingBlocked:
        pass  # stored below as a failed check
    redox, oid = redox_settings.environment(environment), oid_to_check(environment)
    answer = lookup.look_up_oid(redox, oid)
    result = _judge(answer, redox, oid)
    with audit.atomic(actor) as history:
        gate = lock_gate(environment)
        if answer.outcome is not None and answer.outcome.hold_seconds is not None:
            apply_outcome(history, gate, answer.outcome)
        gate.checked_at, gate.checked_by = clock.now(), actor.name
        gate.check_succeeded = result.succeeded
        gate.check_facts = {"sentence": result.sentence, **result.facts}
        gate.save(update_fields=["checked_at", "checked_by", "check_succeeded", "check_facts"])
        for earlier in answer.earlier:
            detail = earlier.cause or "one of three Queries, answered by an empty list"
            log_environment(
                history, Action.ENVIRONMENT_CHECKED, gate, detail=detail, **exchanges.exchange_body(earlier.exchange)
            )
        details = {"detail": result.sentence, "details": result.facts}
        log_environment(
            history, Action.ENVIRONMENT_CHECKED, gate, **details, **exchanges.exchange_body(answer.exchange)
        )
    return result


def _judge(answer: lookup.DirectoryAnswer, redox: RedoxEnvironment, oid: str) -> ConnectionCheck:
    exchange, token = answer.exchange, answer.token
    if answer.outcome is None:
        return ConnectionCheck(False, answer.cause, {})
    if exchange is None or token.outcome is not None:
        sentence = f"No token for {Environment(redox.name).label}: {answer.cause}"
        return ConnectionCheck(False, sentence, {"token_ms": token.duration_ms, **_explanation_facts(answer, redox)})
    facts: dict[str, str | int | bool] = {
        "token_ms": token.duration_ms,
        "query_ms": exchange.duration_ms,
        "oid": oid,
        "redox_date": exchange.headers.get("date", ""),
        # A check proves something only for the settings that it was made with.
        "fingerprint": redox_settings.fingerprint(redox.name),
        **_explanation_facts(answer, redox),
    }
    if not answer.is_answered:
        return ConnectionCheck(False, _failure_sentence(exchange, answer), facts)
    facts |= {
        "known": answer.record is not None,
        "name": answer.record.name if answer.record else "",
        "active": bool(answer.record and answer.record.active),
    }
    return ConnectionCheck(True, "Got a token and an answer to a Query. It wrote nothing to the directory.", facts)


def _failure_sentence(exchange: Exchange, answer: lookup.DirectoryAnswer) -> str:
    if exchange.fault is not None:
        return f"The Query got no whole answer: {exchange.fault_text}"
    if exchange.status == HTTPStatus.UNAUTHORIZED:
        return "Redox did not accept the credential for the Query."
    if exchange.status == HTTPStatus.OK:
        return answer.cause
    if answer.wait_until:
        return f"The Query was not processed: {answer.cause}"
    return f"The answer to the Query was not understood (HTTP {exchange.status})."


def _explanation_facts(answer: lookup.DirectoryAnswer, redox: RedoxEnvironment) -> dict[str, str]:
    """The explanation of a refusal. An unclear answer needs none, since a Query has no effect."""
    outcome = answer.outcome
    if outcome is None or outcome.kind in (Kind.ACCEPTED, Kind.UNKNOWN):
        return {}
    difference = answer.token.clock_difference if answer.token.outcome is not None else None
    explanation = explain(
        outcome, ExplanationContext(environment=redox, clock_difference=difference, at=answer.wait_until)
    )
    return {
        "headline": explanation.headline,
        "cause": explanation.cause,
        "step": explanation.step,
        "step_key": explanation.step_key,
    }
