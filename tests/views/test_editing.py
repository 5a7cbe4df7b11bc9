"""Add and edit: happy path first, then each way in."""

from dataclasses import replace

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from organizations import words
from organizations.models import AuditEntry, Organization, Presence, Submission
from organizations.presentation import choices, editing
from organizations.records import AddressRecord, ContactRecord, OrganizationRecord
from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services import delivery, organizations, submissions
from tests import bulk, factories
from tests.connected import redox
from tests.factories import BASE, acting
from tests.views.typing import OTHER, OURS, edit_url, form_of, posted

NEW = reverse("organization-new", args=["staging"])
DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def problems(response):
    form = response.context["form"]
    return {name: list(errors) for name, errors in form.main.errors.items()}


@pytest.fixture
def made(editor):
    return factories.organization(user=editor)


def test_a_new_record_is_saved_and_nothing_is_sent(client, editor):
    assert client.get(NEW).status_code == 200

    response = client.post(NEW, posted(factories.record(), stands_for="location"))

    made = Organization.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("record", args=["staging", BASE])
    assert made.record() == factories.record()
    assert (made.stands_for, made.edited_by) == ("location", editor)
    assert said(response) == ["Saved. Nothing was sent."]
    assert not Submission.objects.exists()


def test_review_and_send_saves_and_leads_to_the_review(client):
    response = client.post(NEW, posted(factories.record(), act="review", state="wisconsin"))
    assert response["Location"] == reverse("review", args=["staging", BASE])
    assert said(response) == ["Changed for you: State 'wisconsin' to WI."]
    assert Organization.objects.get().state == "WI"


def test_an_edit_is_saved_as_a_new_version(client, made):
    response = client.post(edit_url(made), form_of(client, made, zip_code="53703-1234"))
    assert response["Location"] == edit_url(made, "record")
    saved = Organization.objects.get()
    assert (saved.zip_code, saved.version) == ("53703-1234", 2)


def test_the_form_shows_what_is_saved(client, editor):
    made = factories.organization(
        user=editor, aliases=("LN", "North"), destination_id=DESTINATION, part_of_oid=GATEWAY_OID
    )
    page = client.get(edit_url(made)).content.decode()
    for text in (
        "Edit Lakeside 1",
        "The name as others see it in the directory.",
        "Aliases: other names, one a line.",
        "Kind of record: for your overview; not sent.",
        "The OID does not belong here.",
        "A record in STAGING",
        f"Only for a top-level record: {GATEWAY_OID}",
        "Another OID",
        "Empty is right while testing.",
        "Redox documents only the purpose “Technical”. Other words are sent as typed.",
        "the street on one line",
        "Wisconsin (WI)",
        "LN\nNorth",
        DESTINATION,
        "desk@lakeside.example",
        "Review and send",
        "Save without sending",
        "Leave without saving",
    ):
        assert text in page, text
    assert 'name="active"' not in page


def test_problems_keep_what_was_typed_and_save_nothing(client, made):
    before = AuditEntry.objects.count()
    typed = form_of(client, made, name="", zip_code="537O3", **{"contacts-0-work_phone": "555-0120"})
    response = client.post(edit_url(made), typed)
    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Edit, Lakeside 1 | STAGING | orgportal</title>" in page
    assert "There is a problem" in page
    assert page.count("Enter the name of the organization.") == 2
    assert '<a href="#id_contacts-0-work_phone">' in page
    assert 'value="537O3"' in page
    assert 'value="555-0120"' in page
    assert [(key, count) for key, _, count in response.context["form"].sections if count] == [
        ("identity", 1),
        ("contacts", 1),
        ("address", 1),
    ]
    assert Organization.objects.get().version == 1
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("oid", [BASE, f" urn:oid:{BASE}.", BASE.replace(".99999.", ". 99999\u200b.")])
def test_a_taken_oid_names_its_record_and_leads_to_it(client, made, oid):
    response = client.post(NEW, posted(factories.record(name="Second"), oid=oid))
    assert problems(response) == {"oid": [f"{BASE} is already the record Lakeside 1 in STAGING. Open it."]}
    assert f'<a href="{edit_url(made, "record")}">Open Lakeside 1</a>' in response.content.decode()


