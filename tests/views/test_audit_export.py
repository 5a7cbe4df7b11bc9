"""The exported history: all matching entries, the filters in use, hashes that can be verified, no formula."""

import csv
import hashlib
import io
import json
import re

import pytest
from django.test import Client

from organizations.models import Action, AuditEntry
from organizations.services.actors import system
from organizations.services.audit import audit
from tests import factories
from tests.factories import as_actor
from tests.views.history import PORTAL, add_entries, save_edit


def download_history(client: Client, query: str) -> str:
    answer = client.get(f"/audit/export/{query}")
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="audit-\d{8}-\d{6}\.(csv|json)"', answer["Content-Disposition"])
    return answer.getvalue().decode()


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.fixture
def auditor(client_of) -> Client:
    user = factories.UserFactory(role="auditor", first_name="Auditor", last_name="One")
    return client_of(user=user)


def test_the_csv_has_all_matches_and_names_its_filters(auditor, editor):
    factories.organization(user=editor)
    add_entries(5, actor=as_actor(editor))
    file = download_history(auditor, "?what=connection&from=2020-01-01&format=csv")
    assert file.startswith("\ufeff")
    head, table = rows(file)[:5], rows(file)[6:]
    assert head[2] == ["Made by", "Auditor One"]
    assert head[3] == ["Narrowed to", "What: Connection", "From: Jan 1, 2020", "Days of: America/Chicago"]
    assert head[4] == ["Entries", "5"]
    assert table[0][:5] == ["Entry", "Time (UTC)", "Who", "Action", "What happened"]
    assert [int(row[0]) for row in table[1:]] == list(range(2, 7))
    assert table[1][4] == f"Editor One ({editor.username}) runs with the settings of this entry."
    assert (table[0][-1], table[1][-1]) == ("User name", editor.username)


def test_no_cell_is_a_formula(auditor):
    add_entries(reason="-1;=1+1", actor=system("=HYPERLINK(0)"))
    entry = dict(zip(*rows(download_history(auditor, "?format=csv"))[6:8], strict=True))
    assert (entry["Who"], entry["Reason"]) == ("'=HYPERLINK(0)", "'-1;'=1+1")


def test_each_hash_can_be_recalculated_from_the_json(auditor, editor):
    north = factories.organization(user=editor)
    save_edit(north, editor, name="Lakeside “Quay”\u2028")
    file = download_history(auditor, "?format=json")
    data = json.loads(file)
    assert (data["count"], data["made_by"], data["narrowed_to"]) == (2, "Auditor One", ["nothing"])
    previous = "0" * 64
    for entry in data["entries"]:
        body = json.dumps(entry["body"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        parts = [
            b"orgportal-audit-v1",
            str(entry["sequence"]).encode(),
            previous.encode(),
            str(len(body)).encode(),
            body,
        ]
        previous = hashlib.sha256(b"\x00".join(parts)).hexdigest()
        assert (entry["hash"], body.decode() in file) == (previous, True)


def test_an_export_is_logged_and_is_not_in_its_own_file(auditor):
    add_entries(3)
    assert len(json.loads(download_history(auditor, "?format=json"))["entries"]) == 3
    [entry] = AuditEntry.objects.filter(action=Action.EXPORT_MADE)
    assert entry.facts["object"]["name"] == "the history as JSON, narrowed to nothing"
    assert entry.facts["details"]["rows"] == 3


@pytest.mark.parametrize("query", ["?format=xml", "?format=", "?from=never", "?who=x"])
def test_an_invalid_export_is_refused_and_not_logged(auditor, query):
    assert auditor.get(f"/audit/export/{query}").status_code == 400
    assert not AuditEntry.objects.exists()


def test_both_files_name_the_evidence_of_an_acceptance(auditor):
    with audit.atomic(PORTAL) as history:
        history.log(
            Action.SUBMISSION_SETTLED,
            object={"type": "submission", "id": "7", "name": "Lakeside"},
            environment="staging",
            submission=7,
            details={"state": "accepted", "evidence": "query"},
        )
    sentence = rows(download_history(auditor, "?format=csv"))[7][4]
    assert "the directory" in sentence
    assert json.loads(download_history(auditor, "?format=json"))["entries"][0]["sentence"] == sentence
