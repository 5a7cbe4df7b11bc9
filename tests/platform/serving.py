"""Commands and whole portals in separate processes, with only the variables that a test sets."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from functools import cache
from typing import Any, Self

from .starter import MANAGE, ROOT, Starter

__all__ = ["MANAGE", "ROOT", "Portal", "free_port", "manage", "plain_environment", "program", "python"]


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | {
        "ORGPORTAL_ENV_FILE": ""
    }


@cache
def _starter() -> Starter:
    starter = Starter(plain_environment())
    atexit.register(starter.end)
    return starter


def program(file: str, *arguments: str, umask: int = 0o022, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program with the modules of the portal, and wait for its end."""
    return _starter().run([file, *arguments], plain_environment() | variables, umask=umask)


def manage(*arguments: str, umask: Any = 0o022, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command and wait for its end."""
    return program(MANAGE, *arguments, umask=umask, **variables)


def python(code: str, *arguments: str, umask: Any = 0o022, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a few lines of Python with the settings of the portal, and wait for their end."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(code)
        file.flush()
        variables = {"DJANGO_SETTINGS_MODULE": "orgportal.settings", **variables}
        return program(file.name, *arguments, umask=umask, **variables)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Portal:
    """`serve`, `webserver` or `demo`, started as from a terminal. It ends with its `with` block."""

    def __init__(self, variables: dict[str, str], command: str, umask: int = -1) -> None:
        port = int(variables["BIND"].rpartition(":")[2]) if command != "demo" else free_port()
        self.address = f"127.0.0.1:{port}"
        arguments = ["--port", str(port)] if command == "demo" else []
        self.process = subprocess.Popen(
            [sys.executable, MANAGE, command, *arguments],
            env={**plain_environment(), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            umask=umask,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code, fault.read().decode()

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 120
        while True:
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < until
            try:
                if self.get("/health/ready")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)

    def output_until(self, start: str) -> str:
        """All lines of output up to one that begins with `start`."""
        assert self.process.stdout is not None
        output = ""
        for line in self.process.stdout:
            output += line
            if line.startswith(start):
                return output
        raise AssertionError(f"It ended without {start!r}: {output}")

    def children(self) -> dict[int, str]:
        """Every process below ours, with its command line."""
        command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
        processes = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in processes.stdout.splitlines()]
        parents = {int(pid): int(parent) for pid, parent, _ in rows}
        return {int(pid): command for pid, _, command in rows if self._is_ancestor(int(pid), parents)}

    def _is_ancestor(self, pid: int, parents: dict[int, int]) -> bool:
        while pid in parents:
            pid = parents[pid]
            if pid == self.process.pid:
                return True
        return False

    def child(self, word: str) -> int:
        return min(pid for pid, command in self.children().items() if word in command)

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C: the signal goes to the whole process group. Returns the exit code and all output."""
        os.killpg(self.process.pid, signal.SIGINT)
        output, _ = self.process.communicate(timeout=60)
        return self.process.returncode, output

    @staticmethod
    def is_running(process: int) -> bool:
        return subprocess.run(["ps", "-p", str(process)], capture_output=True, check=False).returncode == 0
