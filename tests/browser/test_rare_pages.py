"""Pages that are rare or visible only for seconds: accessible and fitting like all others."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import OperationalError
from playwright.sync_api import expect

from organizations.models import EnvironmentGate, State, User, clock
from organizations.pages import help as help_page
from organizations.practice import PracticeDirectory
from organizations.services.actors import system
from orgportal.middleware import LONGEST_ADDRESS
from tests import factories
from tests.breakers import pause_environment, stop_environment

from . import window
from .conftest import PageAs
from .page_checks import layout_errors, page_errors

CONNECTION = "/staging/connection/"


def test_a_submission_being_sent_is_accessible_and_fits(
    practice: PracticeDirectory, page_as: PageAs, person: Callable[..., User]
) -> None:
    submission = factories.submission(factories.organization(user=person("editor")), user=person("editor"))
    factories.change_submissions(state=State.SENDING, attempt=1, sent_at=clock.now(), state_at=clock.now())
    page = page_as("editor")
    page.goto(f"/staging/submissions/{submission.pk}/")
    expect(page.locator("#state")).to_contain_text("The attempt began on")
    assert page_errors(page) == []
    page.locator("summary").filter(has_text="Request").click()
    expect(page.get_by_role("group", name="Request")).to_be_visible()


def test_a_connection_that_waits_or_is_stopped_is_accessible_and_says_so_once(
    practice: PracticeDirectory, page_as: PageAs
) -> None:
    page, worker = page_as("approver"), system("Worker of the tests")
    pause_environment("staging", 300, "too many requests", actor=worker)
    page.goto(CONNECTION)
    expect(page.get_by_text("slow down")).to_have_count(1)
    assert page_errors(page) == []
    stop_environment("staging", "No credential", actor=worker)
    page.goto(CONNECTION)
    expect(page.get_by_text("Sending to STAGING was stopped at")).to_have_count(1)
    assert layout_errors(page) == []
    # While Redox asks to wait, a check sends nothing.
    EnvironmentGate.objects.update(hold_until=None, hold_asked_until=None)
    page.get_by_role("button", name="Check connection").click()
    expect(page.get_by_role("button", name="Resume sending to STAGING")).to_be_visible()
    assert page_errors(page) == []


def test_the_page_of_a_refused_request_is_accessible_and_fits(transactional_db: None, page_as: PageAs) -> None:
    page = page_as("viewer")
    # Axe checks one page with the base template and one without; the others differ only in their sentences.
    for address, status, judge in (
        ("/search/?" + "q&" * (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1), 400, layout_errors),
        ("/staging/organizations/new/", 403, page_errors),
        ("/sign-out/", 405, page_errors),
        ("/search/?q=" + "a" * LONGEST_ADDRESS, 414, layout_errors),
    ):
        answer = page.goto(address)
        assert answer is not None
        assert (answer.status, judge(page)) == (status, [])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (RuntimeError("broken"), "not at Redox"),
        (OperationalError("gone"), "its database"),
    ],
)
def test_the_page_of_a_server_error_is_accessible_and_fits(
    transactional_db: None,
    page_as: PageAs,
    faults: window.Faults,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    said: str,
) -> None:
    def raises() -> None:
        raise fault

    page = page_as("viewer")
    monkeypatch.setattr(help_page, "build", raises)
    page.goto("/help/")
    expect(page.locator("body")).to_contain_text(said)
    assert [error.split(":")[0] for error in faults.errors] in (["500"], ["503"])
    faults.errors.clear()
    assert page_errors(page) == []
