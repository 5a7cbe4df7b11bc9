"""The database's clock, so that workers on several machines agree on what is due."""

import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime.datetime:
    """The database's time in UTC. SQLite has no server, so there it is this machine's time."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime.datetime = cursor.fetchone()[0]
    return moment.astimezone(datetime.UTC)
