"""A Query resolves a message whose answer was lost. Only what the directory shows counts."""

import datetime
from dataclasses import replace

import pytest
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Evidence,
    Organization,
    Presence,
    State,
    Submission,
    User,
    clock,
)
from organizations.practice import PracticeDirectory
from organizations.redox.client import Exchange
from organizations.redox.outcome import OTHER_SUCCESS, Kind, Outcome
from organizations.services import workers
from organizations.services.actors import Actor
from organizations.services.connection.lookup import DirectoryAnswer, EarlierQuery
from organizations.services.delivery import resolve, settle
from organizations.services.errors import OutOfDate
from organizations.services.records import directory_state
from tests import factories
from tests.factories import BASE
from tests.services.sending import (
    accepted_before,
    actions_of,
    answer_next,
    claim,
    deliver,
    edit,
    probe_if_half_open,
    read_back_next,
    register_in_practice,
    reload,
    resolve_next,
    resolve_with_answer,
    send_and_lose_answer,
    sent_messages,
    sent_record,
    store_record_answer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def new(editor: User) -> Submission:
    """A New whose answer was lost."""
    return send_and_lose_answer(factories.organization(user=editor), editor)


@pytest.fixture
def changed(editor: User) -> Organization:
    """An accepted record with a change that is not sent yet."""
    return edit(factories.accepted_organization(user=editor), editor, name="Lakeside North")


def a_while_ago(submission: Submission) -> None:
    Submission.objects.filter(pk=submission.pk).update(absent_at=timezone.now() - datetime.timedelta(minutes=5))


def test_nothing_is_queried_before_the_settle_time_ends(
    unreachable_redox: None, new: Submission, worker: Actor
) -> None:
    assert new.not_before is not None
    assert new.not_before > clock.now()
    assert not resolve_next("staging", actor=worker)
    new.refresh_from_db()
    assert (new.state, new.asks) == (State.UNKNOWN, 0)


@pytest.mark.parametrize("is_connected", [True, False])
def test_nothing_is_queried_while_sending_is_stopped_or_without_a_credential(
    request: pytest.FixtureRequest, new: Submission, editor: User, worker: Actor, is_connected: bool
) -> None:
    if is_connected:
        request.getfixturevalue("unreachable_redox")
        EnvironmentGate.objects.update(stopped_at=timezone.now())
    organization = factories.accepted_organization(f"{BASE}.2", user=editor)
    Submission.objects.filter(organization=organization).update(read_back_at=timezone.now())
    Submission.objects.filter(pk=new.pk).update(not_before=timezone.now())
    assert not resolve_next("staging", actor=worker)
    assert not read_back_next("staging", actor=worker)
    assert not AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED).exists()


