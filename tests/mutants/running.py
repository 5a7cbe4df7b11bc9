"""Run the tests of a module once for each of its mutants, in separate processes.

No file is changed. A change inside a function is made in a copy of a process that has collected and run the tests; only
the tests that call the function run, the quickest first. Other changes, such as of tables and classes, need a process
that imports the mutant and runs all tests of the module.
"""

import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connections

from tests.mutants.changes import Mutant

ROOT = Path(__file__).resolve().parent.parent.parent
AT_ONCE = 2
OPTIONS = (
    *("-x", "-q", "-s", "-p", "no:randomly", "-p", "no:cacheprovider"),
    "--hypothesis-profile=mutants",
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
SHOWN = os.fdopen(os.dup(1), "w", buffering=1)
"""The standard output of this command. The processes that run tests redirect their own."""
# Few examples, the same each time. A failing example is not simplified, because nobody reads it.
hypothesis.settings.register_profile(
    "mutants",
    deadline=None,
    max_examples=15,
    derandomize=True,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
BROKEN = 9
SURVIVED, KILLED, TIMED_OUT = "survived", "killed", "timed out"


def report(path: str, results: Iterable[tuple[Mutant, str]]) -> Counter[str]:
    """Print the mutants that were not killed; how many there are of each outcome."""
    outcomes: Counter[str] = Counter()
    for mutant, outcome in results:
        outcomes[outcome] += 1
        if outcome != KILLED:
            SHOWN.write(f"{path}:{mutant.line}  {outcome}: {mutant.change}\n")
    return outcomes


def limit_of(seconds: float) -> float:
    """The time limit with a mutant for tests that take this long without."""
    return 2 * seconds + 5


def in_processes(jobs: Iterable[tuple[Any, Callable[[], object], float]]) -> Iterator[tuple[Any, str]]:
    """Do each job, `AT_ONCE` at a time. A mutant is killed if its job returns true.

    The seconds of a job limit its processor time, so that a busy machine kills no job. Ten times as many limit the
    elapsed time.

    Raises:
        RuntimeError: a job raised an exception, so it is not known whether its mutant is killed.
    """
    waiting, running = iter(jobs), dict[int, tuple[Any, float]]()
    while True:
        while len(running) < AT_ONCE and (job := next(waiting, None)):
            name, act, seconds = job
            running[_start(act, seconds)] = name, time.monotonic() + 10 * seconds
        if not running:
            return
        number, status = os.waitpid(-1, os.WNOHANG)
        if number:
            name, code = running.pop(number)[0], os.waitstatus_to_exitcode(status)
            if code == BROKEN:
                raise RuntimeError("a process could not run the tests")
            yield name, TIMED_OUT if code < 0 else KILLED if code else SURVIVED
            continue
        for number, (_, end) in running.items():
            if time.monotonic() > end:
                os.kill(number, signal.SIGKILL)
        time.sleep(0.01)


def _start(act: Callable[[], object], seconds: float) -> int:
    number = os.fork()
    if number:
        return number
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    redirect(os.devnull)
    code = BROKEN
    try:
        code = 1 if act() else 0
    except BaseException:
        traceback.print_exc(file=SHOWN)
    finally:
        os._exit(code)


def redirect(path: str) -> None:
    """Write what this process prints to a file."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)


# A process that imports the mutant ---------------------------------------------------------------------------


class _Loader(importlib.machinery.SourceFileLoader):
    """Finds and loads one module, with another source than that of its file."""

    def __init__(self, path: str, source: str) -> None:
        super().__init__(module_name(path), str(ROOT / path))
        self.source = source

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, _name: str) -> Any:
        return compile(self.source, self.path, "exec")


class _TablesFirst:
    """A plugin of pytest: tests without a database, which is made only when a test needs it, come first."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(
            key=lambda item: "db" in getattr(item, "fixturenames", ()) or bool(item.get_closest_marker("django_db"))
        )


def module_name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def imported(path: str, source: str, tests: Sequence[str]) -> bool:
    """Whether the tests fail, or cannot even start, if the file contains this source."""
    sys.meta_path.insert(0, _Loader(path, source))
    try:
        return pytest.main([*OPTIONS, *tests], [_TablesFirst()]) != pytest.ExitCode.OK
    except Exception:
        return True


# Copies of a process that has run the tests ------------------------------------------------------------------


def in_place(
    path: str, mutants: Sequence[Mutant], tests: Sequence[str], output: str
) -> tuple[Counter[str], list[Mutant], float]:
    """The outcomes, the mutants that must be imported, and the seconds of the tests without a change; 0: they fail."""
    redirect(output)
    plugin = _InPlace(path, mutants)
    code = pytest.main([*OPTIONS, *tests], [plugin])
    return plugin.outcomes, plugin.rest, 0.0 if code else plugin.seconds


class _InPlace:
    """A plugin of pytest: runs the tests unchanged; then, for each change of a function, those that can notice it."""

    def __init__(self, path: str, mutants: Sequence[Mutant]) -> None:
        self.path, self.mutants = path, mutants
        self.outcomes: Counter[str] = Counter()
        self.rest: list[Mutant] = []
        self.seconds = 0.0
        self._item: pytest.Item | None = None
        self._callers: dict[str, dict[pytest.Item | None, float]] = defaultdict(dict)
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.COVERAGE_ID, "mutants")
        monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.PY_START, self._started)
        monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.PY_START)

    def _started(self, code: CodeType, _: int) -> object:
        if code.co_filename != str(ROOT / self.path):
            return sys.monitoring.DISABLE
        self._callers[code.co_qualname.split(".<locals>")[0]][self._item] = 0.0
        return None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        took = {item: self._run(item, after) for item, after in _with_next(session.items, session)}
        sys.monitoring.free_tool_id(sys.monitoring.COVERAGE_ID)
        self._item = None
        self.seconds = sum(took.values())
        connections.close_all()
        unchanged = partial(self._notice, session, sorted(session.items, key=lambda item: took[item]))
        if session.testsfailed:
            return True
        if list(in_processes([("", unchanged, limit_of(self.seconds))])) != [("", SURVIVED)]:
            raise RuntimeError("The tests fail in a copy of the process, without any change.")
        self.outcomes = report(self.path, in_processes(self._jobs(session, took)))
        return True

    def _notice(self, session: pytest.Session, tests: Sequence[pytest.Item]) -> bool:
        """Run the tests one by one, in a copy of the process, until one fails; whether one did."""
        _separate()
        # After its last failure pytest would end the fixtures of the session, which the original process still uses.
        session.config.option.maxfail = 0
        return any(self._run(*pair) and session.testsfailed for pair in _with_next(tests, session))

    def _run(self, item: pytest.Item, after: pytest.Item | pytest.Session) -> float:
        """Run the test, and keep the fixtures that `after` uses as well; the seconds that it took."""
        self._item, started = item, time.monotonic()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        return time.monotonic() - started

    def _jobs(self, session: pytest.Session, took: dict[pytest.Item, float]) -> Iterator[Any]:
        module = importlib.import_module(module_name(self.path))
        for mutant in self.mutants:
            function, callers = _function(module, mutant.function), self._callers[mutant.function]
            code = _code(compile(mutant.source, self.path, "exec"), mutant.function)
            if function is None or code is None or function.__code__.co_freevars != code.co_freevars or None in callers:
                self.rest.append(mutant)
                continue
            tests = sorted((item for item in callers if item), key=lambda item: took[item])

            def act(function: FunctionType = function, code: CodeType = code, tests: Any = tests) -> bool:
                function.__code__ = code
                return self._notice(session, tests)

            yield mutant, act, limit_of(sum(took[item] for item in tests))


