"""Adding and editing a record over HTTP: what is saved, where it leads, and when the form is shown again."""

from django.contrib.messages import get_messages
from django.urls import reverse

from organizations.models import AuditEntry, Organization, Submission
from organizations.records import ContactRecord
from tests import factories
from tests.factories import BASE
from tests.views.typing import edit_url, inputs_of, record_inputs

NEW = reverse("organization-new", args=["staging"])


def messages_of(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_new_record_is_saved_and_nothing_is_sent(client, editor):
    response = client.post(NEW, record_inputs(factories.record(), stands_for="location"))
    organization = Organization.objects.get()
    assert (response.status_code, response["Location"]) == (302, edit_url(organization, "record"))
    assert organization.record() == factories.record()
    assert (organization.stands_for, organization.edited_by) == ("location", editor)
    assert messages_of(response) == ["Saved. Nothing was sent."]
    assert not Submission.objects.exists()


def test_review_and_send_saves_and_leads_to_the_review(client):
    response = client.post(NEW, record_inputs(factories.record(), act="review", state="wisconsin"))
    assert response["Location"] == reverse("review", args=["staging", BASE])
    assert messages_of(response) == ["Changed for you: State 'wisconsin' to WI."]
    assert Organization.objects.get().state == "WI"


def test_an_edit_is_saved_as_a_new_version_with_contacts_in_their_order(client, organization):
    inputs = inputs_of(organization, oid=f"{BASE}.9", zip_code="53703-1234") | {"contacts-TOTAL_FORMS": "2"}
    row = {"purpose": "Operations", "name": "Front office", "email_addresses": "a@example.org\nb@example.org"}
    response = client.post(edit_url(organization), inputs | {f"contacts-1-{name}": text for name, text in row.items()})
    saved = Organization.objects.get()
    assert response["Location"] == edit_url(saved, "record")
    assert (saved.oid, saved.zip_code, saved.version) == (f"{BASE}.9", "53703-1234", 2)
    assert saved.record().contacts[1] == ContactRecord(
        purpose="Operations", name="Front office", email_addresses=("a@example.org", "b@example.org")
    )


def test_invalid_input_is_kept_and_not_saved(client, organization):
    before = AuditEntry.objects.count()
    response = client.post(
        edit_url(organization), inputs_of(organization, zip_code="537O3", **{"contacts-0-work_phone": "555-0120"})
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Edit, Lakeside 1 | STAGING | orgportal</title>" in page
    assert 'value="537O3"' in page
    assert 'value="555-0120"' in page
    counted = [(section, count) for section, _, count in response.context["form"].sections if count]
    assert counted == [("contacts", 1), ("address", 1)]
    assert (Organization.objects.get().version, AuditEntry.objects.count()) == (1, before)


def test_other_buttons_show_the_form_again_with_all_values_and_save_nothing(client, organization):
    response = client.post(
        edit_url(organization), inputs_of(organization, name="Half typed", zip_code="x", act="add-contacts")
    )
    form = response.context["form"]
    assert (response.status_code, form.has_errors, len(form.contacts)) == (200, False, 2)
    assert (form.main["name"].value(), form.main["zip_code"].value()) == ("Half typed", "x")
    assert response.context["is_unsaved"]
    assert Organization.objects.get().version == 1


def test_a_button_fills_in_the_next_oid_below_the_parent(client, organization):
    response = client.post(NEW, record_inputs(factories.record(part_of_oid=BASE), act="suggest-oid", oid=""))
    assert response.context["form"].main["oid"].value() == f"{BASE}.1"
    assert response.context["oid_note"].startswith(f"{BASE}.1 ")


def test_a_new_form_is_filled_from_the_record_in_its_url(client, organization):
    for query, parent in (("below", BASE), ("like", "")):
        page = client.get(NEW, {query: BASE})
        form = page.context["form"]
        assert (form.main["oid"].value() != "", form.main["parent"].value()) == (bool(parent), parent), query
        assert page.context["notices"], query
        assert [client.get(NEW, {query: oid}).status_code for oid in ("1.2.3", "x")] == [404, 404]
