"""What a later reading shows of a record's place, Active and PartOf, decides beside what was accepted."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.models import Basis, Organization, Presence, User, clock
from organizations.redox.environment import GATEWAY_OID
from organizations.services.directory import differences
from organizations.services.records import directory_state, organizations
from tests import factories
from tests.factories import BASE, acting
from tests.services.sending import fresh, read, shown

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def place(made: Organization) -> tuple[bool | None, str]:
    row = fresh(made)
    return row.shown_active, row.shown_part_of_oid


class TestWhatIsKept:
    def test_only_a_place_that_differs(self, editor: User) -> None:
        made = factories.confirmed(factories.organization(user=editor))
        assert place(shown(made, name="Other name")) == (None, "")
        assert place(shown(made, active=False, part_of_oid=f"{BASE}.9")) == (False, f"{BASE}.9")
        assert place(shown(made)) == (None, "")

    def test_not_a_reading_that_lags_behind(self, editor: User) -> None:
        made = factories.confirmed(factories.organization(user=editor))
        shown(made, active=False)
        row = fresh(made)
        row.not_visible_yet = True
        directory_state.update_derived_columns(row)
        assert (row.shown_active, row.shown_part_of_oid) == (None, "")

    def test_not_a_reading_that_shows_nothing(self, editor: User) -> None:
        made = shown(factories.confirmed(factories.organization(user=editor)), active=False)
        read(made, None)
        assert place(made) == (None, "")

    def test_an_acceptance_ends_it(self, editor: User) -> None:
        made = shown(factories.confirmed(factories.organization(user=editor)), active=False, part_of_oid=f"{BASE}.9")
        factories.confirmed(made)
        assert place(made) == (None, "")

    def test_taking_it_ends_it(self, editor: User) -> None:
        made = shown(factories.confirmed(factories.organization(user=editor)), active=False, part_of_oid=f"{BASE}.9")
        differences.take_theirs(made.pk, made.version, reason="Right there.", actor=acting(editor))
        row = fresh(made)
        assert (row.confirmed_active, row.confirmed_part_of_oid) == (False, f"{BASE}.9")
        assert place(made) == (None, "")

    def test_a_record_without_an_acceptance(self, editor: User) -> None:
        made = factories.organization(user=editor)
        Organization.objects.filter(pk=made.pk).update(presence=Presence.PRESENT, presence_basis=Basis.STATED)
        assert place(read(made, factories.record(active=False))) == (False, GATEWAY_OID)


def lagging(made: Organization) -> None:
    Organization.objects.filter(pk=made.pk).update(not_visible_yet=True)


def from_before(made: Organization) -> None:
    before = clock.now() - datetime.timedelta(days=1)
    Organization.objects.filter(pk=made.pk).update(seen_at=before)


@pytest.mark.parametrize("spoil", [None, lagging, from_before])
def test_the_upgrade_fills_it_from_stored_readings(editor: User, spoil: Callable[[Organization], None] | None) -> None:
    made = shown(factories.confirmed(factories.organization(user=editor)), active=False, part_of_oid=f"{BASE}.9")
    if spoil:
        spoil(made)
    Organization.objects.update(shown_active=None, shown_part_of_oid="")

    fill()

    assert place(made) == ((None, "") if spoil else (False, f"{BASE}.9"))


def test_the_upgrade_reads_no_record_that_is_as_accepted(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        shown(factories.confirmed(factories.organization(f"{BASE}.{number + 1}", user=editor)))
    differing = [
        shown(factories.confirmed(factories.organization(f"{BASE}.{number + 11}", user=editor)), active=False)
        for number in range(5)
    ]
    Organization.objects.update(shown_active=None)
    monkeypatch.setattr(import_module("organizations.migrations.0013_shown_place"), "CHUNK", 2)

    with CaptureQueriesContext(connection) as queries:
        fill()

    assert Organization.objects.filter(shown_active=False).count() == len(differing)
    changes = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    reads = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert (len(changes), len(reads)) == (3, 5)


@pytest.mark.parametrize("active", [True, False])
def test_the_upgrade_fills_active_of_records_that_were_taken_over(editor: User, *, active: bool) -> None:
    record = replace(factories.record(), destination_known=False, active=active)
    made = organizations.take_over(record, "staging", actor=acting(editor))
    assert (made.confirmed_active, place(made)) == (active, (None, ""))
    Organization.objects.update(confirmed_active=None)

    fill()

    assert (fresh(made).confirmed_active, place(made)) == (active, (None, ""))


def fill() -> None:
    migration = import_module("organizations.migrations.0013_shown_place")
    migration.fill_taken_over(apps, None)
    migration.fill(apps, None)


def test_a_part_of_that_is_too_long_for_an_oid_is_ignored(editor: User) -> None:
    made = shown(factories.confirmed(factories.organization(user=editor)), part_of_oid="1." * 40)
    assert (made.shown_part_of_oid, made.differs) == ("", 1)