def test_an_oid_that_was_sent_is_fixed(client, made, editor):
    factories.submission(made, user=editor)
    page = client.get(edit_url(made)).content.decode()
    assert "It was sent and cannot be changed." in page
    assert 'name="oid"' not in page
    client.post(edit_url(made), form_of(client, made, oid=f"{BASE}.9", name="Renamed"))
    saved = Organization.objects.get()
    assert (saved.oid, saved.name) == (BASE, "Renamed")


def test_an_oid_whose_only_submission_was_cancelled_is_fixed_and_not_said_to_be_sent(client, made, editor):
    submissions.cancel(factories.submission(made, user=editor).pk, actor=acting(editor))
    page = client.get(edit_url(made)).content.decode()
    assert (
        "A submission of this record was made and cancelled before anything was sent; its history names this OID."
        " It cannot be changed." in page
    )
    assert 'name="oid"' not in page


def test_an_oid_that_was_never_sent_can_be_changed(client, made):
    response = client.post(edit_url(made), form_of(client, made, oid=f"{BASE}.9"))
    assert response["Location"] == reverse("record", args=["staging", f"{BASE}.9"])


@pytest.mark.parametrize("act", ["add-contacts", "add-identifiers", "remove-contacts-0", "nothing-known"])
def test_other_buttons_bring_the_form_back_with_all_values_and_save_nothing(client, made, act):
    typed = form_of(client, made, name="Half typed", zip_code="x", act=act)
    response = client.post(edit_url(made), typed)
    form = response.context["form"]
    assert response.status_code == 200
    assert (form.main["name"].value(), form.main["zip_code"].value()) == ("Half typed", "x")
    assert (len(form.contacts), len(form.identifiers)) == {
        "add-contacts": (2, 0),
        "add-identifiers": (1, 1),
        "remove-contacts-0": (0, 0),
        "nothing-known": (1, 0),
    }[act]
    assert "There is a problem" not in response.content.decode()
    assert 'data-guard="changed"' in response.content.decode()
    assert Organization.objects.get().version == 1


def test_the_next_oid_below_the_parent_is_suggested_and_said_to_be_redox_s(client, made, editor):
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    typed = posted(factories.record(part_of_oid=BASE), act="suggest-oid", oid="")
    response = client.post(NEW, typed)
    assert response.context["form"].main["oid"].value() == f"{BASE}.2"
    assert (
        f"{BASE}.2 is the lowest OID below {BASE} that is free here. Redox issues OIDs (Redox dashboard, your"
        " organization): use it only if Redox agreed to your own numbering." in response.content.decode()
    )


@pytest.mark.parametrize(
    ("texts", "note"),
    [
        ({"place": OURS, "parent": "Nobody"}, "Choose first what this record is part of"),
        ({"place": "", "parent": BASE}, "Choose first what this record is part of"),
        ({"place": OURS, "parent": "\x00" * 300}, "Choose first what this record is part of"),
        ({"place": "gateway"}, "Redox issues the OID of a top-level record: see the Redox dashboard"),
        (
            {"place": "other", "other_oid": GATEWAY_SELF_OID},
            "Redox issues the OID of a top-level record: see the Redox",
        ),
        ({"place": "other", "other_oid": "2." + "1" * 62}, "An OID has at most 64 characters"),
    ],
)
def test_without_a_parent_that_has_room_no_oid_is_suggested(client, made, texts, note):
    response = client.post(NEW, posted(factories.record(), act="suggest-oid", oid="1.2", **texts))
    assert note in response.context["oid_note"]
    assert response.context["form"].main["oid"].value() == "1.2"


@pytest.mark.one_database
def test_a_gateway_that_is_set_as_base_is_not_suggested(client):
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=GATEWAY_OID)):
        response = client.post(NEW, posted(factories.record(), act="suggest-oid", oid="1.2"))
    assert response.context["form"].main["oid"].value() == "1.2"


