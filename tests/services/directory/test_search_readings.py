"""Readings that a search stores: what it shows of records in the portal, and nothing about other organizations."""

from collections import Counter
from typing import Any

import pytest

from organizations.models import Action, AuditEntry, Organization, Presence, User, clock
from organizations.practice import PracticeDirectory
from organizations.redox.directory_query import Listing, SearchFilters
from organizations.services.directory import search
from organizations.services.directory.search import Compared, search_directory
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.directory.test_search import OTHER, answer, found, listed, run
from tests.services.fake_redox import FakeRedox
from tests.services.sending import WORKER, edit, reload

pytestmark = pytest.mark.one_database


def test_a_reading_of_a_record_is_kept_without_the_answer(practice: PracticeDirectory, editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    practice.register("staging", listed(BASE, "Changed there"))
    practice.register("staging", listed(OTHER, "Changed there too"))
    before = clock.now()

    page = search_directory("staging", SearchFilters(name="Changed"), actor=as_actor(editor))

    row = reload(organization)
    seen = row.later_reading()
    assert seen is not None
    assert (seen, row.seen_at) == (found(page)[BASE].record, page.asked_at)
    assert before <= page.asked_at
    assert row.differs > 0
    entry = AuditEntry.objects.get(action=Action.ORGANIZATION_ASKED)
    assert (entry.organization_id, entry.actor_id, entry.raw) == (organization.pk, editor.pk, None)
    details = entry.facts["details"]
    assert details["seen"] == seen.to_json()
    assert (details["search"], details["asked"], details["found"]) == (True, True, True)
    assert details["asked_at"] == page.asked_at.isoformat()
    assert not [entry for entry in AuditEntry.objects.all() if b"Changed there too" in bytes(entry.body)]
    assert found(run(SearchFilters(name="Changed")))[BASE].compared == Compared.AS_SHOWN


def test_a_search_that_shows_an_earlier_record_again_keeps_the_newest_reading(
    practice: PracticeDirectory, editor: User
) -> None:
    rows = [factories.accepted_organization(f"{BASE}.{number}", user=editor) for number in (2, 1)]
    for row in rows:
        practice.register("staging", listed(row.oid))
    first, second = run().asked_at, run().asked_at
    assert first < second
    assert {reload(row).seen_at for row in rows} == {second}


def test_the_readings_of_many_records_are_stored(practice: PracticeDirectory, editor: User) -> None:
    rows = [factories.accepted_organization(f"{BASE}.{number}", user=editor) for number in range(1, 13)]
    for row in rows:
        practice.register("staging", listed(row.oid))
    page = run()
    assert {reload(row).seen_at for row in rows} == {page.asked_at}
    entries = AuditEntry.objects.filter(action=Action.ORGANIZATION_ASKED)
    assert Counter(entries.values_list("organization_id", flat=True)) == Counter(row.pk for row in rows)


@pytest.mark.parametrize(
    "others",
    [
        [listed(BASE, "Lakeside too")],
        [listed(OTHER, Identifiers=[{"ID": oid, "IDType": "OID"} for oid in (OTHER, BASE)])],
        [None],
        [listed(OTHER, "")],
    ],
    ids=["the same OID", "the same OID as another one", "not readable", "without a name"],
)
def test_an_answer_that_a_single_query_would_refuse_is_not_a_reading(
    redox_server: FakeRedox, editor: User, others: list[Any]
) -> None:
    organization = factories.accepted_organization(user=editor)
    redox_server.queries = [answer(listed(BASE), *others), answer(listed(BASE))]
    assert BASE in found(run())
    assert reload(organization).seen_at is None
    assert run().asked_at == reload(organization).seen_at


def test_no_reading_is_kept_while_a_decision_may_depend_on_it(practice: PracticeDirectory, editor: User) -> None:
    with_message = factories.accepted_organization(f"{BASE}.1", user=editor)
    edit(with_message, editor, name="Lakeside North")
    factories.submission(reload(with_message), user=editor)
    foreign, absent, draft = (factories.organization(f"{BASE}.{number}", user=editor) for number in (2, 3, 4))
    Organization.objects.filter(pk=foreign.pk).update(presence=Presence.PRESENT, foreign_since=clock.now())
    Organization.objects.filter(pk=absent.pk).update(presence=Presence.ABSENT)
    rows = [with_message, foreign, absent, draft]
    for row in rows:
        practice.register("staging", listed(row.oid))
    assert len(run().hits) == 4
    assert [reload(row).seen_at for row in rows] == [None] * 4
    assert not AuditEntry.objects.filter(action=Action.ORGANIZATION_ASKED).exists()


def test_a_record_with_another_oid_since_the_query_gets_no_reading(practice: PracticeDirectory, editor: User) -> None:
    """Between the comparison and the lock somebody can give the record another OID, or withdraw it."""
    organization = factories.accepted_organization(user=editor)
    practice.register("staging", listed(BASE))
    page = run()
    Organization.objects.filter(pk=organization.pk).update(oid=f"{BASE}.5", seen_at=None, seen="")
    listing = Listing(
        records=tuple(hit.record for hit in page.hits),
        unreadable=(),
        repeated=(),
        received=1,
        total=1,
        fingerprint="",
        distinct=frozenset({BASE}),
    )
    search._store_readings(page, listing, WORKER)
    assert reload(organization).seen_at is None
