"""What each view begins with: the right, the record that the address names, who acts."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from organizations import permissions
from organizations.models import Environment, Organization, Submission, User
from organizations.pages.addresses import counterpart_url, record_url, submission_url
from organizations.pages.record import summary
from organizations.permissions import Right
from organizations.services.accounts import accounts
from organizations.services.actors import Actor

__all__ = [
    "actor",
    "counterpart_url",
    "needs",
    "organization_or_404",
    "record_url",
    "require",
    "submission_or_404",
    "submission_url",
    "user_of",
]

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs[**P](right: Right, act: str = "") -> Callable[[View[P]], View[P]]:
    """Let only people with this right in. Others get 403 with the sentence whom to ask, and an entry in the history.

    `act` says what the view does where the right covers more than that.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            named = {name: str(kwargs[name]) for name in ("environment", "oid") if name in kwargs}
            require(request, right, act=act, **named)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def require(request: HttpRequest, right: Right, *, environment: str = "", oid: str = "", act: str = "") -> None:
    """Raise PermissionDenied, with an entry in the history, unless the person has the right."""
    if not permissions.may(user_of(request), right):
        raise PermissionDenied(accounts.refused(request, right, environment=environment, oid=oid, act=act))


def user_of(request: HttpRequest) -> User:
    """The person signed in; every view behind the sign-in has one."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def actor(request: HttpRequest) -> Actor:
    return accounts.actor_of(request)


def organization_or_404(environment: Environment, oid: str) -> Organization:
    """The record of this environment with its words; 404 says where else there is one."""
    found = (
        Organization.objects.in_environment(environment)
        .with_words()
        .select_related("last_submission", "last_submission__submitter", "edited_by", "staging_record")
        .filter(oid=oid)
        .first()
    )
    if found is None:
        raise Http404(summary.no_record_sentence(environment, oid))
    return found


def submission_or_404(environment: Environment, number: int) -> Submission:
    """The submission of this environment."""
    found = (
        Submission.objects.in_environment(environment)
        .select_related("organization", "submitter", "approver", "plan")
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise Http404(f"No submission {number} in {environment.label}.")
    return found
