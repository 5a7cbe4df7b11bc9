"""On paper: the environment's word and the facts, without menu and buttons."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from tests import factories

from . import made
from .conftest import PageAs


def test_record_submission_and_history_are_printed_without_the_menu(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    north = made.registered(user=person("editor"), name="Lakeside North")
    page = page_as("editor")
    page.emulate_media(media="print")
    for address, environment in (
        (f"/staging/organizations/{factories.BASE}/", "STAGING"),
        (f"/staging/organizations/{factories.BASE}/review/", "STAGING"),
        (f"/staging/submissions/{north.last_submission_id}/", "STAGING"),
        ("/audit/", ""),
    ):
        page.goto(address)
        for hidden in (".masthead", ".envbar nav", ".skip", ".acts", ".tabs", ".filters", "main .btn"):
            assert page.locator(hidden).locator("visible=true").count() == 0, (address, hidden)
        expect(page.locator(".print-head")).to_contain_text(
            f"orgportal{', ' if environment else ''}{environment}, printed"
        )
        if environment:
            expect(page.locator(".env-now")).to_be_visible()
        assert "Lakeside North" in page.locator("main").inner_text(), address
