"""The review: the exact message, and the button that sends it."""

from collections.abc import Collection

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from organizations.forms.review import PostedReview, ReviewForm
from organizations.models import Environment, Organization, Submission
from organizations.pages.addresses import submission_url
from organizations.pages.review import page as review_page
from organizations.pages.review.message import already_sent, out_of_date
from organizations.permissions import ASK, Right, right_to_send
from organizations.services.directory.duplicates import Duplicates, look_for_duplicates
from organizations.services.errors import ActionRefused, AlreadySent, OutOfDate, RecordWithdrawn
from organizations.services.outbox import submissions
from organizations.services.review import reviews
from organizations.services.review.reviews import Review
from organizations.views import expired_session

from .access import actor, needs, organization_or_404, require, user_of
from .differences import newer_reading_notes, query_now
from .rendering import render_page


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """The saved values of a record as the message that would be sent."""
    organization = organization_or_404(environment, oid)
    if not {"ask", "duplicates"}.isdisjoint(request.POST) and not expired_session.must_restore_form(request):
        return _ask(request, organization)
    review = reviews.review(organization, actor=actor(request))
    if request.method != "POST":
        return render_page(request, review_page.build(review, user_of(request)))
    require(request, right_to_send(environment), environment=environment, oid=oid)
    if expired_session.must_restore_form(request):
        return _show_typed(request, review, expired_session.NOTICE, status=422)
    return _handle_post(request, review)


def _ask(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Ask the directory about the record or about its duplicates. Ticks and typed values stay."""
    if "ask" in request.POST:
        return _show_typed(request, reviews.review(query_now(request, organization), actor=actor(request)))
    require(request, Right.EDIT, environment=organization.environment, oid=organization.oid, act=ASK)
    duplicates = look_for_duplicates(organization, actor=actor(request))
    return _show_typed(request, reviews.review(organization, actor=actor(request)), duplicates=duplicates)


def _handle_post(request: HttpRequest, review: Review) -> HttpResponse:
    """Send the reviewed message, or ask for missing values and ticks."""
    form, posted = review_page.review_form(review, request.POST), PostedReview(request.POST)
    missing = {submissions.warning_key(warning) for warning in review.open_warnings} - posted.ticked
    is_current = (posted.sha256, posted.shown_submission) == (
        review.sha256,
        review.organization.last_submission_id or 0,
    )
    is_whole = form.is_valid() and not missing
    if is_current and not is_whole and not review.blockers:
        notes = newer_reading_notes(request, review.organization)
        return _show(request, review, form, missing=missing, notes=notes, status=422)
    return _send(request, review, form)


def _send(request: HttpRequest, review: Review, form: ReviewForm) -> HttpResponse:
    """Send the reviewed message, or show why this is not possible and the current review."""
    try:
        submission = _submit(request, review, form)
    except AlreadySent as error:
        messages.info(request, already_sent(error.submission))
        submission = error.submission
    except OutOfDate as error:
        return _show_changed(request, review, str(error))
    except RecordWithdrawn as gone:
        raise Http404(str(gone)) from gone
    except ActionRefused as error:
        return _show(request, review, form, notes=[f"{error} Nothing was sent."], status=409)
    return redirect(submission_url(submission))


def _submit(request: HttpRequest, review: Review, form: ReviewForm) -> Submission:
    posted = PostedReview(request.POST)
    return submissions.submit_record(
        review.organization.pk,
        sha256=posted.sha256,
        shown_submission=posted.shown_submission,
        reason=form.reason_text,
        ticked=posted.ticked,
        actor=actor(request),
    )


def _show_changed(request: HttpRequest, before: Review, error: str) -> HttpResponse:
    """The review of the newest saved values. Ticks and typed values stay."""
    organization = organization_or_404(Environment(before.organization.environment), before.organization.oid)
    note = out_of_date(organization, PostedReview(request.POST).version, error)
    return _show_typed(request, reviews.review(organization, actor=actor(request)), note, status=409)


def _show_typed(
    request: HttpRequest, review: Review, note: str = "", *, status: int = 200, duplicates: Duplicates | None = None
) -> HttpResponse:
    """The page with the ticks and typed values, unchecked."""
    form = review_page.review_form(review, reason=request.POST.get("reason", ""))
    return _show(request, review, form, notes=[note] if note else [], status=status, duplicates=duplicates)


def _show(
    request: HttpRequest,
    review: Review,
    form: ReviewForm,
    *,
    status: int,
    missing: Collection[str] = (),
    notes: Collection[str] = (),
    duplicates: Duplicates | None = None,
) -> HttpResponse:
    """The page with a form that was posted."""
    posted = PostedReview(request.POST)
    page = review_page.build(
        review, user_of(request), form, bound=posted, missing=missing, notes=notes, duplicates=duplicates
    )
    return render_page(request, page, status=status)
