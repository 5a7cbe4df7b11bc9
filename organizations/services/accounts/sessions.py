"""Sessions end 12 hours after the sign-in, or an hour after their last use.

Django expires them after 12 hours. The time of the last use is in the session, written at most once a minute. All
sessions of an account end if its password changes or it is closed (`User.session_stamp`).
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
    """Set the expiry of a new session. Django calls this after every sign-in."""
    now = timezone.now()
    request.session.set_expiry(now + LONGEST)
    request.session[USED] = int(now.timestamp())


def is_expired(session: SessionBase) -> bool:
    """Whether nobody has used the session for more than an hour."""
    return _unused(session) > LONGEST_UNUSED


def note_use(session: SessionBase) -> None:
    """Store that somebody uses the session now."""
    if _unused(session) > WRITTEN_EVERY:
        session[USED] = int(timezone.now().timestamp())


def end_all() -> None:
    """Delete all sessions, so that everybody must sign in again."""
    Session.objects.all().delete()


def delete_expired() -> int:
    """Delete expired sessions, at most MOST_DELETED. Returns how many."""
    expired = Session.objects.filter(expire_date__lte=timezone.now())
    keys = list(expired.order_by("expire_date").values_list("pk", flat=True)[:MOST_DELETED])
    return expired.filter(pk__in=keys).delete()[0]


def _unused(session: SessionBase) -> datetime.timedelta:
    return datetime.timedelta(seconds=timezone.now().timestamp() - session.get(USED, 0))
