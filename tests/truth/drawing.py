"""Random histories, mostly of related steps, such as an edit, its message and the answer."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from organizations.models import Intent, PlanKind
from tests.faults.world import Showing, Way
from tests.truth.history import LEASE, SETTLE
from tests.truth.steps import (
    Ask,
    AskAboutRecord,
    Cancel,
    Change,
    Decide,
    Discard,
    Edit,
    GoOn,
    Meddle,
    Meddling,
    Send,
    SendBranch,
    Step,
    TakeTheirs,
    Wait,
    WorkerDies,
)

MOST_STEPS = 8

_WAYS = (Way.NOT_APPLIED_504, Way.NOT_APPLIED_504, Way.APPLIED_504, Way.OTHER_YES, Way.LATE, Way.YES, Way.YES, *Way)
_SHOWINGS = (Showing.AS_IT_IS, Showing.AS_IT_IS, *Showing, None)
_SECONDS = (SETTLE + 1, SETTLE + 1, SETTLE + 1, 31, 400, 3600, 25 * 3600)
_INTENTS = (None, None, Intent.DEACTIVATE, Intent.REACTIVATE)


def history(seed: int) -> list[Step]:
    """The history with this number; it is the same in every run."""
    return _Draw(Random(seed)).history()


@dataclass(frozen=True, slots=True)
class _Draw:
    """The random choices for one history; likelier choices are listed more often or have a larger weight."""

    random: Random

    def history(self) -> list[Step]:
        parts = (self.part() for _ in range(self.random.randint(2, 6)))
        return list(itertools.chain.from_iterable(parts))[:MOST_STEPS]

    def part(self) -> list[Step]:
        return self.one(
            (5, self.work_on_a_record),
            (5, lambda: [self.step()]),
            (3, self.seen_otherwise),
            (1, self.returned),
            (1, self.killed),
        )

    def one[T](self, *choices: tuple[int, Callable[[], T]]) -> T:
        """One of these, by their weights."""
        (make,) = self.random.choices([make for _, make in choices], [weight for weight, _ in choices])
        return make()

    # Parts

    def work_on_a_record(self) -> list[Step]:
        """The usual part of a history: an edit, a message, and the events during and after it."""
        record, person = self.record(), self.person()
        edit, send = Edit(self.person(), record, self.change()), Send(record, way=self.way(), person=person)
        meanwhile = self.one((3, self.wait), (1, self.meddle), (1, self.ask))
        return [edit, send, meanwhile, self.one((4, self.wait), (1, self.decide))]

    def seen_otherwise(self) -> list[Step]:
        """The directory differs from what was accepted, and somebody reacts."""
        record = self.record()
        meddle = Meddle(record, self.random.choice([*Meddling]))
        after = (TakeTheirs(record), Edit(self.person(), record, self.change()), self.send(), self.wait())
        return [meddle, AskAboutRecord(record), *self.random.choices(after, k=self.random.randint(0, 2))]

    def returned(self) -> list[Step]:
        way = self.random.choice((None, Way.NO))
        return [Send(self.record(), Intent.DEACTIVATE, way), Cancel()]

    def killed(self) -> list[Step]:
        return [replace(self.send(), way=None), WorkerDies(self.way()), Wait(LEASE + 1)]

    # Steps

    def step(self) -> Step:
        return self.one(
            (2, self.edit),
            (4, self.send),
            (4, self.wait),
            (2, self.meddle),
            (1, self.ask),
            (2, self.decide),
            (2, self.rare),
        )

    def rare(self) -> Step:
        return self.one(
            (2, Cancel),
            (2, lambda: Discard(self.record())),
            (2, lambda: TakeTheirs(self.record())),
            (2, lambda: SendBranch(self.random.choice([*PlanKind]), self.way())),
            (1, GoOn),
        )

    def edit(self) -> Step:
        return Edit(self.person(), self.record(), self.change())

    def send(self) -> Send:
        way = self.one((4, self.way), (1, lambda: None))
        return Send(self.record(), self.random.choice(_INTENTS), way, self.person())

    def wait(self) -> Step:
        return Wait(self.random.choice(_SECONDS), self.way(), self.showing())

    def meddle(self) -> Step:
        return Meddle(self.record(), self.random.choice([*Meddling]))

    def ask(self) -> Step:
        return self.one((1, lambda: Ask(self.showing())), (1, lambda: AskAboutRecord(self.record(), self.showing())))

    def decide(self) -> Step:
        return Decide(self.random.randrange(5))

    # Their values

    def record(self) -> str:
        return self.random.choice(("child", "child", "parent"))

    def person(self) -> int:
        return self.random.randrange(2)

    def change(self) -> Change:
        return self.random.choice([*Change])

    def way(self) -> Way:
        return self.random.choice(_WAYS)

    def showing(self) -> Showing | None:
        return self.random.choice(_SHOWINGS)
