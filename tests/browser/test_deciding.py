"""A decision by a person: the page sends a Query automatically, and then the person decides."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from organizations.models import State, Submission, User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs

pytestmark = pytest.mark.usefixtures("worker")


def test_the_page_sends_a_query_and_a_decision_ends_the_submission(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    there = {"Name": "By hand", "Active": True, "Identifiers": [{"ID": factories.BASE, "IDType": "OID"}]}
    practice.register("staging", there)
    editor = person("editor")
    record_setup.send(factories.organization(user=editor), user=editor)
    submission = Submission.objects.get(state=State.NEEDS_PERSON)

    page = page_as("approver")
    page.goto(f"/staging/submissions/{submission.pk}/")
    expect(page.locator("#state")).to_contain_text("You can decide.")
    page.get_by_text("It is ours, with other values").click()
    # The expectations also hold on the page before, so wait for the new page.
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
