"""Pages for errors of the portal itself. They read neither the database nor the session."""

import logging
import re
import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from orgportal import logs

log = logging.getLogger("orgportal.request")

TOO_LARGE = f"At most {settings.MOST_BYTES_IN_A_REQUEST // 1000:,} kB can be sent at once."
FEWER_FILES = "Go back and choose fewer or smaller files: at most 5 MB together."
PLAIN = "Something went wrong here, not at Redox. If you pressed a button, check whether that was done. Number {}."


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a request that cannot be read. It names the limit that was exceeded, if any.

    The one page whose form can exceed a limit, because it takes files, gets a link back to it.
    """
    takes_files = re.fullmatch(settings.FILES_ADDRESS, request.path_info) is not None
    limit = _limit(exception)
    if takes_files and isinstance(exception, RequestDataTooBig):
        limit = f"{limit} {FEWER_FILES}"
    context = {"limit": limit, "back_url": request.path if takes_files else ""}
    return HttpResponse(render_to_string("400.html", context), status=400)


def _limit(exception: Exception) -> str:
    if isinstance(exception, TooManyFilesSent):
        return (
            f"At most {settings.MOST_FILES} files can be sent at once, and only from the page that takes over"
            " organizations. Go back to choose fewer."
        )
    if isinstance(exception, TooManyFieldsSent):
        return f"At most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} values can be sent at once."
    if isinstance(exception, RequestDataTooBig):
        text = str(exception)
        return text if text.startswith("At most") else TOO_LARGE
    return ""


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for an unexpected error, with the number that finds its cause in the log."""
    request.cause = sys.exception()  # type: ignore[attr-defined]
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "60"})
    number = logs.request_id.get()
    try:
        return HttpResponse(render_to_string("500.html", {"number": number}), status=500)
    except Exception:
        log.exception("The error page could not be rendered")
        return HttpResponse(PLAIN.format(number), status=500, content_type="text/plain; charset=utf-8")
