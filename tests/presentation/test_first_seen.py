"""Since when each field of a record differs in the directory, by the stored answers to Queries."""

import datetime

import pytest

from organizations.models import Action, AuditEntry, Organization, User
from organizations.practice import PracticeDirectory
from organizations.presentation import first_seen, record
from organizations.services import asking
from tests.factories import BASE, acting
from tests.services.sending import accepted, fresh


@pytest.fixture
def made(practice: PracticeDirectory, editor: User) -> Organization:
    return accepted(editor)


def read(practice: PracticeDirectory, made: Organization, editor: User, **changed: object) -> datetime.datetime:
    """The time at which the directory was asked, after these keys were changed there."""
    stored = practice.organizations("staging")[BASE]
    practice.register("staging", stored | changed)
    return asking.ask_about_record(made, actor=acting(editor)).asked_at


def since(made: Organization) -> dict[str, datetime.datetime | None]:
    return {row.label: row.seen_since for row in record.values(fresh(made)).fields.differing if row.is_adrift}


def test_each_field_differs_since_the_first_reading_that_showed_its_value(
    practice: PracticeDirectory, made: Organization, editor: User
) -> None:
    first = read(practice, made, editor, Name="Lakeside (One)")
    address = practice.organizations("staging")[BASE]["Address"] | {"City": "Monona"}
    second = read(practice, made, editor, Address=address)
    read(practice, made, editor)
    assert since(made) == {"Name": first, "City": second}


def test_a_value_that_came_back_differs_since_it_came_back(
    practice: PracticeDirectory, made: Organization, editor: User
) -> None:
    for name in ("Lakeside (One)", "Lakeside (Two)"):
        read(practice, made, editor, Name=name)
    again = read(practice, made, editor, Name="Lakeside (One)")
    assert since(made) == {"Name": again}


def test_where_the_stored_readings_do_not_say_no_day_is_named(
    practice: PracticeDirectory, made: Organization, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        read(practice, made, editor, Name="Lakeside (One)")
    monkeypatch.setattr(first_seen, "MOST_READINGS", 1)
    assert since(made) == {"Name": None}
    AuditEntry.objects.filter(action=Action.ORGANIZATION_ASKED).delete()
    assert since(made) == {"Name": None}


def test_the_days_cost_one_query_however_many_readings_there_are(
    practice: PracticeDirectory, made: Organization, editor: User, django_assert_max_num_queries
) -> None:
    read(practice, made, editor, Name="Lakeside (One)")
    organization = fresh(made)
    with django_assert_max_num_queries(20) as few:
        record.values(organization)
    for _ in range(3):
        read(practice, made, editor)
    organization = fresh(made)
    with django_assert_max_num_queries(len(few)):
        record.values(organization)
