"""Starts commands fast: packages are imported once, and each command is a forked process.

Nothing of the portal is loaded beforehand, and nothing that reads a setting: a command loads everything again, with the
variables that it is given, as when somebody starts it in a terminal.
"""

import atexit
import gc
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANAGE = str(ROOT / "manage.py")
PACKAGES = (
    "crispy_forms.layout",
    "django.contrib.auth.decorators",
    "django.contrib.auth.hashers",
    "django.contrib.auth.password_validation",
    "django.contrib.messages.storage.base",
    "django.contrib.staticfiles.finders",
    "django.contrib.staticfiles.storage",
    "django.core.mail",
    "django.core.management",
    "django.core.management.commands.migrate",
    "django.core.paginator",
    "django.db.backends.sqlite3.base",
    "django.db.models",
    "django.forms",
    "django.http",
    "django.shortcuts",
    "django.template.defaulttags",
    "django.template.loader",
    "django.template.loader_tags",
    "environ",
    "httpx",
    "joserfc.jwt",
    "phonenumbers",
    "psycopg",
    "whitenoise.middleware",
    "zxcvbn",
)
_MOST = 200_000  # bytes of all arguments and variables of one command


class Starter:
    """The process that forks commands, one after the other."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            # Its own process group, so that a command that does not end can be killed with it.
            self._process = subprocess.Popen(
                command, env=dict(variables), pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, process_group=0
            )

    def run(
        self, arguments: Sequence[str], variables: Mapping[str, str], *, umask: int = 0o022, within: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python program with its arguments, and wait for its end."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            request = "\0".join((str(umask), *arguments, "", *(f"{name}={value}" for name, value in variables.items())))
            socket.send_fds(self._door, [request.encode()], [out.fileno(), err.fileno()])
            self._door.settimeout(within)
            try:
                code = int(self._door.recv(100))
            except TimeoutError:
                self.end()
                raise
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess([*arguments], code, out.read(), err.read())

    def end(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._door.close()


def _fork_for_each(door: socket.socket) -> list[str]:
    """Wait for commands, and run each in a child. Returns in the child, with the program and its arguments."""
    while True:
        received, files, _, _ = socket.recv_fds(door, _MOST, 2)
        if not received:
            sys.exit()
        child = os.fork()
        if child == 0:
            umask, *words = received.decode().split("\0")
            end = words.index("")
            _become(files, int(umask), words[end + 1 :])
            return words[:end]
        for file in files:
            os.close(file)
        door.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _become(files: list[int], umask: int, variables: list[str]) -> None:
    """Take over the files, umask and variables of the command."""
    for place, file in enumerate(files, start=1):
        os.dup2(file, place)
        os.close(file)
    os.umask(umask)
    os.environ.clear()
    for each in variables:
        name, _, value = each.partition("=")
        os.environ[name] = value


def _exit_code_of(file: str) -> int:
    """Run a program, print what the interpreter would print at its end, and return its exit code."""
    try:
        runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _end(code: int) -> None:
    """End as the interpreter does, but do not free every module: that takes a fifth of a short command."""
    threading._shutdown()  # type: ignore[attr-defined] # waits for the other threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    for name in PACKAGES:
        import_module(name)
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as door:
        sys.argv = _fork_for_each(door)
    sys.path[0] = str(ROOT)
    _end(_exit_code_of(sys.argv[0]))
