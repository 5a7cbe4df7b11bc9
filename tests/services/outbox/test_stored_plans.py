"""What each action on a plan stores, column by column, and what its entry holds."""

from typing import Any

import pytest

from organizations.models import Action, AuditEntry, Environment, Plan, PlanKind, PlanState, Submission, User, clock
from organizations.redox.outcome import Kind
from organizations.services.outbox import plans
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import answer_next, edit

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def plan(editor: User) -> Plan:
    """A plan of an Update and two New below it, which have one warning."""
    top = edit(factories.accepted_organization(user=editor), editor, name="Lakeside Clinics")
    below = [
        factories.organization(f"{BASE}.{number}", user=editor, part_of_oid=BASE, contacts=()) for number in (1, 2)
    ]
    return factories.plan([top, *below], user=editor)


def entry(action: Action, plan: Plan) -> AuditEntry:
    """The only entry of this action. It names the plan."""
    entry = AuditEntry.objects.get(action=action)
    named = {"type": "plan", "id": str(plan.pk), "name": f"plan {plan.pk}"}
    assert (entry.facts["object"], entry.facts["plan"], entry.environment) == (named, plan.pk, plan.environment)
    return entry


def test_a_plan_is_stored_as_it_was_drafted(editor: User) -> None:
    organization = factories.organization(user=editor, environment="production")
    draft = plan_draft.draft_plan(
        ChosenRecords(Environment.PRODUCTION, PlanKind.SEND, (organization.pk,)), actor=as_actor(editor)
    )
    time_before = clock.now()
    factories.plan([organization], user=editor)
    plan = Plan.objects.get()
    assert (plan.environment, plan.kind, plan.sha256) == ("production", PlanKind.SEND, draft.sha256)
    assert (plan.reason, plan.made_by, plan.state, plan.state_reason) == ("ticket 7", editor, PlanState.GOING, "")
    assert plan.made_at == plan.state_at
    assert plan.made_at >= time_before


def test_the_entry_of_a_plan_counts_what_it_sends_and_holds_its_warnings(editor: User, plan: Plan) -> None:
    facts = entry(Action.PLAN_MADE, plan).facts
    assert facts["reason"] == "ticket 7"
    ids = list(plan.submissions.order_by("pk").values_list("pk", flat=True))
    (warning,) = facts["details"].pop("warnings")
    assert warning.startswith("Nobody can be reached.")
    assert facts["details"] == {"news": 2, "updates": 1, "deactivated": 0, "submissions": ids}


def test_the_entry_of_deactivations_counts_them(editor: User) -> None:
    plan = factories.plan([factories.accepted_organization(user=editor)], user=editor, kind=PlanKind.DEACTIVATE)
    details = entry(Action.PLAN_MADE, plan).facts["details"]
    assert (details["news"], details["updates"], details["deactivated"]) == (0, 0, 1)


def test_each_act_of_a_person_is_stored_with_its_cause_and_time(editor: User, plan: Plan) -> None:
    other = factories.plan([factories.organization(user=editor, environment="production")], user=editor)
    acts: tuple[tuple[Any, ...], ...] = (
        (plans.pause_plan, PlanState.PAUSED, "Editor One paused it", Action.PLAN_PAUSED, None, {}),
        (plans.resume_plan, PlanState.GOING, "", Action.PLAN_RESUMED, "Editor One paused it", {}),
        (plans.stop_plan, PlanState.STOPPED, "Editor One stopped it", Action.PLAN_STOPPED, None, {"cancelled": 3}),
    )
    for act, state, state_reason, action, reason, details in acts:
        time_before = clock.now()
        returned, stored = act(plan.pk, actor=as_actor(editor)), Plan.objects.get(pk=plan.pk)
        assert (returned.state, stored.state, stored.state_reason) == (state, state, state_reason)
        assert stored.state_at >= time_before
        facts = entry(action, plan).facts
        assert (facts.get("reason"), facts.get("details", {})) == (reason, details)
    assert Plan.objects.get(pk=other.pk).state == PlanState.GOING


def test_a_plan_that_pauses_by_itself_is_stored_with_the_cause(editor: User) -> None:
    plan = factories.plan([factories.organization(user=editor)], user=editor)
    time_before = clock.now()
    answer_next(Kind.UNKNOWN)
    stored, submission = Plan.objects.get(), Submission.objects.get()
    cause = f"the outcome of submission {submission.pk}, the New of Lakeside 1, is unknown"
    assert (stored.state, stored.state_reason) == (PlanState.PAUSED, cause)
    assert stored.state_at >= time_before
    facts = entry(Action.PLAN_PAUSED, plan).facts
    assert (facts["reason"], facts["details"]) == (cause, {"by_itself": True})
