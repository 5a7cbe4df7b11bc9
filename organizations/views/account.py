"""Sign in and out, and the page of one's own account."""

import datetime
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from organizations import permissions
from organizations.forms.account import PasswordForm, SignInForm
from organizations.models import User
from organizations.pages import account as account_page
from organizations.permissions import Right
from organizations.services import demonstration
from organizations.services.accounts import accounts, authentication
from organizations.services.errors import ActionRefused
from organizations.services.throttle import TooManyTries
from organizations.text import vocabulary

from . import access
from .rendering import render_page

WRONG = "The name or the password is wrong. Check both."
WRONG_OLD = "Your old password was entered incorrectly. Enter it again."
TOO_MANY_FOR_NAME = "Too many wrong tries for this name. Try again at {time}."
TOO_MANY_FROM_NETWORK = "Too many wrong tries from your network. Try again at {time}."
TOO_MANY_OLD = "Too many wrong passwords. Try again at {time}."
LONGEST_NEXT = 2000


def safe_next(request: HttpRequest, otherwise: str) -> str:
    """The page that `next` names, if it is a page of the portal (ASVS 5.1.5); else `otherwise`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_safe and target.startswith("/") and len(target) <= LONGEST_NEXT else otherwise


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if isinstance(request.user, User):
            return redirect(safe_next(request, _landing_page(request.user)))
        return _sign_in_page(request, SignInForm(), status=200)
    user = demonstration.person_with_role(request.POST.get("role", ""))
    if user is not None:
        authentication.sign_in(request, user, signed_in_by="demonstration button")
        return redirect(safe_next(request, _landing_page(user)))
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=422)
    return _try_to_sign_in(request, form)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    authentication.sign_out(request)
    messages.info(request, "You are signed out.")
    return redirect("sign-in")


@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    user = access.user_of(request)
    is_forced = user.must_change_password
    form = PasswordForm(user, request.POST if request.method == "POST" else None)
    status = _change_password(request, user, form) if form.is_bound else HTTPStatus.OK
    if status == HTTPStatus.FOUND:
        return redirect(_landing_page(user) if is_forced else "account")
    return render_page(request, account_page.build(user, form), status=status)


def _change_password(request: HttpRequest, user: User, form: PasswordForm) -> HTTPStatus:
    """Change the password, or put errors into the form. Returns the status of the answer."""
    form.full_clean()
    has_too_many_tries = not _check_old_password(request, user, form)
    if form.errors:
        return HTTPStatus.TOO_MANY_REQUESTS if has_too_many_tries else HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        accounts.change_password(user, form.cleaned_data["new_password1"], actor=access.actor(request))
    except ActionRefused as error:
        form.add_error("new_password1", str(error))
        return HTTPStatus.UNPROCESSABLE_ENTITY
    update_session_auth_hash(request, user)
    messages.info(request, "Your password was changed. You were signed out everywhere else.")
    return HTTPStatus.FOUND


def _check_old_password(request: HttpRequest, user: User, form: PasswordForm) -> bool:
    """Put an error into the form if the old password is wrong. False after too many wrong tries."""
    if "old_password" in form.cleaned_data:
        try:
            if not authentication.is_own_password(request, user, form.cleaned_data["old_password"]):
                form.add_error("old_password", WRONG_OLD)
        except TooManyTries as error:
            form.add_error("old_password", TOO_MANY_OLD.format(time=_retry_time(error.until)))
            return False
    return True


def _try_to_sign_in(request: HttpRequest, form: SignInForm) -> HttpResponse:
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    try:
        user = authentication.try_to_sign_in(request, name, password)
    except TooManyTries as error:
        sentence = TOO_MANY_FROM_NETWORK if error.is_of_network else TOO_MANY_FOR_NAME
        form.add_error(None, sentence.format(time=_retry_time(error.until)))
        return _sign_in_page(request, form, status=429)
    if user is None:
        form.add_error(None, WRONG)
        return _sign_in_page(request, form, status=422)
    return redirect(safe_next(request, _landing_page(user)))


def _retry_time(until: datetime.datetime) -> str:
    """When the next try is allowed; in full minutes, unless it is less than a minute away."""
    now = timezone.now()
    if until - now >= datetime.timedelta(minutes=1):
        until = (until + datetime.timedelta(seconds=59)).replace(second=0)
    return vocabulary.moment_text(timezone.localtime(until), now, "clock")


def _landing_page(user: User) -> str:
    # The first account is made by a command and has no role yet. Its person first adds the other people.
    if permissions.manages_people(user) and not permissions.may(user, Right.VIEW):
        return reverse("people")
    return reverse("home")


def _sign_in_page(request: HttpRequest, form: SignInForm, *, status: int) -> HttpResponse:
    return render_page(request, account_page.build_sign_in(form, safe_next(request, "")), status=status)
