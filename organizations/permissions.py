"""Who may do what. Rights come from groups only: being a superuser gives none of them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import F

from organizations.models import Environment, User


class Right(StrEnum):
    """The codenames of the portal's own permissions."""

    VIEW = "view_portal"
    EDIT = "edit_records"
    SEND_STAGING = "send_to_staging"
    SEND_PRODUCTION = "send_to_production"
    RESOLVE = "resolve_submissions"
    EXPORT = "export_history"
    MANAGE_PEOPLE = "manage_people"


# What each right allows, as the end of "You can ...".
ACTS = {
    Right.VIEW: "read records and history",
    Right.EDIT: "edit records",
    Right.SEND_STAGING: "send to STAGING",
    Right.SEND_PRODUCTION: "send to PRODUCTION",
    Right.RESOLVE: "decide what became of a submission",
    Right.EXPORT: "export the history",
    Right.MANAGE_PEOPLE: "manage people and roles",
}

# Acts that need a more exact text than that in ACTS, in the sentence about a missing right.
ASK, CANCEL = "ask the directory", "cancel a submission"

ROLES: dict[str, frozenset[Right]] = {
    "viewer": frozenset({Right.VIEW}),
    "editor": frozenset({Right.VIEW, Right.EDIT, Right.SEND_STAGING}),
    "approver": frozenset({Right.VIEW, Right.EDIT, Right.SEND_STAGING, Right.SEND_PRODUCTION, Right.RESOLVE}),
    "auditor": frozenset({Right.VIEW, Right.EXPORT}),
    "administrator": frozenset({Right.VIEW, Right.MANAGE_PEOPLE}),
}


def rights_of(user: User) -> frozenset[str]:
    """The rights of a person, from their groups. A request reads them once: the user object caches rights and roles."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return _access(user).rights


class _Access(NamedTuple):
    rights: frozenset[str]
    roles: tuple[str, ...]


def _access(user: User) -> _Access:
    access: _Access | None = getattr(user, "_access", None)
    if access is None:
        access = _keep_access(user, user.groups.values_list("name", *_OF_GROUP))
    return access


_OF_GROUP = ("permissions__codename", "permissions__content_type__app_label")


def _keep_access(user: User, rows: Iterable[tuple[str, str, str]]) -> _Access:
    """Keep the roles and rights of a person for this request: `rows` are roles with a codename and its app."""
    roles, rights = set(), set()
    for role, right, area in rows:
        roles.add(role)
        if area == "organizations":
            rights.add(right)
    access = _Access(frozenset(rights), tuple(sorted(roles)))
    user._access = access  # type: ignore[attr-defined]
    return access


def person_with_rights(number: int) -> User | None:
    """The account with this id, and its roles and rights, as they are now; one query."""
    of_groups = {"role": F("groups__name"), "right": F(f"groups__{_OF_GROUP[0]}"), "area": F(f"groups__{_OF_GROUP[1]}")}
    people: list[Any] = list(User.objects.filter(pk=number).annotate(**of_groups))
    if not people:
        return None
    _keep_access(people[0], [(each.role, each.right, each.area) for each in people if each.role is not None])
    person: User = people[0]
    return person


def may(user: User, right: Right) -> bool:
    return right in rights_of(user)


def manages_people(user: User) -> bool:
    """Whether a person can change accounts and roles: they have the right, or are a superuser."""
    return user.is_active and (user.is_superuser or may(user, Right.MANAGE_PEOPLE))


def right_to_send(environment: str) -> Right:
    """The right that sending to this environment needs."""
    return Right.SEND_PRODUCTION if environment == Environment.PRODUCTION else Right.SEND_STAGING


def roles_in_words(user: User) -> str:
    """The roles of a person in words, for the menu."""
    return ", ".join(_access(user).roles) or "no role"


def people_with(right: Right) -> list[str]:
    """The names of the people who have a right, for the sentence that names whom to ask."""
    return list(people_by_right([right])[right].values())


def people_by_right(rights: Iterable[Right]) -> dict[str, dict[int, str]]:
    """The names of the people who have each of these rights, by right and id. One query."""
    names: dict[str, dict[int, str]] = {right: {} for right in rights}
    active = User.objects.filter(is_active=True).annotate(right=F("groups__permissions__codename"))
    people = active.filter(right__in=list(names)).order_by("username")
    for user_id, first, last, username, right in people.values_list(
        "pk", "first_name", "last_name", "username", "right"
    ):
        names[right][user_id] = f"{first} {last}".strip() or username
    return names


def roles_with(right: Right) -> list[str]:
    return [f"{name.capitalize()}s" for name, rights in ROLES.items() if right in rights]


def act_in(right: Right, environment: str = "", act: str = "") -> str:
    """An act and its environment: "check the connection in STAGING". `act` names it if the right covers several."""
    act = act or ACTS[right]
    label = environment.upper()
    return act if label in act else f"{act} in {label}"


def refusal(right: Right, environment: str = "", act: str = "") -> str:
    """The sentence beside a disabled button and on the page 403."""
    names = ", ".join(people_with(right)) or "nobody yet"
    return f"You cannot {act_in(right, environment, act)}. {' and '.join(roles_with(right))} can: {names}."


def block_reason(user: User, right: Right, environment: str = "", act: str = "") -> str:
    """The sentence beside a disabled button; "" if the person has the right."""
    return "" if may(user, right) else refusal(right, environment, act)
