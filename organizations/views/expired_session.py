"""Keep what somebody typed while their session or CSRF token expired.

The portal does not carry out a form that is posted then. It shows the form again, and the person presses its button
again.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from organizations.models import User
from organizations.pages import kept_form
from organizations.services.accounts import sessions

from .rendering import render_page

NOTICE = "This page was out of date. Check and press the button again. Nothing was lost, and nothing was sent."


def restores_form[V: Callable[..., HttpResponseBase]](view: V) -> V:
    """Mark a view that can show a posted form again: it calls `must_restore_form` before it acts."""
    view.restores_form = True  # type: ignore[attr-defined]
    return view


def must_restore_form(request: HttpRequest) -> bool:
    """Whether this POST must only be shown again, because the session had expired when its button was pressed."""
    return getattr(request, "must_restore_form", False) or "came-back" in request.POST


class SessionExpiry:
    """Middleware: end a session after an hour without use, and the sessions of closed accounts."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session:
            if not request.user.is_authenticated or sessions.is_expired(request.session):
                logout(request)
            elif not _is_fragment(request):  # pages load these without a person
                sessions.note_use(request.session)
        return self.respond(request)


class SignInRequired(LoginRequiredMiddleware):
    """Middleware: require a sign-in. A posted form is kept; a fragment makes htmx load the sign-in as a whole page."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        if _is_fragment(request):
            return _htmx_redirect(redirect_to_login(_page_of_fragment(request)))
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        if getattr(view_func, "restores_form", False):
            return _show_kept(request)
        return redirect_to_login(_local_path(request.headers.get("Referer", "")))


class PasswordChangeRequired(MiddlewareMixin):
    """Middleware: a person whose password somebody else knows can only open the page that changes it."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_: object
    ) -> HttpResponse | None:
        return _redirect_to_password_change(request, view)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show the form again if its token is stale; refuse a request from another site."""
    match = request.resolver_match
    if match is not None and (redirection := _redirect_to_password_change(request, match.func)):
        return redirection  # Django checks the token before PasswordChangeRequired runs
    is_from_portal = not reason.startswith(("Origin checking", "Referer checking"))
    if match is None or not is_from_portal or not getattr(match.func, "restores_form", False):
        sentence = "This page was too old, or the request did not come from the portal. Load the page again."
        return render(request, "403.html", {"exception": sentence}, status=403)
    if not request.user.is_authenticated:
        return _show_kept(request)
    request.must_restore_form = True  # type: ignore[attr-defined]
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


def _redirect_to_password_change(request: HttpRequest, view: Callable[..., HttpResponseBase]) -> HttpResponse | None:
    """A redirect to one's own account, if the person must change the password first."""
    is_open = not getattr(view, "login_required", True)
    must = isinstance(request.user, User) and request.user.must_change_password
    if is_open or not must or request.path in (reverse("account"), reverse("sign-out")):
        return None
    return _htmx_redirect(redirect("account")) if _is_fragment(request) else redirect("account")


def _show_kept(request: HttpRequest) -> HttpResponse:
    """A page that keeps the typed values until the person has signed in again in another tab."""
    return render_page(request, kept_form.build(request.POST), status=403)


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _page_of_fragment(request: HttpRequest) -> str:
    """The page of a fragment; with the new filters, if the fragment reloads its page with filters."""
    page = _local_path(request.headers.get("HX-Current-URL", ""))
    reloads_page = request.method == "GET" and urlsplit(page).path == request.path
    return request.get_full_path() if reloads_page else page


def _htmx_redirect(page: HttpResponse) -> HttpResponse:
    """Make htmx load a whole page, instead of putting it into the current one."""
    headers = {"HX-Redirect": page["Location"], "Vary": "HX-Request"}
    return HttpResponse(status=401, headers=headers)


def _local_path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return resolve_url("home")
    return parts._replace(scheme="", netloc="").geturl() or resolve_url("home")
