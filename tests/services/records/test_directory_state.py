"""What is stored about a record in the directory, column by column."""

import datetime
from dataclasses import replace
from typing import Any

import pytest

from organizations.models import (
    Basis,
    DestinationSource,
    Event,
    Evidence,
    Organization,
    Presence,
    State,
    Submission,
    User,
    clock,
)
from organizations.models.organization import NAME_LENGTH, OID_LENGTH
from organizations.records import canonical, fingerprint
from organizations.services.records import directory_state
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MOMENT = datetime.datetime(2026, 5, 3, 14, 3, tzinfo=datetime.UTC)
LATER = MOMENT + datetime.timedelta(minutes=1)
ELSEWHERE = "1.".ljust(OID_LENGTH, "2")

# Each column has a value that a new record does not have.
FILLED: dict[str, Any] = {
    "presence": Presence.UNKNOWN,
    "presence_basis": Basis.STATED,
    "presence_at": MOMENT,
    "confirmed": canonical(factories.record(name="Accepted")),
    "confirmed_at": MOMENT,
    "confirmed_active": True,
    "confirmed_part_of_oid": "1.2.8",
    "confirmed_version": 1,
    "confirmed_evidence": Evidence.PERSON,
    "taken": canonical(factories.record(name="Taken")),
    "known_at": MOMENT,
    "seen": canonical(factories.record(name="Seen")),
    "seen_at": MOMENT,
    "not_visible_yet": True,
    "foreign_since": MOMENT,
    "foreign_name": "Boston",
}
COUNTED = {
    "changes": 9,
    "differs": 9,
    "differs_since": MOMENT,
    "wanted_hash": "old",
    "shown_active": True,
    "shown_part_of_oid": "1.2.8",
}


@pytest.fixture
def row(editor: User) -> Organization:
    organization = factories.organization(user=editor)
    Organization.objects.filter(pk=organization.pk).update(carried={"Type": '"Clinic"'}, **FILLED, **COUNTED)
    return Organization.objects.get(pk=organization.pk)


def change(row: Organization, **values: Any) -> Organization:
    Organization.objects.filter(pk=row.pk).update(**values)
    return Organization.objects.get(pk=row.pk)


def assert_stored(row: Organization, **values: Any) -> None:
    organization = Organization.objects.get(pk=row.pk)
    values = {"wanted_hash": fingerprint(organization.record())} | values
    assert {name: getattr(organization, name) for name in values} == values


def test_what_was_accepted_is_stored_with_its_evidence(row: Organization, editor: User) -> None:
    submission = factories.submission(factories.organization(f"{factories.BASE}.1", user=editor), user=editor)
    accepted = replace(row.record(), name="Sent", active=False, part_of_oid=ELSEWHERE)
    time_before = clock.now()
    directory_state.mark_accepted(row, accepted, submission, evidence=Evidence.QUERY, known_at=LATER)
    assert row.confirmed_at is not None
    assert row.confirmed_at >= time_before
    assert_stored(
        row,
        confirmed=canonical(accepted),
        confirmed_at=row.confirmed_at,
        confirmed_active=False,
        confirmed_part_of_oid=ELSEWHERE,
        confirmed_submission=submission,
        confirmed_evidence=Evidence.QUERY,
        known_at=LATER,
        taken="",
        presence=Presence.PRESENT,
        presence_basis=Basis.ACCEPTED,
        presence_at=row.confirmed_at,
        not_visible_yet=False,
        changes=3,
        differs=0,
        differs_since=None,
        shown_active=None,
        shown_part_of_oid="",
    )


@pytest.mark.parametrize("asked_at", [MOMENT, LATER])
def test_a_reading_is_stored_with_its_values(row: Organization, asked_at: datetime.datetime) -> None:
    row = change(row, taken="", differs_since=None)
    reading = factories.record(name="By hand", active=False, part_of_oid=ELSEWHERE)
    directory_state.store_reading(row, reading, asked_at)
    assert_stored(
        row,
        seen=canonical(reading),
        seen_at=asked_at,
        not_visible_yet=False,
        changes=1,
        differs=3,
        differs_since=asked_at,
        shown_active=False,
        shown_part_of_oid=ELSEWHERE,
    )


def test_a_reading_of_an_earlier_query_is_not_stored(row: Organization) -> None:
    directory_state.store_reading(row, None, MOMENT - datetime.timedelta(seconds=1))
    assert_stored(row, **FILLED, **COUNTED)


def test_a_difference_is_as_old_as_the_first_reading_that_showed_it(row: Organization) -> None:
    directory_state.store_reading(row, factories.record(name="By hand"), LATER)
    assert_stored(row, differs=1, differs_since=MOMENT)
    directory_state.store_reading(row, factories.record(name="Taken"), LATER)
    assert_stored(row, differs=0, differs_since=None)


def test_a_record_that_is_not_shown_differs_once(row: Organization) -> None:
    directory_state.store_reading(row, None, LATER)
    assert_stored(row, seen="", seen_at=LATER, differs=1, shown_active=None, shown_part_of_oid="")


