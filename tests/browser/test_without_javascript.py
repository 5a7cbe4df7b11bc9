"""A record is edited, reviewed and sent without a script."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.services import workers
from organizations.services.actors import system
from tests import factories

from . import record_setup
from .conftest import PageAs
from .hands import expect_accepted


def test_a_record_is_edited_reviewed_and_sent_without_a_script(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    record_setup.register(user=person("editor"), name="Lakeside North")
    page = page_as("editor", java_script_enabled=False)
    page.goto(f"/staging/organizations/{factories.BASE}/edit/")
    page.get_by_label("Name", exact=True).fill("Lakeside North Shore")
    page.get_by_role("button", name="Add a contact").click()
    page.get_by_role("button", name="Add a contact").click()
    page.locator("#contact-1 > summary").click()
    page.get_by_label("Contact name").nth(1).fill("To be removed")
    page.get_by_label("Contact name").nth(2).fill("Front office")
    page.get_by_label("Work phone").nth(2).fill("608 555 0188")
    page.get_by_role("button", name="Remove contact 2").click()
    expect(page.get_by_label("Contact name")).to_have_count(2)
    expect(page.get_by_label("Contact name").nth(1)).to_have_value("Front office")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Lakeside North Shore")

    page.get_by_role("button", name="Review and send").click()
    page.get_by_role("button", name="Send update to STAGING").click()
    expect(page.locator("#state")).to_contain_text("Queued")
    expect(page.locator("#state")).to_contain_text("Reload to see the result.", use_inner_text=True)
    expect(page.locator("#asked-by footer")).to_be_hidden()  # it only has a button to copy
    assert workers.run_once(system("Worker of the tests"))
    page.reload()
    expect_accepted(page)
    contacts = practice.organizations("staging")[factories.BASE]["Contacts"]
    assert [contact["Name"] for contact in contacts] == ["Integration desk", "Front office"]