def _with_next(
    items: Sequence[pytest.Item], session: pytest.Session
) -> Iterator[tuple[pytest.Item, pytest.Item | pytest.Session]]:
    """Each test with the next one. After the last test only the fixtures of the session stay."""
    return zip(items, (*items[1:], session), strict=False)


def _function(module: object, name: str) -> FunctionType | None:
    """The function of this qualified name without its decorators; None if it is not one."""
    found: Any = module
    for part in name.split(".") if name else ():
        found = inspect.getattr_static(found, part, None)
        found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
    found = inspect.unwrap(found)
    return found if isinstance(found, FunctionType) and found.__code__.co_qualname == name else None


def _code(code: CodeType, name: str) -> CodeType | None:
    """The code of the only function of this qualified name."""
    found = [each for each in _codes(code) if each.co_qualname == name]
    return found[0] if len(found) == 1 else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _separate() -> None:
    """Give this process its own folder for what is kept beside the database, and its own database, if there is one.

    The folder has the entry up to which messages were sent. A copy that found the entry of another copy would send
    nothing.
    """
    settings.VAR_DIR = Path(tempfile.mkdtemp())
    database = connections["default"].settings_dict
    if Path(database["NAME"]).is_file():
        database["NAME"] = shutil.copy(database["NAME"], f"{database['NAME']}-{os.getpid()}")
