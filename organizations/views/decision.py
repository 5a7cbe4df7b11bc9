"""Decide about a submission. The form is on the page of the submission."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from organizations.forms.decision import DecisionForm
from organizations.models import Environment, State, Submission, Verdict
from organizations.pages.addresses import submission_url
from organizations.pages.submission import page as submission_page
from organizations.pages.submission.decision_choices import DecisionOptions
from organizations.permissions import ASK, Right
from organizations.services.delivery import decide, query
from organizations.services.errors import ActionRefused
from organizations.views import expired_session

from .access import actor, needs, require, submission_or_404, user_of
from .submissions import show_submission

DECIDED_ALREADY = "Submission {} is already decided. Nothing was changed."
ASKED_AGAIN = "The directory was asked again after you opened this page. Compare with its newest answer, then confirm."
STILL_HERE = "Nothing was decided. What you typed is still here."


@require_http_methods(["GET", "HEAD", "POST"])
@expired_session.restores_form
@needs(Right.VIEW)
def decide_submission(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """End a submission by the answer of the directory that the person compared with, or ask for a newer one.

    If the decision is refused, the page is shown again with the typed values. Opening the address, as a reload does,
    redirects to the page with the form.
    """
    submission = submission_or_404(environment, number)
    if request.method != "POST":
        return _redirect_to_form(submission)
    require(request, Right.RESOLVE, environment=environment)
    if submission.state != State.NEEDS_PERSON:
        messages.error(request, DECIDED_ALREADY.format(number))
        return redirect(submission_url(submission))
    if expired_session.must_restore_form(request):
        messages.info(request, expired_session.NOTICE)
        return _show_typed(request, submission)
    return _ask(request, submission) if "ask" in request.POST else _decide(request, submission)


def _redirect_to_form(submission: Submission) -> HttpResponse:
    return redirect(submission_url(submission) + ("#decide" if submission.state == State.NEEDS_PERSON else ""))


def _ask(request: HttpRequest, submission: Submission) -> HttpResponse:
    """Ask the directory again. The typed values stay in the form."""
    require(request, Right.EDIT, environment=submission.environment, oid=submission.oid, act=ASK)
    query.query_for_submission(submission, actor=actor(request))
    return _show_typed(request, submission, status=200)


def _decide(request: HttpRequest, submission: Submission) -> HttpResponse:
    options, user = submission_page.decision_options(submission), user_of(request)
    if options is None or (sentence := _compare_again_reason(request, options)):
        messages.error(request, f"{sentence if options else ASKED_AGAIN} {STILL_HERE}")
        return _show_typed(request, submission)
    form = submission_page.decision_form(options, user, request.POST)
    if not form.is_valid():
        return show_submission(request, submission, form, status=422)
    return _carry_out(request, submission, form)


def _compare_again_reason(request: HttpRequest, options: DecisionOptions) -> str:
    """Why the posted decision does not count, as a sentence: the answer is not the newest one, or too old."""
    if not options.choices:
        return options.block_reason
    return "" if request.POST.get("sequence") == str(options.sequence) else ASKED_AGAIN


def _carry_out(request: HttpRequest, submission: Submission, form: DecisionForm) -> HttpResponse:
    verdict, sequence = Verdict(form.cleaned_data["verdict"]), form.cleaned_data["sequence"]
    try:
        decide.decide_submission(
            submission.pk, verdict, sequence=sequence, reason=form.reason_text, actor=actor(request)
        )
    except ActionRefused as refused:
        messages.error(request, str(refused))
        submission.refresh_from_db()
        if submission.state == State.NEEDS_PERSON:
            return _show_typed(request, submission)
    return redirect(submission_url(submission))


def _show_typed(request: HttpRequest, submission: Submission, *, status: int = 422) -> HttpResponse:
    """The page with the typed values, unchecked."""
    options = submission_page.decision_options(submission)
    form = None
    if options:
        verdict, reason = (request.POST.get(name, "") for name in ("verdict", "reason"))
        form = submission_page.decision_form(options, user_of(request), verdict=verdict, reason=reason)
    return show_submission(request, submission, form, status=status)
