"""The records that a form suggests, and what it says about records that it does not suggest."""

import pytest
from django.urls import reverse

from organizations.models import Environment
from organizations.pages.record_form import initial_values, suggestions
from organizations.pages.record_form import page as record_form_page
from organizations.pages.record_form.editing import Editing
from tests import factories
from tests.factories import BASE
from tests.page_text import html_of_page, text_in, text_of_page
from tests.views.typing import open_form, record_texts

STAGING = Environment.STAGING


@pytest.fixture
def region(organization, editor):
    return factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North <Region>")


def suggested(field, typed_text):
    return {each.value: each.label for each in suggestions.build(STAGING, field, typed_text).parents}


def test_the_suggestions_of_a_field_are_a_fragment(client, region):
    response = client.get(reverse("suggestions", args=["staging"]), {"parent": "north"})
    assert "HX-Request" in response["Vary"]
    option = f'<option value="{BASE}.1">North &lt;Region&gt;, below Lakeside 1</option>'
    assert option in response.content.decode()
    assert 'data-hx-swap-oob="true"' in response.content.decode()


def test_each_field_suggests_records_of_its_environment_by_name_and_oid(region, editor):
    factories.organization(BASE, user=editor, environment="production", name="North Region")
    label = "North <Region>, below Lakeside 1"
    for field in suggestions.FIELDS:
        assert suggested(field, "north") == {f"{BASE}.1": label}, field
    assert list(suggested("parent", BASE)) == [BASE, f"{BASE}.1"]
    assert suggested("parent", "nobody") == {}


def test_a_deactivated_record_is_not_suggested_as_parent(region, editor):
    factories.accept(region, active=False)
    assert {field: len(suggested(field, "north")) for field in suggestions.FIELDS} == {
        "parent": 0,
        "replaced_by": 0,
        "below": 1,
        "counterpart": 1,
    }
    (note, *_) = initial_values.start_below(Editing(environment=STAGING), region).notes
    assert region.name in note


def test_the_parent_is_shown_by_name_path_and_oid(region, editor):
    child = factories.organization(f"{BASE}.1.1", user=editor, part_of_oid=region.oid)
    page = record_form_page.build(open_form(child), open_form(child).form(record_texts(child.record())), editor)
    fragment = suggestions.build(STAGING, "parent", "north <region>")
    assert page.parent_place == fragment.parent_place
    for each, attribute in ((page, ""), (fragment, ' data-hx-swap-oob="true"')):
        card = html_of_page(each, "staging").partition(f'id="parent-place"{attribute}>')[2].partition("</div>")[0]
        assert "<b>North &lt;Region&gt;</b><small>Lakeside 1 › North &lt;Region&gt;</small>" in card
        assert region.oid in text_in(card)
    for text, note in (("nobody", "No record with this name or OID."), ("nor", "Choose")):
        assert note in text_of_page(suggestions.build(STAGING, "parent", text))


def test_a_deactivated_parent_is_marked(organization):
    factories.accept(organization, active=False)
    page = suggestions.build(STAGING, "parent", BASE)
    assert page.parent_place
    assert page.parent_place.is_deactivated
    assert "Deactivated: no other record can become part of this one." in text_of_page(page)
