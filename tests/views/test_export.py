"""The export of records as CSV."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.models import Action, AuditEntry, Organization
from organizations.views.files import download
from tests import bulk, factories
from tests.factories import BASE

STAGING = "/staging/organizations/"


def rows_of(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_export_holds_every_field_of_what_fits_and_is_noted(client_of, family):
    response = client_of("viewer").get(f"{STAGING}export/", {"q": "quarry"})
    head, row = rows_of(response)
    cells = dict(zip(head, row, strict=True))
    assert cells["OID"] == f"{BASE}.1.2"
    assert (cells["Name"], cells["Aliases"]) == ("Quarry Road", "Old Harbor Pediatrics")
    assert (cells["Standing"], cells["To do"]) == ("Not registered", "Changes not sent")
    assert (cells["Accepted by"], cells["Directory asked (UTC)"]) == ("", "")
    assert (cells["Directory differs"], cells["OID belongs to"]) == ("0", "")
    assert (cells["Counterpart OID"], cells["Counterpart standing"]) == ("", "No record")
    assert (cells["ZIP"], cells["Contact 1, Work phone"]) == ("53704", "'+16085550100")
    assert response["Content-Disposition"] == 'attachment; filename="organizations-staging.csv"'
    facts = AuditEntry.objects.get(action=Action.EXPORT_MADE).facts
    assert (facts["environment"], facts["details"]) == ("staging", {"rows": 1})


def test_the_same_export_again_and_again_is_one_entry_and_another_one_its_own(client_of, family):
    client = client_of("viewer")
    for query in ("quarry", "quarry", "", "quarry", ""):
        client.get(f"{STAGING}export/", {"q": query})
    rows = [entry.facts["details"]["rows"] for entry in AuditEntry.objects.filter(action=Action.EXPORT_MADE)]
    assert sorted(rows) == [1, len(family)]


@pytest.mark.parametrize("address", [f"{STAGING}export/", f"{STAGING}check/export/", "/audit/export/"])
def test_who_asks_only_for_the_head_of_an_export_leaves_no_entry(client_of, db, address):
    assert client_of("auditor").head(address).status_code == 200
    assert not AuditEntry.objects.exists()


def test_the_head_of_an_export_has_no_rows(rf):
    answer = download(rf.head("/"), ["row"], name="a.csv", content_type="text/csv")
    assert answer.getvalue() == b""


def test_the_export_names_the_counterpart_with_its_standing(client_of, family, editor):
    twin = factories.organization(f"{BASE}.9", user=editor, environment="production")
    Organization.objects.filter(pk=twin.pk).update(staging_record=Organization.objects.get(oid=f"{BASE}.1.2"))
    head, row = rows_of(client_of("viewer").get(f"{STAGING}export/", {"q": "quarry"}))
    cells = dict(zip(head, row, strict=True))
    assert (cells["Accepted by"], cells["Directory asked (UTC)"]) == ("", "")
    assert (cells["Directory differs"], cells["OID belongs to"]) == ("0", "")
    assert (cells["Counterpart OID"], cells["Counterpart standing"]) == (twin.oid, "Not registered")


@pytest.mark.slow
def test_the_export_needs_the_same_few_queries_for_any_number(client_of, db):
    def queries(count: int) -> int:
        bulk.records(count, base=f"{BASE}.{count}")
        with CaptureQueriesContext(connection) as captured:
            rows_of(client.get(f"{STAGING}export/"))
        return len(captured)

    client = client_of("viewer")
    client.get(STAGING)
    assert queries(10) + 4 >= queries(600)  # three more for each 500 records
