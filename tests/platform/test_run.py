"""The summary that `./dev test` prints at its end."""

import subprocess
import sys

import pytest

from tests.run import BUDGET, SLACK, Result, Spent, judge, machine_slowness, read_summary


@pytest.mark.parametrize(
    ("line", "code", "result"),
    [
        ("12 passed in 0.30s", 0, Result(passed=12)),
        ("=== 1 failed, 12 passed, 2 skipped, 3 deselected in 4.2s ===", 1, Result(passed=12, failed=1, skipped=2)),
        ("1 failed, 2 passed, 3 errors in 4.20s", 1, Result(passed=2, failed=4)),
        ("1 error in 0.10s", 2, Result(failed=1)),
        (
            "\x1b[31m\x1b[1m1 failed\x1b[0m, \x1b[32m2 passed\x1b[0m\x1b[31m in 0.3s\x1b[0m",
            1,
            Result(passed=2, failed=1),
        ),
        ("no tests ran in 0.01s", 5, Result(failed=1)),
        ("", 3, Result(failed=1)),
        ("12 passed in 0.30s", 3, Result(passed=12, failed=1)),
    ],
)
def test_the_last_line_of_pytest_is_read(line, code, result, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert read_summary(line, code) == result


def test_a_skipped_test_is_a_failure_in_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert read_summary("4 passed, 2 skipped in 1s", 0) == Result(passed=4, failed=2)


def test_the_summary_line():
    assert str(Result(passed=3)) == "3 passed, 0 failed"
    assert str(Result(passed=3, failed=1, skipped=2)) == "3 passed, 1 failed, 2 skipped"


def test_a_stage_fails_if_its_processes_exceed_their_budget():
    allowed = SLACK * BUDGET["sqlite"]
    assert judge("sqlite", Spent(clock=9999, processor=allowed)) == Result()
    assert judge("sqlite", Spent(clock=1, processor=allowed + 1)) == Result(failed=1)
    assert judge("pytest", Spent(clock=1, processor=9999)) == Result()


# The middle process ends at once and leaves a process that uses CPU time, as Chromium does.
ORPHAN = """
import subprocess, sys
from tests.run import adopt_orphans, processor_time
adopt_orphans()
orphan = "import os, time\\nif os.fork() == 0:\\n while time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", orphan], check=True)
print(processor_time())
"""


def test_the_cpu_time_of_an_orphan_is_counted():
    ended = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True)
    assert float(ended.stdout) >= 0.3


def test_a_slower_machine_gets_more_time():
    allowed = SLACK * BUDGET["sqlite"]
    assert judge("sqlite", Spent(1, 1.6 * allowed), slowness=1.5).failed == 1
    assert judge("sqlite", Spent(1, 1.4 * allowed), slowness=1.5).failed == 0
    assert 1 <= machine_slowness() <= 2
