"""Waiting times, and how sentences write them. A short `REDOX_SETTLE`, as in tests, shortens all of them."""

import datetime
import math
import time

from django.conf import settings
from django.utils import timezone

from organizations.models import clock

LEAST_SETTLE = 120.0
"""Redox ends an exchange after 120 s, so a shorter settle time is refused outside the demonstration (`startup.py`)."""
LEASE_MARGIN = 30.0
LEAST_TIME_TO_SEND, LEAST_SHORT_TIME_TO_SEND = 5.0, 1.0
"""Seconds that a claimed message may wait at least for its send slot, the second with a short settle time."""
POLL, IDLE_POLL = 0.5, 2.0
"""Seconds between two checks of a worker for due work, the second after a minute without work."""
IDLE_AFTER = 60.0
RECENT = datetime.timedelta(minutes=10)
"""How old the directory's answer may be for a decision."""


def seconds(number: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=number)


def shortened(wait: float) -> float:
    """A wait in seconds, shortened in proportion if the settle time is below `LEAST_SETTLE`."""
    return wait * min(1.0, float(settings.REDOX_SETTLE) / LEAST_SETTLE)


def lease_margin() -> float:
    """Seconds that a lease must last beyond the deadline of the exchange."""
    return shortened(LEASE_MARGIN)


def least_lease() -> float:
    """The shortest lease with which messages are sent."""
    to_send = max(LEAST_SHORT_TIME_TO_SEND, shortened(LEAST_TIME_TO_SEND))
    return float(settings.REDOX_DEADLINE) + lease_margin() + to_send


def is_idle_since(worked_at: float) -> bool:
    """Whether the last work, at `worked_at` by the monotonic clock, was more than a minute ago."""
    return time.monotonic() - worked_at >= IDLE_AFTER


def poll_after(worked_at: float) -> float:
    """Seconds until the next check for work, if the last work was at `worked_at` by the monotonic clock."""
    return IDLE_POLL if is_idle_since(worked_at) else POLL


def is_recent(moment: datetime.datetime) -> bool:
    """Whether an answer of this time is new enough for a decision."""
    return clock.now() - moment <= RECENT


def clock_time(moment: datetime.datetime) -> str:
    """A time of today for a sentence: "14:02:10 CST"."""
    return f"{timezone.localtime(moment):%H:%M:%S %Z}"


def time_left(wait: datetime.timedelta) -> str:
    """A wait for a sentence: "1 second", "90 seconds", "3 minutes"."""
    number = math.ceil(wait.total_seconds())
    if number == 1:
        return "1 second"
    return f"{number} seconds" if number < 120 else f"{math.ceil(number / 60)} minutes"
