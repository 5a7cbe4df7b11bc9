"""Makes requests that no honest browser sends. A request depends only on its seed and the places."""

import json
import random
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, quote_from_bytes

MARKUP = "<script>alert(1)</script>"
BOUNDARY = "----made-up"
TOKEN = "MadeUpForTheMeasurementOfHostile"
"""The secret of the CSRF cookie, which also counts as the token of a form."""

type Pairs = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page of the portal: where it posts to, and all its inputs with their values."""

    path: str
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Places:
    """The paths, forms and query parameters of each named URL.

    `wrong_paths` have a malformed part. `cookies` hold the session of each role.
    """

    paths: Mapping[str, tuple[str, ...]]
    wrong_paths: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, tuple[Form, ...]]
    queries: Mapping[str, tuple[str, ...]]
    cookies: Mapping[str, str]
    most_rights: str
    session_cookie: str
    csrf_cookie: str
    host: str


@dataclass(slots=True)
class Request:
    """One request. The target and the values of headers can be any bytes."""

    seed: int
    name: str
    role: str
    method: str
    target: bytes
    heads: list[tuple[str, bytes]] = field(default_factory=list)
    body: bytes = b""


METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "FOO", "post", "get", "Post", "QUERY")
FOREIGN_NAMES = (
    "id", "pk", "presence", "confirmed", "active", "state", "message", "approver", "authors", "attempt", "environment",
    "oid_key", "wanted_hash", "carried", "staging_record", "is_superuser", "is_staff", "user_permissions", "came-back",
    "theirs", "ask", "decide", "whose", "record", "version", "seen", "sequence", "act", "next", "a[]", "a[b][c]",
    "contacts-TOTAL_FORMS", "identifiers-TOTAL_FORMS", "contacts-0-name", "contacts-21-name", "contacts--1-name",
    "contacts-__prefix__-name", "choice-name", "choice-x", "groups", "is_active", "opened_with", "password",
    "csrfmiddlewaretoken", "", "\x00", "\u202e", "x" * 3000, MARKUP, "tick", "planned", "left", "behaviour", "role",
)  # fmt: skip
QUERY_NAMES = (
    "q", "page", "open", "below", "like", "sort", "view", "standing", "open_work", "stands_for", "state", "contact",
    "hide_deactivated", "mine", "record", "branch", "kind", "since", "before", "submission", "who", "what",
    "environment", "outcome", "from", "to", "times", "format", "parent", "replaced_by", "next", "rows", "groups", "a[]",
    "",
)  # fmt: skip
_ALPHABET = (
    string.ascii_letters + string.digits + " .-_@/\\'\"<>&%;:,()[]{}=+*?!#$^~|`\x00\t\r\n\u00e9\u202e\u4e2d\U0001f3e5"
)


def _noise(rng: random.Random, most: int = 40) -> bytes:
    return "".join(rng.choices(_ALPHABET, k=rng.randint(0, most))).encode()


_ODD: tuple[bytes, ...] = (
    b"", b"53\x0004", b"\x00", b"\xed\xa0\x80", b"\xff\xfe\xc3", b"53\x1b[2J\x07\x9b", MARKUP.encode(),
    "\u202e\u2066evil\u2069\u200b".encode(), "\uff11\u0661\u00b2".encode(),
    b"true", b"on", b"null", b"None", b"undefined", b"[]", b"{}", b'{"$gt": ""}',
    b"1e3", b"0x1f", b"1.5", b"NaN", b"Infinity", b"-0", b"+1", b"0", b"1_0", b"01",
    b"'; DROP TABLE user; -- %00%s%(x)s {0}{{ 7 }}{% debug %}\\_%",
    b"//evil.example", b"http://[", b"javascript:alert(1)", b"/\\evil", b"/ok\r\nSet-Cookie: x=1",
    b"2027-02-30", b"0001-01-01", b"9999-12-31T23:59:59+99:99", b"2027-03-31T00:00:00", b"2027-W01-1",
    b"2.999.1", b"2.16.840..1", b"3.1", b"1", b"2." + b"1" * 62, b"urn:oid:2.999.1", b"2.999.1 2.999.2",
    b"staging", b"production", b"STAGING", b"deactivate", b"send", b"mine", b"theirs", b"closed",
    b"608-271-9000 ext. 11", b"(" * 300, b"a@x.org; b@x.org", b"a@" + b"b." * 200 + b"c", b"UTC",
    b"save", b"review", b"suggest-oid", b"add-contacts", b"add-identifiers", b"remove-contacts-0", b"back",
)  # fmt: skip
_NUMBERS = (1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**18, 10**19)
VALUES: tuple[Callable[[random.Random], bytes], ...] = (
    *(lambda rng: rng.choice(_ODD) for _ in range(8)),
    lambda rng: b" " * rng.randint(1, 50),
    lambda rng: b"x" * rng.choice((41, 64, 65, 151, 201, 2001, 10_000)),
    lambda rng: b"a " * rng.choice((10, 100, 1000)),
    lambda rng: b"1\n" * rng.choice((10, 51, 500)),
    lambda rng: str(rng.choice(_NUMBERS)).encode(),
    lambda rng: str(-rng.choice(_NUMBERS)).encode(),
    lambda rng: b"9" * rng.choice((9, 10, 18, 19, 20, 400, 4301)),
    lambda rng: str(rng.randint(0, 100)).encode(),
    lambda rng: "".join(rng.choices("0123456789abcdef", k=64)).encode(),
    _noise,
)


def value(rng: random.Random) -> bytes:
    """A value of some kind. One in two hundred is nearly as long as a body may be, or longer."""
    if rng.random() < 0.005:
        return rng.choice((b"x", b"1.", b"a ", b"\n", b"(", b"\xe4\xb8\xad", b"\xff", b"1,")) * rng.choice(
            (100_000, 400_000)
        )
    return rng.choice(VALUES)(rng)


class Maker:
    """Makes the request for a seed."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.names = sorted(places.paths)
        self.roles = sorted(places.cookies)

    def request(self, seed: int) -> Request:
        rng = random.Random(seed)
        name = rng.choice(self.names)
        role = self.places.most_rights if rng.random() < 0.3 else rng.choice(self.roles)
        dice = rng.random()
        method = "GET" if dice < 0.36 else "POST" if dice < 0.88 else "HEAD" if dice < 0.91 else rng.choice(METHODS)
        form = self._form(rng, name) if method not in ("GET", "HEAD") else None
        path = form.path if form and rng.random() < 0.9 else self._path(rng, name)
        request = Request(seed, name, role, method, self._target(rng, name, path))
        request.heads = self._heads(rng, role)
        if method not in ("GET", "HEAD") or rng.random() < 0.05:
            self._fill(rng, request, form)
        return request

    def _path(self, rng: random.Random, name: str) -> str:
        wrong = self.places.wrong_paths.get(name)
        return rng.choice(wrong if wrong and rng.random() < 0.3 else self.places.paths[name])

    def _form(self, rng: random.Random, name: str) -> Form | None:
        forms = self.places.forms.get(name)
        return rng.choice(forms) if forms and rng.random() < 0.9 else None

    def _target(self, rng: random.Random, name: str, path: str) -> bytes:
        target = path.encode("latin-1", errors="replace")
        if rng.random() < 0.03:
            target = _spoiled(rng, target)
        if b"?" in target or rng.random() < 0.4:
            return target
        parameters = self.places.queries.get(name, ()) or QUERY_NAMES
        names = [rng.choice(parameters if rng.random() < 0.7 else QUERY_NAMES) for _ in range(_count(rng))]
        pairs = [(each, value(rng)[:20_000]) for each in names]
        query = urlencoded(rng, pairs)
        if rng.random() < 0.03:
            query = rng.choice((b"%", b"%zz", b"&&&=;=", b"=" * 500, b"a" * 9000, b"%C3%28", b"%u0041", b"a=1&" * 1200))
        return target + b"?" + query

    def _heads(self, rng: random.Random, role: str) -> list[tuple[str, bytes]]:
        heads = [("Host", self.places.host.encode())]
        cookies = [f"{self.places.session_cookie}={self.places.cookies[role]}"] if self.places.cookies[role] else []
        if rng.random() < 0.97:
            cookies.append(f"{self.places.csrf_cookie}={TOKEN}")
        cookie = "; ".join(cookies).encode()
        if rng.random() < 0.02:
            cookie = _spoiled_cookie(rng, cookie, self.places)
        heads.append(("Cookie", cookie))
        for name, values in HEADS.items():
            if rng.random() < 0.02:
                heads.append((name, rng.choice(values) if rng.random() < 0.8 else _line(value(rng))))
        if rng.random() < 0.02:
            heads[0] = ("Host", rng.choice(HOSTS))
        return heads

    def _fill(self, rng: random.Random, request: Request, form: Form | None) -> None:
        pairs: Pairs = [(name, text.encode()) for name, text in form.inputs] if form else []
        for _ in range(_count(rng)):
            pairs = _changed(rng, pairs)
        if rng.random() < 0.92:
            pairs = [pair for pair in pairs if pair[0] != "csrfmiddlewaretoken"]
            pairs.append(("csrfmiddlewaretoken", TOKEN.encode() if rng.random() < 0.93 else value(rng)))
        kind, request.body = _body(rng, pairs)
        if rng.random() < 0.08:
            kind = rng.choice(TYPES)
        if kind:
            request.heads.append(("Content-Type", kind))
        if rng.random() < 0.02:
            request.heads.append(("Content-Length", rng.choice((b"0", b"-1", b"abc", b"5", b"1e9", b""))))


