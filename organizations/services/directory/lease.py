"""Leases a take-over to a worker for one Query. If the worker dies, another one continues after the lease."""

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
    """Lease the oldest take-over for which the directory is asked, if a Query may be sent now.

    `is_scan`: one that needs the next page of the whole directory, else one that asks OID by OID. If another worker
    leases it later, this one stores nothing.
    """
    if not _free(environment, is_scan=is_scan).exists() or not _may_ask(environment):
        return None  # so that an idle worker takes no lock
    with audit.atomic(actor):
        take_over = _free(environment, is_scan=is_scan).select_for_update(skip_locked=True, of=("self",)).first()
        if take_over is not None:
            take_over.token += 1
            take_over.lease_until = clock.now() + seconds(settings.REDOX_LEASE)
            take_over.save(update_fields=["token", "lease_until"])
    return take_over


def release(take_over: TakeOver, *, until: datetime.datetime | None = None, **values: Any) -> bool:
    """End the lease, or let it last `until` then, and store these values.

    Returns whether the lease was still this worker's and the directory is still asked. Else nothing is stored.
    """
    still = TakeOver.objects.filter(pk=take_over.pk, token=take_over.token, state=TakeOverState.ASKING)
    return still.update(lease_until=until, **values) == 1


def _free(environment: str, *, is_scan: bool) -> TakeOverQuerySet:
    return TakeOver.objects.free(environment, TakeOverState.ASKING, clock.now()).reading_pages(is_scan)


def _may_ask(environment: str) -> bool:
    """Whether a Query may be sent now: connected, the breaker is closed, and no message is due."""
    if redox_settings.environment(environment).credential is None or not breaker.can_send_now(environment):
        return False
    return not Submission.objects.due(environment, clock.now()).exists()
