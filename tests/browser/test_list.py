"""The list of organizations in a browser: the dock, filters that apply at once, folding in place."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from organizations.models import Organization, User
from tests import bulk, factories

from .conftest import PageAs
from .page_checks import page_errors
from .window import NARROW, Faults

BASE = factories.BASE
LIST = "/staging/organizations/"


@pytest.fixture
def records(transactional_db: None, person: Callable[..., User]) -> None:
    """A company with two regions of thirty locations; in each region one has unsent changes."""
    bulk.records(63)
    Organization.objects.update(changes=0, presence="present", presence_basis="accepted", confirmed_active=True)
    Organization.objects.filter(oid=f"{BASE}.1").update(name="North Region")
    Organization.objects.filter(oid=f"{BASE}.1.4").update(name="Merrill", changes=2)
    Organization.objects.filter(oid=f"{BASE}.2.4").update(name="Delavan", changes=1)


def test_the_dock_is_visible_while_records_are_chosen(records: None, page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(f"{LIST}?open=all")
    dock, add = page.locator("#send"), page.get_by_role("link", name="Add organization")
    expect(dock).to_be_hidden()
    page.get_by_role("checkbox", name="Choose Merrill").check()
    expect(dock).to_be_in_viewport()
    expect(dock).to_contain_text("1 chosen")
    page.get_by_role("checkbox", name="Choose Delavan").check()
    expect(page.get_by_role("button", name="Send 2 records")).to_have_class("btn btn-primary")
    expect(add).to_have_class("btn")
    assert page_errors(page) == []
    page.get_by_role("link", name="Choose none").click()
    expect(dock).to_be_hidden()
    expect(page.get_by_role("checkbox", name="Choose Merrill")).to_be_focused()
    expect(add).to_have_class("btn btn-primary")


def test_a_filter_applies_at_once_and_keeps_the_focus_and_the_chosen_records(records: None, page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(f"{LIST}?open={BASE}.1")
    page.get_by_role("checkbox", name="Choose Merrill").check()
    page.get_by_text("More filters").click()
    select = page.get_by_label("State", exact=True)
    select.focus()
    select.select_option("IL")
    expect(page.locator("#count")).to_have_text("0 of 63 records match")
    expect(select).to_be_focused()
    expect(page.locator("#live")).to_have_text("0 of 63 records match")
    expect(page.locator("#send")).to_contain_text("1 chosen 1 of them not on this page")
    select.select_option("")
    expect(page.locator("#count")).to_have_text("63 records, 60 in folded branches")
    expect(select).to_be_focused()
    page.get_by_label("Search within").fill(f"{BASE}.1.4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Choose Merrill")).to_be_checked()
    page.get_by_role("link", name="Remove all").click()
    expect(page.locator("#send")).to_contain_text("1 of them not on this page")
    page.get_by_role("link", name="Records below North Region").click()
    expect(page.get_by_role("checkbox", name="Choose Merrill")).to_be_checked()
    expect(page.locator("#send")).not_to_contain_text("not on this page")
    expect(page.locator("#send")).to_contain_text("1 chosen")


def test_chosen_records_stay_chosen_after_back(records: None, page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(f"{LIST}?open=all")
    dock, boxes = page.locator("#send"), page.locator(".pick")
    for number in (1, 2, 3):
        boxes.nth(number).check()
    page.get_by_role("link", name="Merrill", exact=True).click()
    page.go_back()
    expect(dock).to_contain_text("3 chosen")
    page.get_by_label("Directory status").select_option("active")
    expect(page.locator("#count")).to_contain_text("match")
    boxes.nth(2).uncheck()
    page.get_by_role("link", name="Merrill", exact=True).click()
    page.go_back()
    expect(dock).to_contain_text("2 chosen")
    expect(boxes.nth(2)).not_to_be_checked()


def test_ticks_and_text_entered_before_the_list_arrives_are_kept(records: None, page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(f"{LIST}?open=all")
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        waiting.append(route)

    page.route(re.compile("standing=active"), wait, times=1)
    with page.expect_request(re.compile("standing=active")):
        page.get_by_label("Directory status").select_option("active")
    page.get_by_role("checkbox", name="Choose Merrill").check()
    search = page.get_by_label("Search within")
    search.press_sequentially(f"{BASE}.1.4")
    waiting[0].continue_()
    expect(page.locator("#count")).to_contain_text("63 of 63 records match")
    expect(page.locator("#send")).to_contain_text("1 chosen")
    expect(search).to_be_focused()
    expect(search).to_have_value(f"{BASE}.1.4")
    search.press("Enter")
    expect(page.locator("#count")).to_contain_text("1 of 63 records matches, and 2 parents")
    expect(page.get_by_role("checkbox", name="Choose Merrill")).to_be_checked()
    page.reload()
    expect(page.locator("#send")).to_contain_text("1 chosen")


def test_a_filter_keeps_the_focus_on_its_new_element(records: None, page_as: PageAs) -> None:
    page = page_as("editor")
    page.goto(LIST)
    focused = page.locator(":focus")
    page.get_by_text("More filters").click()
    page.get_by_label("Below", exact=True).fill(f"{BASE}.1")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("Tree")
    expect(page.locator("#count")).to_contain_text("match")
    expect(focused).to_have_text("Tree")
    page.get_by_role("link", name="Records below North Region").focus()
    page.get_by_label("State", exact=True).evaluate(
        "select => { select.value = 'IL'; select.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    expect(page.locator("#count")).to_have_text("0 of 63 records match")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_if_the_list_does_not_load_the_page_says_so_and_resets_the_filters(
    records: None, page_as: PageAs, faults: Faults
) -> None:
    page = page_as("editor")
    page.goto(LIST)
    select, said = page.get_by_label("Directory status"), page.locator("#notes")
    answers: list[Callable[[Route], None]] = [lambda route: route.fulfill(status=500), lambda route: route.abort()]
    for answer in answers:
        page.route(re.compile(r"/organizations/(\?|.*branch)"), answer)
        select.select_option("active")
        expect(said).to_have_text("! The list could not be loaded. It still shows the filters from before.")
        expect(select).to_have_value("")
        page.get_by_role("link", name="Records below North Region").click()
        expect(said).to_have_text("! This could not be loaded. The page shows what it showed before.")
        page.unroute_all()
    faults.errors.clear()  # the answers, and what htmx writes about them


def test_a_folded_row_says_what_it_hides(records: None, page_as: PageAs) -> None:
    page = page_as("viewer")
    page.goto(LIST)
    count, held = page.locator("#count"), page.get_by_text("below: 1 not sent").first
    expect(count).to_have_text("63 records, 60 in folded branches")
    region = page.get_by_role("link", name="Records below North Region")
    address = page.url
    expect(held).to_be_visible()
    region.click()
    expect(count).to_have_text("63 records, 30 in folded branches")
    expect(region).to_have_attribute("aria-expanded", "true")
    expect(held).to_be_hidden()
    region.click()
    expect(count).to_have_text("63 records, 60 in folded branches")
    expect(held).to_be_visible()
    assert page.url == address


def test_a_region_names_its_work_until_all_its_records_are_visible(records: None, page_as: PageAs) -> None:
    Organization.objects.filter(part_of_oid=f"{BASE}.2").update(part_of_oid=f"{BASE}.1")
    page = page_as("viewer")
    page.goto(f"{LIST}?open={BASE}.1")
    count, held = page.locator("#count"), page.get_by_text("below: 2 not sent").nth(1)
    region, more = (
        page.get_by_role("link", name="Records below North Region"),
        page.get_by_role("link", name="more here"),
    )
    expect(count).to_have_text("63 records, 10 behind “more here”")
    expect(held).to_be_visible()
    region.click()
    expect(count).to_have_text("63 records, 60 in folded branches")
    region.click()
    expect(count).to_have_text("63 records, 10 behind “more here”")
    expect(held).to_be_visible()
    more.click()
    expect(count).to_have_text("63 records")
    expect(held).to_be_hidden()


def test_all_with_unsent_changes_are_chosen_without_a_script(records: None, page_as: PageAs) -> None:
    page = page_as("editor", java_script_enabled=False)
    page.goto(LIST)
    dock = page.locator("#send")
    expect(dock).to_contain_text("Choose records to send")
    page.get_by_role("link", name="Choose all 2 with unsent changes").click()
    expect(dock).to_contain_text("2 chosen")
    for name in ("Merrill", "Delavan"):
        expect(page.get_by_role("checkbox", name=f"Choose {name}")).to_be_checked()
    page.get_by_label("Directory status").select_option("active")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#count")).to_have_text("2 of 63 records match, and 3 parents")


def test_a_phone_hides_the_status_of_ordinary_records(records: None, page_as: PageAs) -> None:
    page = page_as("viewer", viewport=NARROW)
    page.goto(f"{LIST}?view=list")
    expect(page.locator("td.ordinary").first).to_be_hidden()
    expect(page.get_by_text("Changes not sent").nth(1)).to_be_visible()
