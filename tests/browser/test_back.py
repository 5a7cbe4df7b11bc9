"""The browser's Back button after signing out, with every cache of Chromium."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from organizations.models import User
from tests import factories

from . import window


@pytest.fixture
def keeping_browser(browser: Browser) -> Iterator[Browser]:
    """Chromium as people run it, because that of Playwright has no back/forward cache."""
    path = window.program()
    with browser.browser_type.launch(
        executable_path=path, args=window.FLAGS, ignore_default_args=["--disable-back-forward-cache"]
    ) as keeping:
        yield keeping


def test_back_after_signing_out_shows_no_page(
    keeping_browser: Browser, portal: str, person: Callable[..., User], faults: window.Faults
) -> None:
    page = window.open_context(keeping_browser, portal, faults).new_page()
    window.sign_in(page, person("viewer").username, factories.PASSWORD)
    page.goto("/account/")
    page.goto("/help/")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/")
    for left in ("/help/", "/account/"):
        page.go_back()
        expect(page).to_have_url(f"{portal}/sign-in/?next={left}")
        expect(page.get_by_label("Password", exact=True)).to_be_visible()
    page.context.close()
