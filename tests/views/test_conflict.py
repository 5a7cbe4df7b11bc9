"""Two editors at one record: nobody overwrites the other without seeing it."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from organizations import words
from organizations.models import AuditEntry, Organization
from organizations.records import ContactRecord
from organizations.services import organizations
from tests import factories
from tests.factories import BASE, acting
from tests.views.typing import edit_url, form_of, posted

pytestmark = pytest.mark.slow

SENTENCE = "while you were editing. Nothing of yours is lost and nothing was saved yet."


@pytest.fixture
def made(editor):
    return factories.organization(user=editor)


@pytest.fixture
def save_theirs(made):
    """Editor Two saves these changes behind the other's back."""
    second = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")

    def save(*, stands_for="", **changes):
        now = Organization.objects.get(pk=made.pk)
        city = {name: changes.pop(name) for name in ("city",) if name in changes}
        record = replace(now.record(), **({"address": replace(now.record().address, **city)} | changes))
        return organizations.edit(now.pk, now.version, record, stands_for=stands_for, actor=acting(second))

    return save


def conflict(client, made, save_theirs, **typed):
    """The page that comes when both changed the name, they the city, and this person the ZIP."""
    form = form_of(client, made, **({"name": "Mine", "zip_code": "53703"} | typed))
    save_theirs(name="Theirs", city="Monona")
    return client.post(edit_url(made), form)


def inputs(response, **choices):
    """What the page of a conflict posts: everything that was typed, and a choice for each field."""
    context = response.context
    chosen = {f"choice-{each.row.key}": each.chosen for each in context["rows"] if each.chosen}
    now = context["organization"]
    fixed = {"record": str(now.pk), "version": str(context["version"]), "theirs": str(now.version)}
    return context["typed"] | fixed | chosen | {f"choice-{key}": side for key, side in choices.items()}


def test_the_switch_of_environments_leads_to_the_counterpart(client, made, save_theirs, editor):
    twin = factories.organization(f"{BASE}.9", user=editor, environment="production")
    Organization.objects.filter(pk=twin.pk).update(staging_record=made)
    page = conflict(client, made, save_theirs).content.decode()
    assert f'<a class="env-go small" href="/production/organizations/{twin.oid}/">' in page


def test_both_versions_stand_side_by_side_and_nothing_is_saved(client, made, save_theirs):
    response = conflict(client, made, save_theirs)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Editor Two saved this record at" in page
    assert SENTENCE in page
    shown = [(e.row.label, e.row.before, e.row.theirs, e.row.mine, e.chosen) for e in response.context["rows"]]
    assert shown == [
        ("Name", "Lakeside 1", "Theirs", "Mine", None),
        ("City", "Madison", "Monona", "Madison", "theirs"),
        ("ZIP", "53704", "53704", "53703", "mine"),
    ]
    assert "fields equal" in page
    assert Organization.objects.get().version == 2


def test_what_was_chosen_is_saved_as_the_next_version(client, made, save_theirs):
    response = conflict(client, made, save_theirs)
    response = client.post(edit_url(made), inputs(response, name="mine"))
    assert response["Location"] == edit_url(made, "record")
    saved = Organization.objects.get()
    assert (saved.name, saved.city, saved.zip_code, saved.version) == ("Mine", "Monona", "53703", 3)
    assert AuditEntry.objects.filter(action="organization.edited").count() == 2