def test_an_absent_record_has_no_differences_and_is_not_foreign(row: Organization) -> None:
    row = change(row, not_visible_yet=False, presence=Presence.PRESENT)
    directory_state.mark_absent(row, LATER)
    assert_stored(
        row,
        presence=Presence.ABSENT,
        presence_at=LATER,
        foreign_since=None,
        foreign_name="",
        changes=1,
        differs=0,
        differs_since=None,
    )


def test_the_next_message_is_compared_with_the_values_taken(row: Organization) -> None:
    row = change(row, known_at=None, taken="")
    reading = factories.record(name="Seen", active=False, part_of_oid=ELSEWHERE)
    directory_state.take_reading(row, reading)
    assert row.taken == canonical(reading)
    assert (row.confirmed_active, row.confirmed_part_of_oid) == (False, ELSEWHERE)
    assert (row.known_at, row.not_visible_yet) == (MOMENT, False)


@pytest.mark.parametrize("basis", [Basis.NONE, Basis.ACCEPTED])
def test_a_claimed_record_is_present(row: Organization, basis: Basis) -> None:
    row = change(row, presence_basis=basis)
    reading = factories.record(name="Seen", carried=(("Endpoints", "[]"),))
    directory_state.mark_present(row, reading, LATER)
    assert_stored(
        row,
        presence=Presence.PRESENT,
        presence_at=LATER,
        presence_basis=basis or Basis.SEEN,
        carried={"Endpoints": "[]"},
        not_visible_yet=False,
        foreign_since=None,
        foreign_name="",
        differs=1,
    )


@pytest.mark.parametrize(
    ("presence", "after", "since"),
    [(Presence.NEVER, Presence.NEVER, MOMENT), (Presence.PRESENT, Presence.ABSENT, LATER)],
)
def test_a_record_of_another_organization_is_not_in_the_directory(
    row: Organization, presence: Presence, after: Presence, since: datetime.datetime
) -> None:
    row = change(row, presence=presence, foreign_since=None)
    directory_state.mark_foreign(row, factories.record(name="B" * (NAME_LENGTH + 1)), LATER)
    assert_stored(
        row,
        presence=after,
        presence_at=since,
        carried={},
        foreign_since=LATER,
        foreign_name="B" * NAME_LENGTH,
        changes=1,
    )


def test_a_new_oid_clears_what_is_known_of_the_directory() -> None:
    filled = FILLED | {"carried": {"Endpoints": "[]"}, "added_as_other": True}
    filled |= {"destination_known": False, "destination_source": DestinationSource.NONE}
    row = Organization(confirmed_submission=Submission(), **filled)
    directory_state.forget_old_oid(row)
    new = Organization()
    columns = (*filled, "confirmed_submission")
    assert {name: getattr(row, name) for name in columns} == {name: getattr(new, name) for name in columns}


FIRST, SECOND = canonical(factories.record()), canonical(factories.record(name="Lakeside North"))
LAGGING: dict[str, Any] = {"confirmed": SECOND, "known_at": MOMENT, "seen": FIRST, "seen_at": MOMENT}


@pytest.mark.parametrize(
    ("changed", "event", "lags"),
    [
        ({}, Event.UPDATE, True),
        ({"taken": SECOND}, Event.UPDATE, False),
        ({"known_at": LATER}, Event.UPDATE, False),  # read before the acceptance
        ({"confirmed_evidence": Evidence.EQUIVALENT}, Event.UPDATE, False),
        ({"seen": SECOND}, Event.UPDATE, False),
        ({"confirmed": FIRST}, Event.UPDATE, False),  # nothing that a reading shows was changed
        ({"seen": canonical(factories.record(name="By hand"))}, Event.UPDATE, False),
        ({"seen": ""}, Event.UPDATE, False),
        ({"seen": ""}, Event.NEW, True),
        ({}, Event.NEW, False),
        ({"confirmed_submission": None}, Event.UPDATE, False),
    ],
)
def test_a_directory_that_shows_the_values_before_our_message_lags_behind(
    changed: dict[str, Any], event: Event, lags: bool
) -> None:
    values = LAGGING | {"confirmed_submission": Submission(event=event, before=FIRST)} | changed
    assert directory_state._shows_earlier_content(Organization(**values)) is lags


@pytest.mark.parametrize(
    ("state", "may_have_been_sent", "may_arrive"),
    [
        (State.QUEUED, False, False),
        (State.QUEUED, True, True),
        (State.SENDING, False, True),
        (State.UNKNOWN, True, True),
        (State.REJECTED, True, False),
        (State.ACCEPTED, True, False),
    ],
)
def test_only_an_open_message_that_may_have_been_sent_may_still_arrive(
    editor: User, state: State, may_have_been_sent: bool, may_arrive: bool
) -> None:
    submission = factories.submission(factories.organization(user=editor), user=editor)
    submission.state, submission.may_have_been_sent = state, may_have_been_sent
    expected = factories.record() if may_arrive else None
    assert directory_state.record_in_flight(Organization(last_submission=submission)) == expected
    assert directory_state.record_in_flight(Organization()) is None
