"""Waiting times. All of them shrink with `REDOX_SETTLE` where a test or the demonstration shortens it."""

import datetime

from django.conf import settings

LEAST_SETTLE = 120.0
"""Redox ends an exchange after 120 s: in earnest nothing waits for less (`startup.py` refuses it)."""
LEASE_MARGIN = 30.0


def seconds(number: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=number)


def shortened(wait: float) -> float:
    """A wait in seconds, shorter only where the settle time is shorter than it may be in earnest."""
    return wait * min(1.0, float(settings.REDOX_SETTLE) / LEAST_SETTLE)


def lease_margin() -> float:
    """Seconds that an exchange needs of a lease beyond its own deadline."""
    return shortened(LEASE_MARGIN)
