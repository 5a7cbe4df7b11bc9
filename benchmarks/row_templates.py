"""Row templates: a row of a model with placeholders for the values that differ between records; and a bulk insert.

Making a row through the models takes milliseconds; filling a template takes microseconds. `Placeholders` finds the
texts to replace. A new column needs no code here, unless it is another kind of hash.
"""

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import JSONField, Model

type Row = tuple[Any, ...]

_BETWEEN = "\x1f"
"""Between the texts of one row; in none of them."""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Placeholders:
    """The texts of one made-up record that differ between records, each with the name of its placeholder.

    `hashes` are computed for each record, from a text that itself has placeholders.
    """

    texts: dict[str, str]
    moment: datetime.datetime
    moment_name: str = "moment"
    hashes: dict[str, str] = field(default_factory=dict)
    _sources: list[tuple[str, str, int]] = field(default_factory=list)

    def add_hash(self, text: str, length: int = 64) -> None:
        """Register a text that is hashed. Wherever its hash occurs, each record gets the hash of its own text."""
        value = sha256(text)[:length]
        if value not in self.hashes:
            self._sources.append((name := f"hash_{len(self.hashes)}", self.insert_placeholders(text), length))
            self.hashes[value] = name

    def insert_placeholders(self, text: str) -> str:
        """The text as a format string for `%`."""
        text = text.replace("%", "%%")
        for known, name in (*self.hashes.items(), *self.texts.items()):
            text = text.replace(known, f"%({name})s")
        return text

    def add_hashes(self, values: dict[str, str]) -> None:
        """Add the hashes of one record to its values."""
        for name, source, length in self._sources:
            values[name] = sha256(source % values)[:length]


class RowTemplate:
    """One row of a model with placeholders. One format string has all its texts that differ between records."""

    __slots__ = ("_constants", "_first_bytes", "_format", "_pick")

    def __init__(self, row: Model, placeholders: Placeholders) -> None:
        self._constants: list[Any] = []
        formats: dict[int, str] = {}
        of_bytes: dict[int, str] = {}
        for place, each in enumerate(_fields(type(row))):
            value = _plain(getattr(row, each.attname), is_json=isinstance(each, JSONField))
            self._constants.append(moment_text(value) if isinstance(value, datetime.datetime) else value)
            if value == placeholders.moment:
                formats[place] = f"%({placeholders.moment_name})s"
            elif isinstance(value, str | bytes | int) and not isinstance(value, bool):
                text = value.decode() if isinstance(value, bytes) else str(value)
                format_text = placeholders.insert_placeholders(text)
                if format_text != text.replace("%", "%%"):
                    (of_bytes if isinstance(value, bytes) else formats)[place] = format_text
        filled = formats | of_bytes  # the bytes last
        count = len(self._constants)
        self._format = _BETWEEN.join(filled.values())
        self._first_bytes = len(formats)
        sources = {place: count + number for number, place in enumerate(filled)}
        self._pick = itemgetter(*(sources.get(place, place) for place in range(count)))

    def fill(self, values: Mapping[str, str]) -> Row:
        texts: list[Any] = (self._format % values).split(_BETWEEN)
        for place in range(self._first_bytes, len(texts)):
            texts[place] = texts[place].encode()
        row: Row = self._pick(self._constants + texts)
        return row


def write(model: type[Model], rows: Sequence[Row]) -> None:
    """Insert the rows by one statement: COPY on PostgreSQL, a prepared INSERT on SQLite."""
    columns = ", ".join(connection.ops.quote_name(each.column) for each in _fields(model))
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        elif rows:
            marks = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def moment_text(moment: datetime.datetime) -> str:
    """The time, which is in UTC, as SQLite stores it and PostgreSQL reads it."""
    return moment.isoformat(" ").removesuffix("+00:00")


def _fields(model: type[Model]) -> list[Any]:
    """The columns to write: all but those that the database computes, or counts itself."""
    counted = model._meta.label in ("organizations.Contact", "organizations.Identifier")
    return [
        each
        for each in model._meta.concrete_fields
        if not getattr(each, "generated", False) and not (counted and each.primary_key)
    ]


def _plain(value: Any, *, is_json: bool) -> Any:
    if is_json:
        return json.dumps(value)
    return str(value) if isinstance(value, str) else value
