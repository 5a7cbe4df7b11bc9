"""Two editors of one record: neither overwrites the other without seeing it."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from organizations.models import AuditEntry, Organization
from organizations.services.records import organizations
from organizations.text import vocabulary
from tests import factories
from tests.factories import BASE, as_actor
from tests.views.concurrency import just_before_saving
from tests.views.history import save_edit
from tests.views.typing import edit_url, inputs_of

pytestmark = pytest.mark.slow


@pytest.fixture
def save_theirs(organization, second):
    """Save changes as Editor Two while the form of the other editor is open."""

    return lambda **changes: save_edit(organization, second, **changes)


def conflict(client, organization, save_theirs, **typed):
    """The conflict page after both editors changed the name."""
    inputs = inputs_of(organization, **({"name": "Mine"} | typed))
    save_theirs(name="Theirs")
    return client.post(edit_url(organization), inputs)


def inputs(response, **choices):
    """What the conflict page posts: everything typed, and a choice for each field."""
    context = response.context
    preselected = {f"choice-{each.row.key}": each.chosen for each in context["rows"] if each.chosen}
    now = context["organization"]
    fixed = {"record": str(now.pk), "version": str(context["version"]), "theirs": str(now.version)}
    return context["typed"] | fixed | preselected | {f"choice-{key}": side for key, side in choices.items()}


def test_nothing_is_saved_until_each_field_is_chosen(client, organization, save_theirs):
    response = conflict(client, organization, save_theirs, zip_code="53703")
    assert (response.status_code, Organization.objects.get().version) == (409, 2)
    refused = client.post(edit_url(organization), inputs(response))
    assert (refused.status_code, Organization.objects.get().version) == (422, 2)
    assert "<title>Error: Conflict, Theirs | STAGING | orgportal</title>" in refused.content.decode()
    saved = client.post(edit_url(organization), inputs(response, name="mine"))
    assert saved["Location"] == edit_url(organization, "record")
    now = Organization.objects.get()
    assert (now.name, now.zip_code, now.version) == ("Mine", "53703", 3)
    assert AuditEntry.objects.filter(action="organization.edited").count() == 2


def test_a_newer_version_is_shown_before_anything_is_saved(client, organization, save_theirs):
    choices = inputs(conflict(client, organization, save_theirs), name="mine")
    save_theirs(name="Theirs again")
    response = client.post(edit_url(organization), choices)
    assert response.status_code == 409
    assert response.context["rows"][0].row.theirs == "Theirs again"
    assert Organization.objects.get().name == "Theirs again"
    assert client.post(edit_url(organization), inputs(response, name="mine")).status_code == 302
    assert Organization.objects.get().name == "Mine"


def test_an_invalid_combination_of_choices_opens_the_form(client, organization, save_theirs):
    first_inputs = inputs_of(organization, state="Ontario", country="Canada", zip_code="K1A 0B1")
    save_theirs(address=replace(organization.record().address, country="US"))
    response = client.post(
        edit_url(organization),
        inputs(client.post(edit_url(organization), first_inputs), **{"address.country": "theirs"}),
    )
    form = response.context["form"]
    assert response.status_code == 422
    assert "state" in form.main.errors
    assert (form.main["country"].value(), form.main["zip_code"].value()) == ("US", "K1A 0B1")
    assert Organization.objects.get().state == "WI"
    # The form is based on both versions: saving it asks for no choice again.
    hidden = {"record": str(organization.pk), "version": str(response.context["version"]), "act": "save"}
    again = form.typed.having(state="WI", zip_code="53704").as_post() | hidden
    assert client.post(edit_url(organization), again).status_code == 302


def test_back_opens_the_form_with_the_typed_values_and_their_base_version(client, organization, save_theirs):
    response = client.post(
        edit_url(organization), inputs(conflict(client, organization, save_theirs)) | {"act": "back"}
    )
    assert (response.status_code, response.context["version"]) == (200, 1)
    assert response.context["form"].main["name"].value() == "Mine"


def test_an_oid_taken_since_is_an_error_in_the_form(client, organization, save_theirs, editor):
    response = conflict(client, organization, save_theirs, oid=f"{BASE}.5")
    factories.organization(f"{BASE}.5", user=editor)
    response = client.post(edit_url(organization), inputs(response, name="mine"))
    assert (response.status_code, list(response.context["form"].main.errors)) == (422, ["oid"])


# The record of the form was withdrawn, or its OID changed, or another record has its OID.


def withdraw(organization, user):
    organizations.withdraw(organization.pk, Organization.objects.get(pk=organization.pk).version, actor=as_actor(user))
    return AuditEntry.objects.get(action="organization.withdrawn")


def withdrawal_notice(withdrawal):
    time = vocabulary.moment_text(localtime(withdrawal.at), timezone.now(), "clock")
    return (
        f"Editor Two withdrew this record at {time}."
        " What you typed is kept. Save it as a new record if it is still needed."
    )


def test_a_form_never_overwrites_a_new_record_with_the_same_oid(client, organization, second):
    inputs = inputs_of(organization, name="Mine", street="77 Typed Street", act="add-contacts")
    withdrawal = withdraw(organization, second)
    other = factories.organization(user=second, name="Another record")
    response = client.post(edit_url(organization), inputs)
    assert response.status_code == 409
    assert response.context["notices"] == [withdrawal_notice(withdrawal)]
    form = response.context["form"]
    assert (form.main["street"].value(), len(form.contacts)) == ("77 Typed Street", 2)
    assert Organization.objects.get().name == other.name


def test_edits_of_a_withdrawn_record_can_be_saved_as_a_new_record(client, organization, second):
    form = inputs_of(organization, name="Mine", act="review")
    withdraw(organization, second)
    response = client.post(edit_url(organization), form)
    new = reverse("organization-new", args=["staging"])
    assert (response.status_code, Organization.objects.count()) == (409, 0)
    assert (response.context["organization"], response.context["post_url"]) == (None, new)
    response = client.post(new, response.context["form"].typed.as_post() | {"version": "0", "act": "save"})
    assert response["Location"] == edit_url(organization, "record")
    assert Organization.objects.get().name == "Mine"


@pytest.mark.parametrize("is_chosen", [False, True], ids=["from the form", "from the conflict"])
def test_if_the_record_is_withdrawn_while_saving_the_input_is_kept(
    client, organization, save_theirs, second, is_chosen
):
    form = (
        inputs(conflict(client, organization, save_theirs), name="mine")
        if is_chosen
        else inputs_of(organization, name="Mine")
    )
    with just_before_saving(lambda: withdraw(organization, second)):
        response = client.post(edit_url(organization), form)
    assert (response.status_code, response.context["form"].main["name"].value()) == (409, "Mine")


def test_a_record_with_a_changed_oid_is_found_and_compared(client, organization, save_theirs):
    form = inputs_of(organization, name="Mine")
    save_theirs(oid=f"{BASE}.7")
    response = client.post(edit_url(organization), form)
    now = Organization.objects.get()
    assert response.status_code == 409
    assert [(each.row.label, each.row.theirs, each.row.mine, each.chosen) for each in response.context["rows"]] == [
        ("Name", "Lakeside 1", "Mine", "mine"),
        ("OID", f"{BASE}.7", BASE, "theirs"),
    ]
    assert response.context["edit_url"] == edit_url(now)


def test_a_record_whose_old_oid_now_belongs_to_another_record_is_compared(client, organization, save_theirs, second):
    form = inputs_of(organization, name="Mine")
    save_theirs(oid=f"{BASE}.7")
    factories.organization(user=second, name="Another record")
    response = client.post(edit_url(organization), form)
    assert response.status_code == 409
    now = Organization.objects.get(pk=organization.pk)
    mine = client.post(edit_url(now), inputs(response, oid="mine"))
    assert (mine.status_code, list(mine.context["form"].main.errors)) == (422, ["oid"])
    assert client.post(edit_url(now), inputs(response)).status_code == 302
    assert {each.name for each in Organization.objects.all()} == {"Mine", "Another record"}


def test_a_form_with_a_wrong_record_id_overwrites_nothing(client, organization, editor):
    twin = factories.organization(user=editor, environment="production")
    for record in ("", "4711", str(twin.pk)):
        response = client.post(edit_url(organization), inputs_of(organization, name="Mine") | {"record": record})
        assert response.status_code == 409, record
    assert {each.name for each in Organization.objects.all()} == {"Lakeside 1"}
