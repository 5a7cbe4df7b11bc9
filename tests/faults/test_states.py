"""One submission compared with a simple model: in any order of events its state changes only as the table allows."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from organizations.models import Action, AuditEntry, AuditHead, Event, Presence, State, Submission, User, clock
from organizations.redox.client import Exchange
from organizations.services.actors import system
from organizations.services.audit import audit
from organizations.services.delivery import abandoned, decide, query, resolve, settle
from organizations.services.delivery.claims import Claim
from organizations.services.errors import ActionRefused, OutOfDate
from organizations.services.outbox import submissions
from organizations.services.review import check_records
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.faults.world import Way, World
from tests.services.sending import claim_next, edit, send_once, settle_attempt, store_response

# The allowed changes of state, written independently of the portal's table. No other change may occur.
TABLE = {
    State.QUEUED: {State.SENDING, State.CANCELLED, State.NEEDS_PERSON},
    State.SENDING: {State.ACCEPTED, State.REJECTED, State.QUEUED, State.NEEDS_PERSON, State.UNKNOWN},
    State.UNKNOWN: {State.ACCEPTED, State.QUEUED, State.NEEDS_PERSON},
    State.NEEDS_PERSON: {State.ACCEPTED, State.REJECTED, State.QUEUED},
    State.ACCEPTED: set(),
    State.REJECTED: set(),
    State.CANCELLED: set(),
}
ENDS = [state for state, following in TABLE.items() if not following]
LOST = (Way.OTHER_YES, Way.BREAKS, Way.APPLIED_504, Way.NOT_APPLIED_504, Way.LATE, Way.LOST)
WORKER = system("Worker model")
numbers = itertools.count(1)


@dataclass(slots=True)
class Hand:
    """The claim of one worker, and how far it is with sending."""

    claim: Claim
    exchange: Exchange | None = None
    way: Way = Way.YES
    in_time: bool | None = None
    known_there: bool = False


class OneSubmission(RuleBasedStateMachine):
    """Workers claim, die, freeze and resume; the directory gives any answer; time passes; people act."""

    user: User
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.hands: list[Hand] = []
        self.asking: Submission | None = None
        self.may_have_been_sent = False
        self.seconds_tried: float | None = None
        self.oid = f"{BASE}.{next(numbers)}"
        self.world = World.at(self.folder / self.oid)
        self.patched = self.world.in_place_of_redox()
        self.patched.__enter__()

    @initialize(event=st.sampled_from(Event), unreadable=st.booleans())
    def submit(self, event: str, unreadable: bool) -> None:
        organization = factories.organization(self.oid, user=self.user)
        if event == Event.UPDATE:
            factories.submission(organization, user=self.user)
            assert self.claim() is not None
            self.go_out(0, Way.YES)
            self.keep(0)
            self.settle(0)
            self.hands.clear()
            self.world.arrived.clear()
            changed = {"destination_id": "7f296bb4-83fd-498d-92f3-a76960648788"} if unreadable else {"name": "North"}
            organization = edit(organization, self.user, **changed)
        submission = factories.submission(organization, user=self.user)
        self.pk, self.event = submission.pk, submission.event
        self.message, self.sha256 = bytes(submission.message), submission.message_sha256
        self.state = State(submission.state)
        self.may_have_been_sent, self.seconds_tried = False, None
        self.head = AuditHead.objects.get().sequence
        self.previous = AuditHead.objects.get().hash

    def teardown(self) -> None:
        self.patched.__exit__(None, None, None)
        self.world.store.close()
        Submission.objects.open().update(state=State.CANCELLED)

    # What workers do

    def claim(self) -> Claim | None:
        self.world.close_breaker()
        claim = claim_next("staging", actor=WORKER)
        if claim is not None:
            self.hands.append(Hand(claim))
            self.seconds_tried = self.seconds_tried or 0.0
        return claim

    @precondition(lambda self: self.state == State.QUEUED)
    @rule(way=st.sampled_from(Way), seconds=st.sampled_from([0.0, 15 * 60.0]))
    def a_worker_sends(self, way: Way, seconds: float) -> None:
        """Claim, send and settle, without another event in between."""
        self.time_passes(seconds)
        if self.claim() is not None:
            for step in (partial(self.go_out, way=way), self.keep, self.settle):
                self.it_moves_as_the_table_allows(self.now)
                step(number=len(self.hands) - 1)

    @precondition(lambda self: self.state == State.QUEUED)
    @rule()
    def a_worker_claims(self) -> None:
        due = Submission.objects.filter(pk=self.pk).due("staging", clock.now()).exists()
        claim = self.claim()
        assert (claim is not None) == due

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 3), way=st.sampled_from(Way))
    def go_out(self, number: int, way: Way) -> None:
        hand = self.hands[number % len(self.hands)]
        if hand.exchange is None:
            self.world.way = hand.way = way
            hand.known_there = self.world.record(self.oid) is not None
            hand.exchange = send_once(hand.claim, "token")
            self.may_have_been_sent |= hand.exchange.sent

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 3))
    def keep(self, number: int) -> None:
        hand = self.hands[number % len(self.hands)]
        if hand.exchange is not None and hand.in_time is None:
            kept_at = store_response(hand.claim.submission, hand.exchange, repeat=0, actor=WORKER)
            hand.in_time = kept_at is not None

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 3))
    def settle(self, number: int) -> None:
        hand = self.hands[number % len(self.hands)]
        if not hand.in_time or hand.exchange is None:
            return
        self.hands.remove(hand)
        submission = hand.claim.submission
        outcome = settle.outcome_of(submission, hand.exchange)
        before = Submission.objects.get(pk=submission.pk)
        try:
            settle_attempt(submission, outcome, hand.exchange, actor=WORKER)
        except OutOfDate:
            assert (before.state, before.token) != (State.SENDING, submission.token)
        else:
            assert submission.state in self._settled_as(hand, before)

    def _settled_as(self, hand: Hand, before: Submission) -> set[State]:
        """The model: the state that an answer leads to."""
        is_given_up = (
            before.counted_attempts + 1 >= settle.MOST_COUNTED_ATTEMPTS or (self.seconds_tried or 0.0) > 24 * 3600.0
        )
        again = {State.QUEUED, State.NEEDS_PERSON} if is_given_up else {State.QUEUED}
        if hand.exchange is not None and not hand.exchange.sent:
            return again
        if hand.way in LOST:
            refused = hand.way in (Way.OTHER_YES,) and hand.known_there != (before.event == Event.UPDATE)
            return {State.UNKNOWN, State.NEEDS_PERSON, State.REJECTED} if refused else {State.UNKNOWN}
        if hand.way in (Way.TOO_MANY, Way.NOT_SIGNED_IN):
            return {State.QUEUED}
        if hand.way is Way.YES and hand.known_there == (before.event == Event.UPDATE):
            return {State.ACCEPTED}
        if hand.way is Way.YES and before.event == Event.NEW:
            return {State.UNKNOWN, State.NEEDS_PERSON}
        return {State.REJECTED}

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 3))
    def a_worker_dies(self, number: int) -> None:
        self.hands.pop(number % len(self.hands))

    @precondition(lambda self: self.state == State.SENDING)
    @rule(seconds=st.sampled_from([0.0, 211.0]))
    def reap(self, seconds: float) -> None:
        self.time_passes(seconds)
        abandoned.settle_abandoned("staging", actor=WORKER)

    @precondition(lambda self: self.state == State.UNKNOWN)
    @rule(seconds=st.sampled_from([0.0, 31.0, 121.0, 301.0]))
    def a_worker_asks(self, seconds: float) -> None:
        self.time_passes(seconds)
        claimed = resolve._claim_next("staging", WORKER)
        self.asking = claimed or self.asking

    @precondition(lambda self: self.asking)
    @rule(answers=st.sampled_from([True, True, True, False]))
    def the_directory_answers(self, answers: bool) -> None:
        asked, self.asking = self.asking, None
        assert asked is not None
        self.world.answers_queries = answers
        before = self.now
        answer = query.query_oid("staging", self.oid)
        assert answer.is_answered == answers
        try:
            resolve._apply_answer(asked, answer, WORKER)
        except OutOfDate:
            assert (before.state, before.token) != (State.UNKNOWN, asked.token)
            return
        if not answers:
            assert asked.state in (State.UNKNOWN, State.NEEDS_PERSON)
        elif before.event == Event.NEW and self.world.record(self.oid) is None:
            assert (asked.state == State.QUEUED) <= (before.absent_at is not None)
            assert asked.state != State.ACCEPTED
        elif before.event == Event.NEW:
            assert asked.state in (State.ACCEPTED, State.NEEDS_PERSON)

    # Time, people, and others

    @rule(seconds=st.sampled_from([1.0, 31.0, 46.0, 121.0, 211.0, 301.0, 25 * 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)
        if self.seconds_tried is not None:
            self.seconds_tried += seconds
        for hand in self.hands:
            hand.claim = dataclasses.replace(hand.claim, claimed_at=hand.claim.claimed_at - seconds)

    @precondition(lambda self: self.state not in ENDS)
    @rule(still_wants=st.sampled_from([False, False, True]))
    def cancel(self, still_wants: bool) -> None:
        """Mostly skip submissions that this would end, because nothing happens to them afterwards."""
        may = self.state == State.QUEUED and not self.may_have_been_sent
        if may and not still_wants:
            return
        try:
            submissions.cancel_submission(self.pk, actor=as_actor(self.user))
        except ActionRefused:
            assert not may
        else:
            assert may

    @precondition(lambda self: self.state == State.NEEDS_PERSON)
    @rule(choice=st.integers(0, 2))
    def a_person_decides(self, choice: int) -> None:
        self.world.answers_queries = True
        query.query_for_submission(self.now, actor=as_actor(self.user))
        found = decide.last_answer(self.now)
        assert found is not None
        offered = decide.allowed_verdicts(self.now, found)
        verdict = offered[choice % len(offered)]
        decide.decide_submission(
            self.pk, verdict, sequence=found.entry.sequence, reason="Compared", actor=as_actor(self.user)
        )

    @precondition(lambda self: self.state not in ENDS or self.hands or self.asking)
    @rule(name=st.sampled_from(["Theirs", "Changed", None]))
    def somebody_else_changes_the_directory(self, name: str | None) -> None:
        there = self.world.record(self.oid)
        if name is None or there is not None:
            self.world.put(self.oid, None if name is None or there is None else there | {"Name": name})

    # Invariants, checked after each step

    @property
    def now(self) -> Submission:
        return Submission.objects.select_related("organization").get(pk=self.pk)

    @invariant()
    def all_that_must_hold_holds(self) -> None:
        submission = self.now
        self.it_moves_as_the_table_allows(submission)
        self.the_message_never_changes(submission)
        self.every_attempt_has_one_intent_and_one_outcome(submission)
        self.presence_says_what_is_known(submission)
        assert not check_records.ids_with_stale_status([submission.organization_id])
        assert self.world.doubled == [], "a New was sent while the first was there"
        self.the_chain_is_unbroken()

    def it_moves_as_the_table_allows(self, submission: Submission) -> None:
        state = State(submission.state)
        assert state == self.state or state in TABLE[self.state], f"{self.state} to {state}"
        self.state = state
        self.may_have_been_sent |= state == State.UNKNOWN

    def the_message_never_changes(self, submission: Submission) -> None:
        assert (bytes(submission.message), submission.message_sha256) == (self.message, self.sha256)
        assert set(self.world.arrived) <= {self.message}

    def every_attempt_has_one_intent_and_one_outcome(self, submission: Submission) -> None:
        entries = AuditEntry.objects.filter(submission_id=self.pk).exclude(attempt=None)
        written = Counter(entries.values_list("attempt", "action"))
        for attempt in range(1, submission.attempt + 1):
            is_over = attempt < submission.attempt or submission.state != State.SENDING
            assert written[attempt, Action.ATTEMPT_INTENT] == 1
            assert written[attempt, Action.ATTEMPT_RESPONSE] <= 2
            assert written[attempt, Action.ATTEMPT_OUTCOME] == int(is_over)

    def presence_says_what_is_known(self, submission: Submission) -> None:
        presence = submission.organization.presence
        if submission.state == State.ACCEPTED:
            assert presence == Presence.PRESENT
        elif submission.event == Event.UPDATE:
            assert presence == Presence.PRESENT or submission.state == State.REJECTED
        elif submission.state == State.UNKNOWN:
            assert presence == Presence.UNKNOWN
        elif submission.is_open:
            assert presence != Presence.PRESENT

    def the_chain_is_unbroken(self) -> None:
        for entry in AuditEntry.objects.filter(sequence__gt=self.head).order_by("sequence"):
            assert (entry.sequence, entry.previous_hash) == (self.head + 1, self.previous)
            assert entry.hash == audit.hash_of(entry.sequence, self.previous, bytes(entry.body))
            self.head, self.previous = entry.sequence, entry.hash


@pytest.fixture
def machine(db: None, tmp_path: Path) -> Iterator[type[OneSubmission]]:
    """The state machine, with the times of a real portal."""
    OneSubmission.user, OneSubmission.folder = factories.editor(), tmp_path
    times = {"REDOX_DEADLINE": 135.0, "REDOX_LEASE": 210.0, "REDOX_SETTLE": 120.0}
    with override_settings(REDOX=redox("http://127.0.0.1:9"), REDOX_RATE=1e6, **times):
        yield OneSubmission


@pytest.mark.one_database
def test_one_submission_behaves_as_the_model(machine: type[OneSubmission]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=25, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )


@pytest.mark.one_database
@pytest.mark.parametrize(("settle", "doubles"), [(1.0, 1), (120.0, 0)])
def test_the_model_detects_a_duplicate_if_the_settle_time_is_too_short(
    machine: type[OneSubmission], settle: float, doubles: int
) -> None:
    with override_settings(REDOX_SETTLE=settle):
        one = machine()
        one.submit(event=Event.NEW, unreadable=False)
        one.a_worker_sends(way=Way.LATE, seconds=0.0)
        for _ in range(2):
            one.a_worker_asks(seconds=31.0)
            if one.asking:
                one.the_directory_answers(answers=True)
        one.a_worker_sends(way=Way.YES, seconds=0.0)
        assert len(one.world.doubled) == doubles
        one.teardown()
