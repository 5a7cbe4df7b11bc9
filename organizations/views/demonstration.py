"""Choose how the practice directory behaves, on any page of the demonstration."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from organizations.services import demonstration

from .account import safe_next


@require_POST
def set_behaviour(request: HttpRequest) -> HttpResponse:
    try:
        label = demonstration.set_behaviour(request.POST.get("behaviour", ""))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    messages.info(request, f"Redox now: {label}.")
    return redirect(safe_next(request, reverse("home")))
