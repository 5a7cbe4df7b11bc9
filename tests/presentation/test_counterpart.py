"""The record of the other environment: beside a record, after an acceptance, and side by side."""

from typing import Any

import pytest
from django.utils import timezone
from django.utils.timezone import localtime

from organizations.models import Evidence, Intent, Organization, Submission, User
from organizations.presentation import counterpart
from organizations.presentation.counterpart import Side, Step
from organizations.services import counterparts, known
from tests import factories
from tests.factories import BASE, acting

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

THEIRS = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
PREPARE = f"/production/organizations/new/?from={BASE}"


def pair(user: User, **values: Any) -> tuple[Organization, Organization]:
    """A record of STAGING, and one of PRODUCTION with these values; not linked."""
    staging = factories.organization(user=user)
    return staging, factories.organization(THEIRS, user=user, environment="production", **values)


def linked(user: User) -> tuple[Organization, Organization]:
    staging, production = pair(user)
    counterparts.link(staging, production, actor=acting(user))
    return Organization.objects.get(pk=staging.pk), Organization.objects.get(pk=production.pk)


def test_without_a_counterpart_only_production_is_prepared(editor: User) -> None:
    staging, production = pair(editor)
    beside = counterpart.beside(staging)
    assert (beside.row, beside.prepare_url, beside.other) == (None, PREPARE, "PRODUCTION")
    beside = counterpart.beside(production)
    assert (beside.row, beside.prepare_url, beside.other) == (None, "", "STAGING")


def test_beside_a_record_is_its_counterpart(editor: User) -> None:
    staging, production = linked(editor)
    for here, there in ((staging, production), (production, staging)):
        beside = counterpart.beside(here)
        assert beside.row is not None
        assert (beside.row.organization, beside.row.standing.word) == (there, "Not registered")
        assert beside.prepare_url == ""


@pytest.mark.parametrize(
    ("intent", "step"),
    [
        (Intent.CREATE, Step("Repeat in PRODUCTION", PREPARE, needs_edit=True)),
        (Intent.UPDATE, Step("Repeat in PRODUCTION", PREPARE, needs_edit=True)),
        (Intent.DEACTIVATE, None),
    ],
)
def test_what_staging_accepted_is_repeated_in_production(editor: User, intent: Intent, step: Step | None) -> None:
    staging, production = pair(editor)
    assert counterpart.next_step(Submission(organization=staging, intent=intent)) == step
    assert counterpart.next_step(Submission(organization=production, intent=intent)) is None
    counterparts.link(staging, production, actor=acting(editor))
    staging.refresh_from_db()
    compared = Step("Compare with PRODUCTION", f"/staging/organizations/{BASE}/counterpart/")
    opened = Step("Open in PRODUCTION", f"/production/organizations/{THEIRS}/")
    expected = opened if intent == Intent.DEACTIVATE else compared
    assert counterpart.next_step(Submission(organization=staging, intent=intent)) == expected


def test_a_record_whose_oid_is_another_organizations_is_not_repeated(editor: User) -> None:
    staging = factories.confirmed(factories.organization(user=editor))
    known.find_foreign(staging, factories.record(name="Boston"), timezone.now())
    assert counterpart.beside(staging).prepare_url == ""
    assert counterpart.next_step(Submission(organization=staging, intent=Intent.CREATE)) is None


def test_two_records_side_by_side(editor: User) -> None:
    staging, production = pair(editor, name="Lakeside Nord", part_of_oid="1.2.3", aliases=("Nord",))
    factories.confirmed(staging, submission=factories.submission(staging, user=editor), evidence=Evidence.QUERY)
    accepted = localtime(Organization.objects.get(pk=staging.pk).confirmed_at)
    address = "1 Shore Rd, Madison, Dane, WI, 53704, USA"
    assert counterpart.sides(staging, production) == [
        Side("Name", "Lakeside 1", "Lakeside Nord", differs=True),
        Side("OID", BASE, THEIRS),
        Side("Address", address, address),
        Side("Aliases", "none", "Nord", differs=True),
        Side("PartOf", f"the Redox gateway ({staging.part_of_oid})", "1.2.3"),
        Side("Directory status", "Active", "Not registered"),
        Side("Last accepted", f"{accepted:%b} {accepted.day}, by Query", "never"),
    ]
