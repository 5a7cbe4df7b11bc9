"""Reads shell commands: curl, and the commands that write its input. Nothing is run."""

import re
from dataclasses import dataclass, field

from organizations.redox.old_messages.words import Heredoc, Unclosed, Word, heredoc_at, read_heredoc, read_word

_BLANKS = re.compile(r"(?:[ \t\f\v\xa0]++|\\\n|\^\n|(?<=[ \t])`\n)*+")
_COMMENT = re.compile(r"#[^\n]*+")
_REDIRECTION = re.compile(r"[0-9]?(?:<<<|<|&>>?|>>|>\||>&|>)")
_OPERATOR = re.compile(r"\|\||&&|\|&|[|;&()`\n]")
_PIPES = frozenset({"|", "|&"})
_CONTINUES = _PIPES | {"||", "&&"}
_MOST_PARTS = 20_000
_ENDS = frozenset({")", "`"})


@dataclass
class Command:
    """One command: its words, the sources of its standard input, and the files that it writes.

    `text`: the word after <<<. `feeder`: the command before the pipe.
    """

    words: list[Word] = field(default_factory=list)
    text: Word | None = None
    heredocs: list[Heredoc] = field(default_factory=list)
    feeder: "Command | None" = None
    writes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        first = self.words[0].value if self.words else ""
        return first.rpartition("/")[2].removesuffix(".exe")

    @property
    def stdin(self) -> Word | None:
        """What the command reads, if that is known without running anything."""
        if self.heredocs:
            return self.heredocs[-1].word
        return self.text or (self.feeder.printed if self.feeder else None)

    @property
    def printed(self) -> Word | None:
        """What the command writes, if that is known without running it."""
        if self.name in ("echo", "printf"):
            return next((word for word in reversed(self.words[1:]) if word.is_quoted), None)
        return self.stdin if self.name == "cat" and len(self.words) == 1 else None


def read_commands(text: str, start: int) -> tuple[list[Command], int]:
    """The commands from `start` to the end of their line, and the offset after them. Raises Unclosed.

    The line continues after |, && and ||, after a backslash at its end, and inside quotation marks.
    """
    reader = _CommandReader(text, start)
    reader.read()
    return [command for command in reader.commands if command.words], reader.place


class _CommandReader:
    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.place = start
        self.commands = [Command()]
        self.heredocs: list[Heredoc] = []

    def read(self) -> None:
        last_operator = ""
        for _ in range(_MOST_PARTS):
            self.place = self._after(_BLANKS)
            if self.text.startswith("#", self.place):
                self.place = self._after(_COMMENT)
            if self.place >= len(self.text):
                break
            operator = _OPERATOR.match(self.text, self.place)
            if not operator:
                last_operator = ""
                self._read_part()
                continue
            self.place = operator.end()
            if operator[0] in _ENDS:
                break
            if operator[0] == "\n":
                self._read_heredocs()
                if last_operator not in _CONTINUES:
                    break
            else:
                last_operator = operator[0]
                self.commands.append(Command(feeder=self.commands[-1] if last_operator in _PIPES else None))
        else:
            raise Unclosed("this command has too many words", self.place)
        self._read_heredocs()

    def _read_part(self) -> None:
        command = self.commands[-1]
        if announced := heredoc_at(self.text, self.place):
            heredoc = Heredoc(announced)
            command.heredocs.append(heredoc)
            self.heredocs.append(heredoc)
            self.place = announced.end()
            return
        redirection = _REDIRECTION.match(self.text, self.place)
        if redirection:
            self.place = redirection.end()
            self.place = self._after(_BLANKS)
        before = self.place
        word, self.place = read_word(self.text, self.place)
        if self.place == before:  # an operator, the end of the text, or a single character that begins no word
            self.place += 0 if self._at_operator() else 1
        elif not redirection:
            command.words.append(word)
        elif redirection[0].endswith("<<<"):
            command.text = word
        elif not redirection[0].endswith("<"):
            command.writes.append(word.value)

    def _at_operator(self) -> bool:
        return self.place >= len(self.text) or bool(_OPERATOR.match(self.text, self.place))

    def _read_heredocs(self) -> None:
        for heredoc in self.heredocs:
            self.place = read_heredoc(self.text, heredoc, self.place)
            if heredoc is not self.heredocs[-1]:
                self.place += 1
        self.heredocs = []

    def _after(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.place)
        return match.end() if match else self.place
