"""Mutation testing: find the changes of the code that no test notices.

    .venv/bin/python -m tests.mutants organizations/redox/outcome.py            each mutant of this module
    .venv/bin/python -m tests.mutants organizations/redox/outcome.py:120-140    those of these lines

A mutant is a module with one change. It survives if the tests of the module still pass; MODULES says which these are.
Exit code 0: no mutant survived. 1: some did. 2: a module that MODULES does not list.
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
    """The tests of a module, and which of its names to change; all if `names` is empty."""

    tests: tuple[str, ...]
    names: frozenset[str] = frozenset()


COURIER = (
    "tests/services/delivery/test_lane_steps.py",
    "tests/services/delivery/test_lane.py",
    "tests/services/delivery/test_gathering.py",
    "tests/services/delivery/test_courier_rounds.py",
    "tests/services/delivery/test_courier.py",
)
SENDING = (
    "tests/services/delivery/test_claim.py",
    "tests/services/outbox/test_submissions.py",
    "tests/services/delivery/test_delivery.py",
    "tests/services/delivery/test_delivery_faults.py",
    "tests/services/delivery/test_settle.py",
    "tests/services/connection/test_breaker.py",
    "tests/services/connection/test_check.py",
    "tests/services/review/test_above_and_below.py",
    "tests/services/records/test_shown_tree.py",
    "tests/services/connection/test_rate_limit.py",
    "tests/services/delivery/test_waiting_for_redox.py",
    "tests/faults/test_restored.py",
)
"""Tests of claims, of exchanges with the practice directory, and of the circuit breaker."""

REVIEWING = (
    "tests/pages/review/test_message.py",
    "tests/pages/review/test_review_page.py",
    "tests/pages/test_deactivation.py",
    "tests/pages/plan/test_draft.py",
    "tests/pages/record/test_other_active.py",
    "tests/services/outbox/test_submissions.py",
    "tests/services/review/test_blockers.py",
    "tests/services/directory/test_claimed.py",
    "tests/services/directory/test_differences.py",
    "tests/services/review/test_warnings.py",
    "tests/services/review/test_warning_ticks.py",
    "tests/services/records/test_authors.py",
    "tests/services/review/test_near_duplicates.py",
    "tests/services/outbox/test_plans.py",
    "tests/services/records/test_prepare.py",
    "tests/services/review/test_check_records.py",
)
"""Tests of what a page shows and asks a person before something is sent."""

PLANNING = (
    "tests/services/outbox/test_plans.py",
    "tests/pages/plan/test_draft.py",
    "tests/services/records/test_shown_tree.py",
    "tests/services/review/test_warning_ticks.py",
)
"""Tests of sending several records together."""

SCANNING = (
    "tests/services/directory/test_scan.py",
    "tests/services/directory/test_scan_probes.py",
    "tests/services/directory/test_scan_misbehaviour.py",
)
"""Tests of the search through the whole directory."""

TAKING_OVER = (
    "tests/services/directory/test_take_over.py",
    "tests/services/directory/test_asking.py",
    "tests/services/directory/test_shared_answers.py",
)

MODULES = {
    "organizations/redox/outcome.py": Module(
        ("tests/redox/test_outcome.py", "tests/redox/test_outcome_success.py", "tests/redox/test_query_answers.py")
    ),
    "organizations/redox/errors.py": Module(
        ("tests/redox/test_errors.py",),
        frozenset({"_BY_STATUS", "_NOT_SENT", "_explanation_key", "_not_executed_key", "_rejected_key", "_with_step"}),
    ),
    "organizations/redox/directory_query.py": Module(("tests/redox/test_directory_query.py",)),
    "organizations/redox/paging.py": Module(("tests/redox/test_paging.py",)),
    "organizations/pages/directory/results.py": Module(("tests/pages/test_directory.py",)),
    "organizations/forms/directory.py": Module(
        ("tests/forms/test_directory_form.py",),
        frozenset({"DirectorySearchForm.clean", "DirectorySearchForm._check_radius", "_read_radius", "_read_day"}),
    ),
    "organizations/services/directory/ownership.py": Module(("tests/services/directory/test_ownership.py",)),
    "organizations/services/directory/page_query.py": Module(SCANNING),
    "organizations/services/directory/read_candidates.py": Module(
        ("tests/services/directory/test_read_candidates.py",)
    ),
    "organizations/services/directory/run_take_over.py": Module(
        (*TAKING_OVER, "tests/services/directory/test_scan_probes.py")
    ),
    "organizations/services/directory/scan.py": Module(SCANNING),
    "organizations/services/directory/scan_matches.py": Module(SCANNING),
    "organizations/services/directory/scan_probes.py": Module(SCANNING),
    "organizations/services/directory/search.py": Module(
        ("tests/services/directory/test_search.py", "tests/services/directory/test_search_readings.py")
    ),
    "organizations/services/directory/take_over.py": Module(
        ("tests/services/directory/test_take_over_acts.py", *TAKING_OVER)
    ),
    "organizations/services/directory/unlinked_pairs.py": Module(
        ("tests/services/directory/test_unlinked_pairs.py", "tests/pages/take_over/test_link_page.py")
    ),
    "organizations/redox/resolution.py": Module(("tests/redox/test_resolution.py",)),
    "organizations/permissions.py": Module(("tests/test_permissions.py",)),
    "organizations/models/submission.py": Module(
        ("tests/services/outbox/test_queue.py",),
        frozenset(
            {"State", "MOVES", "OPEN_STATES", "SubmissionQuerySet", "Submission.is_open", "Submission.can_be_cancelled"}
        ),
    ),
    "organizations/models/gate.py": Module(
        ("tests/services/outbox/test_queue.py",),
        frozenset(f"EnvironmentGate.{name}" for name in ("is_stopped", "is_paused", "is_asked_to_wait", "can_send")),
    ),
    "organizations/knowledge.py": Module(("tests/test_knowledge.py",)),
    "organizations/services/delivery/settle.py": Module(
        (
            "tests/services/delivery/test_stored_outcomes.py",
            "tests/services/delivery/test_settle.py",
            "tests/services/audit/test_outcomes.py",
            "tests/services/delivery/test_claim.py",
            "tests/services/delivery/test_delivery.py",
            "tests/services/outbox/test_plans.py",
        )
    ),
    "organizations/services/delivery/resolve.py": Module(("tests/services/delivery/test_resolve.py",)),
    "organizations/services/delivery/decide.py": Module(
        (
            "tests/services/delivery/test_decide.py",
            "tests/pages/test_decisions.py",
            "tests/pages/submission/test_decision.py",
        )
    ),
    "organizations/services/outbox/plans.py": Module(
        (
            "tests/services/outbox/test_stored_plans.py",
            "tests/services/outbox/test_plans.py",
            "tests/services/records/test_shown_tree.py",
            "tests/services/test_locks.py",
        )
    ),
    "organizations/services/review/reviews.py": Module(("tests/services/review/test_reviews.py", *REVIEWING)),
    "organizations/services/review/plan_draft.py": Module(PLANNING),
    "organizations/services/review/blockers.py": Module(
        (
            "tests/services/review/test_blockers.py",
            "tests/services/review/test_above_and_below.py",
            "tests/services/records/test_shown_tree.py",
            "tests/services/outbox/test_plans.py",
        ),
        frozenset(
            {"blockers_of", "is_undecided", "unreadable_message", "circle_block_reason", "parent_shown_deactivated"}
        )
        | {"_awaits_new", "_open_submission", "_foreign"}
        | {"_already_there", "_unknown", "_circle", "_parent_blocker", "_deactivated_parent"}
        | {"_deactivation_blocker", "_reactivation_blocker", "_rejected_as_absent"}
        | {"_children_sentence", "_first_shown_active"},
    ),
    "organizations/services/review/warnings.py": Module(REVIEWING),
    "organizations/services/review/record_warnings.py": Module(
        ("tests/services/review/test_record_warnings.py", "tests/services/review/test_record_warning_values.py")
    ),
    "organizations/services/delivery/claims.py": Module((*COURIER, *SENDING)),
    "organizations/services/delivery/courier.py": Module(COURIER),
    "organizations/services/delivery/lane.py": Module((*COURIER, "tests/services/delivery/test_waiting_for_redox.py")),
    "organizations/services/delivery/sender.py": Module(
        ("tests/services/delivery/test_sender.py", "tests/services/delivery/test_lane_queries.py")
    ),
    "organizations/services/delivery/lane_queries.py": Module(
        (
            "tests/services/delivery/test_lane_steps.py",
            "tests/services/delivery/test_lane_queries.py",
            "tests/services/connection/test_lookup.py",
            "tests/services/delivery/test_waiting_for_redox.py",
        )
    ),
    "organizations/services/delivery/abandoned.py": Module(("tests/services/delivery/test_courier.py", *SENDING)),
    "organizations/services/connection/redox_settings.py": Module(
        ("tests/services/connection/test_redox_settings.py", "tests/services/connection/test_sending_allowed.py"),
        frozenset({"is_loopback"}),
    ),
    "organizations/services/connection/breaker.py": Module(
        (
            "tests/services/connection/test_breaker.py",
            "tests/services/delivery/test_resolve.py",
            "tests/services/delivery/test_waiting_for_redox.py",
        )
    ),
    "organizations/services/connection/redox_requests.py": Module(
        (
            *(
                "tests/services/connection/test_sending_allowed.py",
                "tests/services/connection/test_refused_queries.py",
                "tests/services/connection/test_lookup.py",
            ),
            *SENDING,
        ),
        frozenset({"check_sending_allowed", "send_query"}),
    ),
    "organizations/services/outbox/submissions.py": Module(
        (
            "tests/services/outbox/test_stored_submissions.py",
            "tests/services/outbox/test_submissions.py",
            "tests/services/test_locks.py",
        )
    ),
    "organizations/services/records/prepare.py": Module(
        ("tests/services/records/test_prepare.py", "tests/services/test_locks.py")
    ),
    "organizations/services/records/directory_state.py": Module(
        (
            "tests/services/records/test_directory_state.py",
            "tests/services/records/test_readings.py",
            "tests/services/records/test_shown_place.py",
        )
    ),
    "organizations/services/connection/rate_limit.py": Module(("tests/services/connection/test_rate_limit.py",)),
}


def main(arguments: Sequence[str]) -> int:
    chosen = [_chosen(argument) for argument in arguments]
    if not chosen or any(path not in MODULES for path, _ in chosen):
        print(__doc__, "The modules that can be judged:", *MODULES, sep="\n", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="orgportal-mutants-") as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        os.chdir(running.ROOT)
        return max(_judge(path, lines) for path, lines in chosen)


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
