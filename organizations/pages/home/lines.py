"""A line of the home page: what to do, where, and who acts next. A record and its counterpart share one line."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from organizations.models import Environment, EnvironmentGate
from organizations.pages.home.who_acts import NextActors
from organizations.queries.chosen_records import UNSENT
from organizations.queries.record_filters import DIRECTORY_DIFFERS
from organizations.text import vocabulary
from organizations.text.vocabulary import OPEN_WORK, Word

PLAN_PAUSED = "plan_paused"
# First what a person must decide, then what was rejected, then what the portal does next, then unsent changes.
KINDS = (
    "needs_person",
    DIRECTORY_DIFFERS,
    PLAN_PAUSED,
    "rejected",
    "awaiting",
    "unknown",
    "queued",
    UNSENT,
)
MOST_SINGLE_LINES = 3
"""The most lines of one kind and environment. If there are more records, one line counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePlace:
    """One environment of a line. `number` counts the records or submissions that `what` names; `url` opens them."""

    environment: str
    number: int = 1
    what: str
    text: str = ""
    url: str
    since: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class HomeLine:
    """One line, with a place in each of its environments.

    `who` says who acts next; to a reader who can act, it says who else can. `is_pair`: the places are a record and its
    counterpart, or one of them. Otherwise each place counts records.
    """

    kind: str
    places: tuple[LinePlace, ...]
    who: str
    is_pair: bool

    @property
    def word(self) -> Word:
        return vocabulary.PLAN_STATE["paused"] if self.kind == PLAN_PAUSED else OPEN_WORK[self.kind]

    @property
    def since(self) -> datetime.datetime | None:
        return min((place.since for place in self.places if place.since), default=None)

    @property
    def is_many(self) -> bool:
        return sum(place.number for place in self.places) > 1

    @property
    def titles(self) -> list[tuple[str, list[LinePlace]]]:
        """The places by name: counterparts share their name, a count of records has its own place."""
        if self.is_pair and len({place.what for place in self.places}) == 1:
            return [(self.places[0].what, list(self.places))]
        return [(place.what, [place]) for place in self.places]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(environment, text) of each place with a text; without an environment if both texts are the same."""
        if len({place.text for place in self.places}) == 1:
            return [("", self.places[0].text)] if self.places[0].text else []
        return [(place.environment.upper(), place.text) for place in self.places if place.text]


class UnpairedLine(NamedTuple):
    """A place before its counterpart is found. Lines that differ only in the place become one.

    `pair` is a number that a record and its counterpart share, or a text if the place counts records.
    """

    kind: str
    for_reader: bool
    who: str
    pair: int | str
    place: LinePlace


class HomeContext(NamedTuple):
    """What all lines need: who can act, the circuit breakers by environment, and the time."""

    actors: NextActors
    gates: Mapping[str, EnvironmentGate]
    now: datetime.datetime


def line_of(kind: str, place: LinePlace, pair: int | str, context: HomeContext) -> UnpairedLine:
    """The line of a place, with who acts next by the right that its kind needs."""
    actors = context.actors
    if not actors.can_act(kind, place.environment):
        return UnpairedLine(kind, False, actors.acts_next(kind, place.environment), pair, place)
    return UnpairedLine(kind, True, actors.can_decide() if kind == "needs_person" else "", pair, place)


def paired_lines(lines: Iterable[UnpairedLine], context: HomeContext) -> tuple[list[HomeLine], list[HomeLine]]:
    """What the reader can act on, and what others or the portal do next. In each kind the oldest comes first."""
    places: dict[tuple[Any, ...], list[LinePlace]] = {}
    for line in lines:
        places.setdefault(line[:-1], []).append(line.place)
    order = list(Environment)
    for of_line in places.values():
        of_line.sort(key=lambda place: order.index(Environment(place.environment)))
    all_lines = [
        (for_reader, HomeLine(kind, tuple(of_line), who, isinstance(pair, int)))
        for (kind, for_reader, who, pair), of_line in places.items()
    ]
    all_lines.sort(key=lambda each: (KINDS.index(each[1].kind), each[1].since or context.now))
    return [line for mine, line in all_lines if mine], [line for mine, line in all_lines if not mine]
