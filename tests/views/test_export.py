"""Downloads: their content, their headers and their entry in the history."""

import csv
import io
from typing import Any

import pytest

from organizations.models import Action, AuditEntry, Organization
from organizations.views.downloads import download
from tests import factories
from tests.factories import BASE

pytestmark = pytest.mark.one_database

RECORDS, CHECK = "/staging/organizations/export/", "/staging/organizations/check/export/"


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert (answer.status_code, answer.streaming) == (200, True)
    text = answer.getvalue().decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def logged_exports() -> list[tuple[str, int]]:
    entries = AuditEntry.objects.filter(action=Action.EXPORT_MADE).order_by("sequence")
    return [(entry.facts["environment"], entry.facts["details"]["rows"]) for entry in entries]


def test_matching_records_are_exported_and_equal_exports_are_logged_once(client, family):
    answer = client.get(RECORDS, {"q": "quarry"})
    assert [row["Name"] for row in rows_of(answer)] == ["Quarry Road"]
    assert answer["Content-Disposition"] == 'attachment; filename="organizations-staging.csv"'
    assert logged_exports() == [("staging", 1)]
    for query in ("quarry", "", "quarry", ""):
        client.get(RECORDS, {"q": query})
    assert sorted(logged_exports()) == [("staging", 1), ("staging", len(family))]


def test_all_findings_are_exported_and_the_export_is_logged(client, editor):
    organization = factories.organization(user=editor, name="=Lakeside")
    Organization.objects.filter(pk=organization.pk).update(zip_code="5370")
    [row] = rows_of(client.get(CHECK))
    assert (row["Environment"], row["OID"], row["Name"]) == ("STAGING", BASE, "'=Lakeside")
    assert (bool(row["Kind"]), row["Field"]) == (True, "ZIP")
    assert logged_exports() == [("staging", 1)]


@pytest.mark.parametrize("address", [RECORDS, CHECK, "/audit/export/"])
def test_a_head_request_for_an_export_writes_no_entry(client_of, address):
    assert client_of("auditor").head(address).status_code == 200
    assert not AuditEntry.objects.exists()


def test_a_head_response_has_no_rows(rf):
    answer = download(rf.head("/"), ["row"], name="a.csv", content_type="text/csv")
    assert answer.getvalue() == b""
