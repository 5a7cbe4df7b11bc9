"""Headers of every HTTP response: of pages, static files, the health addresses, and errors of the web server."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.csp import CSP, build_policy
from whitenoise.middleware import WhiteNoiseFileResponse

# Django sets the other security headers itself; it has no settings for these.
_OURS = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_NEVER_STORED = "private, no-store"


class HeadersMiddleware:
    """Adds the headers that Django lacks, and forbids browsers and proxies to store a page.

    Static files keep the lifetime that WhiteNoise sets, because the name of a file changes with its content.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.respond(request)
        for name, value in (_OURS | _of_django()).items():
            response.headers.setdefault(name, value)
        is_file = isinstance(response, WhiteNoiseFileResponse) and response.status_code < 400
        if not is_file:
            response.headers["Cache-Control"] = _NEVER_STORED
        if isinstance(response, HttpResponse):  # without a length, the web server would close the connection
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def _of_django() -> dict[str, str]:
    """Headers that Django adds itself, except to a response that refuses a host or redirects to TLS."""
    return {
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "X-Content-Type-Options": "nosniff",
    }


def complete_headers() -> dict[str, str]:
    """All headers for a response that passes no middleware, because Django did not get the request or failed."""
    headers = {
        **_OURS,
        **_of_django(),
        "Cache-Control": _NEVER_STORED,
        str(CSP.HEADER_ENFORCE): build_policy(settings.SECURE_CSP),  # type: ignore[arg-type]
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
    }
    if settings.SECURE_HSTS_SECONDS:  # a browser ignores this header without TLS
        below = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}{below}"
    return headers
