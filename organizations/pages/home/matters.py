"""A line of the home page: what is to be done, where, and who acts next. Counterparts share one line."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from organizations.models import Environment, EnvironmentGate
from organizations.pages.home.who_acts import People
from organizations.pages.organizations.rows import DIRECTORY_DIFFERS
from organizations.text import vocabulary
from organizations.text.vocabulary import OPEN_WORK, Word

type Groups = list[dict[str, Any]]

# What a person must decide first, then what was rejected, then what the portal does next, then what is not sent.
KINDS = (
    "needs_person",
    DIRECTORY_DIFFERS,
    "plan_paused",
    "rejected",
    "awaiting",
    "unknown",
    "queued",
    "changes_not_sent",
)
MOST_LINES = 3
"""Of one kind and environment: if there are more, all records of an environment are one place of one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A matter in one environment. `number` is how many records or submissions `what` names; `url` opens them."""

    environment: str
    number: int = 1
    what: str
    text: str = ""
    url: str
    since: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class Matter:
    """One line, with a place in each environment that it is about.

    `who` says who acts next; to somebody who can act, who else can. `is_pair`: the places are a record and its
    counterpart, or one of them; otherwise each place counts records of its own.
    """

    kind: str
    places: tuple[Place, ...]
    who: str
    is_pair: bool

    @property
    def word(self) -> Word:
        return vocabulary.PLAN_STATE["paused"] if self.kind == "plan_paused" else OPEN_WORK[self.kind]

    @property
    def since(self) -> datetime.datetime | None:
        return min((place.since for place in self.places if place.since), default=None)

    @property
    def is_many(self) -> bool:
        return sum(place.number for place in self.places) > 1

    @property
    def titles(self) -> list[tuple[str, list[Place]]]:
        """The places by their name: counterparts share theirs, numbers of records stand each before its environment."""
        if self.is_pair and len({place.what for place in self.places}) == 1:
            return [(self.places[0].what, list(self.places))]
        return [(place.what, [place]) for place in self.places]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(environment, text) of each place that says something; no environment if both say the same."""
        if len({place.text for place in self.places}) == 1:
            return [("", self.places[0].text)] if self.places[0].text else []
        return [(place.environment.upper(), place.text) for place in self.places if place.text]


class Line(NamedTuple):
    """A place before its counterpart is found: places that agree in everything else are one matter.

    `pair` is a number that a record and its counterpart share, or a text where the place counts records.
    """

    kind: str
    for_reader: bool
    who: str
    pair: int | str
    place: Place


class Now(NamedTuple):
    """What all lines are read with."""

    people: People
    gates: Mapping[str, EnvironmentGate]
    moment: datetime.datetime


def line(kind: str, place: Place, pair: int | str, now: Now) -> Line:
    """The line of a place, with who acts next by the rights that its kind needs."""
    if not now.people.can_act(kind, place.environment):
        return Line(kind, False, now.people.acts_next(kind, place.environment), pair, place)
    return Line(kind, True, now.people.can_decide() if kind == "needs_person" else "", pair, place)


def matters(lines: Iterable[Line], now: Now) -> tuple[list[Matter], list[Matter]]:
    """What the reader can act on, and what others or the portal do next."""
    places: dict[tuple[Any, ...], list[Place]] = {}
    for each in lines:
        places.setdefault(each[:-1], []).append(each.place)
    found = [
        (for_reader, Matter(kind, tuple(sorted(of_matter, key=_in_order)), who, isinstance(pair, int)))
        for (kind, for_reader, who, pair), of_matter in places.items()
    ]
    found.sort(key=lambda each: (KINDS.index(each[1].kind), each[1].since or now.moment))
    return [each for mine, each in found if mine], [each for mine, each in found if not mine]


def _in_order(place: Place) -> int:
    return list(Environment).index(Environment(place.environment))
