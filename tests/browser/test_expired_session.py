"""A sign-in that expires while a person types, and a form with a stale token: no input is lost."""

from collections.abc import Callable

from django.contrib.sessions.models import Session
from playwright.sync_api import Dialog, expect

from organizations.models import Organization, User
from organizations.practice import PracticeDirectory
from tests import factories

from . import window
from .conftest import PageAs

EDIT = f"/staging/organizations/{factories.BASE}/edit/"
SENTENCE = "This page was out of date. Check and press the button again. Nothing was lost, and nothing was sent."


def test_an_expired_sign_in_shows_the_form_again_filled(
    transactional_db: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    user = person("editor")
    factories.organization(user=user, name="Lakeside North")
    page = page_as("editor")
    page.goto(EDIT)
    page.get_by_label("Name", exact=True).fill("Lakeside North Shore")
    Session.objects.all().delete()
    page.get_by_role("button", name="Save without sending").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in has ended")

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in again in another tab").click()
    window.sign_in(opened.value, user.username, factories.PASSWORD)
    page.get_by_role("button", name="Bring the form back").click()
    expect(page.locator("main")).to_contain_text(SENTENCE)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Lakeside North Shore")
    assert Organization.objects.get().name == "Lakeside North"
    page.get_by_role("button", name="Save without sending").click()
    expect(page.locator("#notes")).to_contain_text("Saved.")
    assert Organization.objects.get().name == "Lakeside North Shore"


def test_a_stale_token_shows_the_review_again_and_sends_nothing(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    user = person("editor")
    factories.organization(user=user, name="Lakeside North")
    page = page_as("editor")
    page.goto(f"/staging/organizations/{factories.BASE}/review/")
    page.get_by_label("Reason").fill("Ticket 118")
    other = page.context.new_page()
    other.goto("/account/")
    other.locator("details.menu summary").click()
    other.get_by_role("button", name="Sign out").click()
    window.sign_in(other, user.username, factories.PASSWORD)
    page.get_by_role("button", name="Create in STAGING").click()
    expect(page.locator("main")).to_contain_text(SENTENCE)
    expect(page.get_by_label("Reason")).to_have_value("Ticket 118")
    page.get_by_role("button", name="Create in STAGING").click()
    page.wait_for_url("**/staging/submissions/*/")


def test_an_open_page_goes_to_the_sign_in_and_back(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User], faults: window.Faults
) -> None:
    faults.allowed = {401}
    user = person("editor")
    submission = factories.submission(factories.organization(user=user), user=user)
    page = page_as("editor")
    page.goto(f"/staging/submissions/{submission.pk}/")
    expect(page.locator("#state")).to_contain_text("Queued")
    Session.objects.all().delete()
    page.wait_for_url("**/sign-in/?next=**")
    page.get_by_label("Name", exact=True).fill(user.username)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"**/staging/submissions/{submission.pk}/")


def test_leaving_with_unsaved_input_asks_for_confirmation(
    transactional_db: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    factories.organization(user=person("editor"), name="Lakeside North")
    page = page_as("editor")
    page.goto(EDIT)
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.get_by_role("link", name="Help").click()
    page.wait_for_url("**/help/")
    assert asked == []
    page.goto(EDIT)
    page.get_by_label("Name", exact=True).fill("Lakeside North Shore")
    page.get_by_role("link", name="Help").click()
    page.wait_for_url("**/help/")
    assert asked == ["beforeunload"]
