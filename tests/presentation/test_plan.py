"""What the page of a plan tells of each of its submissions: what came, who says so, and what to do next."""

import pytest
from django.utils.html import strip_tags

from organizations.models import Evidence, Plan, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.presentation import plan as shown
from tests import factories
from tests.factories import BASE
from tests.services.sending import deliver

from .sending import resolved

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(editor: User) -> Plan:
    """The New of one record."""
    return factories.plan([factories.organization(user=editor)], user=editor)


def row_of(plan: Plan, **values: object) -> shown.Row:
    """The row of the only submission, once it has these values."""
    Submission.objects.filter(plan=plan).update(**values)
    (row,) = shown.page(Plan.objects.get(pk=plan.pk)).rows
    return row


def test_an_accepted_submission_names_redox_answer_and_needs_nobody(practice: PracticeDirectory, plan: Plan) -> None:
    assert deliver()
    row = row_of(plan)
    assert strip_tags(row.came).startswith("Accepted by Redox, ")
    assert (row.step, row.url) == ("", "")


def test_what_a_query_proved_is_not_called_accepted_by_redox(practice: PracticeDirectory, plan: Plan) -> None:
    practice.behaviour = "applies-then-504"
    assert deliver()
    practice.behaviour = "answers"
    assert resolved(plan.submissions.get()).state == State.ACCEPTED
    assert strip_tags(row_of(plan).came).startswith("The directory shows what was sent, asked ")


@pytest.mark.parametrize("kind", [kind for kind in Evidence if kind != Evidence.NONE])
def test_each_kind_of_evidence_is_told_apart(plan: Plan, kind: Evidence) -> None:
    accepted = {"state": State.ACCEPTED, "ended_at": clock.now(), "decided_by": "Approver One", "state_reason": "Seen."}
    came = {row_of(plan, evidence=each, **accepted).came for each in Evidence if each not in (kind, Evidence.NONE)}
    assert row_of(plan, evidence=kind, **accepted).came not in came


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (State.QUEUED, "Going"),
        (State.UNKNOWN, "Unclear"),
        (State.NEEDS_PERSON, "Unclear"),
        (State.REJECTED, "Finished"),
    ],
)
def test_a_plan_goes_on_only_while_a_message_waits(plan: Plan, state: State, word: str) -> None:
    row_of(plan, state=state)
    assert shown.page(plan).word.word == word


@pytest.mark.parametrize(
    ("attempt", "state", "can"), [(0, State.QUEUED, True), (1, State.QUEUED, False), (1, State.UNKNOWN, False)]
)
def test_only_what_was_not_attempted_can_be_paused_or_stopped(
    plan: Plan, attempt: int, state: State, can: bool
) -> None:
    row_of(plan, state=state, attempt=attempt)
    page = shown.page(Plan.objects.get(pk=plan.pk))
    assert (page.can_pause, page.can_stop) == (can, can)


@pytest.mark.parametrize(("asks", "step"), [(0, "Ask the directory"), (2, "Ask again")])
def test_an_unknown_submission_leads_to_where_the_directory_is_asked(plan: Plan, asks: int, step: str) -> None:
    row = row_of(plan, state=State.UNKNOWN, attempt=1, http_status=504, state_reason="<html>", asks=asks)
    assert row.came == "No clear answer came (HTTP 504). It may have taken effect."
    assert (row.step, row.url) == (step, f"/staging/submissions/{row.submission.pk}/#ask")


def test_a_submission_that_needs_a_decision_leads_there(plan: Plan) -> None:
    row = row_of(plan, state=State.NEEDS_PERSON, attempt=1, state_reason=f"{BASE} already exists.")
    assert row.came == f"{BASE} already exists."
    assert (row.step, row.url) == ("Compare and decide", f"/staging/submissions/{row.submission.pk}/#decide")


def test_a_rejection_names_who_rejected_it(plan: Plan) -> None:
    row = row_of(plan, state=State.REJECTED, detail="Parsing XML request error!", state_reason="Not ours")
    assert row.came == "Rejected by Redox: Parsing XML request error!"
    assert row_of(plan, decided_by="Approver One").came == "Rejected by decision of Approver One: Not ours"


def test_a_cancelled_submission_names_the_reason_or_the_person(plan: Plan) -> None:
    row = row_of(plan, state=State.CANCELLED, cancelled_by="Editor One")
    assert row.came == "Cancelled by Editor One. Nothing was sent."
    assert row_of(plan, state_reason=f"Plan {plan.pk} was stopped.").came == f"Plan {plan.pk} was stopped."


def test_what_still_waits_has_nothing_that_came(plan: Plan) -> None:
    assert row_of(plan).came == ""


def test_the_progress_counts_in_the_words_of_the_states(editor: User) -> None:
    made = [factories.organization(f"{BASE}.{place}", user=editor) for place in (1, 2, 3)]
    plan = factories.plan(made, user=editor)
    plan.submissions.filter(organization__in=made[:2]).update(state=State.NEEDS_PERSON)
    assert shown.page(plan).progress == "0 of 3 accepted, 1 queued, 2 need a decision"
    plan.submissions.filter(organization=made[0]).update(state=State.REJECTED)
    assert shown.page(plan).progress == "0 of 3 accepted, 1 queued, 1 rejected, 1 needs a decision"


def test_what_was_cancelled_can_be_planned_again_once_nothing_is_open(plan: Plan) -> None:
    row = row_of(plan, state=State.CANCELLED, cancelled_by="Editor One")
    url = shown.page(Plan.objects.get(pk=plan.pk)).again_url
    assert url == f"/staging/plans/new/?kind={plan.kind}&record={row.submission.organization_id}"
    row_of(plan, state=State.ACCEPTED, evidence=Evidence.ANSWER)
    assert shown.page(Plan.objects.get(pk=plan.pk)).again_url == ""


def test_a_plan_of_a_branch_names_the_record_above_the_others(editor: User) -> None:
    top = factories.organization(user=editor, name="West Region")
    below = [factories.organization(f"{BASE}.{number}", user=editor, part_of_oid=BASE) for number in (1, 2)]
    assert shown.page(factories.plan([top, *below], user=editor)).branch == "West Region and the 2 below it"


def test_a_plan_of_records_without_one_above_them_names_none(editor: User) -> None:
    top = factories.confirmed(factories.organization(user=editor))
    below = [factories.organization(f"{BASE}.{number}", user=editor, part_of_oid=top.oid) for number in (1, 2)]
    assert shown.page(factories.plan(below, user=editor)).branch == ""
