"""What becomes of a submission of unknown fate: the directory is asked, and only its answer decides."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    EnvironmentGate,
    Evidence,
    Intent,
    Organization,
    Presence,
    State,
    Submission,
    User,
)
from organizations.practice import PracticeDirectory
from organizations.services import asking, environments, resolving, settling, workers
from organizations.services.actors import Actor
from organizations.services.faults import OutOfDate
from tests import factories
from tests.factories import BASE
from tests.services.sending import accepted, deliver, edit, fresh, sent


def unknown(practice: PracticeDirectory, user: User, behaviour: str, made: Organization | None = None) -> Submission:
    """A submission whose answer was lost."""
    submission = factories.submission(made or factories.organization(user=user), user=user)
    practice.behaviour = behaviour
    assert deliver()
    practice.behaviour = "answers"
    submission.refresh_from_db()
    assert submission.state == State.UNKNOWN
    return submission


def resolve(submission: Submission, actor: Actor) -> Submission:
    """One question, as if its time had come."""
    Submission.objects.filter(pk=submission.pk).update(not_before=timezone.now())
    assert resolving.resolve_next(submission.environment, actor=actor)
    submission.refresh_from_db()
    return submission


def a_while_ago(submission: Submission) -> None:
    Submission.objects.filter(pk=submission.pk).update(absent_at=timezone.now() - datetime.timedelta(minutes=5))


def writes(practice: PracticeDirectory) -> list[bytes]:
    return [body for body in sent(practice) if b'"EventType": "Query"' not in body]


def test_nothing_is_asked_before_the_settle_time_is_over(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor, "applies-then-504")
    Submission.objects.update(not_before=timezone.now() + datetime.timedelta(seconds=1))
    assert not resolving.resolve_next("staging", actor=worker)
    submission.refresh_from_db()
    assert (submission.state, submission.asks, len(sent(practice))) == (State.UNKNOWN, 0, 1)


def test_a_new_that_the_directory_shows_as_it_was_sent_is_accepted(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = resolve(unknown(practice, editor, "applies-then-504"), worker)

    made = fresh(submission.organization)
    assert (submission.state, made.standing, made.open_work) == (State.ACCEPTED, "active", "")
    assert submission.state_reason == "The directory shows what was sent."
    assert (submission.evidence, made.confirmed_evidence) == (Evidence.QUERY, Evidence.QUERY)
    assert made.seen_at == submission.evidence_at
    assert made.confirmed_record() == made.record()
    assert len(writes(practice)) == 1
    actions = list(AuditEntry.objects.of_submission(submission.pk).values_list("action", flat=True))
    assert actions[-3:] == [Action.SUBMISSION_ASKED, Action.ORGANIZATION_CONFIRMED, Action.SUBMISSION_SETTLED]
    assert actions.count(Action.ATTEMPT_OUTCOME) == 1


def test_an_answer_that_was_cut_short_is_no_evidence_that_the_oid_was_absent(
    practice: PracticeDirectory, editor: User, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of its three Queries found nothing, the third failed: a record that was there all the time proves nothing."""
    made = accepted(editor)
    factories.submission(made, user=editor, intent=Intent.DEACTIVATE)
    assert deliver()
    factories.submission(edit(fresh(made), editor, name="Lakeside North"), user=editor)
    practice.behaviour = "says-no-not-valid"
    assert deliver()
    edit(fresh(made), editor, name=made.name)
    practice.behaviour = "shows-active-only"
    reply = practice.reply

    def fails_at_the_third(request: Any, authorization: str) -> Any:
        if b'"Active": false' in request.body:
            practice.behaviour = "gateway-error"
        return reply(request, authorization)

    with monkeypatch.context() as third:
        third.setattr(practice, "reply", fails_at_the_third)
        asking.ask_about_record(fresh(made), actor=worker)
    submission = factories.submission(fresh(made), user=editor)
    assert (submission.event, fresh(made).seen_at) == ("New", None)
    assert deliver()
    practice.behaviour = "answers"
    submission.refresh_from_db()
    assert resolve(submission, worker).state == State.NEEDS_PERSON


