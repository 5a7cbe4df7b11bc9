"""The connection check: get a token and look one OID up. It never writes to the directory."""

from dataclasses import dataclass
from http import HTTPStatus

from organizations.models import Action, Environment, clock
from organizations.redox.client import Exchange
from organizations.redox.environment import RedoxEnvironment
from organizations.redox.errors import ExplanationContext, explain
from organizations.redox.outcome import Kind
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import gateway, lookup
from organizations.services.connection.breaker import apply_outcome, lock_gate, log_environment
from organizations.services.connection.lookup import oid_to_check


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """What a connection check found. It read and wrote nothing."""

    succeeded: bool
    sentence: str
    facts: dict[str, str | int | bool]


def check_connection(environment: str, *, actor: Actor) -> ConnectionCheck:
    """Get a token and look one OID up. Never writes to the directory.

    While Redox asked to wait nothing is asked and nothing recorded: the check only says until when.
    """
    try:
        gateway.check_sending_allowed(gateway.environment(environment))
    except gateway.RedoxAskedToWait as wait:
        return ConnectionCheck(False, str(wait), {})
    except gateway.SendingBlocked:
        pass  # recorded below, as a check that failed
    found, answer = _run_check(environment)
    with audit.recorded(actor) as history:
        gate = lock_gate(environment)
        if answer.outcome is not None and answer.outcome.hold_seconds is not None:
            apply_outcome(history, gate, answer.outcome)
        gate.checked_at, gate.checked_by = clock.now(), actor.name
        gate.check_succeeded = found.succeeded
        gate.check_facts = {"sentence": found.sentence, **found.facts}
        gate.save(update_fields=["checked_at", "checked_by", "check_succeeded", "check_facts"])
        for earlier in answer.earlier:
            detail = earlier.cause or "one of three Queries, answered by an empty list"
            log_environment(
                history, Action.ENVIRONMENT_CHECKED, gate, detail=detail, **exchanges.exchange_body(earlier.exchange)
            )
        details = {"detail": found.sentence, "details": found.facts}
        log_environment(
            history, Action.ENVIRONMENT_CHECKED, gate, **details, **exchanges.exchange_body(answer.exchange)
        )
    return found


def _run_check(environment: str) -> tuple[ConnectionCheck, lookup.DirectoryAnswer]:
    redox = gateway.environment(environment)
    oid = oid_to_check(environment)
    answer = lookup.look_up_oid(redox, oid)
    return _judge(answer, redox, oid), answer


def _judge(answer: lookup.DirectoryAnswer, redox: RedoxEnvironment, oid: str) -> ConnectionCheck:
    exchange, token = answer.exchange, answer.token
    if answer.outcome is None:
        return ConnectionCheck(False, answer.cause, {})
    if exchange is None or token.outcome is not None:
        said = _explanation_facts(answer, redox)
        word = Environment(redox.name).label
        return ConnectionCheck(False, f"No token for {word}: {answer.cause}", {"token_ms": token.duration_ms, **said})
    facts: dict[str, str | int | bool] = {
        "token_ms": token.duration_ms,
        "query_ms": exchange.duration_ms,
        "oid": oid,
        "redox_date": exchange.headers.get("date", ""),
        # A check says nothing of other settings than those it was made with.
        "fingerprint": gateway.settings_fingerprint(redox.name),
        **_explanation_facts(answer, redox),
    }
    if not answer.was_asked:
        return ConnectionCheck(False, _failure_sentence(exchange, answer), facts)
    facts |= {
        "known": answer.record is not None,
        "name": answer.record.name if answer.record else "",
        "active": bool(answer.record and answer.record.active),
    }
    return ConnectionCheck(True, "Got a token and an answer to a Query. It did not write.", facts)


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
    """Headline and cause in plain words. A Query that got no clear answer needs none: it has no effect."""
    outcome = answer.outcome
    if outcome is None or outcome.kind in (Kind.ACCEPTED, Kind.UNKNOWN):
        return {}
    difference = answer.token.clock_difference if answer.token.outcome is not None else None
    said = explain(outcome, ExplanationContext(environment=redox, clock_difference=difference, at=answer.wait_until))
    return {"headline": said.headline, "cause": said.cause, "step": said.step, "step_key": said.step_key}
