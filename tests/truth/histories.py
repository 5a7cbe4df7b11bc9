"""Histories: where they start, how they are drawn, and how one is run and judged after each step."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.db import transaction
from django.test import override_settings
from hypothesis import strategies as st

from organizations.models import AuditHead, Intent, PlanKind
from organizations.redox.environment import GATEWAY_OID
from organizations.services import asking, organizations
from tests import factories
from tests.connected import redox
from tests.factories import BASE, acting
from tests.faults.world import Showing, Way, World
from tests.truth import claims, judges
from tests.truth.claims import Said
from tests.truth.facts import Facts
from tests.truth.history import RECORDS, History
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
SETTLE, LEASE = 120, 210
OIDS = (f"{BASE}.1", f"{BASE}.1.1")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A claim that the log contradicts, and after how many steps it was made; 0: at the start."""

    said: Said
    after: int


@dataclass(slots=True)
class Outcome:
    """What came of one history."""

    contradictions: list[Contradiction] = field(default_factory=list)
    claimed: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Each contradicted kind once, with the first claim of it."""
        first: dict[str, Contradiction] = {}
        for found in self.contradictions:
            first.setdefault(found.said.kind, found)
        return "\n".join(f"{kind}, after step {found.after}: {found.said}" for kind, found in sorted(first.items()))

    def check(self) -> None:
        """Raises AssertionError with the contradicted claims, if there are any."""
        if self.contradictions:
            raise AssertionError(f"the log contradicts:\n{self}")

    @property
    def kinds(self) -> set[str]:
        return {found.said.kind for found in self.contradictions}


def start_new(history: History) -> None:
    """Parent and child were saved and never sent."""
    for oid, part_of_oid in zip(OIDS, (GATEWAY_OID, OIDS[0]), strict=True):
        record = factories.record(oid, part_of_oid=part_of_oid, aliases=("Alpha", "Beta"))
        organizations.create(record, "staging", stands_for="", actor=acting(history.people[0]))
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
    made = history.organization("child")
    organizations.withdraw(made.pk, made.version, actor=acting(history.people[0]))
    history.edits = [edit for edit in history.edits if edit.oid != OIDS[1]]
    there = history.world.record(OIDS[0])
    assert there is not None
    theirs = {"Name": "Hill Clinic", "Identifiers": [{"ID": OIDS[1], "IDType": "OID"}]}
    history.world.put(OIDS[1], there | theirs | {"PartOf": {"Identifier": {"Value": OIDS[0]}}})
    answer = asking.query("staging", OIDS[1])
    assert answer.record is not None
    organizations.take_over(answer.record, "staging", actor=acting(history.people[0]))


def start_occupied(history: History) -> None:
    """Redox accepted the parent; the child was saved, and its OID is somebody else's in the directory."""
    start_new(history)
    Send("parent").do(history)
    there = history.world.record(OIDS[0])
    assert there is not None
    theirs = {"Name": "Boston Hospital", "Identifiers": [{"ID": OIDS[1], "IDType": "OID"}]}
    history.world.put(OIDS[1], there | theirs | {"PartOf": {"Identifier": {"Value": GATEWAY_OID}}})


STARTS: tuple[Callable[[History], None], ...] = (start_new, start_accepted, start_taken_over, start_occupied)


@dataclass(slots=True)
class Base:
    """A start, from which histories are run. Nothing of one is left when the next begins."""

    folder: Path
    start: History
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, steps: Sequence[Step], *, to_the_first: bool = False) -> Outcome:
        """Do the steps and judge all that every page says, at the start and after each; or to the first contradiction.

        A step after which nothing is different is not judged again.
        """
        outcome = Outcome()
        with self.begun() as history:
            told = AuditHead.objects.get().sequence
            _judge(history, told, 0, outcome)
            for number, step in enumerate(steps, start=1):
                if to_the_first and outcome.contradictions:
                    break
                before = _state(history)
                step.do(history)
                if _state(history) != before:
                    _judge(history, told, number, outcome)
                told = AuditHead.objects.get().sequence
        return outcome

    @contextmanager
    def begun(self) -> Iterator[History]:
        """A history at the start, for its own steps; all that it saved is taken back."""
        folder = self.folder / str(next(self._numbers))
        history = self.start.copied(self.start.world.copied(folder))
        with override_settings(VAR_DIR=folder), history.world.in_place_of_redox(), _taken_back():
            yield history
        history.world.store.close()


def _state(history: History) -> tuple[object, ...]:
    """All on which the pages and their judges depend, in short."""
    world = history.world
    time = world.time.replace(microsecond=0)
    return AuditHead.objects.get().sequence, time, len(world.contents), len(world.replies), len(world.answers)


def _judge(history: History, told: int, number: int, outcome: Outcome) -> None:
    facts = Facts(history)
    for said in claims.everything(history, told):
        outcome.claimed[said.kind] += 1
        if not judges.holds(facts, said):
            outcome.contradictions.append(Contradiction(said, number))


