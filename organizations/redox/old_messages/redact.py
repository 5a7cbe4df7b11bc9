"""Removes credentials, cookies, tokens and keys from a text, so that it can be shown again.

It finds them by names and options, not by the structure, so that it also works if the text cannot be parsed. In doubt
it removes too much. Its time is linear in the length of the text.
"""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

from organizations.redox.old_messages.secret_names import SECRET_WORD, is_secret_name

PLACEHOLDER = "[left out]"

_BLANK = r"(?:[\s\ufeff]++|\#[^\n]*+\n|//[^\n]*+\n|(?<=\n)[0-9]{1,5}\n)*+"
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
_LONGEST_NAME = 64
_MOST_SPANS = 50_000
_QUOTED_END = re.compile(rf"(\\*+)([\"'\u201c\u201d\u2018\u2019]){_BLANK}(=>|[:=,]){_BLANK}", re.VERBOSE)
_PLAIN_END = re.compile(r"[ \t]*+(=>|:=|[:=])[ \t]*+")
_OPENING = re.compile(r"(\\*+)([\"'\u201c\u201d\u2018\u2019])")
_BARE = re.compile(r"[^\s,}\])]*+")
_REST_OF_FORM = re.compile(r"(?:[^\s&\"'\\]|[\"'](?=[^\s),;&}\]])|\\.)*+")
_REST_OF_LINE = re.compile(r"(?:[^\n\"'\\]|[\"'](?=[^\s),;&}\]])|\\.|\\\n)*+")
_SHELL_WORD = re.compile(
    r"(?:[^\s'\"\\;|&<>()\u201c\u201d\u2018\u2019]|\\.|'[^']*+'|\"(?:[^\"\\]|\\.)*+\"|[\u201c\u201d][^\u201c\u201d\n]*+[\u201c\u201d]"
    r"|[\u2018\u2019][^\u2018\u2019\n]*+[\u2018\u2019]|\$\([^()\n]*+\)|['\"\u201c\u201d\u2018\u2019][^\n]*+)*+",
    re.DOTALL,
)
_OPTION = re.compile(
    r"(?<![^\s'\"(\[,])(?:--(?:user|proxy-user|cookie|oauth2-bearer|pass|proxy-pass|cert|proxy-cert|tlspassword"
    r"|proxy-tlspassword)(?:=|(?:[ \t]|[\\^`]\n(?:[0-9]{1,5}\n)?)++)"
    r"|-[#0aBfgGiIjJklLnNOpqRsSvZ46]{0,12}[ubU](?:[ \t]|[\\^`]\n(?:[0-9]{1,5}\n)?)*+)(?=\S)"
)
_AUTH = re.compile(rf"\"auth(\\*+)\"{_BLANK}:{_BLANK}(?=[\[{{])", re.VERBOSE)
_SECRET_LOOKING = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[^\x00])*+(?:-----END [A-Z ]{0,40}-----)?"
    r"|\beyJ[\w-]{5,}+(?:\.[\w-]*+){0,4}"
    r"|(?<=://)[^\s/\"'@]{1,500}(?=@)"
    r"|(?<=bearer )[^\s\"'\\\u201c\u201d\u2018\u2019]++|(?<=basic )[\w+/=-]{8,}+",
    re.IGNORECASE,
)
_JSON_PART = re.compile(r'"([^"\\\n]*+(?:\\.[^"\\\n]*+)*+)"(\s*+:)?+|[{}\[\]]|#[^\n]*+|//[^\n]*+')
_PAIR_VALUE = re.compile(r"\s*+(\"[^\n]*+|[^\s,}\])]*+)")
_VARIABLE = re.compile(r"\{\{[^{}\"\n]{1,200}\}\}")
_CODES = frozenset({"null", "true", "false", ""})

_CLOSING = {"\u201c": "\u201d\u201c", "\u201d": "\u201d\u201c", "\u2018": "\u2019\u2018", "\u2019": "\u2019\u2018"}
_SHELL_QUOTES = ("'\"'\"'", "'\\''")
"""The two ways to write a ' inside '...' in the shell."""


