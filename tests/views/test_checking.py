"""The page and the file of what today's rules say of all records."""

import csv
import io

from organizations.models import Action, AuditEntry, Organization
from tests import factories
from tests.factories import BASE

CHECK = "/staging/organizations/check/"


def test_each_finding_leads_to_where_it_is_put_right(client_of, editor):
    made = factories.organization(user=editor, name="Lakeside North")
    factories.organization(f"{BASE}.7", user=editor, environment="production")
    Organization.objects.filter(pk=made.pk).update(zip_code="5370")
    page = client_of(user=editor).get(CHECK).content.decode()
    assert f'<a href="/staging/organizations/{BASE}/edit/">Lakeside North</a>' in page
    assert "&#x27;5370&#x27; is not a ZIP code." in page
    assert "records 1 to 1 of 1, in the order of their OIDs. 1 finding." in page
    assert (
        f'<a href="/staging/organizations/{BASE}/">Lakeside North</a>'
        in client_of("viewer").get(CHECK).content.decode()
    )
    assert "Nothing was found in them." in client_of("viewer").get("/production/organizations/check/").content.decode()


def test_the_file_holds_every_finding_and_is_noted(client_of, editor):
    made = factories.organization(user=editor, name="=Lakeside")
    Organization.objects.filter(pk=made.pk).update(zip_code="5370")
    answer = client_of("viewer").get(f"{CHECK}export/")
    assert answer.streaming
    head, row = csv.reader(io.StringIO(answer.getvalue().decode().removeprefix("\ufeff")))
    cells = dict(zip(head, row, strict=True))
    assert (cells["Environment"], cells["OID"], cells["Name"]) == ("STAGING", BASE, "'=Lakeside")
    assert (cells["Kind"], cells["Field"]) == ("The form would refuse it", "ZIP")
    facts = AuditEntry.objects.get(action=Action.EXPORT_MADE).facts
    assert (facts["environment"], facts["details"]) == ("staging", {"rows": 1})
