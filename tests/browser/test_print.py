"""Printed pages: the environment and the facts, without menu and buttons."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs

PAGE_RULES = """
() => [...document.styleSheets].flatMap(sheet => [...sheet.cssRules]).filter(rule => rule.media?.mediaText === 'print')
  .flatMap(rule => [...rule.cssRules]).filter(rule => rule instanceof CSSPageRule).map(rule => rule.cssText).join()
"""


def test_an_unknown_submission_is_printed_with_page_numbers_and_without_its_button(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    practice.behaviour = "applies-then-504"
    sent = record_setup.send(
        factories.organization(user=person("editor"), name="Lakeside North"), user=person("editor")
    )
    page = page_as("editor")
    page.goto(f"/staging/submissions/{sent.pk}/")
    expect(page.get_by_text("reads, does not write", exact=True)).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_text("reads, does not write", exact=True)).to_be_hidden()
    assert "counter(page)" in page.evaluate(PAGE_RULES)


def test_record_submission_and_history_are_printed_without_the_menu(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    north = factories.accepted_organization(user=person("editor"), name="Lakeside North")
    page = page_as("editor")
    page.emulate_media(media="print")
    for address, environment in (
        (f"/staging/organizations/{factories.BASE}/", "STAGING"),
        (f"/staging/organizations/{factories.BASE}/review/", "STAGING"),
        (f"/staging/submissions/{north.last_submission_id}/", "STAGING"),
        ("/audit/", ""),
    ):
        page.goto(address)
        for hidden in (".masthead", ".envbar nav", ".skip", ".acts", ".tabs", ".filters", ".labelled", "main .btn"):
            assert page.locator(hidden).locator("visible=true").count() == 0, (address, hidden)
        expect(page.locator(".print-head")).to_contain_text(
            f"orgportal{', ' if environment else ''}{environment}, printed"
        )
        if environment:
            expect(page.locator(".env-now")).to_be_visible()
        assert "Lakeside North" in page.locator("main").inner_text(), address
