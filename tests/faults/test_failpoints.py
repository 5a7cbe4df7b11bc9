"""The places at which tests let a process fail: what they do, and that they do nothing where no test asks for it."""

import os
import subprocess
import sys
import time

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from organizations.models import AuditEntry, Environment, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import failpoints, reviews
from organizations.services.failpoints import Failpoint, reach
from organizations.services.faults import AlreadySent
from tests import factories
from tests.faults.portals import ROOT
from tests.services.sending import deliver


@pytest.fixture(autouse=True)
def nothing_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_done", set())


def test_nothing_happens_where_no_setting_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGPORTAL_FAILPOINT", "here:exception")
    reach("here")


@pytest.mark.slow
def test_the_settings_in_earnest_do_not_know_the_variable() -> None:
    code = "import django; django.setup(); from organizations.services import failpoints; failpoints.reach('here')"
    given = {"DJANGO_SETTINGS_MODULE": "orgportal.settings", "ORGPORTAL_FAILPOINT": "here:exception"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | given, check=True)


def test_it_happens_at_its_place_and_once(settings: Settings) -> None:
    settings.FAILPOINT = "here:exception"
    reach("there")
    with pytest.raises(Failpoint):
        reach("here")
    reach("here")


def test_a_frozen_process_goes_on(settings: Settings) -> None:
    settings.FAILPOINT = "here:freeze:0.05"
    started = time.monotonic()
    reach("here")
    assert time.monotonic() - started >= 0.05


def test_an_action_that_is_misspelt_is_a_fault(settings: Settings) -> None:
    settings.FAILPOINT = "here:explode"
    with pytest.raises(ValueError, match="no action of a failpoint"):
        reach("here")


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_gone_comes_back(settings: Settings) -> None:
    settings.FAILPOINT = "here:database:2"
    wrappers = list(connection.execute_wrappers)
    try:
        with pytest.raises(OperationalError):
            reach("here")
        with pytest.raises(OperationalError):
            AuditEntry.objects.exists()
        time.sleep(2)
        assert not AuditEntry.objects.exists()
    finally:
        connection.execute_wrappers[:] = wrappers


def test_before_a_submission_is_committed_nothing_exists_and_the_same_form_works_again(
    settings: Settings, practice: PracticeDirectory, editor: User
) -> None:
    review = reviews.review(factories.organization(user=editor))
    entries = AuditEntry.objects.count()
    settings.FAILPOINT = "in-submitting:exception"
    with pytest.raises(Failpoint):
        factories.press(review, user=editor)
    assert (Submission.objects.count(), AuditEntry.objects.count()) == (0, entries)
    assert not deliver(Environment.STAGING)

    factories.press(review, user=editor)

    assert deliver()
    assert len(practice.effects) == 1


def test_after_a_submission_is_committed_it_exists_and_the_same_form_shows_it(
    settings: Settings, practice: PracticeDirectory, editor: User
) -> None:
    review = reviews.review(factories.organization(user=editor))
    settings.FAILPOINT = "after-submitting:exception"
    with pytest.raises(Failpoint):
        factories.press(review, user=editor)
    stored = Submission.objects.get()

    with pytest.raises(AlreadySent) as caught:
        factories.press(review, user=editor)

    assert caught.value.submission == stored
    assert deliver()
    assert len(practice.effects) == 1


def test_a_test_is_called_every_time_until_it_ends() -> None:
    called: list[str] = []
    with failpoints.calling(lambda: called.append("here"), "here", "there"):
        reach("here")
        reach("there")
        reach("elsewhere")
    reach("here")
    assert called == ["here", "here"]
