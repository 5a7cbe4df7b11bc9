"""Random histories: after each step no page says what the log of the world contradicts.

`.venv/bin/python -m tests.truth 2000` runs more of them and shows every kind of contradiction.
"""

import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.truth import histories, judges
from tests.truth.histories import STARTS, find_shortest
from tests.truth.steps import Step

HISTORIES = 25
DRAWN = 10
"""How many are drawn for each one that is run: Hypothesis draws a history, and then several that are much like it."""

NOT_CLAIMED: tuple[frozenset[str], ...] = (
    frozenset(
        (
            "Redox wrote",
            "Active as before its change",
            "no message accepted",
            "Redox said that the OID is not there",
            "did not reach Redox",
            "the directory showed it",
            "the directory did not show it",
            "the directory showed this value",
            "somebody changed the directory",
            "may have arrived",
            "the next attempt follows at",
            "a worker will take it",
        )
    ),
    frozenset(
        (
            "Redox wrote",
            "no message accepted",
            "unknown",
            "never sent",
            "the directory did not show it",
            "the directory does not show it now",
            "may have arrived",
            "first registration",
        )
    ),
    frozenset(
        (
            "Redox wrote",
            "Active as before its change",
            "Redox said that the OID is not there",
            "unknown",
            "not executed",
            "never sent",
            "the directory does not show it now",
            "first registration",
        )
    ),
    frozenset(
        (
            "no message accepted",
            "not executed",
            "the directory showed it",
            "the directory did not show it",
            "the directory does not show it now",
        )
    ),
)
"""The kinds of claims that a part need not make: its histories do not come to them."""


def test_each_kind_of_claim_is_judged_in_a_part() -> None:
    assert frozenset.intersection(*NOT_CLAIMED) == frozenset()


@pytest.mark.slow
@pytest.mark.one_database
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(len(STARTS)), ids=[start.__name__ for start in STARTS])
def test_no_page_says_what_the_log_contradicts(part: int, tmp_path: Path) -> None:
    failed: list[tuple[str, list[Step]]] = []
    claimed: Counter[str] = Counter()
    drawn = itertools.count(1)
    with histories.base(tmp_path, STARTS[part]) as run:

        @seed(part)
        @settings(
            max_examples=HISTORIES * DRAWN,
            # Each contradiction is shortened below, step by step: Hypothesis would try for minutes.
            phases=[Phase.generate],
            database=None,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(histories.histories)
        def check(steps: list[Step]) -> None:
            if failed or next(drawn) % DRAWN:
                return
            outcome = run.run(steps, to_the_first=True)
            claimed.update(outcome.claimed)
            for found in outcome.contradictions[:1]:
                failed.append((found.said.kind, steps[: found.after]))

        check()
        for kind, steps in failed:
            shortest = find_shortest(run, steps, kind)
            told = "\n".join(f"{place}. {step}" for place, step in enumerate(shortest, start=1))
            pytest.fail(f"{STARTS[part].__doc__}\n{told}\nthe log contradicts:\n{run.run(shortest)}", pytrace=False)
    # A recogniser of words that no page writes any more would let every such claim pass.
    assert set(judges.JUDGES) - set(claimed) <= NOT_CLAIMED[part]
