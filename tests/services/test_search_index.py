"""The index of the search: it finds what a search without it finds, after every change and whatever is typed."""

import logging
import sqlite3
from contextlib import closing

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import Environment, Organization
from organizations.queries import choices, record_filters
from organizations.queries import search as search_queries
from organizations.queries.record_filters import RecordFilters
from organizations.services import backups, search_index
from tests import bulk, factories
from tests.factories import BASE

from . import sending

pytestmark = pytest.mark.django_db

PIECES = ["and", "or", "not", "near(", "ffi", *"abcéñ漢🙂 \"'%_\\*^:-.+(){},@01\ufffd\u0301"]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)


@st.composite
def stored_texts_and_words(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Some texts, and words that are mostly parts of one of them."""
    stored = draw(st.lists(texts, min_size=1, max_size=8))
    words = []
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(stored))
        start = draw(st.integers(0, len(text) - 1))
        words.append(draw(st.one_of(texts, st.just(text[start : start + draw(st.integers(1, 8))]))))
    return stored, words


def fill(stored: list[str]) -> None:
    rows = []
    for number, text in enumerate(stored):
        row = bulk.row(f"{BASE}.{number + 1}", BASE, "staging")
        row.search_text = text
        rows.append(row)
    Organization.objects.bulk_create(rows)


def holding(words: list[str]) -> set[str]:
    """The texts of the records that a search by the index finds."""
    records = search_index.candidates("staging", words)
    for word in words:
        records = records.filter(search_text__contains=word)
    return set(records.values_list("search_text", flat=True))


@settings(max_examples=60)
@given(stored_texts_and_words())
def test_the_index_finds_what_reading_every_record_finds(stored_and_words):
    stored, words = stored_and_words
    with transaction.atomic():
        fill(stored)
        expected = {text for text in stored if all(word in text for word in words)}
        assert holding(words) == expected
        for text in stored:
            beginning = search_index.records_starting_with("staging", text[:4])
            assert set(beginning.values_list("search_text", flat=True)) == {
                each for each in stored if each.startswith(text[:4])
            }
        transaction.set_rollback(True)


def oids_found(typed: str) -> list[str]:
    return sorted(search_index.matching_records("staging", typed).values_list("oid", flat=True))


def test_an_oid_finds_the_records_whose_oids_begin_with_it():
    rows = {number: bulk.row(f"{BASE}.{number}", BASE, "staging") for number in ("1", "1.7", "10", "20")}
    rows["20"].search_text += f" was {BASE}.1 before"
    Organization.objects.bulk_create([*rows.values(), bulk.row(f"{BASE}.1", BASE, "production")])
    assert oids_found(f"{BASE}.1") == oids_found(f"OID {BASE}.1.") == [f"{BASE}.1", f"{BASE}.1.7"]
    # No OID begins with these: the last arcs of one, and an arc that is not complete.
    assert oids_found("1.20") == [f"{BASE}.20"]
    assert len(oids_found(f"{BASE.rpartition('.')[0]}.1.1.2")) == 0 < len(oids_found(BASE[:-10])) == 4


@pytest.mark.parametrize(("few", "many"), [(100, 100), (3, 100), (3, 4)], ids=["few", "many", "most"])
def test_the_number_of_candidates_changes_no_result(monkeypatch, few, many):
    monkeypatch.setattr(search_index, "MAX_IDS", few)
    monkeypatch.setattr(search_index, "MAX_CANDIDATES", many)
    fill(["harbor clinic", "harbour", "old harbor", "harbor", "bor har", "harb orbo rbor"])
    Organization.objects.filter(search_text="old harbor").update(environment="production")
    assert holding(["harbor"]) == {"harbor clinic", "harbor"}
    assert holding(["harbor", "ic"]) == {"harbor clinic"}
    assert holding(["ha"]) == {"harbor clinic", "harbour", "harbor", "bor har", "harb orbo rbor"}
    found = record_filters.in_order("staging", RecordFilters(q="harbor", state="WI"))
    assert [each.search_text for each in found] == ["harbor clinic", "harbor"]


def test_every_change_of_a_record_reaches_the_index(editor):
    organization = factories.organization(user=editor, name="Lakeside Zanzibar")
    assert [each.value for each in choices.parents("staging", "zanzibar")] == [BASE]

    sending.edit(organization, editor, name="Quarry Road")
    assert choices.parents("staging", "zanzibar") == []
    assert [each.value for each in choices.parents("staging", "quarry")] == [BASE]

    Organization.objects.filter(pk=organization.pk).update(search_text="peñón")
    assert holding(["quarry"]) == set()
    assert holding(["peñón"]) == {"peñón"}

    Organization.objects.all().delete()
    assert holding(["peñón"]) == set()
    fill(["anything"])  # SQLite may use the number of the deleted record again
    assert holding(["peñón"]) == set()


TYPED = [
    "a",
    "x" * 10_000,
    "b" * 3,
    "é" * 9999,
    "ﷺ" * 10_000,
    '"',
    '""" OR *',
    "NEAR(a b, 2)",
    "search_text: a",
    "^abc",
]
TYPED += ["-abc", "abc AND", "(((", "a*", "abc*", "{abc}: def", "%%%", "___", "\\\\\\", "\x00abc", "'; DROP TABLE x"]
TYPED += ["1.2.", "2.16.840.1.113883.", " ".join(f"abc{number}" for number in range(2000))]


