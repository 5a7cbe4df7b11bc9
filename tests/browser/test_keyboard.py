"""The main job without a mouse: only Tab, Enter, Space and typing. The focus is always visible."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs
from .hands import expect_accepted
from .keys import press, tab_to, type_in


def test_edit_review_and_send_without_a_mouse(
    practice: PracticeDirectory, worker: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    record_setup.register(user=person("editor"), name="Lakeside North")
    page = page_as("editor")
    page.goto("/")
    press(page, "STAGING")
    page.wait_for_url("**/staging/organizations/")
    press(page, "Skip to the page")
    press(page, "Lakeside North")
    page.wait_for_url(f"**/{factories.BASE}/")
    press(page, "More", "Space")
    expect(page.get_by_role("link", name="Add a record below").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("details.menu[open]")).to_have_count(0)
    press(page, "Edit")

    page.wait_for_url("**/edit/")
    type_in(page, "Name", "Lakeside North Shore")
    type_in(page, "ZIP", "5370")
    press(page, "Save without sending", "Space")
    expect(page.locator(".problem")).to_be_focused()
    press(page, page.locator(".problem a").inner_text())
    expect(page.get_by_label("ZIP")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("53703")
    press(page, "Review and send")

    page.wait_for_url("**/review/")
    type_in(page, "Reason (optional in STAGING)", "Ticket 118")
    press(page, "Send update to STAGING", "Space")
    page.wait_for_url("**/staging/submissions/*/")
    expect_accepted(page)
    request = page.locator("summary").filter(has_text="Request")
    tab_to(page, " ".join(request.inner_text().split()))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Request", exact=True).last).to_contain_text("Lakeside North Shore")
    assert practice.organizations("staging")[factories.BASE]["Name"] == "Lakeside North Shore"
