"""The review: exactly what would be sent, and the one button that sends it."""

from collections.abc import Collection

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from organizations.forms.review import Bound, ReviewForm
from organizations.models import Environment, Submission
from organizations.pages.review import page as review_page
from organizations.pages.review.message import already_sent, out_of_date
from organizations.permissions import Right, sending
from organizations.services.errors import ActionRefused, AlreadySent, OutOfDate, RecordWithdrawn
from organizations.services.outbox import submissions
from organizations.services.review import reviews
from organizations.services.review.reviews import Review
from organizations.views import expired_session

from .access import actor, needs, organization_or_404, require, submission_url, user_of
from .differences import ask_now, read_meanwhile
from .showing import show


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.comes_back
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """What is saved of a record, as the message that it would become."""
    organization = organization_or_404(environment, oid)
    if request.method == "POST" and "ask" in request.POST and not expired_session.came_back(request):
        return _show_typed(request, reviews.review(ask_now(request, organization), actor=actor(request)))
    made = reviews.review(organization, actor=actor(request))
    if request.method != "POST":
        return show(request, review_page.build(made, user_of(request)))
    require(request, sending(environment), environment=environment, oid=oid)
    if expired_session.came_back(request):
        return _show_typed(request, made, expired_session.SENTENCE, status=422)
    return _posted(request, made)


def _posted(request: HttpRequest, made: Review) -> HttpResponse:
    """Send what was reviewed, or ask for what is missing."""
    form, bound = review_page.review_form(made, request.POST), Bound(request.POST)
    missing = {submissions.warning_key(warning) for warning in made.open_warnings} - bound.ticked
    is_current = (bound.sha256, bound.seen_submission) == (made.sha256, made.organization.last_submission_id or 0)
    is_whole = form.is_valid() and not missing
    if is_current and not is_whole and not made.blockers:
        notes = read_meanwhile(request, made.organization)
        return _show(request, made, form, missing=missing, notes=notes, status=422)
    return _sent(request, made, form)


def _sent(request: HttpRequest, made: Review, form: ReviewForm) -> HttpResponse:
    """Send what was reviewed, or say why not and show what is so now."""
    try:
        submission = _submit(request, made, form)
    except AlreadySent as fault:
        messages.info(request, already_sent(fault.submission))
        submission = fault.submission
    except OutOfDate as fault:
        return _overtaken(request, made, str(fault))
    except RecordWithdrawn as gone:
        raise Http404(str(gone)) from gone
    except ActionRefused as fault:
        return _show(request, made, form, notes=[f"{fault} Nothing was sent."], status=409)
    return redirect(submission_url(submission))


def _submit(request: HttpRequest, made: Review, form: ReviewForm) -> Submission:
    bound = Bound(request.POST)
    return submissions.submit(
        made.organization.pk,
        sha256=bound.sha256,
        seen_submission=bound.seen_submission,
        reason=form.why,
        ticked=bound.ticked,
        actor=actor(request),
    )


def _overtaken(request: HttpRequest, before: Review, fault: str) -> HttpResponse:
    """The review of what is saved by now; what was ticked and typed stays."""
    organization = organization_or_404(Environment(before.organization.environment), before.organization.oid)
    note = out_of_date(organization, Bound(request.POST).version, fault)
    return _show_typed(request, reviews.review(organization, actor=actor(request)), note, status=409)


def _show_typed(request: HttpRequest, made: Review, note: str = "", *, status: int = 200) -> HttpResponse:
    """The page with what was ticked and typed, before anything of it is checked."""
    form = review_page.review_form(made, reason=request.POST.get("reason", ""))
    return _show(request, made, form, notes=[note] if note else [], status=status)


def _show(
    request: HttpRequest,
    made: Review,
    form: ReviewForm,
    *,
    status: int,
    missing: Collection[str] = (),
    notes: Collection[str] = (),
) -> HttpResponse:
    """The page with a form that was posted."""
    bound = Bound(request.POST)
    return show(
        request,
        review_page.build(made, user_of(request), form, bound=bound, missing=missing, notes=notes),
        status=status,
    )