def test_a_record_below_another_begins_with_what_can_be_known(client, made, editor):
    organizations.edit(
        made.pk, 1, replace(made.record(), destination_id=DESTINATION), stands_for="", actor=acting(editor)
    )
    page = client.get(f"{NEW}?below={BASE}")
    form = page.context["form"]
    shown = {name: form.main[name].value() for name in ("name", "oid", "place", "parent", "destination_id", "state")}
    assert shown == {
        "name": "",
        "oid": f"{BASE}.1",
        "place": OURS,
        "parent": BASE,
        "destination_id": DESTINATION,
        "state": "WI",
    }
    assert (form.main["country"].value(), form.main["street"].value()) == ("USA", "")
    assert form.contacts[0]["email_addresses"].value() == "desk@lakeside.example"
    assert page.context["notices"] == [
        "Contacts, destination ID, state and country are filled in from Lakeside 1. Check them."
    ]
    bare = OrganizationRecord(address=AddressRecord(country="USA"))
    assert editing.filled_sentence(bare, made) == "Country is filled in from Lakeside 1. Check it."
    assert editing.filled_sentence(OrganizationRecord(), made) == ""


def test_another_like_this_begins_beside_it(client, made, editor):
    other = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    form = client.get(f"{NEW}?like={other.oid}").context["form"]
    shown = {name: form.main[name].value() for name in ("name", "oid", "parent", "county", "city")}
    assert shown == {"name": "", "oid": f"{BASE}.2", "parent": BASE, "county": "Dane", "city": ""}


@pytest.mark.parametrize("query", ["below", "like"])
@pytest.mark.parametrize("oid", ["1.2.3", "x", "\x00", "9" * 5000])
def test_a_beginning_that_is_not_there_is_404(client, query, oid):
    assert client.get(NEW, {query: oid}).status_code == 404


def test_the_first_record_begins_at_the_gateway(client):
    assert client.get(NEW).context["form"].main["place"].value() == "gateway"