def _count(rng: random.Random) -> int:
    """A small number, sometimes 0."""
    return rng.choice((0, 1, 1, 1, 2, 2, 3, 5, 8))


def _changed(rng: random.Random, pairs: Pairs) -> Pairs:
    """The inputs with one error."""
    if not pairs or rng.random() < 0.1:
        return [*pairs, (rng.choice(FOREIGN_NAMES), value(rng))]
    place = rng.randrange(len(pairs))
    name, text = pairs[place]
    way = rng.choices(_WAYS, _WEIGHTS)[0]
    return [*pairs[:place], *way(rng, name, text), *pairs[place + 1 :]]


def _many_lines(rng: random.Random, name: str, text: bytes) -> Pairs:
    lines = rng.choice((21, 101, 900))
    numbered = [(f"contacts-{number}-name", b"Desk") for number in range(lines)]
    return [(name, text), *numbered, ("contacts-TOTAL_FORMS", str(lines).encode())]


# The ways to change one input, and how often each is chosen.
_WAYS: Sequence[Callable[[random.Random, str, bytes], Pairs]] = (
    lambda rng, name, text: [(name, value(rng))],
    lambda rng, name, text: [(name, text + rng.choice((b"\x00", b"\xff", b" ", "\u202e".encode(), b"x" * 300)))],
    lambda rng, name, text: [],
    lambda rng, name, text: [(f"{name}[]", text)],
    lambda rng, name, text: [(name, text), *((name, value(rng)) for _ in range(rng.choice((1, 3, 30))))],
    _many_lines,
    lambda rng, name, text: [(name, text), *((f"a{number}", b"1") for number in range(1001))],
)
_WEIGHTS = (60, 8, 12, 5, 6, 3, 0.5)


