"""Accounts: their roles, who closed them, and how many open submissions a person has."""

import datetime
from typing import NamedTuple

from django.contrib.auth.models import Group

from organizations.models import Action, AuditEntry, Environment, Submission, User
from organizations.permissions import ROLES, Right


class ClosedAccount(NamedTuple):
    """When an account was closed, and the name and user name of the person who closed it."""

    at: datetime.datetime
    by: str
    username: str


def everybody() -> list[User]:
    """All accounts by user name, with their roles and who gave these."""
    return list(User.objects.order_by("username").prefetch_related("groups", "role_grants"))


def active_others(user: User) -> list[User]:
    """Everybody else who can sign in, with their roles."""
    return list(User.objects.filter(is_active=True).exclude(pk=user.pk).prefetch_related("groups"))


def roles_of(user: User) -> list[Group]:
    return list(user.groups.all())


def has_anybody() -> bool:
    return User.objects.exists()


def rights_by_role(user: User) -> frozenset[Right]:
    """The rights of a person's roles, even if the account is closed. No query if the roles were fetched."""
    rights = frozenset(right for group in user.groups.all() for right in ROLES.get(group.name, ()))
    return rights | {Right.MANAGE_PEOPLE} if user.is_superuser else rights


def open_submission_counts(user: User) -> dict[Environment, int]:
    submissions = Submission.objects.open().filter(submitter=user)
    return {environment: submissions.in_environment(environment).count() for environment in Environment}


def closed_accounts() -> dict[str, ClosedAccount]:
    """The closed accounts by their id as text, from the history."""
    closed: dict[str, ClosedAccount] = {}
    for entry in AuditEntry.objects.filter(action=Action.PERSON_CHANGED).order_by("sequence").only("body", "at"):
        facts = entry.facts
        identity, is_active = facts.get("object", {}).get("id", ""), facts.get("details", {}).get("active")
        if is_active:
            closed.pop(identity, None)
        elif is_active is False:
            actor = facts["actor"]
            closed.setdefault(identity, ClosedAccount(entry.at, actor["name"], actor.get("username", "")))
    return closed