class _Span(NamedTuple):
    start: int
    end: int
    text: str = PLACEHOLDER


def redacted(text: str) -> str:
    """The text with a placeholder for each secret, or only a placeholder if there are more than _MOST_SPANS."""
    secrets = chain(_named(text), _options(text), _auth_blocks(text), _pairs(text), _secret_looking(text))
    spans = sorted(islice(secrets, _MOST_SPANS + 1))
    if len(spans) > _MOST_SPANS:
        return PLACEHOLDER
    parts: list[str] = []
    place = 0
    for span in spans:
        if span.start >= place:
            parts += [text[place : span.start], span.text]
        place = max(place, span.end)
    return "".join([*parts, text[place:]])


def _named(text: str) -> Iterator[_Span]:
    """The values of secret names: headers, JSON keys, variables and fields of a form."""
    place = 0
    ends = _Ends(text)
    while match := SECRET_WORD.search(text, place):
        start, end = _whole_name(text, *match.span())
        span = _value_of(text, start, end, ends)
        if span and span.end > span.start and text[span.start : span.end] not in _CODES:
            yield span
        place = max(end, span.end if span else 0)


def _whole_name(text: str, start: int, end: int) -> tuple[int, int]:
    first, last = max(start - _LONGEST_NAME, 0), min(end + _LONGEST_NAME, len(text))
    while start > first and text[start - 1] in _NAME:
        start -= 1
    while end < last and text[end] in _NAME:
        end += 1
    return start, end


def _value_of(text: str, start: int, end: int, ends: "_Ends") -> _Span | None:
    quoted = _QUOTED_END.match(text, end)
    if quoted and (quoted[3] != "," or text[max(start - 2, 0) : start - 1] == "("):  # as in set("token", "...")
        return _after_quoted_name(text, quoted, ends)
    plain = _PLAIN_END.match(text, end)
    if not plain:
        return None
    value = plain.end()
    if start and text[start - 1] in "\"'\u201c\u201d\u2018\u2019":
        return _in_quotes(text, start - 1, value, ends)
    if "=" in plain[1]:
        pattern = _SHELL_WORD if text[value : value + 1] in "\"'$\u201c\u2018" else _REST_OF_FORM
    else:
        pattern = _SHELL_WORD if text[value : value + 1] == "\\" else _REST_OF_LINE
    return _Span(value, _end_of(pattern, text, value))


def _after_quoted_name(text: str, name: re.Match[str], ends: "_Ends") -> _Span:
    """The value after a name in quotation marks, as in JSON."""
    value = name.end()
    opening = _OPENING.match(text, value)
    if opening:
        return _Span(opening.end(), ends.closing(opening.end(), len(opening[1]), opening[2]))
    if _VARIABLE.match(text, value):
        return _Span(value, value)
    mark = f"{name[1]}{name[2]}"
    is_block = text.startswith(("{", "["), value)
    end = _block_end(text, value, bool(name[1])) if is_block else _end_of(_BARE, text, value)
    return _Span(value, value if text[value:end] in _CODES else end, f"{mark}{PLACEHOLDER}{mark}")


def _in_quotes(text: str, quote: int, value: int, ends: "_Ends") -> _Span:
    """The value to the end of the quotation that begins before the name, as in "Authorization: Bearer ..."."""
    slashes = 0
    while slashes < quote and text[quote - slashes - 1] == "\\" and slashes <= _Ends.DEEPEST:
        slashes += 1
    end = ends.closing(value, slashes, text[quote])
    following = text[end + 1 : end + 2]
    if not slashes and (following.isalnum() or following in tuple("\\'\"$")):
        return _Span(value, _end_of(_SHELL_WORD, text, end + 1), f"{PLACEHOLDER}{text[quote]}")
    return _Span(value, end)