def urlencoded(rng: random.Random, pairs: Pairs) -> bytes:
    """Pairs as a form sends them; sometimes bytes are left as they are."""
    safe = "" if rng.random() < 0.9 else "<>\"'{}|\\^`[]"
    return b"&".join(
        quote(name, safe=safe).encode() + b"=" + quote_from_bytes(text, safe=safe).encode() for name, text in pairs
    )


def _body(rng: random.Random, pairs: Pairs) -> tuple[bytes, bytes]:
    dice = rng.random()
    if dice < 0.78:
        return b"application/x-www-form-urlencoded", urlencoded(rng, pairs)
    if dice < 0.92:
        return f"multipart/form-data; boundary={BOUNDARY}".encode(), _multipart(rng, pairs)
    if dice < 0.95:
        texts = {name: text.decode("latin-1") for name, text in pairs}
        return b"application/json", json.dumps(texts).encode()
    if dice < 0.96:
        return b"application/x-www-form-urlencoded", b"name=" + b"x" * rng.choice((3_000_000, 1_000_001))
    return rng.choice(TYPES), rng.choice(
        (b"", b"&&&===;;%%%&\x00=\xff&", _noise(rng, 400), b"\x1f\x8b\x08\x00", b"=" * 1000)
    )


def _multipart(rng: random.Random, pairs: Pairs) -> bytes:
    parts = []
    for name, text in pairs:
        disposition = f'form-data; name="{name}"'
        if rng.random() < 0.02:
            disposition += rng.choice(
                ('; filename="x.txt"', '; filename="../../x\x00.html"', "; filename*=utf-8''%00", '; filename=""')
            )
        extra = ""
        if rng.random() < 0.02:
            extra = rng.choice(
                (
                    "\r\nContent-Transfer-Encoding: base64",
                    "\r\nContent-Type: text/plain; charset=utf-16",
                    "\r\nX: y",
                    "\r\nContent-Length: x",
                )
            )
        parts.append(
            b"--"
            + BOUNDARY.encode()
            + b"\r\nContent-Disposition: "
            + disposition.encode()
            + extra.encode()
            + b"\r\n\r\n"
            + text
            + b"\r\n"
        )
    whole = b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"
    if rng.random() < 0.1:
        whole = whole[: rng.randint(0, len(whole))]
    return whole


