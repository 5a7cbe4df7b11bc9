"""Random histories: after each step no page says what the log of the world contradicts.

`.venv/bin/python -m tests.truth 2000` runs more of them and shows every kind of contradiction.
"""

from pathlib import Path

import pytest

from organizations.models import Intent
from tests.faults.world import Way
from tests.truth import drawing, histories, judges
from tests.truth.histories import (
    STARTS,
    Start,
    find_shortest,
    start_accepted,
    start_new,
    start_occupied,
    start_taken_over,
)
from tests.truth.steps import AskAboutRecord, Meddle, Meddling, Send, Step, Wait

pytestmark = [pytest.mark.slow, pytest.mark.one_database, pytest.mark.django_db]

HISTORIES = 6
"""How many are run from each start."""

EACH_KIND: tuple[tuple[Start, list[Step]], ...] = (
    (start_new, [AskAboutRecord("child"), Send("parent", way=Way.REFUSED)]),
    (start_new, [Send("parent", way=Way.NOT_APPLIED_504), Wait(25 * 3600)]),
    (start_accepted, [Send("parent", way=Way.NOT_VALID), Send("child", Intent.DEACTIVATE, Way.NO)]),
    (start_accepted, [Send("child", way=Way.TOO_MANY)]),
    (start_taken_over, [Send("parent", way=None)]),
    (start_occupied, [Send("child", way=Way.OTHER_YES)]),
    (
        start_occupied,
        [
            Meddle("parent", Meddling.PHONE),
            AskAboutRecord("parent"),
            Send("parent", way=Way.BREAKS),
            Send("child", way=Way.NOT_APPLIED_504),
            Wait(400),
            Wait(3600),
        ],
    ),
)
"""Histories whose pages make each kind of claim."""


def test_each_kind_of_claim_is_still_recognised(tmp_path: Path) -> None:
    """A recogniser of words that no page writes any more would let every such claim pass."""
    claimed: set[str] = set()
    for number, (start, steps) in enumerate(EACH_KIND):
        with histories.base(tmp_path / str(number), start) as run:
            claimed |= set(run.run(steps).claimed)
    assert claimed == set(judges.JUDGES)


@pytest.mark.parametrize("start", STARTS, ids=[start.__name__ for start in STARTS])
def test_no_page_says_what_the_log_contradicts(start: Start, tmp_path: Path) -> None:
    first = STARTS.index(start)
    with histories.base(tmp_path, start) as run:
        for number in range(first, first + HISTORIES * len(STARTS), len(STARTS)):
            steps = drawing.history(number)
            for found in run.run(steps, to_the_first=True).contradictions[:1]:
                shortest = find_shortest(run, steps[: found.after], found.said.kind)
                told = "\n".join(f"{place}. {step}" for place, step in enumerate(shortest, start=1))
                pytest.fail(f"{start.__doc__}\n{told}\nthe log contradicts:\n{run.run(shortest)}", pytrace=False)
