"""The failpoints: what each action does, and that they do nothing without a test."""

import itertools
import runpy
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from organizations.models import AuditEntry, Submission, User
from organizations.services import failpoints
from organizations.services.errors import AlreadySent
from organizations.services.failpoints import Failpoint, reach
from tests import factories
from tests.faults.portals import ROOT
from tests.races.world import reviewed


@pytest.fixture(autouse=True)
def nothing_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_done", set())


def test_without_the_setting_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGPORTAL_FAILPOINT", "here:exception")
    reach("here")


def test_the_production_settings_ignore_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGPORTAL_FAILPOINT", "here:exception")
    assert "FAILPOINT" not in runpy.run_path(str(ROOT / "orgportal" / "settings.py"))


def test_a_failpoint_acts_once_and_only_at_its_place(settings: Settings) -> None:
    settings.FAILPOINT = "here:exception"
    reach("there")
    with pytest.raises(Failpoint):
        reach("here")
    reach("here")


def test_a_frozen_process_resumes(settings: Settings) -> None:
    settings.FAILPOINT = "here:freeze:0.05"
    started = time.monotonic()
    reach("here")
    assert time.monotonic() - started >= 0.05


def test_an_unknown_action_is_an_error(settings: Settings) -> None:
    settings.FAILPOINT = "here:explode"
    with pytest.raises(ValueError, match="not an action of a failpoint"):
        reach("here")


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_connection_is_restored(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FAILPOINT = "here:database:2"
    now = itertools.chain([0.0, 1.9], itertools.repeat(2.0))
    monkeypatch.setattr(failpoints, "time", SimpleNamespace(monotonic=lambda: next(now)))
    wrappers = list(connection.execute_wrappers)
    try:
        with pytest.raises(OperationalError):
            reach("here")
        with pytest.raises(OperationalError):
            AuditEntry.objects.exists()
        assert not AuditEntry.objects.exists()
    finally:
        connection.execute_wrappers[:] = wrappers


@pytest.fixture
def press(editor: User, unreachable_redox: None) -> Callable[[], Submission]:
    """Press the button of an earlier review."""
    return reviewed(factories.organization(user=editor), editor)


def test_before_a_submission_is_committed_nothing_exists_and_the_same_form_works_again(
    settings: Settings, press: Callable[[], Submission]
) -> None:
    entries = AuditEntry.objects.count()
    settings.FAILPOINT = "in-submitting:exception"
    with pytest.raises(Failpoint):
        press()
    assert (Submission.objects.count(), AuditEntry.objects.count()) == (0, entries)

    assert press() == Submission.objects.get()


def test_after_a_submission_is_committed_it_exists_and_the_same_form_shows_it(
    settings: Settings, press: Callable[[], Submission]
) -> None:
    settings.FAILPOINT = "after-submitting:exception"
    with pytest.raises(Failpoint):
        press()
    with pytest.raises(AlreadySent) as caught:
        press()
    assert caught.value.submission == Submission.objects.get()


def test_the_function_of_a_test_is_called_each_time_until_the_test_ends() -> None:
    called: list[str] = []
    with failpoints.calling(lambda: called.append("here"), "here", "there"):
        reach("here")
        reach("there")
        reach("elsewhere")
    reach("here")
    assert called == ["here", "here"]
