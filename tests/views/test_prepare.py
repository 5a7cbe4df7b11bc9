"""The form that prepares a record in PRODUCTION: how it is filled and saved, and what can go wrong."""

from dataclasses import replace

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client, override_settings

from organizations.models import Environment, Organization, User
from organizations.redox.environment import GATEWAY_OID
from organizations.services.records import counterparts, organizations, prepare
from organizations.services.records.prepare import FormBasis
from organizations.views.prepare import sign_basis
from tests import factories
from tests.changes import mark_foreign
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.views.concurrency import when_queried_for
from tests.views.pages import text_of
from tests.views.typing import OURS, record_inputs

THEIRS = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
NEW = "/production/organizations/new/"
FORM = f"{NEW}?from={BASE}"
PREPARED_URL = f"/production/organizations/{THEIRS}/"


@pytest.fixture
def staging(editor: User) -> Organization:
    return factories.accept(factories.organization(user=editor))


def production() -> list[Organization]:
    return list(Organization.objects.in_environment(Environment.PRODUCTION).order_by("pk"))


def basis_of(staging: Organization) -> FormBasis:
    """The values from which a form that is opened now is filled."""
    source = prepare.source_of(Organization.objects.get(pk=staging.pk))
    return FormBasis(source.record, source.record, source.doubt)


def filled(staging: Organization, oid: str = THEIRS, **texts: str) -> dict[str, str]:
    """The inputs of that form, with this OID and some texts replaced."""
    inputs = {"basis": sign_basis(staging, basis_of(staging))} | texts
    return record_inputs(factories.record(oid)) | inputs


def assert_input_kept(response: HttpResponse, status: int = 409, *, says: str = "") -> None:
    """The form shows what was typed, and the text `says`."""
    assert response.status_code == status
    assert 'value="Typed by me"' in response.content.decode()
    assert says in text_of(response)


def test_the_form_is_filled_and_saving_links_the_two_records(client, staging):
    Organization.objects.filter(pk=staging.pk).update(stands_for="location")
    context = client.get(FORM).context
    fields = context["form"].typed.fields
    values = {"name": "Lakeside 1", "oid": "", "stands_for": "location", "place": "gateway", "destination_id": ""}
    assert {name: fields[name] for name in values} == values
    assert context["switch_url"] == f"/staging/organizations/{BASE}/"
    response = client.post(FORM, filled(staging, act="review", basis=context["basis"]))
    (organization,) = production()
    assert response["Location"] == f"{PREPARED_URL}review/"
    assert (organization.record(), organization.staging_record) == (factories.record(THEIRS), staging)


def test_a_record_with_a_counterpart_leads_to_it(client, staging, editor):
    other = factories.organization(THEIRS, user=editor, environment="production")
    counterparts.link(staging, other, actor=as_actor(editor))
    response = client.get(FORM)
    assert response["Location"] == PREPARED_URL
    (message,) = get_messages(response.wsgi_request)
    assert str(message) == "Lakeside 1 is already the PRODUCTION counterpart of Lakeside 1."


# Two presses, or two people ---------------------------------------------------------------------------------


def test_if_two_people_prepare_a_record_the_second_keeps_their_input(client, staging):
    """Once with the same OID and values (by another person, so not a second press), once with another OID."""
    other, record = as_actor(factories.UserFactory(role="editor")), factories.record(THEIRS, name="Typed by me")
    prepare.prepare(record, staging.pk, basis=basis_of(staging), stands_for="", actor=other)
    for oid, status in ((THEIRS, 422), (f"{THEIRS}.7", 409)):
        response = client.post(FORM, filled(staging, oid, name="Typed by me"))
        assert_input_kept(response, status, says="Typed by me is already the PRODUCTION counterpart. Open it.")
        assert f'<a href="{PREPARED_URL}">Open it</a>' in response.content.decode()
    assert len(production()) == 1


def test_a_second_press_leads_to_the_record_of_the_first(client, staging):
    mine = filled(staging, act="review")
    client.post(FORM, mine)
    response = client.post(FORM, mine)
    assert response["Location"] == f"{PREPARED_URL}review/"
    assert "Lakeside 1 was already saved. It was not saved twice." in map(str, get_messages(response.wsgi_request))
    assert_input_kept(client.post(FORM, mine | {"name": "Typed by me"}), 422)
    assert len(production()) == 1


@pytest.mark.one_database
def test_a_first_press_that_ends_during_the_second_counts(client, staging):
    """The first press ends after the second one found the OID free and before it takes a lock."""
    mine, first = filled(staging), Client()
    first.cookies = client.cookies
    with when_queried_for(GATEWAY_OID, lambda: first.post(FORM, mine)):
        response = client.post(FORM, mine)
    assert response["Location"] == PREPARED_URL


# Changes of the STAGING record since the form was opened ----------------------------------------------------


