"""`serve` as a person runs it: on a database of its own, with real processes."""

import os
import signal
import socket
import time

import pytest
from joserfc.jwk import RSAKey

from .serving import Portal, manage

pytestmark = pytest.mark.slow


def test_it_answers_refuses_a_second_start_survives_crashes_and_leaves_nothing_behind(variables):
    with Portal(variables, "serve") as portal:
        portal.wait_until_ready()
        assert portal.get("/sign-in/")[0] == 200
        second = manage("serve", **{**variables, "BIND": "127.0.0.1:0"})
        assert second.returncode == 2
        assert f"already running on this database, as process {portal.process.pid}" in second.stderr
        kill_each_program(portal)

        portal.process.kill()
        output, _ = portal.process.communicate(timeout=60)  # at its end everybody who could write there has ended
        assert "The worker ended with -9; it is started again in 1 s" in output
        assert "Traceback" not in output

    with Portal(variables, "serve") as again:
        again.wait_until_ready()
        left = again.children()
        code, output = again.end()
        assert code == 0
        assert "Traceback" not in output
        assert [pid for pid in left if Portal.is_running(pid)] == []


def kill_each_program(portal: Portal) -> None:
    """Kill the worker and the web server, and wait until each has a successor."""
    killed = {word: portal.child(word) for word in ("deliver", "webserver")}
    for process in killed.values():
        os.kill(process, signal.SIGKILL)
    portal.wait_until_ready()
    until = time.monotonic() + 60
    for word, process in killed.items():
        while not any(word in command and pid != process for pid, command in portal.children().items()):
            assert time.monotonic() < until
            time.sleep(0.1)


def test_a_taken_port_is_told_and_nothing_is_started(variables):
    host, port = variables["BIND"].split(":")
    with socket.create_server((host, int(port))):
        ended = manage("serve", **variables)
    assert ended.returncode == 2
    assert f"port {port} on 127.0.0.1 is not to be had" in ended.stderr
    assert "BIND" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_while_the_database_is_looked_at_is_no_fault(variables):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"postgres://name@127.0.0.1:{silent.getsockname()[1]}/name"
        portal = Portal({**variables, "DATABASE_URL": address}, "serve")
        asked, _ = silent.accept()
        with asked:
            assert portal.end() == (0, "")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"LOG_LEVEL": "loud"}, "orgportal: LOG_LEVEL: is none of"),
        ({"ALLOWED_HOSTS": "*"}, "orgportal: ALLOWED_HOSTS: must name the hosts"),
        ({"DATABASE_URL": "sqlite:///{folder}/none"}, "orgportal: There is no database"),
        ({"DATABASE_URL": "sqlite:///{folder}/empty"}, "are not applied. Make a backup, then run: ./dev migrate"),
    ],
)
def test_a_web_server_started_by_hand_ends_with_2_and_one_line(variables, tmp_path, changed, told):
    given = {name: value.format(folder=tmp_path) for name, value in {**variables, **changed}.items()}
    (tmp_path / "empty").touch()
    ended = manage("webserver", **given)
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert told in line


def test_a_check_before_the_start(variables):
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
