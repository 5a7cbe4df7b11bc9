"""Signing in and out, and what a person may see and change of their own account."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from organizations import permissions, words
from organizations.forms.account import PasswordForm, SignInForm
from organizations.models import User
from organizations.permissions import ACTS, ROLES, Right
from organizations.services import demonstration, people
from organizations.views import access

WRONG = "The name or the password is wrong. Check both."
CLOSED = "Too many wrong tries for this name. Try again at {time}."
LONGEST_NEXT = 2000


def safe_next(request: HttpRequest, otherwise: str) -> str:
    """Where a form says that it goes on, if that is a page of the portal (ASVS 5.1.5)."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours and wanted.startswith("/") and len(wanted) <= LONGEST_NEXT else otherwise


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if isinstance(request.user, User):
            return redirect(safe_next(request, _landing(request.user)))
        return _sign_in_page(request, SignInForm(), status=200)
    user = demonstration.person_with_role(request.POST.get("role", ""))
    if user is not None:
        return _signed_in(request, user, signed_in_by="demonstration button")
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=422)
    return _try(request, form)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    people.sign_out(request)
    messages.info(request, "You are signed out.")
    return redirect("sign-in")


@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    user = access.user_of(request)
    form = PasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        people.change_password(user, form.cleaned_data["new_password1"], actor=access.actor(request))
        update_session_auth_hash(request, user)
        messages.info(request, "Your password was changed. Wherever else you were signed in, that has ended.")
        return redirect("account")
    held = permissions.rights_of(user)
    context = {
        "form": form,
        "rights": [(ACTS[right], right in held) for right in Right],
        "roles": permissions.role_of(user),
    }
    return render(request, "account/page.html", context, status=422 if form.errors else 200)


def _try(request: HttpRequest, form: SignInForm) -> HttpResponse:
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    until = people.closed_until(request, name)
    if until is not None:
        form.add_error(None, CLOSED.format(time=words.moment(timezone.localtime(until), timezone.now(), "clock")))
        return _sign_in_page(request, form, status=429)
    user = people.check_password(request, name, password)
    if user is None:
        people.sign_in_refused(request, name)
        form.add_error(None, WRONG)
        return _sign_in_page(request, form, status=422)
    return _signed_in(request, user, signed_in_by="password")


def _signed_in(request: HttpRequest, user: User, *, signed_in_by: str) -> HttpResponse:
    people.sign_in(request, user, signed_in_by=signed_in_by)
    return redirect(safe_next(request, _landing(user)))


def _landing(user: User) -> str:
    # The first account, made on the machine, has no role yet: its work is to make the others.
    if permissions.manages_people(user) and not permissions.may(user, Right.VIEW):
        return reverse("admin:index")
    return reverse("home")


def _sign_in_page(request: HttpRequest, form: SignInForm, *, status: int) -> HttpResponse:
    roles = [role for role in ROLES if settings.DEMO and demonstration.person_with_role(role)]
    context = {
        "form": form,
        "next": safe_next(request, ""),
        "start_here": "editor",
        "roles": roles,
        "nobody_yet": not User.objects.exists(),
    }
    return render(request, "account/sign_in.html", context, status=status)
