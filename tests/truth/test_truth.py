"""No page contradicts the log, in random histories and in those in which a page once made a wrong claim.

`.venv/bin/python -m tests.truth 2000` runs more of them and shows every kind of contradiction.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from organizations.models import Intent, State, Verdict
from organizations.services.delivery import query
from tests.factories import as_actor
from tests.faults.world import Way
from tests.truth import drawing, histories, judges
from tests.truth.histories import (
    STARTS,
    Base,
    Start,
    find_shortest,
    start_accepted,
    start_new,
    start_occupied,
    start_taken_over,
)
from tests.truth.history import SETTLE, History
from tests.truth.steps import (
    Ask,
    AskAboutRecord,
    Change,
    Decide,
    Edit,
    Meddle,
    Meddling,
    Send,
    Step,
    TakeTheirs,
    Wait,
    decide_last,
)

HISTORIES = 4
"""How many histories are drawn: one from each start. CASES alone has every kind of claim."""


@dataclass(frozen=True, repr=False)
class DecideOurs(Step):
    """The approver queries and decides that the record is ours, against any proposal of the portal."""

    def __str__(self) -> str:
        return f"the approver decides: {Verdict.OURS}"

    def do(self, history: History) -> None:
        submission = history.last_submission(State.NEEDS_PERSON)
        assert submission is not None
        query.query_for_submission(submission, actor=as_actor(history.people[2]))
        decide_last(history, submission, Verdict.OURS)


class Case(NamedTuple):
    what: str
    steps: tuple[Step, ...]


NOT_APPLIED = Send("child", way=Way.NOT_APPLIED_504)
SETTLED = Wait(SETTLE + 1)
A_DAY_WITHOUT_ANSWERS = Wait(25 * 3600, showing=None)

NEW = (
    Case(
        "the directory does not show an OID, and the message of its parent was refused before it left",
        (AskAboutRecord("child"), Send("parent", way=Way.REFUSED)),
    ),
    Case("a New was not applied, and a day passes", (Send("parent", way=Way.NOT_APPLIED_504), Wait(25 * 3600))),
)
ACCEPTED = (
    *(
        Case(
            "an Update was not applied, and the directory shows the old value, which means the same",
            (Edit(0, "child", change), NOT_APPLIED, SETTLED),
        )
        for change in (Change.ZIP_FOUR, Change.ALIASES)
    ),
    *(
        Case(
            "no Query is answered for a day, and the portal proposes what became of the message",
            (Edit(0, "child", change), Send("child", way=way), A_DAY_WITHOUT_ANSWERS, Ask()),
        )
        for change, way in (
            (Change.ZIP_FOUR, Way.NOT_APPLIED_504),
            (Change.NAME, Way.NOT_APPLIED_504),
            (Change.NAME, Way.APPLIED_504),
        )
    ),
    *(
        Case(
            "an Update was applied and its answer lost, or in other words; a Query shows it",
            (Edit(0, "child", Change.STREET), Send("child", way=way), SETTLED),
        )
        for way in (Way.BREAKS, Way.LATE, Way.OTHER_YES)
    ),
    Case(
        "the directory was read after the last acceptance and shows another Name; then the Street is edited",
        (
            Edit(0, "child", Change.PHONE),
            NOT_APPLIED,
            Meddle("child", Meddling.NAME),
            Ask(),
            Wait(SETTLE + 1, Way.NO),
            Edit(0, "child", Change.STREET),
        ),
    ),
    *(
        Case(
            "Redox called the OID of a record that is there not valid; the New that followed was never applied",
            (Send("child", way=Way.NOT_VALID), Edit(0, "child", change), NOT_APPLIED, SETTLED),
        )
        for change in (Change.ZIP_FOUR, Change.DESTINATION)
    ),
    Case(
        "Redox called the OID not valid; the New that follows carries what Editor One saved, and Editor Two only sends",
        (Send("child", way=Way.NOT_VALID, person=1), Send("child", person=1)),
    ),
    Case(
        "a reading showed another value, and then Redox called the OID not valid: no value differs any more",
        (NOT_APPLIED, Meddle("child", Meddling.ACTIVE), Wait(SETTLE + 1, Way.NOT_VALID)),
    ),
    Case(
        "the directory goes back to what it showed before the last acceptance; nothing else was seen since",
        (Send("child", Intent.DEACTIVATE), Meddle("child", Meddling.ACTIVE), AskAboutRecord("child")),
    ),
    Case(
        "Redox calls the OID of the parent not valid and rejects the deactivation of the child",
        (Send("parent", way=Way.NOT_VALID), Send("child", Intent.DEACTIVATE, Way.NO)),
    ),
    Case("Redox is asked too often", (Send("child", way=Way.TOO_MANY),)),
    Case(
        "the directory shows Active = false, and a person takes it: no message says so",
        (Meddle("child", Meddling.ACTIVE), AskAboutRecord("child"), TakeTheirs("child")),
    ),
)
TAKEN_OVER = (
    Case("what is sent waits", (Send("parent", way=None),)),
    Case(
        "the editor of a record that was taken over says only its destination ID",
        (Edit(0, "child", Change.DESTINATION),),
    ),
    Case(
        "a value that an editor replaced is seen again",
        (Edit(0, "child", Change.PARENT), AskAboutRecord("child"), Edit(1, "child", Change.DESTINATION)),
    ),
)
OCCUPIED = (
    Case("the OID is another organization's, and a person decides that it is ours", (Send("child"), DecideOurs())),
    Case(
        "a person decides against what the directory shows, which leaves a difference",
        (Send("child", way=Way.LOST), Wait(3600), Decide(0)),
    ),
)

CASES: dict[Start, tuple[Case, ...]] = {
    start_new: NEW,
    start_accepted: ACCEPTED,
    start_taken_over: TAKEN_OVER,
    start_occupied: OCCUPIED,
}
"""Short histories in which the portal once said more than it knew, and those whose pages make rare kinds of claims.

None is longer than necessary: the wrong or rare claim is made after the last step.
"""


@pytest.mark.one_database
@pytest.mark.django_db
def test_no_page_says_what_the_log_contradicts(tmp_path: Path) -> None:
    """Each kind of claim must occur once: a recogniser of an outdated text would accept every claim of its kind."""
    wrong: list[str] = []
    claimed: set[str] = set()
    for place, start in enumerate(STARTS):
        with histories.base(tmp_path / start.__name__, start) as run:
            for what, steps in CASES[start]:
                outcome = run.run(steps, only_the_end=True)
                claimed |= set(outcome.claimed)
                wrong += [f"{what}\n{outcome}"] if outcome.contradictions else []
            for number in range(place, HISTORIES, len(STARTS)):
                wrong += contradicted(run, drawing.history(number))
    assert not wrong, "\n\n".join(wrong)
    assert claimed == set(judges.JUDGES)


def contradicted(run: Base, steps: list[Step]) -> list[str]:
    """The first contradiction of a history, with the shortest history that has it."""
    found = run.run(steps, to_the_first=True).contradictions[:1]
    shortest = [find_shortest(run, steps[: each.after], each.said.kind) for each in found]
    return [f"{'; '.join(map(str, each))}\n{run.run(each)}" for each in shortest]
