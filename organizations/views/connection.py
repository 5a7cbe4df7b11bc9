"""The connection to one environment: what is set, a check that writes nothing, and going on after a stop."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from organizations.models import Environment, EnvironmentGate
from organizations.permissions import Right, sending, why_not
from organizations.presentation import connection as shown
from organizations.services import connections, environments, going_on
from organizations.services.faults import NotDone

from .access import actor, needs, require, user_of

CHECK = "check the connection"


@require_safe
@needs(Right.VIEW)
def page(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Nothing is asked of Redox to show this."""
    gate = EnvironmentGate.objects.get(pk=environment)
    facts = connections.facts(environment)
    context = {
        "section": "connection",
        "gate": gate,
        "facts": facts,
        "settings_in_force": shown.settings_in_force(facts),
        "missing": shown.missing(facts),
        "lines_to_set": shown.lines_to_set(facts),
        "checked": shown.check_sentence(gate),
        "clock": shown.clock_sentence(gate),
        "may_go_on": going_on.may_go_on(gate),
        "check_why_not": why_not(user_of(request), Right.EDIT, environment, CHECK),
        "why_not": why_not(user_of(request), sending(environment)),
        "workers": connections.known_workers(environment),
        "routing_table": connections.routing_table(),
        "switch_url": reverse("connection", args=[environment.other]),
    }
    return render(request, "connection/page.html", context)


@require_POST
@needs(Right.EDIT, CHECK)
def check(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Get a token and make one Query."""
    found = environments.check(environment, actor=actor(request))
    (messages.success if found.succeeded else messages.error)(request, found.sentence)
    return redirect("connection", environment)


@require_POST
@needs(Right.VIEW)
def go_on(request: HttpRequest, environment: Environment) -> HttpResponse:
    """Go on sending after a stop, when a check has succeeded since."""
    require(request, sending(environment), environment=environment)
    try:
        going_on.release(environment, actor=actor(request))
        messages.success(request, f"Sending to {environment.label} goes on.")
    except NotDone as fault:
        messages.error(request, str(fault))
    return redirect("connection", environment)
