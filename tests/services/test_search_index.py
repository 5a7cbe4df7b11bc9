"""The indexes of the search: they find the same as a search without them, after every change and for any text."""

import logging
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import AuditEntry, Environment, Organization, User
from organizations.pages.audit import filter_words as audit_words
from organizations.pages.organizations import filter_words, listing
from organizations.pages.record_form import suggestions
from organizations.pages.search import hits
from organizations.queries import audit_filters, choices, record_filters
from organizations.queries import search as search_queries
from organizations.queries.audit_filters import AuditFilters
from organizations.queries.record_filters import RecordFilters
from organizations.services import backups, search_index, search_text
from organizations.services.search_index import ENTRIES, INDEXES, Index
from tests import bulk, factories
from tests.factories import BASE

from . import sending

pytestmark = pytest.mark.django_db

PIECES = ["and", "or", "not", "near(", "ffi", *"abcéñ漢🙂 \"'%_\\*^:-.+(){},@01\ufffd\u0301"]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)


@st.composite
def stored_texts_and_words(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Some texts, and words of which most are parts of these texts."""
    stored = draw(st.lists(texts, min_size=1, max_size=8))
    words = []
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(stored))
        start = draw(st.integers(0, len(text) - 1))
        words.append(draw(st.one_of(texts, st.just(text[start : start + draw(st.integers(1, 8))]))))
    return stored, words


def fill(stored: list[str]) -> None:
    """Save a record and an entry of the history with each of these texts."""
    rows = []
    for number, text in enumerate(stored):
        row = bulk.row(f"{BASE}.{number + 1}", BASE, "staging")
        row.search_text = text
        rows.append(row)
    Organization.objects.bulk_create(rows)
    AuditEntry.objects.bulk_create(entry_with(text, sequence) for sequence, text in enumerate(stored, 1))


def entry_with(text: str, sequence: int) -> AuditEntry:
    return AuditEntry(sequence=sequence, previous_hash=f"{sequence}", at=bulk.MOMENT, body=b"{}", search_text=text)


def holding(words: list[str]) -> set[str]:
    """The texts of the records that a search by the index finds."""
    records = search_index.candidates("staging", words)
    for word in words:
        records = records.filter(search_text__contains=word)
    return set(records.values_list("search_text", flat=True))


def entries_holding(typed: str) -> set[str]:
    """The texts of the entries that a search by the index finds."""
    condition = search_index.matching(ENTRIES, typed)
    condition = search_text.matching_rows(typed) if condition is None else condition
    return set(AuditEntry.objects.filter(condition).values_list("search_text", flat=True))


@settings(max_examples=60)
@given(stored_texts_and_words())
def test_the_indexes_find_what_reading_every_row_finds(stored_and_words):
    stored, words = stored_and_words
    with transaction.atomic():
        fill(stored)
        expected = {text for text in stored if all(word in text for word in words)}
        assert holding(words) == expected
        typed = " ".join(words)
        folded = search_text.query_words(typed)
        assert entries_holding(typed) == {text for text in stored if folded and all(word in text for word in folded)}
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
    monkeypatch.setattr(search_index, "RECORDS", replace(search_index.RECORDS, most_candidates=many))
    fill(["harbor clinic", "harbour", "old harbor", "harbor", "bor har", "harb orbo rbor"])
    Organization.objects.filter(search_text="old harbor").update(environment="production")
    assert holding(["harbor"]) == {"harbor clinic", "harbor"}
    assert holding(["harbor", "ic"]) == {"harbor clinic"}
    assert holding(["ha"]) == {"harbor clinic", "harbour", "harbor", "bor har", "harb orbo rbor"}
    found = record_filters.in_order("staging", RecordFilters(q="harbor", state="WI"))
    assert [each.search_text for each in found] == ["harbor clinic", "harbor"]


@pytest.fixture
def harbors(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three records whose common word has too many candidates for a page that may look at two."""
    for number in (1, 2, 3):
        factories.organization(f"{BASE}.{number}", user=editor, name=f"Harbor {number}")
    monkeypatch.setattr(search_index, "MAX_IDS", 1)
    for name in ("RECORDS", "ENTRIES"):
        monkeypatch.setattr(search_index, name, replace(getattr(search_index, name), most_candidates=2))


@pytest.mark.one_database  # PostgreSQL has no statistics about three rows
@pytest.mark.usefixtures("harbors", "unreachable_redox")
def test_a_page_searches_words_of_too_many_records_in_the_first_records_and_says_so(monkeypatch):
    assert hits.find("harbor").note == hits.find("harbor zq").note == ""
    monkeypatch.setattr(search_index, "MOST_SEARCHED", 2)
    for typed, number in (("harbor", 2), ("harbor h", 2), ("harbor zq", 0)):
        page = listing.build(Environment.STAGING, RecordFilters(q=typed, view="list"), "", "")
        assert (page.fitting, page.note) == (number, filter_words.ONLY_FIRST_RECORDS)
        found = hits.find(typed)
        assert (found.total, found.note) == (number, filter_words.ONLY_FIRST_RECORDS)
    assert len(record_filters.in_order("staging", RecordFilters(q="harbor"))) == 3


@pytest.mark.one_database  # PostgreSQL has no statistics about three rows
@pytest.mark.usefixtures("harbors")
def test_suggestions_say_that_not_all_records_were_searched(monkeypatch):
    assert suggestions.build(Environment.STAGING, "below", "harbor").note == ""
    monkeypatch.setattr(search_index, "MOST_SEARCHED", 2)
    for typed in ("harbor", "ha"):
        page = suggestions.build(Environment.STAGING, "below", typed)
        assert [each.value for each in page.parents] == [f"{BASE}.1", f"{BASE}.2"]
        assert page.note == suggestions.ONLY_FIRST_RECORDS
    assert suggestions.build(Environment.STAGING, "below", "harbor 3").note == suggestions.ONLY_FIRST_RECORDS
    monkeypatch.setattr(choices, "MOST_PARENTS", 2)
    assert suggestions.build(Environment.STAGING, "below", "harbor").note == ""


@pytest.mark.one_database  # PostgreSQL has no statistics about three rows
@pytest.mark.usefixtures("harbors")
@pytest.mark.parametrize("index", ["RECORDS", "ENTRIES"])
def test_the_history_is_searched_for_words_of_too_many_rows_in_the_newest_entries_and_says_so(monkeypatch, index):
    other = "ENTRIES" if index == "RECORDS" else "RECORDS"
    monkeypatch.setattr(search_index, other, replace(getattr(search_index, other), most_candidates=100))
    monkeypatch.setattr(audit_filters, "MOST_SEARCHED", 2)

    def numbers(record: str) -> list[int]:
        entries = audit_filters.matching(AuditFilters(record=record)).order_by("sequence")
        return list(entries.values_list("sequence", flat=True))

    assert (numbers("harbor"), numbers("harbor zq"), numbers(f"{BASE}.1")) == ([2, 3], [], [1])
    chip = "Record: harbor (only in the newest 2 entries; add a longer or rarer word to search all)"
    assert audit_words.chip_text(AuditFilters(record="harbor"), "record") == chip
    with CaptureQueriesContext(connection) as queries:  # an OID has many common trigrams, whose search takes long
        assert audit_words.chip_text(AuditFilters(record=f"{BASE}.1"), "record") == f"Record: {BASE}.1"
    assert not any(" MATCH " in each["sql"] for each in queries.captured_queries)


def test_every_change_of_a_record_reaches_the_index(editor):
    organization = factories.organization(user=editor, name="Lakeside Zanzibar")
    assert [each.value for each in choices.parents("staging", "zanzibar").choices] == [BASE]

    sending.edit(organization, editor, name="Quarry Road")
    assert choices.parents("staging", "zanzibar").choices == []
    assert [each.value for each in choices.parents("staging", "quarry").choices] == [BASE]

    Organization.objects.filter(pk=organization.pk).update(search_text="peñón")
    assert holding(["quarry"]) == set()
    assert holding(["peñón"]) == {"peñón"}

    Organization.objects.all().delete()
    assert holding(["peñón"]) == set()
    Organization.objects.bulk_create([bulk.row(f"{BASE}.1", BASE, "staging")])  # SQLite may use the number again
    assert holding(["peñón"]) == set()


def test_every_entry_reaches_the_index(editor):
    sending.edit(factories.organization(user=editor, name="Lakeside Zanzibar"), editor, name="Quarry Road")
    (created,) = entries_holding("zanzibar")
    (edited,) = entries_holding("quarry")
    assert created.startswith("lakeside zanzibar")
    assert edited.startswith("quarry road")

    AuditEntry.objects.filter(search_text=edited).update(search_text="penon")  # as a migration that folds anew
    assert (entries_holding("quarry"), entries_holding("penon")) == (set(), {"penon"})


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
@pytest.mark.parametrize("index", INDEXES, ids=["records", "entries"])
def test_a_lost_trigger_costs_time_and_no_hits_until_the_next_migration(index: Index):
    fill(["harbor"])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {index.name}_insert")  # as a migration that rebuilds the table
    record = bulk.row(f"{BASE}.9", BASE, "staging")
    record.search_text = "north harbor"
    record.save()
    entry_with("north harbor", 2).save()
    assert holding(["harbor"]) == entries_holding("harbor") == {"harbor", "north harbor"}

    search_index.ensure_indexes()
    with CaptureQueriesContext(connection) as queries:
        assert holding(["harbor"]) == entries_holding("harbor") == {"harbor", "north harbor"}
    assert sum(" MATCH " in each["sql"] for each in queries.captured_queries) == 2


@pytest.mark.one_database  # PostgreSQL keeps its index itself
@pytest.mark.django_db(transaction=True)
def test_the_command_that_migrates_makes_the_indexes_again():
    fill(["harbor"])
    search_index.remove_indexes()
    assert holding(["harbor"]) == {"harbor"}
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        for index, row in zip(INDEXES, (Organization.objects.get(), AuditEntry.objects.get()), strict=True):
            cursor.execute(f"SELECT rowid FROM {index.name} WHERE {index.name} MATCH 'har bor'")
            assert cursor.fetchall() == [(row.pk,)]


@pytest.mark.one_database  # PostgreSQL has its own tools
@pytest.mark.django_db(transaction=True)
def test_a_backup_has_the_indexes_and_keeps_them_up_to_date(tmp_path):
    fill(["harbor", "gone", "quarry"])
    Organization.objects.filter(search_text="gone").delete()
    backups.write_backup(tmp_path / "backup.sqlite3")
    with closing(sqlite3.connect(tmp_path / "backup.sqlite3")) as copy:
        for index in INDEXES:
            copy.execute(f"UPDATE {index.table} SET search_text = 'zanzibar' WHERE search_text = 'quarry'")
            copy.execute(f"INSERT INTO {index.name} ({index.name}, rank) VALUES ('integrity-check', 1)")
            key = f"(SELECT {index.key} FROM {index.table} WHERE search_text = ?)"
            found = f"SELECT rowid = {key} FROM {index.name} WHERE {index.name} MATCH ?"
            for text, trigrams in (("harbor", "har bor"), ("zanzibar", "zan iba")):
                assert copy.execute(found, (text, trigrams)).fetchall() == [(1,)]


@pytest.mark.one_database  # PostgreSQL keeps its index itself
def test_an_index_that_is_complete_is_not_made_again():
    with CaptureQueriesContext(connection) as queries:
        search_index.ensure_indexes()
    assert len(queries) == len(INDEXES)


def test_without_an_index_the_portal_says_what_to_run_and_searches_every_row(caplog):
    search_index.remove_indexes()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm")
            cursor.execute("CREATE ROLE portal_without_rights")
            cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO portal_without_rights")
            cursor.execute("SET LOCAL ROLE portal_without_rights")
        with caplog.at_level(logging.WARNING):
            search_index.ensure_indexes()
        assert "Run CREATE EXTENSION pg_trgm as PostgreSQL's administrator" in caplog.text
    fill(["harbor"])
    assert holding(["harbor"]) == entries_holding("harbor") == {"harbor"}
