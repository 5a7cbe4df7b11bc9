"""What stands around the fields of a record's form: hints, their place and order."""

import re
from html import unescape

from django.urls import reverse

from organizations.models import Organization
from organizations.redox.environment import GATEWAY_OID
from tests import factories
from tests.views.pages import text_of
from tests.views.typing import edit_url, form_of, posted

NEW = reverse("organization-new", args=["staging"])


def test_a_new_form_says_where_an_oid_comes_from_and_that_somebody_will_want_to_be_reached(client):
    page = unescape(client.get(NEW).content.decode())
    assert (
        "OID: digits and dots. Redox issues it (Redox dashboard, your organization) or agrees to your own. STAGING and"
        " PRODUCTION usually have different OIDs. It cannot be changed once Redox has accepted it." in page
    )
    assert "No contact. Others and Redox will want to reach somebody." in page


def test_hints_are_there_once_and_are_read_with_each_of_their_fields(client, editor):
    made = factories.organization(user=editor)
    typed = form_of(client, made) | {"contacts-TOTAL_FORMS": "2", "contacts-1-purpose": "Operations"}
    page = client.post(edit_url(made), typed).content.decode()
    assert page.count("sent as +16085550100") == 1
    described = {name: ids.split() for name, ids in re.findall(r'name="([^"]+)"[^>]*aria-describedby="([^"]+)"', page)}
    for number in (0, 1):
        for name in ("work_phone", "mobile_phone", "home_phone"):
            assert described[f"contacts-{number}-{name}"] == ["hint-phone"]
    assert described["contacts-1-name"] == ["id_contacts-1-name_error"]
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {one for each in described.values() for one in each} <= set(ids)


def test_each_error_is_below_its_field(client):
    inputs = posted(factories.record(), name="", oid="x", place="other", other_oid="y", zip_code="z", country="")
    inputs |= {"contacts-0-work_phone": "1", "destination_id": "q", "identifiers-TOTAL_FORMS": "1"}
    page = client.post(NEW, inputs | {"identifiers-0-value": "7"}).content.decode()
    found = re.findall(r'<div class="mt-1" id="id_([a-z_0-9-]+)_error">', page)
    assert found == [
        "name",
        "oid",
        "identifiers-0-kind",
        "other_oid",
        "destination_id",
        "contacts-0-work_phone",
        "zip_code",
        "country",
    ]
    for name in found:
        before, _, after = page.partition(f'id="id_{name}_error"')
        assert f' id="id_{name}"' in before
        assert f' id="id_{name}"' not in after


def test_the_address_is_asked_in_the_order_of_a_letter(client):
    page = client.get(NEW).content.decode()
    asked = re.findall(r'<(?:input|select)[^>]* name="(street|city|county|state|zip_code|country)"', page)
    assert asked == ["street", "city", "state", "zip_code", "county", "country"]
    problems = client.post(NEW, posted(factories.record(), state="x", zip_code="x", country="")).content.decode()
    linked = re.findall(r'<a href="#id_(state|zip_code|country)">', problems)
    assert linked == ["state", "zip_code", "country"]


def opened(page):
    return re.findall(r'<details class="fold fold-card" id="contact-(\d)"( open)?>', page)


def test_contacts_after_the_first_fold_unless_they_are_just_added_or_wrong(client, editor):
    made = factories.organization(user=editor)
    typed = form_of(client, made) | {"contacts-TOTAL_FORMS": "3"}
    typed |= {"contacts-1-purpose": "Operations", "contacts-1-work_phone": "608 555 0120"}
    typed |= {"contacts-2-purpose": "Night", "contacts-2-work_phone": "608"}
    assert opened(client.post(edit_url(made), typed | {"act": "add-identifiers"}).content.decode()) == [
        ("1", ""),
        ("2", ""),
    ]
    added = client.post(edit_url(made), typed | {"act": "add-contacts"}).content.decode()
    assert opened(added) == [("1", ""), ("2", ""), ("3", " open")]
    blank = {"contacts-TOTAL_FORMS": "4", "contacts-3-purpose": "Technical", "act": "remove-contacts-1"}
    assert opened(client.post(edit_url(made), typed | blank).content.decode()) == [("1", ""), ("2", "")]
    refused = client.post(edit_url(made), typed)
    assert opened(refused.content.decode()) == [("1", ""), ("2", " open")]
    assert "Contact 2, Operations 608 555 0120" in text_of(refused)


def test_what_is_typed_under_a_choice_that_is_not_taken_comes_back_and_is_not_read(client, editor):
    made = factories.organization(user=editor, part_of_oid=GATEWAY_OID)
    hidden = {"parent": "half typed", "other_oid": "1.2.x"}
    page = client.post(edit_url(made), form_of(client, made, zip_code="x", **hidden)).content.decode()
    assert 'value="half typed"' in page
    assert 'value="1.2.x"' in page
    assert client.post(edit_url(made), form_of(client, made, **hidden)).status_code == 302
    assert Organization.objects.get().part_of_oid == GATEWAY_OID


def test_the_foot_says_that_nothing_is_sent(client, editor):
    made = factories.organization(user=editor)
    foot = text_of(client.get(edit_url(made))).partition("Address")[2]
    assert foot.endswith("Nothing is sent from this page. Leave without saving Save without sending Review and send")
    posted_page = text_of(client.post(edit_url(made), form_of(client, made, act="add-contacts")))
    assert "Not saved yet. Nothing is sent from this page." in posted_page
