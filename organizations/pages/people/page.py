"""Who has an account, with which roles and from whom; one account as an administrator changes it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from organizations.forms.account import AccountForm
from organizations.models import User
from organizations.pages import Page
from organizations.pages.people import accounts as shown
from organizations.pages.people.accounts import Closing, People, Role
from organizations.permissions import manages_people


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage(Page):
    """Everybody who has an account; `manages`: this person can change accounts."""

    template = "people/page.html"

    people: People
    roles: list[Role]
    manages: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPage(Page):
    """The form of a new account or of one that exists.

    `account` is the account as it is stored, `roles` each a box of the form, or None, with its role.
    """

    template = "people/form.html"

    form: AccountForm
    account: User
    roles: list[tuple[Any, Role]]
    why_no_password: str
    why_not_close: str
    notes: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePage(Page):
    """What closing an account means, or why this person cannot close it."""

    template = "people/close.html"

    account: User
    closing: Closing
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPage(Page):
    """The only page that shows a first password."""

    template = "people/password.html"

    account: User
    password: str = field(repr=False)


def build(user: User) -> PeoplePage:
    return PeoplePage(people=shown.people(), roles=shown.roles(), manages=manages_people(user))


def build_person(form: AccountForm, account: User, user: User, notes: Collection[str] = ()) -> PersonPage:
    """The form for this administrator. It writes what was typed into its own account: `account` is another object."""
    boxes = list(form["groups"]) if "groups" in form.fields else []
    groups = [box.data["value"].instance for box in boxes] if boxes else account.groups.all()
    return PersonPage(
        form=form,
        account=account,
        roles=list(zip_longest(boxes, shown.roles_of(account, groups))),
        why_no_password=shown.why_no_password(account, user),
        why_not_close=shown.why_not_close(account, user),
        notes=notes,
    )


def build_close(account: User, user: User) -> ClosePage:
    return ClosePage(account=account, closing=shown.closing(account), why_not=shown.why_not_close(account, user))
