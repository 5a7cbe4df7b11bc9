"""The review: exactly what would be sent, and the one button that sends it."""

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from organizations import permissions
from organizations.forms.review import Bound, ReviewForm
from organizations.models import Environment, Organization, tree
from organizations.permissions import Right, why_not
from organizations.presentation import review as shown
from organizations.services import reviews, submissions
from organizations.services.faults import AlreadySent, Gone, NotDone, OutOfDate
from organizations.services.reviews import Review

from . import lost
from .access import actor, counterpart_url, needs, organization_or_404, record_url, require, submission_url, user_of
from .differences import ask_now, read_meanwhile, why_not_ask


@require_http_methods(["GET", "HEAD", "POST"])
@lost.comes_back
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """What is saved of a record, as the message that it would become."""
    made = reviews.review(organization_or_404(environment, oid), actor=actor(request))
    if request.method != "POST":
        return _show(request, made, _form(made))
    if "ask" in request.POST and not lost.came_back(request):
        return _asked(request, made)
    require(request, permissions.sending(environment), environment=environment, oid=oid)
    bound = Bound(request.POST)
    if lost.came_back(request):
        form = _form(made, initial={"reason": request.POST.get("reason", "")})
        return _show(request, made, form, bound=bound, notes=[lost.SENTENCE], status=422)
    return _sent(request, made, bound)


def _asked(request: HttpRequest, before: Review) -> HttpResponse:
    """The review by a new answer of the directory; what was ticked and typed stays."""
    organization = ask_now(request, before.organization)
    made = reviews.review(organization, actor=actor(request))
    form = _form(made, initial={"reason": request.POST.get("reason", "")})
    return _show(request, made, form, bound=Bound(request.POST))


def _sent(request: HttpRequest, made: Review, bound: Bound) -> HttpResponse:
    """Send what was reviewed, or say why not and show what is so now."""
    form = _form(made, request.POST)
    missing = {submissions.warning_key(warning) for warning in made.open_warnings} - bound.ticked
    is_current = (bound.sha256, bound.seen_submission) == (made.sha256, made.organization.last_submission_id or 0)
    is_whole = form.is_valid() and not missing
    if is_current and not is_whole and not made.blockers:
        notes = read_meanwhile(request, made.organization)
        return _show(request, made, form, bound=bound, missing=missing, notes=notes, status=422)
    try:
        submission = submissions.submit(
            made.organization.pk,
            sha256=bound.sha256,
            seen_submission=bound.seen_submission,
            reason=form.why,
            ticked=bound.ticked,
            actor=actor(request),
        )
    except AlreadySent as fault:
        messages.info(request, shown.already_sent(fault.submission))
        return redirect(submission_url(fault.submission))
    except OutOfDate as fault:
        return _overtaken(request, bound, made, str(fault))
    except Gone as gone:
        raise Http404(str(gone)) from gone
    except NotDone as fault:
        return _show(request, made, form, bound=bound, notes=[f"{fault} Nothing was sent."], status=409)
    return redirect(submission_url(submission))


def _overtaken(request: HttpRequest, bound: Bound, before: Review, fault: str) -> HttpResponse:
    organization = organization_or_404(Environment(before.organization.environment), before.organization.oid)
    made = reviews.review(organization, actor=actor(request))
    note = shown.out_of_date(organization, bound.version, fault)
    form = _form(made, initial={"reason": request.POST.get("reason", "")})
    return _show(request, made, form, bound=bound, notes=[note], status=409)


def _form(made: Review, data: Any = None, **values: Any) -> ReviewForm:
    return ReviewForm(data, needs_reason=made.needs_reason, word=made.word, **values)


def _show(
    request: HttpRequest,
    made: Review,
    form: ReviewForm,
    *,
    bound: Bound | None = None,
    missing: Collection[str] = (),
    notes: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    page = shown.page(
        made, since_version=bound.version if bound else None, ticked=bound.ticked if bound else (), missing=missing
    )
    context: dict[str, Any] = {
        "page": page,
        "made": made,
        "form": form,
        "organization": made.organization,
        "section": "organizations",
        "switch_url": counterpart_url(made.organization),
        "path": _path(made.organization),
        "notes": notes,
        "why_not": why_not(user_of(request), permissions.sending(made.organization.environment)),
        "ask_why_not": why_not_ask(request, made.organization),
        "is_unsaved": request.method == "POST",
    }
    return render(request, "review/page.html", context, status=status)


def _path(organization: Organization) -> list[tuple[str, str]]:
    above = [*tree.path_of(organization), organization]
    records = [(each.name, record_url(each)) for each in above]
    return [("Organizations", reverse("organizations", args=[organization.environment])), *records, ("Review", "")]
