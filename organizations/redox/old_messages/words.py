"""The words of a shell command as sh reads them, without running anything.

Each word stores the offsets of its characters. Variables and commands in it are not replaced, but listed.
"""

import re
from array import array
from bisect import bisect_right

_PLAIN = re.compile(r"[^\s'\"\\$`;|&()<>^]++")
_IN_DOUBLE = re.compile(r"[^\"\\$`]++")
_ESCAPED_IN_DOUBLE = frozenset('"\\$`')
_VARIABLE = re.compile(r"\$(?:\{[^{}\n]{0,200}\}|[A-Za-z_][A-Za-z0-9_]{0,200}|[0-9@*#?!-])")
_CAT = re.compile(r"\$\([ \t\n]*cat[ \t]*(?=<<)")
_HEREDOC = re.compile(
    r"<<(?P<tabs>-?)[ \t]*(?:\\?(?P<bare>[\w.-]{1,100})|(?P<mark>['\"])(?P<quoted>[^'\"\n]{1,100})(?P=mark))"
)
_ANSI_TEXT = re.compile(r"[^'\\]++")
_ANSI_CODE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL
)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}
_COMMAND = "$(...)"
_MOST_PARTS = 200_000


class Unclosed(ValueError):
    """A quotation mark, a bracket or a heredoc begins at `offset` and never ends, or a command is far too long."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset


class Word:
    """A word: its value, the place of its characters, and the variables and commands in it."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.is_quoted = False
        self.variables: list[str] = []
        self._parts: list[str] = []
        self._length = 0
        self._from = array("L")
        self._to = array("L")
        self._value: str | None = None

    @property
    def value(self) -> str:
        if self._value is None:
            self._value = "".join(self._parts)
        return self._value

    def add(self, text: str, origin: int) -> None:
        """Append text that begins at `origin`."""
        if len(self._parts) >= _MOST_PARTS:
            raise Unclosed("this word has too many quotation marks and backslashes", self.start)
        self._from.append(self._length)
        self._to.append(origin)
        self._parts.append(text)
        self._length += len(text)
        self._value = None

    def add_variable(self, text: str, origin: int, name: str = "") -> None:
        self.variables.append(name or text)
        self.add(text, origin)

    def origin(self, offset: int) -> int:
        """The offset in the text of the character at this offset in the value."""
        if not self._from:
            return self.start
        part = max(bisect_right(self._from, offset) - 1, 0)
        return self._to[part] + offset - self._from[part]


class Heredoc:
    """A heredoc that was announced with <<. Its lines follow after the line of the command."""

    def __init__(self, match: re.Match[str]) -> None:
        self.offset = match.start()
        self.strips_tabs = bool(match["tabs"])
        self.end = match["bare"] or match["quoted"]
        self.is_literal = bool(match["mark"]) or "\\" in match[0]
        self.word = Word(match.end())


def heredoc_at(text: str, place: int) -> re.Match[str] | None:
    """The match of a << that announces a heredoc at `place`, or None."""
    return _HEREDOC.match(text, place)


def read_heredoc(text: str, heredoc: Heredoc, start: int) -> int:
    """Fill the heredoc's word with the lines from `start`. Returns the offset after its last line. Raises Unclosed."""
    word = heredoc.word = Word(start)
    word.is_quoted = True
    place = start
    while place < len(text):
        line_end = text.find("\n", place)
        line_end = len(text) if line_end < 0 else line_end
        line = text[place:line_end].rstrip(" \t")
        if (line.lstrip("\t") if heredoc.strips_tabs else line) == heredoc.end:
            break
        place = line_end + 1
    else:
        raise Unclosed("the end of the text that << begins is missing", heredoc.offset)
    if heredoc.is_literal:
        word.add(text[start:place], start)
    else:
        _read_expanded(word, text[start:place], start)
    return line_end


def _read_expanded(word: Word, content: str, start: int) -> None:
    place = 0
    for match in re.finditer(r"\\([$`\\\n])|\$\(|`|\$(?:\{[^{}\n]{0,200}\}|[A-Za-z_]\w{0,200}|[0-9@*#?!-])", content):
        word.add(content[place : match.start()], start + place)
        if match[1]:
            word.add("" if match[1] == "\n" else match[1], start + match.start(1))
        else:
            word.add_variable(match[0], start + match.start(), "" if match[0].strip("$(`") else _COMMAND)
        place = match.end()
    word.add(content[place:], start + place)


def read_word(text: str, place: int) -> tuple[Word, int]:
    """The word at `place`, where no blank and no operator is, and the offset after it. Raises Unclosed."""
    reader = _WordReader(text, place)
    reader.read()
    return reader.word, reader.place


