"""Searches use an index instead of reading every row, on both database engines."""

import datetime
import re
from dataclasses import replace

import pytest
from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from organizations.models import AuditEntry, Environment, Organization, clock, tree
from organizations.pages.search import hits
from organizations.queries import audit_filters, choices, history, record_filters, roll_call
from organizations.queries.audit_filters import AuditFilters
from organizations.queries.record_filters import RecordFilters
from organizations.records import AddressRecord
from organizations.services import search_index, search_text
from organizations.services.outbox import answers
from organizations.services.review import first_messages, reviews
from tests import factories
from tests.factories import as_actor


def plan_of(sql: str, *but_not_by: str) -> str:
    """The engine's query plan. PostgreSQL must not scan or sort, as it would do with a small table."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for way in ("seqscan", *but_not_by):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + sql)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def sql_of(found: QuerySet[Organization]) -> str:
    with CaptureQueriesContext(connection) as queries:
        list(found.values_list("pk", flat=True)[:50])
    return queries.captured_queries[0]["sql"]


def many_places() -> None:
    """So many records, each below another one, that an engine with statistics does not read a whole index."""
    now = clock.now()
    Organization.objects.bulk_create(
        Organization(
            environment="staging",
            oid=f"1.3.{number}",
            oid_key=str(number),
            name=f"Lakeside {number}",
            search_text=f"lakeside {number} 1.3.{number} ooo",
            part_of_oid=f"1.4.{number}",
            confirmed_part_of_oid=f"1.4.{number}",
            shown_part_of_oid=f"1.5.{number}",
            created_at=now,
            edited_at=now,
            version=1,
        )
        for number in range(300)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE organizations_organization")


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (RecordFilters(sort="accepted"), "organization_by_acceptance"),
        (RecordFilters(state="WI"), "organization_by_state"),
    ],
    ids=["accepted", "state"],
)
def test_a_list_is_read_in_order_from_an_index(db: None, wanted: RecordFilters, index: str) -> None:
    many_places()  # with one or two rows PostgreSQL uses any index
    found = record_filters.matching(Environment.STAGING, wanted).order_by(*wanted.order())
    assert index in plan_of(sql_of(found), "sort")


def test_records_with_unsent_changes_are_counted_by_an_index(db: None) -> None:
    many_places()
    with CaptureQueriesContext(connection) as queries:
        record_filters.count_unsent(Environment.STAGING, RecordFilters(), most=1000)
    plan = plan_of(queries.captured_queries[0]["sql"])
    # Several indexes begin with the environment and the open work. PostgreSQL uses the one with the fewest pages.
    indexes = ("organization_work_of", "organization_work_since", "organization_by_work")
    assert any(index in plan for index in indexes), plan


def test_the_search_for_a_redox_number_uses_an_index(db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        hits.find("4606153124")
    plan = plan_of(queries.captured_queries[0]["sql"], "indexscan")
    assert "submission_by_message_id" in plan
    assert "submission_by_log_id" in plan


def test_the_search_for_duplicates_uses_the_index_of_their_key(db: None) -> None:
    editor = factories.editor()
    organization = factories.organization(user=editor)
    many_places()
    with CaptureQueriesContext(connection) as queries:
        reviews.review(organization, actor=as_actor(editor))
    (sql,) = (each["sql"] for each in queries.captured_queries if '"double_key" = ' in each["sql"])
    assert "organization_doubles" in plan_of(sql, "indexscan")


def test_the_records_of_a_list_of_oids_are_found_by_an_index(db: None) -> None:
    many_places()
    with CaptureQueriesContext(connection) as queries:
        assert len(roll_call.find([f"1.3.{number}" for number in range(9)], []).by_oid) == 9
    plan = plan_of(queries.captured_queries[0]["sql"], "bitmapscan")
    index = "environment=? AND oid=?" if connection.vendor == "sqlite" else "organization_oid_once_per_environment"
    assert index in plan


def test_possible_duplicates_are_found_by_the_indexes_of_names_and_zip_codes(db: None) -> None:
    editor = factories.editor()
    address = AddressRecord(street="1 Lake St", zip_code="53704-1234")
    refused = factories.submission(factories.organization(user=editor, address=address), user=editor)
    refused.known_answer = "duplicate_business"
    many_places()
    with CaptureQueriesContext(connection) as queries:
        answers.possible_duplicates(refused, answers.message_record(refused))
    *_, by_name, by_address, _ = (each["sql"] for each in queries.captured_queries)
    assert "organization_by_zip" in plan_of(by_address, "indexscan")
    assert "organization_by_name_key" in plan_of(by_name, "indexscan")


def test_whether_a_first_message_was_accepted_is_read_from_an_index(db: None) -> None:
    organization = factories.stated_organization(user=factories.editor())
    with CaptureQueriesContext(connection) as queries:
        first_messages.first_message_of(organization)
    (sql,) = (each["sql"] for each in queries.captured_queries if "is_proof" in each["sql"].partition("WHERE")[2])
    assert "submission_proof" in plan_of(sql, "indexscan")


def test_a_record_is_found_by_its_name_in_an_index_however_short_it_is(db: None) -> None:
    factories.organization(user=factories.editor(), name="Á")
    many_places()
    with CaptureQueriesContext(connection) as queries:
        assert choices.oid_named("staging", "a") == factories.BASE
    (by_name,) = (each["sql"] for each in queries.captured_queries if '"name_key" = ' in each["sql"])
    assert "organization_by_name_key" in plan_of(by_name, "indexscan")


@pytest.mark.slow
def test_active_children_are_looked_up_by_each_way_of_being_below(db: None) -> None:
    many_places()
    plan = plan_of(sql_of(tree.active_children_of(Organization(environment="staging", oid="1.2"))), "bitmapscan")
    for index in ("children", "confirmed_below", "shown_below"):
        assert f"organization_{index}" in plan
    if connection.vendor == "sqlite":  # without rows PostgreSQL uses any index
        assert "submission_below (environment=? AND part_of_oid=? AND state=?)" in plan
        assert plan.startswith("SEARCH organizations_organization USING INTEGER PRIMARY KEY")


def test_old_entries_with_an_outcome_are_found_without_reading_newer_ones(db: None) -> None:
    filters = AuditFilters(outcome="accepted", since=datetime.date(2025, 11, 1), until=datetime.date(2025, 11, 30))
    with CaptureQueriesContext(connection) as queries:
        history.newest_sequences(audit_filters.matching(filters), "", None, 1001)
    plan = plan_of(queries.captured_queries[0]["sql"], "sort", "bitmapscan")
    way = "Index Only Scan using" if connection.vendor == "postgresql" else "COVERING INDEX"
    assert f"{way} audit_by_outcome_and_time" in plan


@pytest.mark.parametrize("typed", ["lakeside 17", "1.3.17"])
def test_a_search_for_words_uses_their_index(db: None, typed: str) -> None:
    many_places()
    Organization.objects.update(search_text=Concat("name", Value(" "), "oid"))
    if connection.vendor == "postgresql":
        hits = Organization.objects.filter(search_text.matching_rows(typed))
        assert "organizations_search" in plan_of(sql_of(hits), "indexscan")
        return
    with CaptureQueriesContext(connection) as queries:
        list(record_filters.matching(Environment.STAGING, RecordFilters(q=typed)).values_list("pk", flat=True))
    assert "VIRTUAL TABLE" in plan_of(queries.captured_queries[-2]["sql"])
    assert "rowid=?" in plan_of(queries.captured_queries[-1]["sql"])


@pytest.mark.parametrize("typed", ["lakeside zq", "zq", "ooooo"])
def test_words_that_no_index_narrows_are_looked_for_in_a_range_of_oids(
    db: None, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    many_places()
    monkeypatch.setattr(search_index, "RECORDS", replace(search_index.RECORDS, most_candidates=100))
    monkeypatch.setattr(search_index, "MAX_IDS", 10)
    monkeypatch.setattr(search_index, "MOST_SEARCHED", 50)
    search = search_index.search_records("staging", typed)
    assert search.is_partial
    sql = sql_of(search.records.order_by("oid_key"))
    plan = plan_of(sql, "bitmapscan", "sort")
    if connection.vendor == "sqlite":
        assert "organization_by_oid (environment=? AND oid_key<?)" in plan
    else:
        assert "LIKE" not in sql  # its trigram index would have PostgreSQL compare every row with the common word
        assert re.search(r"Index Scan using organization_by_oid .*\n +Index Cond: .*oid_key\)::text < ", plan)


def test_a_rare_word_beside_a_common_one_is_looked_up_in_the_index(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    many_places()
    monkeypatch.setattr(search_index, "RECORDS", replace(search_index.RECORDS, most_candidates=100))
    monkeypatch.setattr(search_index, "MAX_IDS", 10)
    monkeypatch.setattr(search_index, "MOST_SEARCHED", 50)
    search = search_index.search_records("staging", "lakeside 1.3.299")
    assert not search.is_partial
    if connection.vendor == "sqlite":  # PostgreSQL reads any index of such a small table
        assert "rowid=?" in plan_of(sql_of(search.records))


def test_a_search_of_the_history_uses_the_indexes_of_words_and_records(db: None) -> None:
    organization = factories.organization(user=factories.editor(), name="Lakeside 17")
    bulk_entries = (
        AuditEntry(
            sequence=number, previous_hash=f"{number}", at=clock.now(), body=b"{}", search_text=f"other {number}"
        )
        for number in range(100, 400)
    )
    AuditEntry.objects.bulk_create(bulk_entries)
    with CaptureQueriesContext(connection) as queries:
        entries = audit_filters.matching(AuditFilters(record="lakeside 17"))
        assert list(entries.order_by("-sequence").values_list("organization_id", flat=True)) == [organization.pk]
    plan = plan_of(queries.captured_queries[-1]["sql"], "indexscan")
    assert "audit_by_organization" in plan
    if connection.vendor == "postgresql":
        assert "organizations_audit_search" in plan
        return
    assert sum("organizations_audit_search MATCH" in each["sql"] for each in queries.captured_queries) == 1
    assert "sequence=?" in plan
