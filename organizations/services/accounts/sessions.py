"""How long a session lasts: at most 12 hours after signing in, and an hour after its last use.

The first end is the session's own expiry. The second is kept in the session and written once a minute at most. All
sessions of an account end with its password and when it is closed (`User.session_stamp`).
"""

import datetime
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils import timezone

LONGEST = datetime.timedelta(hours=12)
LONGEST_UNUSED = datetime.timedelta(hours=1)
WRITTEN_EVERY = datetime.timedelta(minutes=1)
MOST_DELETED = 1000
USED = "used_at"


def begin(*, request: Any, **_: object) -> None:
    """Give the session of somebody who signs in its end. Called by Django at each sign-in, whatever the way."""
    now = timezone.now()
    request.session.set_expiry(now + LONGEST)
    request.session[USED] = int(now.timestamp())


def is_expired(session: SessionBase) -> bool:
    """Whether nobody has used the session for so long that it has ended."""
    return _unused(session) > LONGEST_UNUSED


def note_use(session: SessionBase) -> None:
    """Note that somebody uses the session."""
    if _unused(session) > WRITTEN_EVERY:
        session[USED] = int(timezone.now().timestamp())


def end_all() -> None:
    """Make everybody sign in again."""
    Session.objects.all().delete()


def delete_expired() -> int:
    """Delete what has expired, a bounded number of rows; how many there were."""
    over = Session.objects.filter(expire_date__lte=timezone.now())
    keys = list(over.order_by("expire_date").values_list("pk", flat=True)[:MOST_DELETED])
    return over.filter(pk__in=keys).delete()[0]


def _unused(session: SessionBase) -> datetime.timedelta:
    return datetime.timedelta(seconds=timezone.now().timestamp() - session.get(USED, 0))
