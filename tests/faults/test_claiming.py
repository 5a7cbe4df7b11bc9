"""Only one worker claims a submission: if many try at the same time, exactly one succeeds."""

import itertools
import operator
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from organizations.models import Action, AuditEntry, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import failpoints
from organizations.services.actors import system
from organizations.services.connection import redox_settings
from organizations.services.delivery.claims import MOST_NEW_MESSAGES_OF_A_PLAN, Claim, claim_many
from tests import factories
from tests.factories import BASE
from tests.faults.evidence import chain_faults
from tests.services.sending import claim_next

CLAIMS = 100

type Claimed = tuple[int, int]


def outbox(size: int, user: User) -> None:
    for number in range(1, size + 1):
        factories.submission(factories.organization(f"{BASE}.{number}", user=user), user=user)


def side_by_side(workers: int, claims: int) -> list[list[Claimed]]:
    """The claims of several threads, each claiming this many times."""
    start, turns = Barrier(workers), iter(range(claims))

    def work(_: int) -> list[Claimed]:
        start.wait()
        try:
            return [claim_and_give_back() for _ in turns]
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, range(workers)))


def claim_and_give_back() -> Claimed:
    """Claim a submission and put it back into the queue. Fails if somebody else changed its state in between."""
    worker = system(f"Worker {threading.get_ident()}")
    while (claim := claim_next("staging", actor=worker)) is None:
        pass
    submission = claim.submission
    assert submission.lease_worker == worker.name
    held = Submission.objects.filter(pk=submission.pk, state=State.SENDING, token=submission.token)
    assert held.update(state=State.QUEUED) == 1
    return submission.pk, submission.token


def each_has_one_winner(claimed: list[list[Claimed]]) -> bool:
    """Check that each token of each submission was used once, none is missing, and each thread got rising tokens."""
    everything = sorted(itertools.chain.from_iterable(claimed))
    counts = Counter(pk for pk, _ in everything)
    each_once = [(pk, token) for pk, count in sorted(counts.items()) for token in range(1, count + 1)]
    rising = (all(map(operator.lt, tokens, tokens[1:])) for own in claimed for tokens in _by_submission(own))
    return everything == each_once and all(rising)


def _by_submission(own: list[Claimed]) -> Iterator[list[int]]:
    for pk in {pk for pk, _ in own}:
        yield [token for each, token in own if each == pk]


def test_each_claim_has_one_winner_and_writes_one_intent(practice: PracticeDirectory, editor: User) -> None:
    outbox(3, editor)

    claimed = side_by_side(4, CLAIMS)

    assert sum(map(len, claimed)) == CLAIMS
    assert each_has_one_winner(claimed)
    intents = AuditEntry.objects.filter(action=Action.ATTEMPT_INTENT)
    written = sorted((entry.submission_id, entry.attempt, entry.facts["token"]) for entry in intents)
    assert written == [(pk, token, token) for pk, token in sorted(itertools.chain.from_iterable(claimed))]
    assert chain_faults() == []


def test_two_workers_together_claim_no_more_news_of_a_plan_than_one(practice: PracticeDirectory, editor: User) -> None:
    factories.plan([factories.organization(f"{BASE}.{number}", user=editor) for number in range(1, 22)], user=editor)
    is_first_claiming = threading.Event()

    def hold_first() -> None:
        if not is_first_claiming.is_set():
            is_first_claiming.set()
            time.sleep(0.3)

    def claim_first() -> list[Claim]:
        try:
            return claim_all()
        finally:
            connection.close()

    def claim_all() -> list[Claim]:
        return claim_many("staging", redox_settings.environment("staging"), 16, actor=system("Worker"))

    with failpoints.calling(hold_first, "before-history"), ThreadPoolExecutor(1) as pool:
        first = pool.submit(claim_first)
        assert is_first_claiming.wait(10)
        claimed = claim_all() + first.result()
    assert len(claimed) == MOST_NEW_MESSAGES_OF_A_PLAN
