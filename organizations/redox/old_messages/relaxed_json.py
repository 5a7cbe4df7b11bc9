"""JSON as the how-to writes it: with comments (# and //), trailing commas and variables such as {{oid}}.

Its time is linear in the length of the text, and it raises only `JsonError`.
"""

import json
import re
from typing import Any

from organizations.redox.numbers import Number
from organizations.redox.old_messages.results import MOST_LEVELS, ProblemKind

SMART_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2033\u2036\uff02"

BLANKS = re.compile(r"(?:[\s\ufeff\u200b]++|#[^\n]*+|//[^\n]*+)*+")
_STRING = re.compile(r'"([^"\\\x00-\x08\x0a-\x1f]*+(?:\\.[^"\\\x00-\x08\x0a-\x1f]*+)*+)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?(?![\w.+-])")
_WORD = re.compile(r"(?:true|false|null)(?!\w)")
_VARIABLE = re.compile(r"\{\{[^{}\"\n]{1,200}\}\}")
_OF_BRACKETS = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|#[^\n]*+|//[^\n]*+|[\[\]{}]')
_WORDS = {"true": True, "false": False, "null": None}


class JsonError(ValueError):
    """The text is not JSON at `offset`. `what` says why, without quoting the text."""

    def __init__(self, what: str, offset: int, kind: ProblemKind = ProblemKind.NOT_JSON) -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset
        self.kind = kind


def parse_value(text: str, start: int = 0) -> tuple[Any, int]:
    """The value that begins at `start` or after blanks and comments there, and the offset after it.

    Numbers keep their text. A variable outside of a string becomes a string. Raises JsonError.
    """
    parser = _Parser(text, start)
    return parser.value(0), parser.place


def parse_whole(text: str) -> Any:
    """The only value in the text. Raises JsonError."""
    value, end = parse_value(text)
    end = after_blanks(text, end)
    if end < len(text):
        raise JsonError("something follows after the end of the message", end)
    return value


def after_blanks(text: str, start: int) -> int:
    """The offset of the first character at or after `start` that is neither blank nor in a comment."""
    match = BLANKS.match(text, start)
    return match.end() if match else start


def block_end(text: str, start: int) -> int:
    """The offset after the bracket that closes the one at `start`, or -1. The text between need not be JSON."""
    level = 0
    for match in _OF_BRACKETS.finditer(text, start):
        bracket = match[0]
        if bracket in ("{", "["):
            level += 1
        elif bracket in ("}", "]"):
            level -= 1
            if level <= 0:
                return match.end()
    return -1


class _Parser:
    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.place = start

    def value(self, level: int) -> Any:
        self._skip()
        if match := self._take(_STRING):
            return self._decoded(match)
        if match := self._take(_VARIABLE):
            return match[0]
        character = self._next()
        if character in ("{", "["):
            if level >= MOST_LEVELS:
                raise JsonError(f"it is nested more than {MOST_LEVELS} levels deep", self.place, ProblemKind.TOO_DEEP)
            self.place += 1
            return self._object(level + 1) if character == "{" else self._list(level + 1)
        if match := self._take(_NUMBER):
            return Number(match[0])
        if match := self._take(_WORD):
            return _WORDS[match[0]]
        raise self._error("a value is missing or is not JSON")

    def _object(self, level: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not self._closes("}"):
            place = self.place
            match = self._take(_STRING)
            if not match:
                raise self._error('the name of a value in "..." or a closing } is missing')
            key = self._decoded(match)
            if key in result:
                raise JsonError("an object has the same name twice", place)
            self._skip()
            if self._next() != ":":
                raise self._error("a colon is missing")
            self.place += 1
            result[key] = self.value(level)
            self._comma("}")
        return result

    def _list(self, level: int) -> list[Any]:
        result = []
        while not self._closes("]"):
            result.append(self.value(level))
            self._comma("]")
        return result

    def _closes(self, bracket: str) -> bool:
        self._skip()
        if self._next() != bracket:
            return False
        self.place += 1
        return True

    def _comma(self, bracket: str) -> None:
        self._skip()
        if self._next() == ",":
            self.place += 1
        elif self._next() != bracket:
            raise self._error(f"a comma or a closing {bracket} is missing")

    def _decoded(self, match: re.Match[str]) -> str:
        if "\\" not in match[1]:
            return match[1]
        try:
            return str(json.loads(match[0], strict=False))
        except ValueError:
            raise JsonError("a text has a backslash with a wrong letter after it", match.start()) from None

    def _skip(self) -> None:
        self.place = after_blanks(self.text, self.place)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.place)
        if match:
            self.place = match.end()
        return match

    def _next(self) -> str:
        return self.text[self.place : self.place + 1]

    def _error(self, what: str) -> JsonError:
        character = self._next()
        if not character:
            return JsonError("the text ends before the message ends", self.place)
        if character in SMART_QUOTES:
            return smart_quotes_error(character, self.place)
        if character == '"' and not _STRING.match(self.text, self.place):
            return JsonError("a text in quotation marks does not end on this line", self.place)
        if character == "'":
            return JsonError("JSON needs double quotation marks", self.place)
        return JsonError(what, self.place)


def smart_quotes_error(character: str, offset: int) -> JsonError:
    """The error for a typographic quotation mark."""
    what = (
        f"{character} is a typographic quotation mark, as web pages and word processors write it; replace all of them"
        " with plain ones"
    )
    return JsonError(what, offset, ProblemKind.SMART_QUOTES)