class _WordReader:
    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place
        self.word = Word(place)

    def read(self) -> None:
        while self.place < len(self.text):
            if match := _PLAIN.match(self.text, self.place):
                self._add(match)
            elif not self._read_special(self.text[self.place]):
                return

    def _read_special(self, character: str) -> bool:
        """Read what begins with this character; False if it ends the word."""
        following = self.text[self.place + 1 : self.place + 2]
        if character == "'":
            self._single()
        elif character == '"':
            self._double()
        elif character == "\\" or (character == "^" and following == '"'):
            self._escape(following)
        elif character == "$" and following == "'":
            self._ansi()
        elif character == "$":
            self._dollar()
        elif character == "^" and following != "\n":
            self.word.add("^", self.place)
            self.place += 1
        else:
            return False
        return True

    def _add(self, match: re.Match[str]) -> None:
        self.word.add(match[0], self.place)
        self.place = match.end()

    def _single(self) -> None:
        start = self.place
        end = self.text.find("'", start + 1)
        if end < 0:
            raise Unclosed("a quotation mark ' has no second one", start)
        self.word.is_quoted = True
        self.word.add(self.text[start + 1 : end], start + 1)
        self.place = end + 1

    def _double(self) -> None:
        start = self.place
        self.place += 1
        self.word.is_quoted = True
        while self.place < len(self.text):
            if match := _IN_DOUBLE.match(self.text, self.place):
                self._add(match)
                continue
            character, following = self.text[self.place], self.text[self.place + 1 : self.place + 2]
            if character == '"':
                self.place += 1
                return
            if character == "\\":
                if following in _ESCAPED_IN_DOUBLE or following == "\n":
                    self._escape(following)
                else:
                    self.word.add("\\", self.place)
                    self.place += 1
            elif character == "`":
                self._backticks(start)
            else:
                self._dollar()
        raise Unclosed('a quotation mark " has no second one', start)

    def _escape(self, following: str) -> None:
        if following != "\n":
            self.word.add(following, self.place + 1)
        self.place += 2

    def _backticks(self, start: int) -> None:
        end = self.text.find("`", self.place + 1)
        if end < 0:
            raise Unclosed("a ` has no second one", start)
        self.word.add_variable("`...`", self.place, _COMMAND)
        self.place = end + 1

    def _dollar(self) -> None:
        if match := _VARIABLE.match(self.text, self.place):
            self.word.add_variable(match[0], self.place)
            self.place = match.end()
        elif self.text.startswith("$(", self.place):
            self._command()
        else:
            self.word.add("$", self.place)
            self.place += 1

    def _command(self) -> None:
        """Read $(...): only the idiom $(cat <<END ...) is understood, anything else counts as a variable."""
        start = self.place
        match = _CAT.match(self.text, start)
        announced = match and heredoc_at(self.text, match.end())
        if announced:
            heredoc = Heredoc(announced)
            line_end = self.text.find("\n", announced.end())
            self.place = read_heredoc(self.text, heredoc, line_end + 1 if line_end >= 0 else len(self.text))
            self.word.add(heredoc.word.value.rstrip("\n"), heredoc.word.start)
            self.word.variables += heredoc.word.variables
            end = self.text.find(")", self.place)
        else:
            self.word.add_variable(_COMMAND, start)
            end = self._closing_bracket()
        if end < 0:
            raise Unclosed("a bracket $( is not closed", start)
        self.place = end + 1

    def _closing_bracket(self) -> int:
        level = 0
        for match in re.compile(r"'[^']*+'|\\.|[()]").finditer(self.text, self.place):
            if match[0] == "(":
                level += 1
            elif match[0] == ")":
                level -= 1
                if not level:
                    return match.start()
        return -1

    def _ansi(self) -> None:
        """Read $'...', in which backslashes are read as in C."""
        start = self.place
        self.place += 2
        self.word.is_quoted = True
        while self.place < len(self.text):
            if match := _ANSI_TEXT.match(self.text, self.place):
                self._add(match)
            elif self.text[self.place] == "'":
                self.place += 1
                return
            elif match := _ANSI_CODE.match(self.text, self.place):
                self.word.add(_ansi_character(match), self.place)
                self.place = match.end()
            else:
                break
        raise Unclosed("a quotation mark $' has no second one", start)


def _ansi_character(match: re.Match[str]) -> str:
    hexadecimal = match[1] or match[2] or match[3]
    if match[5]:
        letter = match[5]
        return _ANSI_LETTERS.get(letter, letter if letter in "\\'\"?" else f"\\{letter}")
    code = int(hexadecimal, 16) if hexadecimal else int(match[4], 8) & 0xFF
    return chr(code) if code <= 0x10FFFF else "\ufffd"
