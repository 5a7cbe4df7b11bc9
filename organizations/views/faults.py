"""Pages for what went wrong in the portal itself. They ask neither the database nor the session."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from orgportal import logs


def server_fault(request: HttpRequest) -> HttpResponse:
    """The last page there is: with the number under which the log has the cause."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "60"})
    return HttpResponse(render_to_string("500.html", {"number": logs.request_id.get()}), status=500)
