"""Accounts and roles. Everybody who is signed in can read them; administrators change them."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Concatenate

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations import permissions
from organizations.forms.account import AccountForm
from organizations.models import User
from organizations.pages.people import page as people_page
from organizations.permissions import Right
from organizations.services.accounts import accounts, passwords
from organizations.services.errors import ActionRefused, NameTaken
from organizations.views import expired_session

from .access import actor, user_of
from .rendering import render_page

ADDED_ALREADY = (
    "{name} was already added. The first password was shown once. If you do not have it, make another one here."
)
CLOSED = "can no longer sign in. All sessions ended."
REOPENED = "can sign in again, with the same roles as before."

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


def _needs_manager[**P](view: View[P]) -> View[P]:
    """Allow a view only to people who manage accounts. Others get status 403 and a history entry."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not permissions.manages_people(user_of(request)):
            raise PermissionDenied(accounts.note_refusal(request, Right.MANAGE_PEOPLE))
        return view(request, *args, **kwargs)

    return guarded


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return render_page(request, people_page.build(user_of(request)))


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@_needs_manager
@sensitive_variables("password")
def new(request: HttpRequest) -> HttpResponse:
    """Add a person. Only this response shows the first password, because it is stored as a hash only."""
    form = AccountForm(request.POST if request.method == "POST" else None, instance=User())
    if expired_session.must_restore_form(request):
        return _show_form(request, form, User(), notes=[expired_session.NOTICE], status=422)
    if form.is_valid():
        password = passwords.generate(form.instance)
        if _save(request, form, "account made", password=password):
            return _show_password(request, form.instance, password)
    if form.is_bound and (added := form.added_before()):
        messages.info(request, ADDED_ALREADY.format(name=added.display_name))
        return redirect("person", added.pk)
    return _show_form(request, form, User(), status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@_needs_manager
def change(request: HttpRequest, person: int) -> HttpResponse:
    """Change the name and roles of a person. Two administrators never overwrite each other."""
    user, stored = _person_or_404(person), _person_or_404(person)
    typed = request.POST if request.method == "POST" else None
    form = AccountForm(typed, instance=user, is_own=user == user_of(request))
    if expired_session.must_restore_form(request):
        return _show_form(request, form, stored, notes=[expired_session.NOTICE], status=422)
    if not form.is_bound:
        return _show_form(request, form, stored)
    if not form.is_valid() or (form.changes and not _save(request, form, ", ".join(form.changes))):
        return _show_form(request, form, stored, status=422)
    messages.success(request, f"{user.display_name} is saved. Changed: {', '.join(form.changes) or 'nothing more'}.")
    return redirect("people")


@require_POST
@_needs_manager
@sensitive_variables("password")
def first_password(request: HttpRequest, person: int) -> HttpResponse:
    """Make a new first password, and show it once, like `new`."""
    user = _person_or_404(person)
    try:
        password = accounts.give_first_password(user, opened_with=_posted_fingerprint(request), actor=actor(request))
    except ActionRefused as error:
        return _redirect_refused(request, user, error)
    return _show_password(request, user, password)


@require_http_methods(["GET", "HEAD", "POST"])
@_needs_manager
def close(request: HttpRequest, person: int) -> HttpResponse:
    """Explain what closing an account does, then close it."""
    user = _person_or_404(person)
    if request.method == "POST":
        return _set_open(request, user, is_active=False)
    return render_page(request, people_page.build_close(user, user_of(request)))


@require_POST
@_needs_manager
def reopen(request: HttpRequest, person: int) -> HttpResponse:
    return _set_open(request, _person_or_404(person), is_active=True)


def _set_open(request: HttpRequest, user: User, *, is_active: bool) -> HttpResponse:
    what = "account reopened" if is_active else "account closed"
    if user.is_active == is_active:  # a second click
        messages.info(request, f"{user.display_name}: the account is already {'open' if is_active else 'closed'}.")
        return redirect("people")
    user.is_active = is_active
    try:
        accounts.save(user, opened_with=_posted_fingerprint(request), what=what, actor=actor(request))
    except ActionRefused as error:
        return _redirect_refused(request, user, error)
    messages.success(request, f"{user.display_name} {REOPENED if is_active else CLOSED}")
    return redirect("people")


def _save(request: HttpRequest, form: AccountForm, what: str, **values: Any) -> bool:
    """Save the form. False, with an error in the form, if the service refused it."""
    filled = form.cleaned_data
    groups = list(filled["groups"]) if "groups" in filled else None
    opened_with = filled["opened_with"] if form.instance.pk else None
    try:
        accounts.save(form.instance, groups=groups, opened_with=opened_with, what=what, actor=actor(request), **values)
    except NameTaken as error:
        form.add_error(error.field, str(error))
    except ActionRefused as error:
        form.add_error(None, str(error))
    return not form.errors


def _person_or_404(number: int) -> User:
    user = User.objects.prefetch_related("groups", "role_grants").filter(pk=number).first()
    if user is None:
        raise Http404(f"No account {number}.")
    return user


def _posted_fingerprint(request: HttpRequest) -> str:
    """The fingerprint of the account that the page of the button showed; "" matches no account."""
    return request.POST.get("opened_with", "")


def _redirect_refused(request: HttpRequest, user: User, error: ActionRefused) -> HttpResponse:
    """Redirect to the page of the person, with the reason why nothing was done."""
    messages.warning(request, str(error))
    return redirect("person", user.pk)


def _show_form(
    request: HttpRequest, form: AccountForm, stored: User, *, notes: Collection[str] = (), status: int = 200
) -> HttpResponse:
    """The form of a person. `stored` is the saved account: the form puts typed values into its own instance."""
    return render_page(request, people_page.build_person(form, stored, user_of(request), notes), status=status)


def _show_password(request: HttpRequest, user: User, password: str) -> HttpResponse:
    return render_page(request, people_page.PasswordPage(account=user, password=password))
