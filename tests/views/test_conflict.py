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
from tests.factories import BASE, acting
from tests.views.history import edited
from tests.views.meanwhile import just_before_saving
from tests.views.typing import edit_url, inputs_of

pytestmark = pytest.mark.slow


@pytest.fixture
def save_theirs(made, second):
    """Editor Two saves these changes behind the other's back."""

    return lambda **changes: edited(made, second, **changes)


def conflict(client, made, save_theirs, **typed):
    """The page that comes when both changed the name."""
    form = inputs_of(made, **({"name": "Mine"} | typed))
    save_theirs(name="Theirs")
    return client.post(edit_url(made), form)


def inputs(response, **choices):
    """What the page of a conflict posts: everything that was typed, and a choice for each field."""
    context = response.context
    chosen = {f"choice-{each.row.key}": each.chosen for each in context["rows"] if each.chosen}
    now = context["organization"]
    fixed = {"record": str(now.pk), "version": str(context["version"]), "theirs": str(now.version)}
    return context["typed"] | fixed | chosen | {f"choice-{key}": side for key, side in choices.items()}


def test_nothing_is_saved_before_somebody_chose_and_then_what_was_chosen(client, made, save_theirs):
    response = conflict(client, made, save_theirs, zip_code="53703")
    assert (response.status_code, Organization.objects.get().version) == (409, 2)
    refused = client.post(edit_url(made), inputs(response))
    assert (refused.status_code, Organization.objects.get().version) == (422, 2)
    assert "<title>Error: Conflict, Theirs | STAGING | orgportal</title>" in refused.content.decode()
    saved = client.post(edit_url(made), inputs(response, name="mine"))
    assert saved["Location"] == edit_url(made, "record")
    now = Organization.objects.get()
    assert (now.name, now.zip_code, now.version) == ("Mine", "53703", 3)
    assert AuditEntry.objects.filter(action="organization.edited").count() == 2


def test_a_third_version_is_shown_before_anything_is_saved(client, made, save_theirs):
    sent = inputs(conflict(client, made, save_theirs), name="mine")
    save_theirs(name="Theirs again")
    response = client.post(edit_url(made), sent)
    assert response.status_code == 409
    assert response.context["rows"][0].row.theirs == "Theirs again"
    assert Organization.objects.get().name == "Theirs again"
    assert client.post(edit_url(made), inputs(response, name="mine")).status_code == 302
    assert Organization.objects.get().name == "Mine"


def test_values_that_do_not_fit_together_lead_to_the_form_with_both(client, made, save_theirs):
    typed = inputs_of(made, state="Ontario", country="Canada", zip_code="K1A 0B1")
    save_theirs(address=replace(made.record().address, country="US"))
    response = client.post(edit_url(made), inputs(client.post(edit_url(made), typed), **{"address.country": "theirs"}))
    form = response.context["form"]
    assert response.status_code == 422
    assert "state" in form.main.errors
    assert (form.main["country"].value(), form.main["zip_code"].value()) == ("US", "K1A 0B1")
    assert Organization.objects.get().state == "WI"
    # It is based on both: saving it again asks nothing that was chosen already.
    hidden = {"record": str(made.pk), "version": str(response.context["version"]), "act": "save"}
    again = form.typed.having(state="WI", zip_code="53704").as_post() | hidden
    assert client.post(edit_url(made), again).status_code == 302


def test_the_way_back_leads_to_the_form_with_ones_own_values_and_their_version(client, made, save_theirs):
    response = client.post(edit_url(made), inputs(conflict(client, made, save_theirs)) | {"act": "back"})
    assert (response.status_code, response.context["version"]) == (200, 1)
    assert response.context["form"].main["name"].value() == "Mine"


def test_values_taken_since_lead_back_to_the_form(client, made, save_theirs, editor):
    response = conflict(client, made, save_theirs, oid=f"{BASE}.5")
    factories.organization(f"{BASE}.5", user=editor)
    response = client.post(edit_url(made), inputs(response, name="mine"))
    assert (response.status_code, list(response.context["form"].main.errors)) == (422, ["oid"])


