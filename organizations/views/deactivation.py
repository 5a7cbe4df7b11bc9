"""Deactivate and reactivate: what happens, why, and in PRODUCTION the name typed, then one Update."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from organizations import words
from organizations.forms.deactivation import DeactivationForm, Replacement
from organizations.models import Environment, Intent, Organization
from organizations.permissions import Right, sending
from organizations.presentation import choices
from organizations.presentation.deactivation import deactivation
from organizations.services import reviews, submissions
from organizations.services.faults import AlreadySent, Gone, NotDone
from organizations.services.reviews import Review

from .access import actor, counterpart_url, needs, organization_or_404, require, submission_url, why_not
from .form_page import suggesting
from .lost import SENTENCE, came_back, comes_back

_FIELDS = ("why", "replaced_by", "in_words", "typed_name")


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
        return _page(request, review, _empty_form(review))
    if came_back(request):
        messages.warning(request, SENTENCE)
        return _page(request, review, _same_form(request, review))
    require(request, sending(organization.environment), environment=organization.environment, oid=organization.oid)
    form = DeactivationForm(request.POST, **_known(review))
    if not form.is_valid():
        return _page(request, review, form, status=422)
    return _submit(request, review, form)


def _submit(request: HttpRequest, review: Review, form: DeactivationForm) -> HttpResponse:
    try:
        submission = submissions.submit(
            review.organization.pk,
            sha256=form.text("sha256"),
            seen_submission=form.last_seen,
            reason=form.reason,
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
        return _page(request, anew, _same_form(request, anew), status=409)
    return redirect(submission_url(submission))


def _page(request: HttpRequest, review: Review, form: DeactivationForm, *, status: int = 200) -> HttpResponse:
    organization = review.organization
    if "replaced_by" in form.fields:
        form.fields["replaced_by"].widget.attrs |= suggesting(organization.environment)
    context = {
        "section": "organizations",
        "organization": organization,
        "standing": words.STANDING[organization.standing],
        "shown": deactivation(review),
        "review": review,
        "form": form,
        "why_not": why_not(request, sending(organization.environment)),
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
        "replacement": lambda typed: _other_record(organization, typed),
    }


def _other_record(organization: Organization, typed: str) -> Replacement | None:
    ours = Organization.objects.in_environment(organization.environment).exclude(pk=organization.pk)
    oid = choices.record_called(organization.environment, typed.replace("\x00", ""))
    found = ours.filter(oid=oid).only("name", "oid").first()
    return Replacement(found.name, found.oid) if found else None
