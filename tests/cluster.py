"""A PostgreSQL server for one test run."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

PATIENCE = 30.0
"""The seconds until a new server must answer."""

_FAST = ("-F", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "jit=off", "-c", "autovacuum=off")
"""A power cut may lose data, and no run is long enough to need autovacuum."""


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
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data, port = str(folder / "data"), _free_port()
    options: dict[str, Any] = {"user": user, "cwd": "/", "stdin": subprocess.DEVNULL}
    try:
        if user:
            shutil.chown(folder, user)
        command = [str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
        listens = ("-h", "127.0.0.1", "-p", str(port), "-k", str(folder))
        command = [str(programs / "postgres"), "-D", data, *listens, *_FAST]
        with (folder / "log").open("wb") as log:
            # Not by pg_ctl: as a child of this process its processor time counts for the run.
            server = subprocess.Popen(command, stdout=log, stderr=log, **options)
        try:
            _wait_for(port, server)
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGQUIT)  # stops at once; its files are deleted
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
