"""Workers notice at once what a person made due, on PostgreSQL by its notices."""

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


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no notices")
def test_an_act_of_a_person_wakes_a_worker_and_its_own_acts_do_not(editor: User, worker: Actor) -> None:
    woken, stopping = threading.Event(), threading.Event()
    thread = threading.Thread(target=wakeup.listen, args=(stopping, woken.set))
    thread.start()
    try:
        until(is_listened_to, "the listener")
        with audit.recorded(worker) as history:
            history.log(Action.SETTINGS_SEEN)
        assert not woken.wait(0.3)
        with audit.recorded(as_actor(editor)) as history:
            history.log(Action.SETTINGS_SEEN)
        assert woken.wait(20)
    finally:
        stopping.set()
        thread.join()


def is_listened_to() -> bool:
    """Whether another connection waits for notices of this database."""
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
