"""Sends through the services, delivers by a real worker, and measures the time. Import it after `prepare`."""

import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import Group

from benchmarks import ground, load, made_up
from organizations.models import Organization, State, Submission, User, Worker
from organizations.services import timing
from organizations.services.actors import Actor, person
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import reviews

_WORKER = (sys.executable, str(ground.ROOT / "manage.py"), "deliver")
_POLL_SECONDS = 0.002
_WAIT_AT_MOST = 60.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Milliseconds from sending to acceptance, and how many of them the exchange with the directory took."""

    total: float
    exchange: float


def run(count: int) -> None:
    """Send `count` records one after the other, and print the table.

    Raises:
        NotMeasured: a submission did not become accepted in time.
    """
    user = User.objects.create_user("editor-one", first_name="Editor", last_name="One")
    user.groups.add(Group.objects.get(name="editor"))
    records = [_add(number, person(user)) for number in range(count)]
    with ground.running("worker", _WORKER):
        _wait_for(Worker.objects.exists, "The worker did not start.")
        deliveries = [_deliver(organization, person(user)) for organization in records]
    columns = {
        "send to accepted": [each.total for each in deliveries],
        "of this, the exchange with the directory": [each.exchange for each in deliveries],
        "of this, the portal": [each.total - each.exchange for each in deliveries],
    }
    rows = [
        (title, f"{statistics.median(times):.0f}", f"{load.percentile_95(times):.0f}")
        for title, times in columns.items()
    ]
    print(f"{ground.machine()}; {count} submissions\n\n{ground.table(('', 'median, ms', '95 %, ms'), rows)}")


def _add(number: int, actor: Actor) -> Organization:
    return organizations.create(made_up.record_of(number), "staging", stands_for="location", actor=actor)


def _deliver(organization: Organization, actor: Actor) -> Delivery:
    """Send one record at a random time between two polls of the worker, as people do."""
    time.sleep(random.uniform(0, timing.POLL))
    organization = Organization.objects.get(pk=organization.pk)
    review = reviews.review(organization, actor=actor)
    submission = submissions.submit_record(
        organization.pk,
        sha256=review.sha256,
        shown_submission=0,
        reason="Measurement",
        ticked=frozenset(submissions.warning_key(warning) for warning in review.warnings),
        actor=actor,
    )
    began = time.perf_counter()
    accepted = Submission.objects.filter(pk=submission.pk, state=State.ACCEPTED)
    _wait_for(accepted.exists, f"Submission {submission.pk} was not accepted.")
    return Delivery((time.perf_counter() - began) * 1000, accepted.get().duration_ms or 0)


def _wait_for(is_done: Callable[[], bool], error: str) -> None:
    until = time.monotonic() + _WAIT_AT_MOST
    while not is_done():
        if time.monotonic() > until:
            raise ground.NotMeasured(error)
        time.sleep(_POLL_SECONDS)