def test_records_below_follow_an_oid_that_changes(client, made, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    response = client.post(edit_url(made), form_of(client, made, oid=f"{BASE}.7"))
    assert response.status_code == 302
    child.refresh_from_db()
    assert child.part_of_oid == f"{BASE}.7"


@pytest.mark.parametrize(
    ("place", "at"),
    [({"place": OURS, "parent": BASE + ".1"}, "parent"), ({"place": OTHER, "other_oid": BASE + ".1"}, "other_oid")],
)
def test_a_circle_that_another_save_closed_meanwhile_is_refused_where_the_parent_was_chosen(
    client, made, editor, monkeypatch, place, at
):
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    monkeypatch.setattr(organizations, "parent_faults", lambda *_: "")
    response = client.post(edit_url(made), form_of(client, made, **place))
    sentence = "Lakeside 1 lies below this record; that would make a circle."
    assert (response.status_code, problems(response)) == (422, {at: [sentence]})
    assert "There is a problem" in response.content.decode()


def test_a_parent_below_the_record_or_deactivated_is_refused(client, made, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    response = client.post(edit_url(made), form_of(client, made, place=OURS, parent=child.oid))
    assert problems(response) == {"parent": ["Lakeside 1 lies below this record; that would make a circle."]}
    Organization.objects.filter(pk=made.pk).update(presence=Presence.PRESENT, confirmed_active=False)
    response = client.post(NEW, posted(factories.record(f"{BASE}.2", part_of_oid=BASE)))
    assert problems(response) == {"parent": ["Lakeside 1 is deactivated. Reactivate it first or choose another."]}
    # What is below a deactivated record already can still be edited.
    assert client.post(edit_url(child), form_of(client, child, name="Kept")).status_code == 302


def test_what_others_saved_and_did_not_send_is_said(client_of, client, practice, made, editor, worker):
    submission = factories.submission(made, user=editor)
    assert client.get(edit_url(made)).context["notices"] == [
        f"Submission {submission.pk} of this record is queued. You can edit; sending waits for its end."
    ]
    delivery.deliver_next("staging", actor=worker)
    second = client_of(user=factories.UserFactory(role="editor", first_name="Editor", last_name="Two"))
    second.post(edit_url(made), form_of(second, made, zip_code="53703", city="Monona"))
    day = words.moment(localtime(Organization.objects.get().edited_at), timezone.now(), "day")
    (notice,) = client.get(edit_url(made)).context["notices"]
    assert notice == (
        f"Editor Two saved 2 changes on {day} that were not sent: City, ZIP."
        " They are part of this record and will be sent with yours."
    )
    assert second.get(edit_url(made)).context["notices"] == []


def test_a_deactivated_record_says_that_it_stays_so(client, made):
    Organization.objects.filter(pk=made.pk).update(presence=Presence.PRESENT, confirmed_active=False)
    assert (
        "This record is deactivated. Saving and sending keeps it deactivated."
        in client.get(edit_url(made)).content.decode()
    )


def test_only_those_who_may_edit_come_in(client_of, made):
    for role in ("viewer", "auditor", "administrator"):
        for address in (NEW, edit_url(made)):
            response = client_of(role).get(address)
            assert response.status_code == 403
            said = response.content.decode()
            assert "You cannot edit records in STAGING. Editors and Approvers can: Editor One." in said
    assert client_of("viewer").post(NEW, posted(factories.record(f"{BASE}.3"))).status_code == 403
    assert Organization.objects.count() == 1


def test_another_environment_s_record_is_404(client, made):
    assert client.get(reverse("edit", args=["production", BASE])).status_code == 404


def test_other_methods_are_refused(client, made):
    assert client.put(NEW).status_code == 405
    assert client.delete(edit_url(made)).status_code == 405
    assert client.post(reverse("suggestions", args=["staging"])).status_code == 405


@pytest.mark.parametrize("text", ["\x00", "\u202eabc", "x" * 10_000, "<script>alert(1)</script>", "{{ 7|add:7 }}"])
def test_hostile_text_in_every_field_is_answered_and_shown_as_text(client, text):
    inputs = posted(factories.record())
    counters = {name for name in inputs if name.endswith("_FORMS")} | {"act"}
    response = client.post(NEW, {name: inputs[name] if name in counters else text for name in inputs})
    assert response.status_code == 422
    assert "<script>alert" not in response.content.decode()
    assert not Organization.objects.exists()


def test_markup_in_a_name_is_a_name(client):
    name = "<b>Lakeside</b> & {{ Sons }}"
    client.post(NEW, posted(factories.record(name=name)))
    made = Organization.objects.get()
    assert made.name == name
    assert "Edit &lt;b&gt;Lakeside&lt;/b&gt; &amp; {{ Sons }}" in client.get(edit_url(made)).content.decode()


def test_names_of_columns_change_nothing(client, made):
    inner = {
        "active": "",
        "presence": "present",
        "version": "1",
        "confirmed_active": "false",
        "environment": "production",
    }
    client.post(edit_url(made), form_of(client, made, name="Renamed") | inner)
    saved = Organization.objects.get()
    assert (saved.name, saved.active, saved.presence, saved.environment) == ("Renamed", True, "never", "staging")


@pytest.mark.slow
def test_the_form_costs_the_same_in_a_large_directory(client, made, editor):
    bulk.records(10, base=f"{BASE}.7")
    with CaptureQueriesContext(connection) as few:
        assert client.get(edit_url(made)).status_code == 200
    bulk.records(150, base=f"{BASE}.8")
    with CaptureQueriesContext(connection) as many:
        response = client.get(edit_url(made))
    assert len(many) == len(few)
    assert len(response.context["parents"]) <= choices.MOST_PARENTS


def test_contacts_are_kept_in_their_order(client, made):
    rows = {"purpose": "Operations", "name": "Front office", "email_addresses": "a@example.org\nb@example.org"}
    typed = form_of(client, made) | {"contacts-TOTAL_FORMS": "2"}
    typed |= {f"contacts-1-{name}": text for name, text in rows.items()}
    assert client.post(edit_url(made), typed).status_code == 302
    assert Organization.objects.get().record().contacts[1] == ContactRecord(
        purpose="Operations", name="Front office", email_addresses=("a@example.org", "b@example.org")
    )
