"""What `./dev test` runs.

    ./dev test                  everything: lint and types, SQLite, browser, PostgreSQL
    ./dev test quick            the part that takes half a minute
    ./dev test STAGE [...]      one stage alone: lint, sqlite, browser, postgresql
    ./dev test ARGUMENTS        these arguments for pytest, on SQLite

Further arguments go to pytest. Exit code 0: everything passed.
"""

import ctypes
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests import cluster, markup

ROOT = Path(__file__).resolve().parent.parent
BUDGET = {"lint": 15, "sqlite": 200, "browser": 160, "postgresql": 60, "quick": 45}
"""Seconds of processor time that the processes of a stage may take together. The elapsed time depends on what else the
machine does."""

SLACK = 1.5
"""How many budgets a stage may take before it fails."""

SUM_TAKES = 0.06
"""Seconds of processor time of five long sums on the machine for which BUDGET holds. A slower machine gets more."""

_SET_CHILD_SUBREAPER = 36
"""Of prctl: see prctl(2)."""

_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed)\b")


@dataclass(slots=True)
class Result:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Result") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


class Spent(NamedTuple):
    """What a stage took, in seconds on the clock and of processor time."""

    clock: float
    processor: float


def main(arguments: Sequence[str]) -> int:
    first, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if first == "quick":
        chosen = {"quick": STAGES["quick"]}
    elif first in STAGES:
        chosen = {first: STAGES[first]}
    elif first:
        chosen, rest = {"pytest": pytest}, list(arguments)
    else:
        chosen = {name: stage for name, stage in STAGES.items() if name != "quick"}
    adopt_orphans()
    slowness = machine_slowness()
    total, lines = Result(), []
    for name, stage in chosen.items():
        print(f"--- {name}", flush=True)
        started, processor = time.monotonic(), processor_time()
        result = stage(*rest)
        spent = Spent(time.monotonic() - started, processor_time() - processor)
        if not rest:
            result.add(judge(name, spent, slowness))
        lines.append(_line(name, spent, result))
        total.add(result)
    print("\n".join(("", *lines)))
    if slowness > 1:
        print(f"This machine takes {slowness:.1f} times as long as the one for which the budgets hold.")
    print(total, flush=True)
    return 1 if total.failed else 0


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends before them.

    Chromium ends without waiting for its helpers; without a parent here nobody would count what they took.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def processor_time(timeout: float = 30.0) -> float:
    """The processor seconds of all child processes. Waits at most `timeout` seconds until they have ended."""
    ends = time.monotonic() + timeout
    try:
        while time.monotonic() < ends:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
    except ChildProcessError:
        pass  # there is no process left
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def judge(name: str, spent: Spent, slowness: float = 1.0) -> Result:
    """A complete stage fails if it takes far more processor time than its budget on this machine."""
    return Result(failed=int(spent.processor > SLACK * slowness * BUDGET.get(name, math.inf)))


def machine_slowness() -> float:
    """How many times as long this machine takes as the one for which BUDGET holds, from 1 to 2."""
    return min(max(min(_sums_take() for _ in range(3)) / SUM_TAKES, 1.0), 2.0)


def _sums_take() -> float:
    started = time.process_time()
    for _ in range(5):
        sum(range(1_000_000))
    return time.process_time() - started


def _line(name: str, spent: Spent, result: Result) -> str:
    budget = BUDGET.get(name)
    of = f" of {budget} s" if budget else ""
    over = "  OVER BUDGET" if budget and spent.processor > budget else ""
    return f"{name:12}{spent.clock:6.0f} s, processor {spent.processor:4.0f} s{of}   {result}{over}"