@pytest.mark.parametrize("typed", TYPED, ids=range(len(TYPED)))
def test_any_text_can_be_searched_for(editor, typed):
    factories.organization(user=editor)
    for environment in Environment:
        search_queries.records_with_words(environment, typed)
        choices.parents(environment, typed)
        choices.oid_named(environment, typed)
        list(record_filters.matching(environment, RecordFilters(q=typed)))


@pytest.mark.one_database  # PostgreSQL keeps its index itself
def test_a_lost_trigger_costs_time_and_no_hits_until_the_next_migration():
    fill(["harbor"])
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER organizations_search_insert")  # as a migration that rebuilds the table
    fill_more = bulk.row(f"{BASE}.9", BASE, "staging")
    fill_more.search_text = "north harbor"
    fill_more.save()
    assert holding(["harbor"]) == {"harbor", "north harbor"}

    search_index.ensure_index()
    with CaptureQueriesContext(connection) as queries:
        assert holding(["harbor"]) == {"harbor", "north harbor"}
    assert any(" MATCH " in each["sql"] for each in queries.captured_queries)


@pytest.mark.one_database  # PostgreSQL keeps its index itself
@pytest.mark.django_db(transaction=True)
def test_the_command_that_migrates_makes_the_index_again():
    fill(["harbor"])
    search_index.remove_index()
    assert holding(["harbor"]) == {"harbor"}
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rowid FROM organizations_search WHERE organizations_search MATCH 'har bor'")
        assert cursor.fetchall() == [(Organization.objects.get().pk,)]


@pytest.mark.one_database  # PostgreSQL has tools of its own
@pytest.mark.django_db(transaction=True)
def test_a_backup_has_the_index_and_keeps_it_up_to_date(tmp_path):
    fill(["harbor", "gone", "quarry"])
    Organization.objects.filter(search_text="gone").delete()
    backups.write_backup(tmp_path / "backup.sqlite3")
    with closing(sqlite3.connect(tmp_path / "backup.sqlite3")) as copy:
        copy.execute("UPDATE organizations_organization SET search_text = 'zanzibar' WHERE search_text = 'quarry'")
        copy.execute("INSERT INTO organizations_search (organizations_search, rank) VALUES ('integrity-check', 1)")
        id_of = "(SELECT id FROM organizations_organization WHERE search_text = ?)"
        found = f"SELECT rowid = {id_of} FROM organizations_search WHERE organizations_search MATCH ?"
        for text, trigrams in (("harbor", "har bor"), ("zanzibar", "zan iba")):
            assert copy.execute(found, (text, trigrams)).fetchall() == [(1,)]


@pytest.mark.one_database  # PostgreSQL keeps its index itself
def test_an_index_that_is_complete_is_not_made_again():
    with CaptureQueriesContext(connection) as queries:
        search_index.ensure_index()
    assert len(queries) == 1


def test_without_an_index_the_portal_says_what_to_run_and_searches_every_record(caplog):
    search_index.remove_index()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm")
            cursor.execute("CREATE ROLE portal_without_rights")
            cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO portal_without_rights")
            cursor.execute("SET LOCAL ROLE portal_without_rights")
        with caplog.at_level(logging.WARNING):
            search_index.ensure_index()
        assert "Run CREATE EXTENSION pg_trgm as PostgreSQL's administrator" in caplog.text
    fill(["harbor"])
    assert holding(["harbor"]) == {"harbor"}
