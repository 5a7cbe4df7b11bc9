"""The state of an environment in words: connected, not checked, stopped, waiting, paused."""

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from organizations.models import Environment, EnvironmentGate, clock
from organizations.services.connection import breaker, redox_settings
from organizations.text import vocabulary


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """The state of one environment. `sentence` may quote text from elsewhere; `time` is that of the last check."""

    environment: Environment
    key: str
    word: str
    icon: str
    sentence: str
    time: datetime.datetime | None
    tone: str
    help_anchor: str


def environment_state(gate: EnvironmentGate) -> EnvironmentState:
    """The state of an environment, from its settings and its circuit breaker (`gate`)."""
    environment = Environment(gate.environment)
    word = vocabulary.ENVIRONMENT_STATE[_state_key(gate)]
    sentence = word.say(
        environment=environment.label,
        time=_clock(_time_of(word.key, gate)),
        cause=_cause_of(word.key, gate),
        failures=gate.failures,
        k=breaker.count_waiting(environment) if word.key in ("stopped", "paused") else 0,
    )
    return EnvironmentState(
        environment, word.key, word.word, word.icon, sentence, gate.checked_at, word.tone, word.help_anchor
    )


def _state_key(gate: EnvironmentGate) -> str:
    connection = redox_settings.connection(gate.environment)
    if not connection.is_connected:
        return "faulty" if connection.error else "not_connected"
    if gate.is_stopped:
        return "stopped"
    if gate.is_paused(clock.now()):
        return "paused" if gate.probing else "waiting"
    if gate.checked_at is None or gate.check_facts.get("fingerprint") != redox_settings.fingerprint(gate.environment):
        return "not_checked"
    return "connected" if gate.check_succeeded else "check_failed"


def _time_of(key: str, gate: EnvironmentGate) -> datetime.datetime | None:
    return {
        "stopped": gate.stopped_at,
        "waiting": gate.hold_until,
        "paused": gate.hold_until,
        "connected": gate.checked_at,
        "check_failed": gate.checked_at,
        "not_checked": settings.STARTED_AT,
    }.get(key)


def _cause_of(key: str, gate: EnvironmentGate) -> str:
    cause = {
        "stopped": gate.stopped_reason,
        "faulty": redox_settings.connection(gate.environment).error,
        "check_failed": str(gate.check_facts.get("sentence", "")),
    }.get(key, "")
    return cause.rstrip(".")


def _clock(moment: datetime.datetime | None) -> str:
    return vocabulary.moment_text(timezone.localtime(moment), timezone.now(), "clock") if moment else ""
