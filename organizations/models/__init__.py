"""The local mirror, the outbox and the history. Only services/ saves; everybody may read."""

from .audit import Action, AuditEntry, AuditHead
from .gate import EnvironmentGate, Installation, Worker
from .organization import Basis, Environment, Evidence, Organization, Presence, StandsFor
from .parts import Contact, Identifier
from .plan import Plan, PlanKind, PlanState
from .structure import StructureLock
from .submission import Event, Intent, State, Submission, Verdict
from .throttle import Repetition, Throttle
from .user import RoleGrant, User

__all__ = [
    "Action",
    "AuditEntry",
    "AuditHead",
    "Basis",
    "Contact",
    "Environment",
    "EnvironmentGate",
    "Event",
    "Evidence",
    "Identifier",
    "Installation",
    "Intent",
    "Organization",
    "Plan",
    "PlanKind",
    "PlanState",
    "Presence",
    "Repetition",
    "RoleGrant",
    "StandsFor",
    "State",
    "StructureLock",
    "Submission",
    "Throttle",
    "User",
    "Verdict",
    "Worker",
]
