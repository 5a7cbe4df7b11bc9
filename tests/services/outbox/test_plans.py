"""Plans: the order of their records, and the pause before one error is repeated many times."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from organizations.models import (
    Action,
    AuditEntry,
    Environment,
    Organization,
    Plan,
    PlanKind,
    PlanState,
    Presence,
    State,
    Submission,
    User,
    clock,
)
from organizations.redox.outcome import Kind
from organizations.services.actors import Actor
from organizations.services.errors import ActionRefused, NumberMissing, OutOfDate, PlanMade, ReasonMissing, WarningsOpen
from organizations.services.outbox import plans
from organizations.services.review import plan_draft
from organizations.services.review.blockers import BlockerKind
from organizations.services.review.plan_draft import ChosenRecords, PlanDraft
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.outbox.planning import (
    accepted_tree,
    answer_all,
    drawn,
    fresh_plan,
    oids,
    planned,
    states,
    tree_of,
    waits,
)
from tests.services.sending import answer_next, claim, edit, keep_back, reload

pytestmark = pytest.mark.django_db

STAGING = Environment.STAGING
SEND, DEACTIVATE = PlanKind.SEND, PlanKind.DEACTIVATE


@pytest.mark.one_database
class TestDraft:
    def test_parents_come_before_their_children_whatever_was_chosen_first(self, editor: User) -> None:
        records = tree_of(editor, "1", "1.1", "2")
        for order in (records, records[::-1], [records[2], records[0], records[3], records[1]]):
            assert oids(drawn(order, editor).reviews) == ["", ".1", ".1.1", ".2"]
        assert set(plan_draft.choose_branch(records[0], SEND).ids) == {each.pk for each in records}

    @pytest.mark.parametrize(
        ("make", "kind", "order"),
        [
            (factories.organization, SEND, [".9", ".5", ".1"]),
            (factories.accepted_organization, DEACTIVATE, [".1", ".5", ".9"]),
        ],
    )
    def test_neither_the_oid_nor_the_age_of_a_record_decides_the_order(
        self, editor: User, make: Any, kind: PlanKind, order: list[str]
    ) -> None:
        below = make(f"{BASE}.1", user=editor, part_of_oid=f"{BASE}.5")
        middle = make(f"{BASE}.5", user=editor, part_of_oid=f"{BASE}.9")
        top = make(f"{BASE}.9", user=editor)
        assert oids(drawn([below, middle, top], editor, kind).reviews) == order

    def test_a_moved_record_is_sent_after_its_new_parent(self, editor: User) -> None:
        accepted_parent = factories.accepted_organization(f"{BASE}.1", user=editor)
        moved = factories.accepted_organization(f"{BASE}.2", user=editor, part_of_oid=accepted_parent.oid)
        new_parent = factories.organization(f"{BASE}.9", user=editor)
        edit(accepted_parent, editor, name="Lakeside North")
        edit(moved, editor, part_of_oid=new_parent.oid)
        assert oids(drawn([accepted_parent, moved, new_parent], editor).reviews) == [".1", ".9", ".2"]

    def test_a_child_is_sent_only_with_its_parent(self, editor: User) -> None:
        top, child = tree_of(editor, "1")
        draft = drawn([child], editor)
        (skipped,) = draft.left_out
        assert (draft.size, skipped.organization, skipped.why) == (0, child, f"Send {top.name} first.")
        assert [(each.kind, each.organization) for each in skipped.blockers] == [(BlockerKind.PARENT_NEVER_SENT, top)]
        assert oids(drawn([top, child], editor).reviews) == ["", ".1"]

    def test_a_record_that_waits_for_a_skipped_one_is_skipped_too(self, editor: User) -> None:
        records = tree_of(editor, "1", "1.1", "2")
        Organization.objects.filter(pk=records[1].pk).update(destination_known=False)
        draft = drawn(records, editor)
        assert oids(draft.reviews) == ["", ".2"]
        assert [each.why for each in draft.left_out][1] == f"Send {records[1].name} first."

    def test_a_record_without_differences_is_skipped(self, editor: User) -> None:
        top = factories.accepted_organization(user=editor)
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        draft = drawn([top, child], editor)
        assert oids(draft.reviews) == [".1"]
        assert [(each.organization, each.why) for each in draft.left_out] == [(top, plan_draft.NOTHING_DIFFERS)]
        assert draft.active_records == 1
        edit(top, editor, name="Lakeside Clinics")
        draft = drawn([top, child], editor)
        assert (draft.size, draft.new_count, draft.update_count, draft.deactivation_count) == (2, 1, 1, 0)
        assert draft.left_out == ()

    def test_a_record_that_is_absent_again_is_sent_without_an_edit(self, editor: User) -> None:
        organization = factories.accepted_organization(user=editor)
        Organization.objects.update(presence=Presence.ABSENT)
        draft = drawn([organization], editor)
        assert (draft.new_count, draft.left_out, reload(organization).changes) == (1, (), 0)

    def test_children_are_deactivated_before_their_parent(self, editor: User) -> None:
        records = accepted_tree(editor, "1", "1.1", "2")
        draft = drawn(records, editor, DEACTIVATE)
        assert oids(draft.reviews) == [".2", ".1.1", ".1", ""]
        assert (draft.deactivation_count, draft.update_count) == (4, 0)
        assert set(plan_draft.choose_branch(records[0], DEACTIVATE).ids) == {each.pk for each in records}
        # One that stays active keeps its parent.
        draft = drawn(records[:3], editor, DEACTIVATE)
        assert oids(draft.reviews) == [".1.1", ".1"]
        assert [[each.kind for each in skipped.blockers] for skipped in draft.left_out] == [
            [BlockerKind.ACTIVE_CHILDREN]
        ]

    def test_a_branch_larger_than_a_plan_is_refused(self, editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
        records = tree_of(editor, "1", "2")
        monkeypatch.setattr(plan_draft, "MOST_RECORDS", 3)
        assert drawn(records, editor).size == 3
        monkeypatch.setattr(plan_draft, "MOST_RECORDS", 2)
        with pytest.raises(ActionRefused, match=r"A plan can have at most 2 records\. You chose 3"):
            drawn(records, editor)

    def test_a_record_of_the_other_environment_is_ignored(self, editor: User) -> None:
        elsewhere = factories.organization(user=editor, environment="production")
        assert plan_draft.draft_plan(ChosenRecords(STAGING, SEND, (elsewhere.pk,)), actor=as_actor(editor)).size == 0


class TestMakePlan:
    def test_it_stores_the_reviewed_submissions_in_order_with_their_followers(self, editor: User) -> None:
        records = tree_of(editor, "1", "1.1")
        draft = drawn(records, editor)
        plan = planned(records, editor)
        stored_submissions = list(plan.submissions.order_by("pk"))
        assert [bytes(each.message) for each in stored_submissions] == [review.message for review in draft.reviews]
        assert {(each.state, each.reason, each.submitter) for each in stored_submissions} == {
            (State.QUEUED, "ticket 7", editor)
        }
        assert waits(plan) == {"": set(), ".1": {""}, ".1.1": {".1"}}
        entry = AuditEntry.objects.get(action=Action.PLAN_MADE)
        assert entry.facts["details"]["submissions"] == [each.pk for each in stored_submissions]
        assert AuditEntry.objects.filter(action=Action.SUBMISSION_MADE).count() == 3

    @pytest.mark.one_database
    def test_a_child_waits_for_the_new_of_its_parent_that_was_sent_before_the_plan(self, editor: User) -> None:
        top, *below = tree_of(editor, "1", "1.1")
        factories.submission(top, user=editor)
        assert waits(planned(below, editor)) == {".1": {""}, ".1.1": {".1"}}
        assert answer_all() == ["", ".1", ".1.1"]

    def test_deactivations_wait_for_those_of_the_children(self, editor: User) -> None:
        records = accepted_tree(editor, "1", "1.1", "2")
        plan = planned(records, editor, DEACTIVATE)
        assert waits(plan) == {".2": set(), ".1.1": set(), ".1": {".1.1"}, "": {".1", ".2"}}
        assert answer_all() == [".2", ".1.1", ".1", ""]
        assert set(states(plan)) == {State.ACCEPTED}

    @pytest.mark.one_database
    @pytest.mark.parametrize("field", ["part_of_oid", "confirmed_part_of_oid"])
    def test_a_deactivation_waits_for_each_record_that_may_be_below(self, editor: User, field: str) -> None:
        parent, child = (factories.accepted_organization(f"{BASE}.{number}", user=editor) for number in (9, 1))
        Organization.objects.filter(pk=child.pk).update(**{field: parent.oid})
        assert waits(planned([parent, child], editor, DEACTIVATE)) == {".1": set(), ".9": {".1"}}

    @pytest.mark.one_database
    def test_a_record_does_not_wait_for_an_update_of_its_parent(self, editor: User) -> None:
        top = edit(factories.accepted_organization(user=editor), editor, name="Lakeside Clinics")
        child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
        assert waits(planned([top, child], editor)) == {"": set(), ".1": set()}

    @pytest.mark.one_database
    def test_only_a_person_makes_a_plan(self, editor: User, worker: Actor) -> None:
        with pytest.raises(ActionRefused, match="Only a person can send"):
            planned(tree_of(editor), editor, actor=worker)

    def test_new_records_are_sent_in_the_order_of_their_tree(self, editor: User) -> None:
        records = tree_of(editor, "1", "1.1", "2")
        plan = planned(records[::-1], editor)
        assert answer_all() == ["", ".1", ".1.1", ".2"]
        factories.submission(factories.organization(f"{BASE}.3", user=editor), user=editor)
        assert not plans.is_open(plan)

    @pytest.mark.one_database
    def test_a_plan_from_an_outdated_page_is_refused_and_stores_nothing(self, editor: User) -> None:
        records = tree_of(editor, "1", "2")
        sha256 = drawn(records, editor).sha256
        edit(records[1], editor, name="Other")
        with pytest.raises(OutOfDate, match="Nothing was sent"):
            planned(records, editor, sha256=sha256)
        assert not Submission.objects.exists()
        assert not Plan.objects.exists()

    def test_a_second_click_finds_the_first_submission(self, editor: User) -> None:
        records = tree_of(editor, "1")
        sha256 = drawn(records, editor).sha256
        plan = planned(records, editor)
        with pytest.raises(PlanMade) as refusal:
            planned(records, editor, sha256=sha256)
        assert refusal.value.plan == plan
        assert Submission.objects.count() == 2

    @pytest.mark.one_database
    @pytest.mark.parametrize("ended", [State.REJECTED, State.CANCELLED])
    def test_after_a_rejection_or_a_cancel_the_same_records_are_a_new_plan(self, editor: User, ended: State) -> None:
        records = tree_of(editor)
        first = planned(records, editor)
        if ended == State.REJECTED:
            answer_all(Kind.REJECTED)
        else:
            plans.stop_plan(first.pk, actor=as_actor(editor))
        second = planned(records, editor)
        assert (states(first), states(second)) == ([ended], [State.QUEUED])
        first_submission, again = first.submissions.get(), second.submissions.get()
        assert bytes(first_submission.message) == bytes(again.message)

    @pytest.mark.one_database
    def test_a_warning_is_ticked_once_for_all_records_with_it(self, editor: User) -> None:
        records = tree_of(editor, "2", "3", contacts=())
        (question,) = drawn(records, editor).questions
        assert [each.oid for each in question.records] == [each.oid for each in records]
        with pytest.raises(WarningsOpen) as refusal:
            planned(records, editor, ticked=frozenset())
        assert refusal.value.keys == (question.key,)
        plan = planned(records, editor)
        assert {each.warnings[0]["key"] for each in plan.submissions.all()} == {"contact"}

    @pytest.mark.one_database
    def test_a_deactivation_and_production_need_a_reason(self, editor: User) -> None:
        organization = factories.accepted_organization(user=editor)
        with pytest.raises(ReasonMissing):
            planned([organization], editor, DEACTIVATE, reason=" ")
        in_production = factories.organization(user=editor, environment="production")
        with pytest.raises(ReasonMissing):
            planned([in_production], editor, reason="")
        plan = planned([factories.organization(f"{BASE}.1", user=editor)], editor, reason="", typed="")
        assert plan.reason == ""

    @pytest.mark.one_database
    def test_many_records_are_sent_only_after_their_number_is_typed(
        self, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        records = tree_of(editor, "1", "2")
        monkeypatch.setattr(plan_draft, "MANY_RECORDS", 2)
        with pytest.raises(NumberMissing, match=r"Type the number of records: 3\."):
            planned(records, editor, typed="2")
        assert planned(records, editor, typed=" 3 ").submissions.count() == 3

    @pytest.mark.one_database
    def test_no_plan_is_made_without_a_record_that_can_be_sent(self, editor: User) -> None:
        _, child = tree_of(editor, "1")
        with pytest.raises(ActionRefused, match="None of these records can be sent"):
            planned([child], editor)

    def test_moves_that_would_form_a_circle_while_they_are_sent_are_refused(self, editor: User) -> None:
        # Accepted: the third lies below the first. Wanted: first below second, second below third, third at the top.
        top, first, second, third = accepted_tree(editor, "1", "2", "1.1")
        edit(third, editor, part_of_oid=top.oid)
        edit(second, editor, part_of_oid=third.oid)
        edit(first, editor, part_of_oid=second.oid)
        with pytest.raises(ActionRefused, match="would be part of itself"):
            planned([first, second], editor)
        assert not Submission.objects.open().exists()


# The number of records, the number of active records, and the number to type (0: none).
TO_TYPE = [
    (SEND, 20, 0, 0),
    (SEND, 21, 0, 21),
    (DEACTIVATE, 1, 100, 0),
    (DEACTIVATE, 5, 100, 0),
    (DEACTIVATE, 6, 100, 6),
    (DEACTIVATE, 3, 10, 0),
    (DEACTIVATE, 4, 10, 4),
    (DEACTIVATE, 4, 13, 4),
    (DEACTIVATE, 4, 9, 0),
]


@pytest.mark.one_database
def test_the_number_is_typed_for_many_records_or_a_large_part_of_all(editor: User) -> None:
    (review,) = drawn([factories.organization(user=editor)], editor).reviews
    for kind, size, active, typed in TO_TYPE:
        review.organization.confirmed_active = kind == DEACTIVATE
        draft = PlanDraft(environment=STAGING, kind=kind, reviews=(review,) * size, left_out=(), active_records=active)
        assert draft.number_to_type == typed, (kind, size, active)
        in_production = replace(draft, environment=Environment.PRODUCTION)
        assert in_production.number_to_type == (typed if kind == SEND else size)


@pytest.mark.one_database
def test_only_a_deactivation_depends_on_the_skipped_records(editor: User) -> None:
    left_out = (plan_draft.LeftOut(factories.organization(user=editor), "Not now."),)
    for kind in (SEND, DEACTIVATE):
        alone = PlanDraft(environment=STAGING, kind=kind, reviews=(), left_out=(), active_records=1)
        assert (replace(alone, left_out=left_out).sha256 == alone.sha256) is (kind == SEND)


class TestPauseAndStop:
    def test_a_paused_plan_sends_nothing_until_it_is_resumed(self, editor: User) -> None:
        plan = planned(tree_of(editor, "1"), editor)
        plans.pause_plan(plan.pk, actor=as_actor(editor))
        assert claim() is None
        # A new process reads the state from the database. No process keeps it in memory.
        assert fresh_plan(plan).state == PlanState.PAUSED
        plans.resume_plan(plan.pk, actor=as_actor(editor))
        assert len(answer_all()) == 2
        logged_actions = AuditEntry.objects.filter(action__startswith="plan.").values_list("action", flat=True)
        assert list(logged_actions.order_by("sequence")) == [Action.PLAN_MADE, Action.PLAN_PAUSED, Action.PLAN_RESUMED]
        for act in (plans.pause_plan, plans.resume_plan, plans.stop_plan):  # the plan has ended
            with pytest.raises(ActionRefused, match="Nothing was changed"):
                act(plan.pk, actor=as_actor(editor))

    def test_a_stop_cancels_submissions_without_an_attempt_with_its_reason(self, editor: User) -> None:
        plan = planned(tree_of(editor, "1", "1.1", "2"), editor)
        answer_next()
        plans.stop_plan(plan.pk, actor=as_actor(editor))
        assert states(plan) == [State.ACCEPTED, State.CANCELLED, State.CANCELLED, State.CANCELLED]
        reasons = set(plan.submissions.filter(state=State.CANCELLED).values_list("state_reason", flat=True))
        assert reasons == {f"Plan {plan.pk} was stopped."}
        assert AuditEntry.objects.get(action=Action.PLAN_STOPPED).facts["details"] == {"cancelled": 3}

    @pytest.mark.one_database
    def test_a_stop_is_not_the_reason_for_a_cancel_outside_the_plan(self, editor: User) -> None:
        top, child = tree_of(editor, "1")
        plan = planned([top], editor)
        outside = factories.submission(child, user=editor)
        plans.stop_plan(plan.pk, actor=as_actor(editor))
        outside.refresh_from_db()
        assert outside.state == State.CANCELLED
        first = plan.submissions.get()
        assert outside.state_reason == f"Submission {first.pk}, which this one waited for, was cancelled."
        assert AuditEntry.objects.get(action=Action.PLAN_STOPPED).facts["details"] == {"cancelled": 1}

    @pytest.mark.one_database
    def test_a_stopped_deactivation_restores_the_saved_active(self, editor: User) -> None:
        records = accepted_tree(editor, "1")
        plan = planned(records, editor, DEACTIVATE)
        assert not reload(records[0]).active
        plans.stop_plan(plan.pk, actor=as_actor(editor))
        assert reload(records[0]).active
        assert reload(records[1]).active

    @pytest.mark.one_database
    @pytest.mark.parametrize("kind", [Kind.ACCEPTED, Kind.UNKNOWN])
    def test_an_attempted_submission_continues_after_a_stop(self, editor: User, kind: Kind) -> None:
        plan = planned(tree_of(editor), editor)
        Submission.objects.update(attempt=1, counted_attempts=1, may_have_been_sent=True)
        plans.stop_plan(plan.pk, actor=as_actor(editor))
        assert states(plan) == [State.QUEUED]
        answer_next(kind)
        assert states(plan) == [kind.value]
        assert fresh_plan(plan).state == PlanState.STOPPED  # not paused, so that nobody resumes it

    @pytest.mark.one_database
    def test_a_stop_cancels_a_message_that_was_kept_back(self, editor: User) -> None:
        plan = planned(tree_of(editor, "1"), editor)
        keep_back(claim())
        plans.stop_plan(plan.pk, actor=as_actor(editor))
        assert states(plan) == [State.CANCELLED, State.CANCELLED]

    def test_a_message_that_is_kept_back_after_a_stop_is_cancelled_instead_of_sent(self, editor: User) -> None:
        plan = planned(tree_of(editor, "1"), editor)
        claimed = claim()
        plans.stop_plan(plan.pk, actor=as_actor(editor))
        keep_back(claimed)
        assert states(plan) == [State.QUEUED, State.CANCELLED]
        assert claim() is None
        assert states(plan) == [State.CANCELLED, State.CANCELLED]
        assert set(plan.submissions.values_list("state_reason", flat=True)) == {f"Plan {plan.pk} was stopped."}

    @pytest.mark.one_database
    def test_a_stop_cancels_what_awaits_approval(self, editor: User) -> None:
        plan = planned(tree_of(editor), editor)
        factories.change_submissions(state=State.AWAITING)
        plans.stop_plan(plan.pk, actor=as_actor(editor))
        assert states(plan) == [State.CANCELLED]

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("state", "allowed"),
        [
            (PlanState.GOING, [plans.pause_plan, plans.stop_plan]),
            (PlanState.PAUSED, [plans.resume_plan, plans.stop_plan]),
            (PlanState.STOPPED, []),
        ],
    )
    def test_each_plan_state_allows_these_actions(self, editor: User, state: PlanState, allowed: list[Any]) -> None:
        plan = planned(tree_of(editor), editor)
        Submission.objects.update(attempt=1, may_have_been_sent=True)
        possible_actions = []
        for act in (plans.pause_plan, plans.resume_plan, plans.stop_plan):
            Plan.objects.update(state=state)
            with suppress(ActionRefused):
                act(plan.pk, actor=as_actor(editor))
                possible_actions.append(act)
        assert possible_actions == allowed


@pytest.mark.one_database
class TestAutomaticPause:
    def several(self, user: User, count: int) -> list[Organization]:
        return [factories.organization(f"{BASE}.{number}", user=user) for number in range(1, count + 1)]

    def test_it_pauses_at_the_first_unknown_new(self, editor: User) -> None:
        plan = planned(tree_of(editor, "1"), editor)
        others = planned([factories.organization("2.999.1", user=editor)], editor)
        first = answer_next(Kind.UNKNOWN)
        assert first is not None
        paused_plan = fresh_plan(plan)
        assert paused_plan.state == PlanState.PAUSED
        assert paused_plan.state_reason == (
            f"the outcome of submission {first.pk}, the New of {first.organization.name}, is unknown"
        )
        answer_all()
        assert states(plan) == [State.UNKNOWN, State.QUEUED]
        assert states(others) == [State.ACCEPTED]

    def test_it_pauses_at_three_equal_errors_since_it_was_resumed(self, editor: User) -> None:
        plan = planned(self.several(editor, 6), editor)
        answer_all(Kind.REJECTED)
        assert states(plan) == [State.REJECTED] * 3 + [State.QUEUED] * 3
        assert fresh_plan(plan).state_reason == '3 submissions had the same answer: "Said rejected."'
        entry = AuditEntry.objects.get(action=Action.PLAN_PAUSED)
        assert (entry.actor_id, entry.facts["details"]["by_itself"]) == (None, True)
        # The person who resumes it has seen those errors.
        plans.resume_plan(plan.pk, actor=as_actor(editor))
        for expected in (PlanState.GOING, PlanState.GOING, PlanState.PAUSED):
            answer_next(Kind.REJECTED)
            assert fresh_plan(plan).state == expected

    @pytest.mark.parametrize(
        "answers",
        [({"detail": "one"}, {"detail": "other"}), ({"known": "invalid_xml"}, {"known": "xml_error"})],
        ids=["by their words", "by their meaning"],
    )
    def test_different_errors_do_not_pause_it(self, editor: User, answers: tuple[dict[str, str], ...]) -> None:
        plan = planned(self.several(editor, 4), editor)
        for values in answers * 2:
            answer_next(Kind.REJECTED, **values)
        assert fresh_plan(plan).state == PlanState.GOING

    def test_submissions_that_are_sent_again_do_not_count_as_failed(self, editor: User) -> None:
        plan = planned(self.several(editor, 3), editor)
        Submission.objects.update(detail="Said rejected.", state_at=clock.now())
        answer_next(Kind.REJECTED)
        assert fresh_plan(plan).state == PlanState.GOING

    @pytest.mark.parametrize("kind", [Kind.REJECTED, Kind.NEEDS_PERSON])
    def test_errors_with_the_same_meaning_are_equal(self, editor: User, kind: Kind) -> None:
        plan = planned(self.several(editor, 3), editor)
        for number in range(3):
            answer_next(kind, known="invalid_xml", detail=f"Invalid, {number}")
        assert fresh_plan(plan).state == PlanState.PAUSED

    def test_an_unknown_update_does_not_pause_it(self, editor: User) -> None:
        plan = planned([edit(factories.accepted_organization(user=editor), editor, name="Lakeside Clinics")], editor)
        answer_next(Kind.UNKNOWN)
        assert (states(plan), fresh_plan(plan).state) == ([State.UNKNOWN], PlanState.GOING)
