"""What the home page counts for a person: what they can act on, and what waits for others."""

import datetime

import pytest
from django.test import override_settings

from organizations.models import EnvironmentGate, Organization, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.presentation import home
from organizations.presentation.home import Need
from organizations.services import workers
from organizations.services.actors import Actor
from organizations.services.deciding import Verdict
from organizations.templatetags.portal import written
from tests import factories
from tests.connected import redox
from tests.factories import BASE, UserFactory

from .sending import decided, foreign

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def settings_of_redox():
    with override_settings(REDOX=redox("http://127.0.0.1:9")):
        yield


@pytest.fixture
def editor() -> User:
    return factories.editor()


def submission(editor: User, number: int, state: State, **values: object) -> Submission:
    made = factories.submission(factories.organization(f"{BASE}.{number}", user=editor), user=editor)
    wanted_hash = Organization.objects.get(pk=made.organization_id).wanted_hash
    Submission.objects.filter(pk=made.pk).update(state=state, attempt=1, wanted_hash=wanted_hash, **values)
    return made


def kinds(lines: list[Need]) -> list[str]:
    return [line.kind for line in lines]


def test_a_decision_counts_only_for_those_who_can_take_it(editor):
    approver = UserFactory(role="approver", first_name="Approver", last_name="One")
    submission(editor, 1, State.NEEDS_PERSON, state_reason="Compare.")
    submission(editor, 2, State.REJECTED, ended_at=clock.now())

    of_editor = home.read(editor)
    assert (kinds(of_editor.needs), of_editor.count) == (["rejected"], 1)
    [line] = of_editor.waiting
    assert (line.kind, line.who) == ("needs_person", "Approver One can decide.")

    of_approver = home.read(approver)
    assert (kinds(of_approver.needs), of_approver.count) == (["needs_person", "rejected"], 2)
    assert of_approver.needs[0].who == "You can decide."
    assert of_approver.waiting == []


def test_who_may_only_read_is_told_who_acts_on_each_line(editor):
    submission(editor, 1, State.REJECTED, ended_at=clock.now())
    submission(editor, 2, State.UNKNOWN, sent_at=clock.now())
    found = home.read(UserFactory(role="viewer"))
    assert (found.needs, found.count, found.waiting_count) == ([], 0, 2)
    assert {line.kind: line.who for line in found.waiting} == {
        "unknown": "The portal finds out by itself.",
        "rejected": "Editors and Approvers can act on this.",
    }


def unknown_line(user: User) -> str:
    [line] = [each for each in home.read(user).waiting if each.kind == "unknown"]
    return line.text


@pytest.mark.parametrize("wait", [datetime.timedelta(minutes=8), datetime.timedelta(days=1)])
def test_what_is_unknown_promises_when_the_directory_is_asked(editor, wait):
    """A day: what the demonstration seeds stays unknown that long."""
    workers.beat("Worker", clock.now())
    later = clock.now() + wait
    made = submission(editor, 1, State.UNKNOWN, sent_at=clock.now(), not_before=later)
    assert unknown_line(editor).endswith(f"The portal asks the directory at {written(later, 'clock')}.")
    Submission.objects.filter(pk=made.pk).update(not_before=clock.now())
    assert unknown_line(editor).endswith("The portal asks the directory as soon as a worker takes it.")


def test_while_redox_asked_to_wait_no_question_is_promised(editor):
    workers.beat("Worker", clock.now())
    submission(editor, 1, State.UNKNOWN, sent_at=clock.now(), not_before=clock.now())
    until = clock.now() + datetime.timedelta(minutes=20)
    EnvironmentGate.objects.filter(pk="staging").update(hold_until=until, hold_reason="Too many requests")
    assert "The portal asks" not in unknown_line(editor)
    assert "STAGING waits until" in unknown_line(editor)


def test_a_rejection_by_decision_names_the_person_and_the_decision(
    practice: PracticeDirectory, editor: User, approver: Actor
):
    decided(foreign(practice, editor), Verdict.FOREIGN, approver)
    [line] = [each for each in home.read(editor).needs if each.kind == "rejected"]
    assert line.text == "Approver One decided that the OID belongs to another organization: Compared, ticket 12."
