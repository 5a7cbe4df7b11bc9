"""Real worker processes that are started, killed and stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from organizations.models import Action, State, User
from organizations.practice import PracticeDirectory
from tests import factories
from tests.factories import BASE
from tests.faults.portals import ROOT, Nursery, Portal, portal, until
from tests.services.sending import create_and_send, edit

pytestmark = pytest.mark.one_database


def a_submission(event: str, user: User) -> None:
    organization = (
        edit(create_and_send(user), user, name="Lakeside North")
        if event == "Update"
        else factories.organization(user=user)
    )
    factories.submission(organization, user=user)


@pytest.mark.parametrize(("behaviour", "event"), [("never-answers", "Update"), ("slow", "New")])
def test_a_message_of_a_killed_worker_is_applied_once_even_if_it_takes_effect_later(
    practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path, event: str, behaviour: str
) -> None:
    a_submission(event, editor)
    with portal(tmp_path / "own", nursery, practice) as own:
        own.practice.behaviour = behaviour
        first = own.worker()
        until(lambda: own.practice.requests, "the message")
        first.send(signal.SIGKILL)
        until(lambda: not first.is_alive)
        own.practice.behaviour = "answers"

        own.worker()

        until(lambda: own.submission(BASE).state == State.ACCEPTED)
        assert own.failed_checks(BASE) == ""


def manage_deliver(own: Portal) -> "subprocess.Popen[bytes]":
    given = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings", "ORGPORTAL_FAULTS": json.dumps(own.given())}
    command = [sys.executable, "manage.py", "deliver"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | given, stderr=subprocess.DEVNULL)


@pytest.mark.one_database
def test_after_a_worker_was_killed_the_command_settles_from_the_stored_answer(
    practice: PracticeDirectory, nursery: Nursery, editor: User, tmp_path: Path
) -> None:
    a_submission("New", editor)
    with portal(tmp_path / "own", nursery, practice) as own:
        killed = own.worker("after-response:kill")
        until(lambda: killed.has_reached_failpoint and not killed.is_alive, "the kill")
        assert own.submission(BASE).state == State.SENDING

        with manage_deliver(own) as command:
            until(lambda: own.submission(BASE).state == State.ACCEPTED)
            command.terminate()
            assert command.wait() == 0

        assert own.failed_checks(BASE) == ""
        assert Action.SUBMISSION_ASKED not in [entry.action for entry in own.entries(own.submission(BASE))]