def test_a_new_that_the_directory_shows_as_it_was_sent_is_accepted(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    practice.behaviour = "applies-then-504"
    assert deliver()
    practice.behaviour = "answers"
    Submission.objects.update(not_before=timezone.now())

    assert resolve_next("staging", actor=worker)

    submission.refresh_from_db()
    organization = reload(submission.organization)
    assert (submission.state, organization.standing, organization.open_work) == (State.ACCEPTED, "active", "")
    assert submission.state_reason == "The directory shows what was sent."
    assert (submission.evidence, organization.confirmed_evidence) == (Evidence.QUERY, Evidence.QUERY)
    assert submission.decided_by == ""
    assert organization.seen_at == submission.evidence_at
    assert organization.confirmed_record() == organization.record()
    assert [b'"EventType": "Query"' in body for body in sent_messages(practice)] == [False, True]
    actions = actions_of(submission)
    assert actions[-3:] == [Action.SUBMISSION_ASKED, Action.ORGANIZATION_CONFIRMED, Action.SUBMISSION_SETTLED]
    assert actions.count(Action.ATTEMPT_OUTCOME) == 1


def test_an_answer_that_was_cut_off_is_not_evidence_that_the_oid_was_absent(editor: User) -> None:
    """Two of the three Queries found nothing and the third failed, so that absence is not proved."""
    organization = factories.accepted_organization(user=editor)
    directory_state.mark_absent(organization, clock.now())  # as Redox answers an Update
    exchange = Exchange(request_sha256="", sent=True, status=200)
    earlier = (EarlierQuery(exchange, None), EarlierQuery(exchange, True))
    store_record_answer(reload(organization), None, cause="HTTP 502", earlier=earlier)
    submission = send_and_lose_answer(reload(organization), editor)
    assert (submission.event, reload(organization).seen_at) == ("New", None)
    assert resolve_with_answer(submission, sent_record(submission)).state == State.NEEDS_PERSON


def test_a_new_is_sent_again_only_after_two_answers_that_the_oid_is_absent(new: Submission) -> None:
    submission = resolve_with_answer(new, None)
    assert submission.state == State.UNKNOWN
    assert submission.absent_at is not None
    assert submission.not_before is not None
    assert submission.not_before - submission.absent_at >= datetime.timedelta(seconds=30)

    Submission.objects.update(absent_at=timezone.now() + datetime.timedelta(seconds=5))
    submission = resolve_with_answer(submission, None)  # too soon after the first
    assert submission.state == State.UNKNOWN
    a_while_ago(submission)
    submission = resolve_with_answer(submission, None)

    assert (submission.state, submission.counted_attempts) == (State.QUEUED, 1)
    assert reload(submission.organization).presence == Presence.ABSENT
    entry = AuditEntry.objects.of_submission(submission.pk).last()
    assert entry is not None
    assert (entry.action, entry.facts["details"]) == (Action.SUBMISSION_SETTLED, {"state": "queued"})
    again = claim()
    assert again is not None
    assert (again.pk, again.attempt, bytes(again.message)) == (new.pk, 2, bytes(new.message))


def test_a_new_that_the_directory_shows_with_other_values_needs_a_decision(new: Submission) -> None:
    submission = resolve_with_answer(new, replace(sent_record(new), name="Somebody else's"))
    assert (submission.state, submission.state_reason) == (State.NEEDS_PERSON, resolve.OTHER_VALUES_REASON)
    assert reload(submission.organization).open_work == "needs_person"


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_new_that_exists_already_and_is_not_shown_as_sent_needs_a_decision(new: Submission, is_shown: bool) -> None:
    factories.change_submissions(state=State.QUEUED, not_before=None)
    answer_next(Kind.UNKNOWN, known="already_exists")
    new.refresh_from_db()
    a_while_ago(new)
    submission = resolve_with_answer(new, replace(sent_record(new), name="Somebody else's") if is_shown else None)
    assert (submission.state, submission.state_reason) == (State.NEEDS_PERSON, resolve.ALREADY_THERE_REASON)


def test_an_update_that_the_directory_shows_is_accepted_without_sending_it_again(
    changed: Organization, editor: User
) -> None:
    submission = send_and_lose_answer(changed, editor)
    resolve_with_answer(submission, sent_record(submission))
    assert (submission.state, submission.attempt, reload(changed).changes) == (State.ACCEPTED, 1, 0)
    assert claim() is None


@pytest.mark.parametrize("change", ["name", "destination_id", "zip_code"])
def test_an_update_that_cannot_be_proved_is_sent_again(editor: User, change: str) -> None:
    """The change is not shown, or a Query cannot show it or distinguish it from the former value."""
    organization = factories.accepted_organization(user=editor)
    values = {
        "name": "Lakeside North",
        "destination_id": "7f296bb4-83fd-498d-92f3-a76960648788",
        "address": replace(organization.record().address, zip_code="53704-1234"),
    }
    field = "address" if change == "zip_code" else change
    submission = send_and_lose_answer(edit(organization, editor, **{field: values[field]}), editor)
    Submission.objects.update(counted_attempts=settle.MOST_COUNTED_ATTEMPTS - 2)
    resolve_with_answer(submission, accepted_before(submission) if change == "name" else sent_record(submission))
    assert (submission.state, submission.counted_attempts) == (State.QUEUED, settle.MOST_COUNTED_ATTEMPTS - 1)
    again = claim()
    assert again is not None
    assert (again.attempt, bytes(again.message)) == (2, bytes(submission.message))


def test_an_unanswered_query_is_repeated_and_a_person_must_decide_after_a_day(new: Submission) -> None:
    moment, since = clock.now(), new.state_at
    submission = resolve_with_answer(new, None, cause="HTTP 502")
    assert (submission.state, submission.asks) == (State.UNKNOWN, 1)
    assert submission.not_before is not None
    assert submission.not_before - moment >= datetime.timedelta(seconds=resolve.FIRST_WAIT_SECONDS)
    assert submission.state_at == since  # its age grows during the Queries

    Submission.objects.update(unknown_since=timezone.now() - datetime.timedelta(hours=24, minutes=1))
    submission = resolve_with_answer(submission, None, cause="HTTP 502")
    assert (submission.state, submission.state_reason) == (State.NEEDS_PERSON, resolve.NO_ANSWER_REASON)
    assert submission.asks == 2


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"counted_attempts": settle.MOST_COUNTED_ATTEMPTS - 1}, "8 tries got no clear answer."),
        ({"is_restored": True}, resolve.RESTORED_REASON),
    ],
    ids=["tried often", "after a restore"],
)
def test_a_message_that_cannot_be_proved_is_not_always_sent_again(
    changed: Organization, editor: User, values: dict[str, object], reason: str
) -> None:
    submission = send_and_lose_answer(changed, editor)
    Submission.objects.update(**values)
    resolve_with_answer(submission, accepted_before(submission))
    assert (submission.state, submission.state_reason) == (State.NEEDS_PERSON, reason)


