"""A PostgreSQL server for one test run."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

PATIENCE = 30.0
"""The seconds until a new server must answer."""

_FAST = ("-F", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "jit=off", "-c", "autovacuum=off")
"""A power cut may lose data, and no run is long enough to need autovacuum."""

_KEEPS_COMMITS = ("-F", "-c", "jit=off")
"""A commit outlives the server's own end. Only a power cut may lose it."""


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL server on this machine, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if installed:
        return installed[-1].parent
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """Start a temporary server on this machine and yield its address. It and its files are deleted at the end."""
    with server(programs, _FAST) as running:
        yield running.address


@contextmanager
def server(programs: Path, settings: Sequence[str] = _KEEPS_COMMITS) -> Iterator["Server"]:
    """Start a temporary server that can be stopped and started again. It and its files are deleted at the end."""
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        shutil.chown(folder, user)
    try:
        running = Server(programs, folder, user, settings)
        try:
            running.start()
            yield running
        finally:
            running.stop_at_once()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A PostgreSQL server with its own folder and port."""

    def __init__(self, programs: Path, folder: Path, user: str | None, settings: Sequence[str]) -> None:
        data, self._port, self._log = str(folder / "data"), _free_port(), folder / "log"
        self.address = f"postgres://postgres@127.0.0.1:{self._port}/postgres"
        self._options: dict[str, Any] = {"user": user, "cwd": "/", "stdin": subprocess.DEVNULL}
        self._process: subprocess.Popen[bytes] | None = None
        command = [str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._options)
        listens = ("-h", "127.0.0.1", "-p", str(self._port), "-k", str(folder))
        self._command = [str(programs / "postgres"), "-D", data, *listens, *settings]

    def start(self) -> None:
        """Start the server and wait until it answers, at most PATIENCE seconds.

        Raises:
            psycopg.OperationalError: it does not answer.
        """
        with self._log.open("ab") as log:
            # Not by pg_ctl: as a child of this process its processor time counts for the run.
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, **self._options)
        _wait_for(self._port, self._process)

    def stop_at_once(self) -> None:
        """End the server without a checkpoint and without waiting for connections: the next start recovers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
