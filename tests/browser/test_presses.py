"""How little the daily journeys ask of the hands. The practice directory answers, a worker sends."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Organization, User
from organizations.practice import PracticeDirectory

from . import made
from .conftest import PageAs
from .hands import Hands

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def north(practice: PracticeDirectory, person: Callable[..., User]) -> Organization:
    return made.registered(user=person("editor"), name="Lakeside North")


def expect_end(page: Page, words: str) -> None:
    page.wait_for_url("**/staging/submissions/*/")
    expect(page.locator("#state")).to_contain_text(words)


def test_from_sign_in_to_an_accepted_update_in_six_presses(north: Organization, page_as: PageAs) -> None:
    page, hands = page_as("editor"), Hands(presses=1, typed=2)  # the sign-in itself
    page.goto("/")
    hands.press(page.get_by_role("navigation", name="Environments").get_by_role("link", name="STAGING"))
    hands.press(page.get_by_role("link", name=north.name, exact=True))
    hands.press(page.get_by_role("link", name="Edit", exact=True))
    hands.type(page.get_by_label("City"), "Middleton")
    hands.press(page.get_by_role("button", name="Review and send"))
    hands.press(page.get_by_role("button", name="Send update to STAGING"))
    expect_end(page, "Redox accepted this on")
    assert hands.presses <= 6


def test_a_location_is_deactivated_in_three_presses_from_its_record(
    practice: PracticeDirectory, north: Organization, page_as: PageAs
) -> None:
    page, hands = page_as("editor"), Hands()
    page.goto(f"/staging/organizations/{north.oid}/")
    hands.press(page.get_by_role("link", name="Deactivate", exact=True))
    hands.press(page.get_by_label("Location closed"))
    hands.press(page.get_by_role("button", name="Deactivate in STAGING"))
    expect_end(page, "Deactivated.")
    assert hands.presses <= 3
    assert practice.organizations("staging")[north.oid]["Active"] is False
