"""Take-overs and somebody else at the same moment: two workers that ask, and a person who stops."""

from functools import partial

import pytest

from organizations.models import (
    CandidateState,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
    clock,
)
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.directory import run_take_over, take_over
from organizations.services.directory.take_over import NewCandidate
from tests import factories
from tests.factories import BASE, as_actor
from tests.races.racing import Rounds
from tests.races.world import oid
from tests.services.sending import WORKER

pytestmark = pytest.mark.django_db(transaction=True)


def asking(user: User, count: int) -> TakeOver:
    TakeOver.objects.all().delete()  # that of the last round
    candidates = [NewCandidate(oid(number)) for number in range(1, count + 1)]
    return take_over.begin("staging", candidates, kind=TakeOverKind.OIDS, base_oids=[BASE], actor=as_actor(user))


def lease_all() -> list[str]:
    """Lease OIDs until there is none, as a worker that waits for all answers."""
    leased = []
    while question := run_take_over.next_candidate("staging", actor=WORKER):
        leased.append(question.oid)
    return leased


def test_two_workers_never_ask_about_the_same_oid_at_the_same_time(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        run = asking(user, 20)
        one, other = (result.value for result in rounds.race(lease_all, lease_all))
        assert isinstance(one, list)
        assert isinstance(other, list)
        assert sorted(one + other) == sorted(run.candidates.values_list("oid", flat=True))


def test_an_answer_and_a_person_who_stops(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        run = asking(user, 2)
        question = run_take_over.next_candidate("staging", actor=WORKER)
        assert question is not None
        answer = DirectoryAnswer(asked_at=clock.now(), record=factories.record(question.oid))
        stop = partial(take_over.stop_asking, run.pk, actor=as_actor(user))
        rounds.race(partial(question.store, answer), stop)
        run.refresh_from_db()
        first, second = run.candidates.order_by("position")
        assert (run.state, second.state) == (TakeOverState.READY, CandidateState.UNANSWERED)
        assert (first.state, first.seen != "") in ((CandidateState.UNANSWERED, False), (CandidateState.FOUND, True))
