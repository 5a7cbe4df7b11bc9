"""The outbox, and one submission from review to its end."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from organizations.forms.decision import DecisionForm
from organizations.models import Environment, Intent, Organization, State, Submission
from organizations.pages.submission import outbox as outbox_page
from organizations.pages.submission import page as submission_page
from organizations.pages.submission.page import ASK, CANCEL
from organizations.pages.submission.state import ASKED
from organizations.permissions import Right, sending
from organizations.queries.record_entries import is_active_taken
from organizations.services.delivery import query
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.text import evidence

from .access import actor, needs, require, submission_or_404, submission_url, user_of
from .showing import loads_anew, show


@require_safe
@needs(Right.VIEW)
def outbox(request: HttpRequest, environment: Environment) -> HttpResponse:
    """All submissions of an environment, filtered by the address."""
    page = outbox_page.build(
        environment,
        user_of(request),
        state=request.GET.get("state", ""),
        mine=request.GET.get("mine") == "1",
        number=request.GET.get("page"),
    )
    return show(request, page)


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """One submission."""
    return show_submission(request, submission_or_404(environment, number))


def show_submission(
    request: HttpRequest, submission: Submission, form: DecisionForm | None = None, *, status: int = 200
) -> HttpResponse:
    """The page, with what was typed into its one form where that comes back."""
    return show(request, submission_page.build(submission, user_of(request), form), status=status)


@require_safe
@needs(Right.VIEW)
def state(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """The state for a page that stands open; with everything on the page that speaks of it when it changed.

    Nothing (204) while the page says what is so: putting the same there anew would close what somebody opened in it and
    take the focus from where it stands.
    """
    submission, seen = submission_or_404(environment, number), request.GET.get("since", "")
    if seen == submission_page.since(submission):
        response = HttpResponse(status=204)
    elif submission.state == State.NEEDS_PERSON:
        # There is now something to compare and to choose from, which only the whole page has.
        response = loads_anew()
    else:
        response = show(request, submission_page.build_state(submission, user_of(request), seen))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@needs(Right.EDIT, CANCEL)
def cancel(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """Take back what was not attempted yet: its authors may, and whoever may send to the environment."""
    submission = submission_or_404(environment, number)
    if user_of(request).pk not in submission.authors:
        require(request, sending(environment), environment=environment, oid=submission.oid, act=CANCEL)
    try:
        submissions.cancel(submission.pk, actor=actor(request))
        messages.success(request, f"Nothing was sent. {_what_stays(submission)}")
    except ActionRefused as fault:
        messages.error(request, str(fault))
    return redirect(submission_url(submission))


@require_POST
@needs(Right.EDIT, ASK)
def ask(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """Ask what the directory shows now. It reads; the state of the submission stays as it is."""
    submission = submission_or_404(environment, number)
    if submission.state not in ASKED:
        messages.error(request, f"Submission {number} is at its end or not under way; there is nothing to find out.")
        return redirect(submission_url(submission))
    query.query_submission(submission, actor=actor(request))
    # A page that asked by itself when it was opened loads anew with the answer.
    is_by_itself = request.headers.get("HX-Request") == "true"
    return loads_anew() if is_by_itself else redirect(submission_url(submission) + "#asked")


def _what_stays(submission: Submission) -> str:
    if submission.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        organization = Organization.objects.get(pk=submission.organization_id)
        return evidence.active_again(organization, is_taken=is_active_taken(organization))
    return "Your changes stay saved on the record."
