"""While nothing is sent to an environment, every page says so."""

import datetime
import re

import pytest

from organizations.models import AuditEntry, EnvironmentGate, clock

pytestmark = pytest.mark.usefixtures("unreachable_redox")

BANNER = re.compile(r'<section class="banner" aria-label="State of (\w+)">(.*?)</section>', re.DOTALL)
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


def test_every_page_says_that_an_environment_is_stopped(queued, client):
    reason = "Redox refuses the credential"
    EnvironmentGate.objects.filter(pk="staging").update(stopped_at=clock.now(), stopped_reason=reason)
    values = {"entry": AuditEntry.objects.values_list("pk", flat=True)[0], "oid": queued.oid, "submission": queued.pk}
    for address in OF_BOTH + OF_ONE:
        html = client.get(address.format(**values)).content.decode()
        [(name, banner)] = BANNER.findall(html)
        assert (name, reason in banner) == ("STAGING", True), address
        assert address != "/" or html.count(reason) == 1
    assert BANNER.findall(client.get("/production/organizations/").content.decode()) == []


@pytest.mark.parametrize("values", [{}, {"probing": True, "failures": 5}])
def test_pages_say_that_an_environment_is_paused(values, client):
    later = clock.now() + datetime.timedelta(hours=1)
    EnvironmentGate.objects.filter(pk="staging").update(hold_until=later, **values)
    for address in ("/", "/staging/submissions/"):
        assert [name for name, _ in BANNER.findall(client.get(address).content.decode())] == ["STAGING"]


def test_an_environment_that_sends_has_no_banner(client):
    EnvironmentGate.objects.filter(pk="staging").update(failures=1)
    for address in ("/", "/help/", "/staging/organizations/", "/staging/submissions/"):
        assert BANNER.findall(client.get(address).content.decode()) == [], address
