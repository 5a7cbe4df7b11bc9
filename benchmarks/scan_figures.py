"""Reads the whole directory through the worker's step, and measures it. Import it after `prepare`."""

import json
import resource
import time
from contextlib import closing
from pathlib import Path

from django.contrib.auth.models import Group

from benchmarks import ground, made_up
from organizations.models import Environment, TakeOver, TakeOverState, User
from organizations.practice.filters import Filters
from organizations.practice.shape import oid_of
from organizations.practice.store import Store
from organizations.redox import messages
from organizations.services.actors import person, system
from organizations.services.connection import redox_settings
from organizations.services.directory import scan, take_over

_START_WITHIN = 600.0
_BASE = made_up.BASES[Environment.STAGING]


def put_ours(folder: Path, number: int) -> None:
    """Register this many organizations of ours, before the practice directory runs."""
    redox = redox_settings.environment("staging")
    with closing(Store(folder)) as store:
        for place in range(number):
            message = messages.build_message(made_up.record_of(place), messages.NEW, redox)
            organization = json.loads(message)["Organizations"][0]
            store.put("staging", oid_of(organization), organization)


def wait_for_others(folder: Path, number: int) -> None:
    """Wait until the practice directory holds this many organizations.

    Raises:
        NotMeasured: it did not in time.
    """
    until = time.monotonic() + _START_WITHIN
    with closing(Store(folder)) as store:
        while store.count("staging", Filters()) < number:
            if time.monotonic() > until:
                raise ground.NotMeasured("The practice directory did not start.")
            time.sleep(0.1)


def run() -> None:
    """Print the table.

    Raises:
        NotMeasured: the scan broke off.
    """
    user = User.objects.create_user("editor-one", first_name="Editor", last_name="One")
    user.groups.add(Group.objects.get(name="editor"))
    run = take_over.begin_scan("staging", base_oids=[_BASE], actor=person(user))
    worker, started, before = system("Worker of the measurement"), time.monotonic(), time.process_time()
    pages = 0
    while TakeOver.objects.filter(pk=run.pk).reading_pages().exists():
        scan.scan_next("staging", actor=worker, pace=0)
        pages += 1
    used, elapsed = time.process_time() - before, time.monotonic() - started
    run.refresh_from_db()
    if run.state != TakeOverState.ASKING:
        raise ground.NotMeasured(f"The scan broke off: {run.end_reason}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [
        ("organizations read", f"{run.read_count:,}"),
        ("pages", f"{pages:,}"),
        ("found", f"{run.candidates.exclude(source='probe').count():,}"),
        ("processor time of the portal, seconds", f"{used:.1f}"),
        ("of this for a page, ms", f"{used / pages * 1000:.1f}"),
        ("seconds, with those of the practice directory", f"{elapsed:.0f}"),
        ("most memory of the portal, MB", f"{memory:.0f}"),
    ]
    print(f"{ground.machine()}\n\n{ground.table(('', 'figure'), rows)}", flush=True)
