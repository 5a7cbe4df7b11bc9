"""The connection to one environment: what is set, a check that writes nothing, and going on after a stop."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from organizations.models import Environment
from organizations.pages.connection import page as connection_page
from organizations.pages.connection.page import CHECK
from organizations.permissions import Right, sending
from organizations.services.connection import check
from organizations.services.delivery import resume
from organizations.services.errors import ActionRefused

from .access import actor, needs, require, user_of
from .showing import show


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Nothing is asked of Redox to show this."""
    return show(request, connection_page.build(environment, user_of(request)))


@require_POST
@needs(Right.EDIT, CHECK)
def check_connection(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Get a token and make one Query."""
    found = check.check(environment, actor=actor(request))
    (messages.success if found.succeeded else messages.error)(request, found.sentence)
    return redirect("connection", environment)


@require_POST
@needs(Right.VIEW)
def go_on(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Resume sending after a stop, once a check has succeeded."""
    require(request, sending(environment), environment=environment)
    try:
        resume.resume(environment, actor=actor(request))
        messages.success(request, f"Sending to {environment.label} goes on.")
    except ActionRefused as fault:
        messages.error(request, str(fault))
    return redirect("connection", environment)
