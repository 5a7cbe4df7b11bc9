"""A sign-in that ended or a form's token that went stale while somebody typed: what was typed comes back, undone.

Nothing that was posted in such a moment is carried out. It is shown again, and the person presses the button anew.
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
from organizations.pages import kept as kept_page
from organizations.services.accounts import sessions

from .rendering import render_page

SENTENCE = "Your sign-in had ended. Check and press the button again; nothing was lost and nothing was sent."


def comes_back[V: Callable[..., HttpResponseBase]](view: V) -> V:
    """Mark a view that can show again what was posted to it: before it acts it asks `came_back`."""
    view.comes_back = True  # type: ignore[attr-defined]
    return view


def came_back(request: HttpRequest) -> bool:
    """Whether this POST is only to be shown again, because its button was pressed in a sign-in that had ended."""
    return getattr(request, "came_back", False) or "came-back" in request.POST


class SessionEnds:
    """Ends a session that nobody has used for an hour, and one whose account was closed meanwhile."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session:
            if not request.user.is_authenticated or sessions.is_over(request.session):
                logout(request)
            elif not _is_fragment(request):  # pages ask for these by themselves
                sessions.use(request.session)
        return self.respond(request)


class SignInRequired(LoginRequiredMiddleware):
    """Every page behind the sign-in: a form keeps what was typed, a fragment says that the whole page must go there."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        if _is_fragment(request):
            return _elsewhere(redirect_to_login(_page_of(request)))
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        if getattr(view_func, "comes_back", False):
            return _kept(request)
        return redirect_to_login(_path(request.headers.get("Referer", "")))


class PasswordChangeRequired(MiddlewareMixin):
    """A person whose password somebody else knows gets no other page than the one that changes it."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_: object
    ) -> HttpResponse | None:
        return _password_first(request, view)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A stale token brings the form back filled; a request that another site made is refused."""
    match = request.resolver_match
    if match is not None and (password_first := _password_first(request, match.func)):
        return password_first  # the check of the token comes before PasswordChangeRequired
    from_here = not reason.startswith(("Origin checking", "Referer checking"))
    if match is None or not from_here or not getattr(match.func, "comes_back", False):
        sentence = "This page was too old, or the request did not come from the portal. Load the page again."
        return render(request, "403.html", {"exception": sentence}, status=403)
    if not request.user.is_authenticated:
        return _kept(request)
    request.came_back = True  # type: ignore[attr-defined]
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


def _password_first(request: HttpRequest, view: Callable[..., HttpResponseBase]) -> HttpResponse | None:
    """The way to one's own account, for a person who must change the password before they see this view."""
    is_open = not getattr(view, "login_required", True)
    must = isinstance(request.user, User) and request.user.must_change_password
    if is_open or not must or request.path in (reverse("account"), reverse("sign-out")):
        return None
    return _elsewhere(redirect("account")) if _is_fragment(request) else redirect("account")


def _kept(request: HttpRequest) -> HttpResponse:
    """A page that holds what was typed until the person has signed in again, in another tab."""
    return render_page(request, kept_page.build(request.POST), status=403)


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _page_of(request: HttpRequest) -> str:
    """The page that a fragment is for: as the request asks for it, where a filter asks for the page it is on anew."""
    page = _path(request.headers.get("HX-Current-URL", ""))
    is_anew = request.method == "GET" and urlsplit(page).path == request.path
    return request.get_full_path() if is_anew else page


def _elsewhere(page: HttpResponse) -> HttpResponse:
    """Make htmx load the other page as a whole instead of putting it into this one."""
    headers = {"HX-Redirect": page["Location"], "Vary": "HX-Request"}
    return HttpResponse(status=401, headers=headers)


def _path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return resolve_url("home")
    return parts._replace(scheme="", netloc="").geturl() or resolve_url("home")
