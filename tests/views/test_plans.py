"""Several records at once in a browser: a plan is made, watched, held and stopped, and the ways to it."""

from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from organizations.models import Intent, Plan, PlanKind, PlanState, State, Submission
from organizations.services.review import plan_draft, reviews
from tests import factories
from tests.factories import BASE, acting
from tests.views.meanwhile import just_before_saving
from tests.views.pages import text_of
from tests.views.planning import NEW, branch, page_of, page_of_branch, press, tree_of
from tests.views.sending import page_of as page_of_submission

pytestmark = pytest.mark.slow

type ClientOf = Callable[..., Client]


@pytest.mark.parametrize("query", ["", "?record=x&record=-1&record=99999999999", "?branch=2.999.7", "?branch=%00"])
def test_what_names_no_record_sends_none(client, query):
    answer = client.get(NEW + query)
    assert answer.status_code == (404 if "branch" in query else 200)
    assert b"Send " not in answer.content
    assert client.post(NEW + query).status_code == (404 if "branch" in query else 409)


class TestSending:
    def test_it_leads_to_the_page_of_the_plan_and_a_second_press_too(self, client, editor):
        page = page_of(tree_of(editor, 2, 3), editor)
        assert "STAGING, 3 records: 3 New" in text_of(client.get(page.action))
        answer = press(client, page)
        plan = Plan.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/staging/plans/{plan.pk}/")
        assert (plan.reason, plan.submissions.count()) == ("ticket 7", 3)
        again = client.post(page.action, {"sha256": page.content.draft.sha256, "reason": "ticket 7"}, follow=True)
        assert again.redirect_chain == [(answer["Location"], 302)]
        assert [message.level_tag for message in again.context["messages"]] == ["info"]
        assert Submission.objects.count() == 3

    def test_a_changed_draft_keeps_what_was_typed_except_the_number(self, client, editor, monkeypatch):
        monkeypatch.setattr(plan_draft, "MANY_RECORDS", 1)
        page = page_of(tree_of(editor, 2, contacts=()), editor)
        answer = press(client, page, sha256="0" * 64, reason="my reason", tick=[], number="2")
        assert (answer.status_code, len(answer.context["notes"])) == (409, 1)
        typed = {name: answer.context["form"][name].value() for name in ("reason", "number")}
        assert typed == {"reason": "my reason", "number": ""}
        assert not Plan.objects.exists()

    def test_a_branch_that_grew_too_large_meanwhile_is_said_to_be(self, client, editor, monkeypatch):
        page = page_of(tree_of(editor, 2), editor)
        with just_before_saving(lambda: monkeypatch.setattr(plan_draft, "MOST_RECORDS", 1)):
            answer = press(client, page)
        assert answer.status_code == 409
        assert answer.context["why"]
        assert not Plan.objects.exists()

    def test_an_approver_ticks_and_gives_a_reason_for_production(self, client_of):
        approver = factories.UserFactory(role="approver")
        made = [factories.organization(f"{BASE}.{place}", user=approver, environment="production") for place in (2, 3)]
        page, browser = page_of(made, approver), client_of(user=approver)
        answer = press(browser, page, tick=[], reason="")
        assert answer.status_code == 422
        assert "Tick: No destination ID." in answer.context["content"].box_errors[0][1]
        assert answer.context["form"].errors == {"reason": ["Enter a reason."]}
        assert press(browser, page).status_code == 302

    def test_a_lost_sign_in_brings_it_back_filled(self, client, editor):
        answer = press(client, page_of(tree_of(editor), editor), **{"came-back": "1", "reason": "my reason"})
        assert (answer.status_code, answer.context["is_unsaved"]) == (422, True)
        assert answer.context["form"]["reason"].value() == "my reason"
        assert not Plan.objects.exists()


class TestDeactivating:
    @pytest.fixture
    def made(self, editor):
        return tree_of(editor, 2, 3, is_accepted=True)

    def test_children_go_first_and_a_reason_is_asked_for(self, client, made, editor):
        page = page_of_branch(made[0], editor, PlanKind.DEACTIVATE)
        assert [row.organization for row in page.content.rows][-1] == made[0]
        assert client.get(page.action).status_code == 200
        assert press(client, page, why="").status_code == 422
        assert press(client, page).status_code == 302
        sent = Plan.objects.get().submissions.order_by("pk")
        assert [b'"Active": false' in bytes(each.message) for each in sent] == [True] * 3
        assert [each.organization_id for each in sent][-1] == made[0].pk

    def test_the_page_of_a_record_with_others_below_is_the_plan_of_its_branch(self, client, made):
        answer = client.get(f"/staging/organizations/{made[0].oid}/deactivate/")
        assert answer.context["content"].send_label == "Deactivate 3 records in STAGING"
        assert answer.context["action"] == branch(made[0], kind="deactivate")
        assert f'action="{NEW}?branch={BASE}&amp;kind=deactivate"' in answer.content.decode()

    def test_a_record_that_joined_the_branch_is_named_in_the_new_draft(self, client, made, editor):
        page = page_of_branch(made[0], editor, PlanKind.DEACTIVATE)
        joined = factories.organization(f"{BASE}.9", user=editor, part_of_oid=BASE, name="Lakeside Lab")
        factories.confirmed(joined)
        answer = press(client, page)
        assert (answer.status_code, answer.context["content"].draft.size) == (409, 4)
        assert "Nothing was sent. Here is the new plan. New in it: Lakeside Lab." in answer.context["notes"][0]
        assert not Submission.objects.exists()

    def test_a_child_that_joined_before_the_press_of_one_shows_the_plan(self, client, made, editor):
        alone = made[2]
        review = reviews.review(alone, actor=acting(editor), intent=Intent.DEACTIVATE)
        factories.confirmed(factories.organization(f"{BASE}.3.1", user=editor, part_of_oid=alone.oid))
        given = {"why": "closed", "in_words": "Lease ended", "sha256": review.sha256, "seen_submission": "0"}
        answer = client.post(f"/staging/organizations/{alone.oid}/deactivate/", given)
        assert (answer.status_code, answer.context["content"].draft.size) == (409, 2)
        assert answer.context["form"]["in_words"].value() == "Lease ended"
        assert not Submission.objects.exists()


