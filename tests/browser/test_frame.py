"""The header on a phone: it is low, and everything stays reachable."""

import pytest
from playwright.sync_api import Page, expect

from tests import factories

from .conftest import PageAs
from .window import NARROW

# In pixels, to the end of the environment bar. Warnings below it are not on every page.
HEIGHTS = {"/": 90, "/staging/organizations/": 118, "/production/organizations/": 118}


@pytest.fixture
def phone(page_as: PageAs) -> Page:
    return page_as("viewer", viewport=NARROW, java_script_enabled=False)


def test_the_header_is_low(phone: Page) -> None:
    for address, height in HEIGHTS.items():
        phone.goto(address)
        bar = phone.locator(".envbar").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] <= height, address
        expect(phone.get_by_role("link", name="orgportal", exact=True)).to_be_visible()


def test_search_is_one_link_away(phone: Page) -> None:
    factories.organization(user=factories.editor(), name="Lakeside Clinics")
    phone.goto("/staging/organizations/")
    phone.get_by_role("link", name="Search the portal").click()
    field = phone.get_by_role("searchbox", name="Name, OID, phone, e-mail or message ID")
    field.fill("clinics")
    field.press("Enter")
    expect(phone.get_by_role("link", name="Lakeside Clinics")).to_be_visible()
