"""Reads JSON from Redox strictly: it refuses JSON that is ambiguous or cannot be stored."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from organizations.redox import numbers

MOST_LEVELS = 50
MOST_PARTS = 500
"""How deep an answer may be nested, and how many contacts, aliases or identifiers a record in it may have.

No real record has nearly as many. A larger answer could be read, but neither compared nor shown.
"""

_EMPTY: tuple[object, ...] = (None, "", [], {})


class AnswerNotUnderstood(ValueError):
    """The bytes are not JSON or do not have the documented shape. The text says what is wrong."""

    @property
    def sentence(self) -> str:
        """The error as a sentence for people."""
        return f"The directory's answer was not understood: {self}."


class WrongValue(AnswerNotUnderstood):
    """A value that has a wrong type. `field` is its path."""

    def __init__(self, field: str, error: str) -> None:
        super().__init__(f"{field} {error}")
        self.field = field


class UnexpectedOrganizations(AnswerNotUnderstood):
    """A readable answer to a Query without exactly one organization with our OID. Its text is a sentence."""

    @property
    def sentence(self) -> str:
        return str(self)


class UnreadableOrganization(UnexpectedOrganizations):
    """A readable answer to a Query with exactly one organization with our OID, which cannot be read."""


def read_json(body: bytes) -> Any:
    """Parse JSON from Redox with numbers as text: IDs do not fit a BIGINT, and a number may have 5,000 digits.

    Raises AnswerNotUnderstood if it is not JSON, if two readers could read it differently, or if it cannot be stored:
    repeated keys, NaN and infinities, lone surrogates, NUL, nesting beyond MOST_LEVELS.
    """
    value = _parse(body, _object_without_repeated_keys)
    check_value(value)
    return value


def read_json_loosely(body: bytes) -> Any:
    """Parse JSON as `read_json`, but accept ambiguous values. The caller must call `check_value` for each part.

    Raises AnswerNotUnderstood if it is not JSON.
    """
    return _parse(body, _object_with_any_keys)


def check_value(value: Any) -> None:
    """Raises AnswerNotUnderstood for a parsed value that two readers could read differently, or that cannot be stored.

    `read_json` lists these values.
    """
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise AnswerNotUnderstood("a text holds NUL")
    _check_levels(value)


def _parse(body: bytes, pairs: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    try:
        return numbers.parse_json(body.decode("utf-8-sig"), pairs)
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from error


def _not_json(error: Exception) -> AnswerNotUnderstood:
    return AnswerNotUnderstood(f"not a JSON text that can be read: {type(error).__name__}")


def without_empty(value: Any) -> Any:
    """The value without empty texts, lists, objects and nulls, at any depth."""
    if isinstance(value, dict):
        filled = {key: without_empty(part) for key, part in value.items()}
        return {key: part for key, part in filled.items() if part not in _EMPTY}
    if isinstance(value, list):
        return [part for part in map(without_empty, value) if part not in _EMPTY]
    return value


def _check_levels(value: Any) -> None:
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        if _RepeatedKeys in map(type, level):
            raise AnswerNotUnderstood("an object in it repeats a key")
        parts = (one.values() if isinstance(one, dict) else one if isinstance(one, list) else () for one in level)
        level = [part for several in parts for part in several]
    if level:
        raise AnswerNotUnderstood(f"it is nested more than {MOST_LEVELS} levels deep")


def _object_without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object repeats a key")
    return value


class _RepeatedKeys(dict[str, Any]):
    """An object that repeats a key, with the last value of each."""


def _object_with_any_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else _RepeatedKeys(value)


class JsonObject:
    """A JSON object that is read key by key. `unread` holds the keys that were not read."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise WrongValue(path or "the body", "is not an object")
        self.path = path
        self.unread: dict[str, Any] = dict(value)
        self._parts: list[JsonObject] = []

    def text(self, key: str) -> str:
        value = self.unread.pop(key, None)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise WrongValue(self._path(key), "is not a text")
        return str(value)  # a `Number` becomes a plain text

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise WrongValue(self._path(key), "is not a list of texts")
        return tuple(map(str, values))

    def part(self, key: str) -> "JsonObject":
        value = self.unread.pop(key, None)
        return self._remember(JsonObject({} if value is None else value, self._path(key)))

    def parts(self, key: str) -> "list[JsonObject]":
        values = self._list(key)
        return [self._remember(JsonObject(value, f"{self._path(key)}.{place}")) for place, value in enumerate(values)]

    def carried(self) -> Iterator[tuple[str, str]]:
        """Path and JSON of each value that was not read, here and below. Empty values are left out."""
        for key, value in without_empty(self.unread).items():
            yield self._path(key), numbers.compact_json(value)
        for part in self._parts:
            yield from part.carried()

    def _list(self, key: str) -> list[Any]:
        values = self.unread.pop(key, None)
        if values is not None and not isinstance(values, list):
            raise WrongValue(self._path(key), "is not a list")
        if len(values or ()) > MOST_PARTS:
            raise WrongValue(self._path(key), f"holds more than {MOST_PARTS} parts")
        return [value for value in values or () if value is not None]

    def _path(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _remember(self, part: "JsonObject") -> "JsonObject":
        self._parts.append(part)
        return part
