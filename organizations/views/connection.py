"""The connection to one environment: settings, a check that writes nothing, and resuming after a stop."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from organizations.models import Environment
from organizations.pages.connection import page as connection_page
from organizations.pages.connection.page import CHECK
from organizations.permissions import Right, right_to_send
from organizations.services.connection import check
from organizations.services.delivery import resume
from organizations.services.errors import ActionRefused

from .access import actor, needs, require, user_of
from .rendering import render_page


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """The settings and state. Opening the page sends nothing to Redox."""
    return render_page(request, connection_page.build(environment, user_of(request)))


@require_POST
@needs(Right.EDIT, CHECK)
def check_connection(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Get a token and send one Query."""
    result = check.check_connection(environment, actor=actor(request))
    (messages.success if result.succeeded else messages.error)(request, result.sentence)
    return redirect("connection", environment)


@require_POST
@needs(Right.VIEW)
def resume_sending(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Resume sending after a stop, once a check has succeeded."""
    require(request, right_to_send(environment), environment=environment)
    try:
        resume.resume(environment, actor=actor(request))
        messages.success(request, f"Sending to {environment.label} is resumed.")
    except ActionRefused as error:
        messages.error(request, str(error))
    return redirect("connection", environment)
