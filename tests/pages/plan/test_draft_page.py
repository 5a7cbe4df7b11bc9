"""The page that sends several records together, built without a client."""

import re

import pytest
from django.http import QueryDict
from markupsafe import escape

from organizations.models import Environment, Organization, PlanKind
from organizations.pages.plan import draft_page
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords
from orgportal import middleware
from tests import factories
from tests.factories import BASE, as_actor
from tests.page_text import html_of_page, text_in, text_of_page
from tests.views.history import save_edit
from tests.views.planning import NEW, address, branch, create_tree, page_of, page_of_branch

pytestmark = pytest.mark.django_db

DESTINATION = "0d5b4ea9-8b0e-4d1c-9f7e-3a5c1f2b6d70"


def test_the_page_lists_the_messages_in_order(editor):
    organizations = create_tree(editor, 2, 3)
    page = page_of(list(reversed(organizations)), editor)
    assert (page.content.summary, page.content.send_label) == ("STAGING, 3 records: 3 New", "Send 3 records to STAGING")
    text = text_of_page(page, "staging")
    places = [text.index(f"{number} {each.name}") for number, each in enumerate(organizations, start=1)]
    assert places == sorted(places)
    assert (page.action, page.back_url) == (address(list(reversed(organizations))), "/staging/organizations/")


def test_the_page_of_one_record_uses_the_singular(editor):
    page = page_of(create_tree(editor), editor).content
    assert (page.summary, page.send_label) == ("STAGING, 1 record: 1 New", "Send 1 record to STAGING")


def test_a_branch_contains_all_records_below(editor):
    top, below, _ = create_tree(editor, 2, 3)
    factories.organization(f"{BASE}.2.1", user=editor, part_of_oid=below.oid)
    factories.organization("2.999.1", user=editor)
    page = page_of_branch(top, editor)
    assert [row.below for row in page.content.rows] == ["", "", "Lakeside 2", ""]  # the parent if it is not the root
    assert (page.action, page.back_url) == (branch(top), f"/staging/organizations/{BASE}/")
    assert page_of_branch(below, editor).content.draft.size == 0  # its parent is not sent with it


def test_the_page_shows_each_message_and_its_values(editor):
    organizations = create_tree(editor, 2, is_accepted=True)
    for each in organizations:
        save_edit(each, editor, destination_id=DESTINATION)
    page = page_of(organizations, editor)
    assert page.content.summary == "STAGING, 2 records: 2 Update"
    rendered = html_of_page(page, "staging")
    for sent in factories.plan(organizations, user=editor).submissions.all():
        assert escape(bytes(sent.message).decode()) in rendered
        assert sent.fingerprint in text_in(rendered)
    in_sight = re.sub(r"<details.*?</details>", "", rendered, flags=re.DOTALL)
    assert in_sight.count(f'<ins class="oid">{DESTINATION}</ins>') == len(organizations)


def test_a_warning_is_shown_once_with_its_number_of_records(editor):
    page = page_of(create_tree(editor, 2, 3, contacts=()), editor).content
    (asked,) = [each for each in page.asked if each.question.text.startswith("Nobody can be reached.")]
    assert (asked.records, asked.names) == ("3 records", "Lakeside Clinics, Lakeside 2 and Lakeside 3")


def test_without_anything_to_send_there_is_no_button(editor):
    organizations = create_tree(editor, 2, 3)
    Organization.objects.filter(pk=organizations[0].pk).update(destination_known=False)
    page = page_of(organizations, editor)
    assert ["Send Lakeside Clinics first." in each.why for each in page.content.kept] == [False, True, True]
    rendered = html_of_page(page, "staging")
    assert "None of these records can be sent now" in text_in(rendered)
    assert "<button" not in rendered.partition('<section class="confirm"')[2]


def test_an_unchanged_region_links_to_its_branch(editor):
    region, below = create_tree(editor, 2)
    Organization.objects.filter(pk=region.pk).update(changes=0, presence="present", confirmed_active=True)
    Organization.objects.filter(pk=below.pk).update(changes=1)
    page = page_of([region], editor)
    assert page.content.summary == "Nothing to send: Lakeside Clinics has no unsent changes."
    rendered = html_of_page(page, "staging")
    assert "Redox gets one message" not in rendered
    assert f'href="{branch(region)}">Send this branch' in rendered


def test_a_viewer_reads_who_can_send(editor):
    viewer = factories.UserFactory(role="viewer")
    page = page_of(create_tree(editor), viewer)
    assert page.block_reason == "You cannot send to STAGING. Editors and Approvers can: Editor One."
    assert 'disabled aria-describedby="block-reason"' in html_of_page(page, "staging")


def test_a_url_can_name_as_many_records_as_a_plan_holds():
    query = "&".join(f"record={10**6 + number}" for number in range(plan_draft.MOST_RECORDS))
    assert len(f"GET {NEW}?{query} HTTP/1.1") <= middleware.LONGEST_ADDRESS


class TestForm:
    def test_a_reason_and_the_number_of_records_are_required(self, editor, monkeypatch):
        monkeypatch.setattr(plan_draft, "MANY_RECORDS", 1)
        organizations = [
            factories.organization(f"{BASE}.{place}", user=editor, environment="production") for place in (2, 3)
        ]
        chosen = ChosenRecords(Environment.PRODUCTION, PlanKind.SEND, tuple(each.pk for each in organizations))
        draft = plan_draft.draft_plan(chosen, actor=as_actor(editor))
        form = draft_page.plan_form(draft, QueryDict("reason=&number=1"))
        assert form.fields["number"].label == "Type the number of records: 2."
        assert form.errors == {"reason": ["Enter a reason."], "number": ["This is not the number. Type: 2."]}
        assert draft_page.plan_form(draft, QueryDict("reason=ticket&number=2")).is_valid()

    def test_a_record_of_the_plan_cannot_be_the_replacement(self, editor):
        top, below = create_tree(editor, 2, is_accepted=True)
        factories.accept(factories.organization("2.999.1", user=editor, name="Pier"))
        draft = page_of_branch(top, editor, PlanKind.DEACTIVATE).content.draft
        query = "why=replaced&replaced_by="
        assert list(draft_page.plan_form(draft, QueryDict(f"{query}{below.name}")).errors) == ["replaced_by"]
        replaced = draft_page.plan_form(draft, QueryDict(f"{query}Pier"))
        assert replaced.is_valid()
        assert replaced.reason_text == "Replaced by Pier (2.999.1)"
        other = draft_page.plan_form(draft, QueryDict(f"why=closed&in_words=ticket 7&replaced_by={below.name}"))
        assert other.is_valid()
        assert other.reason_text == "Location closed: ticket 7"
