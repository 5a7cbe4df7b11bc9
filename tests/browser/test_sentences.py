"""The explanation of a status word: it opens by click, focus and Enter, and closes by Escape."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs
from .keys import tab_to


def expect_explanation(page: Page, word: str, sentence: str, popover: str) -> None:
    """Check that the word opens its explanation, with a link to the help page, by each of these actions."""
    meaning = page.locator(f"#{popover}")
    button = page.get_by_role("button", name=word, exact=True)
    expect(meaning).to_be_hidden()
    button.click()
    expect(meaning).to_be_visible()
    expect(meaning).to_contain_text(sentence)
    expect(meaning.get_by_role("link", name="What this means")).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()

    page.reload()
    tab_to(page, word)
    expect(meaning).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(meaning).to_be_visible()
    tab_to(page, "What this means")
    expect(meaning).to_be_visible()


def test_each_word_of_a_record_and_a_submission_opens_its_sentence(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    north = factories.accepted_organization(user=person("editor"), name="Lakeside North")
    record_setup.edit(north, user=person("editor"), name="Lakeside North Shore")
    page = page_as("viewer")
    page.goto(f"/staging/organizations/{factories.BASE}/")
    page.get_by_role("button", name="Active", exact=True).click()
    expect(page.locator("#standing")).to_contain_text("Redox accepted")
    page.keyboard.press("Escape")
    expect_explanation(page, "Changes not sent", "1 field", "to-do-changes_not_sent")
    page.goto(f"/staging/submissions/{north.last_submission_id}/")
    expect_explanation(page, "Accepted by Redox", "Redox accepted", "state-meaning")
    page.keyboard.press("Enter")
    page.wait_for_url("**/help/#accepted")
