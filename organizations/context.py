"""What the frame of every page shows: the environment, its state, the person, what is open."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from organizations import permissions, words
from organizations.models import Environment, EnvironmentGate, Submission, User, clock
from organizations.permissions import Right
from organizations.services import demonstration, environments, gateway, workers
from orgportal import RELEASE

# Which entry of the menu a page belongs to; every other page of an environment belongs to its organizations.
SECTIONS = {
    "home": "home",
    "audit": "audit",
    "audit-entry": "audit",
    "help": "help",
    "submissions": "submissions",
    "submission": "submissions",
    "plans": "submissions",
    "plan": "submissions",
    "connection": "connection",
}

CLOSED = ("stopped", "waiting", "paused")
"""States of an environment in which a person or the portal itself holds back what is queued."""


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


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    roles: str
    can: str
    cannot: str


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor behind base.html; its names are listed there."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"demonstration_behaviours": [], "section": ""}
    match = request.resolver_match
    environment = match.kwargs.get("environment", "") if match else ""
    context: dict[str, Any] = {
        "section": SECTIONS.get(match.url_name or "", "organizations" if environment else "") if match else "",
        "person": _person(user),
        "demonstration_behaviours": _behaviours(),
        "workers_absent_since": workers.absent_since(),
        "strange_workers": workers.strangers(),
        "release": RELEASE,
        "environment": str(environment),
    }
    return context | (_environment(environment, context["section"]) if environment else {"banners": _closed_gates()})


def environment_state(environment: str, gate: EnvironmentGate | None = None) -> EnvironmentState:
    """The state of an environment, from its settings and its gate."""
    chosen = Environment(environment)
    gate = gate or EnvironmentGate.objects.get(pk=environment)
    moment = clock.now()
    wording = words.ENVIRONMENT_STATE[_state_key(environment, gate, moment)]
    sentence = wording.say(
        environment=chosen.label,
        time=_clock(_time_of(wording.key, gate)),
        cause=_cause_of(wording.key, gate),
        failures=gate.failures,
        k=environments.waiting(environment) if wording.key in ("stopped", "paused") else 0,
    )
    return EnvironmentState(chosen, wording.key, wording.word, wording.icon, sentence, gate.checked_at, wording.tone)


def _closed_gates() -> list[EnvironmentState]:
    """On pages about both environments: those to which nothing is sent at present."""
    gates = EnvironmentGate.objects.order_by("environment")
    states = [environment_state(gate.environment, gate) for gate in gates if gate.is_stopped or gate.hold_until]
    return [state for state in states if state.key in CLOSED]


def _environment(environment: str, section: str) -> dict[str, Any]:
    chosen = Environment(environment)
    state = environment_state(environment)
    # Connection says the same in its head.
    is_shown = section != "connection" and state.key not in ("connected", "not_checked")
    return {
        "environment_word": chosen.label,
        "environment_label": gateway.label(environment),
        "environment_state": state,
        "banners": [state] if is_shown else [],
        "other_environment": chosen.other.value,
        "open_submissions": Submission.objects.open().in_environment(environment).count(),
    }


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
    return words.moment(timezone.localtime(moment), timezone.now(), "clock") if moment else ""


def _person(user: User) -> Person:
    held = permissions.rights_of(user)
    return Person(
        name=user.get_full_name() or user.get_username(),
        roles=permissions.role_of(user),
        can="; ".join(permissions.ACTS[right] for right in Right if right in held),
        cannot="; ".join(permissions.ACTS[right] for right in Right if right not in held),
    )


def _behaviours() -> list[tuple[str, str, bool]]:
    if not settings.DEMO:
        return []
    now = demonstration.behaviour()
    return [(word, label, word == now) for word, label in demonstration.BEHAVIOURS]
