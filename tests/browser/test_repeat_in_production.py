"""The presses and typed fields that take a record from STAGING to its acceptance in PRODUCTION."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from organizations.models import Organization, User
from organizations.practice import PracticeDirectory
from tests import factories

from .conftest import PageAs
from .hands import Hands, expect_accepted

pytestmark = pytest.mark.usefixtures("worker")

OID = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
MOST_PRESSES, MOST_FIELDS = 6, 2


@pytest.fixture
def staging(practice: PracticeDirectory, person: Callable[..., User]) -> Organization:
    return factories.accepted_organization(user=person("editor"), name="Lakeside North")


def test_a_staging_record_is_repeated_in_production_with_few_presses(
    practice: PracticeDirectory, page_as: PageAs, staging: Organization
) -> None:
    page, hands = page_as("approver"), Hands()
    page.goto(f"/staging/organizations/{staging.oid}/")
    hands.press(page.get_by_role("link", name="Prepare in PRODUCTION"))
    hands.type(page.get_by_label("OID", exact=True), OID)
    hands.press(page.get_by_role("button", name="Review and send"))
    page.wait_for_url("**/review/")
    for warning in page.locator("main").get_by_role("checkbox").all():
        hands.press(warning)
    hands.type(page.get_by_role("textbox", name="Reason"), "Tested in STAGING, ticket 118")
    hands.press(page.get_by_role("button", name="Create in PRODUCTION"))
    expect_accepted(page)
    assert practice.organizations("production")[OID]["Name"] == "Lakeside North"
    assert hands.presses <= MOST_PRESSES
    assert hands.typed <= MOST_FIELDS
    page.get_by_role("link", name="Back to Lakeside North").click()
    expect(page.get_by_role("region", name="In STAGING")).to_contain_text("Active")
    page.get_by_role("link", name="Go to STAGING").click()
    expect(page).to_have_url(re.compile(f"/staging/organizations/{staging.oid}/$"))
