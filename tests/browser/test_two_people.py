"""Two people edit the same record, and one person presses twice."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from organizations.models import Organization, Submission, User
from organizations.practice import PracticeDirectory
from tests import factories

from .conftest import PageAs
from .hands import expect_accepted
from .window import NARROW, WIDE

EDIT = f"/staging/organizations/{factories.BASE}/edit/"
REVIEW = f"/staging/organizations/{factories.BASE}/review/"


def expect_labels_above_values(page: Page) -> None:
    """Check this in a narrow window, where a name in a label may be too long to fit beside the value."""
    page.set_viewport_size(NARROW)
    labels = page.locator(".diff td[data-label]").evaluate_all(
        "all => all.map(it => getComputedStyle(it, '::before')).map(label => `${label.position} ${label.display}`)"
    )
    assert set(labels) == {"static block"}
    page.set_viewport_size(WIDE)


def test_the_later_of_two_editors_chooses_between_both_versions(
    transactional_db: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    factories.organization(user=person("editor"), name="Lakeside North")
    one, two = page_as("editor", "One"), page_as("editor", "Two")
    one.goto(EDIT)
    two.goto(EDIT)
    two.get_by_label("Name", exact=True).fill("Lakeside Nord")
    two.get_by_label("City").fill("Middleton")
    two.get_by_role("button", name="Save without sending").click()
    expect(two.locator("#notes")).to_contain_text("Saved.")
    expect(two.get_by_role("heading", level=1)).to_be_focused()

    one.get_by_label("Name", exact=True).fill("Lakeside North Shore")
    one.get_by_label("ZIP").fill("53703")
    one.get_by_role("button", name="Save without sending").click()
    expect(one.locator("main")).to_contain_text("while you were")
    expect_labels_above_values(one)
    one.get_by_role("button", name="Save these values").click()
    expect(one.locator(".problem")).to_contain_text("Name")
    expect(one.locator(".problem")).to_be_focused()
    one.get_by_role("row", name="Name").first.get_by_label("Mine").check()
    one.get_by_role("button", name="Save these values").click()

    expect(one.locator("#notes")).to_contain_text("Saved.")
    record = Organization.objects.get().record()
    assert (record.name, record.address.city, record.address.zip_code) == ("Lakeside North Shore", "Middleton", "53703")


def test_two_presses_make_one_submission(
    practice: PracticeDirectory, worker: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    factories.organization(user=person("editor"), name="Lakeside North")
    page = page_as("editor")
    page.goto(REVIEW)
    page.get_by_role("button", name="Create in STAGING").dblclick()
    page.wait_for_url("**/staging/submissions/*/")
    expect_accepted(page)
    assert Submission.objects.count() == 1
    assert len(practice.effects) == 1
