"""Who acts next on a line of the home page: the person who reads it, somebody with another right, or the portal."""

from organizations.models import User
from organizations.permissions import Right, may, roles_with, sending

_BY_ITSELF = {
    "unknown": "The portal finds out by itself.",
    "delayed": "The portal acts next.",
    "awaiting": "An approver acts next.",
}


def right_for(kind: str, environment: str) -> Right | None:
    """The right that the next step of such a line needs; None where no person has a step to take here."""
    match kind:
        case "needs_person":
            return Right.RESOLVE
        case "plan_paused":
            return sending(environment)
        case "unknown" | "delayed" | "awaiting":
            return None
    return Right.EDIT


def can_act(user: User, kind: str, environment: str) -> bool:
    """Whether this person can take the next step."""
    right = right_for(kind, environment)
    return right is not None and may(user, right)


def others_act(kind: str, environment: str) -> str:
    """Who acts next instead, in one sentence: "Editors and Approvers can act on this."."""
    right = right_for(kind, environment)
    return _BY_ITSELF[kind] if right is None else f"{' and '.join(roles_with(right))} can act on this."
