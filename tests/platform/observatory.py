"""The score that MDN's HTTP Observatory would give to a site, by its published rules.

A site begins with 100. Each of its tests takes points away or adds some; what is added counts only when 90 are left
without it. Only the results that a portal can get are here; any other counts as the worst that its test can have.
https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie

_PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
_SIX_MONTHS = 15_552_000
_UNSAFE = re.compile(r"unsafe-|\*|(?<![-\w])(https?|ftp|data):(?![^ ]*/)")


@dataclass(frozen=True, slots=True)
class Site:
    """A site as a visitor sees it: its first page, its cookies, and the redirect of plain HTTP."""

    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    page: str
    plain_http_leads_to: str


def score(site: Site) -> tuple[int, dict[str, int]]:
    """The score, and the points that each test adds or takes."""
    points = {
        "content-security-policy": _policy(site),
        "cookies": min(map(_cookie, site.cookies), default=0),
        "cross-origin-resource-sharing": -50 if "Access-Control-Allow-Origin" in site.headers else 0,
        "cross-origin-embedder-policy": _exactly(site, "Cross-Origin-Embedder-Policy", "require-corp"),
        "cross-origin-opener-policy": _exactly(site, "Cross-Origin-Opener-Policy", "same-origin"),
        "cross-origin-resource-policy": _exactly(site, "Cross-Origin-Resource-Policy", "same-origin"),
        "redirection": 0 if site.plain_http_leads_to.startswith("https://") else -20,
        "referrer-policy": 5 if site.headers.get("Referrer-Policy") in _PRIVATE else -5,
        "strict-transport-security": _hsts(site),
        "subresource-integrity": _scripts(site),
        "x-content-type-options": 0 if site.headers.get("X-Content-Type-Options") == "nosniff" else -5,
        "x-frame-options": 5 if _directives(site).get("frame-ancestors") in ("'none'", "'self'") else -20,
    }
    uncurved = 100 + sum(each for each in points.values() if each < 0)
    return (100 + sum(points.values()) if uncurved >= 90 else uncurved), points


def _directives(site: Site) -> dict[str, str]:
    parts = [part.split(None, 1) for part in site.headers.get("Content-Security-Policy", "").split(";") if part.strip()]
    return {part[0].lower(): part[1].strip() if len(part) > 1 else "" for part in parts}


def _policy(site: Site) -> int:
    directives = _directives(site)
    active = {name: value for name, value in directives.items() if name not in ("img-src", "media-src")}
    if directives.get("default-src") is None or any(_UNSAFE.search(value) for value in active.values()):
        return -25
    closed = directives["default-src"] == "'none'" and directives.get("form-action") in ("'none'", "'self'")
    return 10 if closed and directives.get("base-uri") in ("'none'", "'self'") else 5


def _cookie(line: str) -> int:
    [cookie] = SimpleCookie(line).values()
    if not cookie["secure"]:
        return -40
    if not cookie["httponly"] and _is_session(cookie):
        return -30
    return 5 if cookie["samesite"] in ("Lax", "Strict") else -20


def _is_session(cookie: "Morsel[str]") -> bool:
    return "sess" in cookie.key or "login" in cookie.key


def _exactly(site: Site, header: str, value: str) -> int:
    header_value = site.headers.get(header)
    return 10 if header_value == value else -5 if header_value else 0


def _hsts(site: Site) -> int:
    match = re.match(r"max-age=(\d+)(;|$)", site.headers.get("Strict-Transport-Security", ""))
    if not match:
        return -20
    return 0 if int(match[1]) >= _SIX_MONTHS else -10


def _scripts(site: Site) -> int:
    sources = re.findall(r"<script[^>]*\ssrc=\"([^\"]*)\"", site.page)
    return 0 if all(source.startswith("/") and not source.startswith("//") for source in sources) else -50
