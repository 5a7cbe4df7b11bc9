"""Mutation testing: find the changes of the code that no test notices.

    .venv/bin/python -m tests.mutants organizations/redox/outcome.py            each mutant of this module
    .venv/bin/python -m tests.mutants organizations/redox/outcome.py:120-140    those of these lines

A mutant is a module with one change. It survives if the tests of the module still pass; MODULES says which these are.
Exit code 0: no mutant survived.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from tests.mutants import running
from tests.mutants.changes import mutants_of


class Module(NamedTuple):
    """The tests of a module, and which of its names to judge; none means all."""

    tests: tuple[str, ...]
    names: frozenset[str] = frozenset()


SENDING = (
    "tests/services/test_claim.py",
    "tests/services/test_submissions.py",
    "tests/services/test_delivery.py",
    "tests/services/test_delivery_faults.py",
    "tests/services/test_settling.py",
    "tests/services/test_gate.py",
    "tests/services/test_environments.py",
    "tests/services/test_above_and_below.py",
    "tests/services/test_shown_tree.py",
    "tests/services/test_turns.py",
    "tests/services/test_waiting_for_redox.py",
    "tests/faults/test_restored.py",
)
"""Claims, exchanges with the practice directory, and what closes the gate."""

REVIEWING = (
    "tests/presentation/test_review.py",
    "tests/presentation/test_review_page.py",
    "tests/presentation/test_deactivation.py",
    "tests/presentation/test_draft.py",
    "tests/presentation/test_other_active.py",
    "tests/services/test_submissions.py",
    "tests/services/test_blockers.py",
    "tests/services/test_claimed.py",
    "tests/services/test_differences.py",
    "tests/services/test_warnings.py",
    "tests/services/test_warning_ticks.py",
    "tests/services/test_who_is_named.py",
    "tests/services/test_doubles.py",
    "tests/services/test_plans.py",
    "tests/services/test_preparing.py",
    "tests/services/test_checking.py",
)
"""What a person is shown and asked before something is sent."""

MODULES = {
    "organizations/redox/outcome.py": Module(
        ("tests/redox/test_outcome.py", "tests/redox/test_outcome_success.py", "tests/redox/test_query_answers.py")
    ),
    "organizations/redox/errors.py": Module(
        ("tests/redox/test_errors.py",),
        frozenset({"_BY_STATUS", "_NOT_SENT", "_row_key", "_not_executed_key", "_rejected_key", "_with_step"}),
    ),
    "organizations/redox/resolution.py": Module(("tests/redox/test_resolution.py",)),
    "organizations/permissions.py": Module(
        ("tests/test_permissions.py", "tests/services/test_environments.py::TestRights")
    ),
    "organizations/models/submission.py": Module(
        ("tests/services/test_queue.py",),
        frozenset(
            {"State", "MOVES", "OPEN_STATES", "SubmissionQuerySet", "Submission.is_open", "Submission.can_be_cancelled"}
        ),
    ),
    "organizations/models/gate.py": Module(
        ("tests/services/test_queue.py",),
        frozenset(f"EnvironmentGate.{name}" for name in ("is_stopped", "is_held", "is_asked_to_wait", "is_open")),
    ),
    "organizations/knowledge.py": Module(("tests/test_knowledge.py",)),
    "organizations/services/settling.py": Module(
        (
            "tests/services/test_settling.py",
            "tests/services/test_claim.py",
            "tests/services/test_delivery.py",
            "tests/services/test_delivery_faults.py",
            "tests/services/test_deciding.py",
            "tests/services/test_resolving.py",
            "tests/services/test_plans.py",
        )
    ),
    "organizations/services/reviews.py": Module(REVIEWING),
    "organizations/services/warnings.py": Module(REVIEWING),
    "organizations/services/record_warnings.py": Module(
        ("tests/services/test_record_warnings.py", "tests/services/test_record_warning_values.py")
    ),
    "organizations/services/delivery.py": Module(SENDING),
    "organizations/services/gateway.py": Module(
        (
            *(
                "tests/services/test_door.py",
                "tests/services/test_refused_queries.py",
                "tests/services/test_directory.py",
            ),
            *SENDING,
        ),
        frozenset({"check_door", "exchange", "ask", "is_loopback"}),
    ),
}


def main(arguments: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="orgportal-mutants-") as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        os.chdir(running.ROOT)
        return max([0, *(_judge(*_chosen(argument)) for argument in arguments)])


def _chosen(argument: str) -> tuple[str, range]:
    path, _, lines = argument.partition(":")
    first, _, last = lines.partition("-")
    return path, range(int(first or 1), int(last or first or 10**6) + 1)


def _judge(path: str, lines: range) -> int:
    """Print the mutants of these lines that survive; 1 if there are any."""
    module, source = MODULES[path], (running.ROOT / path).read_text(encoding="utf-8")
    mutants = [mutant for mutant in mutants_of(source, module.names) if mutant.line in lines]
    output = f"{tempfile.gettempdir()}/output.txt"
    with ProcessPoolExecutor(1, get_context("fork")) as process:
        arguments = path, [mutant for mutant in mutants if mutant.function], module.tests, output
        outcomes, rest, seconds = process.submit(running.in_place, *arguments).result()
    if not seconds:
        sys.exit(f"{Path(output).read_text()}\n{path}: its tests fail without any change.")

    def job(name: object, source: str) -> tuple[object, Callable[[], object], float]:
        return name, partial(running.imported, path, source, module.tests), running.limit_of(seconds + 3)

    controls = {source: running.SURVIVED, "raise RuntimeError": running.KILLED}
    if dict(running.in_processes(job(control, control) for control in controls)) != controls:
        sys.exit(f"{path}: its tests pass without it, or fail in a new process.")
    rest += [mutant for mutant in mutants if not mutant.function]
    outcomes += running.report(path, running.in_processes(job(mutant, mutant.source) for mutant in rest))
    print(f"{path}: {len(mutants)} mutants, {', '.join(f'{n} {what}' for what, n in sorted(outcomes.items()))}")
    return 1 if outcomes[running.SURVIVED] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
