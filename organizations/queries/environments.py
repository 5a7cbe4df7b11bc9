"""The circuit breakers of the environments: whether messages are sent, and what the last check found."""

from collections.abc import Mapping

from organizations.models import EnvironmentGate


def gate_of(environment: str) -> EnvironmentGate:
    return EnvironmentGate.objects.get(pk=environment)


def gates() -> Mapping[str, EnvironmentGate]:
    """All circuit breakers by environment; one query."""
    return EnvironmentGate.objects.in_bulk()
