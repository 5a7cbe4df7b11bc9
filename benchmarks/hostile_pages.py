"""Requests the pages of many records with hostile input. Each answer must take at most a second and not be a 500.

Needs settings; import it after them.
"""

import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from benchmarks import ground
from organizations.models import Environment
from organizations.queries.record_filters import SORTS

LONGEST = 1.0
ALLOWED = frozenset({200, 302, 400, 404, 414})
"""414 is the page for an address that is too long."""
QUERIES = {
    "one letter": "a",
    "two letters": "cl",
    "two letters of no record": "zq",
    "a word of every record": "lakeside",
    "a word of every record and two letters of no record": "lakeside zq",
    "a word of every record and a letter of each": "lakeside 1",
    "a word of every record and one of one record": "lakeside office77",
    "a word of every tenth record and two letters of no record": "cedar zq",
    "a part of every record, repeated": "55555555",
    "2,000 letters": "a" * 2_000,
    "10,000 letters": "a" * 10_000,
    "1,000 words": "north " * 1_000,
    "%": "%",
    "_": "_",
    "backslash": "\\",
    "quote": "'",
    "double quote": '"',
    "AND": "AND",
    "a AND": "a AND",
    "OR NOT": "OR NOT",
    "*": "*",
    "a*": "a*",
    "^a": "^a",
    "NEAR(": "NEAR(",
    "NEAR(a b, 2)": "NEAR(a b, 2)",
    "-x": "-x",
    "col:": "name:a",
    "brackets": "(){}[]",
    "NUL": "a\x00b",
    "no letter": "...",
    "emoji": "\U0001f3e5",
}
_FAR = "10000000"
_MANY = ",".join(map(str, range(1, 10_001)))
_FEW = ",".join(map(str, range(1, 481)))  # as many as an address can hold


class Case(NamedTuple):
    """One request."""

    page: str
    what: str
    path: str


def run(client: Client, nth: int = 1) -> list[str]:
    """Send each n-th request, print a table, and return the cases that failed."""
    # An error must become a page with 500, as it would for a browser.
    client.raise_request_exception = False
    rows, failed = [], []
    for case in islice(_cases(), None, None, nth):
        status, seconds = _ask(client, case.path)
        is_bad = status not in ALLOWED or seconds > LONGEST
        rows.append((case.page, case.what, str(status), f"{seconds:.2f}", "bad" if is_bad else ""))
        if is_bad:
            failed.append(f"{case.page}, {case.what}: {status}, {seconds:.2f} s")
    print(ground.table(("page", "input", "status", "seconds", ""), rows))
    return failed


def _ask(client: Client, path: str) -> tuple[int, float]:
    """Status and seconds; those of the quicker of two tries, since other programs may disturb the first."""
    status, seconds = _ask_once(client, path)
    if seconds > LONGEST and status in ALLOWED:
        status, again = _ask_once(client, path)
        seconds = min(seconds, again)
    return status, seconds


def _ask_once(client: Client, path: str) -> tuple[int, float]:
    began = time.perf_counter()
    answer = client.get(path)
    for _ in answer if answer.streaming else ():
        pass
    return answer.status_code, time.perf_counter() - began


def _cases() -> Iterator[Case]:
    staging = Environment.STAGING
    organizations, submissions = reverse("organizations", args=[staging]), reverse("submissions", args=[staging])
    audit, search, suggestions = reverse("audit"), reverse("search"), reverse("suggestions", args=[staging])
    searched = [
        ("list", organizations, "q", {"view": "list"}),
        ("tree", organizations, "q", {}),
        ("search", search, "q", {}),
        ("suggestions", suggestions, "parent", {}),
        ("audit", audit, "record", {}),
        ("submissions", submissions, "state", {}),
    ]
    for page, path, name, others in searched:
        for what, text in QUERIES.items():
            yield Case(page, what, f"{path}?{urlencode({**others, name: text})}")
    for page, path in (
        *(("list", f"{organizations}?view=list"), ("tree", f"{organizations}?"), ("search", f"{search}?q=north")),
        *(("submissions", f"{submissions}?"), ("audit", f"{audit}?"), ("audit, entries", f"{audit}?show=entries")),
    ):
        yield Case(page, "page 10,000,000", f"{path}&page={_FAR}")
        yield Case(page, "page -1", f"{path}&page=-1")
        yield Case(page, "page x", f"{path}&page=x")
    for name in ("saved_by", "standing", "open_work", "state", "below"):
        yield Case("list", f"{name}: 10,000 values", f"{organizations}?view=list&{name}={_MANY}")
        repeated = "&".join(f"{name}={number}" for number in range(10_000))
        yield Case("list", f"{name}: 10,000 times", f"{organizations}?view=list&{repeated}")
    yield Case("list", "saved_by: 480 values", f"{organizations}?view=list&saved_by={_FEW}")
    for name in ("who", "what", "record", "submission"):
        yield Case("audit", f"{name}: 10,000 values", f"{audit}?{name}={_MANY}")
    yield Case("submissions", "state: 10,000 values", f"{submissions}?state={_MANY}")
    for sort in SORTS:
        for direction in ("", "-"):
            for page, more in (("first page", ""), ("page 10,000,000", f"&page={_FAR}"), ("search", "&q=north")):
                path = f"{organizations}?view=list&sort={direction}{sort}{more}"
                yield Case("list", f"sort {direction}{sort}, {page}", path)
