"""People and roles: who can sign in and do what, who gave them their roles, and what closing an account means."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group

from organizations.models import Action, AuditEntry, Environment, RoleGrant, Submission, User
from organizations.permissions import ACTS, ROLES, Right
from organizations.services.actors import name_with_username
from organizations.text import vocabulary
from organizations.text.markup import plain, written

ON_THE_MACHINE = "made on the machine"
# What a person can do, for a column: shorter than `ACTS`.
_SHORT = {
    Right.VIEW: "read",
    Right.EDIT: "edit",
    Right.SEND_STAGING: "send to STAGING",
    Right.SEND_PRODUCTION: "send to PRODUCTION",
    Right.RESOLVE: "decide",
    Right.EXPORT: "export",
    Right.MANAGE_PEOPLE: "manage people",
}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in the list. `closed` says when the account was closed and by whom, of a closed one."""

    user: User
    roles: list[str]
    can: str
    given_by: list[str]
    closed: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who has an account: those who can sign in, and those who no longer can."""

    active: list[PersonRow]
    closed: list[PersonRow]

    @property
    def active_words(self) -> str:
        return f"{vocabulary.count(len(self.active), 'person', 'people')} can sign in."

    @property
    def closed_words(self) -> str:
        return f"{vocabulary.count(len(self.closed), 'person', 'people')} can no longer sign in"


@dataclass(frozen=True, slots=True)
class Role:
    """A role, what it lets a person do, and who gave it to this person; "" if the person does not have it."""

    name: str
    acts: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """What follows when an account is closed: who else can do what its person can, and its open submissions."""

    others: list[tuple[str, str]]
    submissions: list[tuple[Environment, str]]


def people() -> People:
    """The list of people."""
    everybody = list(User.objects.order_by("username").prefetch_related("groups", "role_grants"))
    closings = _closings() if any(not user.is_active for user in everybody) else {}
    rows = [_row(user, closings.get(str(user.pk), "")) for user in everybody]
    return People([row for row in rows if row.user.is_active], [row for row in rows if not row.user.is_active])


def roles() -> list[Role]:
    """What the roles let a person do."""
    return [Role(name, _acts(rights)) for name, rights in ROLES.items()]


def roles_of(user: User, groups: Iterable[Group]) -> list[Role]:
    """These roles, with who gave them to this person, who may be a new one."""
    held = user.roles_given() if user.pk else []
    given = {name: f"Given by {_giver(grant)}." if grant else "Given before this was recorded." for name, grant in held}
    return [Role(each.name, _acts(ROLES.get(each.name, frozenset())), given.get(each.name, "")) for each in groups]


def why_not_close(user: User, by: User) -> str:
    """Why this administrator cannot close this account; "" if they can."""
    if user == by:
        return "Nobody closes their own account. Ask another administrator."
    return "" if user.is_active else "This account is closed already."


def why_no_password(user: User, by: User) -> str:
    """Why this administrator cannot make a new first password for this person; "" if they can."""
    if user == by:
        return "Change your own password on your account page: it asks for the old one."
    if user.is_superuser:
        return f"Only {plain(user.display_name)} can set this password: the account was made on the machine."
    return ""


def closing(user: User) -> Closing:
    """What closing this account means for the work of the others."""
    others = list(User.objects.filter(is_active=True).exclude(pk=user.pk).prefetch_related("groups"))
    open_submissions = Submission.objects.open().filter(submitter=user)
    counts = {each: open_submissions.in_environment(each).count() for each in Environment}
    return Closing(
        [
            (ACTS[right], ", ".join(other.display_name for other in others if right in _rights(other)))
            for right in Right
            if right in _rights(user) - {Right.VIEW}
        ],
        [(each, vocabulary.count(count, "open submission")) for each, count in counts.items() if count],
    )


def _row(user: User, closed: str) -> PersonRow:
    given = user.roles_given()
    names, by = [name for name, _ in given], [_giver(grant) for _, grant in given]
    if len(set(by)) > 1:
        by = [f"{name}: {giver}" for name, giver in zip(names, by, strict=True)]
    if user.is_superuser:
        names, by = [*names, ON_THE_MACHINE], [*by, "the command createsuperuser"]
    return PersonRow(user, names, _can(_rights(user)), list(dict.fromkeys(by)), closed)


def _giver(grant: RoleGrant | None) -> str:
    return f"{plain(grant.given_by)}, {written(grant.given_at, 'day')}" if grant else "not recorded"


def _rights(user: User) -> frozenset[Right]:
    held = frozenset(right for group in user.groups.all() for right in ROLES.get(group.name, ()))
    return held | {Right.MANAGE_PEOPLE} if user.is_superuser else held


def _can(rights: frozenset[Right]) -> str:
    """Everybody with a role reads: it is said of those who do little else."""
    left_out = {Right.VIEW} if rights & {Right.EDIT, Right.MANAGE_PEOPLE} else set()
    can = "; ".join(_SHORT[right] for right in Right if right in rights - left_out)
    return can.replace(f"{_SHORT[Right.SEND_STAGING]}; {_SHORT[Right.SEND_PRODUCTION]}", "send to both")


def _acts(rights: frozenset[Right]) -> str:
    return "; ".join(ACTS[right] for right in Right if right in rights)


def _closings() -> dict[str, str]:
    """Of each closed account, by its number as text, when it was closed and by whom: from the history."""
    closings: dict[str, str] = {}
    for entry in AuditEntry.objects.filter(action=Action.PERSON_CHANGED).order_by("sequence").only("body", "at"):
        facts = entry.facts
        number, is_active = facts.get("object", {}).get("id", ""), facts.get("details", {}).get("active")
        if is_active:
            closings.pop(number, None)
        elif is_active is False:
            by = name_with_username(facts["actor"]["name"], facts["actor"].get("username", ""))
            closings.setdefault(number, f"{written(entry.at, 'day')}, by {plain(by)}")
    return closings
