"""Races of take-overs: two workers that ask, a person who stops one, and others who add the same OID."""

from functools import partial

import pytest

from organizations.models import (
    CandidateState,
    Organization,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
    clock,
)
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.directory import run_take_over, take_over
from organizations.services.directory.take_over import NewCandidate
from organizations.services.errors import OidTaken
from tests import factories
from tests.factories import BASE, as_actor
from tests.races.racing import Rounds, refusals
from tests.races.world import check, oid
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


def test_an_answer_is_stored_while_a_person_stops(rounds: Rounds, user: User) -> None:
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


def test_a_search_begins_while_another_one_is_continued(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        TakeOver.objects.all().delete()
        earlier = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(user))
        take_over.stop_asking(earlier.pk, actor=as_actor(user))
        begin = partial(take_over.begin_scan, "staging", base_oids=[BASE], actor=as_actor(user))
        results = rounds.race(begin, partial(take_over.ask_again, earlier.pk, actor=as_actor(user)))
        running = TakeOver.objects.get(state=TakeOverState.ASKING)
        assert refusals(results) == [f"The directory is being searched already, in take-over {running.pk}."]


def chosen(user: User, *numbers: int) -> TakeOver:
    """A take-over whose OIDs wait until the worker adds them."""
    run = factories.take_over(user=user, seen={oid(each): factories.record(oid(each)) for each in numbers})
    take_over.take(run.pk, [oid(each) for each in numbers], actor=as_actor(user))
    return run


def add_all() -> None:
    while run_take_over.add_next("staging"):
        pass


def ends(run: TakeOver) -> dict[str, tuple[str, str]]:
    """State and sentence of each OID."""
    return {each.oid: (each.state, each.sentence) for each in run.candidates.all()}


TAKEN = (CandidateState.TAKEN, "")


def test_a_person_creates_what_a_worker_adds(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        run = chosen(user, 1, 2, 3)
        results = rounds.race(add_all, partial(factories.organization, oid(2), user=user, name="Typed"))
        check()
        holder = Organization.objects.get(oid=oid(2))
        refused = (CandidateState.REFUSED, "It is already the record Typed.")
        assert ends(run) == {oid(1): TAKEN, oid(2): refused if holder.name == "Typed" else TAKEN, oid(3): TAKEN}
        if holder.name != "Typed":
            (refusal,) = [each.refusal for each in results if each.refusal]
            assert isinstance(refusal, OidTaken)
            assert str(refusal) == f"{oid(2)} is already the record {holder.name} in STAGING. Open it."


def test_two_workers_add_the_same_oid_for_two_take_overs(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        first, second = chosen(user, 1, 2), chosen(user, 2, 3)
        rounds.race(add_all, add_all)
        check()
        name = Organization.objects.get(oid=oid(2)).name
        refused = (CandidateState.REFUSED, f"It is already the record {name}.")
        assert ends(first) == {oid(1): TAKEN, oid(2): TAKEN}
        assert ends(second) == {oid(2): refused, oid(3): TAKEN}


def test_an_approver_adds_alone_what_a_worker_adds_for_another_take_over(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        first = chosen(user, 1, 2)
        second = factories.take_over(user=user, seen={oid(2): factories.record(oid(2))})
        add_alone = partial(
            take_over.take_other, second.pk, oid(2), typed_oid=oid(2), reason="Ours", actor=as_actor(user)
        )
        results = rounds.race(add_all, add_alone)
        check()
        name = Organization.objects.get(oid=oid(2)).name
        sentence = f"It is already the record {name}."
        is_added_alone = ends(second) == {oid(2): TAKEN}
        assert ends(first) == {oid(1): TAKEN, oid(2): (CandidateState.REFUSED, sentence) if is_added_alone else TAKEN}
        assert refusals(results) == ([] if is_added_alone else [sentence])
