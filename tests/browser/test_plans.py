"""Several records at once: chosen in the list, reviewed together, watched until the last answer."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from organizations.models import Organization, User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs
from .page_checks import page_errors

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def clinics(practice: PracticeDirectory, person: Callable[..., User]) -> list[Organization]:
    """A record that Redox accepted, and five below it that were never sent."""
    editor = person("editor")
    top = record_setup.register(user=editor, name="Lakeside Clinics")
    below = ("Lakeside North", "Lakeside East", "Lakeside West", "Lakeside South", "Lakeside Island")
    return [
        top,
        *(
            factories.organization(f"{factories.BASE}.{number}", user=editor, name=name, part_of_oid=factories.BASE)
            for number, name in enumerate(below, 1)
        ),
    ]


def test_five_records_are_chosen_sent_and_watched(
    practice: PracticeDirectory, page_as: PageAs, clinics: list[Organization]
) -> None:
    page = page_as("editor")
    page.goto("/staging/organizations/")
    for each in clinics[1:]:
        page.get_by_role("checkbox", name=f"Choose {each.name}").check()
    page.get_by_role("button", name="Send 5 records").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("STAGING, 5 records: 5 New")
    practice.behaviour = "slow"
    page.get_by_role("button", name="Send 5 records to STAGING").click()

    page.wait_for_url("**/staging/plans/*/")
    page.evaluate("document.body.dataset.stays = 'yes'")
    state = page.locator("#state")
    expect(state).to_contain_text("0 of 5 accepted, 1 queued, 4 sending")
    assert page_errors(page) == []
    practice.behaviour = "answers"
    expect(state).to_contain_text("5 of 5 accepted")
    expect(state).to_contain_text("Finished")
    expect(page.locator("#live")).to_contain_text("is now: Finished. 5 of 5 accepted.")
    expect(page.locator("#submissions").get_by_text("Accepted", exact=True)).to_have_count(5)
    assert page.evaluate("document.body.dataset.stays") == "yes", "the page was loaded anew"
    assert page.title().startswith("Finished: plan ")
    assert len(practice.organizations("staging")) == 6