def lint(*_arguments: str) -> Result:
    """Format, lint and types. The three commands run at the same time."""
    python = [sys.executable, "-m"]
    commands = (
        ["ruff", "format", "--check", "--quiet", "."],
        ["ruff", "check", "--quiet", "."],
        ["mypy", "--no-error-summary"],
    )
    environment = {**os.environ, "ORGPORTAL_ENV_FILE": ""}
    running = [subprocess.Popen([*python, *command], cwd=ROOT, env=environment) for command in commands]
    codes = [process.wait() for process in running]
    for command, code in zip(commands, codes, strict=True):
        print(f"{' '.join(command)}: {'good' if code == 0 else 'FAILED'}")
    return Result(passed=codes.count(0), failed=len(codes) - codes.count(0))


def quick(*arguments: str) -> Result:
    """What `tests/conftest.py` counts as quick."""
    return pytest("-m", "not browser", "--quick", "--hypothesis-profile=quick", *arguments)


def sqlite(*arguments: str) -> Result:
    # Every test there is one of the browser: their files need not be imported.
    return pytest("-m", "not browser", "--ignore=tests/browser", *arguments)


def browser(*arguments: str) -> Result:
    """The tests in a browser; then the HTML of every page that they opened."""
    with tempfile.TemporaryDirectory(prefix="orgportal-pages-") as folder:
        tests = [] if any(Path(argument.partition("::")[0]).exists() for argument in arguments) else ["tests/browser"]
        result = pytest("-m", "browser", f"--save-pages={folder}", *tests, *arguments)
        result.add(html(Path(folder)))
    return result


def html(folder: Path) -> Result:
    """Judge the pages in the folder, all in one call of the checker."""
    try:
        faults = markup.html_errors(folder)
    except markup.CheckerMissing as missing:
        return _not_run(str(missing))
    number = len(list(folder.iterdir()))
    print("\n".join((f"HTML of {number} pages: {'FAILED' if faults or not number else 'good'}", *faults)))
    return Result(failed=1) if faults or not number else Result(passed=1)


def _not_run(why: str) -> Result:
    print(why)
    return Result(failed=1) if os.environ.get("CI") == "true" else Result(skipped=1)


def postgresql(*arguments: str) -> Result:
    """Run the tests that another database can fail on PostgreSQL."""
    programs = cluster.binaries()
    if programs is None:
        return _not_run("No PostgreSQL server on this machine (Debian: apt-get install postgresql).")
    with cluster.cluster(programs) as address:
        return pytest("-m", "not browser", "--only-database", *arguments, database=address)


def pytest(*arguments: str, database: str = "") -> Result:
    """Run pytest, print its output, and read its last line."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every stage and process would compile every test again
    if database:
        environment["TEST_DATABASE_URL"] = database
    colour = "yes" if sys.stdout.isatty() else "no"
    # One process for each core: one more costs more than it saves. A few tests named by hand run in a single process.
    parallel = [f"--numprocesses={os.cpu_count() or 1}", "--dist=worksteal"] if "-m" in arguments else []
    # Quiet once: asked twice, pytest leaves out the line with the counts.
    wanted = [each for each in arguments if each not in ("-q", "--quiet")]
    command = [sys.executable, "-m", "pytest", f"--color={colour}", "--quiet", "--durations=5", *parallel, *wanted]
    summary = ""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if _COUNT.search(line):
                summary = line
    return read_summary(summary, process.returncode)


def read_summary(summary: str, code: int) -> Result:
    """The counts of pytest's last line. In CI a skipped test has failed: nobody would read that it did not run."""
    counts = {word.rstrip("s"): int(number) for number, word in _COUNT.findall(summary)}
    failed, skipped = counts.get("failed", 0) + counts.get("error", 0), counts.get("skipped", 0)
    if os.environ.get("CI") == "true":
        failed, skipped = failed + skipped, 0
    # Any other code than 0 means that the run did not complete, or found no test.
    return Result(counts.get("passed", 0), failed or int(code != 0), skipped)


STAGES: dict[str, Callable[..., Result]] = {
    "lint": lint,
    "sqlite": sqlite,
    "browser": browser,
    "postgresql": postgresql,
    "quick": quick,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