def test_the_answer_to_a_query_counts_for_the_circuit_breaker(new: Submission, worker: Actor) -> None:
    Submission.objects.update(not_before=timezone.now())
    submission = resolve._claim_next("staging", worker)
    assert submission is not None
    busy = Outcome(kind=Kind.NOT_EXECUTED, hold_seconds=60.0, status=429)
    resolve._apply_answer(submission, DirectoryAnswer(clock.now(), "HTTP 429", outcome=busy), worker)
    assert EnvironmentGate.objects.get(pk="staging").is_asked_to_wait(clock.now())


def test_two_workers_never_query_one_submission_at_the_same_time(new: Submission, worker: Actor) -> None:
    Submission.objects.update(not_before=timezone.now())
    assert resolve._claim_next("staging", worker) is not None
    assert resolve._claim_next("staging", worker) is None
    new.refresh_from_db()
    assert (new.state, new.token) == (State.UNKNOWN, 2)


def test_an_answer_after_the_lease_was_lost_changes_nothing(new: Submission, worker: Actor) -> None:
    Submission.objects.update(not_before=timezone.now())
    slow = resolve._claim_next("staging", worker)
    assert slow is not None
    Submission.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    assert resolve_with_answer(new, sent_record(new)).state == State.ACCEPTED
    with pytest.raises(OutOfDate):
        resolve._apply_answer(slow, DirectoryAnswer(clock.now()), worker)
    new.refresh_from_db()
    assert new.state == State.ACCEPTED


