"""What the home page counts for a person: what they can act on, and what waits for others."""

import pytest
from django.test import override_settings

from organizations.models import Organization, State, Submission, User, clock
from organizations.presentation import home
from organizations.presentation.home import Need
from tests import factories
from tests.connected import redox
from tests.factories import BASE, UserFactory

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
