"""The history by keyboard and without JavaScript, and its filters, which apply on change."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from organizations.models import User
from tests import factories

from .conftest import PageAs


@pytest.fixture
def sent(transactional_db: None, person: Callable[..., User]) -> None:
    user = person("editor")
    factories.submission(factories.organization(user=user, name="Lakeside North"), user=user)


@pytest.mark.parametrize("has_script", [True, False])
def test_a_story_unfolds_by_keyboard_and_its_links_get_the_focus_next(
    sent: None, page_as: PageAs, has_script: bool
) -> None:
    page = page_as("auditor", java_script_enabled=has_script)
    page.goto("/audit/?what=submissions")
    story = page.locator(".stories details")
    story.locator("summary").focus()
    page.keyboard.press("Enter")
    for link in ("Entry", "Entry", "Open submission"):
        page.keyboard.press("Tab")
        expect(story.locator("a:focus")).to_have_accessible_name(re.compile(link))
    expect(page.get_by_role("button", name="Apply")).to_have_count(0 if has_script else 1)


def test_a_filter_applies_on_change_and_a_date_only_when_complete(sent: None, page_as: PageAs) -> None:
    page = page_as("auditor")
    page.goto("/audit/")
    page.get_by_label("What").focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("what=edits"))
    expect(page.get_by_label("What")).to_be_focused()
    page.get_by_label("Record or OID").fill("north")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("record=north.*what=edits"))
    expect(page.get_by_label("Record or OID")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("ern")
    page.get_by_label("From").focus()
    expect(page).to_have_url(re.compile("record=northern"))
    page.get_by_label("Record or OID").fill("north")
    page.get_by_label("From").focus()
    expect(page).to_have_url(re.compile("record=north&"))
    page.keyboard.type("1125202")
    page.get_by_label("Record or OID").focus()
    page.get_by_label("From").focus()
    page.keyboard.type("11252020")
    expect(page).to_have_url(re.compile("from=&"))
    page.get_by_label("Record or OID").focus()
    expect(page).to_have_url(re.compile("from=2020-11-25&"))


def test_an_error_below_a_filter_moves_no_other_filter(sent: None, page_as: PageAs) -> None:
    page = page_as("auditor")
    page.goto("/audit/?to=tomorrow")
    tops = "controls => new Set(controls.map(it => it.getBoundingClientRect().top)).size"
    assert page.locator(".labelled").locator("input:visible, select").evaluate_all(tops) == 1


def test_after_back_the_filters_match_the_list(sent: None, page_as: PageAs) -> None:
    page = page_as("auditor")
    page.goto("/audit/")
    environment = page.get_by_label("Environment", exact=True)
    for value in ("staging", "production"):
        environment.select_option(value)
        page.wait_for_url(re.compile(f"environment={value}"))
    page.go_back()
    expect(environment).to_have_value("staging")
    environment.evaluate("it => { it.value = 'production'; }")  # as when the browser restores a cached page
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(environment).to_have_value("staging")
