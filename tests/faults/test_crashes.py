"""A real worker is killed, fails, freezes or loses its database at each place: each message takes effect once.

A second worker takes over, and nobody intervenes. `test_interrupted.py` tests every kind of message.
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
"""Places inside and outside of a transaction; `test_interrupted.py` has the other places."""
if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
    CASES += [
        (NEW, "after-exchange", "exception"),
        (LOST_NEW, "in-deciding", "database:1"),
        (NEW, "after-exchange", f"freeze:{FROZEN}"),
        (UPDATE, "in-settling", f"freeze:{FROZEN}"),
    ]


@dataclass(slots=True)
class Case:
    """One place and one kind of message, in its own portal."""

    oid: str
    point: str
    fault: str
    portal: Portal
    faulty: Process
    met_at: float | None = None

    def __str__(self) -> str:
        return f"{KINDS[self.oid][0]}, {self.point}, {self.fault}"

    def is_over(self) -> bool:
        """Start the second worker after the failure. End both when everything is settled, and return whether it is."""
        if self.met_at is None:
            if self.faulty.has_reached_failpoint and not (self.fault == "kill" and self.faulty.is_alive):
                self.met_at = time.monotonic()
                self.portal.worker()
            return False
        # A frozen worker is too late when it resumes.
        goes_on = self.fault.startswith("freeze") and time.monotonic() < self.met_at + FROZEN + 0.5
        if goes_on or self.portal.submission(self.oid).state != State.ACCEPTED:
            return False
        self.portal.end()
        return True


@pytest.fixture
def outbox(practice: PracticeDirectory, editor: User) -> PracticeDirectory:
    """One submission of each kind, each of its own record."""
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
    """All cases. In each the failing worker is started."""
    with ExitStack() as stack:
        cases: list[Case] = []
        for oid, point, fault in CASES:
            own = stack.enter_context(portal(folder / f"case-{len(cases)}", nursery, outbox))
            own.leave_only(oid)
            cases.append(Case(oid, point, fault, own, own.worker(f"{point}:{fault}")))
        yield cases


def test_after_a_failure_at_any_place_another_worker_delivers_each_message_exactly_once(
    outbox: PracticeDirectory, nursery: Nursery, tmp_path: Path
) -> None:
    with begun(outbox, nursery, tmp_path) as cases:
        left = list(cases)
        give_up = time.monotonic() + PATIENCE
        while left and time.monotonic() < give_up:
            left = [case for case in left if not case.is_over()]
            time.sleep(0.1)
        assert [f"{case} is not over" for case in left] == []
        assert [f"{case}: {wrong}" for case in cases if (wrong := case.portal.failed_checks(case.oid))] == []
