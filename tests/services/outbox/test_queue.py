"""The outbox: the allowed moves, what is due, abandoned or to be queried, and when the breaker is closed."""

import datetime
from typing import Any

import pytest

from organizations.models import EnvironmentGate, Plan, State, Submission, User
from organizations.models.submission import MOVES, OPEN_STATES
from tests import factories
from tests.factories import BASE

NOW = datetime.datetime(2027, 5, 3, 12, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)


AS_MADE: dict[str, Any] = {
    "environment": "staging",
    "state": "queued",
    "attempt": 0,
    "plan": None,
    "not_before": None,
    "lease_until": None,
    "read_back_at": None,
}


def submission(user: User, oid: str = BASE, **values: Any) -> Submission:
    return become(factories.submission(factories.organization(oid, user=user), user=user), **values)


def become(submission: Submission, **values: Any) -> Submission:
    """Set these values of the submission directly."""
    fields = AS_MADE | {"evidence": "answer" if values.get("state") == State.ACCEPTED else ""} | values
    factories.change_submission(submission, **fields)
    submission.refresh_from_db()
    return submission


def plan(user: User, state: str) -> Plan:
    values = {"sha256": str(Plan.objects.count()), "made_by": user, "made_at": NOW, "state_at": NOW}
    return Plan.objects.create(environment="staging", kind="send", state=state, **values)


DUE: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"environment": "production"}, False),
    ({"state": "awaiting"}, False),
    ({"state": "needs_person"}, False),
    ({"not_before": NOW}, True),
    ({"not_before": NOW + SECOND}, False),
]
DUE_IN_A_PLAN = [
    ("going", 0, True),
    ("paused", 0, False),
    ("paused", 1, False),
    ("stopped", 0, False),
    ("stopped", 1, True),
]
LEFT_BEHIND: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"state": "queued"}, False),
    ({"state": "unknown"}, False),
    ({"lease_until": NOW}, False),
    ({"lease_until": None}, False),
]
ASKED_ABOUT: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"environment": "production"}, False),
    ({"state": "needs_person"}, False),
    ({"not_before": NOW}, True),
    ({"not_before": NOW + SECOND}, False),
    ({"lease_until": NOW - SECOND}, True),
    ({"lease_until": NOW}, False),
]
READ_BACK: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"environment": "production"}, False),
    ({"state": "rejected"}, False),
    ({"read_back_at": NOW + SECOND}, False),
    ({"read_back_at": None}, False),
]


@pytest.mark.django_db
class TestDue:
    def test_a_queued_submission_is_due_at_its_time(self, editor: User) -> None:
        queued = submission(editor)
        for values, is_due in DUE:
            become(queued, **values)
            assert Submission.objects.due("staging", NOW).exists() is is_due, values

    def test_a_paused_or_stopped_plan_keeps_its_own_submissions(self, editor: User) -> None:
        queued = submission(editor)
        for state, attempt, is_due in DUE_IN_A_PLAN:
            become(queued, plan=plan(editor, state), attempt=attempt)
            assert Submission.objects.due("staging", NOW).exists() is is_due, (state, attempt)

    def test_it_waits_until_the_submissions_before_it_are_accepted(self, editor: User) -> None:
        third, first, second = (submission(editor, f"{BASE}.{number}") for number in (1, 2, 3))
        third.waits_for.set([become(first, state="accepted"), second])
        for state in ("queued", "rejected", "accepted"):
            become(second, state=state)
            assert (third in Submission.objects.due("staging", NOW)) is (state == State.ACCEPTED)
        assert submission(editor, f"{BASE}.4") in Submission.objects.due("staging", NOW)


