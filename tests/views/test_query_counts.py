"""No page runs one query per row: a table of all pages that list something."""

import datetime
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import prefetch_related_objects
from django.test import Client
from django.test.utils import CaptureQueriesContext

from organizations.models import AuditEntry, Contact, Organization, User, clock
from organizations.services.accounts import sessions
from organizations.services.delivery import heartbeat
from organizations.services.records import organizations
from tests import bulk, factories
from tests.factories import BASE
from tests.views.typing import record_inputs

FEW, MANY = 25, 40
"""How many rows of each kind there are when the queries are counted. A search counts its matches if there are
more than 25; a list shows 50 rows on a page."""

MOST_CONTACTS = 20
HEAD, OLD, NEW = BASE, f"{BASE}.8", f"{BASE}.9"
RECORD = f"/staging/organizations/{HEAD}/"

# All but `conflict` are GET requests.
PAGES = {
    "home": "/",
    "search": "/search/?q=lakeside",
    "tree": "/staging/organizations/",
    "tree, unfolded": "/staging/organizations/?open=all",
    "tree, all unsent chosen": "/staging/organizations/?open_work=changes_not_sent&choose=unsent",
    "tree, searched": "/staging/organizations/?q=lakeside",
    "list": "/staging/organizations/?view=list",
    "list, searched": "/staging/organizations/?view=list&q=lakeside",
    "list, found by a contact": "/staging/organizations/?view=list&q=desk",
    "list, narrowed": "/staging/organizations/?view=list&standing=active&hide_deactivated=1",
    "list, last accepted first": "/staging/organizations/?view=list&sort=-accepted&state=WI",
    "list, below": f"/staging/organizations/?view=list&below={HEAD}",
    "list, one chosen": "/staging/organizations/?view=list&record=1&record=2",
    "suggestions": "/staging/organizations/suggestions/?parent=lakeside",
    "record": RECORD,
    "counterpart": f"{RECORD}counterpart/",
    "prepare in PRODUCTION": f"/production/organizations/new/?from={HEAD}",
    "branch": f"{RECORD}branch/",
    "record-submissions": f"{RECORD}submissions/",
    "record-history": f"{RECORD}history/",
    "edit": f"{RECORD}edit/",
    "review": f"{RECORD}review/",
    "discard": f"{RECORD}discard/",
    "withdraw": f"/staging/organizations/{NEW}/withdraw/",
    "conflict": f"/staging/organizations/{NEW}/edit/",
    # Not the top record: its active descendants become a plan, which reviews each record separately.
    "deactivate": f"/staging/organizations/{HEAD}.100/deactivate/",
    "reactivate": f"/staging/organizations/{OLD}/reactivate/",
    "submissions": "/staging/submissions/",
    "submissions, accepted": "/staging/submissions/?state=accepted",
    "submission": "/staging/submissions/{submission}/",
    "audit": "/audit/",
    "audit, single entries": "/audit/?show=entries",
    "audit, of a name": "/audit/?record=lakeside",
    "audit, of an OID": f"/audit/?record={HEAD}",
    "audit, of a submission": "/audit/?submission={submission}",
    "audit, narrowed": "/audit/?what=edits&environment=staging&from=2020-01-01",
    "audit, outcome": "/audit/?outcome=not_sent",
    "audit-entry": "/audit/{entry}/",
    "directory": "/staging/directory/",
    "connection": "/staging/connection/",
    "people": "/people/",
    "organizations-export": "/staging/organizations/export/",
    "organizations-check": "/staging/organizations/check/",
    "audit-export": "/audit/export/",
}


class ManyRows:
    """A record with many rows of each kind, and one each that is deactivated, never sent and queued."""

    def __init__(self) -> None:
        self.people = [factories.UserFactory(role="approver", first_name=f"Approver {number}") for number in range(5)]
        self.people[0].groups.add(Group.objects.get(name="auditor"))
        self.head = self._accepted(HEAD)
        self.old = self._accepted(OLD, active=False)
        self.new = factories.organization(NEW, user=self.people[0])
        stale = replace(self.new.record(), name="Lakeside as it was typed")
        self.conflict = record_inputs(stale, version=self.new.version) | {"record": str(self.new.pk)}
        later_record = replace(self.new.record(), name="Lakeside as another saved it")
        organizations.edit(
            self.new.pk, self.new.version, later_record, stands_for="", actor=factories.as_actor(self.people[1])
        )
        self.waits = factories.submission(factories.organization(f"{BASE}.7", user=self.people[0]), user=self.people[0])
        self.entry = AuditEntry.objects.order_by("sequence").values_list("pk", flat=True)[0]
        prefetch_related_objects([self.head], "contacts", "identifiers")

    def _accepted(self, oid: str, *, active: bool = True) -> Organization:
        user: User = self.people[0]
        organization = factories.organization(oid, user=user)
        submission = factories.submission(organization, user=user)
        factories.accept(organization, submission=submission, active=active)
        Organization.objects.filter(pk=organization.pk).update(active=active)
        return Organization.objects.get(pk=organization.pk)

    def fill(self, numbers: range) -> None:
        """Create rows of each kind with these numbers; a record has at most MOST_CONTACTS contacts."""
        count = len(numbers)
        oids = [100 + number for number in numbers]
        bulk.records_with_counterparts(oids, below=HEAD, people=self.people)
        bulk.records_with_counterparts(oids[:10], below=OLD, people=self.people)
        bulk.sent([self.head] * count, self.people)
        bulk.edits([self.head] * count, self.people)
        bulk.attempts(self.waits, [number + 1 for number in numbers], self.people[0])
        Contact.objects.bulk_create(
            Contact(organization=self.head, position=number, purpose="Technical", name=f"Desk {number}")
            for number in numbers
            if 0 < number < MOST_CONTACTS
        )
        for number in numbers:
            heartbeat.record_heartbeat(f"worker-{number}", clock.now())
            factories.UserFactory(role="viewer", is_active=number % 2 == 0)

    def queries(self, client: Client) -> dict[str, int]:
        """The number of queries of each page."""
        counts = {}
        for name, address in PAGES.items():
            url = address.format(submission=self.waits.pk, entry=self.entry)
            with CaptureQueriesContext(connection) as captured:
                if name == "conflict":
                    response = client.post(url, self.conflict)
                else:
                    response = client.get(url, headers={"HX-Request": "true"} if name == "branch" else {})
                _ = response.getvalue()  # a download runs its queries while it is read
            assert response.status_code == (409 if name == "conflict" else 200), name
            counts[name] = len(captured)
        return counts


@pytest.mark.both_databases
@pytest.mark.slow
def test_no_page_runs_one_query_per_row(client_of, db, monkeypatch):
    # Otherwise a page also writes the last use of the session, once a minute.
    monkeypatch.setattr(sessions, "WRITTEN_EVERY", datetime.timedelta(days=1))
    world = ManyRows()
    client = client_of(user=world.people[0])
    client.get(RECORD)  # runs the queries that a process runs only once
    world.fill(range(FEW))
    few = world.queries(client)
    world.fill(range(FEW, MANY))
    many = world.queries(client)
    assert {name: (few[name], many[name]) for name in PAGES if many[name] > few[name]} == {}
