"""The rendered form of a record: hints, errors, and the place and order of its fields."""

import re
from dataclasses import replace

import pytest

from organizations.models import Environment
from organizations.pages.record_form import page as form_page
from organizations.pages.record_form.editing import Editing
from organizations.records import CONTACT_LABELS
from tests import factories
from tests.page_text import html_of_page, text_in
from tests.views.typing import OTHER, new_form, open_form, record_texts

DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"

pytestmark = pytest.mark.django_db


def html_of(form, user, organization=None, **values):
    editing = open_form(organization) if organization else Editing(environment=Environment.STAGING)
    return html_of_page(form_page.build(editing, form, user, **values), "staging")


def with_contacts(organization, *contacts):
    """The texts of the record's form with these contacts added."""
    texts = record_texts(organization.record())
    return replace(texts, contacts=(*texts.contacts, *(dict.fromkeys(CONTACT_LABELS, "") | each for each in contacts)))


def test_every_value_is_in_its_field_and_active_is_not_edited(editor):
    organization = factories.organization(user=editor, aliases=("LN", "North"), destination_id=DESTINATION)
    page = html_of(open_form(organization).form(record_texts(organization.record())), editor, organization)
    for shown in (
        'value="Lakeside 1"',
        "LN\nNorth",
        f'value="{DESTINATION}"',
        'value="WI" selected',
        "desk@lakeside.example",
    ):
        assert shown in page, shown
    assert 'name="active"' not in page


def test_each_hint_is_shown_once_and_described_by_its_fields(organization, editor):
    checked = open_form(organization).form(with_contacts(organization, {"purpose": "Operations"}), checked=True)
    page = html_of(checked, editor, organization)
    assert page.count('id="hint-phone"') == 1
    described = {name: ids.split() for name, ids in re.findall(r'name="([^"]+)"[^>]*aria-describedby="([^"]+)"', page)}
    for number in (0, 1):
        for name in ("work_phone", "mobile_phone", "home_phone"):
            assert described[f"contacts-{number}-{name}"] == ["hint-phone"]
    assert described["contacts-1-name"] == ["id_contacts-1-name_error"]
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {one for each in described.values() for one in each} <= set(ids)


def test_each_error_is_below_its_field_and_linked_above_the_form(editor):
    texts = {"name": "", "oid": "x", "other_oid": "y", "destination_id": "q", "zip_code": "z", "country": ""}
    wrong = record_texts(factories.record(), place=OTHER, **texts).after_button("add-identifiers")
    wrong.identifiers[0]["value"] = "7"
    wrong.contacts[0]["work_phone"] = "1"
    page = html_of(Editing(environment=Environment.STAGING).form(wrong, checked=True), editor)
    names = re.findall(r'<div class="mt-1" id="id_([a-z_0-9-]+)_error">', page)
    assert names == [
        "name",
        "oid",
        "identifiers-0-kind",
        "other_oid",
        "destination_id",
        "contacts-0-work_phone",
        "zip_code",
        "country",
    ]
    for name in names:
        before, _, after = page.partition(f'id="id_{name}_error"')
        assert f' id="id_{name}"' in before
        assert f' id="id_{name}"' not in after
    summary = page.partition("There is a problem")[2].partition("</section>")[0]
    assert re.findall(r'<a href="#id_([a-z_0-9-]+)">', summary) == names


def test_the_address_fields_are_in_the_order_of_a_letter(editor):
    page = html_of(new_form(factories.record(), state="x", zip_code="x", country=""), editor)
    names = re.findall(r'<(?:input|select|textarea)[^>]* name="(street|city|county|state|zip_code|country)"', page)
    assert names == ["street", "city", "state", "zip_code", "county", "country"]
    assert re.findall(r'<a href="#id_(state|zip_code|country)">', page) == ["state", "zip_code", "country"]


def test_contacts_after_the_first_are_folded_unless_new_or_invalid(organization, editor):
    night, blank = {"purpose": "Night", "work_phone": "608"}, {"purpose": "Technical"}
    texts = with_contacts(organization, {"purpose": "Operations", "work_phone": "608 555 0120"}, night, blank)

    def opened(form):
        return [contact.is_open for contact in form.contacts][1:]

    editing = open_form(organization)
    assert opened(editing.form(texts)) == [False, False, False]
    assert opened(editing.form(texts.after_button("remove-contacts-3").after_button("add-contacts"))) == [
        False,
        False,
        True,
    ]
    refused = editing.form(texts.after_button("remove-contacts-3"), checked=True)
    assert opened(refused) == [False, True]
    page = html_of(refused, editor, organization)
    folds = re.findall(r'<details class="fold fold-card" id="contact-(\d)"( open)?>', page)
    assert folds == [("1", ""), ("2", " open")]
    assert "Contact 2, Operations 608 555 0120" in text_in(page)


def test_the_foot_says_that_nothing_is_sent_and_whether_it_is_saved(organization, editor):
    form = open_form(organization).form(record_texts(organization.record()))
    foot = text_in(html_of(form, editor, organization)).partition("Address")[2]
    assert foot.endswith("Nothing is sent from this page. Leave without saving Save without sending Review and send")
    unsaved = html_of(form, editor, organization, is_unsaved=True)
    assert 'data-guard="changed"' in unsaved
    assert "Not saved yet. Nothing is sent from this page." in text_in(unsaved)