def test_a_field_that_both_changed_must_be_chosen(client, made, save_theirs):
    response = conflict(client, made, save_theirs)
    response = client.post(edit_url(made), inputs(response) | {"choice-city": "mine", "choice-oid": "nobody"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Conflict, Theirs | STAGING | orgportal</title>" in page
    assert page.count("Choose a value for Name.") == 2
    assert {each.row.key: each.chosen for each in response.context["rows"]} == {
        "name": None,
        "address.city": "theirs",
        "address.zip_code": "mine",
    }
    assert Organization.objects.get().version == 2


def test_a_third_version_meanwhile_is_shown_before_anything_is_saved(client, made, save_theirs):
    response = conflict(client, made, save_theirs)
    sent = inputs(response, name="mine")
    save_theirs(name="Theirs again")
    response = client.post(edit_url(made), sent)
    assert response.status_code == 409
    assert response.context["rows"][0].row.theirs == "Theirs again"
    assert Organization.objects.get().name == "Theirs again"
    assert client.post(edit_url(made), inputs(response, name="mine")).status_code == 302
    assert Organization.objects.get().name == "Mine"


def test_a_choice_between_older_values_is_asked_again_and_any_other_stays(client, made, save_theirs):
    response = conflict(client, made, save_theirs)
    sent = inputs(response, **{"name": "theirs", "address.city": "mine"})
    now = save_theirs(name="Theirs again")
    response = client.post(edit_url(made), sent)
    time = words.moment(localtime(now.edited_at), timezone.now(), "clock")
    assert (
        f"Editor Two saved this record again at {time}, while you were choosing."
        " Choose again where the values are others now." in response.content.decode()
    )
    assert {each.row.key: each.chosen for each in response.context["rows"]} == {
        "name": None,
        "address.city": "mine",
        "address.zip_code": "mine",
    }
    assert client.post(edit_url(made), inputs(response)).status_code == 422
    assert Organization.objects.get().name == "Theirs again"


@pytest.mark.parametrize("theirs", ["", "1", "7", "x"])
def test_a_choice_between_values_that_were_never_shown_is_none(client, made, save_theirs, theirs):
    response = conflict(client, made, save_theirs)
    response = client.post(edit_url(made), inputs(response, name="theirs") | {"theirs": theirs})
    assert response.status_code == 409
    assert response.context["rows"][0].chosen is None


def test_contacts_of_both_together_keep_their_limit(client, made, editor, save_theirs):
    def desks(first, last):
        return tuple(ContactRecord(purpose="Technical", name=f"Desk {number}") for number in range(first, last))

    save_theirs(contacts=desks(0, 15))
    typed = {"record": str(made.pk)} | posted(factories.record(contacts=(*desks(0, 15), *desks(30, 35))), version=2)
    save_theirs(contacts=desks(0, 20))
    response = client.post(edit_url(made), typed)
    response = client.post(edit_url(made), inputs(response))
    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Edit, Lakeside 1 | STAGING | orgportal</title>" in page
    assert '<a href="#contacts">At most 20 contacts can be kept. Remove 5.</a>' in page
    assert (len(response.context["form"].contacts), response.context["version"]) == (25, 3)
    assert Organization.objects.get().version == 3
    kept = response.context["form"].typed
    for _ in range(5):
        kept = kept.after("remove-contacts-0")
    again = kept.as_post() | {"record": str(made.pk), "version": "3", "act": "save"}
    assert client.post(edit_url(made), again).status_code == 302
    assert Organization.objects.get().contacts.count() == 20


def test_values_that_do_not_fit_together_lead_to_the_form_with_both(client, made, save_theirs):
    typed = form_of(client, made, state="Ontario", country="Canada", zip_code="K1A 0B1")
    address = made.record().address
    save_theirs(address=replace(address, country="US"))
    response = client.post(edit_url(made), typed)
    response = client.post(edit_url(made), inputs(response, **{"address.country": "theirs"}))
    form = response.context["form"]
    assert response.status_code == 422
    assert form.main.errors["state"] == ["'Ontario' is not a state. Choose from the list."]
    assert (form.main["country"].value(), form.main["zip_code"].value()) == ("US", "K1A 0B1")
    assert Organization.objects.get().state == "WI"


def test_a_destination_that_is_said_to_be_none_stays_said(client, editor):
    seen = factories.record(destination_known=False)
    taken = organizations.take_over(seen, "staging", actor=acting(editor))
    typed = form_of(client, taken, name="Mine", destination_none="on")
    organizations.edit(taken.pk, 1, replace(seen, name="Theirs"), stands_for="", actor=acting(editor))
    response = client.post(edit_url(taken), typed)
    assert client.post(edit_url(taken), inputs(response, name="mine")).status_code == 302
    assert Organization.objects.get().destination_known


def test_records_below_follow_an_oid_that_is_chosen_after_a_conflict(client, made, editor, save_theirs):
    response = conflict(client, made, save_theirs, oid=f"{BASE}.7")
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    assert client.post(edit_url(made), inputs(response, name="mine")).status_code == 302
    child.refresh_from_db()
    assert child.part_of_oid == f"{BASE}.7"


def test_the_way_back_leads_to_the_form_with_ones_own_values_and_still_overwrites_nothing(client, made, save_theirs):
    response = conflict(client, made, save_theirs)
    response = client.post(edit_url(made), inputs(response) | {"act": "back"})
    form = response.context["form"]
    assert response.status_code == 200
    assert (form.main["name"].value(), form.main["city"].value()) == ("Mine", "Madison")
    again = response.context["version"]
    hidden = {"record": str(made.pk), "version": str(again)}
    response = client.post(edit_url(made), form.typed.as_post() | hidden | {"act": "save"})
    assert response.status_code == 409


def test_contacts_and_what_a_record_stands_for_are_part_of_it(client, made, save_theirs):
    form = form_of(client, made, **{"contacts-0-name": "Mine"})
    contact = made.record().contacts[0]
    save_theirs(contacts=(replace(contact, name="Theirs"),), stands_for="location")
    response = client.post(edit_url(made), form)
    assert [(each.row.label, each.chosen) for each in response.context["rows"]] == [
        ("Kind of record", "theirs"),
        ("Contact 1, Contact name", None),
    ]
    refused = client.post(edit_url(made), inputs(response))
    assert "Choose a value for Contact name of contact 1." in refused.content.decode()
    client.post(edit_url(made), inputs(response, **{"contact-0.name": "theirs"}))
    saved = Organization.objects.get()
    assert (saved.stands_for, saved.record().contacts[0].name) == ("location", "Theirs")


def test_the_name_and_the_address_that_two_people_gave_one_contact_are_both_kept(client, made, save_theirs):
    mine = {"contacts-0-email_addresses": "new@lakeside.example", "contacts-0-work_phone": "+16085550177"}
    form = form_of(client, made, **mine)
    contact = made.record().contacts[0]
    save_theirs(contacts=(replace(contact, name="Front office", mobile_phone="+16085550188"),))
    response = client.post(edit_url(made), form)
    assert client.post(edit_url(made), inputs(response)).status_code == 302
    assert Organization.objects.get().record().contacts == (
        ContactRecord(
            purpose=contact.purpose,
            name="Front office",
            email_addresses=("new@lakeside.example",),
            work_phone="+16085550177",
            mobile_phone="+16085550188",
        ),
    )


@pytest.mark.parametrize("version", ["", "0", "-1", "99", "x", "9" * 400, "1.5"])
def test_a_version_that_was_never_there_overwrites_nothing(client, made, version):
    form = form_of(client, made, name="Mine") | {"version": version}
    response = client.post(edit_url(made), form)
    assert response.status_code == 409
    assert [(each.row.label, each.chosen) for each in response.context["rows"]] == [("Name", "mine")]
    assert Organization.objects.get().name == "Lakeside 1"


def test_values_that_no_longer_fit_lead_back_to_the_form(client, made, save_theirs, editor):
    response = conflict(client, made, save_theirs, oid=f"{BASE}.5")
    factories.organization(f"{BASE}.5", user=editor)
    response = client.post(edit_url(made), inputs(response, name="mine"))
    assert response.status_code == 422
    assert "is already the record Lakeside 5 in STAGING. Open it." in response.content.decode()


# the record that the form was opened for is gone, or is another under this OID


@pytest.fixture
def second():
    return factories.UserFactory(role="editor", first_name="Editor", last_name="Two")


def withdraw(made, user):
    organizations.withdraw(made.pk, Organization.objects.get(pk=made.pk).version, actor=acting(user))
    return AuditEntry.objects.get(action="organization.withdrawn")


def said_of(withdrawal):
    time = words.moment(localtime(withdrawal.at), timezone.now(), "clock")
    return (
        f"Editor Two withdrew this record at {time}."
        " What you typed is kept; save it as a new record if it is still wanted."
    )


def test_a_form_never_overwrites_another_record_that_has_the_oid_by_now(client, made, second):
    typed = form_of(client, made, name="Mine", street="77 Typed Street")
    withdrawal = withdraw(made, second)
    other = factories.organization(user=second, name="Another record")
    response = client.post(edit_url(made), typed)
    assert response.status_code == 409
    assert response.context["notices"] == [said_of(withdrawal)]
    assert response.context["form"].main["street"].value() == "77 Typed Street"
    assert Organization.objects.get().name == other.name


def test_what_was_typed_into_a_withdrawn_record_can_be_saved_as_a_new_one(client, made, second):
    typed = form_of(client, made, name="Mine", act="review")
    withdrawal = withdraw(made, second)
    response = client.post(edit_url(made), typed)
    page = response.content.decode()
    new = reverse("organization-new", args=["staging"])
    assert (response.status_code, Organization.objects.count()) == (409, 0)
    assert said_of(withdrawal) in page
    assert "Add an organization in STAGING" in page
    assert f'<form action="{new}" method="post"' in page
    assert f'formaction="{new}#contacts"' in page
    assert 'name="record"' not in page
    response = client.post(new, response.context["form"].typed.as_post() | {"version": "0", "act": "save"})
    assert response["Location"] == edit_url(made, "record")
    assert Organization.objects.get().name == "Mine"


def test_a_line_that_was_added_to_a_withdrawn_record_is_there(client, made, second):
    typed = form_of(client, made, act="add-contacts")
    withdraw(made, second)
    response = client.post(edit_url(made), typed)
    assert (response.status_code, len(response.context["form"].contacts)) == (409, 2)


def test_a_choice_between_versions_of_a_record_that_was_withdrawn_keeps_ones_own(client, made, save_theirs, second):
    sent = inputs(conflict(client, made, save_theirs), name="theirs")
    withdraw(made, second)
    response = client.post(edit_url(made), sent)
    assert response.status_code == 409
    assert response.context["form"].main["name"].value() == "Mine"


def test_a_record_that_is_withdrawn_in_the_moment_of_saving_keeps_what_was_typed(client, made, second, monkeypatch):
    typed = form_of(client, made, name="Mine")
    edit = organizations.edit

    def too_late(*args, **values):
        withdraw(made, second)
        return edit(*args, **values)

    monkeypatch.setattr(organizations, "edit", too_late)
    response = client.post(edit_url(made), typed)
    assert response.status_code == 409
    assert response.context["form"].main["name"].value() == "Mine"


def test_a_record_whose_oid_was_changed_is_found_again_and_compared(client, made, save_theirs):
    typed = form_of(client, made, name="Mine")
    save_theirs(oid=f"{BASE}.7")
    response = client.post(edit_url(made), typed)
    now = Organization.objects.get()
    assert response.status_code == 409
    assert [(each.row.label, each.row.theirs, each.row.mine, each.chosen) for each in response.context["rows"]] == [
        ("Name", "Lakeside 1", "Mine", "mine"),
        ("OID", f"{BASE}.7", BASE, "theirs"),
    ]
    assert f'action="{edit_url(now)}"' in response.content.decode()
    assert client.post(edit_url(now), inputs(response)).status_code == 302
    now.refresh_from_db()
    assert (now.name, now.oid) == ("Mine", f"{BASE}.7")


def test_a_record_whose_old_oid_is_another_s_by_now_is_compared_as_well(client, made, save_theirs, second):
    typed = form_of(client, made, name="Mine")
    save_theirs(oid=f"{BASE}.7")
    factories.organization(user=second, name="Another record")
    response = client.post(edit_url(made), typed)
    assert response.status_code == 409
    now = Organization.objects.get(pk=made.pk)
    mine = client.post(edit_url(now), inputs(response, oid="mine"))
    assert (mine.status_code, mine.context["form"].main.errors) == (
        422,
        {"oid": [f"{BASE} is already the record Another record in STAGING. Open it."]},
    )
    assert client.post(edit_url(now), inputs(response)).status_code == 302
    assert {each.name for each in Organization.objects.all()} == {"Mine", "Another record"}


@pytest.mark.parametrize("record", ["", "0", "x", "9" * 400, "4711"])
def test_a_form_of_no_record_overwrites_nothing(client, made, record):
    response = client.post(edit_url(made), form_of(client, made, name="Mine") | {"record": record})
    assert response.status_code == 409
    assert Organization.objects.get().name == "Lakeside 1"


def test_a_form_of_a_record_in_the_other_environment_is_about_none(client, made, editor):
    twin = factories.organization(user=editor, environment="production")
    response = client.post(edit_url(made), form_of(client, made, name="Mine") | {"record": str(twin.pk)})
    assert response.status_code == 409
    assert {each.name for each in Organization.objects.all()} == {"Lakeside 1"}
