"""The date since when each field of a record differs in the directory, from the stored answers to Queries."""

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
from tests.changes import load
from tests.factories import BASE, as_actor


@pytest.fixture
def organization(practice: PracticeDirectory, editor: User) -> Organization:
    organization = factories.accepted_organization(user=editor)
    (there,) = json.loads(reviews.review(organization).message)["Organizations"]
    practice.register("staging", there)
    return organization


def read(practice: PracticeDirectory, organization: Organization, editor: User, **changed: object) -> datetime.datetime:
    """Change these keys in the directory and query it; returns the time of the Query."""
    directory_record = practice.organizations("staging")[BASE]
    practice.register("staging", directory_record | changed)
    return query.query_record(organization, actor=as_actor(editor)).asked_at


def since(organization: Organization) -> dict[str, datetime.datetime | None]:
    return {
        row.label: row.seen_since for row in summary.record_values(load(organization)).fields.differing if row.is_adrift
    }


def test_each_field_differs_since_the_first_reading_that_showed_its_value(
    practice, organization, editor, django_assert_max_num_queries
):
    first = read(practice, organization, editor, Name="Lakeside (One)")
    assert since(organization) == {"Name": first}
    read(practice, organization, editor, Name="Lakeside (Two)")
    again = read(practice, organization, editor, Name="Lakeside (One)")  # since the value differs again
    with django_assert_max_num_queries(20) as few:
        assert since(organization) == {"Name": again}
    address = practice.organizations("staging")[BASE]["Address"] | {"City": "Monona"}
    second = read(practice, organization, editor, Address=address)
    read(practice, organization, editor)
    with django_assert_max_num_queries(len(few)):
        assert since(organization) == {"Name": again, "City": second}


def test_without_enough_stored_readings_no_date_is_shown(practice, organization, editor, monkeypatch):
    for _ in range(2):
        read(practice, organization, editor, Name="Lakeside (One)")
    monkeypatch.setattr(directory_readings, "MOST_READINGS", 1)
    assert since(organization) == {"Name": None}
    AuditEntry.objects.filter(action=Action.ORGANIZATION_ASKED).delete()
    assert since(organization) == {"Name": None}