class TestChoosing:
    LIST = "/staging/organizations/"

    def test_each_row_has_a_box_of_the_form_that_sends(self, client, editor):
        made = tree_of(editor, 2, 3)
        for answer in (client.get(self.LIST), client.get(f"{self.LIST}?view=list")):
            text = answer.content.decode()
            assert f'id="send" action="{NEW}"' in text
            for each in made:
                assert f'name="record" value="{each.pk}" form="send"' in text
                assert f'aria-label="Choose {each.name}"' in text
        rows = client.get(f"{self.LIST}{BASE}/branch/", headers={"HX-Request": "true"}).content.decode()
        assert f'value="{made[1].pk}" form="send"' in rows

    def test_what_the_address_chooses_is_ticked_and_sent_along(self, client, editor):
        top, below = tree_of(editor, 2)
        text = client.get(f"{self.LIST}?open=none&record={top.pk}&record={below.pk}").content.decode()
        assert f'value="{top.pk}" form="send" checked' in text
        assert f'<input type="hidden" name="record" value="{below.pk}">' in text

    def test_a_record_offers_its_branch_to_those_who_may_send(self, client, client_of, editor):
        (made,) = tree_of(editor)
        link = f'<a href="{NEW}?branch={BASE}">Send this branch</a>'
        assert link in client.get(f"{self.LIST}{made.oid}/").content.decode()
        assert "You cannot send a branch in STAGING." in text_of(client_of("viewer").get(f"{self.LIST}{made.oid}/"))

    def test_who_may_not_send_chooses_nothing_and_reads_why(self, client, client_of):
        tree_of(factories.editor())
        factories.organization(user=factories.editor(), environment="production")
        for asked, word in ((client_of("viewer"), "staging"), (client, "production")):
            answer = asked.get(f"/{word}/organizations/")
            assert b'form="send"' not in answer.content
            assert f"You cannot send to {word.upper()}." in text_of(answer)


class TestPlan:
    @pytest.fixture
    def plan(self, editor):
        return factories.plan(tree_of(editor, 2, 3), user=editor)

    def url(self, plan: Plan, act: str = "") -> str:
        return f"/staging/plans/{plan.pk}/{act}"

    def test_its_page_is_found_from_the_lists_and_from_each_submission(self, client, plan):
        page = text_of(client.get(self.url(plan)))
        assert f"Plan {plan.pk}, 3 records sent together" in page
        assert "0 of 3 accepted, 3 queued" in page
        assert "Reason: ticket 7" in page
        assert f"{plan.pk}, Send In progress 0 of 3 accepted, 3 queued Editor One" in text_of(
            client.get("/staging/plans/")
        )
        assert 'href="/staging/plans/"' in client.get("/staging/submissions/").content.decode()
        submission = client.get(page_of_submission(plan.submissions.earliest("pk"))).content.decode()
        assert f'<a href="{self.url(plan)}">Plan {plan.pk}</a>' in submission

    def test_an_open_page_asks_for_its_state(self, client, plan):
        since = client.get(self.url(plan)).context["content"].version_token
        state = f"{self.url(plan, 'state/')}?since="
        assert client.get(state + since).status_code == 204
        answer = client.get(f"{state}paused-0")
        assert (answer.status_code, answer.context["changed"]) == (200, True)
        assert "HX-Request" in answer["Vary"]

    def test_it_is_paused_goes_on_and_is_stopped_once(self, client, plan):
        for act, state, said in (
            ("pause/", PlanState.PAUSED, "Paused. Nothing more is sent until somebody resumes it."),
            ("go-on/", PlanState.GOING, "Resumed."),
            ("stop/", PlanState.STOPPED, "Stopped. Submissions without an attempt were cancelled."),
        ):
            answer = client.post(self.url(plan, act))
            assert answer["Location"] == self.url(plan)
            assert [str(message) for message in get_messages(answer.wsgi_request)][-1] == said
            assert Plan.objects.get().state == state
        assert set(plan.submissions.values_list("state", flat=True)) == {State.CANCELLED}
        assert "Nothing was changed." in text_of(client.post(self.url(plan, "stop/"), follow=True))

    def test_who_may_not_send_holds_only_plans_of_their_own(self, client_of, editor):
        made = factories.organization(user=editor, environment="production", destination_id=factories.BASE)
        approver = factories.UserFactory(role="approver")
        plan = factories.plan([made], user=approver)
        pause = f"/production/plans/{plan.pk}/pause/"
        assert client_of(user=editor).post(pause).status_code == 403
        assert client_of("approver").post(pause).status_code == 302
        assert Plan.objects.get().state == PlanState.PAUSED
        Plan.objects.update(made_by=editor)
        assert client_of(user=editor).post(pause.replace("pause", "go-on")).status_code == 302
        assert Plan.objects.get().state == PlanState.GOING
