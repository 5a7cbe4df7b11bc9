"""The main job: edit a record, review what will be sent, send it, wait for the answer, and find it in the history.

From the sign-in to what is sent it takes six presses.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from organizations.models import AuditEntry, Organization, Submission, User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs
from .hands import Hands, expect_accepted

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def north(practice: PracticeDirectory, person: Callable[..., User]) -> Organization:
    return record_setup.register(user=person("editor"), name="Lakeside North")


def expect_accepted_everywhere(page: Page) -> None:
    """Check that each part of the page about the submission says that it was accepted."""
    expect(page.locator("#changes")).to_contain_text("What it changed")
    expect(page.get_by_role("columnheader", name="Sent and accepted")).to_be_visible()
    expect(page.locator("#open-submissions")).to_be_empty()
    newest = str(AuditEntry.objects.latest("pk").pk)
    expect(page.locator("#submitted-by").get_by_role("link", name=newest, exact=True)).to_be_visible()


def test_an_edit_is_reviewed_sent_and_found_in_the_history(
    practice: PracticeDirectory, page_as: PageAs, north: Organization
) -> None:
    page, hands = page_as("editor"), Hands(presses=1, typed=2)  # the sign-in itself
    page.goto("/")
    hands.press(page.get_by_role("navigation", name="Environments").get_by_role("link", name="STAGING"))
    hands.press(page.get_by_role("link", name="Lakeside North", exact=True))
    hands.press(page.get_by_role("link", name="Edit", exact=True))

    hands.type(page.get_by_label("Work phone"), "(608) 555-0177")
    hands.type(page.get_by_label("City"), "Middleton")
    hands.press(page.get_by_role("button", name="Review and send"))

    expect(page.get_by_role("heading", level=1)).to_have_text("STAGING, Update, 1 record, 2 fields change")
    expect(page.locator("#notes")).to_contain_text("Changed for you: Work phone '(608) 555-0177' to +16085550177")
    lines = page.locator("table.message code").all_inner_texts()
    practice.behaviour = "slow"
    hands.press(page.get_by_role("button", name="Send update to STAGING"))
    assert hands.presses <= 6

    page.wait_for_url("**/staging/submissions/*/")
    page.evaluate("document.body.dataset.stays = 'yes'")
    expect(page.locator("#state")).to_contain_text("The attempt began on")
    practice.behaviour = "answers"
    expect_accepted(page)
    assert page.evaluate("document.body.dataset.stays") == "yes", "the page was loaded anew"
    assert page.title().startswith("Accepted: submission ")
    expect(page.locator("#live")).to_contain_text("is now: Accepted.")
    expect_accepted_everywhere(page)

    sent = practice.requests[-1].body
    assert "\n".join(lines).encode() == sent
    assert sent == bytes(Submission.objects.latest("pk").message)
    assert practice.organizations("staging")[factories.BASE]["Address"]["City"] == "Middleton"

    page.get_by_role("link", name="Audit").click()
    page.locator("summary").filter(has_text="submitted an Update of Lakeside North").click()
    answer = page.get_by_role("row", name="Redox accepted").filter(has_text="Update of Lakeside North")
    answer.get_by_role("link", name="Entry").click()
    expect(page.locator("main")).to_contain_text("has been updated successfully")
