"""Accounts and roles in words: who can do what, who gave the roles, and what closing an account means."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group

from organizations.models import Environment, RoleGrant, User
from organizations.permissions import ACTS, ROLES, Right
from organizations.queries import people as queries
from organizations.queries.people import ClosedAccount, rights_by_role
from organizations.services.actors import name_with_username
from organizations.text.markup import plain, written
from organizations.text.vocabulary import count

ON_THE_MACHINE = "made on the machine"
_SHORT = {
    Right.VIEW: "read",
    Right.EDIT: "edit",
    Right.SEND_STAGING: "send to STAGING",
    Right.SEND_PRODUCTION: "send to PRODUCTION",
    Right.RESOLVE: "decide",
    Right.EXPORT: "export",
    Right.MANAGE_PEOPLE: "manage people",
}
"""What a person can do, for a column: shorter than `ACTS`."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in the list. `closed` says when and by whom the account was closed; "" for an open account."""

    user: User
    roles: list[str]
    can: str
    given_by: list[str]
    closed: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Everybody with an account: those who can sign in, and those who no longer can."""

    active: list[PersonRow]
    closed: list[PersonRow]

    @property
    def active_words(self) -> str:
        return f"{count(len(self.active), 'person', 'people')} can sign in."

    @property
    def closed_words(self) -> str:
        return f"{count(len(self.closed), 'person', 'people')} can no longer sign in"


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role, what it lets a person do, and who gave it to one person; "" if the person does not have it."""

    name: str
    acts: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class ClosingEffects:
    """`others` are (what the person can do, who else can do it), `submissions` (environment, how many are open)."""

    others: list[tuple[str, str]]
    submissions: list[tuple[Environment, str]]


def people() -> People:
    everybody = queries.everybody()
    closed = queries.closed_accounts() if any(not user.is_active for user in everybody) else {}
    rows = [_row(user, _closed_text(closed.get(str(user.pk)))) for user in everybody]
    return People([row for row in rows if row.user.is_active], [row for row in rows if not row.user.is_active])


def roles() -> list[RoleRow]:
    """All roles and what they let a person do."""
    return [RoleRow(name, _acts(rights)) for name, rights in ROLES.items()]


def roles_of(user: User, groups: Iterable[Group]) -> list[RoleRow]:
    """These roles, with who gave them to this person. The account may be a new one."""
    roles_given = user.roles_given() if user.pk else []
    given = {
        name: f"Given by {_giver(grant)}." if grant else "Given before this was recorded."
        for name, grant in roles_given
    }
    return [
        RoleRow(group.name, _acts(ROLES.get(group.name, frozenset())), given.get(group.name, "")) for group in groups
    ]


def close_block_reason(user: User, by: User) -> str:
    """Why this administrator cannot close this account; "" if they can."""
    if user == by:
        return "You cannot close your own account. Ask another administrator."
    return "" if user.is_active else "This account is closed already."


def password_block_reason(user: User, by: User) -> str:
    """Why this administrator cannot make a new first password for this person; "" if they can."""
    if user == by:
        return "Change your own password on your account page: it asks for the old one."
    if user.is_superuser:
        return f"Only {plain(user.display_name)} can set this password: the account was made at the machine."
    return ""


def closing_effects(user: User) -> ClosingEffects:
    """What closing this account means for the work of other people."""
    others = queries.active_others(user)
    rights = rights_by_role(user) - {Right.VIEW}
    return ClosingEffects(
        [
            (ACTS[right], ", ".join(other.display_name for other in others if right in rights_by_role(other)))
            for right in Right
            if right in rights
        ],
        [
            (environment, count(number, "open submission"))
            for environment, number in queries.open_submission_counts(user).items()
            if number
        ],
    )


def _row(user: User, closed: str) -> PersonRow:
    given = user.roles_given()
    names, givers = [name for name, _ in given], [_giver(grant) for _, grant in given]
    if len(set(givers)) > 1:
        givers = [f"{name}: {giver}" for name, giver in zip(names, givers, strict=True)]
    if user.is_superuser:
        names, givers = [*names, ON_THE_MACHINE], [*givers, "the command createsuperuser"]
    return PersonRow(user, names, _can(rights_by_role(user)), list(dict.fromkeys(givers)), closed)


def _giver(grant: RoleGrant | None) -> str:
    return f"{plain(grant.given_by)}, {written(grant.given_at, 'day')}" if grant else "not recorded"


def _can(rights: frozenset[Right]) -> str:
    """Everybody with a role can read: the column says so only for people who can do little else."""
    left_out = {Right.VIEW} if rights & {Right.EDIT, Right.MANAGE_PEOPLE} else set()
    can = "; ".join(_SHORT[right] for right in Right if right in rights - left_out)
    return can.replace(f"{_SHORT[Right.SEND_STAGING]}; {_SHORT[Right.SEND_PRODUCTION]}", "send to both")


def _acts(rights: frozenset[Right]) -> str:
    return "; ".join(ACTS[right] for right in Right if right in rights)


def _closed_text(closed: ClosedAccount | None) -> str:
    if closed is None:
        return ""
    return f"{written(closed.at, 'day')}, by {plain(name_with_username(closed.by, closed.username))}"
