"""Discard and withdraw: the two acts on a record that only the portal sees."""

import re
from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.timezone import localtime

from organizations import words
from organizations.models import Action, AuditEntry, Organization, User
from organizations.practice import PracticeDirectory
from organizations.services import counterparts, delivery, organizations, submissions
from organizations.services.actors import Actor, person
from tests import factories
from tests.factories import BASE

PAGE = f"/staging/organizations/{BASE}/"


@pytest.fixture
def accepted(practice: PracticeDirectory, editor: User, worker: Actor) -> Organization:
    """A record that Redox accepted."""
    made = factories.organization(user=editor, name="Lakeside North")
    factories.submission(made, user=editor)
    assert delivery.deliver_next("staging", actor=worker)
    return Organization.objects.get(pk=made.pk)


def edited(organization: Organization, user: User, **values) -> Organization:
    wanted = replace(organization.record(), **values)
    return organizations.edit(organization.pk, organization.version, wanted, stands_for="", actor=person(user))


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def hidden(client: Client, address: str) -> dict[str, str]:
    """What the page of an act posts without being asked."""
    form = text_of(client, address).partition('<form class="confirm')[2]
    return dict(re.findall(r'<input type="hidden" name="(record|version)" value="([^"]*)"', form))


def saved_meanwhile(name: str, organization: Organization) -> str:
    time = words.moment(localtime(organization.edited_at), timezone.now(), "clock")
    return f"{name} saved this record at {time}, while this page was open. Nothing was done."


# discard


