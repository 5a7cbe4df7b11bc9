"""The results of reading old messages: candidates and problems, in the order of the text."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from organizations.records import OrganizationRecord

MOST_BYTES = 5 * 1024 * 1024
MOST_MESSAGES = 1_000
MOST_LEVELS = 50
UNKNOWN = "unknown"
"""The environment of a message that names no destination."""


class ProblemKind(StrEnum):
    """Why something was not read. The first five refuse the whole input or a whole text."""

    TOO_LARGE = "too large"
    TOO_MANY = "too many messages"
    NOT_TEXT = "not a text"
    NOTHING = "nothing found"
    POSTMAN = "a Postman file without requests that can be read"
    NOT_JSON = "not JSON"
    SMART_QUOTES = "typographic quotation marks"
    TOO_DEEP = "nested too deep"
    UNCLOSED = "a quotation mark is not closed"
    SHELL_VARIABLE = "a variable of the shell"
    BODY_ELSEWHERE = "the body is somewhere else"
    SEVERAL_BODIES = "several bodies"
    TOKEN_REQUEST = "a request for an access token"  # noqa: S105 - the name of a kind
    NOT_A_MESSAGE = "not a message to Redox"
    OTHER_MODEL = "another data model"
    QUERY = "a Query"
    ANSWER = "an answer"
    OTHER_EVENT = "neither New nor Update"
    OTHER_DIRECTORY = "another directory"
    NO_ORGANIZATION = "no organization"
    SEVERAL_ORGANIZATIONS = "several organizations"
    OTHER_ENVIRONMENT = "the other environment"
    OTHER_PURPOSE = "a routing ID for another purpose"
    UNKNOWN_DESTINATION = "an unknown destination"
    PLACEHOLDER = "a placeholder"
    NO_OID = "no OID"
    BAD_OID = "not an OID"
    NOT_READABLE = "not readable"


SKIPPED = frozenset({ProblemKind.TOKEN_REQUEST, ProblemKind.OTHER_MODEL, ProblemKind.QUERY, ProblemKind.ANSWER})
"""Kinds that are left out on purpose: the person has nothing to correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The last message about an organization.

    `replaces`: the sources of earlier messages about it, in order. `warnings`: sentences.
    """

    event: str
    environment: str
    record: OrganizationRecord
    source: str
    replaces: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that was not read, why, and where it is. `count`: how many messages the problem concerns."""

    kind: ProblemKind
    sentence: str
    source: str = ""
    count: int = 1

    @property
    def is_skipped(self) -> bool:
        """Whether it was left out on purpose."""
        return self.kind in SKIPPED


Result = Candidate | Problem


@dataclass(frozen=True, slots=True)
class GivenText:
    """A text that a person pasted (no name) or a file with its name."""

    content: str | bytes = field(repr=False)
    name: str = ""


class Refused(ValueError):
    """A message or a text cannot be taken over. `kind` and `sentence` say why."""

    def __init__(self, kind: ProblemKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


def candidates(results: Iterable[Result]) -> tuple[Candidate, ...]:
    """The candidates among the results."""
    return tuple(result for result in results if isinstance(result, Candidate))


def problems(results: Iterable[Result]) -> tuple[Problem, ...]:
    """The problems among the results."""
    return tuple(result for result in results if isinstance(result, Problem))
