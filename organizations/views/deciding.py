"""Deciding about a submission that needs a person. The page that it is decided on is that of the submission."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from organizations.models import Environment
from organizations.permissions import Right
from organizations.services import deciding
from organizations.services.deciding import Verdict
from organizations.services.faults import NotDone

from . import lost, submissions
from .access import actor, needs, submission_or_404, submission_url


@require_POST
@lost.comes_back
@needs(Right.RESOLVE)
def decide(request: HttpRequest, environment: Environment, number: int) -> HttpResponse:
    """End a submission by the answer of the directory that the person compared with."""
    submission = submission_or_404(environment, number)
    form = submissions.decision_form(submission, request.POST)
    if form is None:
        messages.error(request, "The answer that you compared with is too old, or it was decided already. Look again.")
        return redirect(submission_url(submission))
    if lost.came_back(request):
        messages.info(request, lost.SENTENCE)
        return submissions.show(request, submission, form, status=422)
    if not form.is_valid():
        return submissions.show(request, submission, form, status=422)
    verdict, sequence = Verdict(form.cleaned_data["verdict"]), form.cleaned_data["sequence"]
    try:
        deciding.decide(number, verdict, sequence=sequence, reason=form.why, actor=actor(request))
    except NotDone as fault:
        messages.error(request, str(fault))
    return redirect(submission_url(submission))
