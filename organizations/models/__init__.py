"""The local mirror, the outbox and the history. Only services/ saves; everybody may read."""

from .audit import Action, AuditEntry, AuditHead
from .gate import EnvironmentGate, Installation, Worker
from .organization import Basis, DestinationSource, Environment, Evidence, Organization, Presence, RecordKind
from .parts import Contact, Identifier
from .plan import Plan, PlanKind, PlanState
from .structure import StructureLock
from .submission import Event, Intent, State, Submission, Verdict
from .take_over import Candidate, CandidateState, TakeOver, TakeOverKind, TakeOverState
from .throttle import Repetition, Throttle
from .user import RoleGrant, User

__all__ = [
    "Action",
    "AuditEntry",
    "AuditHead",
    "Basis",
    "Candidate",
    "CandidateState",
    "Contact",
    "DestinationSource",
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
    "RecordKind",
    "Repetition",
    "RoleGrant",
    "State",
    "StructureLock",
    "Submission",
    "TakeOver",
    "TakeOverKind",
    "TakeOverState",
    "Throttle",
    "User",
    "Verdict",
    "Worker",
]
