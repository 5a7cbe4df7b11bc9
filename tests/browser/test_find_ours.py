""" "Find ours" in a browser, from the button to the list."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import TakeOver, User
from organizations.practice import PracticeDirectory
from organizations.redox.paging import Position
from organizations.services.directory import take_over
from tests.factories import BASE, as_actor
from tests.services.directory.scanning import put

from .conftest import PageAs
from .page_checks import layout_errors, page_errors

BEGIN = "/staging/directory/take-over/"


def test_a_search_finds_ours_and_the_page_shows_its_result_afterwards(
    practice: PracticeDirectory, worker: None, page_as: PageAs
) -> None:
    practice.register_others("staging", 150)
    put(practice, f"{BASE}.1", name="Lakeside by curl")
    page = page_as("approver")
    page.goto(BEGIN)
    find = page.get_by_role("form", name="Find ours")
    find.get_by_label("Base OID").fill(BASE)
    find.get_by_role("button", name="Find ours").click()
    expect(page.get_by_role("heading", name="Searched")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text("151 organizations read, 1 of yours found, 1 not in the portal.")
    expect(page.get_by_role("row", name="Lakeside by curl").first).to_be_visible()
    assert page_errors(page) == []
    page.goto(BEGIN)
    expect(page.get_by_role("link", name="1 found, 1 not in the portal")).to_be_visible()
    expect(page.get_by_role("button", name="Find ours again")).to_be_enabled()
    assert layout_errors(page) == []


def test_a_search_that_runs_or_broke_off_is_accessible_and_fits(
    transactional_db: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    run = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(person("approver")))
    TakeOver.objects.update(read_count=12_300, position=Position(index=12_300, pages=123).to_json())
    page = page_as("editor")
    page.goto(f"{BEGIN}{run.pk}/")
    expect(page.locator("#progress")).to_contain_text("12,300 organizations read, 0 of yours found; page 124.")
    assert page_errors(page) == []
    page.goto(BEGIN)
    expect(page.get_by_role("link", name="Running now")).to_be_visible()
    tops = [page.locator(f".split > {column} > .panel").first.bounding_box() for column in ("form", "aside")]
    assert len({box["y"] for box in tops if box}) == 1
    assert layout_errors(page) == []
    problems = [{"source": f"{BASE}.3", "sentence": "It is in the directory, but not part of a record of yours."}]
    TakeOver.objects.update(state="ready", end_reason="No whole answer within 135 seconds.", problems=problems)
    page.goto(f"{BEGIN}{run.pk}/")
    expect(page.get_by_role("button", name="Continue the search")).to_be_enabled()
    assert page_errors(page) == []
