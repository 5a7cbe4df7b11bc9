"""Two actions that lock the same rows never end in a deadlock."""

from dataclasses import replace
from functools import partial

import pytest

from organizations.models import Environment, Intent, Plan, PlanKind, PlanState, State, Submission, User
from organizations.services.errors import OutOfDate
from organizations.services.outbox import plans, submissions
from organizations.services.records import organizations
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import as_actor
from tests.races.racing import Rounds, refusals
from tests.races.world import check, fresh, oid, registered, reject, reviewed, state_of
from tests.services.sending import claim

pytestmark = pytest.mark.django_db(transaction=True)


def deactivated_together(user: User) -> tuple[Plan, Submission, Submission]:
    """A plan that deactivates a child, and then its parent, which waits for the child."""
    parent = registered(1, user)
    child = registered(2, user, below=parent)
    plan = factories.plan([parent, child], user=user, kind=PlanKind.DEACTIVATE)
    below, above = plan.submissions.order_by("pk")
    assert list(above.waits_for.all()) == [below]
    return plan, below, above


def test_a_plan_is_stopped_while_a_child_of_it_is_rejected(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        plan, below, above = deactivated_together(user)
        sending = claim()
        assert sending == below
        results = rounds.race(partial(reject, sending), partial(plans.stop_plan, plan.pk, actor=as_actor(user)))
        check()
        assert (state_of(below), state_of(above)) == (State.REJECTED, State.CANCELLED)
        assert fresh(above.organization).active
        assert refusals(results) in ([], [f"Plan {plan.pk} is stopped or finished already. Nothing was changed."])


def test_a_plan_is_paused_while_its_third_equal_rejection_arrives(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        records = [factories.organization(oid(number), user=user) for number in range(1, 6)]
        plan = factories.plan(records, user=user)
        sending = [claim() for _ in range(3)]
        for each in sending[:2]:
            assert each is not None
            reject(each)
        assert sending[2] is not None
        results = rounds.race(partial(reject, sending[2]), partial(plans.stop_plan, plan.pk, actor=as_actor(user)))
        check()
        assert refusals(results) == []
        plan.refresh_from_db()
        assert plan.state == PlanState.STOPPED


def test_a_plan_is_created_while_its_record_is_rejected_and_the_follower_cancelled(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        # The record that waits is the older one, so that it is locked first.
        waiting = factories.organization(oid(1), user=user, part_of_oid=oid(2))
        parent, other = (factories.organization(oid(number), user=user) for number in (2, 3))
        for each in (parent, waiting):
            factories.submission(each, user=user)
        sending = claim()
        assert sending is not None
        chosen = ChosenRecords(Environment.STAGING, PlanKind.SEND, (waiting.pk, parent.pk, other.pk))
        drawn = plan_draft.draft_plan(chosen, actor=as_actor(user))
        ticked = frozenset(question.key for question in drawn.questions)
        make = partial(plans.make_plan, chosen, sha256=drawn.sha256, ticked=ticked, actor=as_actor(user))
        results = rounds.race(partial(reject, sending), make)
        check()
        # The records rejected and cancelled in between need another plan than the reviewed one.
        assert results[1].refusal is None or isinstance(results[1].refusal, OutOfDate)


def test_the_submissions_of_a_child_and_its_parent_are_cancelled(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        _, below, above = deactivated_together(user)
        results = rounds.race(
            partial(submissions.cancel_submission, below.pk, actor=as_actor(user)),
            partial(submissions.cancel_submission, above.pk, actor=as_actor(user)),
        )
        check()
        assert (state_of(below), state_of(above)) == (State.CANCELLED, State.CANCELLED)
        assert fresh(below.organization).active
        assert fresh(above.organization).active
        assert refusals(results) in ([], [f"Submission {above.pk} was cancelled already."])


def test_one_submission_is_cancelled_twice(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        submission = factories.submission(factories.organization(oid(1), user=user), user=user)
        cancel = partial(submissions.cancel_submission, submission.pk, actor=as_actor(user))
        results = rounds.race(cancel, cancel)
        check()
        assert refusals(results) == [f"Submission {submission.pk} was cancelled already."]


def test_a_submission_is_claimed_while_its_record_is_edited(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        organization = factories.organization(oid(1), user=user)
        submission = factories.submission(organization, user=user)
        record = replace(organization.record(), name="Edited")
        edit = partial(
            organizations.edit, organization.pk, organization.version, record, stands_for="", actor=as_actor(user)
        )
        results = rounds.race(claim, edit)
        check()
        assert refusals(results) == []
        assert fresh(organization).name == "Edited"
        submission.refresh_from_db()
        assert (submission.state, submission.attempt) in ((State.SENDING, 1), (State.QUEUED, 0))
        assert submission.state == State.SENDING or claim() == submission


def test_a_submission_is_claimed_while_it_is_cancelled(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        submission = factories.submission(factories.organization(oid(1), user=user), user=user)
        results = rounds.race(claim, partial(submissions.cancel_submission, submission.pk, actor=as_actor(user)))
        check()
        assert bool(results[0].value) == results[1].is_refused
        assert state_of(submission) == (State.SENDING if results[0].value else State.CANCELLED)


def test_a_childs_new_is_claimed_while_its_parent_is_to_be_deactivated(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        parent = registered(1, user)
        child = factories.organization(oid(2), user=user, part_of_oid=parent.oid)
        deactivate = reviewed(parent, user, Intent.DEACTIVATE)
        submission = factories.submission(child, user=user)
        results = rounds.race(claim, deactivate)
        check()
        assert [each[:15] for each in refusals(results)] == ["1 active record"]
        assert state_of(submission) == State.SENDING


def test_a_parents_deactivation_is_claimed_while_a_child_is_to_be_sent(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        parent = registered(1, user)
        child = factories.organization(oid(2), user=user, part_of_oid=parent.oid)
        press = reviewed(child, user)
        ending = factories.submission(parent, user=user, intent=Intent.DEACTIVATE)
        results = rounds.race(claim, press)
        check()
        (sentence,) = refusals(results)
        assert sentence.startswith(f"Submission {ending.pk} of {parent.name} ")
        # Submitting a child locks the record of its parent for a moment, and a claim skips locked rows.
        assert results[0].value or claim()
        assert state_of(ending) == State.SENDING
