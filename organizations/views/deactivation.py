"""Deactivate or reactivate a record by one Update, with a reason, and in PRODUCTION with its name typed."""

from collections.abc import Collection

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from organizations.forms.deactivation import DeactivationForm
from organizations.models import Environment, Intent, Organization, Submission
from organizations.pages.addresses import submission_url
from organizations.pages.deactivation import page as deactivation_page
from organizations.pages.review.message import already_sent
from organizations.permissions import Right, right_to_send
from organizations.services.errors import ActionRefused, AlreadySent, RecordWithdrawn
from organizations.services.outbox import submissions
from organizations.services.review import reviews
from organizations.services.review.blockers import BlockerKind
from organizations.services.review.reviews import Review

from .access import actor, needs, organization_or_404, require, user_of
from .differences import newer_reading_notes, query_now
from .expired_session import NOTICE, must_restore_form, restores_form
from .plans import deactivate_branch
from .rendering import render_page

_FIELDS = ("why", "replaced_by", "in_words", "typed_name")
CHILDREN = "A record below this one is active now. Nothing was sent. Here is the plan for all of them."


@restores_form
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.VIEW)
def deactivate(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Review and send an Update that changes only Active, to false."""
    return _handle(request, _review(request, organization_or_404(environment, oid), Intent.DEACTIVATE))


@restores_form
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.VIEW)
def reactivate(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Review and send an Update that changes only Active, to true."""
    return _handle(request, _review(request, organization_or_404(environment, oid), Intent.REACTIVATE))


def _review(request: HttpRequest, organization: Organization, intent: Intent) -> Review:
    return reviews.review(organization, actor=actor(request), intent=intent)


def _handle(request: HttpRequest, review: Review) -> HttpResponse:
    organization, environment = review.organization, review.organization.environment
    if request.method != "POST":
        return deactivate_branch(request, organization) if _has_children(review) else _show(request, review)
    if must_restore_form(request):
        messages.warning(request, NOTICE)
        return _show_typed(request, review)
    if "ask" in request.POST:
        return _show_typed(request, _review(request, query_now(request, organization), review.intent))
    require(request, right_to_send(environment), environment=environment, oid=organization.oid)
    if _has_children(review):
        return deactivate_branch(request, organization, notes=[CHILDREN], status=409)
    return _handle_post(request, review)


def _handle_post(request: HttpRequest, review: Review) -> HttpResponse:
    """Send the reviewed message, or ask for missing values and ticks."""
    form = deactivation_page.posted_form(review, request.POST)
    missing = {submissions.warning_key(warning) for warning in review.open_warnings} - _ticked(request)
    is_current = form.data.get("sha256") == review.sha256
    if form.is_valid() and not (missing and is_current and not review.blockers):
        return _send(request, review, form)
    for sentence in newer_reading_notes(request, review.organization):
        messages.warning(request, sentence)
    return _show(request, review, form, missing=missing, status=422)


def _send(request: HttpRequest, review: Review, form: DeactivationForm) -> HttpResponse:
    try:
        submission = _submit(request, review, form)
    except AlreadySent as error:
        messages.info(request, already_sent(error.submission))
        submission = error.submission
    except RecordWithdrawn as gone:
        raise Http404(str(gone)) from gone
    except ActionRefused as error:
        return _show_refusal(request, review, error)
    return redirect(submission_url(submission))


def _submit(request: HttpRequest, review: Review, form: DeactivationForm) -> Submission:
    return submissions.submit_record(
        review.organization.pk,
        sha256=form.text("sha256"),
        shown_submission=form.last_submission_seen,
        reason=form.reason_text,
        ticked=_ticked(request),
        intent=review.intent,
        actor=actor(request),
    )


def _show_refusal(request: HttpRequest, review: Review, error: ActionRefused) -> HttpResponse:
    """The current page, with the typed values."""
    messages.error(request, str(error))
    organization = review.organization
    current = organization_or_404(Environment(organization.environment), organization.oid)
    return _show_typed(request, _review(request, current, review.intent), status=409)


def _has_children(review: Review) -> bool:
    """Whether active children must be deactivated first: that is a plan of several records."""
    return any(blocker.kind == BlockerKind.ACTIVE_CHILDREN for blocker in review.blockers)


def _ticked(request: HttpRequest) -> frozenset[str]:
    return frozenset(request.POST.getlist("tick"))


def _show_typed(request: HttpRequest, review: Review, *, status: int = 200) -> HttpResponse:
    """The page of this review, with the typed values and the ticks."""
    if _has_children(review):
        return deactivate_branch(request, review.organization, status=status)
    typed = {name: request.POST.get(name, "") for name in _FIELDS}
    return _show(request, review, deactivation_page.empty_form(review, **typed), status=status)


def _show(
    request: HttpRequest,
    review: Review,
    form: DeactivationForm | None = None,
    *,
    missing: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    is_unsaved, ticked = request.method == "POST", _ticked(request)
    page = deactivation_page.build(
        review, user_of(request), form, ticked=ticked, missing=missing, is_unsaved=is_unsaved
    )
    return render_page(request, page, status=status)
