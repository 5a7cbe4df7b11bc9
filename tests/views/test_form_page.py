"""What stands around the fields of a record's form: hints, their place and order."""

import re
from html import unescape

import pytest
from django.urls import reverse

from tests import factories
from tests.views.typing import edit_url, posted

NEW = reverse("organization-new", args=["staging"])


@pytest.fixture
def client(client_of, editor):
    return client_of(user=editor)


def test_a_new_form_says_where_an_oid_comes_from_and_that_somebody_will_want_to_be_reached(client):
    page = unescape(client.get(NEW).content.decode())
    assert (
        "Digits and dots. Redox issues it (Redox dashboard, your organization) or agrees to your own. STAGING and"
        " PRODUCTION usually have different OIDs. Cannot be changed once accepted." in page
    )
    assert "No contact. Others and Redox will want to reach somebody." in page


def test_hints_of_a_contact_stand_below_their_labels_and_are_read_with_them(client, editor):
    made = factories.organization(user=editor)
    page = unescape(client.get(edit_url(made)).content.decode())
    hints = {"purpose": "Redox documents only 'Technical'. Other words are sent as typed."}
    hints |= dict.fromkeys(("work_phone", "mobile_phone", "home_phone"), "Any American form; sent as +16085550100.")
    for name, hint in hints.items():
        key = f"id_contacts-0-{name}"
        assert re.search(rf'</label><p class="hint" id="{key}_helptext">{re.escape(hint)}</p>', page), name
        assert re.search(rf'<input[^>]*name="contacts-0-{name}"[^>]*aria-describedby="{key}_helptext"', page), name


def test_the_address_is_asked_in_the_order_of_a_letter(client):
    page = client.get(NEW).content.decode()
    asked = re.findall(r'<input[^>]* name="(street|city|county|state|zip_code|country)"', page)
    assert asked == ["street", "city", "county", "state", "zip_code", "country"]
    problems = client.post(NEW, posted(factories.record(), state="x", zip_code="x", country="")).content.decode()
    linked = re.findall(r'<a href="#id_(state|zip_code|country)">', problems)
    assert linked == ["state", "zip_code", "country"]
