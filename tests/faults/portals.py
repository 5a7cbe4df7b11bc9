"""A separate portal for each case: a copy of the test's database and directory, and workers that use them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, connections

from organizations.models import AuditEntry, State, Submission
from organizations.practice import PracticeDirectory
from organizations.services.delivery.sender import FIRST_WINDOW
from tests import databases
from tests.connected import CREDENTIALS, variables
from tests.faults.evidence import chain_faults, entries_of, failed_checks

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0
"""Seconds after which a wait fails: enough for a busy machine. A wait ends as soon as its condition is true."""


def until(what: Callable[[], object], name: str = "it") -> None:
    """Wait until the condition is true.

    Raises:
        TimeoutError: the condition stayed false.
    """
    give_up = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > give_up:
            raise TimeoutError(f"{name} never came")
        time.sleep(0.03)


@dataclass(frozen=True, slots=True)
class Process:
    """A worker process, running or ended."""

    pid: int
    log: Path

    @property
    def is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def has_reached_failpoint(self) -> bool:
        """Whether it reached its failpoint."""
        return self.log.exists() and '"Failpoint ' in self.log.read_text()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @contextmanager
    def ended(self) -> Iterator[None]:
        """End every worker at the end of the block."""
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """End it as a supervisor does: ask it to stop, and wait."""
        self.send(signal.SIGTERM)
        until(lambda: not self.is_alive, f"the end of {self.log.name}: {self.log.read_text()}")


class Nursery:
    """The process that forks the workers."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.nursery"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | _no_faults()
        )

    def fork(self, given: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def _no_faults() -> dict[str, str]:
    return {"ORGPORTAL_FAULTS": "{}", "ORGPORTAL_FAILPOINT": ""}


@dataclass(slots=True)
class Portal:
    """One database, one directory, and the workers that use both."""

    alias: str
    folder: Path
    practice: PracticeDirectory
    nursery: Nursery
    processes: list[Process] = field(default_factory=list)

    @property
    def database(self) -> str:
        return str(connections[self.alias].settings_dict["NAME"])

    def given(
        self,
        failpoint: str = "",
        finish_within: float = 0.5,
        first_window: int = FIRST_WINDOW,
        redox: dict[str, str] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """The settings of a worker for this portal. `redox` overrides variables of its connection."""
        return {
            "database": self.database,
            "variables": variables(self.practice.url) | (redox or {}),
            "var_dir": str(self.folder),
            "failpoint": failpoint,
            "finish_within": finish_within,
            "first_window": first_window,
            "settings": settings,
            "log": str(self.folder / f"worker-{len(self.processes)}.log"),
        }

    def worker(self, failpoint: str = "", **given_besides: Any) -> Process:
        """Start a worker."""
        given = self.given(failpoint, **given_besides)
        process = Process(self.nursery.fork(given), Path(given["log"]))
        self.processes.append(process)
        return process

    @contextmanager
    def ended(self) -> Iterator[None]:
        """End every worker at the end of the block."""
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """End every worker."""
        for process in self.processes:
            process.send(signal.SIGKILL)
        until(lambda: not any(process.is_alive for process in self.processes))

    def submission(self, oid: str) -> Submission:
        return Submission.objects.using(self.alias).select_related("organization").get(oid=oid, id=self._last(oid))

    def entries(self, submission: Submission) -> list[AuditEntry]:
        return entries_of(submission, self.alias)

    def failed_checks(self, oid: str) -> str:
        """The checks that fail after the submission of a record was accepted; "" if all pass."""
        there = self.practice.organizations("staging")[oid]
        chain = [f"the chain at {sequence}" for sequence in chain_faults(self.alias)]
        return ", ".join((failed_checks(self.submission(oid), self.practice.effects, there, self.alias), *chain))

    def leave_only(self, oid: str) -> None:
        """Remove every other submission from the outbox."""
        left = Submission.objects.using(self.alias).open().exclude(id=self._last(oid))
        left.update(state=State.CANCELLED)

    def _last(self, oid: str) -> int:
        return Submission.objects.using(self.alias).filter(oid=oid).order_by("-id").values_list("id", flat=True)[0]


@contextmanager
def portal(
    folder: Path, nursery: Nursery, practice: PracticeDirectory, *, slow_seconds: float = 0.4
) -> Iterator[Portal]:
    """A copy of the test's database as it is now, and of the directory in which `practice` keeps its records."""
    folder.mkdir()
    shutil.copytree(practice.folder, folder / "practice")
    alias = f"portal-{folder.name}"
    directory = PracticeDirectory(folder / "practice", CREDENTIALS, slow_seconds=slow_seconds)
    with _database(alias, folder), directory:
        running = Portal(alias, folder, directory, nursery)
        with running.ended():
            yield running


@contextmanager
def _database(alias: str, folder: Path) -> Iterator[None]:
    own = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        name = str(folder / "portal.sqlite3")
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        name = f"{own}_{folder.name}".replace("-", "_").lower()[:60]
    connection.close()
    databases.copy(own, name)
    # Not among the settings: Django's test case would forbid it.
    connections[alias] = connection.copy(alias)
    connections[alias].settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections[alias].close()
        del connections[alias]
        databases.drop(name)