@contextmanager
def base(folder: Path, start: Callable[[History], None]) -> Iterator[Base]:
    """The start of histories, in a database that is taken back at the end."""
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
        yield Base(folder, history)
        world.store.close()


@contextmanager
def _taken_back() -> Iterator[None]:
    """A transaction inside which services may begin theirs, rolled back at the end."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as in Django's own TestCase
    with block:
        yield
        transaction.set_rollback(True)


def find_shortest(run: Base, steps: Sequence[Step], kind: str) -> tuple[Step, ...]:
    """The history without each step, and with each fault left out, that this kind of contradiction does not need."""
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
    """The step without its faults, the plainest first."""
    usual = {"way": Way.YES, "showing": Showing.AS_IT_IS}
    found = {name: value for name, value in usual.items() if getattr(step, name, value) != value}
    if found:
        yield replace(step, **found)  # type: ignore[type-var]
    if isinstance(step, SendBranch):
        yield from (Send(record, way=step.way) for record in RECORDS)
    for name, value in found.items() if len(found) > 1 else ():
        yield replace(step, **{name: value})  # type: ignore[type-var]


def _weighted[T](*choices: tuple[int, st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """One of these, each so often; `one_of` would take all of them for equal."""
    places = [place for place, (weight, _) in enumerate(choices) for _ in range(weight)]
    return st.sampled_from(places).flatmap(lambda place: choices[place][1])


_records = st.sampled_from(("child", "child", "parent"))
_people = st.sampled_from((0, 1))
_ways = st.sampled_from(
    (Way.NOT_APPLIED_504, Way.NOT_APPLIED_504, Way.APPLIED_504, Way.OTHER_YES, Way.LATE, Way.YES, Way.YES, *Way)
)
_showings = st.sampled_from((Showing.AS_IT_IS, Showing.AS_IT_IS, *Showing, None))
_seconds = st.sampled_from((SETTLE + 1, SETTLE + 1, SETTLE + 1, 31, 400, 3600, 25 * 3600))
_intents = st.sampled_from((None, None, Intent.DEACTIVATE, Intent.REACTIVATE))
_some_way = _weighted((4, _ways), (1, st.none()))
_send = st.builds(Send, _records, _intents, _some_way, _people)
_wait = st.builds(Wait, _seconds, _ways, _showings)
_meddle = st.builds(Meddle, _records, st.sampled_from(Meddling))
_decide = st.builds(Decide, st.sampled_from((0, 1, 2, 3, 4)))
_ask = st.builds(Ask, _showings) | st.builds(AskAboutRecord, _records, _showings)


@st.composite
def _work_on_a_record(draw: st.DrawFn) -> list[Step]:
    """What most histories are made of: an edit, a message, and what happens meanwhile and afterwards."""
    record, person = draw(_records), draw(_people)
    edit = draw(st.builds(Edit, _people, st.just(record), st.sampled_from(Change)))
    send = Send(record, way=draw(_ways), person=person)
    meanwhile = draw(_weighted((3, _wait), (1, _meddle), (1, _ask)))
    return [edit, send, meanwhile, draw(_weighted((4, _wait), (1, _decide)))]


@st.composite
def _seen_otherwise(draw: st.DrawFn) -> list[Step]:
    """The directory shows something else than was accepted, and somebody does something about it."""
    record, person = draw(_records), draw(_people)
    meddle = draw(st.builds(Meddle, st.just(record), st.sampled_from(Meddling)))
    edit = Edit(person, record, draw(st.sampled_from(Change)))
    after = (TakeTheirs(record), edit, draw(_send), draw(_wait))
    return [meddle, AskAboutRecord(record), *draw(st.lists(st.sampled_from(after), max_size=2))]


_rare = _weighted(
    (2, st.builds(Cancel)),
    (2, st.builds(Discard, _records)),
    (2, st.builds(TakeTheirs, _records)),
    (2, st.builds(SendBranch, st.sampled_from(PlanKind), _ways)),
    (1, st.builds(GoOn)),
)
_alone: st.SearchStrategy[Step] = _weighted(
    (2, st.builds(Edit, _people, _records, st.sampled_from(Change))),
    (4, _send),
    (4, _wait),
    (2, _meddle),
    (1, _ask),
    (2, _decide),
    (2, _rare),
)
_killed = st.builds(lambda send, way: [replace(send, way=None), WorkerDies(way), Wait(LEASE + 1)], _send, _ways)
_returned = st.builds(
    lambda record, way: [Send(record, Intent.DEACTIVATE, way), Cancel()], _records, st.sampled_from((None, Way.NO))
)
_parts = _weighted(
    (5, _work_on_a_record()),
    (5, _alone.map(lambda step: [step])),
    (3, _seen_otherwise()),
    (1, _returned),
    (1, _killed),
)
histories = st.lists(_parts, min_size=2, max_size=6).map(lambda parts: list(itertools.chain(*parts))[:MOST_STEPS])
