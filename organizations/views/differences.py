"""Where the directory and a record differ, and asking the directory about a record."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from organizations.models import Environment
from organizations.permissions import Right
from organizations.services import asking

from .access import actor, needs, organization_or_404, record_url

ASK = "ask the directory"


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """What differs, field by field: shown on the record itself."""
    return redirect(record_url(organization_or_404(environment, oid)))


@require_POST
@needs(Right.EDIT, ASK)
def ask(request: HttpRequest, environment: Environment, oid: str) -> HttpResponse:
    """Ask what the directory shows of a record now. It reads; nothing is sent."""
    organization = organization_or_404(environment, oid)
    answer = asking.ask_about_record(organization, actor=actor(request))
    if not answer.was_asked:
        messages.error(request, f"The directory could not be asked: {answer.cause}")
    return redirect(record_url(organization))
