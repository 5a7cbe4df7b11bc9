"""Run many histories and show each kind of claim that the log contradicts, with its shortest history.

.venv/bin/python -m tests.truth 2000
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection  # noqa: E402 - the settings come first

from tests.truth import drawing, judges  # noqa: E402
from tests.truth.histories import STARTS, Base, Contradiction, base, find_shortest  # noqa: E402
from tests.truth.steps import Step  # noqa: E402

type Found = dict[str, tuple[Base, tuple[Step, ...], Contradiction]]


def collect(run: Base, numbers: Iterable[int], claimed: Counter[str]) -> Found:
    """Run the histories with these numbers from one start. Returns each contradicted kind with its shortest history."""
    found: Found = {}
    for number in numbers:
        steps = drawing.history(number)
        outcome = run.run(steps)
        claimed.update(outcome.claimed)
        for contradiction in outcome.contradictions:
            needed, kind = tuple(steps[: contradiction.after]), contradiction.said.kind
            if kind not in found or _size(needed) < _size(found[kind][1]):
                found[kind] = (run, needed, contradiction)
    return {kind: _shortened(kind, *each) for kind, each in found.items()}


def _shortened(
    kind: str, run: Base, steps: tuple[Step, ...], first: Contradiction
) -> tuple[Base, tuple[Step, ...], Contradiction]:
    shortest = find_shortest(run, steps, kind)
    again = (found for found in run.run(shortest).contradictions if found.said.kind == kind)
    return run, shortest, next(again, first)


def _size(steps: tuple[Step, ...]) -> tuple[int, int]:
    """Fewer steps first, then fewer words."""
    return len(steps), sum(len(str(step)) for step in steps)


def main(number: int) -> int:
    """Exit code 1 when a claim was contradicted, else 0."""
    connection.creation.create_test_db(verbosity=0)
    found: Found = {}
    starts: dict[str, str] = {}
    claimed: Counter[str] = Counter()
    for part, start in enumerate(STARTS):
        with tempfile.TemporaryDirectory() as folder, base(Path(folder), start) as run:
            for kind, each in collect(run, range(part, number, len(STARTS)), claimed).items():
                if kind not in found or _size(each[1]) < _size(found[kind][1]):
                    found[kind], starts[kind] = each, (start.__doc__ or "").strip()
    for kind, (_, steps, contradiction) in sorted(found.items()):
        print(f"\n{kind}\n  says {contradiction.said}\n  start: {starts[kind]}")
        print("\n".join(f"  {place}. {step}" for place, step in enumerate(steps, start=1)))
    print(f"\nclaims judged: {sum(claimed.values()):,}; kinds contradicted: {len(found)} of {len(judges.JUDGES)}")
    print(f"kinds never claimed: {', '.join(sorted(set(judges.JUDGES) - set(claimed))) or 'none'}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
