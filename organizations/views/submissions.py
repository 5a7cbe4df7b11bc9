"""The outbox, and one submission from review to its end."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from organizations.forms.decision import DecisionForm
from organizations.models import Environment, Intent, Organization, State, Submission
from organizations.pages.addresses import submission_url
from organizations.pages.submission import outbox as outbox_page
from organizations.pages.submission import page as submission_page
from organizations.pages.submission.state import CAN_BE_QUERIED
from organizations.permissions import ASK, CANCEL, Right, right_to_send
from organizations.queries.record_entries import is_active_taken
from organizations.services.delivery import query
from organizations.services.errors import ActionRefused
from organizations.services.outbox import submissions
from organizations.text import evidence

from .access import actor, needs, require, submission_or_404, user_of
from .rendering import reload_page, render_page


@require_safe
@needs(Right.VIEW)
def outbox(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The submissions of an environment, filtered by the address."""
    page = outbox_page.build(
        environment,
        user_of(request),
        state=request.GET.get("state", ""),
        mine=request.GET.get("mine") == "1",
        number=request.GET.get("page"),
    )
    return render_page(request, page)


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """One submission."""
    return show_submission(request, submission_or_404(environment, number))


def show_submission(
    request: HttpRequest, submission: Submission, form: DecisionForm | None = None, *, status: int = 200
) -> HttpResponse:
    """The page. `form` has the typed values, if the form is shown again."""
    return render_page(request, submission_page.build(submission, user_of(request), form), status=status)


@require_safe
@needs(Right.VIEW)
def state(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """The new state for an open page, with all parts of the page that depend on it.

    Status 204 if nothing changed: replacing the same parts would close what somebody opened and move the focus.
    """
    submission, seen = submission_or_404(environment, number), request.GET.get("since", "")
    if seen == submission_page.version_token(submission):
        response = HttpResponse(status=204)
    elif submission.state == State.NEEDS_PERSON:
        # Only the whole page has the comparison and the choices of the decision.
        response = reload_page()
    else:
        response = render_page(request, submission_page.build_state(submission, user_of(request), seen))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@needs(Right.EDIT, CANCEL)
def cancel(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """Cancel a submission that was not sent. Its authors can, and everybody who can send to the environment."""
    submission = submission_or_404(environment, number)
    if user_of(request).pk not in submission.authors:
        require(request, right_to_send(environment), environment=environment, oid=submission.oid, act=CANCEL)
    try:
        submissions.cancel_submission(submission.pk, actor=actor(request))
        messages.success(request, f"Nothing was sent. {_what_stays(submission)}")
    except ActionRefused as error:
        messages.error(request, str(error))
    return redirect(submission_url(submission))


@require_POST
@needs(Right.EDIT, ASK)
def ask(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """Ask the directory about its record. The state of the submission does not change."""
    submission = submission_or_404(environment, number)
    if submission.state not in CAN_BE_QUERIED:
        messages.error(
            request, f"Submission {number} is not unknown and needs no decision. The directory was not asked."
        )
        return redirect(submission_url(submission))
    query.query_for_submission(submission, actor=actor(request))
    # A page that sends this request when it is opened is reloaded, to show the answer.
    is_automatic = request.headers.get("HX-Request") == "true"
    return reload_page() if is_automatic else redirect(submission_url(submission) + "#asked")


def _what_stays(submission: Submission) -> str:
    if submission.intent in (Intent.DEACTIVATE, Intent.REACTIVATE):
        organization = Organization.objects.get(pk=submission.organization_id)
        return evidence.active_again(organization, is_taken=is_active_taken(organization))
    return "Your changes stay saved on the record."
