"""The CSV export of records: the content of each line."""

import csv

import pytest

from organizations.csv_cells import BYTE_ORDER_MARK
from organizations.models import Organization, User
from organizations.pages.organizations import csv_export
from tests import factories
from tests.factories import BASE

pytestmark = pytest.mark.django_db


def lines_of(environment: str = "staging") -> list[dict[str, str]]:
    text = "".join(csv_export.csv_lines(Organization.objects.in_environment(environment).order_by("oid_key")))
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(text.removeprefix(BYTE_ORDER_MARK).splitlines(keepends=True)))


def test_a_line_has_every_field_and_the_counterpart(editor: User) -> None:
    organization = factories.organization(user=editor, name="Quarry Road", aliases=("Old Harbor Pediatrics",))
    [cells] = lines_of()
    assert (cells["OID"], cells["Name"], cells["Aliases"]) == (BASE, "Quarry Road", "Old Harbor Pediatrics")
    assert (cells["Directory status"], cells["To do"]) == ("Not registered", "Changes not sent")
    assert (cells["Accepted by"], cells["Directory asked (UTC)"]) == ("", "")
    assert (cells["Directory differs"], cells["OID belongs to"]) == ("0", "")
    assert (cells["Counterpart OID"], cells["Counterpart directory status"]) == ("", "Not linked")
    assert (cells["ZIP"], cells["Contact 1, Work phone"]) == ("53704", "'+16085550100")
    twin = factories.organization(f"{BASE}.9", user=editor, environment="production")
    Organization.objects.filter(pk=twin.pk).update(staging_record=organization)
    [cells] = lines_of()
    assert (cells["Counterpart OID"], cells["Counterpart directory status"]) == (twin.oid, "Not registered")
