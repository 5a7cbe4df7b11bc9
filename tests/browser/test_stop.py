"""Redox refuses the credential: the open page says that everything waits, and a person resumes sending."""

from collections.abc import Callable

from playwright.sync_api import expect

from organizations.models import State, Submission, User
from organizations.practice import PracticeDirectory
from tests import factories

from .conftest import PageAs
from .hands import expect_accepted


def test_a_refused_sign_in_stops_the_environment_until_a_person_resumes_it(
    practice: PracticeDirectory, worker: None, page_as: PageAs, person: Callable[..., User]
) -> None:
    practice.behaviour = "refuses-sign-in"
    user = person("approver")
    submission = factories.submission(factories.organization(user=user, name="Lakeside North"), user=user)
    page = page_as("approver")
    page.goto(f"/staging/submissions/{submission.pk}/")
    state = page.locator("#state")
    expect(state).to_contain_text("STAGING is stopped")
    assert Submission.objects.get().state == State.QUEUED
    banner = page.get_by_role("region", name="State of STAGING")
    expect(banner).to_contain_text("STAGING: Stopped.")
    expect(page.locator("#environment-state")).to_contain_text("Stopped")
    expect(page.locator("#request-size")).to_contain_text("as it is sent")

    banner.get_by_role("link", name="Open Connection").click()
    go_on = page.get_by_role("button", name="Resume sending to STAGING")
    expect(go_on).to_have_count(0)
    practice.behaviour = "answers"
    page.get_by_role("button", name="Check connection").click()
    go_on.click()
    expect(page.get_by_role("region", name="State of STAGING")).to_have_count(0)
    page.goto(f"/staging/submissions/{submission.pk}/")
    expect_accepted(page)
