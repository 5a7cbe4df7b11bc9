"""Measures the pages: queries at three sizes, then time through the real web server. Import it after `prepare`."""

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks import filling, ground, load, made_up, servers
from organizations.management.commands._static_files import collect_static_files
from organizations.models import AuditEntry, Environment, Organization, Submission


@dataclass(slots=True)
class Page:
    """A page to measure, with its figures.

    `processor` is milliseconds at the largest size, which a busy machine disturbs least.
    """

    title: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    queries: list[int] = field(default_factory=list)
    processor: float = 0.0
    kilobytes: float = 0.0
    rounds: dict[int, list[load.Figures]] = field(default_factory=dict)


def run(records: int, entries: int, *, rounds: int, seconds: float, clients: Sequence[int]) -> None:
    """Fill the database, measure, and print the tables.

    Raises:
        NotMeasured: a page did not answer with 200, or the web server did not start.
    """
    collect_static_files(print)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(filling.create_people())
    pages = _pages()
    sizes = [size for size in (10, 1_000) if size < records] + [records]
    for start, stop in zip([0, *sizes], sizes, strict=False):
        began = time.monotonic()
        filling.fill(start, stop, entries * stop // records - entries * start // records)
        _say(f"{stop:,} records, {time.monotonic() - began:.0f} s")
        for page in pages:
            _count_queries(page, client)
    for page in pages:
        page.processor = statistics.median(_processor_time(page, client) for _ in range(rounds))
    with servers.serving(servers.waitress()) as port:
        for number in range(1, rounds + 1):
            _say(f"round {number} of {rounds}")
            _measure_all(pages, port, client, seconds, clients)
    print(_report(pages, sizes, clients))


def _pages() -> list[Page]:
    """The pages to measure. Every record that they name exists at the smallest size."""
    staging = Environment.STAGING
    organizations, audit = reverse("organizations", args=[staging]), reverse("audit")
    region, edited = made_up.oid_of(1), made_up.oid_of(2)
    admin = reverse("stock:organizations_organization_changelist")
    return [
        Page("List, first page", f"{organizations}?view=list"),
        Page("List, page 40", f"{organizations}?view=list&page=40"),
        Page("List by name, page 40", f"{organizations}?view=list&sort=name&page=40"),
        Page("List, open work: changes not sent", f"{organizations}?view=list&open_work=changes_not_sent"),
        Page("Search, part of a name", f"{organizations}?q=north+clin"),
        Page("Search, phone", f"{organizations}?q=%28608%29+555-0002"),
        Page("Search, whole OID", f"{organizations}?q={edited}"),
        Page("Search in both environments", f"{reverse('search')}?q=north+clin"),
        Page("Tree, top", organizations),
        Page("Tree, open at one location", f"{organizations}?open={edited}"),
        Page("Branch of 1,000 (50 rows of it)", reverse("branch", args=[staging, region]), {"HX-Request": "true"}),
        Page("Record with 1,000 below it", reverse("record", args=[staging, region])),
        Page("Record", reverse("record", args=[staging, edited])),
        Page("Edit form", reverse("edit", args=[staging, edited])),
        Page("Review", reverse("review", args=[staging, edited])),
        Page("Submissions", reverse("submissions", args=[staging])),
        Page("Audit, first page", audit),
        Page("Audit of one record", f"{audit}?record={edited}"),
        Page("Audit, part of a record's name", f"{audit}?record=north+clin"),
        Page("Audit, what: attempts and answers", f"{audit}?what=answers"),
        Page("Audit, outcome and dates", f"{audit}?outcome=accepted&from=2025-11-01&to=2025-11-30"),
        Page("Home", reverse("home")),
        Page("Stock admin, first page", f"{admin}?environment__exact=staging"),
        Page(
            "Stock admin, state of the submission",
            f"{admin}?environment__exact=staging&last_submission__state__exact=rejected",
        ),
        Page("Stock admin, part of a name", f"{admin}?environment__exact=staging&q=north+clin"),
        Page("Stock admin, entries", reverse("stock:organizations_auditentry_changelist")),
    ]


def _count_queries(page: Page, client: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(page.path, headers=page.headers)
    if answer.status_code != 200:
        raise ground.NotMeasured(f"{page.path}: the answer was {answer.status_code}")
    page.queries.append(len(captured))
    page.kilobytes = len(answer.content) / 1000


def _processor_time(page: Page, client: Client) -> float:
    began = time.process_time()
    client.get(page.path, headers=page.headers)
    return (time.process_time() - began) * 1000


def _measure_all(pages: list[Page], port: int, client: Client, seconds: float, clients: Sequence[int]) -> None:
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}
    for page in pages:
        for number in clients:
            figures = load.measure(port, page.path, page.headers | cookie, clients=number, seconds=seconds)
            page.rounds.setdefault(number, []).append(figures)


def _report(pages: list[Page], sizes: list[int], clients: Sequence[int]) -> str:
    sizes_text = " / ".join(f"{size:,}" for size in sizes)
    headings: tuple[str, ...] = ("page", "kB", f"queries at {sizes_text}", "processor, ms")
    for number in clients:
        word = f"{number} client{'s' if number > 1 else ''}"
        headings += (f"{word}: median, ms", "95 %, ms", "a second")
    totals = (
        f"{Organization.objects.filter(environment=Environment.STAGING).count():,} records in STAGING, "
        f"{Organization.objects.filter(environment=Environment.PRODUCTION).count():,} in PRODUCTION, "
        f"{Submission.objects.count():,} submissions, {AuditEntry.objects.count():,} entries"
    )
    return f"{ground.machine()}; {totals}\n\n{ground.table(headings, [_line(page) for page in pages])}"


def _line(page: Page) -> tuple[str, ...]:
    cells = [page.title, f"{page.kilobytes:.0f}", " / ".join(map(str, page.queries))]
    cells.append(f"{page.processor:.0f}")
    for rounds in page.rounds.values():
        figures = load.of_rounds(rounds)
        cells += [f"{figures.median:.0f}", f"{figures.percentile_95:.0f}", f"{figures.per_second:.0f}"]
    return tuple(cells)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
