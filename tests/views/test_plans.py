"""Plans over HTTP: created, watched, paused and stopped, and the links to them."""

from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from organizations.models import Intent, Plan, PlanKind, PlanState, State, Submission
from organizations.services.review import plan_draft, reviews
from tests import factories
from tests.factories import BASE, as_actor
from tests.page_text import compact
from tests.views.concurrency import just_before_saving
from tests.views.pages import text_of
from tests.views.planning import NEW, branch, create_tree, page_of, page_of_branch, press
from tests.views.sending import submission_url as page_of_submission

pytestmark = pytest.mark.slow

type ClientOf = Callable[..., Client]


@pytest.mark.parametrize("query", ["", "?record=x&record=-1&record=99999999999", "?branch=2.999.7", "?branch=%00"])
def test_an_address_without_valid_records_sends_nothing(client, query):
    answer = client.get(NEW + query)
    assert answer.status_code == (404 if "branch" in query else 200)
    assert b"Send " not in answer.content
    assert client.post(NEW + query).status_code == (404 if "branch" in query else 409)


class TestSending:
    def test_sending_redirects_to_the_plan_and_so_does_a_second_press(self, client, editor):
        page = page_of(create_tree(editor, 2, 3), editor)
        assert "STAGING, 3 records: 3 New" in text_of(client.get(page.action))
        answer = press(client, page)
        plan = Plan.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/staging/plans/{plan.pk}/")
        assert (plan.reason, plan.submissions.count()) == ("ticket 7", 3)
        again = client.post(page.action, {"sha256": page.content.draft.sha256, "reason": "ticket 7"}, follow=True)
        assert again.redirect_chain == [(answer["Location"], 302)]
        assert [message.level_tag for message in get_messages(again.wsgi_request)] == ["info"]
        assert Submission.objects.count() == 3

    def test_a_changed_draft_keeps_the_input_except_the_number(self, client, editor, monkeypatch):
        monkeypatch.setattr(plan_draft, "MANY_RECORDS", 1)
        page = page_of(create_tree(editor, 2, contacts=()), editor)
        answer = press(client, page, sha256="0" * 64, reason="my reason", tick=[], number="2")
        assert (answer.status_code, len(answer.context["notes"])) == (409, 1)
        kept_values = {name: answer.context["form"][name].value() for name in ("reason", "number")}
        assert kept_values == {"reason": "my reason", "number": ""}
        assert not Plan.objects.exists()

    def test_a_branch_that_became_too_large_is_refused_with_a_reason(self, client, editor, monkeypatch):
        page = page_of(create_tree(editor, 2), editor)
        with just_before_saving(lambda: monkeypatch.setattr(plan_draft, "MOST_RECORDS", 1)):
            answer = press(client, page)
        assert answer.status_code == 409
        assert answer.context["why"]
        assert not Plan.objects.exists()

    def test_an_approver_ticks_and_gives_a_reason_for_production(self, client_of):
        approver = factories.UserFactory(role="approver")
        organizations = [
            factories.organization(f"{BASE}.{place}", user=approver, environment="production") for place in (2, 3)
        ]
        page, browser = page_of(organizations, approver), client_of(user=approver)
        answer = press(browser, page, tick=[], reason="")
        assert answer.status_code == 422
        assert "Tick: No destination ID." in answer.context["content"].box_errors[0][1]
        assert answer.context["form"].errors == {"reason": ["Enter a reason."]}
        assert press(browser, page).status_code == 302


class TestDeactivating:
    @pytest.fixture
    def organizations(self, editor):
        return create_tree(editor, 2, 3, is_accepted=True)

    def test_children_are_deactivated_first_and_a_reason_is_required(self, client, organizations, editor):
        page = page_of_branch(organizations[0], editor, PlanKind.DEACTIVATE)
        assert [row.organization for row in page.content.rows][-1] == organizations[0]
        assert client.get(page.action).status_code == 200
        assert press(client, page, why="").status_code == 422
        assert press(client, page).status_code == 302
        submissions = Plan.objects.get().submissions.order_by("pk")
        assert [b'"Active": false' in bytes(each.message) for each in submissions] == [True] * 3
        assert [each.organization_id for each in submissions][-1] == organizations[0].pk

    def test_deactivating_a_record_with_children_opens_the_plan_of_its_branch(self, client, organizations):
        answer = client.get(f"/staging/organizations/{organizations[0].oid}/deactivate/")
        assert answer.context["content"].send_label == "Deactivate 3 records in STAGING"
        assert answer.context["action"] == branch(organizations[0], kind="deactivate")
        assert f'action="{NEW}?branch={BASE}&amp;kind=deactivate"' in answer.content.decode()

    def test_a_record_added_to_the_branch_is_named_in_the_new_draft(self, client, organizations, editor):
        page = page_of_branch(organizations[0], editor, PlanKind.DEACTIVATE)
        added = factories.organization(f"{BASE}.9", user=editor, part_of_oid=BASE, name="Lakeside Lab")
        factories.accept(added)
        answer = press(client, page)
        assert (answer.status_code, answer.context["content"].draft.size) == (409, 4)
        assert "Nothing was sent. Here is the new plan. New in it: Lakeside Lab." in answer.context["notes"][0]
        assert not Submission.objects.exists()

    def test_a_child_added_before_the_press_turns_it_into_a_plan(self, client, organizations, editor):
        childless = organizations[2]
        review = reviews.review(childless, actor=as_actor(editor), intent=Intent.DEACTIVATE)
        factories.accept(factories.organization(f"{BASE}.3.1", user=editor, part_of_oid=childless.oid))
        inputs = {"why": "closed", "in_words": "Lease ended", "sha256": review.sha256, "seen_submission": "0"}
        answer = client.post(f"/staging/organizations/{childless.oid}/deactivate/", inputs)
        assert (answer.status_code, answer.context["content"].draft.size) == (409, 2)
        assert answer.context["form"]["in_words"].value() == "Lease ended"
        assert not Submission.objects.exists()