def test_discarding_shows_what_goes_and_then_goes_back_to_what_was_accepted(client_of, accepted, editor):
    edited(accepted, editor, name="Lakeside South")
    client = client_of(user=editor)
    asked = text_of(client, f"{PAGE}discard/")
    assert "Throw away 1 saved change? The record goes back to what was last accepted (" in asked
    assert "The changes stay in the history." in asked
    assert "<ins>Lakeside South</ins>" in asked
    assert f'<li><a href="{PAGE}">Lakeside South</a></li><li aria-current="page">Discard</li>' in asked
    response = client.post(f"{PAGE}discard/", hidden(client, f"{PAGE}discard/"), follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert "The record is again as it was last accepted. Nothing was sent." in response.content.decode()
    assert Organization.objects.get(pk=accepted.pk).name == "Lakeside North"
    assert AuditEntry.objects.filter(action=Action.ORGANIZATION_DISCARDED).count() == 1


@pytest.mark.parametrize("version", ["1", "", "x", "9" * 40, "-1", "²"])
def test_discarding_what_was_not_seen_throws_nothing_away(client_of, accepted, editor, version):
    changed = edited(accepted, editor, name="Lakeside South")
    inputs = {"record": accepted.pk, "version": version, "name": "x", "confirmed": ""}
    response = client_of("editor").post(f"{PAGE}discard/", inputs)
    assert response.status_code == 409
    assert saved_meanwhile("Editor One", changed) in response.content.decode()
    assert Organization.objects.get(pk=accepted.pk).name == "Lakeside South"


def test_nothing_to_discard_is_said(client_of, editor):
    made = factories.organization(user=editor)
    client = client_of("editor")
    sentence = "Nothing of this record was ever accepted, so there is nothing to go back to."
    assert sentence in text_of(client, f"{PAGE}discard/")
    response = client.post(f"{PAGE}discard/", {"record": made.pk, "version": made.version})
    assert (response.status_code, sentence in response.content.decode()) == (409, True)


# withdraw


def test_withdrawing_takes_the_record_away_and_frees_its_oid(client_of, editor):
    factories.organization(user=editor, name="Lakeside Clinics")
    factories.organization(f"{BASE}.1", user=editor, name="Lakeside North", part_of_oid=BASE)
    client = client_of("editor")
    address = f"/staging/organizations/{BASE}.1/withdraw/"
    assert (
        "This record was never sent. It disappears from the lists; its history stays and its OID becomes free again."
        in text_of(client, address)
    )
    assert Organization.objects.count() == 2
    inputs = hidden(client, address)
    response = client.post(address, inputs, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert "Lakeside North was withdrawn. Nothing was sent; its OID is free again." in response.content.decode()
    assert client.post(address, inputs).status_code == 404
    address = f"{PAGE}withdraw/"
    assert client.post(address, hidden(client, address)).url == "/staging/organizations/"
    assert AuditEntry.objects.filter(action=Action.ORGANIZATION_WITHDRAWN).count() == 2


@pytest.mark.one_database
def test_the_question_says_that_the_link_with_the_counterpart_is_removed(client_of, editor):
    staging = factories.organization(user=editor)
    assert "Its link with" not in text_of(client_of("editor"), f"{PAGE}withdraw/")
    production = factories.organization(f"{BASE}.9", user=editor, environment="production", name="Lakeside Nord")
    counterparts.link(staging, production, actor=person(editor))
    assert (
        f'Its link with <a href="/production/organizations/{BASE}.9/">Lakeside Nord in PRODUCTION</a> is removed.'
        in text_of(client_of("editor"), f"{PAGE}withdraw/")
    )


def test_withdrawing_what_was_not_seen_takes_nothing_away(client_of, editor):
    made = factories.organization(user=editor)
    client = client_of(user=editor)
    address = f"{PAGE}withdraw/"
    opened = hidden(client, address)
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    changed = edited(made, other, name="Lakeside South")
    response = client.post(address, opened)
    assert response.status_code == 409
    assert saved_meanwhile("Editor Two", changed) in response.content.decode()
    assert "<title>Error: Withdraw, Lakeside South | STAGING | orgportal</title>" in response.content.decode()
    assert Organization.objects.exists()
    assert client.post(address, hidden(client, address)).status_code == 302


def test_withdrawing_a_record_does_not_take_away_another_that_has_its_oid_by_now(client_of, editor):
    made = factories.organization(user=editor)
    client = client_of(user=editor)
    opened = hidden(client, f"{PAGE}withdraw/")
    organizations.withdraw(made.pk, made.version, actor=person(editor))
    other = factories.organization(user=editor, name="Another record")
    assert client.post(f"{PAGE}withdraw/", opened).status_code == 409
    assert Organization.objects.get() == other


def test_a_record_with_children_or_that_was_sent_is_not_withdrawn(client_of, accepted, editor):
    factories.organization(f"{BASE}.7", user=editor)
    factories.organization(f"{BASE}.7.1", user=editor, part_of_oid=f"{BASE}.7")
    client = client_of("editor")
    for oid, sentence in [
        (BASE, "Something of this record was sent. It cannot be withdrawn; deactivate it instead."),
        (f"{BASE}.7", "Records are part of this one. Withdraw or move them first."),
    ]:
        address = f"/staging/organizations/{oid}/withdraw/"
        assert sentence in text_of(client, address)
        made = Organization.objects.get(oid=oid)
        response = client.post(address, {"record": made.pk, "version": made.version})
        assert (response.status_code, sentence in response.content.decode()) == (409, True)
    assert Organization.objects.count() == 3


# any act on a record that goes at the same time


@pytest.mark.parametrize(
    ("act", "service", "name"),
    [
        ("discard", organizations, "discard"),
        ("withdraw", organizations, "withdraw"),
        ("review", submissions, "submit"),
        ("deactivate", submissions, "submit"),
    ],
)
def test_a_record_that_is_withdrawn_in_the_moment_of_an_act_is_told_as_gone(
    client_of, editor, monkeypatch, act, service, name
):
    made = factories.organization(user=editor)
    withdraw, acts = organizations.withdraw, getattr(service, name)

    def too_late(*args, **values):
        withdraw(made.pk, made.version, actor=person(editor))
        return acts(*args, **values)

    monkeypatch.setattr(service, name, too_late)
    inputs = {"record": made.pk, "version": made.version, "why": "closed", "in_words": "Lease ended"}
    response = client_of("editor").post(f"{PAGE}{act}/", inputs | {"sha256": "0" * 64, "seen_submission": "0"})
    assert response.status_code == 404
    assert "This record was withdrawn meanwhile. Nothing was saved or sent." in response.content.decode()
