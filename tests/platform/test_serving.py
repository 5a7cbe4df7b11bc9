"""`serve` as a person runs it: on a database of its own, with real processes."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_startup import ROOT, manage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def migrated(tmp_path_factory) -> Path:
    """A database with every table, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    ended = manage("migrate", "--verbosity=0", DATABASE_URL=f"sqlite:///{folder}/db", ORGPORTAL_VAR=str(folder))
    assert ended.returncode == 0, ended.stderr
    return folder / "db"


@pytest.fixture
def variables(tmp_path, migrated) -> dict[str, str]:
    shutil.copy(migrated, tmp_path / "db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "ORGPORTAL_VAR": str(tmp_path / "var"),
        "SECRET_KEY": "abcdefghij" * 5,
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "false",
        "BIND": f"127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db",
        "WEB_WORKERS": "1",
    }


class Serving:
    def __init__(self, variables: dict[str, str]) -> None:
        plain = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        self.address = variables["BIND"]
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "serve"],
            env={**plain, "ORGPORTAL_ENV_FILE": "", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code, fault.read().decode()

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < until
            try:
                if self.get("/health/ready")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)

    def children(self) -> dict[int, str]:
        """Every process below ours, with its command line."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        below, found = {self.process.pid}, {}
        for pid, parent, command in sorted((int(row[0]), int(row[1]), row[2]) for row in rows):
            if parent in below:
                below.add(pid)
                found[pid] = command
        return found

    def child(self, word: str) -> int:
        return min(pid for pid, command in self.children().items() if word in command)

    def end(self) -> tuple[int, str]:
        os.killpg(self.process.pid, signal.SIGINT)
        output, _ = self.process.communicate(timeout=40)
        return self.process.returncode, output


@pytest.fixture
def serving(variables) -> Iterator[Serving]:
    portal = Serving(variables)
    try:
        portal.wait_until_ready()
        yield portal
    finally:
        if portal.process.poll() is None:
            portal.end()


def test_it_answers_refuses_a_second_start_survives_a_crash_and_leaves_nothing_behind(serving, variables):
    assert serving.get("/sign-in/")[0] == 200

    second = manage("serve", **{**variables, "BIND": "127.0.0.1:0"})
    assert second.returncode == 2
    assert f"already running on this database, as process {serving.process.pid}" in second.stderr

    for word in ("deliver", "gunicorn"):
        killed = serving.child(word)
        os.kill(killed, signal.SIGKILL)
        until = time.monotonic() + 20
        while not any(word in command and pid != killed for pid, command in serving.children().items()):
            assert time.monotonic() < until
            time.sleep(0.1)
    serving.wait_until_ready()

    left = serving.children()
    code, output = serving.end()
    assert code == 0
    assert "Traceback" not in output
    assert re.search(r"The worker ended with -9; it is started again in 1 s", output)
    assert [pid for pid in left if is_running(pid)] == []


def is_running(process: int) -> bool:
    return subprocess.run(["ps", "-p", str(process)], capture_output=True, check=False).returncode == 0


def test_a_taken_port_is_told_and_nothing_is_started(variables):
    host, port = variables["BIND"].split(":")
    with socket.create_server((host, int(port))):
        ended = manage("serve", **variables)
    assert ended.returncode == 2
    assert f"port {port} on 127.0.0.1 is not to be had" in ended.stderr
    assert "BIND" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_never_migrates_by_itself(variables, tmp_path):
    (tmp_path / "db").unlink()
    ended = manage("serve", **variables)
    assert ended.returncode == 2
    assert "./dev migrate" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_check_before_the_start(variables):
    assert manage("serve", "--check", **variables).returncode == 0
