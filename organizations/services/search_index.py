"""Trigram indexes that find rows by a part of a word: FTS5 tables on SQLite, pg_trgm on PostgreSQL.

One index finds records, one finds entries of the history. An index only finds candidates. Every search also compares
the column, so both databases find the same rows, with or without the index.
"""

import json
import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import Model, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from organizations.models import AuditEntry, Environment, Organization
from organizations.models.organization import OrganizationQuerySet
from organizations.oid import Oid
from organizations.services import search_text

MAX_IDS = 20_000
"""At most this many candidates are read by id."""
MAX_TRIGRAMS = 60
MOST_SEARCHED = 50_000
"""For words that no index narrows, a page searches only this many records: the first by OID.

Such words have one or two letters, or more than `Index.most_candidates` rows contain all their trigrams.
"""
_FILLING, _USUAL = 64 * 1024 * 1024, 1024 * 1024
"""How many bytes of memory SQLite uses for an index before it writes a part of it; `_USUAL` is its default."""
CREATE_EXTENSION = "CREATE EXTENSION pg_trgm"

log = logging.getLogger("orgportal.search")


@dataclass(frozen=True, slots=True)
class Index:
    """The index of the column `search_text` of a model. Comparing `most_candidates` rows takes less than a second."""

    name: str
    model: type[Model]
    most_candidates: int

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def key(self) -> str:
        return str(self.model._meta.pk.column)

    @property
    def candidates(self) -> str:
        """The statement that finds the keys of rows by trigrams."""
        return f"SELECT rowid FROM {self.name} WHERE {self.name} MATCH %s LIMIT %s"  # noqa: S608

    @property
    def triggers(self) -> dict[str, str]:
        """The triggers that keep the index up to date on SQLite, by name."""
        name, key = self.name, self.key
        remove = f"INSERT INTO {name} ({name}, rowid, search_text) VALUES ('delete', old.{key}, old.search_text);"  # noqa: S608
        add = f"INSERT INTO {name} (rowid, search_text) VALUES (new.{key}, new.search_text);"  # noqa: S608
        is_changed = f"old.{key} <> new.{key} OR old.search_text <> new.search_text"
        on_update = f"AFTER UPDATE OF {key}, search_text ON {self.table} WHEN {is_changed}"
        return {
            f"{name}_insert": f"AFTER INSERT ON {self.table} BEGIN {add} END",
            f"{name}_delete": f"AFTER DELETE ON {self.table} BEGIN {remove} END",
            f"{name}_update": f"{on_update} BEGIN {remove} {add} END",
        }


RECORDS = Index("organizations_search", Organization, 50_000)
ENTRIES = Index("organizations_audit_search", AuditEntry, 100_000)
INDEXES = (RECORDS, ENTRIES)


class RecordSearch(NamedTuple):
    """The records that contain every word. `is_partial`: only the first MOST_SEARCHED records were searched."""

    records: OrganizationQuerySet
    is_partial: bool


def matching_records(environment: str, typed: str) -> OrganizationQuerySet:
    """The records of an environment that contain every word of the query.

    If `typed` is an OID and records have it or an OID below it, only those records: most records contain a part of it.
    """
    if (records := _records_of_oid(environment, typed)) is not None:
        return records
    return candidates(environment, search_text.query_words(typed)).filter(search_text.matching_rows(typed))


def search_records(environment: str, typed: str) -> RecordSearch:
    """The records that a page finds: `matching_records`, of the first records only if no index narrows the words."""
    if (records := _records_of_oid(environment, typed)) is not None:
        return RecordSearch(records, is_partial=False)
    words = search_text.query_words(typed)
    found = _candidates(RECORDS, words)
    if not found.are_too_many:
        records = _with_keys(environment, found.keys).filter(search_text.matching_rows(typed))
        return RecordSearch(records, is_partial=False)
    records = Organization.objects.in_environment(environment).filter(*map(_contains_without_index, words))
    end = _first_not_searched(environment)
    return RecordSearch(records.filter(oid_key__lt=end) if end else records, is_partial=bool(end))


