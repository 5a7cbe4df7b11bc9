"""Fills the outbox, lets real workers empty it, and measures the rate. Import it after `prepare`."""

import os
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
from django.contrib.auth.models import Group
from django.db import connection

from benchmarks import filling, ground
from benchmarks.faulty import Faulty
from organizations.models import State, Submission, User
from organizations.services.actors import person

_WORKER = (sys.executable, str(ground.ROOT / "manage.py"), "deliver")
_LONGEST = 3600.0


def run(directory: Faulty, *, count: int, workers: int, beside_bare: bool) -> None:
    """Print the table.

    Raises:
        NotMeasured: the outbox did not become empty in time, or something was not accepted.
    """
    user = User.objects.create_user("editor-one", first_name="Editor", last_name="One")
    user.groups.add(Group.objects.get(name="editor"))
    filling.fill_outbox(count, person(user))
    messages = [bytes(each) for each in Submission.objects.order_by("pk").values_list("message", flat=True)]
    started_with = len(directory.arrivals)
    before, server_before = _processor_time(), _server_time()
    with ExitStack() as stack:
        for number in range(workers):
            stack.enter_context(ground.running(f"worker {number}", _WORKER))
        _wait_until_empty()
    arrivals = directory.arrivals[started_with:]
    elapsed, used = arrivals[-1] - arrivals[0], _processor_time() - before
    server_used = _server_time() - server_before
    rows = [
        ("submissions", f"{count:,}"),
        ("workers", str(workers)),
        ("seconds from the first to the last", f"{elapsed:.0f}"),
        ("submissions a second", f"{count / elapsed:.1f}"),
        ("answers 429", str(directory.counts.get("429", 0))),
        ("processor time of the workers, seconds, starts included", f"{used:.1f}"),
        ("processor time of the database server, seconds", f"{server_used:.1f}"),
        ("of a core, while they sent, both", f"{(used + server_used) / elapsed:.2f}"),
    ]
    if beside_bare:
        bare = _bare(directory, messages)
        rows += [("a bare loop, messages a second", f"{bare:.1f}"), ("ratio", f"{count / elapsed / bare:.2f}")]
    print(f"{ground.machine()}\n\n{ground.table(('', 'figure'), rows)}", flush=True)


def _processor_time() -> float:
    """Seconds of processor time of all programs that this one has run to their end."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _server_time() -> float:
    """Seconds of processor time of a PostgreSQL server on this machine, without this connection. SQLite has none."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own: int = cursor.fetchone()[0]
    server = int(_stat(own)[1])
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    others = [int(child) for child in children if int(child) != own]
    ticks = sum(map(int, _stat(server)[11:15])) + sum(sum(map(int, _stat(child)[11:13])) for child in others)
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """What Linux says of a process after its name: its state, its parent, ...; see proc(5)."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _wait_until_empty() -> None:
    until = time.monotonic() + _LONGEST
    while Submission.objects.open().exists():
        if time.monotonic() > until:
            raise ground.NotMeasured("The outbox did not become empty.")
        time.sleep(0.05)
    if Submission.objects.exclude(state=State.ACCEPTED).exists():
        raise ground.NotMeasured("Not every submission was accepted.")


def _bare(directory: Faulty, messages: list[bytes]) -> float:
    """Messages a second if the same HTTP library posts the same bytes one by one, each over a new connection."""
    directory.records.organizations.clear()
    started = time.monotonic()
    with httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for message in messages:
            client.post(f"{directory.url}/endpoint", content=message, headers={"Authorization": "Bearer bare"})
    return len(messages) / (time.monotonic() - started)
