"""The search of the directory in a browser: groups, an answer that broke off, continuing, errors beside the fields."""

from collections.abc import Callable

import pytest
from django.test import override_settings
from playwright.sync_api import Page, expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from tests import factories
from tests.connected import redox
from tests.services.directory.test_search import listed

from .conftest import PageAs
from .page_checks import layout_errors, page_errors
from .record_setup import register
from .window import NARROW

BASE = factories.BASE
OTHER = "2.16.840.1.113883.3.6147.999.1"  # sorts after ours


@pytest.fixture
def filled(practice: PracticeDirectory, person: Callable[..., User]) -> PracticeDirectory:
    """A directory with ours in and out of the portal, and with others: 104 that begin with Lakeside."""
    register(user=person("editor"), name="Lakeside Clinics")
    changed = {"Aliases": ["Clinics"], "PartOf": {"Identifier": {"Value": "2.999.1"}}, "Contacts": []}
    practice.register("staging", practice.organizations("staging")[BASE] | changed)
    practice.register("staging", listed(f"{BASE}.14", "Lakeside Harbor", BASE))
    practice.register("staging", listed(f"{BASE}.16", "Lakeside Old Mill", f"{BASE}.14", Active=False))
    for number in range(101):
        practice.register("staging", listed(f"{OTHER}.{number + 1}", f"Lakeside Dental {number + 1}"))
    return practice


@pytest.fixture
def page(filled: PracticeDirectory, page_as: PageAs) -> Page:
    page = page_as("editor")
    page.goto("/staging/organizations/")
    page.get_by_role("navigation", name="STAGING").get_by_role("link", name="Directory").click()
    expect(page.get_by_role("heading", name="Directory of STAGING")).to_be_visible()
    return page


def search(page: Page, name: str = "Lakeside") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Search", exact=True).last.click()


@pytest.mark.slow
def test_a_search_shows_ours_first_and_can_be_continued(filled: PracticeDirectory, page: Page) -> None:
    with override_settings(REDOX=redox(filled.url, REDOX_STAGING_BASE_OIDS=BASE)):
        search(page)
        results = page.get_by_role("form", name="What the directory shows")
        expect(results.get_by_role("status")).to_contain_text("100 so far. There may be more.")
        assert page_errors(page) == []
        headings = results.locator(".group")
        expect(results.get_by_text("3 fields differ: ")).to_be_visible()
        expect(headings).to_have_text(["Ours, not in the portal 2", "In the portal 1", "Not ours 97"])

        filled.behaviour = "gateway-error"
        page.get_by_role("button", name="Continue the search").click()
        expect(results.get_by_role("status")).to_contain_text("100 so far. Then no answer came:")
        filled.behaviour = "answers"
        page.get_by_role("button", name="Continue the search").click()
        expect(results.get_by_role("status")).to_contain_text("104 organizations.")
        expect(page.get_by_label("Name")).to_have_value("Lakeside")
        results.get_by_role("link", name="Lakeside Clinics").click()
        expect(page.get_by_role("heading", name="Lakeside Clinics")).to_be_visible()


@pytest.mark.slow
def test_back_and_reload_bring_back_what_was_typed_and_enter_searches_again(
    filled: PracticeDirectory, page: Page
) -> None:
    """A page that answers a POST would make the browser ask whether to send the form again."""
    results = page.get_by_role("form", name="What the directory shows")
    search(page)
    page.get_by_role("button", name="Continue the search").click()
    expect(results.get_by_role("status")).to_contain_text("104 organizations.")
    asked = len(filled.requests)
    for leave in ("record", "reload"):
        if leave == "record":
            results.get_by_role("link", name="Lakeside Clinics").click()
            expect(page.get_by_role("heading", name="Lakeside Clinics")).to_be_visible()
            page.go_back()
        else:
            page.reload()
        expect(page.get_by_label("Name")).to_have_value("Lakeside")
        expect(page.get_by_text("Results are not kept, so search again to see them.")).to_be_visible()
        assert page_errors(page) == []
        assert len(filled.requests) == asked
        expect(page.get_by_role("button", name="Search", exact=True).last).to_be_focused()
        page.keyboard.press("Enter")
        expect(results.get_by_role("status")).to_contain_text("100 so far.")
        asked = len(filled.requests)


def test_a_search_shows_that_it_runs_and_back_shows_the_button_again(page: Page) -> None:
    """Status 204 leaves the page as it is while a request runs."""
    page.route("**/staging/directory/", lambda route: route.fulfill(status=204))
    search(page, "Lakeside")
    busy = page.get_by_role("button", name="Asking the directory...")
    expect(busy).to_be_disabled()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(busy).to_have_count(0)
    expect(page.get_by_role("button", name="Search", exact=True).last).to_be_enabled()
    expect(page.get_by_label("Name")).to_have_value("Lakeside")


def test_an_error_is_beside_its_field_and_a_missing_answer_is_named(filled: PracticeDirectory, page: Page) -> None:
    page.get_by_label("ZIP").fill("53704")
    page.get_by_label("OID").fill("2.16.x")
    search(page)
    expect(page.locator(".problem")).to_be_focused()
    assert page_errors(page) == []
    page.get_by_label("ZIP").fill("")
    page.get_by_label("OID").fill("")
    search(page, "Nobody")
    expect(page.get_by_text("No organization matches.")).to_be_visible()
    assert layout_errors(page) == []
    filled.behaviour = "gateway-error"
    search(page, "Nobody")
    expect(page.get_by_text("No answer.")).to_be_visible()
    assert layout_errors(page) == []


def test_a_phone_shows_each_organization_as_a_card(filled: PracticeDirectory, page: Page) -> None:
    page.set_viewport_size(NARROW)
    search(page, "Lakeside Harbor")
    row = page.locator("tr").filter(has_text="Lakeside Harbor")
    expect(row).to_contain_text("Not in the portal, part of your records")
    name, place = (row.locator(each).bounding_box() for each in ("th", "td[data-label='In the portal']"))
    assert name is not None
    assert place is not None
    assert place["y"] >= name["y"] + name["height"]
    assert layout_errors(page) == []