def _end_of(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


class _Ends:
    """Finds the ends of quotations."""

    DEEPEST = 7

    def __init__(self, text: str) -> None:
        self.text = text
        self._none_after: dict[str, int] = {}

    def closing(self, start: int, slashes: int, mark: str) -> int:
        """Where a quotation ends whose opening `mark` has `slashes` backslashes before it; else the end of the line."""
        marks = _CLOSING.get(mark, mark)
        if self._none_after.get(marks, len(self.text)) > start:
            for match in re.compile(rf"(?<!\\)(\\*+)([{marks}])").finditer(self.text, start):
                place = match.start(2)
                if self._is_closing(len(match[1]), slashes, mark) and not self._is_in_shell_quote(place):
                    return match.start() + max(len(match[1]) - slashes, 0)
            self._none_after[marks] = start
        line_end = self.text.find("\n", start)
        return len(self.text) if line_end < 0 else line_end

    def _is_closing(self, before: int, slashes: int, mark: str) -> bool:
        if mark != '"' or before < slashes or slashes > self.DEEPEST:
            return True
        return before % (2 * (slashes + 1)) == slashes

    def _is_in_shell_quote(self, place: int) -> bool:
        """Whether the mark is part of '"'"' or '\\'', which mean a ' inside a quotation of the shell."""
        return any(
            self.text.startswith(one, place - at) and place >= at
            for one in _SHELL_QUOTES
            for at in range(len(one))
            if one[at] == self.text[place]
        )


def _block_end(text: str, start: int, is_escaped: bool) -> int:
    """The offset after the bracket that closes the one at `start`; the end of the text if there is none."""
    level = 0
    for match in re.compile(r"[{}\[\]]").finditer(text, start) if is_escaped else _JSON_PART.finditer(text, start):
        if match[0] in ("{", "["):
            level += 1
        elif match[0] in ("}", "]"):
            level -= 1
            if level <= 0:
                return match.end()
    return len(text)


def _options(text: str) -> Iterator[_Span]:
    """The values of curl's options for users, passwords and cookies."""
    place = 0
    while match := _OPTION.search(text, place):
        place = max(_end_of(_SHELL_WORD, text, match.end()), match.end())
        if place > match.end():
            yield _Span(match.end(), place)


def _auth_blocks(text: str) -> Iterator[_Span]:
    """Postman's objects with the key "auth"."""
    place = 0
    while match := _AUTH.search(text, place):
        place = _block_end(text, match.end(), bool(match[1]))
        mark = f'{match[1]}"'
        yield _Span(match.end(), place, f"{mark}{PLACEHOLDER}{mark}")


class _Object:
    """A JSON object that is being read: whether its "key" is a secret name, and where its "value" is."""

    def __init__(self) -> None:
        self.key = ""
        self.is_secret = False
        self.value: _Span | None = None


def _pairs(text: str) -> Iterator[_Span]:
    """Values of Postman's variables, headers and parameters: {"key": "token", "value": "..."}, in any order."""
    stack = [_Object()]
    for match in _JSON_PART.finditer(text) if '"value"' in text else ():
        here = stack[-1]
        if match[0] in ("{", "["):
            stack.append(_Object())
        elif match[0] in ("}", "]"):
            if len(stack) > 1:
                stack.pop()
            yield from _secret_value(here)
        elif match[2]:
            here.key = match[1]
            if match[1] == "value":
                value = _PAIR_VALUE.match(text, match.end())
                here.value = _Span(*value.span(1)) if value else None
        elif match[0].startswith('"'):
            if here.key in ("key", "name", "id"):
                here.is_secret = here.is_secret or is_secret_name(match[1])
            elif here.key == "type":
                here.is_secret = here.is_secret or match[1] == "secret"
            elif here.key == "value":
                here.value = _Span(match.start(1), match.end(1))
    for one in stack:
        yield from _secret_value(one)


def _secret_value(one: _Object) -> Iterator[_Span]:
    if one.is_secret and one.value and one.value.end > one.value.start:
        yield one.value


def _secret_looking(text: str) -> Iterator[_Span]:
    """Texts that look like a key or token, under any name."""
    for match in _SECRET_LOOKING.finditer(text):
        yield _Span(*match.span())
