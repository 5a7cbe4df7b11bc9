"""Since when each field of a record differs in the directory, by the stored answers to Queries."""

import datetime
import json

import pytest

from organizations.models import Action, AuditEntry, Organization, User
from organizations.pages.record import summary
from organizations.practice import PracticeDirectory
from organizations.queries import directory_readings
from organizations.services.delivery import query
from organizations.services.review import reviews
from tests import factories
from tests.changes import loaded
from tests.factories import BASE, acting


@pytest.fixture
def made(practice: PracticeDirectory, editor: User) -> Organization:
    made = factories.accepted(user=editor)
    (there,) = json.loads(reviews.review(made).message)["Organizations"]
    practice.register("staging", there)
    return made


def read(practice: PracticeDirectory, made: Organization, editor: User, **changed: object) -> datetime.datetime:
    """The time at which the directory was asked, after these keys were changed there."""
    stored = practice.organizations("staging")[BASE]
    practice.register("staging", stored | changed)
    return query.query_record(made, actor=acting(editor)).asked_at


def since(made: Organization) -> dict[str, datetime.datetime | None]:
    return {row.label: row.seen_since for row in summary.record_values(loaded(made)).fields.differing if row.is_adrift}


def test_each_field_differs_since_the_first_reading_that_showed_its_value(
    practice, made, editor, django_assert_max_num_queries
):
    first = read(practice, made, editor, Name="Lakeside (One)")
    assert since(made) == {"Name": first}
    read(practice, made, editor, Name="Lakeside (Two)")
    again = read(practice, made, editor, Name="Lakeside (One)")  # since it came back
    with django_assert_max_num_queries(20) as few:
        assert since(made) == {"Name": again}
    address = practice.organizations("staging")[BASE]["Address"] | {"City": "Monona"}
    second = read(practice, made, editor, Address=address)
    read(practice, made, editor)
    with django_assert_max_num_queries(len(few)):
        assert since(made) == {"Name": again, "City": second}


def test_where_the_stored_readings_do_not_say_no_day_is_named(practice, made, editor, monkeypatch):
    for _ in range(2):
        read(practice, made, editor, Name="Lakeside (One)")
    monkeypatch.setattr(directory_readings, "MOST_READINGS", 1)
    assert since(made) == {"Name": None}
    AuditEntry.objects.filter(action=Action.ORGANIZATION_ASKED).delete()
    assert since(made) == {"Name": None}
