"""Each place at which a worker ends, fails, freezes or loses its database: each message takes effect once all the same.

A real worker meets the fault; after it a second one goes on. Nobody does anything by hand.
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
from tests.factories import BASE
from tests.faults.portals import PATIENCE, Nursery, Portal, Process, portal
from tests.services.sending import accepted, deliver, edit

SENDING = ("after-intent", "after-exchange", "after-response", "in-settling", "after-settling")
ASKING = ("before-asking", "after-asking", "in-deciding", "after-deciding")
NEW, UPDATE, LOST_NEW, ABSENT_NEW, LOST_UPDATE = (f"{BASE}.{number}" for number in range(1, 6))
KINDS = {
    NEW: ("New", SENDING),
    UPDATE: ("Update", SENDING),
    LOST_NEW: ("Query about a New that landed", ASKING),
    ABSENT_NEW: ("Query about a New that did not land", ASKING),
    LOST_UPDATE: ("Query about an Update", ASKING),
}
FROZEN = 3.5
"""Seconds; longer than the lease in `settings.py`."""
FAULTS = ["kill"]
if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
    FAULTS += ["exception", f"freeze:{FROZEN}", "database:1"]


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
        return f"{KINDS[self.oid][0]}, {self.point}"

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
    changed = {oid: edit(accepted(editor, oid), editor, name="Lakeside North") for oid in (UPDATE, LOST_UPDATE)}
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
def cases(fault: str, outbox: PracticeDirectory, nursery: Nursery, folder: Path) -> Iterator[list[Case]]:
    """Every case of one fault; in each the faulty worker has begun."""
    with ExitStack() as stack:
        made: list[Case] = []
        for oid, (_, points) in KINDS.items():
            for point in points:
                own = stack.enter_context(portal(folder / f"case-{len(made)}", nursery, outbox))
                own.leave_only(oid)
                made.append(Case(oid, point, fault, own, own.worker(f"{point}:{fault}")))
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_at_any_place_another_worker_goes_on_and_each_message_has_taken_effect_once(
    outbox: PracticeDirectory, nursery: Nursery, tmp_path: Path, fault: str
) -> None:
    with cases(fault, outbox, nursery, tmp_path) as all_cases:
        left = list(all_cases)
        give_up = time.monotonic() + PATIENCE
        while left and time.monotonic() < give_up:
            left = [case for case in left if not case.is_over()]
            time.sleep(0.05)
        assert [f"{case} is not over" for case in left] == []
        assert [f"{case}: {wrong}" for case in all_cases if (wrong := case.portal.faults(case.oid))] == []