def test_newly_accepted_values_of_staging_are_shown_and_can_be_saved(client, staging):
    mine = filled(staging, name="Typed by me")
    factories.accept(staging, name="Lakeside Nord")
    response = client.post(FORM, mine)
    assert_input_kept(response, says="Lakeside 1 was changed in STAGING")
    for part in ("<del>Lakeside 1</del>", "<ins>Lakeside Nord</ins>"):
        assert part in response.content.decode()
    assert production() == []
    client.post(FORM, mine | {"basis": response.context["basis"]})
    assert [each.name for each in production()] == ["Typed by me"]


def test_a_change_is_also_shown_by_a_button_that_does_not_save(client, staging):
    """Each button shows it, because the typed values are still older. After that they can be saved."""
    mine = filled(staging, act="add-contacts")
    factories.accept(staging, name="Lakeside Nord")
    for _ in range(2):
        response = client.post(FORM, mine)
        assert "<ins>Lakeside Nord</ins>" in response.content.decode()
        mine["basis"] = response.context["basis"]
    assert client.post(FORM, mine | {"act": "save"}).status_code == 302


def test_values_that_staging_accepts_while_saving_are_shown_too(client, staging):
    """STAGING accepts them after the form read the record and before it takes a lock."""
    with when_queried_for(THEIRS, lambda: factories.accept(staging, name="Lakeside Nord")):
        response = client.post(FORM, filled(staging, name="Typed by me"))
    assert_input_kept(response)
    assert "<ins>Lakeside Nord</ins>" in response.content.decode()


@pytest.mark.one_database
def test_a_change_of_the_staging_record_stops_the_first_save(client, staging):
    mine = filled(staging, name="Typed by me")
    mark_foreign(staging, "Boston")
    response = client.post(FORM, mine)
    assert_input_kept(response, says="(Boston)")
    assert production() == []
    client.post(FORM, mine | {"basis": response.context["basis"]})
    assert [each.name for each in production()] == ["Typed by me"]


@pytest.mark.one_database
def test_a_parent_prepared_since_is_filled_in(client, editor):
    above = factories.accept(factories.organization(f"{BASE}.1", user=editor, name="Lakeside Clinics"))
    below = factories.accept(factories.organization(user=editor, part_of_oid=above.oid))
    mine = filled(below, place=OURS, parent="", name="Typed by me")
    other = factories.organization(f"{THEIRS}.1", user=editor, environment="production")
    counterparts.link(above, other, actor=as_actor(editor))
    for act, again in (("add-contacts", ""), ("save", " again")):
        response = client.post(FORM, mine | {"act": act})
        notice = f"Lakeside Clinics is in PRODUCTION now; it is filled in. Check and save{again}."
        assert notice in response.context["notices"]
        assert response.context["form"].main["parent"].value() == other.oid
        assert not {"place", "parent"} & response.context["form"].main.errors.keys()
    assert production() == [other]


def test_a_form_without_a_valid_basis_is_not_saved(client, staging):
    response = client.post(FORM, filled(staging, basis="made up", name="Typed by me"))
    assert_input_kept(response, says="This form does not say from which values it was filled.")
    assert production() == []


def test_a_form_of_a_withdrawn_record_keeps_what_was_typed(client, editor):
    staging = factories.organization(user=editor)
    mine = filled(staging, name="Typed by me")
    organizations.withdraw(staging.pk, staging.version, actor=as_actor(editor))
    response = client.post(FORM, mine)
    assert_input_kept(response, says="was withdrawn. What you typed is kept, and nothing was saved.")
    assert response.context["post_url"] == NEW
    factories.organization(user=editor)  # another record with its OID is not taken for it
    assert client.post(FORM, mine).status_code == 409
    client.post(NEW, mine)
    assert [(each.name, each.staging_record) for each in production()] == [("Typed by me", None)]


def test_a_form_finds_its_record_after_a_change_of_the_oid(client, editor):
    staging = factories.organization(user=editor)
    mine, record = filled(staging), replace(staging.record(), oid=f"{BASE}.5")
    organizations.edit(staging.pk, staging.version, record, stands_for="", actor=as_actor(editor))
    client.post(FORM, mine)
    assert [each.staging_record_id for each in production()] == [staging.pk]


# What is refused --------------------------------------------------------------------------------------------


def test_the_staging_oid_is_refused_if_base_oids_are_set(client, staging):
    bases = {"REDOX_STAGING_BASE_OIDS": BASE, "REDOX_PRODUCTION_BASE_OIDS": THEIRS}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **bases)):
        response = client.post(FORM, filled(staging, BASE, name="Typed by me"))
    assert_input_kept(response, 422)
    (error,) = response.context["form"].main.errors["oid"]
    assert error == (
        f"{BASE} belongs to STAGING: it is below its base OID {BASE}. Enter the OID that Redox issued for PRODUCTION"
        f" (below {THEIRS})."
    )


def test_only_staging_records_are_prepared_and_only_in_production(client, staging):
    for address in (f"/staging/organizations/new/?from={BASE}", f"{NEW}?from=1.2.3", f"{NEW}?from=x%00"):
        assert client.get(address).status_code == 404