@pytest.mark.django_db
class TestAbandoned:
    def test_a_submission_sending_after_its_lease_ended_is_found(self, editor: User) -> None:
        queued = submission(editor)
        for values, is_left in LEFT_BEHIND:
            become(queued, **({"state": "sending", "lease_until": NOW - SECOND} | values))
            assert Submission.objects.lease_ended(NOW).exists() is is_left, values

    def test_an_unknown_submission_that_no_worker_queries_is_found(self, editor: User) -> None:
        queued = submission(editor)
        for values, is_asked in ASKED_ABOUT:
            become(queued, **({"state": "unknown", "not_before": NOW - SECOND} | values))
            assert Submission.objects.to_query("staging", NOW).exists() is is_asked, values

    def test_a_submission_accepted_after_a_lost_attempt_is_found(self, editor: User) -> None:
        queued = submission(editor)
        for values, is_read in READ_BACK:
            become(queued, **({"state": "accepted", "read_back_at": NOW} | values))
            assert Submission.objects.to_read_back("staging", NOW).exists() is is_read, values

    def test_open_submissions_are_found_in_their_environment(self, editor: User) -> None:
        for number, state in enumerate(State.values):
            submission(editor, f"{BASE}.{number}", state=state)
        submission(editor, f"{BASE}.99", environment="production")
        submissions = Submission.objects.open().in_environment("staging")
        assert (
            {each.state for each in submissions}
            == set(OPEN_STATES)
            == {each.state for each in submissions if each.is_open}
        )
        assert len(submissions) == len(OPEN_STATES)


def test_the_oldest_is_sent_first_and_the_longest_waiting_is_queried_first() -> None:
    # Indexes give the same order by chance, on SQLite.
    submissions = Submission.objects.all()
    queries = (
        submissions.due("", NOW),
        submissions.lease_ended(NOW),
        submissions.to_query("", NOW),
        submissions.to_read_back("", NOW),
    )
    assert [query.query.order_by for query in queries] == [
        ("id",),
        ("id",),
        ("not_before", "id"),
        ("read_back_at", "id"),
    ]


@pytest.mark.parametrize(
    ("state", "may_have_been_sent", "can"),
    [("awaiting", False, True), ("queued", False, True), ("queued", True, False), ("needs_person", False, False)],
)
def test_a_submission_that_was_certainly_not_sent_can_be_cancelled(
    state: str, may_have_been_sent: bool, can: bool
) -> None:
    assert Submission(state=state, may_have_been_sent=may_have_been_sent).can_be_cancelled is can


# Every move. The tests of each service say which moves it makes.
TABLE = {
    "awaiting": {"queued", "cancelled"},
    "queued": {"cancelled", "sending", "needs_person"},
    "sending": {"accepted", "rejected", "queued", "needs_person", "unknown"},
    "unknown": {"unknown", "accepted", "queued", "needs_person"},
    "needs_person": {"accepted", "rejected", "queued"},
    "accepted": set(),
    "rejected": set(),
    "cancelled": set(),
}
# Moves that only happen when the database is restored from a backup.
AFTER_A_RESTORE = {("queued", "unknown"), ("awaiting", "unknown")}
MOVED = {(start, end) for start, ends in TABLE.items() for end in ends}


def test_the_moves_are_those_of_the_documented_table() -> None:
    assert {(str(start), str(end)) for start, ends in MOVES.items() for end in ends} == MOVED | AFTER_A_RESTORE
    assert {str(state) for state in MOVES} == set(TABLE) == set(State.values)


@pytest.mark.parametrize("state", State)
def test_a_final_state_is_not_open(state: State) -> None:
    assert state.is_final is (state in ("accepted", "rejected", "cancelled"))
    assert Submission(state=state).is_open is not state.is_final


@pytest.mark.parametrize(
    ("values", "can_send"),
    [
        ({}, True),
        ({"stopped_at": NOW - SECOND}, False),
        ({"probing": True}, False),
        ({"hold_until": NOW}, True),
        ({"hold_until": NOW + SECOND}, False),
        ({"hold_asked_until": NOW}, True),
        ({"hold_asked_until": NOW + SECOND}, False),
    ],
)
def test_a_gate_lets_a_message_pass_only_while_the_breaker_is_closed(values: dict[str, Any], can_send: bool) -> None:
    gate = EnvironmentGate(**values)
    assert gate.can_send(NOW) is can_send
    assert gate.is_stopped is ("stopped_at" in values)
    assert gate.is_paused(NOW) is (values.get("hold_until", NOW) > NOW)
    assert gate.is_asked_to_wait(NOW) is (values.get("hold_asked_until", NOW) > NOW)
