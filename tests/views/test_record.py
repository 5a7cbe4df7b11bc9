"""A record over HTTP: its tabs, and discarding and withdrawing, which send nothing."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from organizations.models import Action, AuditEntry, Organization, User
from organizations.services.records import organizations
from tests import factories
from tests.changes import save_edit
from tests.factories import BASE, as_actor
from tests.views.concurrency import just_before_saving

pytestmark = pytest.mark.usefixtures("unreachable_redox")

PAGE = f"/staging/organizations/{BASE}/"
WITHDRAW = f"{PAGE}withdraw/"


@pytest.fixture
def organization(editor: User) -> Organization:
    """A record that was never sent."""
    return factories.organization(user=editor, name="Lakeside North")


@pytest.fixture
def with_unsent_edit(editor: User) -> Organization:
    """An accepted record with a change that was not sent."""
    return save_edit(factories.accepted_organization(user=editor, name="Lakeside North"), editor, name="Lakeside South")


def heading_of(response: Any) -> str:
    assert response.status_code == 200
    return strip_tags(response.content.decode().partition("<h1>")[2].partition("</h1>")[0])


def hidden(client: Client, address: str) -> dict[str, str]:
    """The hidden inputs of a confirmation page."""
    form = client.get(address).content.decode().partition('<form class="confirm')[2]
    return dict(re.findall(r'<input type="hidden" name="(record|version)" value="([^"]*)"', form))


def page_inputs(organization: Organization) -> dict[str, int]:
    return {"record": organization.pk, "version": organization.version}


def test_a_viewer_opens_each_tab(client_of, with_unsent_edit):
    client = client_of("viewer")
    for tab in ("", "submissions/?page=7", "history/?before=2", "history/?before=x"):
        assert heading_of(client.get(PAGE + tab)) == "Lakeside South"


def test_a_missing_record_links_to_the_other_environment(client, organization):
    response = client.get(f"/production/organizations/{BASE}/")
    assert response.status_code == 404
    text = response.content.decode()
    assert f"No record {BASE} in PRODUCTION." in strip_tags(text)
    assert f'In STAGING there is one: <a href="{PAGE}">open</a>.' in text


# Discard ----------------------------------------------------------------------------------------------------


def test_discarding_restores_the_accepted_values(client, with_unsent_edit):
    address = f"{PAGE}discard/"
    assert heading_of(client.get(address)) == "Discard saved changes of Lakeside South"
    response = client.post(address, hidden(client, address), follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert "The record is again as it was last accepted. Nothing was sent." in response.content.decode()
    assert Organization.objects.get().name == "Lakeside North"
    assert AuditEntry.objects.filter(action=Action.ORGANIZATION_DISCARDED).count() == 1


def test_an_outdated_page_discards_nothing(client, with_unsent_edit):
    for version in ("1", "9" * 40):
        response = client.post(f"{PAGE}discard/", {"record": with_unsent_edit.pk, "version": version, "name": "x"})
        assert response.status_code == 409
        assert "Editor One saved this record at " in response.content.decode()
    assert Organization.objects.get().name == "Lakeside South"


# Withdraw ---------------------------------------------------------------------------------------------------


def test_withdrawing_deletes_the_record_and_leads_to_its_parent(client, organization, editor):
    factories.organization(f"{BASE}.1", user=editor, name="Lakeside Pier", part_of_oid=BASE)
    address = f"/staging/organizations/{BASE}.1/withdraw/"
    assert heading_of(client.get(address)) == "Withdraw Lakeside Pier"
    inputs = hidden(client, address)
    response = client.post(address, inputs, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert "Lakeside Pier was withdrawn. Nothing was sent; its OID is free again." in response.content.decode()
    assert client.post(address, inputs).status_code == 404
    assert client.post(WITHDRAW, page_inputs(organization))["Location"] == "/staging/organizations/"
    assert (Organization.objects.count(), AuditEntry.objects.filter(action=Action.ORGANIZATION_WITHDRAWN).count()) == (
        0,
        2,
    )


def test_an_outdated_page_withdraws_nothing(client, organization, second):
    save_edit(organization, second, name="Lakeside South")
    response = client.post(WITHDRAW, page_inputs(organization))
    assert response.status_code == 409
    assert "Editor Two" in response.content.decode()
    assert Organization.objects.exists()
    assert client.post(WITHDRAW, hidden(client, WITHDRAW)).status_code == 302


def test_withdrawing_never_deletes_a_new_record_with_the_same_oid(client, organization, editor):
    organizations.withdraw(organization.pk, organization.version, actor=as_actor(editor))
    other = factories.organization(user=editor, name="Another record")
    assert client.post(WITHDRAW, page_inputs(organization)).status_code == 409
    assert Organization.objects.get() == other


# Every action -----------------------------------------------------------------------------------------------


def test_a_forbidden_action_is_not_carried_out(client, organization, editor):
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE)
    for act in ("discard", "withdraw"):  # nothing was accepted; the record has a child
        assert client.post(f"{PAGE}{act}/", page_inputs(organization)).status_code == 409
    assert Organization.objects.count() == 2


@pytest.mark.parametrize("act", ["discard", "withdraw"])
def test_a_refused_action_is_logged_with_its_record(client_of, organization, act):
    assert client_of("viewer").post(f"{PAGE}{act}/", page_inputs(organization)).status_code == 403
    facts = AuditEntry.objects.get(action=Action.PERMISSION_REFUSED).facts
    assert (facts["environment"], facts["oid"]) == ("staging", BASE)
    assert Organization.objects.exists()


@pytest.mark.parametrize("act", ["discard", "withdraw", "review", "deactivate"])
def test_an_action_on_a_record_withdrawn_at_the_same_time_is_404(client, editor, organization, act):
    inputs = page_inputs(organization) | {
        "why": "closed",
        "in_words": "Lease ended",
        "sha256": "0" * 64,
        "seen_submission": "0",
    }
    with just_before_saving(
        lambda: organizations.withdraw(organization.pk, organization.version, actor=as_actor(editor))
    ):
        response = client.post(f"{PAGE}{act}/", inputs)
    assert response.status_code == 404
    assert "This record was withdrawn. Nothing was saved or sent." in response.content.decode()
