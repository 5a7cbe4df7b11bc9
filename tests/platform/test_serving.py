"""`serve` as a person runs it, with its own database and real processes."""

import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from .files import add_person, files_beside, open_to_others, people, rows
from .serving import Portal, manage, python

WORKERS = "SELECT name FROM organizations_worker"


def test_a_portal_serves_is_killed_is_restored_and_serves_again(variables, tmp_path, database):
    """One portal for all steps, because each start takes seconds: single, private, killed, restored."""
    backup = tmp_path / "backup.sqlite3"
    for name, mode in (("db", 0o640), ("db-wal", 0o644)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)  # as an earlier release left them
    add_person(database, "before")
    with Portal(variables, "serve", umask=0o022) as portal:
        portal.wait_until_ready()
        assert portal.get("/sign-in/")[0] == 200
        assert manage("backup", str(backup), **variables).returncode == 0
        assert_private(tmp_path)
        assert_no_second_portal(portal, {**variables, "BIND": "127.0.0.1:0"}, backup)
        kill_web_server(portal)
        portal.process.kill()
        output, _ = portal.process.communicate(timeout=60)  # after its end no process can write there
        assert "The web server ended with -9; it is started again in 1 s" in output
        assert "Traceback" not in output

    write_and_die(database)
    assert_restored(backup, database, variables)

    with Portal(variables, "serve") as again:
        again.wait_until_ready()
        assert again.get("/sign-in/")[0] == 200
        wait_for_worker(again, database)
        children = again.children()
        code, output = again.end()
    assert (code, "Traceback" in output) == (0, False)
    assert [pid for pid in children if Portal.is_running(pid)] == []
    assert people(database) == ["before"]


def assert_private(folder: Path) -> None:
    files = {path.name for path in folder.iterdir()}
    assert {"db-wal", "db-shm", "db.lock", "db.serve.lock", "var", "backup.sqlite3"} <= files
    assert open_to_others(folder) == set()


def assert_no_second_portal(portal: Portal, variables: dict[str, str], backup: Path) -> None:
    """While a portal runs, its database cannot be served again or restored."""
    for command, expected in (
        (("serve",), f"already running on this database, as process {portal.process.pid}"),
        (("restore", str(backup)), f"as process {portal.process.pid} (manage.py serve)"),
    ):
        refused = manage(*command, **variables)
        assert (refused.returncode, expected in refused.stderr) == (2, True), refused.stderr


def kill_web_server(portal: Portal) -> None:
    """Kill the web server and wait until its successor responds."""
    killed = portal.child("webserver")
    os.kill(killed, signal.SIGKILL)
    until = time.monotonic() + 60
    while not any("webserver" in command and pid != killed for pid, command in portal.children().items()):
        assert time.monotonic() < until
        time.sleep(0.1)
    portal.wait_until_ready()


def wait_for_worker(portal: Portal, database: Path) -> None:
    """Wait for the heartbeat of a worker of this portal; its name contains its process ID."""
    until = time.monotonic() + 60
    while not any(f"-{pid}-" in name for (name,) in rows(database, WORKERS) for pid in portal.children()):
        assert time.monotonic() < until
        time.sleep(0.1)


def write_and_die(database: Path) -> None:
    """Write into the -wal file and crash, so that the change never reaches the database file."""
    code = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], autocommit=True)
connection.execute("UPDATE organizations_user SET username = 'after'")
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert python(code, str(database)).returncode == -signal.SIGKILL
    assert f"{database.name}-wal" in files_beside(database)


def assert_restored(backup: Path, database: Path, variables: dict[str, str]) -> None:
    """The database is the backup, and the previous database is kept."""
    result = manage("restore", str(backup), **variables)
    assert (result.returncode, result.stderr) == (0, "")
    with closing(sqlite3.connect(backup)) as wanted, closing(sqlite3.connect(database)) as restored:
        assert list(restored.iterdump()) == list(wanted.iterdump())
    [kept] = files_beside(database)
    assert people(database.with_name(kept)) == ["after"]
    assert [path.stat().st_mode & 0o077 for path in (database, database.with_name(kept))] == [0, 0]


def test_a_port_in_use_is_reported_and_nothing_starts(variables):
    host, port = variables["BIND"].split(":")
    with socket.create_server((host, int(port))):
        ended = manage("serve", **variables)
    assert ended.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in ended.stderr
    assert "BIND" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_during_the_check_of_the_database_is_not_an_error(variables):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"postgres://name@127.0.0.1:{silent.getsockname()[1]}/name"
        portal = Portal({**variables, "DATABASE_URL": address}, "serve")
        asked, _ = silent.accept()
        with asked:
            assert portal.end() == (0, "")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"LOG_LEVEL": "loud"}, "orgportal: LOG_LEVEL: must be one of"),
        ({"ALLOWED_HOSTS": "*"}, "orgportal: ALLOWED_HOSTS: must name the hosts"),
        ({"DATABASE_URL": "sqlite:///{folder}/none"}, "orgportal: There is no database"),
        ({"DATABASE_URL": "sqlite:///{folder}/empty"}, "are not applied. Make a backup, then run: ./dev migrate"),
    ],
)
def test_a_web_server_started_by_hand_ends_with_2_and_one_line(variables, tmp_path, changed, expected):
    all_variables = {name: value.format(folder=tmp_path) for name, value in {**variables, **changed}.items()}
    (tmp_path / "empty").touch()
    ended = manage("webserver", **all_variables)
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert expected in line


def test_the_check_before_the_start(variables):
    key = RSAKey.generate_key(2048).as_pem(private=True).decode().replace("\n", r"\n")
    variables |= {
        "REDOX_STAGING_AUTH": "oauth",
        "REDOX_STAGING_CLIENT_ID": "client-1",
        "REDOX_STAGING_KEY_ID": "key-1",
        "REDOX_STAGING_PRIVATE_KEY": key,
    }
    checked = manage("serve", "--check", **variables)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "Warning: REDOX_STAGING_PRIVATE_KEY: This key has 2,048 bits." in checked.stdout
