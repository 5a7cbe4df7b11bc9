"""Several records at once: the page on which a plan is made, and the ways to it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from organizations.models import Intent, Organization, Plan, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import drafts, organizations, plans, reviews
from orgportal import middleware
from tests import factories
from tests.factories import BASE, acting
from tests.views.pages import text_of
from tests.views.planning import NEW, address, branch, press, tree_of
from tests.views.sending import page_of

pytestmark = pytest.mark.slow

type ClientOf = Callable[..., Client]


class TestPage:
    def test_it_says_what_is_sent_in_which_order(self, client: Client, editor: User) -> None:
        made = tree_of(editor, 2, 3)
        text = text_of(client.get(address(list(reversed(made)))))
        assert "STAGING, 3 records: 3 New" in text
        places = [text.index(f"{number} {each.name}") for number, each in enumerate(made, start=1)]
        assert places == sorted(places)
        assert "Send 3 records to STAGING" in text

    def test_each_message_stands_there_as_it_is_sent(
        self, client: Client, editor: User, deliver_all: Callable[[], None]
    ) -> None:
        made = tree_of(editor, 2)
        press(client, address(made))
        deliver_all()
        for each in made:
            now = Organization.objects.get(pk=each.pk)
            record = replace(now.record(), destination_id="0d5b4ea9-8b0e-4d1c-9f7e-3a5c1f2b6d70")
            organizations.edit(now.pk, now.version, record, stands_for="", actor=acting(editor))
        page = client.get(address(made))
        assert "STAGING, 2 records: 2 Update" in text_of(page)
        press(client, address(made))
        for sent in Plan.objects.latest("pk").submissions.all():
            assert escape(bytes(sent.message).decode()) in page.content.decode()
            assert sent.fingerprint in text_of(page)
        seen = re.sub(r"<details.*?</details>", "", page.content.decode(), flags=re.DOTALL)
        assert seen.count('<ins class="oid">0d5b4ea9-8b0e-4d1c-9f7e-3a5c1f2b6d70</ins>') == len(made)

    def test_one_record_is_one(self, client: Client, editor: User) -> None:
        made = tree_of(editor)
        text = text_of(client.get(address(made)))
        assert "STAGING, 1 record: 1 New" in text
        assert "Send 1 record to STAGING" in text

    def test_a_branch_is_all_that_lies_below(self, client: Client, editor: User) -> None:
        made = tree_of(editor, 2, 3)
        factories.organization("2.999.1", user=editor)
        assert client.get(branch(made[0])).context["page"].draft.size == 3
        assert client.get(branch(made[1])).context["page"].draft.size == 0

    def test_a_warning_stands_once_with_how_many_records_have_it(self, client: Client, editor: User) -> None:
        made = tree_of(editor, 2, 3, contacts=())
        text = text_of(client.get(address(made)))
        assert text.count("Nobody can be reached.") == 1
        assert "3 records: Lakeside Clinics, Lakeside 2 and Lakeside 3" in text

    def test_what_stays_behind_is_named_with_why(self, client: Client, editor: User) -> None:
        made = tree_of(editor, 2, 3)
        Organization.objects.filter(pk=made[0].pk).update(destination_known=False)
        text = text_of(client.get(address(made)))
        assert "Nothing of this can be sent now" in text
        assert text.count("Send Lakeside Clinics first.") == 2
        assert "Not sent now 3" in text

    def test_a_region_alone_without_changes_leads_to_its_branch(self, client: Client, editor: User) -> None:
        region, below = tree_of(editor, 2)
        Organization.objects.filter(pk=region.pk).update(changes=0, presence="present", confirmed_active=True)
        Organization.objects.filter(pk=below.pk).update(changes=1)
        answer = client.get(address([region]))
        text = text_of(answer)
        assert "Nothing to send: Lakeside Clinics has no unsent changes." in text
        assert "Redox gets one message" not in text
        assert f'href="{branch(region)}">Send this branch' in answer.content.decode()

    @pytest.mark.parametrize(
        "query", ["", "?record=", "?record=x&record=-1&record=99999999999", "?branch=2.999.7", "?branch=%00"]
    )
    def test_what_names_no_record_sends_none(self, client: Client, query: str) -> None:
        answer = client.get(NEW + query)
        assert answer.status_code == (404 if "branch" in query else 200)
        assert b"Send " not in answer.content
        assert client.post(NEW + query).status_code in (404, 409)

    def test_more_than_a_plan_holds_is_said(
        self, client: Client, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drafts, "MOST_RECORDS", 1)
        text = text_of(client.get(address(tree_of(editor, 2))))
        assert "At most 1 records go into one plan; these are 2. Choose fewer." in text


def test_an_address_may_name_all_that_a_plan_holds() -> None:
    named = "&".join(f"record={10**6 + number}" for number in range(drafts.MOST_RECORDS))
    assert len(f"GET {NEW}?{named} HTTP/1.1") <= middleware.LONGEST_ADDRESS


class TestSending:
    def test_it_leads_to_the_page_of_the_plan(self, client: Client, editor: User) -> None:
        made = tree_of(editor, 2, 3)
        answer = press(client, address(made))
        plan = Plan.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/staging/plans/{plan.pk}/")
        assert (plan.reason, plan.submissions.count()) == ("ticket 7", 3)

    def test_a_second_press_leads_to_the_first(self, client: Client, editor: User) -> None:
        url = address(tree_of(editor, 2))
        sha256 = client.get(url).context["page"].draft.sha256
        first = press(client, url)
        again = client.post(url, {"sha256": sha256, "reason": "ticket 7"}, follow=True)
        assert again.redirect_chain == [(first["Location"], 302)]
        assert "This was sent already at" in text_of(again)
        assert Submission.objects.count() == 2

    def test_what_changed_meanwhile_is_shown_anew_and_what_was_typed_stays(self, client: Client, editor: User) -> None:
        url = address(tree_of(editor, 2))
        answer = press(client, url, sha256="0" * 64, reason="my reason")
        assert answer.status_code == 409
        assert "Nothing was sent. Here is the new plan." in text_of(answer)
        assert b"my reason" in answer.content
        assert not Plan.objects.exists()

    def test_a_branch_that_grew_too_large_meanwhile_is_said_to_be(
        self, client: Client, editor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make = plans.make

        def make_later(*given: Any, **named: Any) -> Plan:
            monkeypatch.setattr(drafts, "MOST_RECORDS", 1)
            return make(*given, **named)

        monkeypatch.setattr(plans, "make", make_later)
        answer = press(client, address(tree_of(editor, 2)))
        assert answer.status_code == 409
        assert "At most 1 records go into one plan; these are 2. Choose fewer." in text_of(answer)
        assert not Plan.objects.exists()

    def test_boxes_reason_and_number_are_asked_for(self, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drafts, "MANY_RECORDS", 1)
        approver = factories.UserFactory(role="approver")
        made = [factories.organization(f"{BASE}.{place}", user=approver, environment="production") for place in (2, 3)]
        url = address(made).replace("staging", "production")
        answer = press(client_of(user=approver), url, tick=[], reason="", number="1")
        text = text_of(answer)
        assert answer.status_code == 422
        for said in ("Tick: No destination ID.", "Enter a reason.", "This is not the number. Type: 2."):
            assert said in text
        assert "Type the number of records: 2." in text
        assert press(client_of(user=approver), url, number="2").status_code == 302

    def test_who_may_not_send_reads_it_and_sends_nothing(self, client_of: ClientOf, editor: User) -> None:
        url = address(tree_of(editor))
        viewer = client_of("viewer")
        assert "You cannot send to STAGING." in text_of(viewer.get(url))
        assert press(viewer, url).status_code == 403
        assert not Plan.objects.exists()

    def test_a_lost_sign_in_brings_it_back_filled(self, client: Client, editor: User) -> None:
        answer = press(client, address(tree_of(editor)), **{"came-back": "1", "reason": "my reason"})
        assert answer.status_code == 422
        assert b"my reason" in answer.content
        assert not Plan.objects.exists()


class TestDeactivating:
    @pytest.fixture
    def made(self, client: Client, editor: User, deliver_all: Callable[[], None]) -> list[Organization]:
        made = tree_of(editor, 2, 3)
        press(client, address(made))
        deliver_all()
        return made

    def test_children_go_first_and_all_become_inactive(
        self,
        client: Client,
        made: list[Organization],
        practice: PracticeDirectory,
        deliver_all: Callable[[], None],
    ) -> None:
        url = branch(made[0], kind="deactivate")
        page = client.get(url)
        text = text_of(page)
        assert "STAGING, 3 records can be deactivated now" in text
        assert "Deactivate 3 records in STAGING" in text
        assert page.context["page"].rows[-1].organization == made[0]
        assert press(client, url, why="").status_code == 422
        assert press(client, url).status_code == 302
        deliver_all()
        assert [each["Active"] for each in practice.organizations("staging").values()] == [False] * 3

    def test_what_stays_active_and_why_is_on_the_page(
        self, client: Client, made: list[Organization], editor: User
    ) -> None:
        Organization.objects.filter(pk=made[1].pk).update(city="Middleton")
        factories.submission(made[1], user=editor)
        answer = client.get(branch(made[0], kind="deactivate"))
        text, page = text_of(answer), answer.context["page"]
        assert page.because
        assert page.because in text
        assert f"Stays active {len(page.kept)}" in text

    def test_saved_changes_that_stay_behind_are_named(
        self, client: Client, made: list[Organization], editor: User
    ) -> None:
        Organization.objects.filter(pk=made[1].pk).update(city="Middleton")
        text = text_of(client.get(branch(made[0], kind="deactivate")))
        assert "1 saved change of Lakeside 2 (City) is not sent. It stays saved." in text

    def test_the_waiting_parent_says_for_how_many_children(self, client: Client, made: list[Organization]) -> None:
        press(client, branch(made[0], kind="deactivate"))
        last = Submission.objects.get(organization=made[0], intent=Intent.DEACTIVATE)
        assert "Waits for 2 children to be deactivated." in text_of(client.get(page_of(last)))


class TestChoosing:
    LIST = "/staging/organizations/"

    def test_each_row_has_a_box_of_the_form_that_sends(self, client: Client, editor: User) -> None:
        made = tree_of(editor, 2, 3)
        branch_of_top = f"{self.LIST}{BASE}/branch/"
        for answer in (client.get(self.LIST), client.get(f"{self.LIST}?view=list")):
            text = answer.content.decode()
            assert f'id="send" action="{NEW}"' in text
            for each in made:
                assert f'name="record" value="{each.pk}" form="send"' in text
                assert f'aria-label="Choose {each.name}"' in text
        rows = client.get(branch_of_top, headers={"HX-Request": "true"}).content.decode()
        assert f'value="{made[1].pk}" form="send"' in rows

    def test_what_the_address_chooses_is_ticked_and_sent_along(self, client: Client, editor: User) -> None:
        top, below = tree_of(editor, 2)
        text = client.get(f"{self.LIST}?open=none&record={top.pk}&record={below.pk}").content.decode()
        assert f'value="{top.pk}" form="send" checked' in text
        assert f'<input type="hidden" name="record" value="{below.pk}">' in text

    def test_a_record_offers_its_branch(self, client: Client, client_of: ClientOf, editor: User) -> None:
        made = tree_of(editor)
        link = f'<a href="{NEW}?branch={BASE}">Send this branch</a>'
        assert link in client.get(f"{self.LIST}{made[0].oid}/").content.decode()
        text = text_of(client_of("viewer").get(f"{self.LIST}{made[0].oid}/"))
        assert "You cannot send a branch in STAGING." in text

    def test_who_may_not_send_chooses_nothing_and_reads_why(self, client: Client, client_of: ClientOf) -> None:
        tree_of(factories.editor())
        factories.organization(user=factories.editor(), environment="production")
        for asked, word in ((client_of("viewer"), "staging"), (client, "production")):
            answer = asked.get(f"/{word}/organizations/")
            assert b'form="send"' not in answer.content
            assert f"You cannot send to {word.upper()}." in text_of(answer)


class TestChildrenAsWell:
    @pytest.fixture
    def made(self, client: Client, editor: User, deliver_all: Callable[[], None]) -> list[Organization]:
        made = tree_of(editor, 2, 3)
        made.append(factories.organization(f"{BASE}.2.1", user=editor, part_of_oid=f"{BASE}.2"))
        press(client, address(made))
        deliver_all()
        return made

    def page(self, client: Client, made: Organization) -> Any:
        return client.get(f"/staging/organizations/{made.oid}/deactivate/")

    def test_the_page_of_the_record_is_the_plan_of_its_branch(
        self, client: Client, client_of: ClientOf, made: list[Organization]
    ) -> None:
        answer = self.page(client, made[0])
        assert answer.context["page"].draft.size == 4
        assert f'action="{NEW}?branch={BASE}&amp;kind=deactivate"' in answer.content.decode()
        assert "Deactivate 4 records in STAGING" in text_of(answer)
        viewer = self.page(client_of("viewer"), made[0])
        assert "You cannot send to STAGING." in text_of(viewer)

    def test_a_reason_that_names_a_record_of_the_plan_is_refused(
        self, client: Client, made: list[Organization]
    ) -> None:
        url = branch(made[0], kind="deactivate")
        answer = press(client, url, why="replaced", replaced_by=made[1].name)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["replaced_by"])
        assert press(client, url, why="closed", replaced_by=made[1].name).status_code == 302
        assert Plan.objects.latest("pk").reason == "Location closed: ticket 7"

    def test_a_record_that_joined_the_branch_meanwhile_is_named_in_the_new_plan(
        self, client: Client, made: list[Organization], editor: User
    ) -> None:
        url = branch(made[0], kind="deactivate")
        page = client.get(url).context["page"]
        joined = factories.confirmed(
            factories.organization(f"{BASE}.9", user=editor, part_of_oid=BASE, name="Lakeside Lab")
        )
        given = {"sha256": page.draft.sha256, "planned": page.planned, "left": page.left, "why": "closed"}
        answer = client.post(url, given)
        assert (answer.status_code, answer.context["page"].draft.size) == (409, 5)
        assert "Nothing was sent. Here is the new plan. New in it: Lakeside Lab." in answer.context["notes"][0]
        assert not Submission.objects.filter(organization=joined).exists()

    def test_a_child_that_joined_before_the_press_of_one_shows_the_plan(
        self, client: Client, made: list[Organization], editor: User
    ) -> None:
        alone = made[2]
        review = reviews.review(alone, actor=acting(editor), intent=Intent.DEACTIVATE)
        factories.confirmed(factories.organization(f"{BASE}.3.1", user=editor, part_of_oid=alone.oid))
        given = {"why": "closed", "in_words": "Lease ended", "sha256": review.sha256, "seen_submission": "0"}
        answer = client.post(f"/staging/organizations/{alone.oid}/deactivate/", given)
        assert (answer.status_code, answer.context["page"].draft.size) == (409, 2)
        assert b'value="Lease ended"' in answer.content
        assert not Submission.objects.filter(intent=Intent.DEACTIVATE).exists()