class TestChoosing:
    LIST = "/staging/organizations/"

    def test_each_row_has_a_checkbox_of_the_form_that_sends(self, client, editor):
        organizations = create_tree(editor, 2, 3)
        for answer in (client.get(self.LIST), client.get(f"{self.LIST}?view=list")):
            text = compact(answer.content.decode())
            assert f'id="send" action="{NEW}"' in text
            for each in organizations:
                assert f'name="record" value="{each.pk}" form="send"' in text
                assert f'aria-label="Choose {each.name}"' in text
        rows = compact(client.get(f"{self.LIST}{BASE}/branch/", headers={"HX-Request": "true"}).content.decode())
        assert f'value="{organizations[1].pk}" form="send"' in rows

    def test_records_in_the_url_are_ticked_and_sent_with_the_form(self, client, editor):
        top, below = create_tree(editor, 2)
        text = compact(client.get(f"{self.LIST}?open=none&record={top.pk}&record={below.pk}").content.decode())
        assert f'value="{top.pk}" form="send" checked' in text
        assert f'<input type="hidden" name="record" value="{below.pk}">' in text

    def test_without_the_right_to_send_there_are_no_checkboxes(self, client, client_of):
        create_tree(factories.editor())
        factories.organization(user=factories.editor(), environment="production")
        for user_client, word in ((client_of("viewer"), "staging"), (client, "production")):
            answer = user_client.get(f"/{word}/organizations/")
            assert b'form="send"' not in answer.content
            assert f"You cannot send to {word.upper()}." in text_of(answer)


class TestPlan:
    @pytest.fixture
    def plan(self, editor):
        return factories.plan(create_tree(editor, 2, 3), user=editor)

    def url(self, plan: Plan, act: str = "") -> str:
        return f"/staging/plans/{plan.pk}/{act}"

    def test_the_lists_and_each_submission_link_to_the_plan(self, client, plan):
        page = text_of(client.get(self.url(plan)))
        assert f"Plan {plan.pk}, 3 records to send together" in page
        assert "0 of 3 accepted, 3 queued" in page
        assert "Reason: ticket 7" in page
        assert f"{plan.pk}, Send In progress 0 of 3 accepted, 3 queued Editor One" in text_of(
            client.get("/staging/plans/")
        )
        assert 'href="/staging/plans/"' in client.get("/staging/submissions/").content.decode()
        submission = client.get(page_of_submission(plan.submissions.earliest("pk"))).content.decode()
        assert f'<a href="{self.url(plan)}">Plan {plan.pk}</a>' in submission

    @pytest.mark.parametrize(("state", "act"), [(PlanState.GOING, "Pause"), (PlanState.PAUSED, "Resume")])
    def test_a_button_that_is_disabled_says_why_also_while_all_messages_are_sent(self, client_of, plan, state, act):
        factories.change_submissions(state=State.SENDING, attempt=1)
        Plan.objects.update(state=state)
        page = client_of("viewer").get(self.url(plan)).content.decode()
        assert f'disabled aria-describedby="pause-block-reason">{act}</button>' in page
        assert '<p class="hint" id="pause-block-reason">You cannot pause or stop a plan in STAGING.' in page
        assert 'id="stop"' not in page

    def test_an_open_page_polls_its_state(self, client, plan):
        since = client.get(self.url(plan)).context["content"].version_token
        state = f"{self.url(plan, 'state/')}?since="
        assert client.get(state + since).status_code == 204
        answer = client.get(f"{state}paused-0")
        assert (answer.status_code, answer.context["changed"]) == (200, True)
        assert "HX-Request" in answer["Vary"]

    def test_a_plan_is_paused_resumed_and_stopped_once(self, client, plan):
        for act, state, notice in (
            ("pause/", PlanState.PAUSED, "Paused. Nothing more is sent until somebody resumes it."),
            ("go-on/", PlanState.GOING, "Resumed."),
            ("stop/", PlanState.STOPPED, "Stopped. Submissions that were not sent were cancelled."),
        ):
            answer = client.post(self.url(plan, act))
            assert answer["Location"] == self.url(plan)
            assert [str(message) for message in get_messages(answer.wsgi_request)][-1] == notice
            assert Plan.objects.get().state == state
        assert set(plan.submissions.values_list("state", flat=True)) == {State.CANCELLED}
        assert "Nothing was changed." in text_of(client.post(self.url(plan, "stop/"), follow=True))

    def test_an_editor_pauses_only_their_own_plans_in_production(self, client_of, editor):
        organization = factories.organization(user=editor, environment="production", destination_id=factories.BASE)
        approver = factories.UserFactory(role="approver")
        plan = factories.plan([organization], user=approver)
        pause = f"/production/plans/{plan.pk}/pause/"
        assert client_of(user=editor).post(pause).status_code == 403
        assert client_of("approver").post(pause).status_code == 302
        assert Plan.objects.get().state == PlanState.PAUSED
        Plan.objects.update(made_by=editor)
        assert client_of(user=editor).post(pause.replace("pause", "go-on")).status_code == 302
        assert Plan.objects.get().state == PlanState.GOING
