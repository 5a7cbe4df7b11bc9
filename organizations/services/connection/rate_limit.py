"""One rate for the whole installation: every request to Redox takes a turn, whoever makes it.

Redox counts requests by source address (10,000 in 5 minutes): writes, Queries and token requests of both environments
and of all workers together.
"""

import datetime
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from organizations.models import Installation, clock


@dataclass(frozen=True, slots=True)
class SendSlot:
    """The moment from which one request may leave, by this process's monotonic clock."""

    opens: float

    def wait(self) -> None:
        """Sleep until the turn has come; at once when it has."""
        time.sleep(max(0.0, self.opens - time.monotonic()))


def reserve_slot() -> SendSlot:
    """Take the next free turn, in a transaction of its own."""
    with transaction.atomic(durable=True):
        return reserve_slot_within(clock.now())


def reserve_slot_within(now: datetime.datetime) -> SendSlot:
    """The same inside the caller's transaction; `now` is the database's clock."""
    installation = Installation.objects.select_for_update().get(pk=1)
    opens = max(now, installation.next_send_at or now)
    installation.next_send_at = opens + datetime.timedelta(seconds=1 / settings.REDOX_RATE)
    installation.save(update_fields=["next_send_at"])
    return SendSlot(time.monotonic() + (opens - now).total_seconds())


def wait_for_slot() -> None:
    """Take a turn and sleep until it has come."""
    reserve_slot().wait()
