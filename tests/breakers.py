"""Stops and pauses of an environment, for tests."""

from organizations.models import EnvironmentGate
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker


def gate() -> EnvironmentGate:
    """The circuit breaker of STAGING."""
    return EnvironmentGate.objects.get(pk="staging")


def stop_environment(environment: str, reason: str, *, actor: Actor) -> None:
    """Open the circuit breaker until a person resumes it."""
    with audit.atomic(actor) as history:
        breaker.stop_sending(history, breaker.lock_gate(environment), reason)


def pause_environment(environment: str, seconds: float, reason: str, *, actor: Actor) -> None:
    """Open the circuit breaker for some seconds, as if Redox had asked for it."""
    with audit.atomic(actor) as history:
        breaker.pause_sending(history, breaker.lock_gate(environment), seconds, reason, is_asked_for=True)
