"""What stands before every page: the number of a request with its log line, and answers to what no page can take."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string

from orgportal import health, logs

log = logging.getLogger("orgportal.request")

type Respond = Callable[[HttpRequest], HttpResponse]
type Application = Callable[[dict[str, Any], Any], Any]

# What browsers send forms as. Any other character set would let text in that no database and no page can take.
_FORM = re.compile(
    r"application/x-www-form-urlencoded(; ?charset=\"?utf-8\"?)?|multipart/form-data; ?boundary=\"?[!-~]{1,70}\"?",
    re.IGNORECASE,
)
_QUOTED_NUL = r"\000"
# What nginx takes in its default settings. The address of a plan names each of its records.
LONGEST_ADDRESS = 8190


def readable(application: Application) -> Application:
    """A WSGI application that sees no head which Django fails on before its own handling of faults begins.

    A Content-Type that no form has counts as none, and so do cookies that hold NUL.
    """

    def called(environ: dict[str, Any], start_response: Any) -> Any:
        if not _FORM.fullmatch(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = ""
        if _QUOTED_NUL in environ.get("HTTP_COOKIE", ""):
            del environ["HTTP_COOKIE"]
        return application(environ, start_response)

    return called


class RequestIdMiddleware:
    """Gives each request a number that its log lines, audit entries and the answer's `X-Request-ID` share.

    A number from outside never counts: otherwise a visitor could choose what the history shows.
    Also sets `request.client_address`, which is the address that the outermost trusted proxy saw.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = secrets.token_hex(6)
        token = logs.request_id.set(number)
        started = time.monotonic()
        try:
            request.request_id = number  # type: ignore[attr-defined]
            request.client_address = _client_address(request)  # type: ignore[attr-defined]
            response = self.respond(request)
            response["X-Request-ID"] = number
            if request.path_info not in (health.LIVE, health.READY):  # asked every few seconds, by programs
                _log_line(request, response, started)
            return response
        finally:
            logs.request_id.reset(token)


def _client_address(request: HttpRequest) -> str:
    direct: str = request.META.get("REMOTE_ADDR", "")
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    proxies = settings.BEHIND_PROXY
    return hops[-proxies] if proxies and len(hops) >= proxies else direct


def _log_line(request: HttpRequest, response: HttpResponse, started: float) -> None:
    # The path without its query: a search may hold a name, a telephone number or an e-mail address.
    fields = {
        "method": request.method,
        "path": request.path,
        "status_code": response.status_code,
        "duration_ms": round((time.monotonic() - started) * 1000),
    }
    log.info("request", extra=fields)


class LongAddressMiddleware:
    """Gives an address that nobody can have been given a page that says so."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(request.get_full_path()) > LONGEST_ADDRESS:
            return HttpResponse(render_to_string("414.html"), status=414)
        return self.respond(request)


class WrongMethodMiddleware:
    """Gives an address that was asked in a wrong way a page that says so; Django's own answer is empty."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.respond(request)
        if isinstance(response, HttpResponseNotAllowed):
            response.content = render_to_string("405.html").encode()
        return response
