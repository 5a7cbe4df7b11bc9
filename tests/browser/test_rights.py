"""A person without the right sees the disabled button, and a sentence about who can help."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs

NO_EDIT = "You cannot edit records in STAGING. Editors and Approvers can: Editor One."
NO_STAGING = "You cannot send to STAGING. Editors and Approvers can: Editor One."


def test_a_viewer_reads_why_the_buttons_are_disabled(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    north = factories.accepted_organization(user=person("editor"), name="Lakeside North")
    record_setup.edit(north, user=person("editor"), name="Lakeside North Shore")
    page = page_as("viewer")
    page.goto("/staging/organizations/")
    add = page.get_by_role("button", name="Add organization")
    expect(add).to_be_disabled()
    expect(add).to_have_accessible_description(NO_EDIT)
    page.get_by_role("link", name="Lakeside North Shore").click()
    for name in ("Edit", "Review and send", "Add a record below", "Discard"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
        expect(page.get_by_role("button", name=name, exact=True)).to_have_accessible_description(NO_EDIT)
    page.goto(f"/staging/organizations/{factories.BASE}/review/")
    send = page.get_by_role("button", name="Send update to STAGING")
    expect(send).to_be_disabled()
    expect(send).to_have_accessible_description(NO_STAGING)
    page.goto(f"/staging/organizations/{factories.BASE}/edit/")
    expect(page.locator("main")).to_contain_text(NO_EDIT)
