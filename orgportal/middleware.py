"""Middleware: gives each request an ID and a log line, and refuses requests that no view can answer."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from orgportal import headers, health, logs

log = logging.getLogger("orgportal.request")

type Respond = Callable[[HttpRequest], HttpResponseBase]
type Application = Callable[[dict[str, Any], Any], Any]

# The types in which browsers send forms. With another character set, a text could have characters that the database or
# a page refuses.
_FORM = re.compile(
    r"application/x-www-form-urlencoded(; ?charset=\"?utf-8\"?)?|multipart/form-data; ?boundary=\"?[!-~]{1,70}\"?",
    re.IGNORECASE,
)
_QUOTED_NUL = r"\000"
# The default limit of nginx. The address of a plan can be that long, because it names each record.
LONGEST_ADDRESS = 8190
_SERVER_ERROR = b"Something went wrong here, not at Redox. Nothing was sent by this page.\n"


def clean_requests(application: Application) -> Application:
    """Wrap the WSGI application: remove headers on which Django fails before its error handling begins.

    These headers are a Content-Type that no form has, and cookies with NUL. An exception without an error page, for
    example because the URL configuration cannot be loaded, is logged, and the response is plain text.
    """

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        if not _FORM.fullmatch(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = ""
        if _QUOTED_NUL in environ.get("HTTP_COOKIE", ""):
            del environ["HTTP_COOKIE"]
        try:
            return application(environ, start_response)
        except Exception:
            log.exception("No page could be made", extra={"path": environ.get("PATH_INFO", "")})
            start_response("500 Internal Server Error", _server_error_headers())
            return [_SERVER_ERROR]

    return wrapped


def _server_error_headers() -> list[tuple[str, str]]:
    own = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(_SERVER_ERROR))}
    return list((own | headers.complete_headers()).items())


class RequestIdMiddleware:
    """Gives each request an ID, which is in its log lines, its audit entries and the response's `X-Request-ID`.

    An ID that the visitor sends is ignored: otherwise visitors could write a value of their choice into the history.
    Also sets `request.client_address`: the address from which the outermost trusted proxy got the request.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = secrets.token_hex(6)
        token = logs.request_id.set(request_id)
        started = time.monotonic()
        try:
            request.request_id = request_id  # type: ignore[attr-defined]
            request.client_address = _client_address(request)  # type: ignore[attr-defined]
            response = self.respond(request)
            response["X-Request-ID"] = request_id
            if request.path_info not in (health.LIVE, health.READY):  # programs request these every few seconds
                _log_line(request, response, started)
            if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
                response.streaming_content = _with_noted_id(iter(response), request_id)
            return response
        finally:
            logs.request_id.reset(token)


def _with_noted_id(lines: Iterable[bytes], request_id: str) -> Iterator[bytes]:
    """Add the request's ID to an exception while the response is sent: the web server logs it without the request."""
    try:
        yield from lines
    except Exception as error:
        error.add_note(f"in the answer to request {request_id}")
        raise


def _client_address(request: HttpRequest) -> str:
    direct: str = request.META.get("REMOTE_ADDR", "")
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    proxies = settings.BEHIND_PROXY
    return _without_port(hops[-proxies]) if proxies and len(hops) >= proxies else direct


def _without_port(hop: str) -> str:
    """The address without the port that some proxies add: 203.0.113.9:4711 or [2001:db8::1]:4711."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, _, port = hop.partition(":")
    return host if port.isdigit() and "." in host else hop


def _log_line(request: HttpRequest, response: HttpResponseBase, started: float) -> None:
    # The path without its query string: a search may have a name, a telephone number or an e-mail address.
    fields = {
        "method": request.method,
        "path": request.path,
        "status_code": response.status_code,
        "duration_ms": round((time.monotonic() - started) * 1000),
    }
    log.info("request", extra=fields)


class LongAddressMiddleware:
    """Answers an address that is too long with the page for status 414."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if len(request.get_full_path()) > LONGEST_ADDRESS:
            return HttpResponse(render_to_string("414.html"), status=414)
        return self.respond(request)


class BodyMiddleware:
    """Reads the body before any view, so that its limits apply to every request.

    Raises:
        SuspiciousOperation: the body is too large, has too many inputs, or has a file although the page takes none.
        MultiPartParserError: the body does not match its headers.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or ""
        takes_files = re.fullmatch(settings.FILES_ADDRESS, request.path_info) is not None
        most = settings.MOST_BYTES_WITH_FILES if takes_files else settings.MOST_BYTES_IN_A_REQUEST
        # Checked before reading, because Django counts the bytes of a multipart body only while it reads them.
        if length.isascii() and length.isdigit() and _is_longer(length, most):
            raise RequestDataTooBig(f"At most {most // 1000:,} kB can be sent at once.")
        if not takes_files:
            request.upload_handlers = [_NoFiles(request)]
        _ = request.GET, request.POST
        return self.respond(request)


class _NoFiles(FileUploadHandler):
    """Refuses a file before its content is read."""

    def new_file(self, *_: Any, **__: Any) -> None:
        raise TooManyFilesSent("This page does not take a file.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Not reached."""

    def file_complete(self, file_size: int) -> None:
        """Not reached."""


def _is_longer(length: str, most: int) -> bool:
    """Whether the number is larger than `most`. Python refuses to convert a text with thousands of digits."""
    digits = length.lstrip("0")
    return len(digits) > len(str(most)) or int(digits or "0") > most


class WrongMethodMiddleware:
    """Answers a request with the wrong method with the page for status 405. Django's own response is empty."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.respond(request)
        if isinstance(response, HttpResponseNotAllowed):
            response.content = render_to_string("405.html").encode()
        return response
