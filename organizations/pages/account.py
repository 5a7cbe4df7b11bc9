"""The page for signing in, and the page of one's own account."""

from dataclasses import dataclass

from django.conf import settings

from organizations import permissions
from organizations.forms.account import PasswordForm, SignInForm
from organizations.models import User
from organizations.pages import Page
from organizations.permissions import ACTS, ROLES, Right
from organizations.queries import people
from organizations.services import demonstration


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(Page):
    """`rights` are (act, whether this person can)."""

    template = "account/page.html"

    form: PasswordForm
    rights: list[tuple[str, bool]]
    roles: str
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(Page):
    """`next` is the page after signing in. `nobody_yet`: no account exists.

    `roles` are the buttons of the demonstration.
    """

    template = "account/sign_in.html"

    form: SignInForm
    next: str
    start_here: str
    roles: list[str]
    nobody_yet: bool


def build(user: User, form: PasswordForm) -> AccountPage:
    held = permissions.rights_of(user)
    rights = [(ACTS[right], right in held) for right in Right]
    return AccountPage(form=form, rights=rights, roles=permissions.roles_in_words(user), user=user)


def build_sign_in(form: SignInForm, next_page: str) -> SignInPage:
    return SignInPage(
        form=form,
        next=next_page,
        start_here="editor",
        roles=[role for role in ROLES if settings.DEMO and demonstration.person_with_role(role)],
        nobody_yet=not people.has_anybody(),
    )
