"""How many answers the courier takes at once, and how it learns that the database changed."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection

from organizations.models import Action, AuditEntry, User
from organizations.services.delivery import courier
from organizations.services.delivery.courier import Courier, InThisThread
from orgportal.sqlite3.base import DatabaseWrapper
from tests.factories import BASE
from tests.services.delivery.batches import answering, queue
from tests.services.sending import WORKER, exchange_result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def test_answers_are_gathered_up_to_two_mebibytes(
    connected: None, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = exchange_result(200, b"x" * 1024 * 1024)
    answering(monkeypatch, {f"{BASE}.{number}": large for number in range(1, 6)})
    queue(5, editor)
    delivering = Courier(WORKER, InThisThread(), ("staging",))
    assert delivering.claim_due()
    stored = []
    while delivering.is_busy:
        delivering.settle_arrived()
        stored.append(AuditEntry.objects.filter(action=Action.ATTEMPT_RESPONSE).count())
    assert stored == [2, 4, 5]


def test_a_change_of_the_database_by_another_process_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two connections to one SQLite file. The database of the tests may be in memory, which shows no such change."""
    (tmp_path / "one.sqlite3").touch()
    here, other = (DatabaseWrapper(connection.settings_dict | {"NAME": tmp_path / "one.sqlite3"}) for _ in range(2))
    with ExitStack() as stack:
        for each in (here, other):
            stack.callback(each.close)
        here.cursor().execute("CREATE TABLE one (number INTEGER)")
        monkeypatch.setattr(courier, "connection", here)
        delivering = Courier(WORKER, InThisThread(), ("staging",))
        found = [delivering._is_database_changed() for _ in range(2)]
        for by in (here, other, here):
            by.cursor().execute("INSERT INTO one VALUES (1)")
            found.append(delivering._is_database_changed())
        assert found == [True, False, False, True, False]

        lane = delivering._lanes["staging"]
        lane._idle_until = nothing_due = time.monotonic() + 60.0
        for is_changed in (False, True):
            if is_changed:
                other.cursor().execute("INSERT INTO one VALUES (1)")
            delivering.claim_due()
            assert (lane.next_claim == nothing_due) is not is_changed
        here.close()  # as after an exception
        delivering._is_database_changed()
