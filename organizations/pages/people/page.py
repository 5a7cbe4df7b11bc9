"""The pages of accounts: the list, the form of one account, its closing, and its first password."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from organizations.forms.account import AccountForm
from organizations.models import User
from organizations.pages import Page
from organizations.pages.people import accounts
from organizations.pages.people.accounts import ClosingEffects, People, RoleRow
from organizations.permissions import manages_people
from organizations.queries import people


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage(Page):
    """Everybody with an account. `manages`: the reader can change accounts."""

    template = "people/page.html"

    people: People
    roles: list[RoleRow]
    manages: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPage(Page):
    """The form of one account, which may be new.

    `account` is the stored account. `roles` are (box of the form, role); the box is None if roles cannot be changed.
    """

    template = "people/form.html"

    form: AccountForm
    account: User
    roles: list[tuple[Any, RoleRow]]
    why_no_password: str
    close_block_reason: str
    notes: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePage(Page):
    """What closing an account means, or why the reader cannot close it."""

    template = "people/close.html"

    account: User
    closing: ClosingEffects
    block_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPage(Page):
    """The only page that shows a first password."""

    template = "people/password.html"

    account: User
    password: str = field(repr=False)


def build(user: User) -> PeoplePage:
    return PeoplePage(people=accounts.people(), roles=accounts.roles(), manages=manages_people(user))


def build_person(form: AccountForm, account: User, user: User, notes: Collection[str] = ()) -> PersonPage:
    """The form for this administrator. It writes into its own object; `account` stays as stored."""
    boxes = list(form["groups"]) if "groups" in form.fields else []
    groups = [box.data["value"].instance for box in boxes] if boxes else people.roles_of(account)
    return PersonPage(
        form=form,
        account=account,
        roles=list(zip_longest(boxes, accounts.roles_of(account, groups))),
        why_no_password=accounts.password_block_reason(account, user),
        close_block_reason=accounts.close_block_reason(account, user),
        notes=notes,
    )


def build_close(account: User, user: User) -> ClosePage:
    return ClosePage(
        account=account,
        closing=accounts.closing_effects(account),
        block_reason=accounts.close_block_reason(account, user),
    )
