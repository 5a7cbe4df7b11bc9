"""No page asks the database once for each of its rows: one table of the pages that list something."""

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
from tests.views.typing import posted

# Each page asks 10 times at least: a query for each row is seen where there are 20 rows or more.
MOST_QUERIES = 30
ROWS = 60  # a page of a list shows 50
MOST_CONTACTS = 20
HEAD, OLD, NEW = BASE, f"{BASE}.8", f"{BASE}.9"
RECORD = f"/staging/organizations/{HEAD}/"

# All but `conflict` are read.
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
    "connection": "/staging/connection/",
    "people": "/people/",
    "organizations-export": "/staging/organizations/export/",
    "organizations-check": "/staging/organizations/check/",
    "audit-export": "/audit/export/",
}


class Ground:
    """A record with everything that grows, and beside it one deactivated, one never sent and one on its way."""

    def __init__(self) -> None:
        self.people = [factories.UserFactory(role="approver", first_name=f"Approver {number}") for number in range(5)]
        self.people[0].groups.add(Group.objects.get(name="auditor"))
        self.head = self._accepted(HEAD)
        self.old = self._accepted(OLD, active=False)
        self.new = factories.organization(NEW, user=self.people[0])
        stale = replace(self.new.record(), name="Lakeside as it was typed")
        self.conflict = posted(stale, version=self.new.version) | {"record": str(self.new.pk)}
        wanted = replace(self.new.record(), name="Lakeside as another saved it")
        organizations.edit(self.new.pk, self.new.version, wanted, stands_for="", actor=factories.acting(self.people[1]))
        self.waits = factories.submission(factories.organization(f"{BASE}.7", user=self.people[0]), user=self.people[0])
        self.entry = AuditEntry.objects.order_by("sequence").values_list("pk", flat=True)[0]
        self._fill()

    def _accepted(self, oid: str, *, active: bool = True) -> Organization:
        user: User = self.people[0]
        made = factories.organization(oid, user=user)
        submission = factories.submission(made, user=user)
        factories.confirmed(made, submission=submission, active=active)
        Organization.objects.filter(pk=made.pk).update(active=active)
        return Organization.objects.get(pk=made.pk)

    def _fill(self) -> None:
        """So many rows of each kind; of contacts as many as there can be."""
        numbers = range(100, 100 + ROWS)
        bulk.worked_on(numbers, below=HEAD, people=self.people)
        bulk.worked_on(numbers[:10], below=OLD, people=self.people)
        bulk.sent([self.head] * ROWS, self.people)
        prefetch_related_objects([self.head], "contacts", "identifiers")
        bulk.edits([self.head] * ROWS, self.people)
        bulk.attempts(self.waits, range(1, ROWS), self.people[0])
        Contact.objects.bulk_create(
            Contact(organization=self.head, position=number, purpose="Technical", name=f"Desk {number}")
            for number in range(1, MOST_CONTACTS)
        )
        for number in range(ROWS):
            heartbeat.record_heartbeat(f"worker-{number}", clock.now())
            factories.UserFactory(role="viewer", is_active=number % 2 == 0)

    def queries(self, client: Client) -> dict[str, int]:
        """How many each page needs."""
        found = {}
        for name, address in PAGES.items():
            url = address.format(submission=self.waits.pk, entry=self.entry)
            with CaptureQueriesContext(connection) as asked:
                if name == "conflict":
                    response = client.post(url, self.conflict)
                else:
                    response = client.get(url, headers={"HX-Request": "true"} if name == "branch" else {})
                _ = response.getvalue()  # of a file: what reads it
            assert response.status_code == (409 if name == "conflict" else 200), name
            found[name] = len(asked)
        return found


@pytest.mark.both_databases
@pytest.mark.slow
def test_no_page_asks_the_database_once_for_each_row(client_of, db, monkeypatch):
    # Once a minute a page also writes that the session is used.
    monkeypatch.setattr(sessions, "WRITTEN_EVERY", datetime.timedelta(days=1))
    ground = Ground()
    client = client_of(user=ground.people[0])
    client.get(RECORD)  # what is asked once in a process
    assert {name: number for name, number in ground.queries(client).items() if number > MOST_QUERIES} == {}
