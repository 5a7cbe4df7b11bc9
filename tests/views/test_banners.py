"""An environment to which nothing is sent at present says so on every page."""

import datetime
import re
from typing import Any

import pytest

from organizations.models import AuditEntry, EnvironmentGate, clock
from tests.connected import redox

OF_BOTH = ("/", "/audit/", "/audit/{entry}/", "/help/", "/account/", "/search/?q=lakeside")
OF_ONE = (
    "/staging/organizations/",
    "/staging/organizations/new/",
    "/staging/organizations/{oid}/",
    "/staging/organizations/{oid}/edit/",
    "/staging/organizations/{oid}/history/",
    "/staging/submissions/",
    "/staging/submissions/{submission}/",
)
CLOSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "stopped": ({"stopped_reason": "Redox refuses the credential"}, "stopped_at", "Redox refuses the credential."),
    "waiting": ({"hold_reason": "too many requests"}, "hold_until", "Redox asked us to slow down."),
    "paused": ({"probing": True, "failures": 5}, "hold_until", "5 times in a row. The portal asks again at"),
}


@pytest.fixture
def addresses(queued, settings) -> list[str]:
    settings.REDOX = redox("http://127.0.0.1:1")  # connected, and asked by no page
    entry = AuditEntry.objects.values_list("pk", flat=True)[0]
    values = {"entry": entry, "oid": queued.oid, "submission": queued.pk}
    return [address.format(**values) for address in OF_BOTH + OF_ONE]


@pytest.mark.parametrize("state", CLOSED)
def test_a_closed_gate_is_told_on_every_page(state, addresses, client_of):
    values, moment, sentence = CLOSED[state]
    later = datetime.timedelta(hours=1) if moment == "hold_until" else datetime.timedelta()
    EnvironmentGate.objects.filter(pk="staging").update(**values, **{moment: clock.now() + later})
    client = client_of("editor")
    for address in addresses:
        shown = client.get(address).content.decode()
        banners = re.findall(r'<section class="banner" aria-label="State of (\w+)">(.*?)</section>', shown, re.DOTALL)
        assert [name for name, _ in banners] == ["STAGING"], address
        assert sentence in banners[0][1], address
        assert address != "/" or shown.count(sentence) == 1


def test_an_open_gate_has_no_banner_on_any_page(addresses, client_of):
    client = client_of("editor")
    for address in addresses:
        assert "State of STAGING" not in client.get(address).content.decode(), address


def test_a_single_failure_is_no_pause(addresses, client_of):
    EnvironmentGate.objects.filter(pk="staging").update(failures=1)
    assert "Redox did not answer" not in client_of("viewer").get("/").content.decode()
