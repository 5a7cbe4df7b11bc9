"""Workers notice at once that a person's action made something due; on PostgreSQL by NOTIFY."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from organizations.models import Action, User
from organizations.services import wakeup
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.delivery.courier import Courier
from tests.factories import as_actor
from tests.faults.portals import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_act_of_a_person_wakes_a_worker_and_its_own_acts_do_not(editor: User, worker: Actor) -> None:
    """SQLite has no NOTIFY: there the listener ends at once."""
    has_notices = connection.vendor == "postgresql"
    woken, stopping = threading.Event(), threading.Event()
    thread = threading.Thread(target=wakeup.listen, args=(stopping, woken.set))
    thread.start()
    try:
        until(lambda: is_listened_to() if has_notices else not thread.is_alive(), "the listener")
        with audit.atomic(worker) as history:
            history.log(Action.SETTINGS_SEEN)
        assert not woken.wait(0.3)
        with audit.atomic(as_actor(editor)) as history:
            history.log(Action.SETTINGS_SEEN)
        assert woken.wait(20 if has_notices else 0) == has_notices
    finally:
        stopping.set()
        thread.join()


def is_listened_to() -> bool:
    """Whether another connection waits for notifications of this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'", []
        )
        return cursor.fetchone() is not None


def test_a_woken_courier_claims_before_its_next_look(worker: Actor) -> None:
    with ThreadPoolExecutor(1) as pool:
        delivering = Courier(worker, pool, ("staging",))
        delivering.claim_due()
        lane = delivering._lanes["staging"]
        assert lane.next_claim > 0.0
        delivering.wake()
        delivering.settle_arrived()
        assert lane.next_claim == 0.0
