"""Leases a take-over to a worker for one Query. If the worker dies, another one continues when the lease ends."""

import datetime
from typing import Any

from django.conf import settings

from organizations.models import Submission, TakeOver, TakeOverState, clock
from organizations.models.take_over import TakeOverQuerySet
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.connection import breaker, redox_settings
from organizations.services.timing import seconds


def lease(environment: str, *, is_scan: bool, actor: Actor) -> TakeOver | None:
    """Lease the oldest take-over that needs a Query, if one may be sent now. Returns None if there is none.

    `is_scan`: lease a search of the whole directory, which reads pages; otherwise one that asks about OIDs. A worker
    stores its answer only if no other worker has leased the take-over since.
    """
    if not _free(environment, is_scan=is_scan).exists() or not _may_ask(environment):
        return None  # checked first, so that an idle worker takes no lock
    with audit.atomic(actor):
        take_over = _free(environment, is_scan=is_scan).select_for_update(skip_locked=True, of=("self",)).first()
        if take_over is not None:
            take_over.token += 1
            take_over.lease_until = clock.now() + seconds(settings.REDOX_LEASE)
            take_over.save(update_fields=["token", "lease_until"])
    return take_over


def release(take_over: TakeOver, *, until: datetime.datetime | None = None, **values: Any) -> bool:
    """End the lease, or extend it to `until`, and store `values` in the take-over.

    Returns False and stores nothing if another worker has leased the take-over or the directory is not asked any more.
    """
    leased = TakeOver.objects.filter(pk=take_over.pk, token=take_over.token, state=TakeOverState.ASKING)
    return leased.update(lease_until=until, **values) == 1


def _free(environment: str, *, is_scan: bool) -> TakeOverQuerySet:
    return TakeOver.objects.free(environment, TakeOverState.ASKING, clock.now()).reading_pages(is_scan)


def _may_ask(environment: str) -> bool:
    """Whether a Query may be sent now: connected, the breaker is closed, and no message is due."""
    if redox_settings.environment(environment).credential is None or not breaker.can_send_now(environment):
        return False
    return not Submission.objects.due(environment, clock.now()).exists()
