"""Measures the pages at several sizes, beside the stock admin. Import it after `prepare`."""

import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.test import Client
from django.urls import reverse

from benchmarks import filling, ground, hostile_pages, load, made_up, servers, stock_pages
from benchmarks.page_costs import Cost, cost_of
from organizations.management.commands._static_files import collect_static_files
from organizations.models import AuditEntry, Environment, Organization, State, Submission, User, Worker, clock
from organizations.services.delivery import heartbeat

LIST, ADMIN = "List, first page", "Stock admin, first page"
"""The two pages that a real web server answers, to compare requests a second."""
TIMES_THE_ADMIN, MOST_GROWTH = 6.0, 1.5
_STOCK = "benchmarks.stock_settings"


@dataclass(slots=True)
class Page:
    """A page with its costs, one for each number of records.

    `limit`: the milliseconds of processor time that it may take.
    """

    title: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    limit: float | None = 20.0
    costs: list[Cost] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure. `filled`: the database already has the records. `hostile`: each n-th hostile input is sent."""

    entries: int
    rounds: int
    seconds: float
    clients: int
    filled: bool
    hostile: int = 1


def run(sizes: Sequence[int], options: Options) -> list[str]:
    """Fill the database to each size, measure there, print the tables, and return what was wrong with hostile input.

    Raises:
        NotMeasured: a page did not answer with 200, or a web server did not start.
    """
    collect_static_files(lambda *_: None)
    viewer = User.objects.get(username="measuring") if options.filled else filling.create_people()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(viewer)
    _add_running_worker()
    pages: list[Page] = []
    stock = [Page(title, stock_pages.BASE + path, limit=None) for title, path in stock_pages.PAGES.items()]
    for start, stop in zip([0, *sizes], sizes, strict=False):
        if not options.filled:
            began = time.monotonic()
            filling.fill(start, stop, (stop - start) * options.entries)
            _say(f"{stop:,} records, {time.monotonic() - began:.0f} s")
        pages = pages or _pages()
        _measure(pages, stock, client, options)
    print(_report([*pages, *stock], sizes))
    _say("hostile input")
    return hostile_pages.run(client, options.hostile)


def _add_running_worker() -> None:
    """As in real use, a worker runs, with the settings of this process. Without one, each page looks for what waits."""
    now = clock.now()
    heartbeat.record_heartbeat("worker-of-the-measurement", now)
    Worker.objects.update(seen_at=now + datetime.timedelta(days=1))


def _pages() -> list[Page]:
    """The pages to measure. Every record that they name exists at the smallest size."""
    staging = Environment.STAGING
    organizations, audit = reverse("organizations", args=[staging]), reverse("audit")
    region, edited = made_up.oid_of(1), made_up.oid_of(2)
    submission = Submission.objects.filter(environment=staging, state=State.ACCEPTED).order_by("pk")[0].pk
    return [
        Page(LIST, f"{organizations}?view=list"),
        Page("List, page 40", f"{organizations}?view=list&page=40"),
        Page("List by name, page 40", f"{organizations}?view=list&sort=name&page=40"),
        Page("List, open work: changes not sent", f"{organizations}?view=list&open_work=changes_not_sent"),
        Page("Search, part of a name", f"{organizations}?q=north+clin"),
        Page("Search, phone", f"{organizations}?q=%28608%29+555-0002"),
        Page("Search, whole OID", f"{organizations}?q={edited}"),
        Page("Search in both environments", f"{reverse('search')}?q=north+clin"),
        Page("Tree, top", organizations),
        Page("Tree, open at one location", f"{organizations}?open={edited}"),
        Page("Branch of 1,000, its first 50 rows", reverse("branch", args=[staging, region]), {"HX-Request": "true"}),
        Page("Record with 1,000 below it", reverse("record", args=[staging, region]), limit=25.0),
        Page("Record", reverse("record", args=[staging, edited]), limit=25.0),
        Page("Edit form", reverse("edit", args=[staging, edited]), limit=25.0),
        Page("Review", reverse("review", args=[staging, edited]), limit=25.0),
        Page("Submissions", reverse("submissions", args=[staging])),
        Page("Submission", reverse("submission", args=[staging, submission])),
        Page("Audit, first page", audit),
        Page("Audit of one record", f"{audit}?record={edited}"),
        Page("Audit, part of a record's name", f"{audit}?record=north+clin"),
        Page("Audit, what: attempts and answers", f"{audit}?what=answers"),
        Page("Audit, outcome and dates", f"{audit}?outcome=accepted&from=2025-11-01&to=2025-11-30"),
        Page("Home", reverse("home")),
    ]


def _measure(pages: list[Page], stock: list[Page], client: Client, options: Options) -> None:
    for page in pages:
        page.costs.append(cost_of(client, page.path, page.headers, options.rounds))
    stock_costs, stock_cookie = _stock_costs(options.rounds)
    for page in stock:
        page.costs.append(stock_costs[page.title])
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    with servers.serving(servers.waitress()) as port, _stock_settings(), servers.serving(servers.waitress()) as other:
        targets = [(page, port, cookie) for page in pages if page.title == LIST]
        targets += [(page, other, stock_cookie) for page in stock if page.title == ADMIN]
        rounds: dict[str, list[load.Figures]] = {}
        for _ in range(options.rounds):
            for page, its_port, its_cookie in targets:
                headers = page.headers | {"Cookie": its_cookie}
                figures = load.measure(its_port, page.path, headers, clients=options.clients, seconds=options.seconds)
                rounds.setdefault(page.title, []).append(figures)
    for page, _, _ in targets:
        page.per_second.append(load.of_rounds(rounds[page.title]).per_second)


def _stock_costs(rounds: int) -> tuple[dict[str, Cost], str]:
    command = [sys.executable, "-m", "benchmarks.stock_pages", str(rounds)]
    with _stock_settings():
        result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ground.ROOT)
    if result.returncode:
        raise ground.NotMeasured(f"The stock admin: {result.stderr.strip().splitlines()[-1]}")
    answer = json.loads(result.stdout)
    return {title: Cost(*cost) for title, cost in answer["costs"].items()}, answer["cookie"]


@contextmanager
def _stock_settings() -> Iterator[None]:
    """Programs that are started in the block have the settings of the stock admin."""
    before = os.environ["DJANGO_SETTINGS_MODULE"]
    os.environ["DJANGO_SETTINGS_MODULE"] = _STOCK
    try:
        yield
    finally:
        os.environ["DJANGO_SETTINGS_MODULE"] = before


def _report(pages: list[Page], sizes: Sequence[int]) -> str:
    sizes_text = " / ".join(f"{size:,}" for size in sizes)
    headings = ("page", "kB", f"statements at {sizes_text}", f"processor, ms at {sizes_text}", "a second", "misses")
    admin = next(page for page in pages if page.title == ADMIN)
    totals = (
        f"{Organization.objects.filter(environment=Environment.STAGING).count():,} records in STAGING, "
        f"{Organization.objects.filter(environment=Environment.PRODUCTION).count():,} in PRODUCTION, "
        f"{Submission.objects.count():,} submissions, {AuditEntry.objects.count():,} entries"
    )
    rows = [
        (
            page.title,
            f"{page.costs[-1].kilobytes:.0f}",
            " / ".join(str(cost.statements) for cost in page.costs),
            " / ".join(f"{cost.processor:.0f}" for cost in page.costs),
            " / ".join(f"{number:.1f}" for number in page.per_second),
            ", ".join(_misses(page, admin)),
        )
        for page in pages
    ]
    return f"{ground.machine()}; {totals}\n\n{ground.table(headings, rows)}\n"


def _misses(page: Page, admin: Page) -> Iterator[str]:
    """The goals that a page misses."""
    if page.limit is None:
        return
    times = [cost.processor for cost in page.costs]
    if times[-1] > page.limit:
        yield f"over {page.limit:.0f} ms"
    if times[-1] > MOST_GROWTH * times[0]:
        yield f"grows {times[-1] / times[0]:.1f} times"
    if page.per_second and (ratio := page.per_second[-1] / admin.per_second[-1]) < TIMES_THE_ADMIN:
        yield f"{ratio:.1f} times the admin"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
