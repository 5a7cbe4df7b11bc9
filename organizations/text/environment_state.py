"""The state of an environment in words: connected, not checked, stopped, waiting, paused."""

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from organizations.models import Environment, EnvironmentGate, clock
from organizations.services.connection import breaker, gateway
from organizations.text import vocabulary


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """One environment's state in words, with the time that it rests on."""

    environment: Environment
    key: str
    word: str
    icon: str
    sentence: str  # may quote what others wrote
    time: datetime.datetime | None
    tone: str


def environment_state(environment: str, gate: EnvironmentGate | None = None) -> EnvironmentState:
    """The state of an environment, from its settings and its gate."""
    chosen = Environment(environment)
    gate = gate or EnvironmentGate.objects.get(pk=environment)
    moment = clock.now()
    wording = vocabulary.ENVIRONMENT_STATE[_state_key(environment, gate, moment)]
    sentence = wording.say(
        environment=chosen.label,
        time=_clock(_time_of(wording.key, gate)),
        cause=_cause_of(wording.key, gate),
        failures=gate.failures,
        k=breaker.count_waiting(environment) if wording.key in ("stopped", "paused") else 0,
    )
    return EnvironmentState(chosen, wording.key, wording.word, wording.icon, sentence, gate.checked_at, wording.tone)


def _state_key(environment: str, gate: EnvironmentGate, moment: datetime.datetime) -> str:
    connection = gateway.connection(environment)
    if not connection.is_connected:
        return "faulty" if connection.fault else "not_connected"
    if gate.is_stopped:
        return "stopped"
    if gate.hold_until is not None and gate.hold_until > moment:
        return "paused" if gate.probing else "waiting"
    if gate.checked_at is None or gate.check_facts.get("fingerprint") != gateway.settings_fingerprint(environment):
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
        "faulty": gateway.connection(gate.environment).fault,
        "check_failed": str(gate.check_facts.get("sentence", "")),
    }.get(key, "")
    return cause.rstrip(".")


def _clock(moment: datetime.datetime | None) -> str:
    return vocabulary.moment(timezone.localtime(moment), timezone.now(), "clock") if moment else ""
