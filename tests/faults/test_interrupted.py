"""A worker is interrupted in each way at each place. Another one takes over, and each message takes effect once.

In one process, with a directory and a clock in memory. `test_crashes.py` does the same with processes.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings

from organizations.models import Submission, User
from organizations.services import failpoints, workers
from organizations.services.actors import system
from organizations.services.failpoints import Failpoint
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.faults.evidence import chain_faults, failed_checks
from tests.faults.places import ABSENT_NEW, KINDS, LOST_NEW, LOST_UPDATE, NEW, SENDING, UPDATE
from tests.faults.world import Died, Way, World
from tests.services.sending import edit

LEASE, SETTLE = 210.0, 120.0
FIRST, SECOND = system("Worker first"), system("Worker second")
CASES = [(kind, place) for kind, (_, places) in KINDS.items() for place in places]
EACH_PLACE = [(kind, place) for kind, place in CASES if kind in (NEW, ABSENT_NEW)]
"""A worker that freezes or loses its database leaves the same state as a worker that died. These cases show that its
later acts are refused and that it survives. The directory does not show the second message, so a worker that decides
too late would send it again."""
LOST = {LOST_NEW: Way.BREAKS, ABSENT_NEW: Way.NOT_APPLIED_504, LOST_UPDATE: Way.APPLIED_504}
"""What happened to the message that the Query is about."""


@pytest.fixture
def world(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World.at(tmp_path)
    # The clock of the worker is that of the world, so it notices when its lease has ended.
    monkeypatch.setattr(time, "monotonic", lambda: world.time.timestamp())  # noqa: PLW0108 - world.time is another one each time
    times = {"REDOX_DEADLINE": 135.0, "REDOX_LEASE": LEASE, "REDOX_SETTLE": SETTLE, "REDOX_RATE": 1e6}
    with (
        override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_PRODUCTION_AUTH=""), **times),
        world.in_place_of_redox(),
    ):
        yield world
    world.store.close()


def in_the_outbox(kind: str, oid: str, world: World, user: User) -> Submission:
    """A message of this kind that is to be sent or queried."""
    if kind in (UPDATE, LOST_UPDATE):
        organization = factories.accepted_organization(oid, user=user)
        world.put(oid, organization_in(Submission.objects.get(oid=oid)))
        organization = edit(organization, user, name="Lakeside North")
    else:
        organization = factories.organization(oid, user=user)
    submission = factories.submission(organization, user=user)
    if kind in LOST:
        world.way = LOST[kind]
        workers.run_once(FIRST)
        world.way = Way.YES
        world.pass_time(SETTLE + 1)
        world.close_breaker()
    return submission


def organization_in(submission: Submission) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bytes(submission.message))["Organizations"][0]
    return content


def dies(world: World) -> None:
    raise Died


def fails(world: World) -> None:
    raise Failpoint


def loses_its_database(world: World) -> None:
    """Cut the connection. Every statement fails until the worker gives up this round."""

    def refuse(*_: object) -> None:
        raise OperationalError("the database is gone")

    connection.execute_wrappers.append(refuse)
    connection.close()
    raise OperationalError("the database is gone")


def freezes(world: World) -> None:
    """Wait until another worker has finished everything, unless a transaction of this worker blocks it."""
    world.pass_time(LEASE + 1)
    if not connection.in_atomic_block:
        go_on(world)


def go_on(world: World) -> None:
    """Run another worker as many rounds as it needs."""
    for _ in range(30):
        if not Submission.objects.open().exists():
            break
        workers.run_once(SECOND)
        world.pass_time(SETTLE + 1)


def interrupted(world: World, place: str, fault: Callable[[World], None]) -> bool:
    """Interrupt a worker when it first reaches this place, then run another one. Returns whether it was reached."""
    reached = itertools.count()

    def once() -> None:
        if next(reached) == 0:
            fault(world)

    with failpoints.calling(once, place), suppress(Died):
        workers.run_once(FIRST)
    connection.execute_wrappers.clear()
    is_reached = next(reached) > 0
    world.pass_time(LEASE + 1)
    go_on(world)
    return is_reached


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("fault", "cases"),
    [
        pytest.param(dies, CASES, id="dies"),
        pytest.param(loses_its_database, EACH_PLACE, id="loses its database"),
        pytest.param(fails, [(NEW, "after-exchange"), (ABSENT_NEW, "in-deciding")], id="fails"),
        pytest.param(freezes, EACH_PLACE, id="freezes"),
    ],
)
def test_after_an_interruption_at_any_place_each_message_takes_effect_once(
    world: World, editor: User, fault: Callable[[World], None], cases: list[tuple[str, str]]
) -> None:
    wrong = []
    for number, (kind, place) in enumerate(cases, start=1):
        submission = in_the_outbox(kind, f"{BASE}.{number}", world, editor)
        assert interrupted(world, place, fault), f"{place} was not reached"
        if found := failed_checks(submission, world.store.effects(), world.record(submission.oid)):
            wrong.append(f"{KINDS[kind][0]}, {place}: {found}")
    assert wrong == []
    assert world.doubled == []
    assert chain_faults() == []


def dies_between_messages(world: World) -> None:
    """Die after two messages of the batch were sent."""
    world.dies, world.survives = True, 2


BATCH = (NEW, UPDATE, NEW)
BATCH_CASES = [
    (dies_between_messages, "after-intent"),
    *((fault, place) for fault in (dies, loses_its_database) for place in SENDING),
    (fails, "after-exchange"),
    (fails, "in-settling"),
    (freezes, "after-exchange"),
]


@pytest.mark.one_database
def test_after_an_interruption_at_any_place_each_message_of_a_batch_takes_effect_once(
    world: World, editor: User
) -> None:
    wrong, claimed = [], []
    for number, (fault, place) in enumerate(BATCH_CASES, start=1):
        kinds = enumerate(BATCH, start=1)
        made = [in_the_outbox(kind, f"{BASE}.{number}.{each}", world, editor) for each, kind in kinds]
        ids = [submission.pk for submission in made]

        def at_first(world: World, ids: list[int] = ids, fault: Callable[[World], None] = fault) -> None:
            claimed.append(Submission.objects.filter(pk__in=ids, attempt=1).count())
            fault(world)

        assert interrupted(world, place, at_first), f"{place} was not reached"
        for submission in made:
            if found := failed_checks(submission, world.store.effects(), world.record(submission.oid)):
                wrong.append(f"{submission.event}, {place}, {fault.__name__}: {found}")
    assert wrong == []
    assert claimed == [len(BATCH)] * len(BATCH_CASES)
    assert world.doubled == []
    assert chain_faults() == []
