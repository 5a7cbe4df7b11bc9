"""Repeated actions: one entry a minute, with complete counts."""

import datetime

import pytest

from organizations.models import Action, AuditEntry, Repetition, User, clock
from organizations.services.actors import Actor, person
from organizations.services.audit import repeated_actions
from tests import factories
from tests.services.test_throttle import side_by_side

ABOUT = {"type": "person", "id": "", "name": "anna"}
STRANGER = Actor(name="Somebody not signed in", address="10.0.0.1")


def note(actor: Actor = STRANGER, name: str = "anna") -> None:
    repeated_actions.log_action(
        actor,
        Action.PERSON_REFUSED,
        "wrong",
        name,
        together={"object": ABOUT | {"name": ""}, "reason": "wrong"},
        object=ABOUT | {"name": name},
        reason="wrong",
    )


def counted() -> list[int]:
    entries = AuditEntry.objects.filter(action=Action.PERSON_REFUSED).order_by("sequence")
    return [entry.facts.get("details", {}).get("times", 1) for entry in entries]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch):
    real, elapsed = clock.now, datetime.timedelta()

    def wait(seconds: int) -> None:
        nonlocal elapsed
        elapsed += datetime.timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "now", lambda: real() + elapsed)
    return wait


@pytest.mark.django_db
def test_the_first_action_is_logged_at_once_and_repetitions_after_a_minute(wait) -> None:
    for _ in range(4):
        note()
    assert counted() == [1]
    wait(61)
    note()
    assert counted() == [1, 4]
    assert AuditEntry.objects.latest("sequence").facts["details"]["since"] < clock.now().isoformat()


@pytest.mark.django_db
def test_a_count_that_is_logged_later_keeps_its_time(wait) -> None:
    note()
    note()
    repeated = clock.now()
    wait(61)
    assert repeated_actions.write_ended_counts() == 1
    details = AuditEntry.objects.latest("sequence").facts["details"]
    assert (details["times"], details["since"] <= repeated.isoformat()) == (1, True)


@pytest.mark.django_db
def test_the_worker_logs_the_count_when_an_action_is_not_repeated(wait) -> None:
    user = factories.editor()
    actor = person(user, address="10.0.0.1")
    for _ in range(4):
        note(actor)
    repeated_actions.write_ended_counts()
    assert counted() == [1]  # the minute is not over
    wait(61)
    repeated_actions.write_ended_counts()
    repeated_actions.write_ended_counts()
    assert counted() == [1, 3]
    assert AuditEntry.objects.latest("sequence").actor_id == user.pk
    assert not Repetition.objects.exists()


@pytest.mark.django_db
def test_actions_of_other_people_names_or_addresses_are_counted_separately() -> None:
    editor: User = factories.editor()
    elsewhere = Actor(name=STRANGER.name, address="10.0.0.2")
    for actor, name in ((STRANGER, "anna"), (STRANGER, "bert"), (elsewhere, "anna"), (person(editor), "anna")):
        note(actor, name)
    assert counted() == [1, 1, 1, 1]


@pytest.mark.django_db
def test_people_who_are_not_signed_in_make_a_bounded_number_of_entries(wait, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated_actions, "MOST_ANONYMOUS", 5)
    for number in range(35):
        note(name=f"name{number}")
    assert len(counted()) == 6
    wait(61)
    repeated_actions.write_ended_counts()
    repeated_actions.write_ended_counts()
    assert sum(counted()) == 35


@pytest.mark.django_db(transaction=True)
def test_concurrent_actions_are_all_counted(wait) -> None:
    def three_times(_: int) -> None:
        for _ in range(3):
            note()

    side_by_side(12, three_times)
    assert counted() == [1]
    wait(61)
    repeated_actions.write_ended_counts()
    assert counted() == [1, 35]
