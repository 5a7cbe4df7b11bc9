"""Deactivate and reactivate: what happens, why, and in PRODUCTION the name typed, then one Update."""

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from organizations import words
from organizations.forms.deactivation import DeactivationForm
from organizations.models import Environment, Intent, Organization
from organizations.permissions import Right, sending, why_not
from organizations.presentation.choices import suggesting
from organizations.presentation.deactivation import deactivation
from organizations.presentation.review import page as review_page
from organizations.services import reviews, submissions
from organizations.services.blockers import Block
from organizations.services.faults import AlreadySent, Gone, NotDone
from organizations.services.reviews import Review

from .access import actor, counterpart_url, needs, organization_or_404, require, submission_url, user_of
from .differences import ask_now, read_meanwhile, why_not_ask
from .lost import SENTENCE, came_back, comes_back
from .plans import deactivate_branch
from .replacing import other_record

_FIELDS = ("why", "replaced_by", "in_words", "typed_name")
CHILDREN = "A record below this one is active now. Nothing was sent. Here is the plan for all of them."


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.VIEW)
def deactivate(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Take a record out of use: what Redox last accepted, with Active false."""
    return _act(request, organization_or_404(environment, oid), Intent.DEACTIVATE)


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.VIEW)
def reactivate(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Take a record into use again: what Redox last accepted, with Active true."""
    return _act(request, organization_or_404(environment, oid), Intent.REACTIVATE)


def _act(request: HttpRequest, organization: Organization, intent: Intent) -> HttpResponse:
    review = reviews.review(organization, actor=actor(request), intent=intent)
    if request.method != "POST":
        return deactivate_branch(request, organization) if _has_children(review) else _page(request, review)
    if came_back(request):
        messages.warning(request, SENTENCE)
        return _shown_anew(request, review)
    if "ask" in request.POST:
        anew = ask_now(request, organization)
        return _shown_anew(request, reviews.review(anew, actor=actor(request), intent=intent))
    require(request, sending(organization.environment), environment=organization.environment, oid=organization.oid)
    if _has_children(review):
        return deactivate_branch(request, organization, notes=[CHILDREN], status=409)
    form = DeactivationForm(request.POST, **_known(review))
    missing = {submissions.warning_key(warning) for warning in review.open_warnings} - _ticked(request)
    is_current = form.data.get("sha256") == review.sha256
    if not form.is_valid() or (missing and is_current and not review.blockers):
        for sentence in read_meanwhile(request, organization):
            messages.warning(request, sentence)
        return _page(request, review, form, missing=missing, status=422)
    return _submit(request, review, form)


def _submit(request: HttpRequest, review: Review, form: DeactivationForm) -> HttpResponse:
    try:
        submission = submissions.submit(
            review.organization.pk,
            sha256=form.text("sha256"),
            seen_submission=form.last_seen,
            reason=form.given,
            ticked=_ticked(request),
            intent=review.intent,
            actor=actor(request),
        )
    except AlreadySent as fault:
        time = words.moment(timezone.localtime(fault.submission.created_at), timezone.now(), "clock")
        messages.info(request, f"This was sent already at {time}: submission {fault.submission.pk}.")
        submission = fault.submission
    except Gone as gone:
        raise Http404(str(gone)) from gone
    except NotDone as fault:
        messages.error(request, str(fault))
        organization = organization_or_404(Environment(review.organization.environment), review.organization.oid)
        anew = reviews.review(organization, actor=actor(request), intent=review.intent)
        return _shown_anew(request, anew, status=409)
    return redirect(submission_url(submission))


def _has_children(review: Review) -> bool:
    """Whether what is active below the record has to be deactivated before it: that is a plan of several records."""
    return any(blocker.kind == Block.ACTIVE_CHILDREN for blocker in review.blockers)


def _ticked(request: HttpRequest) -> frozenset[str]:
    return frozenset(request.POST.getlist("tick"))


def _shown_anew(request: HttpRequest, review: Review, *, status: int = 200) -> HttpResponse:
    """The page of this review with what was typed and ticked."""
    if _has_children(review):
        return deactivate_branch(request, review.organization, status=status)
    return _page(request, review, _same_form(request, review), status=status)


def _page(
    request: HttpRequest,
    review: Review,
    form: DeactivationForm | None = None,
    *,
    missing: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    organization = review.organization
    form = form or _empty_form(review)
    if "replaced_by" in form.fields:
        form.fields["replaced_by"].widget.attrs |= suggesting(organization.environment)
    context = {
        "section": "organizations",
        "organization": organization,
        "standing": words.STANDING[organization.standing],
        "shown": deactivation(review),
        "page": review_page(review, ticked=_ticked(request), missing=missing),
        "review": review,
        "form": form,
        "why_not": why_not(user_of(request), sending(organization.environment)),
        "ask_why_not": why_not_ask(request, organization),
        "is_unsaved": request.method == "POST",
        "switch_url": counterpart_url(organization),
    }
    return render(request, "deactivation/page.html", context, status=status)


def _empty_form(review: Review, **typed: str) -> DeactivationForm:
    tied = {"sha256": review.sha256, "seen_submission": str(review.organization.last_submission_id or 0)}
    return DeactivationForm(initial=tied | typed, **_known(review))


def _same_form(request: HttpRequest, review: Review) -> DeactivationForm:
    """What was typed, tied to the review that is shown now."""
    return _empty_form(review, **{name: request.POST.get(name, "") for name in _FIELDS})


def _known(review: Review) -> dict[str, Any]:
    """What the form must know besides what is typed."""
    organization = review.organization
    environment = Environment(organization.environment)
    return {
        "intent": review.intent,
        "name": review.record.name if environment == Environment.PRODUCTION else "",
        "word": environment.label,
        "replacement": lambda typed: other_record(environment, typed, without=[organization.pk]),
    }
