"""A take-over of a list of OIDs, about which the directory is asked next."""

from typing import Any

from organizations.models import TakeOver, TakeOverKind, User
from organizations.services import workers
from organizations.services.directory import take_over
from organizations.services.directory.take_over import NewCandidate
from tests.factories import BASE, as_actor
from tests.services.sending import WORKER


def begin(*candidates: str | NewCandidate, user: User, **values: Any) -> TakeOver:
    """Begin a take-over of these OIDs, or of what a person said about them."""
    arguments: dict[str, Any] = {"kind": TakeOverKind.OIDS, "base_oids": [BASE], "actor": as_actor(user)} | values
    new = [NewCandidate(each) if isinstance(each, str) else each for each in candidates]
    return take_over.begin("staging", new, **arguments)


def states(run: TakeOver) -> dict[str, str]:
    return dict(run.candidates.values_list("oid", "state"))


def state_of(run: TakeOver) -> str:
    return TakeOver.objects.values_list("state", flat=True).get(pk=run.pk)


def ask_all() -> None:
    """Do what a worker does with take-overs until nothing is due."""
    while workers.take_over_next("staging", actor=WORKER):
        pass