TYPES: Sequence[bytes] = (
    b"", b"application/json", b"text/xml", b"text/plain", b"\x7f;;;=", b"multipart/form-data",
    b"multipart/form-data; boundary=", b"multipart/form-data; boundary=" + b"x" * 5000, b"multipart/mixed; boundary=x",
    b"multipart/form-data; boundary=\xe9", b"application/x-www-form-urlencoded; charset=utf-16",
    b"application/x-www-form-urlencoded; charset=utf-7", b"application/x-www-form-urlencoded; charset=x" * 3,
    b"application/x-www-form-urlencoded; charset=unicode_escape", b"multipart/form-data; boundary=a; charset=hex",
    b"text/plain; charset*=utf-8''%00", b"APPLICATION/X-WWW-FORM-URLENCODED", b"application/x-www-form-urlencoded;",
)  # fmt: skip
HOSTS: Sequence[bytes] = (b"evil.example", b"", b"[", b"127.0.0.1:x", b"127.0.0.1@evil", b"\xe9", b"x" * 5000, b"a b")
HEADS: Mapping[str, Sequence[bytes]] = {
    "HX-Request": (b"true", b"false", b"1"),
    "HX-Current-URL": (b"http://[", b"//evil.example//x", b"http://127.0.0.1/audit/", b"\xff"),
    "HX-Target": (b"x", b"\xff"),
    "HX-Current-URL-URI-AutoEncoded": (b"true",),
    "HX-Prompt": (b"%00",),
    "Range": (b"bytes=0-1", b"bytes=-1", b"bytes=9-1", b"bytes=0-,0-,0-", b"lines=1"),
    "If-None-Match": (b"*", b'"x"', b'W/"', b'"' + b"x" * 3000),
    "If-Modified-Since": (b"Mon, 32 Foo 9999 99:99:99 GMT", b"Thu, 01 Jan 1970 00:00:00 GMT", b"0", b"x" * 500),
    "If-Match": (b"*", b'"x"'),
    "If-Unmodified-Since": (b"Thu, 01 Jan 1970 00:00:00 GMT",),
    "X-Forwarded-For": (b"203.0.113.9", b"x, y, z", b"," * 500, b"::1", b"\xff"),
    "X-Forwarded-Proto": (b"https", b"javascript", b"https,http"),
    "X-Forwarded-Host": (b"evil.example",),
    "X-Request-ID": (b"0123456789ab", b"<script>", b"\xff" * 12, b"x" * 3000),
    "Referer": (b"http://[", b"https://evil.example/", b"//", b"http://127.0.0.1/help/", b"\xff", b"x" * 4000),
    "Origin": (b"null", b"https://evil.example", b"http://127.0.0.1", b"http://[", b"\xff"),
    "Accept": (b"*/*", b"application/json", b"text/html;q=x", b"," * 300),
    "Accept-Language": (b"de", b"x" * 3000, b"*;q=\xff"),
    "Accept-Encoding": (b"gzip", b"br;q=0, *", b"identity;q=0"),
    "X-CSRFToken": (b"x" * 64, TOKEN.encode(), b"\xff", b""),
    "X-HTTP-Method-Override": (b"DELETE",),
    "Authorization": (b"Basic Og==", b"Bearer \xff", b"Negotiate"),
    "X-Requested-With": (b"XMLHttpRequest",),
    "Content-Encoding": (b"gzip", b"deflate"),
    "Sec-Fetch-Site": (b"cross-site",),
    "Script-Name": (b"/x",),
}


def _line(text: bytes) -> bytes:
    """The text as a server accepts it as the value of a header."""
    return text.replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"").strip()[:4000]


def _spoiled_cookie(rng: random.Random, cookie: bytes, places: Places) -> bytes:
    session, csrf = places.session_cookie.encode(), places.csrf_cookie.encode()
    return rng.choice(
        (
            b"", b"x", b"=;=;", b"a" * 8000, b"\xff\xfe", b"messages=x; " + cookie, b'messages="\\000\\377"; ' + cookie,
            session + b'="\\000\\000"', session + b"=" + b"x" * 5000, csrf + b"=" + b"\xe9" * 32,
            csrf + b"=; " + cookie, cookie + b"; " + cookie, cookie.replace(b"; ", b","),
            session + b"=%00; " + csrf + b"=" + TOKEN.encode(),
            b'messages="[[\\"__json_message\\",0,20,\\"x\\"]]:x:x"; ' + cookie,
        )
    )  # fmt: skip


def _spoiled(rng: random.Random, path: bytes) -> bytes:
    """The path with one error in it."""
    place = rng.randrange(len(path)) + 1
    wrong = rng.choice(
        (b"%", b"%zz", b"%00", b"%FF", b"%ED%A0%80", b"//", b"/../", b"/./", b"%2e%2e/", b";x=1", b"%0d%0aX: y", b"\\",
         b"%E2%80%AE", b"x" * 5000, b"%20", b"+", b"#x", b"%2F", b"\xe9", b"*", b"%F0%9F%8F%A5", b"%25")
    )  # fmt: skip
    return path[:place] + wrong + path[place:]
