"""Linking two records and removing the link over HTTP, and what prevents it."""

from typing import Any

import pytest
from django.test import Client

from organizations.models import Organization, User
from organizations.services.records import organizations
from tests import factories
from tests.changes import save_edit
from tests.factories import BASE, as_actor

THEIRS = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
PAGE = f"/staging/organizations/{BASE}/counterpart/"
MIRROR = f"/production/organizations/{THEIRS}/counterpart/"

type Pair = tuple[Organization, Organization]


@pytest.fixture
def pair(editor: User) -> Pair:
    return factories.organization(user=editor), factories.organization(THEIRS, user=editor, environment="production")


def press(client: Client, here: Organization, there: Organization, act: str = "link", address: str = PAGE) -> Any:
    """Press a button of the page that compares the two records."""
    ids = {"record": here.pk, "version": here.version, "other": there.pk, "other_version": there.version}
    return client.post(address, ids | {"act": act})


def counterpart_of(organization: Organization) -> Organization | None:
    return Organization.objects.get(pk=organization.pk).counterpart


def test_two_records_are_compared_linked_and_unlinked(client, pair):
    here, there = pair
    response = client.get(PAGE, {"counterpart": THEIRS})
    assert (response.status_code, response.context["other"]) == (200, there)
    assert press(client, here, there)["Location"] == f"/staging/organizations/{BASE}/"
    assert counterpart_of(here) == there
    assert press(client, here, there, "unlink")["Location"] == f"/staging/organizations/{BASE}/"
    assert counterpart_of(here) is None
    assert press(client, here, there, "unlink").status_code == 409


def test_a_link_can_be_created_from_production(client, pair):
    here, there = pair
    press(client, there, here, address=MIRROR)
    assert counterpart_of(here) == there


def test_a_record_saved_during_the_comparison_must_be_compared_again(client, pair, editor):
    here, there = pair
    save_edit(there, editor, name="Lakeside Nord")
    response = press(client, here, there)
    assert (response.status_code, response.context["other"]) == (409, there)
    assert "Lakeside Nord in PRODUCTION was saved while this page was open." in response.content.decode()
    assert counterpart_of(here) is None


def test_an_invalid_link_is_refused(client, pair, editor):
    here, there = pair
    for act in ("", "compare"):
        assert press(client, here, there, act).status_code == 409
    assert press(client, there, there).status_code == 409
    third = factories.organization(f"{BASE}.3", user=editor)
    assert press(client, here, third).status_code == 409  # not of the other environment
    organizations.withdraw(there.pk, there.version, actor=as_actor(editor))
    assert press(client, here, there).status_code == 409
    assert counterpart_of(here) is None


def test_deactivated_records_are_suggested_as_counterparts_and_not_as_parents(client, pair):
    factories.accept(pair[1], active=False)
    for name, is_suggested in (("counterpart", True), ("parent", False)):
        suggestions = client.get("/production/organizations/suggestions/", {name: "lakeside"})
        assert (THEIRS in suggestions.content.decode()) == is_suggested
