"""A person decides what the portal cannot: the page asks the directory by itself and takes the decision."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from organizations.models import State, Submission, User
from organizations.practice import PracticeDirectory
from tests import factories

from . import made
from .conftest import PageAs

pytestmark = pytest.mark.usefixtures("worker")


def test_the_page_asks_and_a_decision_ends_it(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    there = {"Name": "By hand", "Active": True, "Identifiers": [{"ID": factories.BASE, "IDType": "OID"}]}
    practice.register("staging", there)
    editor = person("editor")
    made.sent(factories.organization(user=editor), user=editor)
    submission = Submission.objects.get(state=State.NEEDS_PERSON)

    page = page_as("approver")
    page.goto(f"/staging/submissions/{submission.pk}/")
    expect(page.locator("#state")).to_contain_text("You can decide.")
    page.get_by_text("It is ours, with other values").click()
    # What is expected of the page that comes holds for the page before it as well: wait for the other page.
    with page.expect_navigation():
        page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_label("It is ours, with other values")).to_be_checked()
    expect(page.locator(".problem")).to_have_count(0)
    page.get_by_role("button", name="Confirm this decision").click()
    expect(page.locator(".problem")).to_contain_text("Enter a reason.")
    page.get_by_label("Reason").fill("Registered by hand, ticket 12")
    page.get_by_role("button", name="Confirm this decision").click()

    expect(page.locator("#state")).to_contain_text("decided that")
    submission.refresh_from_db()
    assert submission.state == State.REJECTED