# The record that the form was opened for is gone, or is another under this OID.


def withdraw(made, user):
    organizations.withdraw(made.pk, Organization.objects.get(pk=made.pk).version, actor=acting(user))
    return AuditEntry.objects.get(action="organization.withdrawn")


def said_of(withdrawal):
    time = vocabulary.moment(localtime(withdrawal.at), timezone.now(), "clock")
    return (
        f"Editor Two withdrew this record at {time}."
        " What you typed is kept. Save it as a new record if it is still needed."
    )


def test_a_form_never_overwrites_another_record_that_has_the_oid_by_now(client, made, second):
    typed = inputs_of(made, name="Mine", street="77 Typed Street", act="add-contacts")
    withdrawal = withdraw(made, second)
    other = factories.organization(user=second, name="Another record")
    response = client.post(edit_url(made), typed)
    assert response.status_code == 409
    assert response.context["notices"] == [said_of(withdrawal)]
    form = response.context["form"]
    assert (form.main["street"].value(), len(form.contacts)) == ("77 Typed Street", 2)
    assert Organization.objects.get().name == other.name


def test_what_was_typed_into_a_withdrawn_record_can_be_saved_as_a_new_one(client, made, second):
    typed = inputs_of(made, name="Mine", act="review")
    withdraw(made, second)
    response = client.post(edit_url(made), typed)
    new = reverse("organization-new", args=["staging"])
    assert (response.status_code, Organization.objects.count()) == (409, 0)
    assert (response.context["organization"], response.context["address"]) == (None, new)
    response = client.post(new, response.context["form"].typed.as_post() | {"version": "0", "act": "save"})
    assert response["Location"] == edit_url(made, "record")
    assert Organization.objects.get().name == "Mine"


@pytest.mark.parametrize("is_chosen", [False, True], ids=["from the form", "from the conflict"])
def test_a_record_that_is_withdrawn_in_the_moment_of_saving_keeps_what_was_typed(
    client, made, save_theirs, second, is_chosen
):
    typed = inputs(conflict(client, made, save_theirs), name="mine") if is_chosen else inputs_of(made, name="Mine")
    with just_before_saving(lambda: withdraw(made, second)):
        response = client.post(edit_url(made), typed)
    assert (response.status_code, response.context["form"].main["name"].value()) == (409, "Mine")


def test_a_record_whose_oid_was_changed_is_found_again_and_compared(client, made, save_theirs):
    typed = inputs_of(made, name="Mine")
    save_theirs(oid=f"{BASE}.7")
    response = client.post(edit_url(made), typed)
    now = Organization.objects.get()
    assert response.status_code == 409
    assert [(each.row.label, each.row.theirs, each.row.mine, each.chosen) for each in response.context["rows"]] == [
        ("Name", "Lakeside 1", "Mine", "mine"),
        ("OID", f"{BASE}.7", BASE, "theirs"),
    ]
    assert response.context["edit_url"] == edit_url(now)


def test_a_record_whose_old_oid_is_another_s_by_now_is_compared_as_well(client, made, save_theirs, second):
    typed = inputs_of(made, name="Mine")
    save_theirs(oid=f"{BASE}.7")
    factories.organization(user=second, name="Another record")
    response = client.post(edit_url(made), typed)
    assert response.status_code == 409
    now = Organization.objects.get(pk=made.pk)
    mine = client.post(edit_url(now), inputs(response, oid="mine"))
    assert (mine.status_code, list(mine.context["form"].main.errors)) == (422, ["oid"])
    assert client.post(edit_url(now), inputs(response)).status_code == 302
    assert {each.name for each in Organization.objects.all()} == {"Mine", "Another record"}


def test_a_form_of_no_record_or_one_in_the_other_environment_overwrites_nothing(client, made, editor):
    twin = factories.organization(user=editor, environment="production")
    for record in ("", "4711", str(twin.pk)):
        response = client.post(edit_url(made), inputs_of(made, name="Mine") | {"record": record})
        assert response.status_code == 409, record
    assert {each.name for each in Organization.objects.all()} == {"Lakeside 1"}
