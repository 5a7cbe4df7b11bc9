"""Histories: how they start, and running one. The pages are judged after each step."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.db import transaction
from django.test import override_settings

from organizations.models import AuditHead
from organizations.redox.environment import GATEWAY_OID
from organizations.services.delivery import query
from organizations.services.records import organizations
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.faults.world import Showing, Way, World
from tests.truth import judges
from tests.truth.claims import Pages, Said
from tests.truth.facts import Facts
from tests.truth.history import LEASE, RECORDS, SETTLE, History
from tests.truth.steps import Send, SendBranch, Step

OIDS = (f"{BASE}.1", f"{BASE}.1.1")

type Start = Callable[[History], None]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A claim that the log contradicts, and the number of steps after which a page made it; 0: at the start."""

    said: Said
    after: int


@dataclass(slots=True)
class Outcome:
    """The result of one history."""

    contradictions: list[Contradiction] = field(default_factory=list)
    claimed: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Each contradicted kind once, with its first claim."""
        first: dict[str, Contradiction] = {}
        for found in self.contradictions:
            first.setdefault(found.said.kind, found)
        return "\n".join(f"{kind}, after step {found.after}: {found.said}" for kind, found in sorted(first.items()))

    def copied(self) -> "Outcome":
        return Outcome([*self.contradictions], Counter(self.claimed))

    @property
    def kinds(self) -> set[str]:
        return {found.said.kind for found in self.contradictions}


def start_new(history: History) -> None:
    """Parent and child were saved and never sent."""
    for oid, part_of_oid in zip(OIDS, (GATEWAY_OID, OIDS[0]), strict=True):
        record = factories.record(oid, part_of_oid=part_of_oid, aliases=("Alpha", "Beta"))
        organizations.create(record, "staging", stands_for="", actor=as_actor(history.people[0]))
        history.note_edit(history.people[0], None, record)


def start_accepted(history: History) -> None:
    """Redox accepted both."""
    start_new(history)
    for record in RECORDS:
        Send(record).do(history)


def start_taken_over(history: History) -> None:
    """Redox accepted the parent; the child was taken over as the directory shows it."""
    start_new(history)
    Send("parent").do(history)
    organization = history.organization("child")
    organizations.withdraw(organization.pk, organization.version, actor=as_actor(history.people[0]))
    history.edits = [edit for edit in history.edits if edit.oid != OIDS[1]]
    there = history.world.record(OIDS[0])
    assert there is not None
    theirs = {"Name": "Hill Clinic", "Identifiers": [{"ID": OIDS[1], "IDType": "OID"}]}
    history.world.put(OIDS[1], there | theirs | {"PartOf": {"Identifier": {"Value": OIDS[0]}}})
    answer = query.query_oid("staging", OIDS[1])
    assert answer.record is not None
    factories.seen_organization(answer.record, user=history.people[0])


def start_occupied(history: History) -> None:
    """Redox accepted the parent; the child was saved, and its OID is somebody else's in the directory."""
    start_new(history)
    Send("parent").do(history)
    there = history.world.record(OIDS[0])
    assert there is not None
    theirs = {"Name": "Boston Hospital", "Identifiers": [{"ID": OIDS[1], "IDType": "OID"}]}
    history.world.put(OIDS[1], there | theirs | {"PartOf": {"Identifier": {"Value": GATEWAY_OID}}})


STARTS: tuple[Start, ...] = (start_new, start_accepted, start_taken_over, start_occupied)


