"""Who claims a submission claims it alone: thousands of claims by several workers, and each has one winner."""

import itertools
import operator
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any, Self

import pytest
from django.db import connection, transaction
from django.utils import timezone

from organizations.models import Action, AuditEntry, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import delivery, gateway, settling, submissions
from organizations.services.actors import system
from tests import factories
from tests.factories import BASE
from tests.faults.portals import chain_faults

CLAIMS = 2_000

TOKEN = '"organizations_submission"."token"'

type Claimed = tuple[int, int]


def outbox(size: int, user: User) -> None:
    for number in range(1, size + 1):
        factories.submission(factories.organization(f"{BASE}.{number}", user=user), user=user)


def side_by_side(workers: int, claim: Callable[[], Claimed | None], claims: int) -> list[list[Claimed]]:
    """What each of several threads claimed, until all have claimed so often."""
    start, turns = Barrier(workers), iter(range(claims))

    def work(_: int) -> list[Claimed]:
        start.wait()
        try:
            return [_until_claimed(claim) for _ in turns]
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, range(workers)))


def _until_claimed(claim: Callable[[], Claimed | None]) -> Claimed:
    while (claimed := claim()) is None:
        pass
    return claimed


def each_has_one_winner(claimed: list[list[Claimed]]) -> bool:
    """Each token of each submission was given once and none was left out; nobody got a lower one after a higher."""
    everything = sorted(itertools.chain.from_iterable(claimed))
    counts = Counter(pk for pk, _ in everything)
    each_once = [(pk, token) for pk, count in sorted(counts.items()) for token in range(1, count + 1)]
    rising = (all(map(operator.lt, tokens, tokens[1:])) for own in claimed for tokens in _by_submission(own))
    return everything == each_once and all(rising)


def _by_submission(own: list[Claimed]) -> Iterator[list[int]]:
    for pk in {pk for pk, _ in own}:
        yield [token for each, token in own if each == pk]


def give_back(submission: Submission) -> Claimed:
    """Fails when anybody else has moved it meanwhile."""
    held = Submission.objects.filter(pk=submission.pk, state=State.SENDING, token=submission.token)
    assert held.update(state=State.QUEUED) == 1
    return submission.pk, submission.token


@dataclass(frozen=True, slots=True)
class Statements:
    """What a claim says to the database, recorded once: built anew each time, thousands of claims take minutes."""

    select: str
    selecting: tuple[Any, ...]
    update: str
    updating: tuple[Any, ...]

    @classmethod
    def recorded(cls) -> Self:
        made: list[tuple[str, tuple[Any, ...]]] = []

        def keep(execute: Callable[..., Any], sql: str, params: tuple[Any, ...], *rest: Any) -> Any:
            made.append((sql, params))
            return execute(sql, params, *rest)

        with connection.execute_wrapper(keep), transaction.atomic():
            submission = settling.first_free(Submission.objects.due("staging", timezone.now()))
            assert submission is not None
            submissions.move(submission, State.SENDING, token=submission.token + 1)
            transaction.set_rollback(True)
        (select,) = [each for each in made if each[0].startswith('SELECT "organizations_submission"."id"')]
        (update,) = [each for each in made if each[0].startswith('UPDATE "organizations_submission"')]
        assert re.findall(r'"(\w+)" = %s', update[0]) == ["state", "state_at", "token", "id", "state", "token"]
        return cls(*select, *update)

    def claim(self) -> Claimed | None:
        """One claim, given back when it was won; None when there was none to win."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(self.select, self.selecting)
            row = cursor.fetchone()
            if row is None:
                return None
            pk, token = row[0], row[self.select.partition(" FROM ")[0].split(", ").index(TOKEN)]
            state, at = self.updating[:2]
            cursor.execute(self.update, (state, at, token + 1, pk, self.updating[4], token))
            if cursor.rowcount != 1:
                return None
        with connection.cursor() as cursor:
            cursor.execute(self.update, (self.updating[4], at, token + 1, pk, state, token + 1))
            assert cursor.rowcount == 1
        return pk, token + 1


def claim_whole() -> Claimed | None:
    worker = system(f"Worker {threading.get_ident()}")
    claim = delivery.claim_next("staging", gateway.environment("staging"), actor=worker)
    if claim is None:
        return None
    assert claim.submission.lease_worker == worker.name
    return give_back(claim.submission)


@pytest.mark.slow
def test_of_thousands_of_claims_by_two_workers_each_has_one_winner(practice: PracticeDirectory, editor: User) -> None:
    outbox(2, editor)
    claimed = side_by_side(2, Statements.recorded().claim, CLAIMS)
    assert sum(map(len, claimed)) == CLAIMS
    assert each_has_one_winner(claimed)


@pytest.mark.slow
def test_each_claim_writes_one_intent_with_its_own_attempt_and_token(practice: PracticeDirectory, editor: User) -> None:
    outbox(4, editor)

    claimed = side_by_side(4, claim_whole, 100)

    assert each_has_one_winner(claimed)
    intents = AuditEntry.objects.filter(action=Action.ATTEMPT_INTENT)
    written = sorted((entry.submission_id, entry.attempt, entry.facts["token"]) for entry in intents)
    assert written == [(pk, token, token) for pk, token in sorted(itertools.chain.from_iterable(claimed))]
    assert chain_faults("default") == []
