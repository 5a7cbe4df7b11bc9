"""Deciding about a submission that needs a decision. The page that it is decided on is that of the submission."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from organizations.models import Environment, State, Submission
from organizations.permissions import Right
from organizations.services import asking, deciding
from organizations.services.deciding import Verdict
from organizations.services.faults import NotDone

from . import lost, submissions
from .access import actor, needs, require, submission_or_404, submission_url

DECIDED_ALREADY = "Submission {} was decided already. Nothing was changed."
STILL_HERE = "Nothing was decided. What you typed is still here."


@require_http_methods(["GET", "HEAD", "POST"])
@lost.comes_back
@needs(Right.VIEW)
def decide(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """End a submission by the answer of the directory that the person compared with, or ask for a newer one.

    Whatever stands in the way, the page comes back with what was typed. Who only opens the address, as after a reload
    or from the history of a browser, is led to the page that has the form.
    """
    if request.method != "POST":
        submission = submission_or_404(environment, number)
        is_open = submission.state == State.NEEDS_PERSON
        return redirect(submission_url(submission) + ("#decide" if is_open else ""))
    require(request, Right.RESOLVE, environment=environment)
    submission = submission_or_404(environment, number)
    if submission.state != State.NEEDS_PERSON:
        messages.error(request, DECIDED_ALREADY.format(number))
        return redirect(submission_url(submission))
    if lost.came_back(request):
        messages.info(request, lost.SENTENCE)
        return submissions.show_typed(request, submission, status=422)
    if "ask" in request.POST:
        return _ask(request, submission)
    return _decide(request, submission)


def _decide(request: HttpRequest, submission: Submission) -> HttpResponse:
    form = submissions.decision_form(request, submission)
    if sentence := submissions.why_compare_again(request, submission):
        messages.error(request, f"{sentence} {STILL_HERE}")
        return submissions.show_typed(request, submission, status=422)
    if not form.is_valid():
        return submissions.show(request, submission, form, status=422)
    verdict, sequence = Verdict(form.cleaned_data["verdict"]), form.cleaned_data["sequence"]
    try:
        deciding.decide(submission.pk, verdict, sequence=sequence, reason=form.why, actor=actor(request))
    except NotDone as refused:
        messages.error(request, str(refused))
        submission.refresh_from_db()
        if submission.state == State.NEEDS_PERSON:
            return submissions.show_typed(request, submission, status=422)
    return redirect(submission_url(submission))


def _ask(request: HttpRequest, submission: Submission) -> HttpResponse:
    """Ask the directory anew from the middle of a decision: what was typed stays."""
    require(request, Right.EDIT, environment=submission.environment, oid=submission.oid, act=submissions.ASK)
    asking.ask_about(submission, actor=actor(request))
    return submissions.show_typed(request, submission)
