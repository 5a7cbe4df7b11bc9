"""Deactivating a location in PRODUCTION by typing its name, and reactivating it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from organizations.services import workers
from organizations.services.actors import system
from tests import factories

from . import record_setup
from .conftest import PageAs
from .hands import Hands, expect_accepted


@pytest.fixture
def page(practice: PracticeDirectory, worker: None, page_as: PageAs, person: Callable[..., User]) -> Page:
    """The page of an approver with an active PRODUCTION location that has an unsent change."""
    old_town = record_setup.register(user=person("approver"), environment="production", name="Lakeside Old Town")
    record_setup.edit(old_town, user=person("editor"), name="Lakeside New Town")
    page = page_as("approver")
    page.goto(f"/production/organizations/{factories.BASE}/")
    return page


def test_a_location_is_deactivated_and_reactivated_in_production(practice: PracticeDirectory, page: Page) -> None:
    page.get_by_role("link", name="Deactivate", exact=True).click()
    expect(page.locator("main")).to_contain_text("1 saved change (Name)")
    page.get_by_label("Location closed").check()
    page.get_by_label("Type the name").fill("  lakeside old town ")
    button = page.get_by_role("button", name="Deactivate in PRODUCTION")
    expect(button).to_have_css("background-color", "rgb(171, 31, 56)")
    expect(button).to_have_css("color", "rgb(255, 255, 255)")
    button.click()
    page.wait_for_url("**/production/submissions/*/")
    expect(page.locator("#state")).to_contain_text("Deactivated. Others stop finding it")
    stored = practice.organizations("production")[factories.BASE]
    assert (stored["Active"], stored["Name"]) == (False, "Lakeside Old Town")

    page.get_by_role("link", name="Back to Lakeside").click()
    expect(page.locator(".head .status")).to_have_text("Deactivated")
    page.get_by_role("link", name="Reactivate", exact=True).click()
    page.get_by_label("Other").check()
    page.get_by_label("In words").fill("Opened again")
    page.get_by_label("Type the name").fill("Lakeside Old Town")
    page.get_by_role("button", name="Reactivate in PRODUCTION").click()
    page.wait_for_url("**/production/submissions/*/")
    expect_accepted(page)
    assert practice.organizations("production")[factories.BASE]["Active"] is True


def test_a_staging_location_is_deactivated_by_three_presses_without_a_script(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    record_setup.register(user=person("editor"), name="Lakeside Old Town")
    page, hands = page_as("editor", java_script_enabled=False), Hands()
    page.goto(f"/staging/organizations/{factories.BASE}/")
    hands.press(page.get_by_role("link", name="Deactivate", exact=True))
    hands.press(page.get_by_label("Location closed"))
    expect(page.locator("#id_replaced_by")).to_have_count(1)
    expect(page.locator("#id_replaced_by")).to_be_hidden()
    hands.press(page.get_by_role("button", name="Deactivate in STAGING"))
    page.wait_for_url("**/staging/submissions/*/")
    assert hands.presses <= 3
    assert workers.run_once(system("Worker of the tests"))
    assert practice.organizations("staging")[factories.BASE]["Active"] is False
