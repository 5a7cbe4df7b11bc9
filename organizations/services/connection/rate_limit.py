"""One rate limit for the whole installation: every request to Redox reserves a slot.

Redox counts requests by source address (10,000 in 5 minutes): writes, Queries and token requests of both environments
and all workers together.
"""

import datetime
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from organizations.models import Installation, clock


@dataclass(frozen=True, slots=True)
class SendSlot:
    """The moment from which one request may be sent, by this process's monotonic clock."""

    begins: float

    def wait(self) -> None:
        """Sleep until the slot begins."""
        time.sleep(max(0.0, self.begins - time.monotonic()))


def reserve_slot() -> SendSlot:
    """Reserve the next free slot in a transaction of its own."""
    with transaction.atomic(durable=True):
        return reserve_slot_within(clock.now())


def reserve_slot_within(now: datetime.datetime) -> SendSlot:
    """Reserve the next free slot inside the caller's transaction. `now` is the database's time."""
    installation = Installation.objects.select_for_update().get(pk=1)
    begins = max(now, installation.next_send_at or now)
    installation.next_send_at = begins + datetime.timedelta(seconds=1 / settings.REDOX_RATE)
    installation.save(update_fields=["next_send_at"])
    return SendSlot(time.monotonic() + (begins - now).total_seconds())


def wait_for_slot() -> None:
    """Reserve a slot and sleep until it begins."""
    reserve_slot().wait()
