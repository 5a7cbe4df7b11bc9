"""Overwriting values that differ in the directory, ticked one by one with the keyboard."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Organization, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.services.records import directory_state
from tests import factories
from tests.factories import BASE

from .conftest import PageAs
from .page_checks import page_errors

RECORD = f"/staging/organizations/{BASE}/"


@pytest.fixture
def page(practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]) -> Page:
    """The page of an editor with an accepted record, which the directory shows with another name and spelling."""
    organization = factories.accept(factories.organization(user=person("editor"), name="Lakeside Clinics"))
    row = Organization.objects.get(pk=organization.pk)
    directory_record = replace(
        organization.record(), name="Lakeside (Clinics)", address=replace(organization.record().address, country="US")
    )
    directory_state.store_reading(row, directory_record, clock.now())
    return page_as("editor")


def test_the_pages_are_accessible_and_fit(page: Page) -> None:
    for name in ("differences", "deactivate"):
        page.goto(f"{RECORD}{name}/")
        assert page_errors(page) == [], name


def test_a_value_is_ticked_in_the_table_with_the_keyboard(page: Page) -> None:
    page.goto(f"{RECORD}review/")
    tick = page.get_by_role("checkbox", name="Overwrite the directory’s Name")
    page.get_by_role("button", name="Ask again").focus()
    page.keyboard.press("Tab")
    expect(tick).to_be_focused()
    page.get_by_role("button", name="Send update to STAGING").click()
    expect(page.locator(".problem")).to_contain_text("Name: Tick Overwrite")
    assert page_errors(page) == []
    tick.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Send update to STAGING").click()
    page.wait_for_url("**/staging/submissions/*/")
    assert [each["key"] for each in Submission.objects.get().warnings] == ["overwrite"]
