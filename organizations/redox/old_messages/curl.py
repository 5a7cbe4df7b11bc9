"""Reads a curl command: its body, and which secrets are left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from organizations.redox.old_messages.secret_names import is_secret_name
from organizations.redox.old_messages.shell import Command
from organizations.redox.old_messages.words import Word

_DATA = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_FORM = frozenset({"--data-urlencode", "-F", "--form", "--form-string"})
_WITH_VALUE = frozenset("AbcCdDeEFHKmoPQrtTuUwxXyYz")
_SECRETS = {
    "-u": "The user and password of -u were left out.",
    "--user": "The user and password of --user were left out.",
    "-U": "The user and password of -U were left out.",
    "--proxy-user": "The user and password of --proxy-user were left out.",
    "-b": "The cookies were left out.",
    "--cookie": "The cookies were left out.",
    "--oauth2-bearer": "The token of --oauth2-bearer was left out.",
}
_LONG = _DATA | _FORM | _SECRETS.keys() | {"--header", "--url", "--request", "--output"}


class Body(NamedTuple):
    """A word with a body after its first `skipped` characters, as in -d{...}."""

    word: Word
    skipped: int = 0

    @property
    def text(self) -> str:
        return self.word.value[self.skipped :]


@dataclass
class CurlCommand:
    """The bodies in a curl command, the names of the files with its body, and sentences about secrets left out."""

    bodies: list[Body] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    reads_stdin: bool = False
    is_form: bool = False
    left_out: list[str] = field(default_factory=list)

    @property
    def has_body(self) -> bool:
        return bool(self.bodies or self.files or self.reads_stdin)


def read_curl(command: Command) -> CurlCommand:
    """Read the command. Its standard input is a body if an option names it (@-)."""
    result = CurlCommand()
    for option, word, skipped in _options(command.words[1:]):
        value = word.value[skipped:]
        if option in _FORM:
            result.is_form = True
        elif option in _DATA:
            _add_body(result, option, Body(word, skipped))
        elif option in ("-H", "--header"):
            name = value.partition(":")[0].strip()
            if is_secret_name(name):
                result.left_out.append(f"The {_header_name(name)} header was left out.")
        elif option in _SECRETS:
            result.left_out.append(_SECRETS[option])
    if result.reads_stdin and command.stdin:
        result.bodies.append(Body(command.stdin))
        result.reads_stdin = False
    result.left_out = list(dict.fromkeys(result.left_out))
    return result


def _add_body(result: CurlCommand, option: str, body: Body) -> None:
    value = body.text
    if option == "--data-raw" or not value.startswith("@"):
        result.bodies.append(body)
    elif value.strip() == "@-":
        result.reads_stdin = True
    else:
        result.files.append(value[1:].strip().replace("\\", "/").rpartition("/")[2])


def _header_name(name: str) -> str:
    """The name of the header, or "secret" if it is long or has unusual characters."""
    return name if name.replace("-", "").isalnum() and len(name) <= 40 else "secret"


def _options(words: list[Word]) -> Iterator[tuple[str, Word, int]]:
    """Each option with the word of its value, and how many characters of that word belong to the option."""
    place = 0
    while place < len(words):
        word = words[place]
        text = word.value
        place += 1
        if text.startswith("--"):
            name, equals, _ = text.partition("=")
            if name in _LONG and equals:
                yield name, word, len(name) + 1
            elif name in _LONG and place < len(words):
                yield name, words[place], 0
                place += 1
        elif text.startswith("-"):
            letter = next((at for at, one in enumerate(text) if at and one in _WITH_VALUE), 0)
            if letter and letter + 1 < len(text):
                yield f"-{text[letter]}", word, letter + 1
            elif letter and place < len(words):
                yield f"-{text[letter]}", words[place], 0
                place += 1