def test_after_a_lost_attempt_a_query_reads_the_record_and_a_difference_is_drift(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    organization = register_in_practice(
        practice, factories.accepted_organization(user=editor), Name="Changed by a late message"
    )
    submission = factories.submission(edit(organization, editor, name="Lakeside North"), user=editor)
    sending = claim()
    assert sending is not None
    settle.settle_lost_attempt(sending, actor=worker)
    assert resolve_with_answer(submission, accepted_before(submission)).state == State.QUEUED
    answer_next()
    submission.refresh_from_db()
    assert (submission.state, submission.lost_attempt) == (State.ACCEPTED, True)
    assert submission.read_back_at is not None
    assert submission.ended_at is not None
    assert submission.read_back_at > submission.ended_at  # only when no attempt can still arrive
    Submission.objects.update(read_back_at=timezone.now() + datetime.timedelta(seconds=30))
    assert not read_back_next("staging", actor=worker)

    Submission.objects.filter(pk=submission.pk).update(read_back_at=timezone.now())
    assert read_back_next("staging", actor=worker)

    organization_after = Organization.objects.get()
    assert (organization_after.differs, organization_after.name) == (1, "Lakeside North")
    assert Submission.objects.get(pk=submission.pk).read_back_at is None
    assert not read_back_next("staging", actor=worker)


def test_a_read_back_without_an_answer_is_repeated(practice: PracticeDirectory, editor: User, worker: Actor) -> None:
    organization = register_in_practice(
        practice, factories.accepted_organization(user=editor), Name="Changed by a late message"
    )
    other = factories.accepted_organization(f"{BASE}.2", user=editor)
    until = clock.now() + datetime.timedelta(hours=1)
    Submission.objects.filter(organization=other).update(read_back_at=until)
    due = Submission.objects.filter(organization=organization)
    due.update(read_back_at=clock.now())
    practice.behaviour = "gateway-error"
    assert read_back_next("staging", actor=worker)
    later = due.get().read_back_at
    assert later is not None
    assert later > clock.now()
    assert EnvironmentGate.objects.get(pk="staging").failures == 1

    practice.behaviour = "answers"
    due.update(read_back_at=clock.now())
    assert read_back_next("staging", actor=worker)
    assert (due.get().read_back_at, reload(organization).differs) == (None, 1)
    assert Submission.objects.get(organization=other).read_back_at == until
    entry = AuditEntry.objects.filter(action=Action.SUBMISSION_ASKED).latest("sequence")
    assert (
        entry.facts["details"]["reads_back"] is True
    )  # so that this reading does not count as the proof of the message


def test_five_failures_pause_the_environment_and_a_query_comes_before_the_next_write(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    EnvironmentGate.objects.filter(pk="staging").update(failures=4)
    for number in (1, 2):
        factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
    practice.behaviour = "gateway-error"
    assert deliver()
    gate = EnvironmentGate.objects.get(pk="staging")
    assert (gate.failures, gate.probing, gate.hold_until is not None) == (5, True, True)
    EnvironmentGate.objects.update(
        hold_until=timezone.now() + datetime.timedelta(hours=1)
    )  # long enough for a busy machine
    assert not deliver()
    assert not probe_if_half_open("staging", actor=worker)

    EnvironmentGate.objects.update(hold_until=timezone.now())
    assert not probe_if_half_open("staging", actor=worker)  # the Query fails as well: paused for longer
    gate.refresh_from_db()
    assert (gate.failures, gate.probing) == (6, True)

    practice.behaviour = "answers"
    EnvironmentGate.objects.update(hold_until=timezone.now())
    Submission.objects.filter(state=State.UNKNOWN).update(not_before=timezone.now() + datetime.timedelta(hours=1))
    assert workers.run_once(worker)
    gate.refresh_from_db()
    assert (gate.failures, gate.probing) == (0, False)
    kinds = [b'"EventType": "Query"' in body for body in sent_messages(practice)[-2:]]
    assert kinds == [True, False]


@pytest.mark.parametrize(
    ("is_shown", "state", "evidence"), [(True, State.ACCEPTED, Evidence.BOTH), (False, State.QUEUED, Evidence.NONE)]
)
def test_an_undocumented_success_is_accepted_only_together_with_a_query(
    editor: User, is_shown: bool, state: State, evidence: Evidence
) -> None:
    """Neither the answer nor this Query proves anything alone. If the Query shows another name, it is sent again."""
    organization = factories.accepted_organization(user=editor)
    address = replace(organization.record().address, zip_code="53704-1234")
    submission = send_and_lose_answer(edit(organization, editor, address=address), editor, warning=OTHER_SUCCESS)
    sent = sent_record(submission)
    resolve_with_answer(submission, sent if is_shown else replace(sent, name="Another"))
    assert (submission.state, submission.evidence, submission.attempt) == (state, evidence, 1)
