"""One rate limit for the whole installation: every request to Redox reserves a slot.

Redox counts requests by source address (10,000 in 5 minutes): writes, Queries and token requests of both environments
and all workers together.
"""

import datetime
import math
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from organizations.models import Installation, clock

MOST_AHEAD = 1000
"""The most slots that are reserved ahead. If the next free one is later, the database's clock was set back."""


@dataclass(frozen=True, slots=True)
class SendSlot:
    """The moment from which one request may be sent, by this process's monotonic clock."""

    begins: float

    def wait(self) -> None:
        """Sleep until the slot begins."""
        time.sleep(max(0.0, self.begins - time.monotonic()))


def reserve_slot() -> SendSlot:
    """Reserve the next free slot in a separate transaction."""
    with transaction.atomic(durable=True):
        return reserve_slots_within(clock.now(), 1)[0]


def reserve_slots_within(now: datetime.datetime, count: int) -> list[SendSlot]:
    """Reserve the next free slots inside the caller's transaction. `now` is the database's time."""
    installation = Installation.objects.select_for_update().get(pk=1)
    distance = 1 / settings.REDOX_RATE
    begins = now + datetime.timedelta(seconds=_seconds_reserved(installation.next_send_at, now))
    installation.next_send_at = begins + datetime.timedelta(seconds=count * distance)
    installation.save(update_fields=["next_send_at"])
    first = time.monotonic() + (begins - now).total_seconds()
    return [SendSlot(first + number * distance) for number in range(count)]


def free_slots(seconds_ahead: float, now: datetime.datetime) -> int:
    """How many slots of the next seconds are free; at least one if the next slot begins within `seconds_ahead`."""
    next_send_at = Installation.objects.values_list("next_send_at", flat=True).get(pk=1)
    return max(0, math.ceil((seconds_ahead - _seconds_reserved(next_send_at, now)) * settings.REDOX_RATE))


def _seconds_reserved(next_send_at: datetime.datetime | None, now: datetime.datetime) -> float:
    """For how many seconds from now all slots are reserved."""
    ahead = (next_send_at - now).total_seconds() if next_send_at else 0.0
    return ahead if 0.0 < ahead <= MOST_AHEAD / settings.REDOX_RATE else 0.0


def wait_for_slot() -> None:
    """Reserve a slot and sleep until it begins."""
    reserve_slot().wait()
