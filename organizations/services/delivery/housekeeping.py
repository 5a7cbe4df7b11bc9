"""A worker's other tasks: it logs counts of repeated actions and deletes expired rows, a bounded number each time."""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import close_old_connections
from django.utils import timezone

from organizations.services import throttle
from organizations.services.accounts import sessions
from organizations.services.audit import repeated_actions

MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
TASKS: tuple[tuple[Callable[[], int], datetime.timedelta], ...] = (
    (repeated_actions.write_ended_counts, MINUTE),
    (throttle.delete_ended, MINUTE),
    (sessions.delete_expired, HOUR),
)
MOST_REPEATS = 10
"""How many times a task runs at most while it finds rows."""

log = logging.getLogger("orgportal.housekeeping")


@dataclass(slots=True)
class Housekeeping:
    """When this process did each task last. Workers may do the same task at once; each row is handled once."""

    done_at: dict[int, datetime.datetime] = field(default_factory=dict)

    def do_due(self) -> None:
        """Do the tasks that are due. A task that fails is logged and tried again when it is due next."""
        now = timezone.now()
        for number, (task, every) in enumerate(TASKS):
            if number in self.done_at and now - self.done_at[number] < every:
                continue
            self.done_at[number] = now
            try:
                _repeat(task)
            except Exception:
                log.exception("A housekeeping task failed")
                close_old_connections()


def _repeat(task: Callable[[], int]) -> None:
    for _ in range(MOST_REPEATS):
        if not task():
            return
