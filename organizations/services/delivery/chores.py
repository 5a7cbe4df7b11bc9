"""What a worker does besides delivering: it writes the counts of repeated acts and deletes expired rows.

Each run handles a bounded number of rows.
"""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import close_old_connections
from django.utils import timezone

from organizations.services import throttle
from organizations.services.accounts import sessions
from organizations.services.audit import repeated_acts

MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
CHORES: tuple[tuple[Callable[[], int], datetime.timedelta], ...] = (
    (repeated_acts.write_over, MINUTE),
    (throttle.delete_over, MINUTE),
    (sessions.delete_expired, HOUR),
)
MOST_AT_ONCE = 10
"""Times that a chore is done in a row while it finds something."""

log = logging.getLogger("orgportal.chores")


@dataclass(slots=True)
class Chores:
    """Which chores are due in this process. Several workers may do the same one: none is done twice."""

    done_at: dict[int, datetime.datetime] = field(default_factory=dict)

    def do_due(self) -> None:
        """Do the chores that are due. One that fails is logged, and done again when its time comes."""
        now = timezone.now()
        for place, (chore, every) in enumerate(CHORES):
            if place in self.done_at and now - self.done_at[place] < every:
                continue
            self.done_at[place] = now
            try:
                _repeat(chore)
            except Exception:
                log.exception("A chore failed")
                close_old_connections()


def _repeat(chore: Callable[[], int]) -> None:
    for _ in range(MOST_AT_ONCE):
        if not chore():
            return