def _contains_without_index(word: str) -> GreaterThan:
    """The condition of `search_text.matching_rows` in a form for which PostgreSQL does not use its trigram index.

    With the index it would compare every row of the table that has a common word, not only the first ones.
    """
    return GreaterThan(StrIndex("search_text", Value(word)), 0)


def _records_of_oid(environment: str, typed: str) -> OrganizationQuerySet | None:
    """The records at or below the OID that was typed; None if there are none."""
    oid = search_text.oid_in(typed)
    if oid and (records := records_at_or_below(environment, oid)).exists():
        return records
    return None


def _first_not_searched(environment: str) -> str:
    """The key of the first OID after the records that are searched if no index narrows the words, or ""."""
    keys = Organization.objects.in_environment(environment).order_by("oid_key").values_list("oid_key", flat=True)
    return next(iter(keys[MOST_SEARCHED : MOST_SEARCHED + 1]), "")


def records_at_or_below(environment: str, oid: str) -> OrganizationQuerySet:
    """The records of an environment whose OIDs begin with all arcs of this one, read in order from an index."""
    key = Oid(oid).key
    # Keys consist of digits, and every collation sorts letters after digits.
    return Organization.objects.in_environment(environment).filter(oid_key__gte=key, oid_key__lt=f"{key}a")


def candidates(environment: str, phrases: Collection[str]) -> OrganizationQuerySet:
    """The records of an environment that may contain all phrases: on PostgreSQL all, as it uses its index itself."""
    return _with_keys(environment, _candidates(RECORDS, phrases).keys)


def _with_keys(environment: str, keys: list[int] | RawSQL | None) -> OrganizationQuerySet:
    records = Organization.objects.in_environment(environment)
    if not isinstance(keys, list):
        return records if keys is None else records.filter(pk__in=keys)
    # With `environment = ...` SQLite would read an index of all records of the environment instead of these ids.
    others = [each for each in Environment.values if each != environment]
    return Organization.objects.filter(~Q(environment__in=others), pk__in=id_list(keys))


def matching(index: Index, typed: str) -> Q | None:
    """The condition for rows of an indexed table that contain every word. None if the index does not narrow them."""
    found = _candidates(index, search_text.query_words(typed))
    contain_words = search_text.matching_rows(typed)
    if connection.vendor == "postgresql":
        return None if found.are_too_many else contain_words
    if found.keys is None:
        return None
    keys = id_list(found.keys) if isinstance(found.keys, list) else found.keys
    return contain_words & Q(pk__in=keys)


def id_list(ids: Collection[int]) -> Collection[int] | RawSQL:
    """Many ids for a condition with `__in`. On SQLite one parameter: Django takes 30 ms for thousands of them."""
    # On PostgreSQL a list, because with a subquery the planner does not know how many there are.
    return ids if connection.vendor == "postgresql" else RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])


def has_too_many(index: Index, typed: str) -> bool:
    """Whether too many rows may contain the words, so that a page searches only a part of the rows."""
    return _candidates(index, search_text.query_words(typed)).are_too_many


class _Candidates(NamedTuple):
    """The rows that may contain all phrases. `keys` is None if they are too many, and if only reading finds them."""

    keys: list[int] | RawSQL | None = None
    are_too_many: bool = False