@dataclass(slots=True)
class Base:
    """A start for histories. Each run is rolled back before the next one."""

    folder: Path
    start: History
    pages: Pages = field(init=False)
    at_the_start: Outcome = field(default_factory=Outcome)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.pages = Pages(self.start)
        _judge(self.pages, self.start, 0, self.at_the_start)

    def run(self, steps: Sequence[Step], *, to_the_first: bool = False, only_the_end: bool = False) -> Outcome:
        """Run the steps and judge every page at the start and after each step. `to_the_first` ends at a contradiction.

        A step that changes nothing is not judged. With `only_the_end`, only the last step is judged.
        """
        outcome = self.at_the_start.copied()
        with self.begun() as history:
            pages = self.pages.copied(history)
            for number, step in enumerate(steps, start=1):
                if to_the_first and outcome.contradictions:
                    break
                before = _state(history)
                step.do(history)
                if _state(history) != before and (number == len(steps) or not only_the_end):
                    _judge(pages, history, number, outcome, since=before[0])
        return outcome

    @contextmanager
    def begun(self) -> Iterator[History]:
        """A history at the start. Everything that it saves is rolled back."""
        folder = self.folder / str(next(self._numbers))
        history = self.start.copied(self.start.world.copied(folder))
        with override_settings(VAR_DIR=folder), history.world.in_place_of_redox(), _taken_back():
            yield history
        history.world.store.close()


def _state(history: History) -> tuple[int, *tuple[object, ...]]:
    """A summary of everything that the pages and the judges depend on."""
    world = history.world
    time = world.time.replace(microsecond=0)
    return AuditHead.objects.get().sequence, time, len(world.contents), len(world.replies), len(world.answers)


def _judge(pages: Pages, history: History, number: int, outcome: Outcome, *, since: int = 0) -> None:
    facts = Facts(history)
    for said in pages.say(since):
        outcome.claimed[said.kind] += 1
        if not judges.holds(facts, said):
            outcome.contradictions.append(Contradiction(said, number))


@contextmanager
def base(folder: Path, start: Start) -> Iterator[Base]:
    """A start for histories, in a transaction that is rolled back at the end."""
    times = {"REDOX_DEADLINE": 135.0, "REDOX_LEASE": float(LEASE), "REDOX_SETTLE": float(SETTLE), "REDOX_RATE": 1e6}
    settings = redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=BASE)
    folder.mkdir(parents=True, exist_ok=True)
    with override_settings(REDOX=settings, VAR_DIR=folder, **times), _taken_back():
        world = World.at(folder / "start")
        people = tuple(
            factories.UserFactory(role=role, first_name=name, last_name=number)
            for role, name, number in (
                ("editor", "Editor", "One"),
                ("editor", "Editor", "Two"),
                ("approver", "Ada", "Approver"),
            )
        )
        history = History(world, people, OIDS)
        with world.in_place_of_redox():
            start(history)
            prepared_base = Base(folder, history)
        yield prepared_base
        world.store.close()


@contextmanager
def _taken_back() -> Iterator[None]:
    """A transaction in which services may begin their own. It is rolled back at the end."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as in Django's own TestCase
    with block:
        yield
        transaction.set_rollback(True)


def find_shortest(run: Base, steps: Sequence[Step], kind: str) -> tuple[Step, ...]:
    """The shortest history with this kind of contradiction: without unneeded steps and failures."""
    shortest = tuple(steps)
    for place in reversed(range(len(shortest))):
        without = shortest[:place] + shortest[place + 1 :]
        if kind in run.run(without).kinds:
            shortest = without
    for place, step in enumerate(shortest):
        for plainer in _plainer(step):
            instead = (*shortest[:place], plainer, *shortest[place + 1 :])
            if kind in run.run(instead).kinds:
                shortest = instead
                break
    return shortest


def _plainer(step: Step) -> Iterator[Step]:
    """The step without its failures, the simplest first."""
    usual = {"way": Way.YES, "showing": Showing.AS_IT_IS}
    found = {name: value for name, value in usual.items() if getattr(step, name, value) != value}
    if found:
        yield replace(step, **found)  # type: ignore[type-var]
    if isinstance(step, SendBranch):
        yield from (Send(record, way=step.way) for record in RECORDS)
    for name, value in found.items() if len(found) > 1 else ():
        yield replace(step, **{name: value})  # type: ignore[type-var]
