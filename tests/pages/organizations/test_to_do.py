"""The to-do chips and the evidence of a record in lists, filters and exports."""

import csv
from dataclasses import replace

import pytest
from django.db import transaction
from django.http import QueryDict

from organizations.csv_cells import BYTE_ORDER_MARK
from organizations.models import Environment, Evidence, Organization, State, User, clock
from organizations.pages.organizations import csv_export, listing
from organizations.pages.organizations.rows import RecordRow
from organizations.queries import record_filters
from organizations.services.actors import person
from organizations.services.records import directory_state, organizations
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


@pytest.fixture
def differing(editor: User) -> Organization:
    """An accepted record with an unsent edit, which the directory shows with another name."""
    organization = factories.accepted_organization(
        user=editor, evidence=Evidence.QUERY, aliases=("Alpha; Beta", "Gamma")
    )
    directory = replace(organization.record(), name="By hand", destination_known=False)
    with transaction.atomic():
        directory_state.store_reading(organizations.lock_record(organization.pk), directory, clock.now())
    organization = Organization.objects.get(pk=organization.pk)
    edited_record = replace(organization.record(), contacts=())
    organizations.edit(organization.pk, organization.version, edited_record, stands_for="", actor=person(editor))
    return organization


def rows(query: str) -> list[RecordRow]:
    filters = record_filters.read(QueryDict(query), "staging")
    return listing.build(Environment.STAGING, filters, "", "").rows


def words_of(row: RecordRow) -> list[tuple[str, int]]:
    return [(word.key, number) for word, number in row.to_do]


@pytest.mark.parametrize("view", ["list", "tree"])
def test_a_record_that_differs_and_has_unsent_edits_has_two_chips(differing, editor, view):
    factories.organization(f"{factories.BASE}.1", user=editor)
    for key in ("directory_differs", "changes_not_sent"):
        rows_by_oid = {row.organization.oid: row for row in rows(f"view={view}&open_work={key}")}
        assert words_of(rows_by_oid[differing.oid]) == [("directory_differs", 1), ("changes_not_sent", 1)]
    assert [row.organization.oid for row in rows("view=list&open_work=directory_differs")] == [differing.oid]


ORDER = {
    State.NEEDS_PERSON: ["needs_person", "directory_differs"],
    State.UNKNOWN: ["unknown", "directory_differs"],
    State.REJECTED: ["rejected", "directory_differs"],
    State.SENDING: ["directory_differs", "sending"],
    State.QUEUED: ["directory_differs", "queued"],
    State.AWAITING: ["directory_differs", "awaiting"],
}


def test_chips_are_in_order_of_urgency(differing):
    wanted_hash = Organization.objects.get(pk=differing.pk).wanted_hash
    chips = {}
    for state in ORDER:
        factories.change_submissions(state=state, wanted_hash=wanted_hash, evidence="")
        chips[state] = [key for key, _ in words_of(rows("view=list")[0])]
    assert chips == ORDER


def test_a_list_names_evidence_other_than_redoxs_answer(differing):
    assert rows("view=list")[0].accepted_by == "by Query"
    Organization.objects.update(confirmed_evidence=Evidence.PERSON)
    assert rows("view=list")[0].accepted_by == "decided"
    Organization.objects.update(confirmed_evidence=Evidence.ANSWER)
    assert rows("view=list")[0].accepted_by == ""


def test_the_export_names_status_and_evidence(differing):
    lines = csv_export.csv_lines(Organization.objects.all())
    head, row = csv.reader("".join(lines).removeprefix(BYTE_ORDER_MARK).splitlines(keepends=True))
    cells = dict(zip(head, row, strict=True))
    assert cells["To do"] == "Directory differs\nChanges not sent"
    assert (cells["Accepted by"], cells["Directory differs"], cells["OID belongs to"]) == ("A Query", "1", "")
    assert cells["Directory asked (UTC)"].startswith(f"{clock.now():%Y-%m-%d}")
    assert cells["Aliases"] == "Alpha; Beta\nGamma"
    Organization.objects.update(foreign_since=clock.now(), foreign_name="Boston Harbor Hospital")
    assert "Boston Harbor Hospital" in "".join(csv_export.csv_lines(Organization.objects.all()))