def _candidates(index: Index, phrases: Collection[str]) -> _Candidates:
    """The rows that may contain all phrases. PostgreSQL uses its index itself, so there the keys are not read."""
    trigrams = _trigrams(phrases)
    if not trigrams:
        return _Candidates(are_too_many=bool(phrases))
    if connection.vendor == "postgresql":
        numbers = (_estimated_rows(index, texts) for texts in (phrases, trigrams))
        return _Candidates(are_too_many=any(number > index.most_candidates for number in numbers))
    if not _is_complete(index):
        return _Candidates()
    query = " ".join('"{}"'.format(each.replace('"', '""')) for each in trigrams)
    with connection.cursor() as cursor:
        cursor.execute(index.candidates, [query, MAX_IDS + 1])
        keys = [key for (key,) in cursor.fetchall()]
        if len(keys) <= MAX_IDS:
            return _Candidates(keys)
        cursor.execute(f"SELECT COUNT(*) FROM ({index.candidates})", [query, index.most_candidates + 1])  # noqa: S608
        if cursor.fetchone()[0] > index.most_candidates:
            return _Candidates(are_too_many=True)
    return _Candidates(RawSQL(index.candidates, [query, index.most_candidates]))  # noqa: S611


def _estimated_rows(index: Index, texts: Iterable[str]) -> int:
    """How many rows contain these texts of three letters or more, as PostgreSQL's planner estimates without reading."""
    conditions = (Q(search_text__contains=text) for text in texts if len(text) > 2)
    rows = index.model._default_manager.filter(*conditions).order_by().values("pk")
    plan = json.loads(rows.explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def _trigrams(phrases: Iterable[str]) -> list[str]:
    """The different trigrams of the phrases, at most MAX_TRIGRAMS; none of phrases with one or two letters."""
    return list(dict.fromkeys(trigram for phrase in phrases for trigram in _trigrams_of(phrase)))[:MAX_TRIGRAMS]


def _trigrams_of(phrase: str) -> Iterator[str]:
    return (phrase[start : start + 3] for start in range(len(phrase) - 2))


def _is_complete(index: Index) -> bool:
    """Whether the triggers exist. A migration that rebuilds the table drops them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [index.table])
        return {name for (name,) in cursor.fetchall()} >= index.triggers.keys()


def ensure_indexes() -> None:
    """Create and fill each index unless it is complete. Safe to call again."""
    if connection.vendor == "postgresql":
        _ensure_on_postgresql()
        return
    for index in INDEXES:
        if not _is_complete(index):
            _remove(index)
            _create_on_sqlite(index)


def _create_on_sqlite(index: Index) -> None:
    name = index.name
    with transaction.atomic(), connection.cursor() as cursor:
        # `detail='none'` leaves out positions, which would triple the size, and `columnsize=0` the lengths of texts;
        # `content` avoids a copy of the text.
        content = f"content='{index.table}', content_rowid='{index.key}'"
        options = f"{content}, tokenize='trigram', detail='none', columnsize=0"
        cursor.execute(f"CREATE VIRTUAL TABLE {name} USING fts5(search_text, {options})")
        for trigger, definition in index.triggers.items():
            cursor.execute(f"CREATE TRIGGER {trigger} {definition}")
        # Less memory means more parts of the index to merge: filling takes twice as long.
        for command, value in (("hashsize", _FILLING), ("rebuild", None), ("hashsize", _USUAL)):
            cursor.execute(f"INSERT INTO {name} ({name}, rank) VALUES (%s, %s)", [command, value])  # noqa: S608
        # Without `optimize` the first thousands of changes would do the work of merging the parts of the index.
        cursor.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")  # noqa: S608


def _ensure_on_postgresql() -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for index in INDEXES:
                columns = f"{index.table} USING gin (search_text gin_trgm_ops)"
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {index.name} ON {columns}")
    except DatabaseError as error:
        reason = str(error).partition("\n")[0]
        log.warning(
            "Searches read every record and every entry of the history: %s. Run %s as PostgreSQL's administrator, then "
            "migrate again.",
            reason,
            CREATE_EXTENSION,
        )


def remove_indexes() -> None:
    """Remove the indexes. Searches then read every row."""
    for index in INDEXES:
        _remove(index)


def _remove(index: Index) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {index.name}")
            return
        for name in index.triggers:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(f"DROP TABLE IF EXISTS {index.name}")
