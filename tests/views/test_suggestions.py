"""The records that a form offers where one is named, and what it says of those that it does not offer."""

from html import unescape

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from tests import factories
from tests.factories import BASE
from tests.views.typing import edit_url, posted

NEW = reverse("organization-new", args=["staging"])


@pytest.fixture
def made(editor):
    return factories.organization(user=editor)


@pytest.mark.usefixtures("long_addresses")
def test_suggestions_are_found_by_name_and_oid(client, made, editor):
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    factories.organization(BASE, user=editor, environment="production", name="North Region")
    address = reverse("suggestions", args=["staging"])
    response = client.get(address, {"parent": "north"})
    assert response["Cache-Control"] == "private, no-store"
    assert "HX-Request" in response["Vary"]
    assert f'<option value="{BASE}.1">North Region, below Lakeside 1</option>' in response.content.decode()
    assert client.get(address, {"parent": BASE}).content.decode().count("<option") == 2
    for name in ("below", "replaced_by"):
        assert f'<option value="{BASE}.1">North Region' in client.get(address, {name: "north"}).content.decode()
    assert "<option" not in client.get(address, {"parent": "nobody"}).content.decode()
    assert client.get(address, {"parent": "\x00%_" * 30_000}).status_code == 200


def test_a_deactivated_record_is_no_parent_to_choose_but_can_be_looked_for(client, made, editor):
    closed = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    factories.confirmed(closed, active=False)
    address = reverse("suggestions", args=["staging"])
    names = ("parent", "replaced_by", "below")
    offered = {name: client.get(address, {name: "north"}).content.decode().count("<option") for name in names}
    assert offered == {"parent": 0, "replaced_by": 0, "below": 1}
    page = client.get(f"{NEW}?below={BASE}.1")
    assert "North Region is deactivated. Reactivate it first or choose another." in page.context["notices"]


def test_a_record_of_the_other_environment_is_named_where_a_parent_is_chosen(client, editor):
    factories.organization(f"{BASE}.7", user=editor, environment="production", name="Pier")
    for typed in (f"{BASE}.7", "pier"):
        response = client.post(NEW, posted(factories.record(), place="ours", parent=typed))
        (problem,) = response.context["form"].main.errors["parent"]
        assert f"{BASE}.7 is Pier in PRODUCTION." in problem


def test_the_parent_is_shown_by_name_path_and_oid(client, made, editor):
    region = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North <Region>")
    child = factories.organization(f"{BASE}.1.1", user=editor, part_of_oid=region.oid)
    address = reverse("suggestions", args=["staging"])
    pages = (client.get(edit_url(child)), client.get(address, {"parent": "north <region>"}))
    for page, attribute in zip(pages, ("", ' data-hx-swap-oob="true"'), strict=True):
        card = page.content.decode().partition(f'id="parent-place"{attribute}>')[2].partition("</div>")[0]
        assert "<b>North &lt;Region&gt;</b><small>Lakeside 1 › North &lt;Region&gt;</small>" in card
        assert region.oid in unescape(strip_tags(card))
    for typed, said in (
        ("nobody", "No record with this name or OID."),
        ("nor", "Choose from the list, or enter an OID."),
    ):
        assert f'"true"><span class="muted">{said}</span>' in client.get(address, {"parent": typed}).content.decode()


def test_a_parent_that_is_deactivated_says_so(client, made, editor):
    child = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    assert not client.get(edit_url(child)).context["parent_place"].is_deactivated
    factories.confirmed(made, active=False)
    response = client.get(edit_url(child))
    assert response.context["parent_place"].is_deactivated
    assert "Deactivated: no other record can become part of this one." in response.content.decode()
