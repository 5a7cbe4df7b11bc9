"""The page of a plan: the state, evidence and next step of each submission."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from organizations.models import (
    Environment,
    EnvironmentGate,
    Evidence,
    Plan,
    PlanKind,
    PlanState,
    State,
    Submission,
    User,
    clock,
)
from organizations.pages.plan import page as plan_page
from organizations.pages.plan import progress as shown
from organizations.pages.submission import page as submission_page
from organizations.services.outbox import plans
from tests import factories
from tests.factories import BASE, as_actor
from tests.page_text import html_of_page, text_in, text_of_page
from tests.views.planning import create_tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(editor):
    """A plan with the New of one record."""
    return factories.plan([factories.organization(user=editor)], user=editor)


def row_of(plan: Plan, **values: object) -> shown.PlanRow:
    """Give the only submission these values, and return its row."""
    factories.change_submission(Submission.objects.get(plan=plan), **values)
    (row,) = shown.plan_content(Plan.objects.get(pk=plan.pk)).rows
    return row


def test_each_kind_of_evidence_has_its_own_words(plan):
    accepted = {"state": State.ACCEPTED, "ended_at": clock.now(), "decided_by": "Approver One", "state_reason": "Seen."}
    kinds = [kind for kind in Evidence if kind != Evidence.NONE]
    rows = {kind: row_of(plan, evidence=kind, **accepted) for kind in kinds}
    results = {kind: strip_tags(row.result) for kind, row in rows.items()}
    assert len(set(results.values())) == len(kinds)
    assert results[Evidence.ANSWER].startswith("Accepted by Redox, ")
    assert results[Evidence.QUERY].startswith("The directory shows what was sent, asked ")
    assert {(row.step, row.url) for row in rows.values()} == {("", "")}


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (State.QUEUED, "In progress"),
        (State.UNKNOWN, "Unclear"),
        (State.NEEDS_PERSON, "Unclear"),
        (State.REJECTED, "Finished"),
    ],
)
def test_a_plan_is_in_progress_only_while_a_message_waits(plan, state, word):
    row_of(plan, state=state)
    assert shown.plan_content(plan).word.word == word


@pytest.mark.parametrize(
    ("may_have_been_sent", "state", "can_pause", "can_stop"),
    [
        (False, State.QUEUED, True, True),
        (True, State.QUEUED, True, False),
        (False, State.SENDING, True, False),
        (True, State.UNKNOWN, False, False),
    ],
)
def test_a_plan_can_be_paused_while_a_message_may_leave_and_stopped_before_one_was_sent(
    plan, may_have_been_sent, state, can_pause, can_stop
):
    row_of(plan, state=state, may_have_been_sent=may_have_been_sent)
    page = shown.plan_content(Plan.objects.get(pk=plan.pk))
    assert (page.can_pause, page.can_stop) == (can_pause, can_stop)


@pytest.mark.parametrize(("asks", "step"), [(0, "Ask the directory"), (2, "Ask again")])
def test_an_unknown_submission_links_to_its_query(plan, asks, step):
    row = row_of(plan, state=State.UNKNOWN, attempt=1, http_status=504, state_reason="<html>", asks=asks)
    assert row.result == "No clear answer came (HTTP 504). It may have taken effect."
    assert (row.step, row.url) == (step, f"/staging/submissions/{row.submission.pk}/#ask")


def test_a_submission_that_needs_a_decision_links_to_it(plan):
    row = row_of(plan, state=State.NEEDS_PERSON, attempt=1, state_reason=f"{BASE} already exists.")
    assert row.result == f"{BASE} already exists."
    assert (row.step, row.url) == ("Compare and decide", f"/staging/submissions/{row.submission.pk}/#decide")


def test_a_rejection_names_who_rejected_it(plan):
    row = row_of(plan, state=State.REJECTED, detail="Parsing XML request error!", state_reason="Not ours")
    assert row.result == "Rejected by Redox: Parsing XML request error!"
    assert row_of(plan, decided_by="Approver One").result.endswith(" Approver One: Not ours")


def test_a_cancelled_submission_names_the_reason_or_the_person(plan):
    row = row_of(plan, state=State.CANCELLED, cancelled_by="Editor One")
    assert row.result == "Cancelled by Editor One. Nothing was sent."
    assert row_of(plan, state_reason=f"Plan {plan.pk} was stopped.").result == f"Plan {plan.pk} was stopped."


def test_a_waiting_submission_says_what_it_waits_for(editor):
    family = factories.plan(create_tree(editor, 2, 3), user=editor)
    page = shown.plan_content(family)
    waits = [strip_tags(row.waits) for row in page.rows]
    assert ["Lakeside Clinics" in each for each in waits] == [False, True, True]
    assert {row.result for row in page.rows} == {""}
    again = {"not_before": clock.now() + timedelta(minutes=2), "attempt": 1, "state_reason": "The connection broke."}
    family.submissions.filter(pk=page.rows[0].submission.pk).update(**again)
    later = shown.plan_content(family)
    assert "The connection broke." in strip_tags(later.rows[0].waits)
    assert later.version_token != page.version_token
    Plan.objects.filter(pk=family.pk).update(state=PlanState.PAUSED)
    assert {row.waits for row in shown.plan_content(Plan.objects.get(pk=family.pk)).rows} == {""}


def test_a_parent_waits_for_its_children_to_be_deactivated(editor):
    organizations = create_tree(editor, 2, 3, is_accepted=True)
    page = shown.plan_content(factories.plan(organizations, user=editor, kind=PlanKind.DEACTIVATE))
    assert [row.waits for row in page.rows] == ["", "", "Waits for 2 children to be deactivated."]


def test_the_reason_why_the_environment_waits_is_shown_once(plan, unreachable_redox):
    before = shown.plan_content(plan)
    EnvironmentGate.objects.filter(pk="staging").update(stopped_at=clock.now(), stopped_reason="The key is unknown")
    stopped = shown.plan_content(plan)
    assert stopped.held == "STAGING is stopped: The key is unknown."
    assert stopped.version_token != before.version_token
    Plan.objects.update(state=PlanState.PAUSED)
    assert shown.plan_content(Plan.objects.get(pk=plan.pk)).held == ""


def test_an_open_page_updates_and_announces_a_new_state(plan, editor):
    since = plan_page.build(plan, editor).content.version_token
    assert plan_page.build_state(plan, editor, since) is None
    row_of(plan, attempt=1, not_before=clock.now() + timedelta(minutes=2))
    again = plan_page.build_state(Plan.objects.get(pk=plan.pk), editor, since)
    assert again
    assert not again.changed
    row_of(plan, state=State.ACCEPTED, evidence=Evidence.ANSWER, ended_at=clock.now())
    ended = plan_page.build_state(Plan.objects.get(pk=plan.pk), editor, since)
    assert ended
    assert ended.changed
    rendered = html_of_page(ended)
    assert f"Plan {plan.pk} is now: Finished. 1 of 1 accepted." in text_in(rendered)
    assert "data-hx-get" not in rendered
    assert "Pause" not in rendered


def test_a_paused_plan_whose_messages_may_have_been_sent_offers_no_stop_and_names_none(plan, editor):
    reason = "Its plan was paused before the message was sent."
    row_of(plan, state=State.QUEUED, attempt=2, may_have_been_sent=True, state_reason=reason)
    plans.pause_plan(plan.pk, actor=as_actor(editor))
    paused = shown.plan_content(Plan.objects.get(pk=plan.pk))
    assert not paused.can_stop
    assert paused.sentence.endswith("Nothing more is sent until somebody resumes it.")
    assert strip_tags(paused.rows[0].result) == "Its plan was paused before the message was sent."


def test_the_page_names_who_paused_and_who_stopped_the_plan(plan, editor):
    plans.pause_plan(plan.pk, actor=as_actor(editor))
    paused = shown.plan_content(Plan.objects.get(pk=plan.pk))
    assert strip_tags(paused.sentence).startswith("Paused since ")
    assert paused.sentence.endswith("Nothing more is sent until somebody resumes or stops it.")
    reason = submission_page.build(paused.rows[0].submission, editor).state.reason
    assert reason
    assert strip_tags(reason.sentence) == f"Plan {plan.pk} is paused: Editor One paused it."
    plans.stop_plan(plan.pk, actor=as_actor(editor))
    stopped = shown.plan_content(Plan.objects.get(pk=plan.pk))
    assert "Editor One stopped it. Submissions that were not sent were cancelled." in stopped.sentence
    assert stopped.progress == "0 of 1 accepted, 1 cancelled"


def test_the_author_or_a_sender_can_pause_a_plan_and_others_read_who_can(plan, editor):
    approver, viewer = (factories.UserFactory(role=role) for role in ("approver", "viewer"))
    refusals = [plan_page.build(plan, user).pause_block_reason for user in (editor, approver, viewer)]
    assert refusals[:2] == ["", ""]
    assert refusals[2].startswith("You cannot pause or stop a plan in STAGING.")
    editor.groups.clear()
    assert plan_page.build(plan, User.objects.get(pk=editor.pk)).pause_block_reason


def test_the_number_of_queries_does_not_grow_with_the_records(plan, editor, django_assert_num_queries):
    plan_page.build(plan, editor)  # runs the queries that each person needs once
    with CaptureQueriesContext(connection) as few:
        plan_page.build(plan, editor)
        plan_page.build_list(Environment.STAGING, None)
    factories.plan([factories.organization(f"2.999.{number}", user=editor) for number in range(1, 5)], user=editor)
    larger = Plan.objects.latest("pk")
    with django_assert_num_queries(len(few)):
        plan_page.build(larger, editor)
        plan_page.build_list(Environment.STAGING, None)


def test_plans_are_listed_newest_first_with_their_progress(plan, editor, monkeypatch):
    row_of(plan, state=State.ACCEPTED, evidence=Evidence.ANSWER)
    second = factories.plan([factories.organization(f"{BASE}.{n}", user=editor) for n in (7, 8)], user=editor)
    Plan.objects.filter(pk=second.pk).update(state=PlanState.PAUSED)
    lines = plan_page.build_list(Environment.STAGING, None).lines
    assert [(line.plan.pk, line.word.word, line.progress) for line in lines] == [
        (second.pk, "Paused", "0 of 2 accepted, 2 queued"),
        (plan.pk, "Finished", "1 of 1 accepted"),
    ]
    monkeypatch.setattr(plan_page, "ROWS", 1)
    numbers = [plan_page.build_list(Environment.STAGING, page).lines[0].plan.pk for page in ("1", "2")]
    assert numbers == [second.pk, plan.pk]
    nothing = plan_page.build_list(Environment.PRODUCTION, None)
    assert "Nothing has been sent together in PRODUCTION." in text_of_page(nothing, "production")


def test_the_progress_uses_the_words_of_the_states(editor):
    organizations = [factories.organization(f"{BASE}.{place}", user=editor) for place in (1, 2, 3)]
    plan = factories.plan(organizations, user=editor)
    plan.submissions.filter(organization__in=organizations[:2]).update(state=State.NEEDS_PERSON)
    assert shown.plan_content(plan).progress == "0 of 3 accepted, 1 queued, 2 need a decision"
    plan.submissions.filter(organization=organizations[0]).update(state=State.REJECTED)
    assert shown.plan_content(plan).progress == "0 of 3 accepted, 1 queued, 1 rejected, 1 needs a decision"


def test_cancelled_records_can_be_planned_again_once_nothing_is_open(editor):
    plan = factories.plan([factories.organization(f"{BASE}.{n}", user=editor) for n in (1, 2)], user=editor)
    first, second = plan.submissions.order_by("pk")
    factories.change_submission(first, state=State.CANCELLED, cancelled_by="Editor One")
    assert shown.plan_content(plan).again_url == ""
    factories.change_submission(second, state=State.REJECTED)
    assert shown.plan_content(plan).again_url == f"/staging/plans/new/?kind={plan.kind}&record={first.organization_id}"
    factories.change_submission(first, state=State.ACCEPTED, evidence=Evidence.ANSWER)
    assert shown.plan_content(plan).again_url == ""


def test_a_plan_of_a_branch_names_its_top_record(editor):
    top = factories.organization(user=editor, name="West Region")
    below = [factories.organization(f"{BASE}.{number}", user=editor, part_of_oid=BASE) for number in (1, 2)]
    assert shown.plan_content(factories.plan([top, *below], user=editor)).branch == "West Region and the 2 below it"


def test_a_plan_without_a_common_parent_names_no_top_record(editor):
    top = factories.accept(factories.organization(user=editor))
    below = [factories.organization(f"{BASE}.{number}", user=editor, part_of_oid=top.oid) for number in (1, 2)]
    assert shown.plan_content(factories.plan(below, user=editor)).branch == ""
