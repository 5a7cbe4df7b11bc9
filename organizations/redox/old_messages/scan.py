"""Finds the bodies of messages in one text, and names where each one is."""

import re
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from organizations.redox.old_messages.curl import Body, read_curl
from organizations.redox.old_messages.places import PlacedText
from organizations.redox.old_messages.postman import bodies_in, collection_in
from organizations.redox.old_messages.relaxed_json import (
    SMART_QUOTES,
    JsonError,
    after_blanks,
    block_end,
    parse_value,
    parse_whole,
    smart_quotes_error,
)
from organizations.redox.old_messages.results import ProblemKind, Refused
from organizations.redox.old_messages.shell import Command, read_commands
from organizations.redox.old_messages.words import Unclosed

_CURL = r"(?:(?:/[\w.-]{1,50}){0,9}/)?curl(?:\.exe)?(?=[ \t\\^`\n])"
_ENTRY = re.compile(
    rf"""
      ^[ \t]*+(?P<json>\{{(?=\s*+(?:["{SMART_QUOTES}'}}\#]|//|\{{\{{|\w+\s*+:))|\[(?=\s*+[{{\]\#/]))
    | ^[ \t]*+(?:[$%>][ \t]++)?(?P<feed>(?:echo|printf|cat)[ \t](?=[^\n]*?(?:['"]\s*+(?:[{{\[]|\$\{{?\w)|<<)))
    | ^[ \t]*+(?:(?:export|local|readonly|declare)[ \t]++)?
      (?P<assign>[A-Za-z_]\w{{0,99}}=(?=\$?['"]\s*+[{{\[]|"?\$\([ \t]*+cat\b))
    | (?:^[ \t]*+(?:[$%>][ \t]++)?|[;|&(`!][ \t]*+|\b(?:then|do|else|sudo|time|exec|if|while|until)[ \t]++)
      (?P<curl>{_CURL})
    """,
    re.VERBOSE | re.MULTILINE,
)
_NEXT_CURL = re.compile(rf"^[ \t]*+(?:[$%>][ \t]++)?{_CURL}", re.MULTILINE)
_BEFORE_COMMAND = frozenset({"sudo", "time", "exec", "then", "do", "else", "if", "while", "until", "!", "export", "{"})
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w{0,99})=")
_ONE_VARIABLE = re.compile(r"\s*\$\{?([A-Za-z_]\w*)\}?\s*")
_SMART_WORD = re.compile(rf"[ \t\n=]([{SMART_QUOTES}])")
_FORM = re.compile(r"(?:^|&)(?:grant_type|client_assertion)=")
_MOST_RESTARTS = 5
"""How often reading continues after an unclosed quotation mark. Each time can read the whole rest of the text."""

_MOST_ENTRIES = 20_000


class Find(NamedTuple):
    """A JSON value that may be a message, or why it cannot be read. `left_out`: sentences about secrets."""

    source: str
    value: Any = None
    left_out: tuple[str, ...] = ()
    refused: Refused | None = None


