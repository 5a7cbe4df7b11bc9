"""The first steps of a view: check the right, load the record that the address names, read posted numbers."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from organizations import permissions
from organizations.models import Environment, Organization, Submission, User
from organizations.pages.record import summary
from organizations.permissions import Right
from organizations.posted_numbers import read_number
from organizations.services.accounts import accounts
from organizations.services.actors import Actor

__all__ = [
    "actor",
    "needs",
    "organization_or_404",
    "posted_number",
    "posted_version",
    "require",
    "sequence_before",
    "submission_or_404",
    "user_of",
]

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs[**P](right: Right, act: str = "") -> Callable[[View[P]], View[P]]:
    """Allow a view only to people with this right. Others get status 403 and a history entry.

    The page 403 says whom to ask. `act` names what the view does, if the right covers more.
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
    """Raise PermissionDenied, and write a history entry, unless the person has the right."""
    if not permissions.may(user_of(request), right):
        raise PermissionDenied(accounts.note_refusal(request, right, environment=environment, oid=oid, act=act))


def user_of(request: HttpRequest) -> User:
    """The person who is signed in. Every view behind the sign-in has one."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def actor(request: HttpRequest) -> Actor:
    return accounts.actor_of(request)


def organization_or_404(environment: Environment, oid: str, *, with_parts: bool = False) -> Organization:
    """The record with its counterpart. The page 404 names the record of the other environment, if any.

    `with_parts`: contacts and identifiers are read once, for pages that look at them more than once.
    """
    organization = (
        Organization.objects.in_environment(environment)
        .select_related("last_submission__submitter", "edited_by", "staging_record", "production_record")
        .prefetch_related(*(("contacts", "identifiers") if with_parts else ()))
        .with_oid(oid)
    )
    if organization is None:
        raise Http404(summary.no_record_sentence(environment, oid))
    return organization


def submission_or_404(environment: Environment, number: int) -> Submission:
    """The submission with this number."""
    submissions = Submission.objects.in_environment(environment)
    try:
        return submissions.select_related("organization", "submitter", "approver", "plan").get(pk=number)
    except Submission.DoesNotExist:
        raise Http404(f"No submission {number} in {environment.label}.") from None


def sequence_before(request: HttpRequest) -> int | None:
    """The history entry before which a page of the history begins, from the address; None for the newest page."""
    return read_number(request.GET.get("before", "")) or None


def posted_number(request: HttpRequest, name: str) -> int:
    """The number that was posted under this name, or 0."""
    return read_number(request.POST.get(name, ""))


def posted_version(request: HttpRequest, organization: Organization) -> int:
    """The version of the record with which its form was opened.

    0 if the form was opened for another record: that one may have been withdrawn, and its OID used again.
    """
    of_this_record = posted_number(request, "record") == organization.pk
    return posted_number(request, "version") if of_this_record else 0
