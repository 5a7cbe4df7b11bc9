"""A worker's other tasks: it logs counts of repeated acts and deletes expired rows, a bounded number each time."""

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
    (repeated_acts.write_ended_counts, MINUTE),
    (throttle.delete_ended, MINUTE),
    (sessions.delete_expired, HOUR),
)
MOST_REPEATS = 10
"""How often a chore is repeated while it finds rows."""

log = logging.getLogger("orgportal.chores")


@dataclass(slots=True)
class Chores:
    """When this process did each chore last. Workers may do the same chore at once; each row is handled once."""

    done_at: dict[int, datetime.datetime] = field(default_factory=dict)

    def do_due(self) -> None:
        """Do the chores that are due. A chore that fails is logged and tried again when it is due next."""
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
    for _ in range(MOST_REPEATS):
        if not chore():
            return
