"""The context processor of base.html: the environment, its state, the person, and the open submissions."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from organizations import permissions
from organizations.models import Environment, EnvironmentGate, Submission, User
from organizations.pages.environment_state import EnvironmentState, environment_state
from organizations.permissions import Right
from organizations.services import demonstration
from organizations.services.connection import redox_settings
from organizations.services.delivery import heartbeat
from orgportal import RELEASE

# The menu entry of each page. Every other page of an environment belongs to its organizations.
SECTIONS = {
    "home": "home",
    "audit": "audit",
    "audit-entry": "audit",
    "help": "help",
    "submissions": "submissions",
    "submission": "submissions",
    "plans": "submissions",
    "plan": "submissions",
    "directory": "directory",
    "connection": "connection",
    "take-over": "directory",
    "take-over-list": "directory",
    "take-over-values": "directory",
    "take-over-link": "directory",
    "roll-call": "directory",
}

MOST_OPEN = 1_000
"""How many open submissions the menu counts. If there are more, it says so."""

BLOCKING_STATES = ("stopped", "waiting", "paused")
"""Keys of the environment states in which nothing is sent: the circuit breaker is open."""


EMPTY: dict[str, Any] = {
    "banners": (),
    "csp_nonce": "",
    "demonstration_behaviours": (),
    "environment": "",
    "environment_label": "",
    "environment_state": None,
    "environment_word": "",
    "form": None,
    "messages": (),
    "mismatched_workers": (),
    "no_worker_since": None,
    "open_submissions": "",
    "other_environment": "",
    "person": None,
    "release": RELEASE,
    "section": "",
    "switch_url": "",
}
"""The default values of the names of base.html, for pages without `frame`. Every template has these names."""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    roles: str
    can: str
    cannot: str


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context that base.html needs; empty if the request has no user yet."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    match = request.resolver_match
    environment = match.kwargs.get("environment", "") if match else ""
    workers = heartbeat.workers_state()
    context: dict[str, Any] = {
        "section": SECTIONS.get(match.url_name or "", "organizations" if environment else "") if match else "",
        "person": _person(user),
        "demonstration_behaviours": _behaviours(),
        "no_worker_since": workers.no_worker_since,
        "mismatched_workers": workers.mismatched,
        "environment": str(environment),
    }
    if not environment:
        return context | {"banners": _blocked_environments()}
    return context | _environment(environment, context["section"])


def _blocked_environments() -> list[EnvironmentState]:
    """The environments to which nothing is sent now, for pages about both."""
    gates = EnvironmentGate.objects.order_by("environment")
    states = [environment_state(gate) for gate in gates if gate.is_stopped or gate.hold_until]
    return [state for state in states if state.key in BLOCKING_STATES]


def _environment(environment: str, section: str) -> dict[str, Any]:
    state = environment_state(EnvironmentGate.objects.get(pk=environment))
    # The Connection page shows the state itself.
    has_banner = section != "connection" and state.key not in ("connected", "not_checked")
    return {
        "environment_word": Environment(environment).label,
        "environment_label": redox_settings.label(environment),
        "environment_state": state,
        "banners": [state] if has_banner else [],
        "other_environment": Environment(environment).other.value,
        "open_submissions": _open_submissions(environment),
    }


def _open_submissions(environment: str) -> str:
    """How many submissions are open, for the menu: "57", "1,000+", or "" if there are none."""
    number = Submission.objects.open().in_environment(environment).order_by()[: MOST_OPEN + 1].count()
    return f"{MOST_OPEN:,}+" if number > MOST_OPEN else str(number or "")


def _person(user: User) -> Person:
    rights = permissions.rights_of(user)
    return Person(
        name=user.display_name,
        roles=permissions.roles_in_words(user),
        can="; ".join(permissions.ACTS[right] for right in Right if right in rights),
        cannot="; ".join(permissions.ACTS[right] for right in Right if right not in rights),
    )


def _behaviours() -> list[tuple[str, str, bool]]:
    if not settings.DEMO:
        return []
    current = demonstration.behaviour()
    return [(word, label, word == current) for word, label in demonstration.BEHAVIOURS]
