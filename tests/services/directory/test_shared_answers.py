"""Answers that several take-overs share: those that wait for the same OID."""

import datetime

import pytest

from organizations.models import Candidate, TakeOver, TakeOverState, User, clock
from organizations.practice import PracticeDirectory
from organizations.practice.behaviour import Behaviour
from organizations.services.delivery import query
from tests.services.directory.scanning import put
from tests.services.directory.taking_over import ask_all, begin, state_of, states
from tests.services.directory.test_asking import ONE, TWO, answer, asked, entries, leased

pytestmark = pytest.mark.django_db


def test_two_take_overs_of_one_oid_ask_about_it_once(practice: PracticeDirectory, editor: User) -> None:
    put(practice, ONE)
    first, second, third = (begin(ONE, TWO, user=editor) for _ in range(3))
    for _ in range(3):  # each round ends one take-over
        ask_all()
    assert asked(practice) == {ONE: 1, TWO: 3}
    for run in (first, second, third):
        assert (states(run), state_of(run)) == ({ONE: "found", TWO: "absent"}, "ready")
    shown = Candidate.objects.filter(oid=ONE).values_list("seen", "asked_at", "name", "lease_until", "sentence")
    assert len(set(shown)) == 1
    last = {entry.oid: entry.facts["details"] for entry in entries()}
    assert {(last[oid]["take_over"], *last[oid]["also"]) for oid in (ONE, TWO)} == {(first.pk, second.pk, third.pk)}


def test_a_query_from_before_a_take_over_answers_nothing_in_it(practice: PracticeDirectory, editor: User) -> None:
    put(practice, ONE)
    begin(ONE, user=editor)
    question = leased()
    shown = query.query_oid("staging", ONE)
    later = begin(ONE, user=editor)
    question.store(shown)
    assert states(later) == {ONE: "waiting"}
    assert "also" not in entries()[-1].facts["details"]


def test_an_answer_is_shared_only_with_take_overs_that_wait_for_it(practice: PracticeDirectory, editor: User) -> None:
    put(practice, ONE)
    begin(ONE, user=editor)
    question = leased()
    in_flight, probing, ready, elsewhere, again = (begin(ONE, user=editor) for _ in range(5))
    in_flight.candidates.update(lease_until=clock.now() + datetime.timedelta(minutes=1))
    again.candidates.update(lease_until=clock.now())
    probing.candidates.update(source="probe")
    TakeOver.objects.filter(pk=ready.pk).update(state=TakeOverState.READY)
    TakeOver.objects.filter(pk=elsewhere.pk).update(environment="production")
    answer(question)
    runs = (in_flight, probing, ready, elsewhere)
    assert [states(run) for run in runs] == [{ONE: "waiting"}] * 4
    assert states(again) == {ONE: "found"}


def test_a_probe_and_a_missing_answer_are_not_shared(practice: PracticeDirectory, editor: User) -> None:
    probing, waiting = begin(ONE, user=editor), begin(ONE, user=editor)
    probing.candidates.update(source="probe")
    answer(leased())
    assert states(waiting) == {ONE: "waiting"}
    practice.behaviour = Behaviour.SHOWS_ANOTHER
    other = begin(ONE, user=editor)
    answer(leased())
    assert (states(waiting), states(other)) == ({ONE: "unanswered"}, {ONE: "waiting"})
