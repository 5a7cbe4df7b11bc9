"""Prepare in PRODUCTION through its form: filled, saved with its link, and every way in which it can go wrong."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from organizations.models import Environment, Organization, User
from organizations.redox.environment import GATEWAY_OID
from organizations.services import counterparts, known, organizations
from tests import factories
from tests.connected import redox
from tests.factories import BASE, acting
from tests.views.typing import OURS, posted

THEIRS = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
NEW = "/production/organizations/new/"
FORM = f"{NEW}?from={BASE}"
ALREADY = "Lakeside 1 is already the PRODUCTION counterpart."


@pytest.fixture
def staging(editor: User) -> Organization:
    return factories.confirmed(factories.organization(user=editor))


def production() -> list[Organization]:
    return list(Organization.objects.in_environment(Environment.PRODUCTION).order_by("pk"))


def filled(client: Client, oid: str = THEIRS, **texts: str) -> dict[str, str]:
    """What the form that is opened now would post, with this OID and some texts typed."""
    return posted(factories.record(oid), **({"basis": client.get(FORM).context["basis"]} | texts))


def text_of(response: Any) -> str:
    text: str = response.content.decode()
    return " ".join(text.replace("&#x27;", "'").split())


def test_the_form_is_filled_and_saving_links_the_two_records(client: Client, staging: Organization) -> None:
    Organization.objects.filter(pk=staging.pk).update(stands_for="location")
    response = client.get(FORM)
    fields = response.context["form"].typed.fields
    values = {"name": "Lakeside 1", "oid": "", "stands_for": "location", "place": "gateway", "destination_id": ""}
    assert {name: fields[name] for name in values} == values
    assert "leave it empty if there is none yet." in text_of(response)
    assert response.context["switch_url"] == f"/staging/organizations/{BASE}/"

    response = client.post(FORM, filled(client, act="review"))
    (made,) = production()
    assert response["Location"] == f"/production/organizations/{THEIRS}/review/"
    assert (made.record(), made.staging_record) == (factories.record(THEIRS), staging)


def test_a_record_with_a_counterpart_leads_to_it(client: Client, staging: Organization, editor: User) -> None:
    other = factories.organization(THEIRS, user=editor, environment="production")
    counterparts.link(staging, other, actor=acting(editor))
    response = client.get(FORM)
    assert response["Location"] == f"/production/organizations/{THEIRS}/"
    (message,) = get_messages(response.wsgi_request)
    assert str(message) == "Lakeside 1 is already the PRODUCTION counterpart of Lakeside 1."


@pytest.mark.parametrize(("oid", "status"), [(THEIRS, 422), (f"{THEIRS}.7", 409)])
def test_of_two_who_prepare_it_the_second_keeps_what_was_typed(
    client: Client, staging: Organization, oid: str, status: int
) -> None:
    """With the same OID, which the form finds first, and with another one."""
    mine = filled(client, oid, name="Typed by the second")
    client.post(FORM, filled(client))
    response = client.post(FORM, mine)
    assert response.status_code == status
    assert f'{ALREADY} <a href="/production/organizations/{THEIRS}/">Open it</a>' in text_of(response)
    assert 'value="Typed by the second"' in text_of(response)
    assert len(production()) == 1


@pytest.mark.parametrize(("act", "leads_to"), [("save", ""), ("review", "review/")])
def test_a_second_press_leads_to_what_the_first_one_made(
    client: Client, staging: Organization, act: str, leads_to: str
) -> None:
    mine = filled(client, act=act)
    client.post(FORM, mine)
    response = client.post(FORM, mine)
    assert response["Location"] == f"/production/organizations/{THEIRS}/{leads_to}"
    assert "Lakeside 1 was saved already. It was not saved twice." in map(str, get_messages(response.wsgi_request))
    assert client.post(FORM, mine | {"name": "Typed anew"}).status_code == 422
    assert len(production()) == 1


@pytest.mark.one_database
def test_what_another_person_prepared_is_not_taken_for_a_first_press(
    client: Client, client_of: Callable[..., Client], staging: Organization
) -> None:
    mine = filled(client)
    client_of("editor").post(FORM, mine)
    assert client.post(FORM, mine).status_code == 422


@pytest.mark.one_database
def test_a_first_press_that_ends_in_the_moment_of_the_second_counts_too(client: Client, staging: Organization) -> None:
    """While the form looks for the parent it has found the OID free already, and locked nothing yet."""
    mine, waiting = filled(client), [Client()]
    waiting[0].cookies = client.cookies

    def meanwhile(execute: Callable[..., Any], sql: str, params: Any, *more: Any) -> Any:
        if GATEWAY_OID in (params or ()) and waiting:
            waiting.pop().post(FORM, mine)
        return execute(sql, params, *more)

    with connection.execute_wrapper(meanwhile):
        response = client.post(FORM, mine)
    assert response["Location"] == f"/production/organizations/{THEIRS}/"


def test_what_staging_accepted_meanwhile_is_shown_and_saving_again_is_possible(
    client: Client, staging: Organization
) -> None:
    mine = filled(client, name="Typed by me")
    factories.confirmed(staging, name="Lakeside Nord")
    response = client.post(FORM, mine)
    assert response.status_code == 409
    assert "Lakeside 1 was changed in STAGING" in text_of(response)
    assert "<del>Lakeside 1</del>" in text_of(response)
    assert "<ins>Lakeside Nord</ins>" in text_of(response)
    assert 'value="Typed by me"' in text_of(response)
    assert production() == []
    client.post(FORM, mine | {"basis": response.context["basis"]})
    assert [each.name for each in production()] == ["Typed by me"]


def test_what_staging_accepts_in_the_moment_of_saving_is_shown_too(client: Client, staging: Organization) -> None:
    """While the form looks whether the OID is free it has read the record already, and locked nothing yet."""
    mine, waiting = filled(client), [staging]

    def meanwhile(execute: Callable[..., Any], sql: str, params: Any, *more: Any) -> Any:
        if THEIRS in (params or ()) and waiting:
            factories.confirmed(waiting.pop(), name="Lakeside Nord")
        return execute(sql, params, *more)

    with connection.execute_wrapper(meanwhile):
        response = client.post(FORM, mine)
    assert response.status_code == 409
    assert "<ins>Lakeside Nord</ins>" in text_of(response)


def test_a_change_is_also_shown_by_a_button_that_does_not_save(client: Client, staging: Organization) -> None:
    """And again by the next one: what was typed is still older."""
    mine = filled(client, act="add-contacts")
    factories.confirmed(staging, name="Lakeside Nord")
    for _ in range(2):
        response = client.post(FORM, mine)
        assert "<ins>Lakeside Nord</ins>" in text_of(response)
        mine["basis"] = response.context["basis"]


@pytest.mark.one_database
def test_what_became_of_the_record_of_staging_meanwhile_stops_the_saving_once(
    client: Client, staging: Organization
) -> None:
    mine = filled(client, name="Typed by me")
    known.find_foreign(staging, factories.record(name="Boston"), timezone.now())
    response = client.post(FORM, mine)
    assert response.status_code == 409
    assert "Lakeside 1 was changed in STAGING" in text_of(response)
    assert "belongs to another organization (Boston)" in text_of(response)
    assert 'value="Typed by me"' in text_of(response)
    assert production() == []
    client.post(FORM, mine | {"basis": response.context["basis"]})
    assert [each.name for each in production()] == ["Typed by me"]


@pytest.mark.one_database
def test_a_parent_that_was_prepared_meanwhile_is_filled_in(client: Client, editor: User) -> None:
    above = factories.confirmed(factories.organization(f"{BASE}.1", user=editor, name="Lakeside Clinics"))
    factories.confirmed(factories.organization(user=editor, part_of_oid=above.oid))
    mine = filled(client, place=OURS, parent="", name="Typed by me")
    assert "Choose what this record is part of." in text_of(client.post(FORM, mine))
    other = factories.organization(f"{THEIRS}.1", user=editor, environment="production")
    counterparts.link(above, other, actor=acting(editor))
    for act, again in (("add-contacts", ""), ("save", " again")):
        response = client.post(FORM, mine | {"act": act})
        said = f"Lakeside Clinics is in PRODUCTION now; it is filled in. Check and save{again}."
        assert said in response.context["notices"]
        assert response.context["form"].main["parent"].value() == other.oid
        assert "Choose what this record is part of." not in text_of(response)
    assert production() == [other]
    client.post(FORM, mine | {"parent": other.oid})
    assert [each.part_of_oid for each in production()[1:]] == [other.oid]


@pytest.mark.parametrize("basis", ["", "made up"])
def test_a_form_that_does_not_say_what_it_was_filled_from_is_not_saved(
    client: Client, staging: Organization, basis: str
) -> None:
    response = client.post(FORM, filled(client, basis=basis))
    assert response.status_code == 409
    assert "This form does not say from which values it was filled." in text_of(response)
    assert production() == []


def test_a_record_that_was_withdrawn_meanwhile_leaves_what_was_typed(client: Client, editor: User) -> None:
    staging = factories.organization(user=editor)
    mine = filled(client, name="Typed by me")
    organizations.withdraw(staging.pk, staging.version, actor=acting(editor))
    response = client.post(FORM, mine)
    assert response.status_code == 409
    assert "was withdrawn. What you typed is kept, and nothing was saved." in text_of(response)
    assert response.context["address"] == NEW
    client.post(NEW, mine)
    assert [(each.name, each.staging_record) for each in production()] == [("Typed by me", None)]


def test_another_record_with_the_same_oid_is_not_taken_for_the_withdrawn_one(client: Client, editor: User) -> None:
    staging = factories.organization(user=editor)
    mine = filled(client)
    organizations.withdraw(staging.pk, staging.version, actor=acting(editor))
    factories.organization(user=editor)
    assert client.post(FORM, mine).status_code == 409
    assert production() == []


def test_a_record_whose_oid_was_changed_meanwhile_is_still_the_one(client: Client, editor: User) -> None:
    staging = factories.organization(user=editor)
    mine = filled(client)
    record = replace(staging.record(), oid=f"{BASE}.5")
    organizations.edit(staging.pk, staging.version, record, stands_for="", actor=acting(editor))
    client.post(FORM, mine)
    assert [each.staging_record_id for each in production()] == [staging.pk]


def test_the_oid_of_staging_is_refused_where_the_bases_tell_them_apart(client: Client, staging: Organization) -> None:
    bases = {"REDOX_STAGING_BASE_OIDS": BASE, "REDOX_PRODUCTION_BASE_OIDS": THEIRS}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **bases)):
        response = client.post(FORM, filled(client, BASE))
    assert response.status_code == 422
    (error,) = response.context["form"].main.errors["oid"]
    assert error == (
        f"{BASE} belongs to STAGING: it lies below its base OID {BASE}. Enter the OID that Redox issued for PRODUCTION"
        f" (below {THEIRS})."
    )
    assert production() == []


def test_without_bases_the_oid_of_staging_is_a_warning_of_the_review(client: Client, staging: Organization) -> None:
    response = client.post(FORM, filled(client, BASE, act="review"))
    warnings = client.get(response["Location"]).context["made"].open_warnings
    assert f"The OID {BASE} is that of Lakeside 1 in STAGING. Was it copied from there by mistake?" in {
        each.text for each in warnings
    }


@pytest.mark.parametrize("address", ["/staging/organizations/new/?from=1.2.3", f"{NEW}?from=1.2.3", f"{NEW}?from=x%00"])
def test_only_a_record_of_staging_is_repeated_and_only_in_production(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404
