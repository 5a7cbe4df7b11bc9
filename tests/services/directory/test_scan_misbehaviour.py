"""The search through a directory that misbehaves: it ends, and neither loses nor repeats what it received."""

from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from organizations.models import Organization, TakeOver, TakeOverState, User
from organizations.practice import PracticeDirectory
from organizations.practice.behaviour import Behaviour
from organizations.practice.listing import ANOTHER_OID
from organizations.redox.environment import GATEWAY_OID
from organizations.services.directory import take_over
from tests.factories import BASE, as_actor
from tests.services.directory.scanning import ELSEWHERE, HERE, Delivered, begin, is_reading, put, read_page, recorded

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OF_QUERIES = [each for each in Behaviour if not each.startswith(("applies-", "says-no-", "strange-"))]
"""The behaviours that change what a Query gets. The others change only the answer to a New or an Update."""
QUICK = [each for each in OF_QUERIES if each not in (Behaviour.NEVER_ANSWERS, Behaviour.SLOW)]
"""Those that answer or break off at once."""
MOST_STEPS = 200


def put_ours(practice: PracticeDirectory, numbers: set[int]) -> None:
    for number in range(12):
        parts = {0: GATEWAY_OID, 1: f"{BASE}.90", 2: HERE}
        oid = {0: f"{BASE}.{number}", 1: f"{ELSEWHERE}.{number}", 2: f"{HERE}.{number}"}[number % 3]
        if number in numbers:
            put(practice, oid, part_of_oid=parts[number % 3])
        else:
            practice.forget("staging", oid)


def is_delivered_as_ours(entry: dict[str, Any]) -> bool:
    oid, part_of = entry["Identifiers"][-1]["ID"], entry.get("PartOf", {}).get("Identifier", {}).get("Value", "")
    is_below = f"{oid}.".startswith(f"{BASE}.")
    return is_below or ("Name" in entry and (part_of == HERE or part_of.startswith(f"{BASE}.")))


def check_nothing_is_lost_or_doubled(run: TakeOver, delivered: Delivered) -> None:
    ours = {entry["Identifiers"][-1]["ID"] for entry in delivered.entries if is_delivered_as_ours(entry)}
    found = run.candidates.exclude(source="probe")
    assert set(found.values_list("oid", flat=True)) == ours
    assert found.exclude(state__in=("found", "waiting")).count() == 0


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.sets(st.integers(0, 11)),
    limit=st.sampled_from([1, 3, 8, 100]),
    behaviours=st.lists(st.sampled_from(QUICK), max_size=12),
)
@example(numbers=set(range(12)), limit=8, behaviours=[Behaviour.SHOWS_TWO_OIDS] * 12)
@example(numbers=set(range(12)), limit=1, behaviours=[Behaviour.SHOWS_TWO_OIDS, Behaviour.ANSWERS] * 12)
def test_whatever_the_directory_does_the_scan_ends_and_nothing_received_is_lost_or_doubled(
    practice: PracticeDirectory,
    editor: User,
    record_here: Organization,
    numbers: set[int],
    limit: int,
    behaviours: list[Behaviour],
) -> None:
    TakeOver.objects.all().delete()
    practice.register_others("staging", 10)
    put_ours(practice, numbers)
    run = begin(editor, limit=limit)
    with pytest.MonkeyPatch.context() as patch:
        delivered = recorded(practice, patch)
        for behaviour in [*behaviours, *[Behaviour.ANSWERS] * MOST_STEPS]:
            if run.state == TakeOverState.READY:
                take_over.ask_again(run.pk, actor=as_actor(editor))
                run.refresh_from_db()
            if not is_reading(run):
                break
            practice.behaviour = behaviour
            read_page(run)
    assert not is_reading(run)
    check_nothing_is_lost_or_doubled(run, delivered)


@pytest.mark.parametrize("behaviour", OF_QUERIES)
def test_a_whole_scan_of_a_misbehaving_directory_ends_and_loses_nothing_received(
    practice: PracticeDirectory,
    editor: User,
    record_here: Organization,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Behaviour,
) -> None:
    practice.register_others("staging", 20)
    put_ours(practice, set(range(12)))
    delivered = recorded(practice, monkeypatch)
    run = begin(editor, limit=12)
    practice.behaviour = behaviour
    with override_settings(REDOX_DEADLINE=0.4 if behaviour is Behaviour.NEVER_ANSWERS else 20.0):
        steps = [read_page(run) for _ in range(3 if run_waits(behaviour) else MOST_STEPS) if is_reading(run)]
    assert len(steps) < MOST_STEPS
    assert is_reading(run) == run_waits(behaviour)
    check_nothing_is_lost_or_doubled(run, delivered)


def run_waits(behaviour: Behaviour) -> bool:
    """Whether Redox itself keeps the scan waiting: for a time, or until a person has changed the credential."""
    return behaviour in (Behaviour.TOO_MANY, Behaviour.REFUSES_SIGN_IN)


def test_the_second_oid_of_the_stand_in_is_not_ours() -> None:
    """Otherwise the tests above would not show that an organization is kept under its own OID."""
    assert not ANOTHER_OID.startswith((BASE, HERE, ELSEWHERE))
