"""Supervises several programs: starts them, starts them again when they end, and stops them in order.

The parent opens no database. Each program is a new process in its own process group. So Ctrl-C in the terminal sends a
signal only to the parent, and does not interrupt a worker while it sends.
"""

import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from orgportal.folders import make_folder

_LONGEST_PAUSE = 30.0
_SETTLED = 60.0  # a program that ran for that many seconds is restarted after the shortest pause
_STEP = 0.1
_PARENT = "ORGPORTAL_PARENT"


class Taken(Exception):
    """Another process has the lock or the port that this one needs. The text names the lock or the port."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running. `stop_within`: seconds that it gets to finish its current work.

    Programs of one name are stopped together. `inherit`: file descriptors that it gets, such as a listening socket.
    """

    name: str
    command: tuple[str, ...]
    stop_within: float = 10.0
    inherit: tuple[int, ...] = ()


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 1.0
    start_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running until SIGINT, SIGTERM or SIGHUP; a second signal kills them.

    They are stopped in the order of `run`. `inherit`: file descriptors that every child gets.
    """

    say: Callable[[str], None]
    inherit: tuple[int, ...] = ()
    stopping: bool = False
    _children: list[_Child] = field(default_factory=list)
    _once: subprocess.Popen[bytes] | None = None

    def listen_to_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def run_once(self, command: Sequence[str]) -> int:
        """Run a program to its end and return its exit code. A signal that stops the supervisor stops it too."""
        self._once = self._popen(command)
        is_signalled = False
        while (code := self._once.poll()) is None:
            if self.stopping and not is_signalled:
                self._once.terminate()
                is_signalled = True
            time.sleep(_STEP)
        self._once = None
        return code

    def start(self, program: Program) -> None:
        """Start a program before `run`. It is stopped after the programs of `run`."""
        child = _Child(program)
        self._children.append(child)
        self._start(child)

    def run(self, programs: Sequence[Program]) -> None:
        """Keep the programs running until a signal sets `stopping`. Then stop them all."""
        self._children[:0] = [_Child(program) for program in programs]
        while not self.stopping:
            for child in self._children:
                self._keep_alive(child)
            time.sleep(_STEP)
        self.stop()

    def stop(self) -> None:
        """Stop the programs, those of one name together: SIGTERM, then SIGKILL after `stop_within`."""
        for _name, group in groupby(self._children, key=lambda child: child.program.name):
            running = [(child.program, child.process) for child in group if child.process is not None]
            for _program, process in running:
                process.terminate()
            for program, process in running:
                self._wait(program, process)
        self._children.clear()

    def _wait(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(program.stop_within)
        except subprocess.TimeoutExpired:
            self.say(f"The {program.name} did not stop within {program.stop_within:.0f} s and is killed.")
        _kill_group(process)
        process.wait()

    def _keep_alive(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        _kill_group(child.process)
        if now - child.started >= _SETTLED:
            child.pause = 1.0
        self.say(f"The {child.program.name} ended with {code}; it is started again in {child.pause:.0f} s.")
        child.process, child.start_at = None, now + child.pause
        child.pause = min(child.pause * 2, _LONGEST_PAUSE)

    def _start(self, child: _Child) -> None:
        child.process, child.started = self._popen(child.program.command, child.program.inherit), time.monotonic()

    def _popen(self, command: Sequence[str], inherit: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        files = (*self.inherit, *inherit)
        environment = {**os.environ, _PARENT: str(os.getpid())}
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, process_group=0, pass_fds=files, env=environment
        )

    def _on_signal(self, _number: int, _frame: object) -> None:
        if self.stopping:
            for process in (self._once, *(child.process for child in self._children)):
                if process is not None:
                    _kill_group(process)
        self.stopping = True


def end_with_parent() -> None:
    """Send SIGTERM to this process if its `Supervisor` ends first, for example because it was killed."""
    parent = os.environ.pop(_PARENT, "")
    if parent:
        threading.Thread(target=_watch_parent, args=(int(parent),), name="parent", daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill all processes of a program's group, even if the program itself has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def only_one(lock: Path) -> Iterator[int]:
    """Lock the file, or raise `Taken`. Yields its descriptor: the lock lasts until all children that inherit it end."""
    make_folder(lock.parent)
    with lock.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = int(file.read() or 0)
            owners = describe_lock_holders(lock, owner) or describe(owner)
            raise Taken(f"already running on this database, as {owners} ({lock})") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file.fileno()


def describe_lock_holders(lock: Path, owner: int = 0) -> str:
    """The other processes that have a lock file open, including children that inherited it. The owner comes first.

    Empty if the system does not show them: other accounts' processes are hidden, and macOS has no such list.
    """
    status, processes = lock.stat(), set[int]()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.path.samestat(link.stat(), status):
                processes.add(int(link.parts[2]))
    in_order = sorted(processes - {os.getpid()}, key=lambda process: (process != owner, process))
    return ", ".join(map(describe, in_order))


def describe(process: int) -> str:
    """A process by its number, and by its command if the system shows it."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8").split("\0")
    except (OSError, UnicodeDecodeError):
        return f"process {process}"
    return f"process {process} ({' '.join(Path(part).name for part in command[1:3])})"


def open_listener(host: str, port: int, advice: str) -> socket.socket:
    """A socket that listens on this address and port. Raises `Taken`, with the advice, if the port cannot be used."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise Taken(f"port {port} on {host} cannot be used: {error.strerror}. {advice}") from None
    return listener