class Scanner:
    """Iterates over the finds in one text."""

    def __init__(self, placed: PlacedText, name: str, file_names: frozenset[str]) -> None:
        self.placed = placed
        self.text = placed.text
        self.name = name
        self.files = {file_name.replace("\\", "/").rpartition("/")[2] for file_name in file_names}
        self.variables: set[str] = set()
        self.curls = 0
        self.messages = 0
        self.restarts = 0
        self.place = 0

    def __iter__(self) -> Iterator[Find]:
        for _ in range(_MOST_ENTRIES):
            entry = _ENTRY.search(self.text, self.place)
            if not entry:
                return
            if entry["json"]:
                self.place = entry.start("json")
                yield from self._json()
            else:
                self.place = max(entry.start(group) for group in ("feed", "assign", "curl"))
                yield from self._shell()
        yield Find(self.name, refused=Refused(ProblemKind.TOO_MANY, ""))

    def _json(self) -> Iterator[Find]:
        """Read JSON values, one after the other or in a list, until other text follows."""
        in_list = False
        while self.place < len(self.text):
            character = self.text[self.place]
            if character == "[" and not in_list:
                in_list = True
                self.place += 1
            elif character == "]" and in_list:
                in_list = False
                self.place += 1
            elif character == "{":
                has_ended = yield from self._value()
                if not has_ended:
                    return
            elif character in ",;":
                self.place += 1
            elif in_list:
                error = JsonError("a message in { } is missing", self.place)
                yield self._refused_json(error, self._source("message", self.place), error.offset)
                return
            else:
                return
            self.place = after_blanks(self.text, self.place)
        if in_list:
            error = JsonError("the list of messages has no closing ]", max(self.place - 1, 0))
            yield self._refused_json(error, self._named("JSON"), error.offset)

    def _value(self) -> Generator[Find, None, bool]:
        """Read one value. Returns False if its end was not found; reading continues at the next curl command."""
        start = self.place
        try:
            value, self.place = parse_value(self.text, start)
        except JsonError as error:
            self.messages += 1
            end = block_end(self.text, start)
            self.place = end
            if end < 0:
                self._restart(start)
            yield self._refused_json(error, self._source(f"message {self.messages}", start), error.offset)
            return end > 0
        try:
            collection = collection_in(value)
        except Refused as refused:
            yield Find(self._source("JSON", start), refused=refused)
            return True
        if collection is not None:
            yield from self._postman(collection)
        else:
            self.messages += 1
            yield Find(self._source(f"message {self.messages}", start), value)
        return True

    def _postman(self, collection: dict[str, Any]) -> Iterator[Find]:
        count = 0
        for body in bodies_in(collection):
            count += 1
            source = self._named(body.source)
            if _FORM.search(body.text[:2000]):
                yield Find(source, refused=_token_request())
                continue
            try:
                value = parse_whole(body.text)
            except JsonError as error:
                inner = PlacedText(body.text)
                yield Find(source, refused=_not_json(error, f"{inner.line_and_column(error.offset)} of the body"))
            else:
                yield Find(source, value, body.left_out)
        if not count:
            sentence = "This Postman collection has no request with a body of type raw."
            yield Find(self._named("Postman collection"), refused=Refused(ProblemKind.POSTMAN, sentence))

    def _shell(self) -> Iterator[Find]:
        start = self.place
        try:
            commands, self.place = read_commands(self.text, start)
        except Unclosed as error:
            yield self._unclosed(error, start)
            self._restart(start)
            return
        used = set()
        for command in commands:
            while command.words and command.words[0].value in _BEFORE_COMMAND:
                command.words.pop(0)
        for command in commands:
            if command.name == "curl":
                used.add(id(command.stdin))
        for command in commands:
            if command.name == "curl":
                yield from self._curl(command)
            else:
                yield from self._other_command(command, used)

    def _other_command(self, command: Command, used: set[int]) -> Iterator[Find]:
        """Read messages in variables, and in a command's output and input unless a curl command reads it."""
        self.files.update(name.rpartition("/")[2] for name in command.writes)
        for word in command.words:
            match = _ASSIGNMENT.match(word.value)
            if match and word.value[match.end() :].lstrip()[:1] in ("{", "["):
                self.variables.add(match[1])
                source = self._source(f"variable {match[1][:60]}", word.start)
                yield from self._body(Body(word, match.end()), source, ())
        inputs = [heredoc.word for heredoc in command.heredocs]
        printed = command.printed
        for word in inputs if printed is None or printed in inputs else [*inputs, printed]:
            if id(word) not in used and word.value.lstrip()[:1] in ("{", "["):
                yield from self._body(Body(word), self._source(f"text of {command.name[:60]}", word.start), ())

    def _curl(self, command: Command) -> Iterator[Find]:
        self.curls += 1
        source = self._source(f"curl command {self.curls}", command.words[0].start)
        curl = read_curl(command)
        if curl.is_form or any(_FORM.search(body.text[:2000]) for body in curl.bodies):
            yield Find(source, refused=_token_request())
        elif len(curl.bodies) > 1:
            sentence = f"The command has {len(curl.bodies)} bodies. A message has one."
            yield Find(source, refused=Refused(ProblemKind.SEVERAL_BODIES, sentence))
        elif curl.bodies:
            yield from self._body(curl.bodies[0], source, tuple(curl.left_out))
        elif curl.reads_stdin or not self.files.issuperset(curl.files):
            missing = next((name for name in curl.files if name not in self.files), "")
            where = f"the file {missing[:60]}. Give that file too" if missing else "what another command prints"
            yield Find(source, refused=Refused(ProblemKind.BODY_ELSEWHERE, f"The body is in {where}."))

    def _body(self, body: Body, source: str, left_out: tuple[str, ...]) -> Iterator[Find]:
        text = body.text
        variable = _ONE_VARIABLE.fullmatch(text)
        if body.word.variables and variable and variable[1] in self.variables:
            return  # its value was read where it is set
        if body.word.variables:
            name = body.word.variables[0][:60]
            sentence = f"The body has {name}, which only the shell can replace. Replace it with its value."
            yield Find(source, refused=Refused(ProblemKind.SHELL_VARIABLE, sentence))
            return
        try:
            value = parse_whole(text)
        except JsonError as error:
            offset = body.word.origin(error.offset + body.skipped)
            yield self._refused_json(error, source, offset)
            if error.kind is ProblemKind.SMART_QUOTES or error.offset >= len(text):
                self._restart(offset)  # the quotation marks of the shell probably end too early
            return
        for number, one in enumerate(value if isinstance(value, list) else [value], start=1):
            yield Find(f"{source}, message {number}" if isinstance(value, list) else source, one, left_out)

    def _unclosed(self, error: Unclosed, start: int) -> Find:
        self.curls += 1
        source = self._source(f"curl command {self.curls}", start)
        smart = _SMART_WORD.search(self.text, start, error.offset + 2)
        if smart:
            character = smart[1]
            return self._refused_json(smart_quotes_error(character, smart.start(1)), source, smart.start(1))
        where = self.placed.line_and_column(error.offset)
        return Find(source, refused=Refused(ProblemKind.UNCLOSED, f"{where.capitalize()}: {error.what}."))

    def _refused_json(self, error: JsonError, source: str, offset: int) -> Find:
        return Find(source, refused=_not_json(error, self.placed.line_and_column(offset)))

    def _restart(self, start: int) -> None:
        """Continue at the next line with a curl command: where a message before it begins and ends is not clear."""
        self.restarts += 1
        match = _NEXT_CURL.search(self.text, start + 1) if self.restarts <= _MOST_RESTARTS else None
        self.place = match.start() if match else len(self.text)

    def _source(self, what: str, offset: int) -> str:
        return self._named(f"{what}, line {self.placed.line(offset)}")

    def _named(self, what: str) -> str:
        return f"{self.name[:100]}: {what}" if self.name else what


def _not_json(error: JsonError, where: str) -> Refused:
    sentence = f"{where.capitalize()}: {error.what}."
    return Refused(error.kind, f"It is not JSON. {sentence}" if error.kind is ProblemKind.NOT_JSON else sentence)


def _token_request() -> Refused:
    return Refused(ProblemKind.TOKEN_REQUEST, "This is a request for an access token. It was skipped.")
