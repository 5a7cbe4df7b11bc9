"""The counterpart of a record: on the record's page, after an acceptance, and compared side by side."""

from typing import Any

import pytest
from django.utils.timezone import localtime

from organizations.models import Evidence, Intent, Organization, Submission, User
from organizations.pages import counterpart_box
from organizations.pages.counterpart import page
from organizations.pages.counterpart.page import CounterpartPage
from organizations.pages.counterpart_box import CounterpartFact
from organizations.pages.next_step import NextStep
from organizations.services.records import counterparts
from tests import factories
from tests.changes import load, mark_foreign
from tests.factories import BASE, as_actor
from tests.page_text import controls_in, html_of_page, text_of_page

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

THEIRS = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
PREPARE = f"/production/organizations/new/?from={BASE}"


def pair(user: User, **values: Any) -> tuple[Organization, Organization]:
    """A record in STAGING and one in PRODUCTION with these values, not linked."""
    staging = factories.organization(user=user)
    return staging, factories.organization(THEIRS, user=user, environment="production", **values)


def linked(user: User) -> tuple[Organization, Organization]:
    staging, production = pair(user)
    counterparts.link(staging, production, actor=as_actor(user))
    return load(staging), load(production)


def test_only_a_staging_record_can_be_prepared_in_production(editor):
    staging, production = pair(editor)
    beside = counterpart_box.counterpart_box(staging)
    assert (beside.row, beside.prepare_url, beside.other) == (None, PREPARE, "PRODUCTION")
    beside = counterpart_box.counterpart_box(production)
    assert (beside.row, beside.prepare_url, beside.other) == (None, "", "STAGING")


def test_a_record_shows_its_counterpart(editor):
    staging, production = linked(editor)
    for here, there in ((staging, production), (production, staging)):
        beside = counterpart_box.counterpart_box(here)
        assert beside.row is not None
        assert (beside.row.organization, beside.row.standing.word) == (there, "Not registered")
        assert beside.prepare_url == ""


@pytest.mark.parametrize(
    ("intent", "step"),
    [
        (Intent.CREATE, NextStep("Repeat in PRODUCTION", PREPARE, needs_edit=True)),
        (Intent.UPDATE, NextStep("Repeat in PRODUCTION", PREPARE, needs_edit=True)),
        (Intent.DEACTIVATE, None),
    ],
)
def test_the_next_step_after_staging_is_production(editor, intent, step):
    staging, production = pair(editor)
    assert counterpart_box.next_step(Submission(organization=staging, intent=intent)) == step
    assert counterpart_box.next_step(Submission(organization=production, intent=intent)) is None
    counterparts.link(staging, production, actor=as_actor(editor))
    staging.refresh_from_db()
    compared = NextStep("Compare with PRODUCTION", f"/staging/organizations/{BASE}/counterpart/")
    opened = NextStep("Open in PRODUCTION", f"/production/organizations/{THEIRS}/")
    expected = opened if intent == Intent.DEACTIVATE else compared
    assert counterpart_box.next_step(Submission(organization=staging, intent=intent)) == expected


def test_a_record_with_a_foreign_oid_is_not_prepared(editor):
    staging = mark_foreign(factories.accept(factories.organization(user=editor)))
    assert counterpart_box.counterpart_box(staging).prepare_url == ""
    assert counterpart_box.next_step(Submission(organization=staging, intent=Intent.CREATE)) is None


def test_two_records_are_compared(editor):
    staging, production = pair(editor, name="Lakeside Nord", part_of_oid="1.2.3", aliases=("Nord",))
    submission = factories.submission(staging, user=editor)
    accepted = localtime(factories.accept(staging, submission=submission, evidence=Evidence.QUERY).confirmed_at)
    address = "1 Shore Rd, Madison, Dane, WI, 53704, USA"
    assert counterpart_box.counterpart_facts(staging, production) == [
        CounterpartFact("Name", "Lakeside 1", "Lakeside Nord", differs=True),
        CounterpartFact("OID", BASE, THEIRS),
        CounterpartFact("Address", address, address),
        CounterpartFact("Aliases", "none", "Nord", differs=True),
        CounterpartFact("PartOf", f"the Redox gateway ({staging.part_of_oid})", "1.2.3"),
        CounterpartFact("Directory status", "Active", "Not registered"),
        CounterpartFact("Last accepted", f"{accepted:%b} {accepted.day}, by Query", "never"),
    ]


# The page ---------------------------------------------------------------------------------------------------


def page_and_controls(
    organization: Organization, user: User, named: str | None = None
) -> tuple[CounterpartPage, dict[str, str | None]]:
    """The text of a record's page after a person named another record, and its links and buttons."""
    built = page.build(load(organization), user, named)
    return built, controls_in(html_of_page(built))


def test_without_a_counterpart_the_page_offers_to_prepare_or_link_one(editor):
    staging, production = pair(editor)
    built, offered = page_and_controls(staging, editor)
    assert text_of_page(built).startswith("No linked record in PRODUCTION, Lakeside 1 | STAGING | orgportal")
    assert (offered["Prepare in PRODUCTION"], offered["Compare the two"]) == (PREPARE, "")
    assert (built.switch_url, built.sides) == ("", [])
    built, offered = page_and_controls(production, editor)
    assert (built.path[-1], "Prepare in PRODUCTION" in offered) == (("STAGING", ""), False)


def test_a_record_is_named_by_oid_or_name_and_then_compared(editor):
    staging, production = pair(editor, name="Lakeside Nord")
    for named in (THEIRS, "lakeside nord"):
        built, offered = page_and_controls(staging, editor, named)
        assert (built.other, built.block_reason, offered["Link these two records"]) == (production, "", "")
    for named in ("", "Nobody"):
        built, _ = page_and_controls(staging, editor, named)
        assert list(built.form.errors) == ["counterpart"]
        assert built.other is None
        assert text_of_page(built).startswith("Error: No linked record in PRODUCTION")


def test_a_record_with_a_counterpart_cannot_be_chosen(editor):
    linked(editor)
    third = factories.organization(f"{BASE}.3", user=editor)
    built, offered = page_and_controls(third, editor, THEIRS)
    assert (bool(built.block_reason), "Link these two records" in offered) == (True, False)


def test_two_linked_records_are_compared_and_can_be_unlinked(editor):
    staging, production = linked(editor)
    for here, there in ((staging, production), (production, staging)):
        built, offered = page_and_controls(here, editor)
        assert (built.linked, built.other, built.prepare_url) == (there, there, "")
        assert (offered["Remove this link"], "Compare the two" in offered) == ("", False)
        assert built.switch_url == f"/{there.environment}/organizations/{there.oid}/"


def test_a_viewer_sees_both_records_and_only_disabled_buttons(editor):
    staging, production = pair(editor)
    built, offered = page_and_controls(staging, factories.UserFactory(role="viewer"), THEIRS)
    assert (built.other, offered["Prepare in PRODUCTION"]) == (production, None)
    assert offered.keys().isdisjoint({"Link these two records", "Compare the two"})
