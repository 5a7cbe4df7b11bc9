"""The lasting page of a plan, and the list of plans."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from organizations.models import EnvironmentGate, Plan, PlanState, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services import delivery, plans
from organizations.services.actors import Actor
from tests import factories
from tests.factories import BASE, acting
from tests.views.pages import text_of
from tests.views.planning import address, press, tree_of
from tests.views.sending import page_of

pytestmark = pytest.mark.slow

type ClientOf = Callable[..., Client]


@pytest.fixture
def plan(client: Client, editor: User) -> Plan:
    press(client, address(tree_of(editor, 2, 3)))
    return Plan.objects.get()


def url(plan: Plan, act: str = "") -> str:
    return f"/staging/plans/{plan.pk}/{act}"


def test_it_tells_how_far_it_is(client: Client, plan: Plan, worker: Actor, practice: PracticeDirectory) -> None:
    delivery.deliver_next("staging", actor=worker)
    text = text_of(client.get(url(plan)))
    assert f"Plan {plan.pk}, 3 records sent together" in text
    assert "1 of 3 accepted, 2 queued" in text
    assert "Reason: ticket 7" in text
    assert "to be accepted." not in text


def test_each_that_waits_says_for_what(client: Client, plan: Plan) -> None:
    page = client.get(url(plan))
    assert text_of(page).count("Waits for its parent Lakeside Clinics to be accepted.") == 2
    since = page.context["page"].since
    Submission.objects.filter(pk=plan.submissions.earliest("pk").pk).update(
        not_before=clock.now() + timedelta(minutes=2), attempt=1, state_reason="The connection was refused."
    )
    page = client.get(url(plan))
    assert page.context["page"].since != since
    assert "Attempt 1 did not reach Redox: The connection was refused." in text_of(page)
    client.post(url(plan, "pause/"))
    assert "Waits for its parent" not in text_of(client.get(url(plan)))


def test_it_asks_anew_until_its_end(
    client: Client, plan: Plan, practice: PracticeDirectory, deliver_all: Callable[[], None]
) -> None:
    page = client.get(url(plan)).context["page"]
    state = url(plan, "state/")
    assert client.get(f"{state}?since={page.since}").status_code == 204
    deliver_all()
    answer = client.get(f"{state}?since={page.since}")
    assert "Plan" in text_of(answer)
    assert f"Plan {plan.pk} is now: Finished. 3 of 3 accepted." in text_of(answer)
    assert b"data-hx-get" not in answer.content
    assert b"Pause" not in answer.content


def test_a_page_that_stands_open_hears_that_its_environment_was_stopped(
    client: Client, plan: Plan, practice: PracticeDirectory
) -> None:
    since = client.get(url(plan)).context["page"].since
    EnvironmentGate.objects.filter(pk="staging").update(stopped_at=clock.now(), stopped_reason="The key is unknown")
    answer = client.get(f"{url(plan, 'state/')}?since={since}")
    assert answer.context["page"].held == "STAGING is stopped: The key is unknown."
    assert "3 submissions wait, none is lost." in text_of(answer)
    client.post(url(plan, "pause/"))
    assert client.get(url(plan)).context["page"].held == ""


def test_it_is_paused_goes_on_and_is_stopped(client: Client, plan: Plan) -> None:
    assert "Paused since" in text_of(client.post(url(plan, "pause/"), follow=True))
    first = plan.submissions.earliest("pk")
    assert f"Plan {plan.pk} is paused: Editor One paused it." in text_of(client.get(page_of(first)))
    assert "It goes on." in text_of(client.post(url(plan, "go-on/"), follow=True))
    text = text_of(client.post(url(plan, "stop/"), follow=True))
    assert "Editor One stopped it. What was not attempted was cancelled; the rest goes on to its own end." in text
    assert "0 of 3 accepted, 3 cancelled" in text
    assert set(plan.submissions.values_list("state", flat=True)) == {State.CANCELLED}
    assert "Nothing was changed." in text_of(client.post(url(plan, "stop/"), follow=True))


def test_who_may_not_send_holds_only_plans_of_their_own(client_of: ClientOf, plan: Plan) -> None:
    viewer = client_of("viewer")
    assert "You cannot pause or stop a plan in STAGING." in text_of(viewer.get(url(plan)))
    assert viewer.post(url(plan, "pause/")).status_code == 403
    assert client_of("approver").post(url(plan, "pause/")).status_code == 302


def test_the_submission_leads_back_to_it(client: Client, plan: Plan) -> None:
    page = client.get(page_of(plan.submissions.earliest("pk")))
    assert f'<a href="{url(plan)}">Plan {plan.pk}</a>' in page.content.decode()


def test_the_history_tells_it(client: Client, plan: Plan, editor: User) -> None:
    plans.stop(plan.pk, actor=acting(editor))
    text = text_of(client.get("/audit/"))
    who = f"Editor One ({editor.username})"
    assert f'{who} made plan {plan.pk}, to be sent to STAGING: 3 New. Reason: "ticket 7".' in text
    assert f"{who} stopped plan {plan.pk}: 3 submissions cancelled." in text


def test_the_number_of_queries_does_not_grow_with_the_records(client: Client, plan: Plan, editor: User) -> None:
    more = [factories.organization(f"2.999.{number}", user=editor) for number in range(1, 12)]
    press(client, address(more))
    counts = []
    for each in Plan.objects.order_by("pk"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(url(each))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_plan_that_paused_by_itself_says_why(
    client: Client, plan: Plan, practice: PracticeDirectory, worker: Actor
) -> None:
    practice.behaviour = "applies-then-504"
    delivery.deliver_next("staging", actor=worker)
    text = text_of(client.get(url(plan)))
    assert Plan.objects.get().state == PlanState.PAUSED
    assert "nobody knows yet what became of submission" in text
    assert "Go on" in text


def test_all_plans_are_listed_the_newest_first(client: Client, editor: User) -> None:
    assert "Nothing has been sent together in STAGING." in text_of(client.get("/staging/plans/"))
    first = factories.plan(tree_of(editor, 1), user=editor)
    with CaptureQueriesContext(connection) as few:
        client.get("/staging/plans/")
    second = factories.plan([factories.organization(f"{BASE}.{number}", user=editor) for number in (7, 8)], user=editor)
    Submission.objects.filter(plan=first).update(state=State.ACCEPTED, evidence="answer")
    plans.pause(second.pk, actor=acting(editor))
    with CaptureQueriesContext(connection) as more:
        page = text_of(client.get("/staging/plans/"))
    assert len(more) == len(few)
    assert f"{second.pk}, Send Paused 0 of 2 accepted, 2 queued Editor One" in page
    assert f"{first.pk}, Send Finished 2 of 2 accepted Editor One" in page
    assert page.index("Paused 0 of 2") < page.index("Finished 2 of 2")
    assert "Nothing has been sent together in PRODUCTION." in text_of(client.get("/production/plans/"))
    assert 'href="/staging/plans/"' in client.get("/staging/submissions/").content.decode()
