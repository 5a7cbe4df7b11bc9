"""The Active and PartOf that a later reading shows count beside the accepted ones."""

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
from organizations.services.records import directory_state
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import reload, show_in_directory, store_reading

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def place(organization: Organization) -> tuple[bool | None, str]:
    row = reload(organization)
    return row.shown_active, row.shown_part_of_oid


class TestWhatIsKept:
    def test_only_a_place_that_differs_is_stored(self, editor: User) -> None:
        organization = factories.accept(factories.organization(user=editor))
        assert place(show_in_directory(organization, name="Other name")) == (None, "")
        assert place(show_in_directory(organization, active=False, part_of_oid=f"{BASE}.9")) == (False, f"{BASE}.9")
        assert place(show_in_directory(organization)) == (None, "")

    def test_a_reading_that_lags_behind_stores_no_place(self, editor: User) -> None:
        organization = factories.accept(factories.organization(user=editor))
        show_in_directory(organization, active=False)
        row = reload(organization)
        row.not_visible_yet = True
        directory_state.update_derived_columns(row)
        assert (row.shown_active, row.shown_part_of_oid) == (None, "")

    def test_taking_the_values_clears_the_shown_place(self, editor: User) -> None:
        organization = show_in_directory(
            factories.accept(factories.organization(user=editor)), active=False, part_of_oid=f"{BASE}.9"
        )
        differences.take_directory_values(
            organization.pk, organization.version, reason="Right there.", actor=as_actor(editor)
        )
        row = reload(organization)
        assert (row.confirmed_active, row.confirmed_part_of_oid) == (False, f"{BASE}.9")
        assert place(organization) == (None, "")

    def test_a_record_without_an_acceptance_has_a_shown_place(self, editor: User) -> None:
        organization = factories.organization(user=editor)
        Organization.objects.filter(pk=organization.pk).update(presence=Presence.PRESENT, presence_basis=Basis.STATED)
        assert place(store_reading(organization, factories.record(active=False))) == (False, GATEWAY_OID)


def lagging(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(not_visible_yet=True)


def from_before(organization: Organization) -> None:
    yesterday = clock.now() - datetime.timedelta(days=1)
    Organization.objects.filter(pk=organization.pk).update(seen_at=yesterday)


@pytest.mark.parametrize("spoil", [None, lagging, from_before])
def test_the_upgrade_fills_the_shown_place_from_stored_readings(
    editor: User, spoil: Callable[[Organization], None] | None
) -> None:
    organization = show_in_directory(
        factories.accept(factories.organization(user=editor)), active=False, part_of_oid=f"{BASE}.9"
    )
    if spoil:
        spoil(organization)
    Organization.objects.update(shown_active=None, shown_part_of_oid="")

    fill()

    assert place(organization) == ((None, "") if spoil else (False, f"{BASE}.9"))


def test_the_upgrade_reads_only_records_that_differ(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        show_in_directory(factories.accept(factories.organization(f"{BASE}.{number + 1}", user=editor)))
    differing = [
        show_in_directory(factories.accept(factories.organization(f"{BASE}.{number + 11}", user=editor)), active=False)
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
    organization = factories.seen_organization(record, user=editor)
    assert (organization.confirmed_active, place(organization)) == (active, (None, ""))
    Organization.objects.update(confirmed_active=None)

    fill()

    assert (reload(organization).confirmed_active, place(organization)) == (active, (None, ""))


def fill() -> None:
    migration = import_module("organizations.migrations.0013_shown_place")
    migration.fill_taken_over(apps, None)
    migration.fill(apps, None)


def test_a_part_of_that_is_too_long_for_an_oid_is_ignored(editor: User) -> None:
    organization = show_in_directory(factories.accept(factories.organization(user=editor)), part_of_oid="1." * 40)
    assert (organization.shown_part_of_oid, organization.differs) == ("", 1)
