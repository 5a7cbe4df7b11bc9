"""Answers of Redox other than success: a rejection, and no answer."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Organization, User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs
from .hands import expect_accepted

pytestmark = pytest.mark.usefixtures("worker")

type Changed = Callable[..., Organization]


@pytest.fixture
def changed(practice: PracticeDirectory, person: Callable[..., User]) -> Changed:
    """Returns a function that registers a record and then saves other values."""

    def changed(**values: Any) -> Organization:
        north = record_setup.register(user=person("editor"), name="Lakeside North")
        return record_setup.edit(north, user=person("editor"), **values)

    return changed


def send(page: Page) -> None:
    page.goto(f"/staging/organizations/{factories.BASE}/review/")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send update to STAGING").click()
    page.wait_for_url("**/staging/submissions/*/")


def see_accepted(page: Page) -> None:
    page.get_by_role("button", name="Review and send").click()
    page.get_by_role("button", name="Send update to STAGING").click()
    expect_accepted(page)


def test_redox_rejects_a_record_without_a_contact_and_one_is_added(
    practice: PracticeDirectory, page_as: PageAs, changed: Changed
) -> None:
    changed(contacts=())
    practice.behaviour = "says-no-parse"
    page = page_as("editor")
    send(page)
    state = page.locator("#state")
    expect(page.get_by_role("heading", name="What it would have changed")).to_be_visible()
    expect(page.get_by_role("button", name="Copy for Redox support")).to_have_count(1)
    expect(state).to_contain_text("Redox could not pass the record on. Redox names these causes: no identifier,")
    expect(state).to_contain_text("This record has no contact.")
    expect(page).to_have_title(re.compile("^Rejected: "))
    expect(state.locator(".as-written")).to_have_text("Failed to parse request body as XML resource.")

    practice.behaviour = "answers"
    state.get_by_role("link", name="Edit contacts").click()
    page.get_by_role("button", name="Add a contact").click()
    page.get_by_label("Contact name").fill("Integration desk")
    page.get_by_label("E-mail addresses").fill("desk@lakeside.example")
    see_accepted(page)
    assert practice.organizations("staging")[factories.BASE]["Contacts"][0]["Name"] == "Integration desk"


def test_a_missing_answer_is_resolved_automatically(
    practice: PracticeDirectory, page_as: PageAs, changed: Changed, settings: Any
) -> None:
    settings.REDOX_DEADLINE, settings.REDOX_SETTLE = 1.0, 2.0
    changed(address=factories.record().address, name="Lakeside North Shore", contacts=())
    practice.behaviour = "never-answers"
    page = page_as("editor")
    send(page)
    expect(page.locator("#state")).to_contain_text("We do not know whether this arrived.")
    practice.behaviour = "answers"
    expect_accepted(page)
    assert practice.organizations("staging")[factories.BASE]["Name"] == "Lakeside North Shore"


def test_a_poll_without_a_change_closes_nothing_and_keeps_the_focus(
    practice: PracticeDirectory, page_as: PageAs, changed: Changed, settings: Any
) -> None:
    settings.REDOX_DEADLINE, settings.REDOX_SETTLE = 1.0, 180.0
    changed(contacts=())
    practice.behaviour = "never-answers"
    page = page_as("editor", is_changed=True)
    page.clock.install()
    send(page)
    state = page.locator("#state")
    expect(state).to_contain_text("We do not know whether this arrived.")
    state.get_by_text("What the portal noticed").first.click()
    time = state.locator("time[data-age]")
    time.focus()
    with page.expect_response("**/state/**") as answer:
        page.clock.fast_forward(11_000)
    assert answer.value.status == 204
    expect(state.locator("details")).to_have_attribute("open", "")
    expect(time).to_be_focused()
    expect(time).to_have_text(re.compile(r"1\d seconds"))
