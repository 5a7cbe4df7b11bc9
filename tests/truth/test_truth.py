"""Random histories: after each step no page says what the log of the world contradicts.

`.venv/bin/python -m tests.truth 2000` runs more of them and shows every kind of contradiction.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.truth import histories
from tests.truth.histories import STARTS, find_shortest
from tests.truth.steps import Step

HISTORIES = 25


@pytest.mark.slow
@pytest.mark.one_database
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(len(STARTS)), ids=[start.__name__ for start in STARTS])
def test_no_page_says_what_the_log_contradicts(part: int, tmp_path: Path) -> None:
    failed: list[tuple[str, list[Step]]] = []
    with histories.base(tmp_path, STARTS[part]) as run:

        @seed(part)
        @settings(
            max_examples=HISTORIES,
            # Each contradiction is shortened below, step by step: Hypothesis would try for minutes.
            phases=[Phase.generate],
            database=None,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(histories.histories)
        def check(steps: list[Step]) -> None:
            found = [] if failed else run.run(steps, to_the_first=True).contradictions
            if found:
                failed.append((found[0].said.kind, steps[: found[0].after]))

        check()
        for kind, steps in failed:
            shortest = find_shortest(run, steps, kind)
            told = "\n".join(f"{place}. {step}" for place, step in enumerate(shortest, start=1))
            pytest.fail(f"{STARTS[part].__doc__}\n{told}\nthe log contradicts:\n{run.run(shortest)}", pytrace=False)
