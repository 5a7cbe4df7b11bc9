"""The database's clock, so that workers on several machines agree on what is due."""

import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime.datetime:
    """The time by the database, in UTC. On SQLite the database is on this machine and so is its clock."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime.datetime = cursor.fetchone()[0]
    return moment.astimezone(datetime.UTC)
