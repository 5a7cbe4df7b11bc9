"""Link an existing record and remove the link: what the page shows, and what stops it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from organizations.models import Organization, User
from organizations.services import counterparts, organizations
from tests import factories
from tests.factories import BASE, acting

THEIRS = "2.16.840.1.113883.3.6147.458.99999.2.1.1.1"
PAGE = f"/staging/organizations/{BASE}/counterpart/"
MIRROR = f"/production/organizations/{THEIRS}/counterpart/"

type Pair = tuple[Organization, Organization]


@pytest.fixture
def pair(editor: User) -> Pair:
    return factories.organization(user=editor), factories.organization(THEIRS, user=editor, environment="production")


def pressed(here: Organization, there: Organization, act: str = "link") -> dict[str, object]:
    """What the buttons below the two records post."""
    ids = {"record": here.pk, "version": here.version, "other": there.pk, "other_version": there.version}
    return ids | {"act": act}


def counterpart_of(made: Organization) -> Organization | None:
    return Organization.objects.get(pk=made.pk).counterpart


def text_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().replace("&#x27;", "'").split())


def test_without_a_counterpart_the_page_offers_to_prepare_it(client: Client, pair: Pair) -> None:
    text = text_of(client, PAGE)
    assert "<h1>No record in PRODUCTION</h1>" in text
    assert client.get(f"/staging/organizations/{BASE}/").context["switch_url"] == PAGE
    assert f'href="/production/organizations/new/?from={BASE}">Prepare in PRODUCTION</a>' in text
    mirror = text_of(client, MIRROR)
    assert "<h1>No record in STAGING</h1>" in mirror
    assert "Prepare in" not in mirror


@pytest.mark.parametrize("named", [THEIRS, "Lakeside Nord"])
def test_a_record_is_named_compared_and_linked(client: Client, editor: User, named: str) -> None:
    here = factories.organization(user=editor)
    there = factories.organization(THEIRS, user=editor, environment="production", name="Lakeside Nord")
    response = client.get(PAGE, {"counterpart": named})
    assert response.context["other"] == there
    response = client.post(PAGE, pressed(here, there))
    assert response["Location"] == f"/staging/organizations/{BASE}/"
    assert counterpart_of(here) == there


def test_a_link_is_made_from_production_as_well(client: Client, pair: Pair) -> None:
    here, there = pair
    client.post(MIRROR, pressed(there, here))
    assert counterpart_of(here) == there


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ("", "Name the record in PRODUCTION."),
        ("Nobody", "'Nobody' is not one record of ours in PRODUCTION. Choose from the list, or enter its OID."),
    ],
)
def test_a_text_that_names_no_record_is_an_error(client: Client, pair: Pair, named: str, error: str) -> None:
    assert client.get(PAGE, {"counterpart": named}).context["form"].errors["counterpart"] == [error]


def test_a_record_with_a_counterpart_cannot_be_chosen(client: Client, pair: Pair, editor: User) -> None:
    counterparts.link(*pair, actor=acting(editor))
    third = factories.organization(f"{BASE}.3", user=editor)
    address = f"/staging/organizations/{third.oid}/counterpart/?counterpart={THEIRS}"
    text = text_of(client, address)
    assert "has a counterpart already" in text
    assert "Link these two records" not in text
    assert client.post(address, pressed(third, pair[1])).status_code == 409
    assert counterpart_of(third) is None


def test_a_record_saved_while_it_was_compared_is_compared_again(client: Client, pair: Pair, editor: User) -> None:
    here, there = pair
    record = replace(there.record(), name="Lakeside Nord")
    organizations.edit(there.pk, there.version, record, stands_for="", actor=acting(editor))
    response = client.post(PAGE, pressed(here, there))
    assert response.status_code == 409
    assert "Lakeside Nord in PRODUCTION was saved while this page was open." in response.content.decode()
    assert response.context["other"] == there
    assert counterpart_of(here) is None


def test_nothing_is_linked_with_a_record_that_is_gone(client: Client, pair: Pair, editor: User) -> None:
    here, there = pair
    organizations.withdraw(there.pk, there.version, actor=acting(editor))
    assert client.post(PAGE, pressed(here, there)).status_code == 409
    assert client.post(PAGE, pressed(there, there)).status_code == 409


@pytest.mark.parametrize("act", ["", "compare"])
def test_only_the_button_that_links_links(client: Client, pair: Pair, act: str) -> None:
    assert client.post(PAGE, pressed(*pair, act)).status_code == 409
    assert counterpart_of(pair[0]) is None


def test_a_link_is_shown_side_by_side_and_removed(client: Client, pair: Pair, editor: User) -> None:
    here, there = pair
    counterparts.link(here, there, actor=acting(editor))
    assert client.get(PAGE).context["other"] == there
    response = client.post(PAGE, pressed(here, there, "unlink"))
    assert response["Location"] == f"/staging/organizations/{BASE}/"
    assert counterpart_of(here) is None
    assert client.post(PAGE, pressed(here, there, "unlink")).status_code == 409


def test_a_viewer_sees_both_records_and_no_button_that_works(client_of: Callable[..., Client], pair: Pair) -> None:
    client = client_of("viewer")
    text = text_of(client, f"{PAGE}?counterpart={THEIRS}")
    assert "disabled" in text[: text.index("Prepare in PRODUCTION</button>")]
    assert "Link these two records" not in text
    assert client.post(PAGE, pressed(*pair)).status_code == 403


def test_deactivated_records_are_suggested_as_counterparts(client: Client, editor: User) -> None:
    made = factories.organization(THEIRS, user=editor, environment="production")
    factories.confirmed(made, active=False)
    address = "/production/organizations/suggestions/"
    assert THEIRS in text_of(client, f"{address}?counterpart=lakeside")
    assert THEIRS not in text_of(client, f"{address}?parent=lakeside")