def test_a_new_goes_out_once_more_only_after_two_answers_that_it_is_absent(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = resolve(unknown(practice, editor, "gateway-error"), worker)
    assert (submission.state, submission.absent_at is not None) == (State.UNKNOWN, True)

    Submission.objects.update(absent_at=timezone.now() + datetime.timedelta(seconds=5))
    submission = resolve(submission, worker)  # too soon after the first
    assert submission.state == State.UNKNOWN
    a_while_ago(submission)
    submission = resolve(submission, worker)

    assert (submission.state, submission.tries) == (State.QUEUED, 1)
    assert fresh(submission.organization).presence == Presence.ABSENT
    entry = AuditEntry.objects.of_submission(submission.pk).last()
    assert entry is not None
    assert (entry.action, entry.facts["details"]) == (Action.SUBMISSION_SETTLED, {"state": "queued"})
    assert deliver()
    submission.refresh_from_db()
    assert submission.state == State.ACCEPTED
    first, second = writes(practice)
    assert first == second == bytes(submission.message)
    assert len(practice.effects) == 1


def test_a_new_that_the_directory_shows_otherwise_needs_a_person(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor, "applies-then-breaks")
    there = practice.organizations("staging")[BASE]
    practice.register("staging", there | {"Name": "Somebody else's"})

    submission = resolve(submission, worker)

    assert (submission.state, submission.state_reason) == (State.NEEDS_PERSON, resolving.OTHER_VALUES)
    assert fresh(submission.organization).open_work == "needs_person"


def test_already_exists_after_an_own_unknown_is_asked_about_at_once(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor, "applies-then-breaks")
    Submission.objects.update(state=State.QUEUED, not_before=None)  # as after two answers that were not true yet
    assert deliver()
    submission.refresh_from_db()
    assert (submission.state, submission.known_answer) == (State.UNKNOWN, "already_exists")

    assert resolving.resolve_next("staging", actor=worker)  # without any settle time

    submission.refresh_from_db()
    assert submission.state == State.ACCEPTED
    assert len(practice.effects) == 1


def test_an_update_that_the_directory_shows_is_accepted_without_sending_it_again(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = edit(accepted(editor), editor, name="Lakeside North")
    submission = resolve(unknown(practice, editor, "applies-then-504", made), worker)
    assert (submission.state, fresh(made).changes) == (State.ACCEPTED, 0)
    assert len(writes(practice)) == 2


@pytest.mark.parametrize(
    ("behaviour", "values"),
    [
        ("gateway-error", {"name": "Lakeside North"}),
        ("applies-then-504", {"destination_id": "7f296bb4-83fd-498d-92f3-a76960648788"}),
    ],
    ids=["not shown", "a change that no query shows"],
)
def test_an_update_that_cannot_be_proved_goes_out_once_more_and_its_answer_decides(
    practice: PracticeDirectory, editor: User, worker: Actor, behaviour: str, values: dict[str, str]
) -> None:
    made = edit(accepted(editor), editor, **values)
    submission = resolve(unknown(practice, editor, behaviour, made), worker)
    assert submission.state == State.QUEUED

    assert deliver()

    submission.refresh_from_db()
    assert submission.state == State.ACCEPTED
    assert writes(practice)[-2:] == [bytes(submission.message)] * 2


def test_a_question_without_an_answer_is_asked_again_later_and_a_person_is_needed_after_a_day(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor, "applies-then-504")
    practice.behaviour = "gateway-error"
    before = timezone.now()
    submission = resolve(submission, worker)
    assert (submission.state, submission.asks) == (State.UNKNOWN, 1)
    assert submission.not_before is not None
    assert submission.not_before > before

    Submission.objects.update(unknown_since=timezone.now() - datetime.timedelta(hours=25))
    submission = resolve(submission, worker)
    assert (submission.state, submission.state_reason) == (State.NEEDS_PERSON, resolving.NO_ANSWER)


def test_tries_that_bring_no_clear_answer_end_with_a_person(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = edit(accepted(editor), editor, name="Lakeside North")
    submission = unknown(practice, editor, "gateway-error", made)
    Submission.objects.update(tries=settling.MOST_TRIES - 1)
    submission = resolve(submission, worker)
    assert submission.state == State.NEEDS_PERSON
    assert submission.state_reason == "8 tries brought no clear answer."


def test_two_workers_never_ask_about_one_submission_at_the_same_time(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor, "applies-then-504")
    Submission.objects.update(not_before=timezone.now())
    assert resolving._claim("staging", worker) is not None
    assert not resolving.resolve_next("staging", actor=worker)
    submission.refresh_from_db()
    assert (submission.state, submission.token) == (State.UNKNOWN, 2)


def test_an_answer_that_comes_after_the_lease_was_lost_decides_nothing(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor, "applies-then-504")
    Submission.objects.update(not_before=timezone.now())
    slow = resolving._claim("staging", worker)
    assert slow is not None
    Submission.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    submission = resolve(submission, worker)
    assert submission.state == State.ACCEPTED
    answer = asking.query("staging", BASE)
    with pytest.raises(OutOfDate):
        resolving._decide(slow, answer, worker)
    submission.refresh_from_db()
    assert submission.state == State.ACCEPTED


def test_the_age_of_an_unknown_goes_on_through_the_questions(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    submission = unknown(practice, editor, "gateway-error")
    since = submission.state_at
    assert resolve(submission, worker).state_at == since


def test_after_a_lost_attempt_the_record_is_read_once_more_and_a_difference_is_drift(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = edit(accepted(editor), editor, name="Lakeside North")
    submission = factories.submission(made, user=editor)
    Submission.objects.filter(pk=submission.pk).update(
        state=State.SENDING, attempt=1, token=1, sent_at=timezone.now(), lease_until=timezone.now()
    )
    submission.refresh_from_db()
    settling.lost(submission, actor=worker)
    submission = resolve(submission, worker)
    assert submission.state == State.QUEUED
    assert deliver()
    submission.refresh_from_db()
    assert (submission.state, submission.lost_attempt) == (State.ACCEPTED, True)
    assert submission.read_back_at is not None
    assert submission.ended_at is not None
    assert submission.read_back_at > submission.ended_at  # not before nothing can be under way any more
    Submission.objects.update(read_back_at=timezone.now() + datetime.timedelta(seconds=30))
    assert not resolving.read_back_next("staging", actor=worker)

    practice.register("staging", practice.organizations("staging")[BASE] | {"Name": "Changed by a late message"})
    Submission.objects.filter(pk=submission.pk).update(read_back_at=timezone.now())
    assert resolving.read_back_next("staging", actor=worker)

    after = Organization.objects.get()
    assert (after.differs, after.name) == (1, "Lakeside North")
    assert Submission.objects.get(pk=submission.pk).read_back_at is None
    assert not resolving.read_back_next("staging", actor=worker)


def test_what_was_seen_before_the_last_acceptance_is_no_drift(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = accepted(editor)
    assert made.last_submission is not None
    asking.ask_about(made.last_submission, actor=worker)
    factories.submission(edit(made, editor, name="Lakeside North"), user=editor)
    assert deliver()
    after = Organization.objects.get()
    assert after.seen != after.confirmed
    assert not after.differs


def test_five_failures_pause_the_environment_and_a_query_comes_before_the_next_write(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    for number in range(1, 7):
        factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
    practice.behaviour = "gateway-error"
    for _ in range(5):
        assert deliver()
    gate = EnvironmentGate.objects.get(pk="staging")
    assert (gate.failures, gate.probing, gate.hold_until is not None) == (5, True, True)
    assert not deliver()
    assert not environments.pass_gate("staging", actor=worker)

    EnvironmentGate.objects.update(hold_until=timezone.now())
    assert not environments.pass_gate("staging", actor=worker)  # the Query fails as well: paused for longer
    gate.refresh_from_db()
    assert (gate.failures, gate.probing) == (6, True)

    practice.behaviour = "answers"
    EnvironmentGate.objects.update(hold_until=timezone.now())
    Submission.objects.filter(state=State.UNKNOWN).update(not_before=timezone.now() + datetime.timedelta(hours=1))
    assert workers.one_round(worker)
    gate.refresh_from_db()
    assert (gate.failures, gate.probing) == (0, False)
    kinds = [b'"EventType": "Query"' in body for body in sent(practice)[-2:]]
    assert kinds == [True, False]


def test_a_change_that_a_query_cannot_tell_is_sent_again(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = accepted(editor)
    address = replace(made.record().address, zip_code="53704-1234")
    submission = unknown(practice, editor, "gateway-error", edit(made, editor, address=address))
    submission = resolve(submission, worker)
    assert (submission.state, submission.tries) == (State.QUEUED, 1)
    assert deliver()
    assert practice.organizations("staging")[BASE]["Address"]["ZIP"] == "53704-1234"


def test_a_success_in_other_words_is_accepted_by_answer_and_query_together(
    practice: PracticeDirectory, editor: User, worker: Actor
) -> None:
    made = accepted(editor)
    address = replace(made.record().address, zip_code="53704-1234")
    submission = unknown(practice, editor, "strange-yes", edit(made, editor, address=address))
    submission = resolve(submission, worker)
    assert (submission.state, submission.evidence) == (State.ACCEPTED, Evidence.BOTH)
    assert len(writes(practice)) == 2
