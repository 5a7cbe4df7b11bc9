"""A real worker is killed at each place, or fails, freezes or loses its database: each message takes effect once.

After it a second one goes on. Nobody does anything by hand. `test_interrupted.py` has every kind of message.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from organizations.models import EnvironmentGate, State, User
from organizations.practice import PracticeDirectory
from tests import factories
from tests.faults.places import ABSENT_NEW, KINDS, LOST_NEW, LOST_UPDATE, NEW, UPDATE
from tests.faults.portals import PATIENCE, Nursery, Portal, Process, portal
from tests.services.sending import create_and_send, deliver, edit

FROZEN = 3.5
"""Seconds; longer than the lease in `settings.py`."""
CASES = [
    (NEW, "after-intent", "kill"),
    (UPDATE, "after-exchange", "kill"),
    (UPDATE, "in-settling", "kill"),
    (LOST_UPDATE, "after-asking", "kill"),
    (ABSENT_NEW, "in-deciding", "kill"),
]
"""Inside a transaction and outside of one; `test_interrupted.py` has the other places."""
if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
    CASES += [
        (NEW, "after-exchange", "exception"),
        (LOST_NEW, "in-deciding", "database:1"),
        (NEW, "after-exchange", f"freeze:{FROZEN}"),
        (UPDATE, "in-settling", f"freeze:{FROZEN}"),
    ]


@dataclass(slots=True)
class Case:
    """One place and one kind of message, in a portal of its own."""

    oid: str
    point: str
    fault: str
    portal: Portal
    faulty: Process
    met_at: float | None = None

    def __str__(self) -> str:
        return f"{KINDS[self.oid][0]}, {self.point}, {self.fault}"

    def is_over(self) -> bool:
        """Look at it: start the second worker after the fault, and end both when all is settled."""
        if self.met_at is None:
            if self.faulty.reached and not (self.fault == "kill" and self.faulty.lives):
                self.met_at = time.monotonic()
                self.portal.worker()
            return False
        # What a frozen worker does when it goes on is late.
        goes_on = self.fault.startswith("freeze") and time.monotonic() < self.met_at + FROZEN + 0.5
        if goes_on or self.portal.submission(self.oid).state != State.ACCEPTED:
            return False
        self.portal.end()
        return True


@pytest.fixture
def outbox(practice: PracticeDirectory, editor: User) -> PracticeDirectory:
    """One submission of each kind, each about a record of its own."""
    changed = {oid: edit(create_and_send(editor, oid), editor, name="Lakeside North") for oid in (UPDATE, LOST_UPDATE)}
    for oid, behaviour in (
        (LOST_NEW, "applies-then-breaks"),
        (ABSENT_NEW, "gateway-error"),
        (LOST_UPDATE, "applies-then-504"),
    ):
        factories.submission(changed.get(oid) or factories.organization(oid, user=editor), user=editor)
        practice.behaviour = behaviour
        assert deliver()
    practice.behaviour = "answers"
    factories.submission(factories.organization(NEW, user=editor), user=editor)
    factories.submission(changed[UPDATE], user=editor)
    EnvironmentGate.objects.update(failures=0)
    return practice


@contextmanager
def begun(outbox: PracticeDirectory, nursery: Nursery, folder: Path) -> Iterator[list[Case]]:
    """Every case; in each the faulty worker has begun."""
    with ExitStack() as stack:
        cases: list[Case] = []
        for oid, point, fault in CASES:
            own = stack.enter_context(portal(folder / f"case-{len(cases)}", nursery, outbox))
            own.leave_only(oid)
            cases.append(Case(oid, point, fault, own, own.worker(f"{point}:{fault}")))
        yield cases


def test_after_a_fault_at_any_place_another_worker_goes_on_and_each_message_has_taken_effect_once(
    outbox: PracticeDirectory, nursery: Nursery, tmp_path: Path
) -> None:
    with begun(outbox, nursery, tmp_path) as cases:
        left = list(cases)
        give_up = time.monotonic() + PATIENCE
        while left and time.monotonic() < give_up:
            left = [case for case in left if not case.is_over()]
            time.sleep(0.1)
        assert [f"{case} is not over" for case in left] == []
        assert [f"{case}: {wrong}" for case in cases if (wrong := case.portal.faults(case.oid))] == []
